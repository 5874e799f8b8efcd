"""Cases of firms that pay late: opened and closed by the close of day, worked by people."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings
from tests.book.servicing.scene import CALLER, START

from tallystick.book.acts.models import OutboxMessage
from tallystick.book.collections import cases, ladders, promise
from tallystick.book.collections.collect import collect
from tallystick.book.collections.correspondence import UnknownLanguage, set_correspondence
from tallystick.book.collections.models import Case, Message, Note, PromiseToPay
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import User
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.servicing.settle import settle
from tallystick.book.watch.models import WorkItem
from tallystick.rules.dunning import Channel, Ladder, Letter, Recipient, Step
from tallystick.rules.promises import UnusablePromise

DAY = timedelta(days=1)


def close_until_open(scene, days: int) -> dict:
    """Close days until START + ``days`` is the open one; the last close's figures."""
    closed = close_through(scene.legal_entity_id, START + (days - 1) * DAY)
    return closed[-1].figures["collections"]


def late_firm(*, due_in_days: int = 2, amount_minor: int = 3_600_000, supplier: str = "S1"):
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, supplier), amount_minor, days=due_in_days)
    return scene, Loan.objects.get(pk=loan_id)


def pay(loan: Loan, amount_minor: int, key: str) -> None:
    repay(loan.code, amount_minor, value_date=None, caller=CALLER, key=key)


def test_a_case_is_opened_when_a_loan_passes_the_threshold_and_a_letter_is_made_ready(database):
    scene, loan = late_firm()
    close_until_open(scene, 4)
    assert Case.objects.count() == 0

    figures = close_until_open(scene, 5)

    case = Case.objects.get()
    assert (case.party.code, case.opened_date, case.is_open) == ("S1", START + 5 * DAY, True)
    assert figures["opened"] == figures["open"] == 1
    letter = Message.objects.get()
    assert (letter.step, letter.channel, letter.date) == ("reminder", "mail", START + 5 * DAY)
    assert letter.facts["days_past_due"] == 3
    # 36,000.00 for five days at 10 % a year of 360 days, and for three at 5 % penalty.
    assert letter.facts["total_minor"] == {"CNY": 3_600_000 + 5_000 + 1_500}
    assert [each["loan"] for each in letter.facts["loans"]] == [loan.code]
    assert findings() == []


def test_two_late_loans_of_a_firm_are_one_case_and_each_firm_has_its_own(database):
    scene = scenes.opened()
    first = scenes.facility(scene, "S1")
    for _ in range(2):
        scenes.lent(first, 1_000_000, days=1)
    scenes.lent(scenes.facility(scene, "S2"), 1_000_000, days=1)

    close_until_open(scene, 5)

    assert list(Case.objects.order_by("party__code").values_list("party__code", flat=True)) == [
        "S1",
        "S2",
    ]
    assert len(Message.objects.get(case__party__code="S1").facts["loans"]) == 2


def test_a_case_is_closed_when_nothing_is_past_due_and_the_next_one_starts_at_the_bottom(database):
    scene, loan = late_firm()
    close_until_open(scene, 13)
    assert list(Message.objects.order_by("id").values_list("step", flat=True)) == [
        "reminder",
        "second reminder",
    ]
    pay(loan, 10_000_000, "all of it")

    figures = close_until_open(scene, 14)

    case = Case.objects.get()
    assert figures["closed"] == 1
    assert (case.end, case.closed_date) == ("cured", START + 14 * DAY)
    scenes.lent(loan.facility, 1_000_000, days=1)
    close_until_open(scene, 18)
    again = Case.objects.get(closed_date=None)
    assert list(again.message_set.values_list("step", flat=True)) == ["reminder"]
    assert findings() == []


