"""The demo: repeatable to the minor unit, its books proved, and told again without a second run."""

from dataclasses import replace
from datetime import date

import pytest

from tallystick.book.financing.models import Loan
from tallystick.book.ledger.queries import trial_balance
from tallystick.book.parties.models import LegalEntity
from tallystick.lab.run_demo import DemoState, demo_state, prepare_demo
from tallystick.lab.walk import BooksDisagree
from tallystick.site import databases

SMALL = {"days": 45, "suppliers": 6}


def walked(**settings):
    return prepare_demo(**settings).walk(on_day=lambda _day: None)


def trial_balances(told):
    """Every account's totals as they stood at the end of each day."""
    entity = LegalEntity.objects.get()
    return [
        [
            (line.account.label, line.account.currency, line.balance)
            for line in trial_balance(entity.pk, on=date.max, known_on=day.date)
        ]
        for day in told.summary.days
    ]


@pytest.fixture(scope="module")
def told(shared_database):
    """A small demo, walked once for all tests that only look at it."""
    databases.use(shared_database)
    return walked(**SMALL, seed=7)


@pytest.fixture
def looking_at(shared_database):
    databases.use(shared_database)


def test_a_demo_lends_is_repaid_and_its_books_agree(told):
    assert told.findings == []
    assert told.summary.draws > 0
    assert told.summary.repaid_minor > 0
    assert told.summary.last.interest_minor > 0


def test_claims_paid_go_to_loans_to_suppliers_or_to_suspense(told):
    summary = told.summary

    assert summary.claims_paid_minor == (
        summary.repaid_minor
        + summary.to_advances_minor
        + summary.to_suppliers_minor
        + summary.suspense_minor
    )


def test_merchants_borrow_beside_suppliers_and_repay_in_instalments(told, looking_at):
    """One of the six, by a programme of its own; told beside the other."""
    suppliers, merchants = told.summary.programmes
    assert (suppliers.code, merchants.code) == ("jd.jingbaobei", "jd.jingxiaodai")
    assert (suppliers.suppliers, merchants.suppliers) == (5, 1)
    assert merchants.loans > 0
    assert merchants.drawn_minor > merchants.outstanding_minor
    assert merchants.interest_minor > 0
    assert told.summary.paid_by_merchants_minor > 0
    last = told.summary.last
    assert suppliers.interest_minor + merchants.interest_minor == last.interest_minor
    loans = Loan.objects.filter(facility__programme__code="jd.jingxiaodai")
    assert all(loan.maturity_date is not None for loan in loans)


def test_a_finished_demo_tells_itself_again(told, looking_at):
    state, again = demo_state()

    assert state is DemoState.TOLD
    assert again.settings == SMALL | {"seed": 7}
    assert again.summary.days == told.summary.days
    assert again.summary.programmes == told.summary.programmes


def test_the_same_seed_gives_the_same_trial_balance_on_every_day(told, looking_at, request):
    balances = trial_balances(told)
    request.getfixturevalue("database")  # from here on, another and empty one
    again = walked(**SMALL, seed=7)

    assert trial_balances(again) == balances
    assert again.summary.days == told.summary.days


def test_a_demo_that_was_cut_short_is_recognised(database):
    assert demo_state()[0] is DemoState.EMPTY

    prepare_demo(**SMALL, seed=7)

    assert demo_state()[0] is DemoState.CUT_SHORT


def test_the_first_day_on_which_an_invariant_fails_stops_the_run(database):
    run = prepare_demo(**SMALL, seed=7)
    walk = replace(run.walk_, daily_check=lambda on: ["something differs"] if on.day == 7 else [])

    with pytest.raises(BooksDisagree, match="2026-01-07: something differs"):
        walk.through(run.summary, start=run.start, end=run.end)
    assert LegalEntity.objects.get().business_date == date(2026, 1, 8)
