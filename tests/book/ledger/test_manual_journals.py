"""An entry by hand is booked when a second person has approved it, and only then."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from tests.book.ledger.house import BANK, CAPITAL, OPENED, SUSPENSE

from tallystick.book.acts.once import Caller, KeyConflict
from tallystick.book.acts.reasons import ReasonMissing
from tallystick.book.ledger.manual_journals import (
    MemorandumMixed,
    ReferenceUnusable,
    approve,
    propose,
    reject,
)
from tallystick.book.ledger.models import Entry, ManualJournal
from tallystick.book.ledger.post import journal_entry
from tallystick.book.parties.models import Role, User
from tallystick.book.parties.two_people import (
    AlreadyDecided,
    CheckedByMaker,
    NothingProposed,
    RoleMissing,
)
from tallystick.rules.chart import UnknownAccount
from tallystick.rules.journal import AccountName, UnbalancedEntry, credit, debit
from tallystick.rules.money import UnknownCurrency

CALLER = Caller("firm:HOUSE", "somebody@example.com", "portal", reason="misposted receipt")


def user(role, **fields):
    return User.objects.create(
        email=f"{role}-{secrets.token_hex(4)}@example.com", role=role, **fields
    )


@pytest.fixture
def maker(house):
    return user(Role.OPERATOR)


@pytest.fixture
def checker(house):
    return user(Role.APPROVER)


def key():
    return secrets.token_hex(8)


def proposed(house, maker, **changed):
    fields = {
        "caller": CALLER,
        "key": key(),
        "maker": maker,
        "legal_entity_id": house.legal_entity_id,
        "currency": "CNY",
        "reference": "receipt:77",
        "value_date": OPENED - timedelta(days=3),
        "postings": [debit(SUSPENSE, 40), credit(house.supplier_credit, 40)],
    } | changed
    return propose(**fields)


def test_a_proposed_entry_is_booked_when_another_person_approves_it(house, maker, checker):
    journal_id = proposed(house, maker)
    assert house.entry_count == 0
    booking_date = house.close()

    entry_id = approve(journal_id, caller=CALLER, key=key(), checker=checker)

    assert journal_entry(entry_id) == house.entry(
        debit(SUSPENSE, 40),
        credit(house.supplier_credit, 40),
        event="manual_journal",
        reference="receipt:77",
        value_date=OPENED - timedelta(days=3),
        booking_date=booking_date,
    )
    journal = ManualJournal.objects.get(pk=journal_id)
    assert (journal.maker, journal.checker, journal.approved) == (maker, checker, True)
    assert (journal.reason, journal.entry_id) == ("misposted receipt", entry_id)
    assert Entry.objects.get(pk=entry_id).act.kind == "approve_manual_journal"


def test_a_rejected_entry_is_never_booked_and_the_reason_is_kept(house, maker, checker):
    journal_id = proposed(house, maker)

    reject(journal_id, caller=replace(CALLER, reason="wrong supplier"), key=key(), checker=checker)

    journal = ManualJournal.objects.get(pk=journal_id)
    assert (journal.approved, journal.decision_reason, journal.entry) == (
        False,
        "wrong supplier",
        None,
    )
    assert house.entry_count == 0


@pytest.mark.parametrize("again", [approve, reject])
@pytest.mark.parametrize("first", [approve, reject])
def test_a_proposal_is_decided_on_once(house, maker, checker, first, again):
    journal_id = proposed(house, maker)
    first(journal_id, caller=CALLER, key=key(), checker=checker)

    with pytest.raises(AlreadyDecided, match="Propose another one"):
        again(journal_id, caller=CALLER, key=key(), checker=checker)

    assert house.entry_count == (1 if first is approve else 0)


def test_repeating_a_key_repeats_the_answer_and_books_nothing_more(house, maker, checker):
    once, twice = key(), key()

    ids = {proposed(house, maker, key=once) for _ in range(2)}
    (journal_id,) = ids
    entries = {approve(journal_id, caller=CALLER, key=twice, checker=checker) for _ in range(2)}

    assert len(entries) == 1
    assert house.entry_count == 1
    with pytest.raises(KeyConflict):
        proposed(house, maker, key=once, reference="receipt:78")


def test_two_approvers_at_once_book_it_once(house, maker):
    journal_id = proposed(house, maker)

    def decide(checker):
        try:
            return approve(journal_id, caller=CALLER, key=key(), checker=checker)
        except AlreadyDecided:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        entries = list(threads.map(decide, [user(Role.APPROVER) for _ in range(4)]))

    assert sorted(entry is None for entry in entries) == [False, True, True, True]
    assert house.entry_count == 1


@pytest.mark.parametrize("role", [each for each in Role if each not in ("operator", "treasury")])
def test_only_an_operator_or_treasury_may_propose(house, role):
    party = {"party_id": house.party_id} if role is Role.SUPPLIER else {}

    with pytest.raises(RoleMissing, match="operator or treasury"):
        proposed(house, user(role, **party))


@pytest.mark.parametrize("decide", [approve, reject])
def test_only_an_active_approver_may_decide(house, maker, decide):
    journal_id = proposed(house, maker)

    for person in (user(Role.OPERATOR), user(Role.TREASURY), user(Role.APPROVER, is_active=False)):
        with pytest.raises(RoleMissing, match="role approver"):
            decide(journal_id, caller=CALLER, key=key(), checker=person)


@pytest.mark.parametrize("decide", [approve, reject])
def test_nobody_decides_on_their_own_proposal_whatever_their_role_is_by_now(
    house, maker, owner, decide
):
    journal_id = proposed(house, maker)
    owner.execute("UPDATE parties_user SET role = 'approver' WHERE id = %s", (maker.pk,))
    maker.refresh_from_db()

    with pytest.raises(CheckedByMaker, match="Another approver"):
        decide(journal_id, caller=CALLER, key=key(), checker=maker)


def test_the_database_too_wants_two_persons(house, maker, owner):
    journal_id = proposed(house, maker)

    with pytest.raises(psycopg.errors.CheckViolation, match="checked_by_another"):
        owner.execute(
            "UPDATE ledger_manualjournal SET checker_id = maker_id, decided_at = now(),"
            " approved = false WHERE id = %s",
            (journal_id,),
        )


def test_a_decision_and_a_proposal_stay_as_they_were(house, maker, checker, owner):
    journal_id = proposed(house, maker)
    with pytest.raises(psycopg.IntegrityError, match="only added to"):
        owner.execute("UPDATE ledger_manualjournal SET proposal = '{}'")
    reject(journal_id, caller=CALLER, key=key(), checker=checker)
    with pytest.raises(psycopg.IntegrityError, match="only added to"):
        owner.execute("UPDATE ledger_manualjournal SET decision_reason = 'another'")


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        pytest.param({"caller": replace(CALLER, reason=" ")}, ReasonMissing, id="no reason"),
        pytest.param({"reference": ""}, ReferenceUnusable, id="no reference"),
        pytest.param({"reference": "x" * 101}, ReferenceUnusable, id="a reference too long"),
        pytest.param({"reference": "a\x00b"}, ReferenceUnusable, id="a null in the reference"),
        pytest.param({"currency": "XXQ"}, UnknownCurrency, id="an unknown currency"),
        pytest.param(
            {"postings": [debit(BANK, 40), credit(CAPITAL, 41)]}, UnbalancedEntry, id="unbalanced"
        ),
        pytest.param({"postings": []}, UnbalancedEntry, id="empty"),
        pytest.param(
            {"postings": [debit(BANK, 1), credit(AccountName("slush_fund"), 1)]},
            UnknownAccount,
            id="an account outside the chart",
        ),
        pytest.param(
            {"postings": [debit(AccountName("committed_drawdowns", book=1), 1), credit(BANK, 1)]},
            MemorandumMixed,
            id="memorandum against real money",
        ),
    ],
)
def test_a_proposal_that_could_not_be_booked_is_refused_at_once(house, maker, changed, refusal):
    with pytest.raises(refusal):
        proposed(house, maker, **changed)

    assert not ManualJournal.objects.filter(legal_entity=house.legal_entity_id).exists()


def test_a_journal_that_is_not_there_cannot_be_decided_on(house, checker):
    with pytest.raises(NothingProposed, match="no manual journal 4711"):
        approve(4711, caller=CALLER, key=key(), checker=checker)


def test_rejecting_takes_a_reason(house, maker, checker):
    with pytest.raises(ReasonMissing):
        reject(
            proposed(house, maker), caller=replace(CALLER, reason=""), key=key(), checker=checker
        )
