"""A missed due date costs the programme's late fee, once.

A loan of 3,600,000 for 30 days at 10 % over ACT/360: 1,000 a night.
"""

from datetime import timedelta

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_settle import code_of

from tallystick.book.servicing.charge_off import waive
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.servicing.reverse_event import reverse_event
from tallystick.book.servicing.supplier_statement import supplier_statement
from tallystick.rules.loan_events import Charge

DAY = timedelta(days=1)
DUE = START + 30 * DAY


@pytest.fixture
def scene(database):
    return scenes.opened()


def lent(scene, supplier: str = "S1", **fees: int):
    terms = scenes.programme(fees=fees or {"late_minor": 5_000, "late_after_days": 3})
    facility = scenes.facility(scene, supplier, terms)
    return facility, code_of(scenes.lent(facility, 3_600_000, days=30, penalty_rate_ppb=0))


def fees(loan: str):
    return list(
        LoanEvent.objects.filter(loan__code=loan, kind="fee_charged").values_list(
            "value_date", "amount_minor", "reference"
        )
    )


def test_it_is_charged_once_when_the_due_date_is_past_due_for_longer_than_is_let_go(scene):
    _, loan = lent(scene)
    _, other = lent(scene, "S2")

    close_through(scene.legal_entity_id, DUE + 2 * DAY)
    assert fees(loan) == []
    closed = close_through(scene.legal_entity_id, DUE + 8 * DAY)

    assert closed[0].figures["dues"]["late_fees"] == 2
    assert [day.figures["dues"]["late_fees"] for day in closed[1:]] == [0] * 5
    assert fees(loan) == fees(other) == [(DUE + 4 * DAY, 5_000, f"programme fee:late {DUE}")]
    assert loan_on(loan).state.balances.fees_due_minor == 5_000
    assert net_minor(scene, "fee_income") == -10_000
    assert findings() == []


def test_a_loan_repaid_in_time_or_without_such_a_fee_costs_nothing_more(scene):
    _, punctual = lent(scene)
    _, free = lent(scene, "S2", arrangement_bps=10)
    close_through(scene.legal_entity_id, DUE - DAY)
    repay(punctual, 3_630_000, value_date=None, caller=CALLER, key="in time")

    close_through(scene.legal_entity_id, DUE + 8 * DAY)

    assert fees(punctual) == fees(free) == []


def test_a_late_fee_taken_back_is_not_charged_again(scene):
    _, loan = lent(scene)
    _, other = lent(scene, "S2")
    close_through(scene.legal_entity_id, DUE + 4 * DAY)
    charged = LoanEvent.objects.get(loan__code=loan, kind="fee_charged")

    reverse_event(loan, charged.pk, caller=CALLER, key="the bank was late, not he")
    close_through(scene.legal_entity_id, DUE + 6 * DAY)

    assert loan_on(loan).state.balances.fees_due_minor == 0
    assert loan_on(other).state.balances.fees_due_minor == 5_000
    assert net_minor(scene, "fee_income") == -5_000
    assert findings() == []


def told_late(scene, loan: str, *, value_date, told_on, minor=3_630_000):
    """What is owed on the due date, unless another amount is given, is told of days later."""
    close_through(scene.legal_entity_id, told_on - DAY)
    settled = repay(loan, minor, value_date=value_date, caller=CALLER, key="told late")
    (closed,) = close_through(scene.legal_entity_id, told_on)
    return settled, closed.figures["dues"]