def test_the_close_sends_each_step_once_however_late_the_firm_gets(database):
    scene, _ = late_firm()

    with scenes.an_act("nights") as act:
        for days in range(102):
            collect(scene.legal_entity_id, day=START + days * DAY, act_id=act.act_id)
        act.answer({})

    assert list(Message.objects.order_by("id").values_list("step", "date")) == [
        ("reminder", START + 5 * DAY),
        ("second reminder", START + 12 * DAY),
        ("demand", START + 33 * DAY),
        ("final notice", START + 63 * DAY),
        ("hand over", START + 93 * DAY),
    ]
    case = Case.objects.get()
    item = WorkItem.objects.get(kind="dunning_task")
    assert item.subject == f"case:{case.pk}:hand over"
    with pytest.raises(DatabaseError), transaction.atomic():
        Message.objects.create(
            case=case,
            step="demand",
            min_days_past_due=31,
            letter="demand",
            channel="mail",
            recipient="firm",
            date=START,
            facts={},
            addresses=[],
            state="sent",
            act_id=case.act_id,
        )


def test_closing_day_by_day_and_catching_up_come_to_the_same_cases_and_letters(database):
    daily, late = (scenes.opened(code=code) for code in ("DAILY", "LATE"))
    for scene in (daily, late):
        scenes.lent(scenes.facility(scene, f"S-{scene.book_id}"), 1_234_567, days=2)
    for days in range(1, 15):
        close_until_open(daily, days)

    close_until_open(late, 14)

    def told(scene):
        return list(
            Message.objects.filter(case__legal_entity=scene.legal_entity_id)
            .order_by("id")
            .values_list("step", "date", "facts__total_minor")
        )

    assert told(daily) == told(late)
    assert len(told(late)) == 2


def test_a_promise_holds_letters_back_and_is_kept_by_cash_of_the_promised_amount(database):
    scene, loan = late_firm()
    close_until_open(scene, 5)
    case = Case.objects.get()
    promise.promise(
        case.pk,
        currency="CNY",
        amount_minor=1_000_000,
        promised_date=START + 13 * DAY,
        by_firm=True,
        caller=CALLER,
        key="promise",
    )
    close_until_open(scene, 13)
    assert Message.objects.count() == 1
    pay(loan, 600_000, "first")
    assert close_until_open(scene, 14)["promises"] == {"kept": 0, "broken": 1}

    made = PromiseToPay.objects.get()
    assert (made.outcome, made.received_minor) == ("broken", 600_000)
    # The promise is over: on the morning after, the step that waited goes out.
    assert list(Message.objects.order_by("id").values_list("step", "date")) == [
        ("reminder", START + 5 * DAY),
        ("second reminder", START + 14 * DAY),
    ]


def test_a_promise_kept_in_parts_is_kept_and_cash_taken_back_does_not_count(database):
    scene, loan = late_firm()
    close_until_open(scene, 5)
    case = Case.objects.get()
    promised = {"currency": "CNY", "amount_minor": 1_000_000, "by_firm": False, "caller": CALLER}
    promise.promise(case.pk, promised_date=START + 8 * DAY, key="one", **promised)
    pay(loan, 400_000, "first part")
    close_until_open(scene, 6)
    assert PromiseToPay.objects.get().outcome == "running"
    pay(loan, 600_000, "second part")
    assert close_until_open(scene, 7)["promises"] == {"kept": 1, "broken": 0}

    promise.promise(case.pk, promised_date=START + 8 * DAY, key="two", **promised)
    claim = scenes.owes(loan.facility, 2_000_000)
    receipt = Receipt("R-1", "JD", "CNY", 2_000_000, scene.today, ((claim, 2_000_000),))
    settle(receipt, legal_entity_id=scene.legal_entity_id, caller=CALLER)
    reverse_receipt("R-1", legal_entity_id=scene.legal_entity_id, caller=CALLER, key="back")
    close_until_open(scene, 9)

    second = PromiseToPay.objects.order_by("id").last()
    assert (second.outcome, second.received_minor) == ("broken", 0)
    assert findings() == []


