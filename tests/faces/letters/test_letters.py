"""Letters: worded in the reader's language, sent once by a real mail server, kept as sent."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import override_settings
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import CALLER, START
from tests.faces.letters.mail_server import listening

from tallystick.book.collections import ladders, letters
from tallystick.book.collections.correspondence import set_correspondence
from tallystick.book.collections.models import Case, Message
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import Party, User
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.repay import repay
from tallystick.book.watch.models import WorkItem
from tallystick.faces.letters.rendering import TEMPLATES, rendered
from tallystick.faces.letters.sending import send_all_due
from tallystick.rules.dunning import Letter

DAY = timedelta(days=1)
BY_SMTP = "django.core.mail.backends.smtp.EmailBackend"
FACTS = {
    "party": "Huamei & <Sons>",
    "entity": "The Factor",
    "on": "2026-03-07",
    "days_past_due": 3,
    "loans": [
        {
            "loan": "F-S1-1",
            "currency": "CNY",
            "due_date": "2026-03-04",
            "days_past_due": 3,
            "amount_minor": 3_606_500,
        }
    ],
    "total_minor": {"CNY": 3_606_500},
    "pay_to": {
        "CNY": {"account_holder": "The Factor", "account_number": "6222 0001", "bank": "ICBC"}
    },
}


@pytest.fixture
def smtp():
    with (
        listening() as server,
        override_settings(
            EMAIL_BACKEND=BY_SMTP,
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=server.port,
            EMAIL_USE_TLS=False,
            DEFAULT_FROM_EMAIL="Factor <collections@factor.example>",
        ),
    ):
        yield server


def late_firm(*, email: str = "owner@s1.example", language: str = "en", to_day: int = 5) -> Loan:
    """A firm three days late, of which the close has just made the reminder ready."""
    scene = scenes.opened()
    loan = Loan.objects.get(
        pk=scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=2, rate_ppb=0)
    )
    if email:
        set_correspondence("S1", language=language, email=email, caller=CALLER, key="to")
    close_through(scene.legal_entity_id, START + (to_day - 1) * DAY)
    return loan


def let_it_be_due() -> None:
    """Let the wait after a failure be over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE collections_message SET next_attempt_at = now() WHERE state = 'waiting'"
        )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("letter", Letter)
def test_every_letter_names_loans_amounts_and_account_in_both_languages(letter, language):
    subject, body = rendered(letter, language=language, facts=FACTS)

    assert subject
    assert "\n" not in subject
    for told in ("F-S1-1", "36,065.00 CNY", "6222 0001", "ICBC", "2026-03-04", "The Factor"):
        assert told in body
    assert "Huamei & <Sons>" in subject + body
    assert "{" not in body
    assert ("逾期" in body) is (language == "zh-hans")


def test_both_languages_have_the_same_letters():
    names = [{path.name for path in (TEMPLATES / name).iterdir()} for name in ("en", "zh-hans")]

    assert names[0] == names[1]


def test_a_letter_in_an_unknown_language_is_written_in_english():
    assert rendered("reminder", language="fr", facts=FACTS) == rendered(
        "reminder", language="en", facts=FACTS
    )


def test_a_name_with_line_breaks_adds_no_header():
    facts = {**FACTS, "entity": "The Factor\r\nBcc: all@firm.example"}

    assert "\n" not in rendered("reminder", language="en", facts=facts).subject


def test_a_letter_is_sent_once_by_the_mail_server_and_kept_as_it_was_sent(database, smtp):
    loan = late_firm(language="zh-hans")
    ladders.set_account(
        ladders.Account("The Factor", "6222", "ICBC"),
        currency="CNY",
        legal_entity_id=loan.facility.legal_entity_id,
        caller=CALLER,
        key="account",
    )

    assert send_all_due() == (1, 0)
    assert send_all_due() == (0, 0)

    (sent,) = smtp.letters
    kept = Message.objects.get()
    assert sent["To"] == "owner@s1.example"
    assert sent["From"] == "Factor <collections@factor.example>"
    assert sent["Message-ID"] == f"<letter-{kept.pk}@factor.example>"
    assert sent["Subject"].strip() == kept.subject == "贵公司有一笔应付LENDER的款项已逾期"
    assert sent.get_content().replace("\r\n", "\n") == kept.body
    assert loan.code in kept.body
    assert (kept.state, kept.attempts, kept.last_error) == ("sent", 1, "")
    assert kept.sent_at is not None
    with pytest.raises(DatabaseError), transaction.atomic():
        Message.objects.update(body="we never wrote that")


