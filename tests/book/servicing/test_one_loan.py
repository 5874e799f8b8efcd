"""What may happen to one loan besides cash: more time, less to pay, loss and recovery.

One loan of 3,600,000 at 10 % over ACT/360: 1,000 a night, and 500 of penalty past due.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import books_of, findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_settle import code_of

from tallystick.book.acts.once import Caller
from tallystick.book.acts.reasons import ReasonMissing
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.servicing.charge_back import charge_back
from tallystick.book.servicing.charge_fee import charge_fee
from tallystick.book.servicing.charge_off import WaiverAboveOwed, charge_off, waive
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.events import EventInFuture
from tallystick.book.servicing.extend import extend, move_due_date, re_age
from tallystick.book.servicing.live_loan import NotALiveLoan
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.positions import positions_of
from tallystick.book.servicing.recover import NothingToRecover, recover
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.restructure import pause_interest, restructure
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.servicing.reverse_event import NotReversible, reverse_event
from tallystick.rules.loan_events import Charge
from tallystick.rules.loan_plan import DueNotMovable, ExtensionTooShort
from tallystick.rules.loan_steps import EventAfterChargeOff

DAY = timedelta(days=1)


@pytest.fixture
def lent(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    loan_id = scenes.lent(facility, 3_600_000)
    return scene, loan_id, code_of(loan_id)


def after_nights(scene, nights):
    """The business day once so many nights since START have closed."""
    close_through(scene.legal_entity_id, START + (nights - 1) * DAY)
    return START + nights * DAY


def owed(code, *, on=None):
    return loan_on(code, on=on).state.balances


def test_a_charge_off_takes_everything_owed_off_the_books_as_a_loss(lent):
    scene, loan_id, code = lent
    after_nights(scene, 70)

    charged_off = charge_off(code, caller=CALLER, key="loss")

    assert (charged_off.principal_minor, charged_off.interest_minor) == (3_600_000, 70_000)
    assert charged_off.penalty_minor == 10 * 500
    assert net_minor(scene, "loan_loss") == charged_off.total_minor == 3_675_000
    assert net_minor(scene, "loan_principal") == 0
    assert net_minor(scene, "interest_receivable") == 0
    loan = Loan.objects.get(pk=loan_id)
    facility = Facility.objects.get(pk=loan.facility_id)
    assert loan.status == "charged_off"
    assert facility.drawn_minor == 0
    assert facility.frozen_reason == f"loan {code} was charged off"
    after_nights(scene, 80)
    assert net_minor(scene, "interest_income") == -70_000
    assert findings() == []


def test_charging_off_twice_under_one_key_answers_the_first_time(lent):
    _, _, code = lent

    first = charge_off(code, caller=CALLER, key="loss")

    assert charge_off(code, caller=CALLER, key="loss") == first
    with pytest.raises(NotALiveLoan, match="charged_off"):
        charge_off(code, caller=CALLER, key="again")


def test_a_charge_off_cannot_count_from_before_what_has_happened_since(lent):
    scene, _, code = lent
    today = after_nights(scene, 10)
    repay(code, 1_000, value_date=today, caller=CALLER, key="paid")

    with pytest.raises(EventAfterChargeOff, match="recovered"):
        charge_off(code, caller=CALLER, key="loss", value_date=today - DAY)


def test_money_after_a_charge_off_is_recovered_and_what_is_above_it_is_credit(lent):
    scene, loan_id, code = lent
    after_nights(scene, 10)
    charge_off(code, caller=CALLER, key="loss")
    after_nights(scene, 20)

    recover(code, 3_000_000, value_date=None, caller=CALLER, key="first")
    recover(code, 700_000, value_date=None, caller=CALLER, key="second")

    assert net_minor(scene, "recovery_income") == -3_610_000
    assert net_minor(scene, "supplier_credit", party="S1") == -90_000
    assert positions_of([loan_id])[loan_id].position.recovered_minor == 3_610_000
    assert findings() == []


def test_a_recovery_can_be_taken_back(lent):
    scene, _, code = lent
    charge_off(code, caller=CALLER, key="loss")
    reference = recover(code, 5_000, value_date=None, caller=CALLER, key="paid").bank_reference

    reverse_receipt(reference, legal_entity_id=scene.legal_entity_id, caller=CALLER, key="not ours")

    assert net_minor(scene, "recovery_income") == 0
    assert owed(code).recovered_minor == 0
    assert findings() == []


def test_cash_that_had_arrived_before_the_charge_off_makes_the_loss_smaller(lent):
    scene, _, code = lent
    after_nights(scene, 20)
    charge_off(code, caller=CALLER, key="loss")

    recover(code, 110_000, value_date=START + 10 * DAY, caller=CALLER, key="late")

    # 10,000 of interest to the 10th night and 100,000 of principal were paid; the other ten nights
    # then cost 972.22 each.
    assert net_minor(scene, "loan_loss") == 3_500_000 + 9_722
    after_nights(scene, 21)
    assert net_minor(scene, "recovery_income") == 0
    assert net_minor(scene, "interest_income") == -19_722
    assert findings() == []


def test_a_loan_that_is_live_or_unknown_has_nothing_to_recover(lent):
    _, _, code = lent

    with pytest.raises(NothingToRecover, match="it is live"):
        recover(code, 5, value_date=None, caller=CALLER, key="early")


def test_an_extension_moves_the_due_date_and_with_it_the_penalty(lent):
    scene, loan_id, code = lent
    after_nights(scene, 65)

    due_date = extend(code, 30, caller=CALLER, key="more time")

    assert due_date == START + 90 * DAY
    assert Loan.objects.get(pk=loan_id).due_date == due_date
    assert owed(code).days_past_due == 0
    after_nights(scene, 95)
    at = owed(code)
    assert (at.penalty_due_minor, at.days_past_due) == (5 * 500 + 5 * 500, 5)
    then = loan_on(code, on=START + 64 * DAY, known_on=START + 64 * DAY)
    assert (then.due_date, then.state.balances.days_past_due) == (START + 60 * DAY, 4)
    assert findings() == []


def test_an_extension_that_ends_before_it_begins_is_refused(lent):
    scene, _, code = lent
    after_nights(scene, 70)

    with pytest.raises(ExtensionTooShort, match="give 11 days or more"):
        extend(code, 10, caller=CALLER, key="too short")


def test_a_due_date_moves_while_it_is_ahead(lent):
    scene, _, code = lent
    after_nights(scene, 10)

    assert move_due_date(code, START + 40 * DAY, caller=CALLER, key="earlier") == START + 40 * DAY

    after_nights(scene, 45)
    assert owed(code).days_past_due == 5
    with pytest.raises(DueNotMovable, match="extend a loan whose last due date has passed"):
        move_due_date(code, START + 60 * DAY, caller=CALLER, key="later")
    assert findings() == []


def test_a_loan_planned_anew_is_not_past_due_until_its_new_date(lent):
    scene, _, code = lent
    after_nights(scene, 70)

    re_age(code, START + 100 * DAY, caller=CALLER, key="anew")

    assert owed(code).days_past_due == 0
    assert owed(code).penalty_due_minor == 10 * 500
    assert findings() == []


def test_a_restructured_loan_bears_its_new_rate_and_falls_due_by_its_new_date(lent):
    scene, _, code = lent
    after_nights(scene, 70)

    restructure(code, Decimal("0.05"), START + 100 * DAY, caller=CALLER, key="easier")

    after_nights(scene, 80)
    at = owed(code)
    assert (at.interest_due_minor, at.days_past_due) == (70_000 + 10 * 500, 0)
    assert at.due_date == START + 100 * DAY
    assert net_minor(scene, "interest_receivable") == 75_000
    assert findings() == []


def test_no_interest_runs_in_a_pause_and_the_ledger_takes_back_what_had_accrued(lent):
    scene, _, code = lent
    today = after_nights(scene, 20)

    pause_interest(code, START + 10 * DAY, today + 4 * DAY, caller=CALLER, key="flood")

    assert net_minor(scene, "interest_receivable") == 20_000
    after_nights(scene, 21)
    assert net_minor(scene, "interest_receivable") == 10_000
    after_nights(scene, 30)
    assert owed(code).interest_due_minor == 10_000 + 5_000
    assert net_minor(scene, "interest_receivable") == 15_000
    assert findings() == []


def test_what_is_waived_is_not_asked_for_and_stands_as_an_expense(lent):
    scene, _, code = lent
    after_nights(scene, 70)

    waive(code, Charge.PENALTY, 5_000, caller=CALLER, key="goodwill")

    at = owed(code)
    assert (at.penalty_due_minor, at.penalty_waived_minor) == (0, 5_000)
    assert net_minor(scene, "waivers") == 5_000
    assert net_minor(scene, "penalty_receivable") == 0
    after_nights(scene, 71)
    assert net_minor(scene, "penalty_receivable") == 500
    assert findings() == []


def test_no_more_is_waived_than_is_owed(lent):
    scene, _, code = lent
    after_nights(scene, 10)

    with pytest.raises(WaiverAboveOwed, match="Give 1 to 10000"):
        waive(code, Charge.INTEREST, 10_001, caller=CALLER, key="too much")
    with pytest.raises(WaiverAboveOwed, match="owes no fees"):
        waive(code, Charge.FEES, 1, caller=CALLER, key="nothing")


def test_a_receipt_dated_before_a_waiver_leaves_less_to_waive_and_the_ledger_follows(lent):
    scene, _, code = lent
    after_nights(scene, 70)
    waive(code, Charge.PENALTY, 5_000, caller=CALLER, key="goodwill")

    repay(code, 3_602_000, value_date=START + 60 * DAY, caller=CALLER, key="had arrived")

    # It paid 60,000 of interest and all but 58,000 of principal when that was due.
    at = owed(code)
    assert at.principal_minor == 58_000
    assert at.penalty_waived_minor == 81  # ten nights at 5 % on 58,000
    assert net_minor(scene, "waivers") == 81
    after_nights(scene, 71)
    assert findings() == []


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(
            lambda code, c, d: charge_off(code, caller=c, key="k", value_date=d), id="off"
        ),
        pytest.param(
            lambda code, c, d: waive(code, Charge.INTEREST, 1, caller=c, key="k", value_date=d),
            id="waiver",
        ),
        pytest.param(
            lambda code, c, d: extend(code, 5, caller=c, key="k", value_date=d), id="more"
        ),
        pytest.param(lambda code, c, d: pause_interest(code, d, d, caller=c, key="k"), id="pause"),
        pytest.param(
            lambda code, c, d: restructure(
                code, Decimal(0), d + 9 * DAY, caller=c, key="k", value_date=d
            ),
            id="restructured",
        ),
    ],
)
def test_an_act_takes_a_reason_and_a_day_that_has_begun(lent, act):
    _, _, code = lent

    with pytest.raises(ReasonMissing):
        act(code, Caller("system", "tests", "internal"), START)
    with pytest.raises(EventInFuture, match="Record it when that day has come"):
        act(code, CALLER, START + DAY)


def test_money_charged_back_is_owed_again_from_that_day_on(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    repay(code, 1_810_000, value_date=None, caller=CALLER, key="paid")
    after_nights(scene, 20)
    bank_minor = net_minor(scene, "bank")

    charge_back(code, 1_803_000, caller=CALLER, key="bounced")

    # Ten nights on half of it ran at 500; of the money, principal was the last to be met.
    at = owed(code)
    assert (at.principal_minor, at.interest_due_minor) == (3_600_000, 5_000 + 3_000)
    assert net_minor(scene, "bank") == bank_minor - 1_803_000
    after_nights(scene, 21)
    assert net_minor(scene, "interest_receivable") == 9_000
    assert findings() == []


def event_of(code, kind):
    return LoanEvent.objects.get(loan__code=code, kind=kind).pk


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        pytest.param(
            "charged_off", lambda code: charge_off(code, caller=CALLER, key="k"), id="charge-off"
        ),
        pytest.param(
            "waived",
            lambda code: waive(code, Charge.INTEREST, 7_000, caller=CALLER, key="k"),
            id="waiver",
        ),
        pytest.param(
            "extended", lambda code: extend(code, 30, caller=CALLER, key="k"), id="extension"
        ),
        pytest.param(
            "charged_back",
            lambda code: charge_back(code, 45_000, caller=CALLER, key="k"),
            id="chargeback",
        ),
        pytest.param(
            "fee_charged",
            lambda code: charge_fee(
                code, 900, value_date=START, why="late", caller=CALLER, key="k"
            ),
            id="fee",
        ),
    ],
)
def test_an_event_taken_back_leaves_loan_and_ledger_as_if_it_had_never_been(lent, kind, act):
    scene, loan_id, code = lent
    after_nights(scene, 10)
    repay(code, 50_000, value_date=None, caller=CALLER, key="paid")
    today = after_nights(scene, 70)
    before = positions_of([loan_id])[loan_id]
    books_before = books_of(scene, today)

    act(code)
    reverse_event(code, event_of(code, kind), caller=CALLER, key="in error")

    after = positions_of([loan_id])[loan_id]
    assert after._replace(booking_date=before.booking_date) == before
    assert {name: net for name, net in books_of(scene, today).items() if net} == {
        name: net for name, net in books_before.items() if net
    }
    after_nights(scene, 71)
    assert findings() == []


def test_a_reversal_is_not_reversed_and_no_event_is_taken_back_twice(lent):
    _, _, code = lent
    extend(code, 30, caller=CALLER, key="more time")
    extension = event_of(code, "extended")
    reverse_event(code, extension, caller=CALLER, key="in error")

    with pytest.raises(NotReversible, match="was taken back already"):
        reverse_event(code, extension, caller=CALLER, key="again")
    with pytest.raises(NotReversible, match="record what was taken back in error anew"):
        reverse_event(code, event_of(code, "reversed"), caller=CALLER, key="back")
    with pytest.raises(NotReversible, match="what comes back is a repayment"):
        reverse_event(code, event_of(code, "disbursed"), caller=CALLER, key="payout")