def test_promises_that_make_no_sense_are_refused(database):
    scene, _ = late_firm()
    close_until_open(scene, 5)
    case = Case.objects.get()
    good = {
        "currency": "CNY",
        "amount_minor": 1,
        "promised_date": START + 6 * DAY,
        "by_firm": False,
        "caller": CALLER,
    }
    with pytest.raises(UnusablePromise, match="cannot be promised on"):
        promise.promise(case.pk, **(good | {"promised_date": START}), key="past")
    with pytest.raises(promise.NothingPastDue, match="past due in EUR"):
        promise.promise(case.pk, **(good | {"currency": "EUR"}), key="other")
    with pytest.raises(cases.NoOpenCase, match="no open case 999"):
        promise.promise(999, **good, key="nowhere")
    first = promise.promise(case.pk, **good, key="one")
    assert promise.promise(case.pk, **good, key="one") == first
    with pytest.raises(promise.PromiseRuns, match="promised for 2026-03-08"):
        promise.promise(case.pk, **good, key="two")


def test_a_pause_holds_letters_back_until_its_end(database):
    scene, _ = late_firm()
    close_until_open(scene, 5)
    case = Case.objects.get()
    cases.pause(case.pk, START + 20 * DAY, caller=CALLER, key="pause")

    close_until_open(scene, 21)

    assert list(Message.objects.order_by("id").values_list("step", "date")) == [
        ("reminder", START + 5 * DAY),
        ("second reminder", START + 20 * DAY),
    ]
    with pytest.raises(cases.PauseOutOfReach, match="to 2026-09"):
        cases.pause(case.pk, START + 900 * DAY, caller=CALLER, key="too long")


def test_a_case_is_given_to_one_of_ours_and_notes_are_kept(database):
    scene, _ = late_firm()
    close_until_open(scene, 5)
    case = Case.objects.get()
    ours = User.objects.create(email="chen@house.example", role="operator")
    User.objects.create(email="s1@firm.example", role="supplier", party=case.party)

    cases.assign(case.pk, ours.email, caller=CALLER, key="give")
    cases.add_note(case.pk, "Called.\nThey pay on Friday.", caller=CALLER, key="note")
    cases.add_note(case.pk, "Called.\nThey pay on Friday.", caller=CALLER, key="note")

    case.refresh_from_db()
    assert case.assignee == ours
    assert list(Note.objects.order_by("id").values_list("kind", "text")) == [
        ("opened", ""),
        ("assigned", "chen@house.example"),
        ("note", "Called.\nThey pay on Friday."),
    ]
    with pytest.raises(cases.NotOneOfOurs, match="active user of the house"):
        cases.assign(case.pk, "s1@firm.example", caller=CALLER, key="firm")
    with pytest.raises(DatabaseError), transaction.atomic():
        Note.objects.update(text="rewritten")


def test_a_ladder_of_the_house_holds_from_its_day_and_events_go_to_those_who_listen(database):
    scene, loan = late_firm()
    ladders.set_ladder(
        Ladder(
            START + 6 * DAY,
            0,
            (Step("told", 4, Letter.DEMAND, Channel.WEBHOOK, Recipient.FIRM, 0),),
        ),
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key="ladder",
    )
    close_until_open(scene, 5)
    assert list(Message.objects.values_list("step", flat=True)) == ["reminder"]

    close_until_open(scene, 6)

    told = OutboxMessage.objects.get(topic="dunning_due")
    assert told.subject == "party:S1"
    assert told.payload["letter"] == "demand"
    assert told.payload["loans"][0]["loan"] == loan.code


def test_a_firm_is_written_to_in_its_language(database):
    late_firm()
    set_correspondence("S1", language="zh-hans", email="a@b.example", caller=CALLER, key="one")
    with pytest.raises(UnknownLanguage, match="There is: en, zh-hans"):
        set_correspondence("S1", language="fr", email="", caller=CALLER, key="two")