def test_a_letter_that_the_server_turns_down_is_tried_again_with_the_same_words(database, smtp):
    late_firm()
    smtp.refuses = 1

    assert send_all_due() == (0, 1)
    assert send_all_due() == (0, 0), "the wait is not over"
    failed = Message.objects.get()
    assert (failed.state, failed.last_error) == ("waiting", "the mail server answered 451")
    Party.objects.filter(code="S1").update(name="Renamed since")
    let_it_be_due()
    assert send_all_due() == (1, 0)

    (sent,) = smtp.letters
    assert sent["Subject"] == failed.subject
    assert Message.objects.get().attempts == 2


def test_a_letter_of_a_sender_that_died_is_sent_after_its_lease_and_not_twice(database, smtp):
    late_firm()
    died = letters.claim()
    assert died is not None
    assert letters.claim() is None
    let_it_be_due()

    assert send_all_due() == (1, 0)
    letters.record_sent(died)
    letters.record_failed(died, "late news")

    assert len(smtp.raw) == 1
    assert Message.objects.get().state == "sent"


def test_a_letter_is_given_up_after_so_many_attempts_and_can_be_sent_again(database, smtp):
    late_firm()
    smtp.refuses = letters.MAX_ATTEMPTS
    for _ in range(letters.MAX_ATTEMPTS):
        assert send_all_due() == (0, 1)
        let_it_be_due()
    assert send_all_due() == (0, 0)
    dead = Message.objects.get()
    assert dead.state == "dead"
    item = WorkItem.objects.get(kind="dunning_undeliverable")
    assert (item.subject, item.details["why"]) == (
        f"case:{dead.case_id}:reminder",
        "the mail server answered 451",
    )

    letters.send_again(dead.pk, caller=CALLER, key="again")
    letters.send_again(dead.pk, caller=CALLER, key="again")

    assert send_all_due() == (1, 0)
    assert WorkItem.objects.get(pk=item.pk).closed_at is not None
    with pytest.raises(letters.MessageNotDead, match="no letter"):
        letters.send_again(dead.pk, caller=CALLER, key="once more")


def test_a_letter_to_nobody_goes_to_the_worklist_and_then_to_the_firms_users(database, smtp):
    late_firm(email="")
    dead = Message.objects.get()
    assert (dead.state, dead.last_error) == ("dead", "there is no address")
    assert WorkItem.objects.filter(kind="dunning_undeliverable", closed_at=None).count() == 1
    with pytest.raises(letters.NoAddress, match="has no address"):
        letters.send_again(dead.pk, caller=CALLER, key="too early")
    User.objects.create(email="who@s1.example", role="supplier", party=Party.objects.get(code="S1"))

    letters.send_again(dead.pk, caller=CALLER, key="now")

    assert send_all_due() == (1, 0)
    assert [letter["To"] for letter in smtp.letters] == ["who@s1.example"]


def test_a_letter_of_a_case_that_has_ended_is_withdrawn(database, smtp):
    loan = late_firm()
    repay(loan.code, 10_000_000, value_date=None, caller=CALLER, key="all")
    close_through(loan.facility.legal_entity_id, START + 5 * DAY)
    assert not Case.objects.get().is_open

    assert send_all_due() == (0, 0)

    assert Message.objects.get().state == "withdrawn"
    assert smtp.raw == []


def test_without_a_mail_server_letters_become_files(database, tmp_path):
    late_firm()
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.filebased.EmailBackend",
        EMAIL_FILE_PATH=str(tmp_path / "mail"),
    ):
        assert send_all_due() == (1, 0)

    (file,) = (tmp_path / "mail").iterdir()
    assert "owner@s1.example" in file.read_text()


def test_a_server_that_is_not_there_is_a_failure_and_not_a_fault(database):
    late_firm()
    with override_settings(EMAIL_BACKEND=BY_SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
        assert send_all_due() == (0, 1)

    assert "refused" in Message.objects.get().last_error
