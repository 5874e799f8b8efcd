"""What changes a loan besides money: on one loan of 1,000,000 at 36 %, 1,000 a day on the whole."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from tests.rules.test_loan import (
    EVER,
    IN_THREE_PARTS,
    PAID_OUT,
    PARTS_PAID_OUT,
    TERMS,
    WITH_PENALTY,
    day,
    disbursed,
    event,
    fee_charged,
    owed,
    rate_changed,
    received,
    reversal,
)

from tallystick.rules.daycount import DayCount
from tallystick.rules.loan import fold
from tallystick.rules.loan_events import Charge, InvalidLoanEvent, Keeps
from tallystick.rules.loan_explanation import explained
from tallystick.rules.loan_losses import TakenBackAboveReceived
from tallystick.rules.loan_plan import DueNotMovable, ExtensionTooShort
from tallystick.rules.loan_steps import (
    DisbursedAboveCommitment,
    EventAfterChargeOff,
    position_of,
)
from tallystick.rules.loan_terms import (
    InvalidLoanTerms,
    PenaltyBand,
    penalty_of_a_day,
    penalty_of_multiple,
)
from tallystick.rules.schedule import Method


def extended(event_id, *, on, days):
    return event(event_id, "extended", on, None, days=days)


def due_moved(event_id, *, on, due, to):
    return event(event_id, "due_moved", on, None, due_date=due, to_date=to)


def paused(event_id, *, on, to):
    return event(event_id, "interest_paused", on, None, to_date=day(to))


def waived(event_id, *, on, minor, charge):
    return event(event_id, "waived", on, None, amount_minor=minor, waives=charge)


def charged_off(event_id, *, on):
    return event(event_id, "charged_off", on, None)


def of_money(event_id, kind, *, on, minor, **content):
    return event(event_id, kind, on, None, amount_minor=minor, **content)


def dues_of(terms, *events, on):
    return position_of(terms, events, on=day(on), known_on=EVER).dues


# More time


@pytest.mark.parametrize(
    ("granted_on", "on", "penalty_minor", "days_past_due"),
    [
        pytest.param(50, 89, 0, 0, id="before it is due: nothing until the new date"),
        pytest.param(50, 95, 5 * 500, 5, id="then from the new date on"),
        pytest.param(60, 90, 0, 0, id="on the due date itself"),
        pytest.param(70, 89, 10 * 500, 0, id="when past due: what had run stays owed"),
    ],
)
def test_an_extension_moves_the_due_date_by_its_days(granted_on, on, penalty_minor, days_past_due):
    at = owed(PAID_OUT, extended(2, on=granted_on, days=30), on=on, terms=WITH_PENALTY)

    assert (at.penalty_accrued_minor, at.days_past_due) == (penalty_minor, days_past_due)
    assert at.due_date == day(90)


def test_an_extension_leaves_instalments_that_had_passed():
    first, second, third = (due.due_date for due in dues_of(IN_THREE_PARTS, on=0))

    moved = dues_of(IN_THREE_PARTS, PARTS_PAID_OUT, extended(2, on=40, days=7), on=40)

    week = day(7) - day(0)
    assert [due.due_date for due in moved] == [first, second + week, third + week]


def test_an_extension_that_ends_before_it_begins_is_refused():
    with pytest.raises(ExtensionTooShort, match="give 11 days or more"):
        owed(PAID_OUT, extended(2, on=70, days=10), on=70)


def test_one_due_date_moves_and_keeps_its_place():
    first, second, third = (due.due_date for due in dues_of(IN_THREE_PARTS, on=0))
    events = [PARTS_PAID_OUT, due_moved(2, on=10, due=second, to=second.replace(day=12))]

    assert [due.due_date for due in dues_of(IN_THREE_PARTS, *events, on=10)] == [
        first,
        second.replace(day=12),
        third,
    ]
    with pytest.raises(DueNotMovable, match="choose a day after"):
        owed(*events, due_moved(3, on=11, due=first, to=third), on=11, terms=IN_THREE_PARTS)
    with pytest.raises(DueNotMovable, match="Name one of them"):
        owed(*events, due_moved(3, on=40, due=first, to=third), on=40, terms=IN_THREE_PARTS)


def test_a_loan_aged_anew_repays_what_is_left_by_a_new_schedule():
    re_aged = event(3, "re_aged", 70, None, to_date=date(2026, 7, 11))
    events = [PARTS_PAID_OUT, received(2, on=31, minor=31 * 900 + 300_000), re_aged]

    at = owed(*events, on=75, terms=IN_THREE_PARTS)

    assert (at.days_past_due, at.principal_due_minor) == (0, 0)
    assert [due.planned_minor for due in dues_of(IN_THREE_PARTS, *events, on=75)] == [
        600_000,
        900_000,
    ]
    assert at.interest_due_minor == 44 * 600  # and none of the past is forgiven


def test_a_restructured_loan_bears_its_new_rate_from_that_day():
    easier = event(2, "restructured", 70, None, annual_rate=Decimal("0.18"), to_date=day(130))

    at = owed(PAID_OUT, easier, on=80, terms=WITH_PENALTY)

    assert at.interest_accrued_minor == 70 * 1_000 + 10 * 500
    assert (at.penalty_accrued_minor, at.days_past_due) == (10 * 500, 0)


# Less to pay


@pytest.mark.parametrize(
    ("on", "interest_minor"),
    [
        pytest.param(10, 10_000, id="up to its first day"),
        pytest.param(15, 10_000, id="in it"),
        pytest.param(20, 10_000, id="after the night of its last day"),
        pytest.param(21, 11_000, id="then on"),
    ],
)
def test_no_interest_runs_in_a_pause_both_days_included(on, interest_minor):
    assert owed(PAID_OUT, paused(2, on=10, to=19), on=on).interest_accrued_minor == interest_minor


def test_a_pause_of_one_day_costs_one_day_and_pauses_that_overlap_count_once():
    assert owed(PAID_OUT, paused(2, on=10, to=10), on=20).interest_accrued_minor == 19_000
    both = [paused(2, on=10, to=15), paused(3, on=12, to=13)]
    assert owed(PAID_OUT, *both, on=20).interest_accrued_minor == 14_000


def test_a_payment_in_a_pause_does_not_end_it():
    events = [PAID_OUT, paused(2, on=10, to=19), received(3, on=15, minor=510_000)]

    assert owed(*events, on=30).interest_accrued_minor == 10_000 + 10 * 500


@pytest.mark.parametrize("charge", list(Charge))
def test_what_is_waived_is_owed_no_more(charge):
    events = [PAID_OUT, fee_charged(2, on=5, minor=7_000)]

    at = owed(*events, waived(3, on=74, minor=6_000, charge=charge), on=74, terms=WITH_PENALTY)

    due_minor = {"fees": 7_000, "penalty": 7_000, "interest": 74_000}
    assert getattr(at, f"{charge}_due_minor") == due_minor[charge] - 6_000
    assert getattr(at, f"{charge}_waived_minor") == 6_000


def test_no_more_is_waived_than_is_owed_once_a_late_receipt_has_paid_it():
    waiver = waived(2, on=20, minor=20_000, charge=Charge.INTEREST)
    late = received(3, on=15, minor=15_000, booked=25)

    at = owed(PAID_OUT, waiver, late, on=20)

    assert (at.interest_received_minor, at.interest_waived_minor) == (15_000, 5_000)


# Penalty by bands


def test_penalty_grows_with_the_days_past_due():
    # 0.05 % a day for 30 days, 0.08 % after.
    by_bands = replace(
        TERMS,
        penalty_rate=penalty_of_a_day(Decimal("0.0005"), DayCount.ACT_360),
        penalty_bands=(PenaltyBand(30, penalty_of_a_day(Decimal("0.0008"), DayCount.ACT_360)),),
    )

    at = [owed(PAID_OUT, on=60 + late, terms=by_bands) for late in (0, 30, 31, 40)]

    assert [each.penalty_due_minor for each in at] == [0, 15_000, 15_800, 23_000]


def test_each_instalment_past_due_has_its_own_bands():
    terms = replace(
        IN_THREE_PARTS,
        penalty_rate=Decimal("0.36"),
        penalty_bands=(PenaltyBand(20, Decimal("0.72")),),
    )
    first, second = (due.due_date for due in dues_of(terms, on=0)[:2])

    at = fold(terms, [PARTS_PAID_OUT], on=second + (day(5) - day(0)), known_on=EVER).balances

    first_late, second_late = (second - first).days + 5, 5
    assert at.penalty_due_minor == 300 * (first_late + (first_late - 20) + second_late)


def test_a_multiple_of_the_rate_is_charged_in_place_of_it():
    assert penalty_of_multiple(Decimal("1.5"), Decimal("0.10")) == Decimal("0.05")
    with pytest.raises(InvalidLoanTerms, match="less than the rate"):
        penalty_of_multiple(Decimal("0.5"), Decimal("0.10"))
    with pytest.raises(InvalidLoanTerms, match="days of one length"):
        penalty_of_a_day(Decimal("0.0005"), DayCount.THIRTY_360_US)


# Money that goes back


@pytest.mark.parametrize("kind", ["charged_back", "refunded"])
def test_money_that_goes_back_is_credit_first_and_then_owed_again(kind):
    paid = [PAID_OUT, received(2, on=10, minor=1_010_000 + 500)]

    at = owed(*paid, of_money(3, kind, on=20, minor=500), on=30)
    assert (at.credit_minor, at.owed_minor) == (0, 0)
    at = owed(*paid, of_money(3, kind, on=20, minor=100_500), on=30)
    assert (at.principal_minor, at.interest_due_minor) == (100_000, 10 * 100)
    at = owed(*paid, of_money(3, kind, on=20, minor=1_008_500), on=20)
    assert (at.principal_minor, at.interest_due_minor) == (1_000_000, 8_000)


def test_no_more_goes_back_than_came_in():
    with pytest.raises(TakenBackAboveReceived, match="has received 500"):
        owed(
            PAID_OUT,
            received(2, on=5, minor=500),
            of_money(3, "charged_back", on=6, minor=501),
            on=6,
        )


# Early repayment


IN_FOUR = replace(
    TERMS, method=Method.EQUAL_PRINCIPAL, principal_minor=800_000, maturity=date(2026, 7, 2)
)
ANNUITY = replace(IN_FOUR, method=Method.EQUAL_INSTALMENTS)
FOUR_PAID_OUT = disbursed(1, on=0, minor=800_000)


def parts_of(terms, *events, on):
    """Principal of each instalment still to come."""
    held = position_of(terms, events, on=day(on), known_on=EVER)
    by = [min(due.planned_minor, held.disbursed_minor) for due in held.dues]
    return [after - before for before, after in pairwise([held.principal_repaid_minor, *by])]


@pytest.mark.parametrize(
    ("keeps", "parts"),
    [
        pytest.param(Keeps.TERM, [100_000] * 4, id="the term: every instalment is smaller"),
        pytest.param(Keeps.INSTALMENT, [200_000] * 2, id="the instalment: fewer of them"),
    ],
)
def test_a_prepayment_keeps_the_term_or_the_instalment(keeps, parts):
    prepaid = of_money(2, "prepaid", on=10, minor=8_000 + 400_000, keeps=keeps)

    assert parts_of(IN_FOUR, FOUR_PAID_OUT, prepaid, on=10) == parts


@pytest.mark.parametrize("keeps", list(Keeps))
def test_equal_instalments_stay_equal_after_a_prepayment(keeps):
    prepaid = of_money(2, "prepaid", on=10, minor=8_000 + 300_000, keeps=keeps)
    events = [FOUR_PAID_OUT, prepaid]
    dues = dues_of(ANNUITY, *events, on=10)
    instalments = []
    for place, due in enumerate(dues):
        on = (due.due_date - day(0)).days
        part = parts_of(ANNUITY, *events, on=on)[place]
        instalment = part + owed(*events, on=on, terms=ANNUITY).interest_due_minor
        instalments.append(instalment)
        events.append(received(place + 3, on=on, minor=instalment))

    level = {
        Keeps.TERM: position_of(ANNUITY, events, on=day(10), known_on=EVER).level_minor,
        Keeps.INSTALMENT: position_of(ANNUITY, (), on=day(0), known_on=EVER).level_minor,
    }[keeps]
    assert set(instalments[:-1]) == {level}
    assert 0 < instalments[-1] <= level + len(dues)
    assert owed(*events, on=150, terms=ANNUITY).owed_minor == 0


def test_a_revolving_loan_is_borrowed_and_repaid_on_any_day():
    revolving = replace(TERMS, revolving=True)
    events = [
        disbursed(1, on=0, minor=600_000),
        received(2, on=10, minor=6_000 + 600_000),
        disbursed(3, on=20, minor=900_000),
    ]

    at = owed(*events, on=70, terms=revolving)

    assert (at.principal_minor, at.interest_due_minor) == (900_000, 50 * 900)
    assert (at.principal_due_minor, at.days_past_due) == (900_000, 10)
    with pytest.raises(DisbursedAboveCommitment, match="1000001 in all"):
        owed(*events, disbursed(4, on=21, minor=100_001), on=21, terms=revolving)
    with pytest.raises(InvalidLoanTerms, match="choose bullet"):
        replace(IN_FOUR, revolving=True)


# Loss


def test_a_charge_off_leaves_nothing_owed_and_nothing_accrues():
    at = owed(
        PAID_OUT, fee_charged(2, on=5, minor=9), charged_off(3, on=70), on=90, terms=WITH_PENALTY
    )

    assert at.owed_minor == 0
    assert at.charged_off_minor == 1_000_000 + 70_000 + 10 * 500 + 9
    assert (at.principal_charged_off_minor, at.interest_accrued_minor) == (1_000_000, 70_000)


def test_money_after_a_charge_off_is_recovered_up_to_what_was_lost():
    events = [PAID_OUT, charged_off(2, on=70), of_money(3, "recovered", on=80, minor=1_100_000)]

    at = owed(*events, on=80)

    assert (at.recovered_minor, at.credit_minor) == (1_070_000, 30_000)
    assert at.principal_repaid_minor == 0


def test_a_charge_off_taken_back_lets_the_loan_run_as_if_it_had_never_been():
    events = [PAID_OUT, charged_off(2, on=70), reversal(3, of=2, on=75)]

    assert owed(*events, on=80) == owed(PAID_OUT, on=80)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(received(3, on=71, minor=5), id="a receipt"),
        pytest.param(fee_charged(3, on=71, minor=5), id="a fee"),
        pytest.param(extended(3, on=71, days=30), id="an extension"),
        pytest.param(rate_changed(3, on=71, rate="0.1"), id="a rate"),
        pytest.param(charged_off(3, on=71), id="another charge-off"),
    ],
)
def test_after_a_charge_off_nothing_happens_but_recoveries(after):
    with pytest.raises(EventAfterChargeOff, match="reverse the charge-off first"):
        owed(PAID_OUT, charged_off(2, on=70), after, on=80)


# Explanation


def test_new_kinds_are_named_in_the_terms_of_every_figure():
    events = [
        PAID_OUT,
        paused(2, on=10, to=19),
        received(3, on=30, minor=20_000 + 100_000),
        of_money(4, "charged_back", on=40, minor=50_000),
        waived(5, on=40, minor=1_000, charge=Charge.INTEREST),
        charged_off(6, on=50),
        of_money(7, "recovered", on=60, minor=70_000),
    ]
    state = fold(TERMS, events, on=day(60), known_on=EVER)

    named = {
        figure.name: [term.name for term in figure.terms if term.amount or "×" in term.name]
        for figure in explained(state)
    }

    assert named["principal_minor"] == [
        "paid out 2026-03-02 (event 1)",
        "repaid 2026-04-01 (event 3)",
        "charged back 2026-04-11 (event 4)",
        "charged off 2026-04-21 (event 6)",
    ]
    assert named["interest_accrued_minor"][1] == (
        "2026-03-12 to 2026-03-22: 10 days × 1000000 × 0.00 (ACT/360)"
    )
    assert "waived 2026-04-11 (event 5)" in named["interest_due_minor"]
    assert named["charged_off_minor"] == [
        "principal charged off 2026-04-21",
        "interest charged off 2026-04-21",
    ]
    assert named["recovered_minor"] == ["recovered 2026-05-01 (event 7)"]


# Events that are not whole


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        pytest.param("extended", {"days": 0}, "1 to 3660 days", id="no days"),
        pytest.param("extended", {}, "carries days", id="an extension of nothing"),
        pytest.param("interest_paused", {"to_date": day(4)}, "give 2026-03-07", id="ends before"),
        pytest.param("re_aged", {"to_date": day(5)}, "give 2026-03-08", id="due on its own day"),
        pytest.param("waived", {"amount_minor": 5}, "waives None", id="a waiver of what"),
        pytest.param("charged_off", {"amount_minor": 5}, "carries no figure", id="a part"),
        pytest.param("prepaid", {"amount_minor": 5}, "keeps None", id="keeps what"),
    ],
)
def test_an_event_that_is_not_whole_is_refused(kind, content, says):
    with pytest.raises(InvalidLoanEvent, match=says):
        event(9, kind, 5, None, **content)
