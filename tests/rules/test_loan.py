"""A loan's clauses, on one loan of 1,000,000 at 36 % over ACT/360: 1,000 a day on the whole."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tallystick.rules.daycount import DayCount, NoFixedDenominator
from tallystick.rules.loan import fold
from tallystick.rules.loan_balances import AskedTooEarly, balances
from tallystick.rules.loan_events import (
    AlreadyReversed,
    DuplicateEventId,
    EventBeforeStart,
    EventKind,
    InvalidLoanEvent,
    InvalidRate,
    LoanEvent,
    ReversalOfReversal,
    UnknownReversedEvent,
    rate_from_ppb,
    rate_in_ppb,
)
from tallystick.rules.loan_explanation import explained
from tallystick.rules.loan_position import opened
from tallystick.rules.loan_steps import (
    DisbursedAboveCommitment,
    EventOutOfOrder,
    advance,
    position_of,
)
from tallystick.rules.loan_terms import RECEIPT_ORDER, Bucket, InvalidLoanTerms, LoanTerms
from tallystick.rules.money import Rounding, UnknownCurrency
from tallystick.rules.schedule import Method

START = date(2026, 3, 2)
TERMS = LoanTerms(
    currency="CNY",
    principal_minor=1_000_000,
    annual_rate=Decimal("0.36"),
    day_count=DayCount.ACT_360,
    method=Method.BULLET,
    start=START,
    maturity=START + timedelta(days=60),
)
WITH_PENALTY = replace(TERMS, penalty_rate=Decimal("0.18"))  # 500 a day on the whole
IN_THREE_PARTS = replace(
    TERMS,
    method=Method.EQUAL_PRINCIPAL,
    maturity=START + timedelta(days=90),
    principal_minor=900_000,
)
EVER = date.max


def day(n):
    return START + timedelta(days=n)


def disbursed(event_id, *, on, minor, booked=None):
    return event(event_id, "disbursed", on, booked, amount_minor=minor)


def received(event_id, *, on, minor, booked=None):
    return event(event_id, "received", on, booked, amount_minor=minor)


def fee_charged(event_id, *, on, minor, booked=None):
    return event(event_id, "fee_charged", on, booked, amount_minor=minor)


def rate_changed(event_id, *, on, rate, booked=None):
    return event(event_id, "rate_changed", on, booked, annual_rate=Decimal(rate))


def reversal(event_id, *, of, on=0, booked=None):
    return event(event_id, "reversed", on, booked, reverses=of)


def event(event_id, kind, on, booked, **content):
    return LoanEvent(
        event_id, EventKind(kind), day(on), day(on if booked is None else booked), **content
    )


PAID_OUT = disbursed(1, on=0, minor=1_000_000)


def owed(*events, on, terms=TERMS, known_on=EVER):
    return fold(terms, events, on=day(on), known_on=known_on).balances


# Interest


@pytest.mark.parametrize(
    ("on", "interest_minor"),
    [
        pytest.param(0, 0, id="nothing on the day of the payout"),
        pytest.param(1, 1_000, id="the payout's own day, on the next"),
        pytest.param(10, 10_000, id="ten days, the tenth excluded"),
        pytest.param(70, 70_000, id="it runs on after the due date"),
    ],
)
def test_interest_runs_from_the_value_date_to_the_day_asked_about(on, interest_minor):
    assert owed(PAID_OUT, on=on).interest_accrued_minor == interest_minor


def test_interest_runs_on_what_was_paid_out_and_not_on_what_was_agreed():
    assert owed(disbursed(1, on=5, minor=250_000), on=9).interest_accrued_minor == 4 * 250


def test_a_second_payout_bears_interest_from_its_own_value_date():
    events = [disbursed(1, on=0, minor=400_000), disbursed(2, on=3, minor=600_000)]

    assert owed(*events, on=5).interest_accrued_minor == 3 * 400 + 2 * 1_000


def test_a_new_rate_holds_from_its_value_date():
    assert owed(PAID_OUT, rate_changed(2, on=4, rate="0.72"), on=6).interest_accrued_minor == (
        4 * 1_000 + 2 * 2_000
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            rate_changed(2, on=4, rate="0.72", booked=9),
            rate_changed(3, on=4, rate="0.18", booked=4),
            id="booked later, although its id is lower",
        ),
        pytest.param(
            rate_changed(3, on=4, rate="0.72", booked=4),
            rate_changed(2, on=4, rate="0.18", booked=4),
            id="of the higher id, where both are booked on one day",
        ),
    ],
)
def test_of_two_rates_for_one_day_one_holds(first, second):
    assert owed(PAID_OUT, first, second, on=5).interest_accrued_minor == 4 * 1_000 + 2_000
    assert owed(PAID_OUT, second, first, on=5).interest_accrued_minor == 4 * 1_000 + 2_000


@pytest.mark.parametrize(
    ("rounding", "interest_minor"),
    [
        pytest.param(Rounding.HALF_UP, [1, 1, 2, 2, 3], id="half up"),
        pytest.param(Rounding.HALF_EVEN, [0, 1, 2, 2, 2], id="half to even"),
        pytest.param(Rounding.UP, [1, 1, 2, 2, 3], id="up"),
        pytest.param(Rounding.DOWN, [0, 1, 1, 2, 2], id="down"),
    ],
)
def test_only_the_running_total_is_rounded(rounding, interest_minor):
    half_a_minor_unit_a_day = replace(TERMS, principal_minor=500, rounding=rounding)
    payout = disbursed(1, on=0, minor=500)

    accrued = [
        owed(payout, on=on, terms=half_a_minor_unit_a_day).interest_accrued_minor
        for on in range(1, 6)
    ]

    assert accrued == interest_minor


def test_days_are_counted_from_the_start_so_that_an_event_in_between_costs_no_day():
    # 30/360 Bond Basis: 15 January to 1 February is 16 days, as is 15 to 31 January, and yet
    # 31 January to 1 February alone would be one more.
    terms = replace(
        TERMS,
        day_count=DayCount.THIRTY_360_BOND_BASIS,
        start=date(2026, 1, 15),
        maturity=date(2026, 3, 15),
    )
    payout = LoanEvent(1, EventKind.DISBURSED, terms.start, terms.start, 1_000_000)
    on_the_31st = date(2026, 1, 31)
    same_rate = LoanEvent(
        2, EventKind.RATE_CHANGED, on_the_31st, on_the_31st, annual_rate=Decimal("0.72")
    )
    state = fold(terms, [payout, same_rate], on=date(2026, 2, 1), known_on=EVER)

    assert state.balances.interest_accrued_minor == 16 * 1_000


def test_interest_is_written_so_that_it_rounds_as_the_exact_interest_does():
    # Two days at 89.999982 on 1 come to 0.4999999: six decimals rounded would make a half of it.
    terms = replace(TERMS, principal_minor=1, annual_rate=Decimal("89.999982"))

    written = fold(terms, [disbursed(1, on=0, minor=1)], on=day(2), known_on=EVER).as_json()

    assert written["interest_accrued_minor"] == 0
    assert [segment["interest"] for segment in written["segments"]] == ["0.499999"]


def test_segments_part_where_principal_or_rate_changes_and_nowhere_else():
    events = [
        PAID_OUT,
        received(2, on=10, minor=4_000),
        fee_charged(3, on=15, minor=4_000),
        rate_changed(4, on=20, rate="0.36"),
        received(5, on=30, minor=30_000 + 100_000),
        rate_changed(6, on=40, rate="0.72"),
    ]

    segments = fold(TERMS, events, on=day(50), known_on=EVER).segments

    assert [
        (segment.start_date, segment.end_date, segment.principal_minor, segment.rate_ppb)
        for segment in segments
    ] == [
        (day(0), day(30), 1_000_000, 360_000_000),
        (day(30), day(40), 900_000, 360_000_000),
        (day(40), day(50), 900_000, 720_000_000),
    ]


# Receipts


@pytest.mark.parametrize(
    ("minor", "paid"),
    [
        pytest.param(300, (300, 0, 0, 0, 0), id="fees first"),
        pytest.param(2_500, (500, 2_000, 0, 0, 0), id="then penalty"),
        pytest.param(10_000, (500, 5_000, 4_500, 0, 0), id="then interest"),
        pytest.param(80_000, (500, 5_000, 70_000, 4_500, 0), id="then principal"),
        pytest.param(1_075_500, (500, 5_000, 70_000, 1_000_000, 0), id="all of it"),
        pytest.param(1_075_501, (500, 5_000, 70_000, 1_000_000, 1), id="the rest is credit"),
    ],
)
def test_a_receipt_pays_fees_penalty_interest_and_principal_in_this_order(minor, paid):
    events = [PAID_OUT, fee_charged(2, on=1, minor=500), received(3, on=70, minor=minor)]

    after = owed(*events, on=70, terms=WITH_PENALTY)

    assert paid == (
        after.fees_received_minor,
        after.penalty_received_minor,
        after.interest_received_minor,
        after.principal_repaid_minor,
        after.credit_minor,
    )


def test_the_order_of_allocation_is_a_term_of_the_loan():
    principal_first = replace(
        TERMS,
        receipt_order=(
            Bucket.PRINCIPAL_DUE,
            Bucket.PRINCIPAL_NOT_DUE,
            Bucket.INTEREST,
            Bucket.PENALTY,
            Bucket.FEES,
        ),
    )

    after = owed(PAID_OUT, received(2, on=10, minor=5_000), on=10, terms=principal_first)

    assert (after.principal_repaid_minor, after.interest_received_minor) == (5_000, 0)


def test_a_repayment_bears_no_interest_from_its_value_date_on():
    events = [PAID_OUT, received(2, on=10, minor=510_000)]

    after = owed(*events, on=20)

    assert after.principal_minor == 500_000
    assert after.interest_due_minor == 10 * 500


@pytest.mark.parametrize(
    "debts",
    [
        pytest.param((0, 1, 2), id="debts booked first"),
        pytest.param((2, 1, 0), id="receipt booked first"),
    ],
)
def test_a_receipt_finds_the_debts_of_its_own_day(debts):
    on_one_day = [
        disbursed(2, on=0, minor=1_000_000),
        fee_charged(3, on=0, minor=500),
        received(4, on=0, minor=1_000),
    ]
    events = [replace(on_one_day[place], event_id=event_id) for event_id, place in enumerate(debts)]

    after = owed(*events, on=0)

    assert (after.fees_received_minor, after.principal_repaid_minor) == (500, 500)


# Credit


def test_a_receipt_before_any_payout_is_the_suppliers_credit_and_meets_the_payout():
    early = received(1, on=0, minor=300_000)

    assert owed(early, on=4).credit_minor == 300_000
    after = owed(early, disbursed(2, on=5, minor=1_000_000), on=6)
    assert (after.credit_minor, after.principal_minor) == (0, 700_000)
    assert after.interest_due_minor == 700


def test_credit_meets_the_next_fee():
    paid_twice = [PAID_OUT, received(2, on=0, minor=1_000_000), received(3, on=0, minor=800)]

    after = owed(*paid_twice, fee_charged(4, on=30, minor=500), on=30)

    assert (after.credit_minor, after.fees_due_minor) == (300, 0)


# Penalty


@pytest.mark.parametrize(
    ("on", "penalty_minor"),
    [
        pytest.param(60, 0, id="on the due date: none"),
        pytest.param(61, 500, id="the day after: the due date's night"),
        pytest.param(70, 5_000, id="ten days after: ten nights"),
    ],
)
def test_penalty_runs_on_principal_past_due_beside_the_interest(on, penalty_minor):
    at = owed(PAID_OUT, on=on, terms=WITH_PENALTY)

    assert at.penalty_due_minor == penalty_minor
    assert at.interest_due_minor == on * 1_000


@pytest.mark.parametrize(
    ("on", "penalty_minor"),
    [
        pytest.param(63, 0, id="to the end of the grace: none"),
        pytest.param(64, 500, id="then from the last day of grace on"),
    ],
)
def test_days_of_grace_stay_free_of_penalty(on, penalty_minor):
    terms = replace(WITH_PENALTY, penalty_grace_days=3)

    assert owed(PAID_OUT, on=on, terms=terms).penalty_due_minor == penalty_minor


def test_penalty_runs_on_what_is_left_after_a_repayment():
    paid_half = received(2, on=65, minor=2_500 + 65_000 + 500_000)

    at = owed(PAID_OUT, paid_half, on=75, terms=WITH_PENALTY)

    assert at.penalty_accrued_minor == 5 * 500 + 10 * 250


def test_interest_and_fees_past_due_bear_no_penalty():
    paid_but_interest = replace(
        WITH_PENALTY,
        receipt_order=(Bucket.PRINCIPAL_DUE, Bucket.PRINCIPAL_NOT_DUE, *RECEIPT_ORDER[:3]),
    )
    events = [PAID_OUT, fee_charged(2, on=0, minor=500), received(3, on=60, minor=1_000_000)]

    at = owed(*events, on=90, terms=paid_but_interest)

    assert (at.interest_due_minor, at.fees_due_minor) == (60_000, 500)
    assert at.penalty_accrued_minor == 0


# Past due


@pytest.mark.parametrize(
    ("events", "on", "days_past_due"),
    [
        pytest.param([], 60, 0, id="on the due date"),
        pytest.param([], 61, 1, id="the day after"),
        pytest.param([received(2, on=60, minor=1_060_000)], 90, 0, id="paid on the due date"),
        pytest.param([received(2, on=60, minor=1_059_999)], 90, 30, id="one minor unit is open"),
        pytest.param([received(2, on=80, minor=1_080_000)], 79, 19, id="before it is paid late"),
        pytest.param([received(2, on=80, minor=1_080_000)], 80, 0, id="once it is paid late"),
        pytest.param(
            [received(2, on=60, minor=1_060_000), fee_charged(3, on=70, minor=1)],
            72,
            12,
            id="a fee that is charged afterwards",
        ),
        pytest.param([fee_charged(2, on=1, minor=1)], 59, 0, id="a fee before the due date"),
    ],
)
def test_days_past_due_count_from_the_due_date_while_anything_is_owed(events, on, days_past_due):
    assert owed(PAID_OUT, *events, on=on).days_past_due == days_past_due


def test_a_debt_is_past_due_since_the_day_it_fell_due_and_not_on_that_day():
    assert owed(PAID_OUT, on=60).past_due_since_date is None
    assert owed(PAID_OUT, on=61).past_due_since_date == day(60)


# Instalments: three of 300,000, due on 2 April, 2 May and 31 May


FIRST, SECOND = (date(2026, 4, 2) - START).days, (date(2026, 5, 2) - START).days
PARTS_PAID_OUT = disbursed(1, on=0, minor=900_000)


@pytest.mark.parametrize(
    ("events", "on", "principal_due_minor", "days_past_due"),
    [
        pytest.param([], FIRST - 1, 0, 0, id="nothing due before the first due date"),
        pytest.param([], FIRST, 300_000, 0, id="the first is due on its day"),
        pytest.param([], FIRST + 5, 300_000, 5, id="and past due after it"),
        pytest.param([], SECOND + 5, 600_000, SECOND + 5 - FIRST, id="counted from the oldest"),
        pytest.param(
            [received(2, on=FIRST, minor=FIRST * 900 + 300_000)],
            SECOND + 5,
            300_000,
            5,
            id="the first is paid, the second is not",
        ),
        pytest.param(
            [received(2, on=FIRST, minor=300_000)],
            FIRST + 5,
            FIRST * 900,
            5,
            id="paid without its interest, which is taken first",
        ),
        pytest.param(
            [received(2, on=0, minor=400_000)],
            FIRST + 5,
            0,
            5,
            id="principal prepaid, but not the interest",
        ),
        pytest.param(
            [received(2, on=0, minor=400_000), received(3, on=FIRST, minor=FIRST * 500)],
            FIRST + 5,
            0,
            0,
            id="principal prepaid and interest paid",
        ),
        pytest.param(
            [received(2, on=0, minor=400_000), received(3, on=FIRST, minor=FIRST * 500)],
            SECOND,
            200_000,
            0,
            id="what was prepaid beyond the first counts against the second",
        ),
    ],
)
def test_instalments_fall_due_one_by_one(events, on, principal_due_minor, days_past_due):
    at = owed(PARTS_PAID_OUT, *events, on=on, terms=IN_THREE_PARTS)

    assert at.principal_due_minor == principal_due_minor
    assert at.days_past_due == days_past_due


def test_penalty_grows_with_every_instalment_missed():
    terms = replace(IN_THREE_PARTS, penalty_rate=Decimal("0.12"))  # 100 a day on one instalment

    at = owed(PARTS_PAID_OUT, on=SECOND + 7, terms=terms)

    assert at.penalty_due_minor == (SECOND - FIRST) * 100 + 7 * 200


# Back-dating and reversal


def test_a_back_dated_receipt_leaves_the_later_one_too_large_and_the_rest_is_credit():
    at_maturity = received(2, on=60, minor=1_060_000, booked=60)
    back_dated = received(3, on=30, minor=530_000, booked=65)

    before = owed(PAID_OUT, at_maturity, back_dated, on=65, known_on=day(64))
    after = owed(PAID_OUT, at_maturity, back_dated, on=65, known_on=day(65))

    assert (before.owed_minor, before.credit_minor) == (0, 0)
    assert (after.owed_minor, after.credit_minor) == (0, 545_000)
    assert after.interest_accrued_minor == 30 * 1_000 + 30 * 500


def test_a_reversed_receipt_leaves_its_debt_due_again():
    events = [PAID_OUT, received(2, on=60, minor=1_060_000), reversal(3, of=2, on=64)]

    assert owed(*events, on=64, known_on=day(63)).owed_minor == 0
    after = owed(*events, on=64, known_on=day(64))
    assert (after.owed_minor, after.days_past_due) == (1_064_000, 4)


def test_a_reversal_counts_from_its_booking_whatever_its_value_date():
    events = [PAID_OUT, received(2, on=10, minor=10_000), reversal(3, of=2, on=50, booked=12)]

    assert owed(*events, on=20, known_on=day(12)).interest_received_minor == 0
    assert owed(*events, on=20, known_on=day(11)).interest_received_minor == 10_000


def test_a_reversed_payout_turns_the_receipts_into_credit():
    events = [PAID_OUT, received(2, on=10, minor=30_000), reversal(3, of=1, booked=12)]

    after = owed(*events, on=20)

    assert (after.owed_minor, after.credit_minor) == (0, 30_000)


# Refusals


@pytest.mark.parametrize(
    ("events", "refusal", "says"),
    [
        pytest.param(
            [PAID_OUT, fee_charged(1, on=3, minor=5)],
            DuplicateEventId,
            "id 1 is",
            id="one id twice",
        ),
        pytest.param(
            [disbursed(1, on=-1, minor=5)], EventBeforeStart, "2026-03-01", id="before the start"
        ),
        pytest.param(
            [PAID_OUT, reversal(2, of=7)], UnknownReversedEvent, "reverses 7", id="of no event"
        ),
        pytest.param(
            [received(1, on=5, minor=5), reversal(2, of=1, on=5, booked=4)],
            UnknownReversedEvent,
            "booked later",
            id="of an event that was not known",
        ),
        pytest.param(
            [PAID_OUT, reversal(2, of=1), reversal(3, of=1)],
            AlreadyReversed,
            "2 and 3 both reverse 1",
            id="two reversals of one event",
        ),
        pytest.param(
            [PAID_OUT, received(2, on=0, minor=5), reversal(3, of=2), reversal(4, of=3)],
            ReversalOfReversal,
            "record what was taken back in error anew",
            id="a reversal of a reversal",
        ),
        pytest.param([reversal(1, of=1)], ReversalOfReversal, "reverses 1", id="of itself"),
        pytest.param(
            [PAID_OUT, disbursed(2, on=5, minor=1)],
            DisbursedAboveCommitment,
            "1000001 in all",
            id="more than was agreed",
        ),
    ],
)
def test_events_that_cannot_all_be_true_are_refused(events, refusal, says):
    with pytest.raises(refusal, match=says):
        owed(*events, on=20)


def test_a_payout_in_place_of_a_reversed_one_is_not_more_than_was_agreed():
    events = [PAID_OUT, reversal(2, of=1), disbursed(3, on=2, minor=1_000_000)]

    assert owed(*events, on=2).principal_minor == 1_000_000


def test_a_loan_has_no_state_before_its_start():
    with pytest.raises(AskedTooEarly, match="starts on 2026-03-02"):
        owed(on=-1)


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        pytest.param("received", {}, "amount_minor None", id="no amount"),
        pytest.param("received", {"amount_minor": 0}, "amount_minor 0", id="zero"),
        pytest.param("disbursed", {"amount_minor": -5}, "amount_minor -5", id="below zero"),
        pytest.param("fee_charged", {"amount_minor": 2**63}, "9223372036854775808", id="too large"),
        pytest.param("rate_changed", {"amount_minor": 5}, "carries annual_rate", id="not a rate"),
        pytest.param("reversed", {}, "carries reverses", id="a reversal of nothing"),
        pytest.param(
            "received", {"amount_minor": 5, "reverses": 1}, "reverses 1", id="two things at once"
        ),
    ],
)
def test_an_event_that_is_not_whole_is_refused(kind, content, says):
    with pytest.raises(InvalidLoanEvent, match=says):
        LoanEvent(9, EventKind(kind), START, START, **content)


@pytest.mark.parametrize(
    "rate",
    [
        pytest.param("-0.01", id="negative"),
        pytest.param("NaN", id="not a number"),
        pytest.param("Infinity", id="without end"),
        pytest.param("100.01", id="a percentage taken for a fraction"),
        pytest.param("1E+999999", id="absurdly large"),
        pytest.param("0.0000000001", id="finer than a billionth"),
        pytest.param("1E-999999", id="absurdly fine"),
    ],
)
def test_a_rate_that_cannot_be_counted_in_billionths_is_refused(rate):
    with pytest.raises(InvalidRate):
        rate_in_ppb(Decimal(rate))


@pytest.mark.parametrize(
    ("rate", "ppb", "shown"),
    [("0.1", 100_000_000, "0.10"), ("0.0435", 43_500_000, "0.0435"), ("1E-9", 1, "1E-9")],
)
def test_a_rate_in_billionths_is_exact_both_ways(rate, ppb, shown):
    assert rate_in_ppb(Decimal(rate)) == ppb
    assert str(rate_from_ppb(ppb)) == shown


@pytest.mark.parametrize(
    ("changed", "refusal", "says"),
    [
        pytest.param({"principal_minor": 0}, InvalidLoanTerms, "is 0", id="no principal"),
        pytest.param({"principal_minor": 2**63}, InvalidLoanTerms, "1 to", id="too much"),
        pytest.param({"maturity": START}, InvalidLoanTerms, "not after start", id="no tenor"),
        pytest.param({"start": date(1, 1, 1)}, InvalidLoanTerms, "1900", id="year one"),
        pytest.param({"penalty_grace_days": -1}, InvalidLoanTerms, "-1", id="grace below zero"),
        pytest.param(
            {"receipt_order": (Bucket.FEES,)}, InvalidLoanTerms, "each of", id="buckets missing"
        ),
        pytest.param(
            {"receipt_order": tuple(reversed(Bucket))},
            InvalidLoanTerms,
            "principal_due before",
            id="prepayment before what is due",
        ),
        pytest.param({"currency": "RMB"}, UnknownCurrency, "RMB", id="a currency by nickname"),
        pytest.param({"annual_rate": Decimal(-1)}, InvalidRate, "-1", id="a negative rate"),
        pytest.param(
            {"penalty_rate": Decimal(-1)}, InvalidRate, "Penalty", id="a negative penalty"
        ),
        pytest.param(
            {"day_count": DayCount.ACT_ACT_ICMA}, NoFixedDenominator, "ICMA", id="no fixed year"
        ),
        pytest.param(
            {"day_count": DayCount.BUS_252}, InvalidLoanTerms, "business days", id="business days"
        ),
    ],
)
def test_terms_that_cannot_be_calculated_with_are_refused(changed, refusal, says):
    with pytest.raises(refusal, match=says):
        replace(TERMS, **changed)


# Positions


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(received(3, on=9, minor=5), id="an earlier value date"),
        pytest.param(fee_charged(3, on=10, minor=5), id="an earlier kind on the same day"),
        pytest.param(reversal(3, of=2, on=10), id="a reversal"),
    ],
)
def test_a_position_takes_no_event_that_counts_from_before_its_last(late):
    held = position_of(TERMS, [PAID_OUT, received(2, on=10, minor=5)], on=day(10), known_on=EVER)

    with pytest.raises(EventOutOfOrder, match="fold the loan's events anew"):
        advance(held, late)


def test_a_position_takes_a_second_receipt_of_the_same_day_but_not_a_second_rate():
    held = position_of(TERMS, [rate_changed(1, on=0, rate="0.10")], on=START, known_on=EVER)
    held = advance(held, disbursed(2, on=1, minor=5))
    held = advance(held, received(3, on=1, minor=2))

    assert advance(held, received(4, on=1, minor=2)).principal_minor == 1
    held = advance(held, rate_changed(5, on=2, rate="0.20"))
    with pytest.raises(EventOutOfOrder):
        advance(held, rate_changed(6, on=2, rate="0.30"))


def test_a_position_takes_no_event_before_the_loans_start():
    with pytest.raises(EventOutOfOrder, match="2026-03-01"):
        advance(opened(TERMS), disbursed(1, on=-1, minor=5))


def test_taking_an_event_leaves_the_position_before_it_as_it_was():
    before = opened(TERMS)

    advance(before, PAID_OUT)

    assert before == opened(TERMS)


def test_a_position_cannot_tell_what_stood_before_its_last_event():
    held = advance(opened(TERMS), disbursed(1, on=5, minor=10))

    with pytest.raises(AskedTooEarly, match="fold the events up to 2026-03-06"):
        balances(held, day(4))


# Explanation


def test_interest_is_explained_by_days_principal_and_rate():
    events = [PAID_OUT, received(2, on=10, minor=510_000), rate_changed(3, on=12, rate="0.1")]
    state = fold(TERMS, events, on=day(13), known_on=EVER)

    figures = {figure.name: figure.as_json() for figure in explained(state)}

    assert figures["interest_accrued_minor"]["terms"] == [
        {"name": "2026-03-02 to 2026-03-12: 10 days × 1000000 × 0.36 (ACT/360)", "amount": "10000"},
        {"name": "2026-03-12 to 2026-03-14: 2 days × 500000 × 0.36 (ACT/360)", "amount": "1000"},
        {
            "name": "2026-03-14 to 2026-03-15: 1 days × 500000 × 0.10 (ACT/360)",
            "amount": "138.888889",
        },
        {"name": "rounding (half_up)", "amount": "0.111111"},
    ]
    assert figures["principal_minor"] == {
        "name": "principal_minor",
        "value": 500_000,
        "terms": [
            {"name": "paid out 2026-03-02 (event 1)", "amount": "1000000"},
            {"name": "repaid 2026-03-12 (event 2)", "amount": "-500000"},
        ],
    }


def test_days_past_due_are_explained_by_the_due_date():
    state = fold(TERMS, [PAID_OUT], on=day(63), known_on=EVER)

    figure = explained(state)[-1]

    assert [term.name for term in figure.terms] == ["days from 2026-05-01 to 2026-05-04"]
    assert figure.value == 3