def test_a_fee_is_taken_back_once_when_the_cash_turns_out_to_have_come_in_time(scene):
    _, loan = lent(scene)
    _, other = lent(scene, "S2")

    # On the last day that is let go, with three nights more on the whole.
    in_time = {"value_date": DUE + 3 * DAY, "minor": 3_633_000}
    _, dues = told_late(scene, loan, told_on=DUE + 6 * DAY, **in_time)
    later = close_through(scene.legal_entity_id, DUE + 9 * DAY)

    assert (dues["late_fees"], dues["late_fees_taken_back"]) == (0, 1)
    assert [day.figures["dues"]["late_fees_taken_back"] for day in later] == [0, 0, 0]
    taken_back = LoanEvent.objects.get(loan__code=loan, kind="reversed")
    assert taken_back.reference == f"programme fee:not late {DUE}"
    assert loan_on(loan).status == "settled"
    assert loan_on(other).state.balances.fees_due_minor == 5_000
    assert net_minor(scene, "fee_income") == -5_000
    assert findings() == []


def test_a_fee_that_was_paid_before_it_is_taken_back_becomes_credit(scene):
    _, loan = lent(scene)
    close_through(scene.legal_entity_id, DUE + 4 * DAY)
    repay(loan, 5_000, value_date=None, caller=CALLER, key="the fee")

    told_late(scene, loan, value_date=DUE, told_on=DUE + 6 * DAY)

    at = loan_on(loan).state.balances
    assert (at.owed_minor, at.credit_minor, at.fees_charged_minor) == (0, 5_000, 0)
    assert findings() == []


def test_cash_that_came_after_all_too_late_leaves_the_fee(scene):
    _, loan = lent(scene)

    _, dues = told_late(scene, loan, value_date=DUE + 4 * DAY, told_on=DUE + 6 * DAY)

    assert dues["late_fees_taken_back"] == 0
    assert fees(loan) == [(DUE + 4 * DAY, 5_000, f"programme fee:late {DUE}")]
    assert loan_on(loan).state.balances.fees_charged_minor == 5_000
    assert findings() == []


def test_a_fee_is_charged_again_as_of_its_day_when_that_cash_is_taken_back(scene):
    _, loan = lent(scene)
    settled, _ = told_late(scene, loan, value_date=DUE, told_on=DUE + 6 * DAY)

    reverse_receipt(
        settled.bank_reference,
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key="it was another's",
    )
    closed = close_through(scene.legal_entity_id, DUE + 9 * DAY)

    assert [day.figures["dues"]["late_fees"] for day in closed] == [1, 0, 0]
    assert fees(loan) == [(DUE + 4 * DAY, 5_000, f"programme fee:late {DUE}")] * 2
    assert loan_on(loan).state.balances.fees_due_minor == 5_000
    assert net_minor(scene, "fee_income") == -5_000
    assert findings() == []


def test_a_fee_that_a_person_waived_is_left_as_it_is(scene):
    _, loan = lent(scene)
    close_through(scene.legal_entity_id, DUE + 4 * DAY)
    waive(loan, Charge.FEES, 5_000, caller=CALLER, key="goodwill")

    _, dues = told_late(scene, loan, value_date=DUE, told_on=DUE + 6 * DAY)

    assert dues["late_fees_taken_back"] == 0
    at = loan_on(loan).state.balances
    assert (at.fees_charged_minor, at.fees_waived_minor) == (5_000, 5_000)
    assert findings() == []


def test_a_close_after_a_gap_takes_back_what_closing_day_by_day_does(scene):
    _, loan = lent(scene)
    close_through(scene.legal_entity_id, DUE + 4 * DAY)
    repay(loan, 3_630_000, value_date=DUE, caller=CALLER, key="told late")

    closed = close_through(scene.legal_entity_id, DUE + 9 * DAY)

    assert [day.figures["dues"]["late_fees_taken_back"] for day in closed] == [1, 0, 0, 0, 0]
    assert loan_on(loan).status == "settled"
    assert findings() == []


def test_the_statement_names_the_fee(scene):
    facility, _ = lent(scene)
    close_through(scene.legal_entity_id, DUE + 4 * DAY)

    told = supplier_statement(facility.supplier_id, "CNY", from_date=START, to_date=DUE + 5 * DAY)

    assert [line.amount_minor for line in told.lines if line.kind == "late_fee"] == [5_000]
