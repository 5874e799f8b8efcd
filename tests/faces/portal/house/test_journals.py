"""Manual journals by hand of two: one proposes, another decides, and only then is it booked."""

import pytest
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import START
from tests.faces.portal.house.office import (
    LANGUAGES,
    STAFF,
    key_in,
    queries_for,
    signed_in,
    text_of,
    user,
)

from tallystick.book.ledger.browse import posted_lines
from tallystick.book.ledger.models import Book, Entry, ManualJournal
from tallystick.book.parties.models import Party, Role

LIST = "/house/journals/"
PROPOSE = "/house/journals/propose/"
FIELDS = {
    "reference": "supplier:SELLER",
    "currency": "CNY",
    "value_date": START.isoformat(),
    "reason": "a bank charge",
    "account_1": "bank",
    "debit_1": "1,000.50",
    "account_2": "supplier_credit",
    "party_2": "SELLER",
    "credit_2": "1,000.50",
}


@pytest.fixture(scope="module")
def scene(shared_database):
    scene = scenes.opened()
    Party.objects.create(code="SELLER", name="Seller")
    return scene


def proposed(role=Role.OPERATOR, name="", **changes):
    client = signed_in(role, name)
    return client.post(PROPOSE, {"key": key_in(client.get(PROPOSE)), **FIELDS, **changes})


@pytest.fixture
def journal(scene) -> ManualJournal:
    answer = proposed()
    assert answer.status_code == 302, text_of(answer)
    return ManualJournal.objects.order_by("id").last()


def decision(journal, what: str) -> str:
    return reverse(f"house-journals-{what}", args=[journal.pk])


def decided(client, journal, what: str, reason: str = "seen"):
    url = decision(journal, what)
    return client.post(url, {"key": key_in(client.get(url)), "reason": reason})


def test_roles_propose_or_decide_and_all_look(scene, journal):
    for role in STAFF:
        client = signed_in(role)
        assert client.get(LIST).status_code == 200
        assert client.get(reverse("house-journals-one", args=[journal.pk])).status_code == 200
        proposes = role in (Role.OPERATOR, Role.TREASURY)
        assert client.get(PROPOSE).status_code == (200 if proposes else 403)
        for what in ("approve", "reject"):
            answer = client.post(decision(journal, what), {"key": "k", "reason": ""})
            assert answer.status_code == (422 if role is Role.APPROVER else 403)
    client = signed_in(Role.SUPPLIER)
    assert client.get(LIST).status_code == client.get(PROPOSE).status_code == 403


def test_the_pages_stand_in_both_languages_and_take_few_statements(scene, journal):
    for language in LANGUAGES:
        client = signed_in(Role.APPROVER, language=language)
        for url in (LIST, reverse("house-journals-one", args=[journal.pk])):
            assert queries_for(client, url) <= 8
        assert client.get(decision(journal, "approve")).status_code == 200
        assert signed_in(Role.OPERATOR, language=language).get(PROPOSE).status_code == 200


def test_what_was_proposed_is_booked_by_the_approval_of_another(scene, journal):
    before = Entry.objects.count()
    client = signed_in(Role.APPROVER)
    shown = text_of(client.get(reverse("house-journals-one", args=[journal.pk])))
    assert "1,000.50" in shown
    assert "a bank charge" in shown

    answer = decided(client, journal, "approve")

    entry = ManualJournal.objects.get(pk=journal.pk).entry
    assert answer.url == reverse("house-ledger-entry", args=[entry.pk])
    assert Entry.objects.count() == before + 1
    assert [(line.account.label, line.side, line.amount_minor) for line in
            posted_lines([entry.pk])[entry.pk]] == [
        ("bank", 1, 1_000_50),
        ("supplier_credit:SELLER", -1, 1_000_50),
    ]  # fmt: skip
    again = decided(client, journal, "reject")
    assert again.status_code == 422
    assert "was approved" in text_of(again)


def test_a_rejection_says_why_and_books_nothing(scene, journal):
    before = Entry.objects.count()
    client = signed_in(Role.APPROVER)
    assert decided(client, journal, "reject", reason="").status_code == 422

    assert decided(client, journal, "reject", reason="not ours").status_code == 302

    assert Entry.objects.count() == before
    page = client.get(reverse("house-journals-one", args=[journal.pk]))
    assert "not ours" in text_of(page)


def test_nobody_decides_on_what_they_proposed(scene):
    """Not even somebody who was made an approver in between."""
    assert proposed(Role.TREASURY, "turncoat").status_code == 302
    journal = ManualJournal.objects.order_by("id").last()
    turncoat = user(Role.TREASURY, "turncoat")
    turncoat.role = Role.APPROVER
    turncoat.save(update_fields=["role"])
    client = signed_in(Role.APPROVER, "turncoat")

    page = client.get(reverse("house-journals-one", args=[journal.pk]))
    answer = decided(client, journal, "approve")

    assert "somebody else has to decide" in text_of(page)
    assert decision(journal, "approve") not in page.content.decode()
    assert answer.status_code == 422
    assert "cannot decide on it" in text_of(answer)


def test_a_form_sent_twice_proposes_once(scene):
    client = signed_in(Role.OPERATOR)
    before = ManualJournal.objects.count()
    fields = {"key": key_in(client.get(PROPOSE)), **FIELDS}

    answers = [client.post(PROPOSE, fields) for _ in range(2)]

    assert answers[0].url == answers[1].url
    assert ManualJournal.objects.count() == before + 1


def test_an_account_kept_by_loan_book_takes_one_of_the_entity(scene):
    book = Book.objects.get(legal_entity=scene.legal_entity_id)
    answer = proposed(account_2="fee_income", book_2=str(book.pk), party_2="")

    assert answer.status_code == 302
    journal = ManualJournal.objects.order_by("id").last()
    assert journal.proposal["postings"][1]["book"] == book.pk


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"account_1": ""}, "account_1"),
        ({"debit_1": ""}, "debit_1"),
        ({"credit_1": "1.00"}, "debit_1"),
        ({"debit_1": "1.000,50"}, "debit_1"),
        ({"debit_1": "0"}, "debit_1"),
        ({"party_2": "NOBODY"}, "party_2"),
        ({"account_2": "fee_income"}, "book_2"),
        ({"account_2": "fee_income", "book_2": "999"}, "book_2"),
        ({"currency": "XXX"}, "currency"),
        ({"reason": ""}, "reason"),
        ({"reference": ""}, "reference"),
        ({"value_date": "2026-02-30"}, "value_date"),
        ({"debit_1": "999.00"}, None),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_stays(scene, wrong, field):
    before = ManualJournal.objects.count()

    answer = proposed(**wrong)

    assert answer.status_code == 422
    form = answer.context["form"]
    assert form.errors[field] if field else form.non_field_errors()
    assert form["credit_2"].value() == FIELDS["credit_2"]
    assert ManualJournal.objects.count() == before


def test_a_journal_that_is_not_there_is_answered_so(scene):
    assert signed_in(Role.APPROVER).get(f"{LIST}9999/").status_code == 404
