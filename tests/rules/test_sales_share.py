"""Percent-of-sales advances: shares of settlements, fee, pace; worked cases, refusals and laws."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.asked_days import AskedTooLate
from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.discount_fee import NoRepaymentPlan
from tallystick.rules.loan_balances import AskedTooEarly
from tallystick.rules.loan_events import (
    ContradictoryEvents,
    EventBeforeStart,
    InvalidLoanEvent,
    UnknownReversedEvent,
)
from tallystick.rules.loan_terms import InvalidLoanTerms
from tallystick.rules.money import Rounding
from tallystick.rules.sales_balance import DailyRateBalance
from tallystick.rules.sales_events import InvalidShare, SalesEvent, SalesEventKind
from tallystick.rules.sales_pace import (
    Cash,
    InvalidPace,
    PaceCounts,
    PaceState,
    PaceTerms,
    pace_periods,
)
from tallystick.rules.sales_share import (
    FeeAdjustedAway,
    RefundAboveCredit,
    SalesShareState,
    fold_sales_share,
)
from tallystick.rules.sales_terms import SalesShareTerms, planned_payments

START = date(2019, 1, 1)
EVER = date.max

# Fineract's advance: 9,000.00 for 10,000.00 out of 18 % of 100,000.00 a year of 360 days.
FINERACT = SalesShareTerms(
    currency="EUR",
    advance_minor=900_000,
    start=START,
    share_bps=1_800,
    yearly_sales_minor=10_000_000,
    fee_minor=100_000,
    rounding=Rounding.HALF_EVEN,
)
DAILY = replace(FINERACT, fee_minor=None, daily_rate=Decimal("0.0005"))

AMOUNT = SalesEventKind.RECEIVED, SalesEventKind.SETTLEMENT, SalesEventKind.REFUNDED


def day(n: int) -> date:
    return START + timedelta(days=n)


def event(event_id: int, kind: SalesEventKind, n: int, **fields) -> SalesEvent:
    booked = fields.pop("booked", n)
    return SalesEvent(event_id, kind, day(n), day(booked), **fields)


def paid(event_id: int, n: int, amount_minor: int, **fields) -> SalesEvent:
    return event(event_id, SalesEventKind.RECEIVED, n, amount_minor=amount_minor, **fields)


def settled(event_id: int, n: int, amount_minor: int, **fields) -> SalesEvent:
    return event(event_id, SalesEventKind.SETTLEMENT, n, amount_minor=amount_minor, **fields)


def state(terms: SalesShareTerms, events, *, on: int, known_on: date = EVER) -> SalesShareState:
    return fold_sales_share(terms, events, on=day(on), known_on=known_on)


# Fineract's tables


def test_fineracts_schedule_of_two_hundred_payments():
    rows = planned_payments(FINERACT)

    assert FINERACT.daily_minor(1_800) == 5_000
    assert len(rows) == 200
    told = {
        row.n: (row.date, row.balance_minor, row.fee_earned_minor, row.fee_left_minor)
        for row in rows
    }
    assert told[1] == (date(2019, 1, 2), 895_961, 961, 99_039)
    assert told[2] == (date(2019, 1, 3), 891_918, 957, 98_082)
    assert told[12] == (date(2019, 1, 13), 851_247, 914, 88_753)
    assert told[62] == (date(2019, 3, 4), 641_251, 689, 48_749)
    assert told[199] == (date(2019, 7, 19), 4_995, 11, 5)
    assert told[200] == (date(2019, 7, 20), 0, 5, 0)


def test_fineracts_share_lowered_after_twenty_four_days_without_a_payment():
    """Scenario C78826: what is left is earned at the new pace, from the balance as it is."""
    lower = event(1, SalesEventKind.SHARE_CHANGED, 24, share_bps=1_700)
    payments = [paid(n, 22 + n, 4_722) for n in range(2, 6)]

    found = [state(FINERACT, [lower, *payments], on=22 + n) for n in range(2, 6)]

    assert [(each.principal_minor, each.fee_left_minor) for each in found] == [
        (896_186, 99_092),
        (892_368, 98_188),
        (888_546, 97_288),
        (884_720, 96_392),
    ]
    assert found[0].daily_minor == 4_722


def test_fineracts_fee_halved_after_the_payout_is_earned_as_if_it_had_always_been_so():
    """Scenario C102491."""
    half = event(1, SalesEventKind.FEE_ADJUSTED, 1, amount_minor=50_000)

    found = state(FINERACT, [half, paid(2, 1, 5_000)], on=1)

    assert (found.fee_minor, found.principal_minor, found.fee_left_minor) == (
        50_000,
        895_514,
        49_486,
    )
    assert found.first_expected_end_date == day(190)


def test_fineracts_payment_of_all_and_a_few_cents_leaves_credit():
    """Scenario C102494."""
    found = state(FINERACT, [paid(1, 1, 1_000_005)], on=1)

    assert (found.outstanding_minor, found.credit_minor, found.fee_earned_minor) == (0, 5, 100_000)
    assert (found.payments_left, found.expected_end_date) == (0, None)


def test_a_back_dated_payment_is_folded_where_its_value_date_says():
    """Scenario C102500, in a currency of three decimals."""
    terms = replace(
        FINERACT,
        currency="BHD",
        advance_minor=9_000_000,
        fee_minor=1_000_000,
        yearly_sales_minor=100_000_000,
        share_bps=1_700,
        year_days=365,
    )
    events = [paid(1, 2, 46_000), paid(2, 3, 46_000), paid(3, 1, 9_907_994, booked=3)]

    assert state(terms, events, on=1).fee_left_minor == 145
    assert state(terms, events, on=2).fee_left_minor == 55
    assert state(terms, events, on=3).outstanding_minor == 6
    # As it was known a day before, the large payment had not been heard of.
    assert state(terms, events, on=2, known_on=day(2)).collected_minor == 46_000


# Settlements, pace and what is expected


def test_a_share_of_each_settlement_is_kept_until_nothing_is_owed():
    events = [settled(1, 1, 1_000_000), settled(2, 2, 7_000_000)]

    found = state(FINERACT, events, on=2)

    assert [each.amount_minor for each in found.movements] == [180_000, 820_000]
    assert (found.outstanding_minor, found.credit_minor) == (0, 0)


def test_what_is_behind_and_what_would_catch_up():
    found = state(FINERACT, [paid(1, 10, 30_000)], on=20)

    assert (found.expected_minor, found.behind_minor) == (100_000, 70_000)
    assert found.payments_left == 194
    assert found.expected_end_date == day(214)
    # 970,000 in the 180 days until 20 July, rounded up.
    assert found.catch_up_daily_minor == 5_389


def test_a_daily_rate_runs_on_what_is_outstanding():
    # 900,000 × 0.0005 × 10 days = 4,500; then 804,500 × 0.0005 × 10 = 4,022.5, in all 8,522.5.
    found = state(DAILY, [paid(1, 10, 100_000)], on=20)

    assert found.principal_minor == 804_500
    assert found.fee_earned_minor == 8_522  # half-even
    assert found.outstanding_minor == 804_500 + 8_522 - 4_500


def test_the_schedule_of_a_daily_rate_repays_the_advance_with_its_interest():
    rows = planned_payments(DAILY)

    # 900,000 × 0.0005 = 450; 895,450 × 0.0005 = 447.725, in all 897.725.
    assert [(row.payment_minor, row.fee_earned_minor) for row in rows[:2]] == [
        (5_000, 450),
        (5_000, 448),
    ]
    assert rows[-1].balance_minor == 0
    assert sum(row.payment_minor - row.fee_earned_minor for row in rows) == 900_000


SIXTHS = PaceTerms(Period(60, PeriodUnit.DAYS), Fraction(1, 6), PaceCounts.SINCE_PAYOUT)


def test_a_sixth_every_sixty_days_counts_what_was_paid_ahead():
    cash = [Cash(day(30), 350_000), Cash(day(130), 100_000)]

    periods = pace_periods(
        SIXTHS, payable_minor=1_200_000, payout_date=START, cash=cash, on=day(179)
    )

    assert [(each.minimum_minor, each.paid_minor, each.state) for each in periods] == [
        (200_000, 350_000, PaceState.KEPT),
        (400_000, 350_000, PaceState.BREACHED),
        (600_000, 450_000, PaceState.BREACHED),
    ]
    assert [each.short_minor for each in periods] == [0, 50_000, 150_000]


MONTHLY = PaceTerms(
    Period(1, PeriodUnit.MONTHS),
    Fraction(1, 10),
    check_every=Period(2, PeriodUnit.WEEKS),
    check_share=Fraction(1, 2),
)


@pytest.mark.parametrize(
    ("paid_minor", "paid_date", "on", "state_of_period"),
    [
        pytest.param(400, "2025-01-20", "2025-01-28", PaceState.OPEN, id="before the checkpoint"),
        pytest.param(400, "2025-01-20", "2025-01-29", PaceState.NEAR_BREACH, id="near breach"),
        pytest.param(500, "2025-01-29", "2025-01-29", PaceState.OPEN, id="half at the checkpoint"),
        pytest.param(1_000, "2025-01-20", "2025-01-20", PaceState.KEPT, id="kept when paid"),
        pytest.param(999, "2025-02-14", "2025-02-14", PaceState.BREACHED, id="short on its last"),
    ],
)
def test_fineracts_breach_and_near_breach(paid_minor, paid_date, on, state_of_period):
    """The two examples of Fineract's documentation and the days around them."""
    (period,) = pace_periods(
        MONTHLY,
        payable_minor=10_000,
        payout_date=date(2025, 1, 15),
        cash=[Cash(date.fromisoformat(paid_date), paid_minor)],
        on=date.fromisoformat(on),
    )

    assert (period.start_date, period.end_date) == (date(2025, 1, 15), date(2025, 2, 14))
    assert period.minimum_minor == 1_000
    assert period.state is state_of_period


def test_periods_of_a_pace_keep_to_the_end_of_the_month():
    terms = PaceTerms(Period(1, PeriodUnit.MONTHS), Fraction(1, 12))

    periods = pace_periods(
        terms, payable_minor=1_200, payout_date=date(2023, 1, 31), cash=[], on=date(2023, 4, 1)
    )

    assert [each.start_date for each in periods] == [
        date(2023, 1, 31),
        date(2023, 2, 28),
        date(2023, 3, 31),
    ]


def test_an_advance_that_has_been_repaid_has_no_further_periods():
    found = state(replace(FINERACT, pace=SIXTHS), [paid(1, 10, 1_000_000)], on=100)

    assert [period.state for period in found.pace] == [PaceState.KEPT]


# Refusals


@pytest.mark.parametrize(
    ("fault", "refusal", "says"),
    [
        ({"share_bps": 0}, InvalidShare, "share_bps is 0"),
        ({"share_bps": 10_001}, InvalidShare, "share_bps is 10001"),
        ({"advance_minor": 0}, InvalidLoanTerms, "advance_minor is 0"),
        ({"fee_minor": None}, InvalidLoanTerms, "exactly one"),
        ({"daily_rate": Decimal("0.001")}, InvalidLoanTerms, "exactly one"),
        ({"fee_minor": -1}, InvalidLoanTerms, "fee_minor is -1"),
        ({"year_days": 366}, InvalidLoanTerms, "360 or 365"),
        ({"yearly_sales_minor": 1}, NoRepaymentPlan, "comes to 0"),
        ({"yearly_sales_minor": 100_000}, NoRepaymentPlan, "20000 days"),
        ({"fee_minor": None, "daily_rate": Decimal("0.01")}, NoRepaymentPlan, "interest is 9000"),
        (
            {"fee_minor": None, "daily_rate": Decimal("0.0003"), "yearly_sales_minor": 600_000},
            NoRepaymentPlan,
            "more than 3660 days",
        ),
    ],
)
def test_terms_that_make_no_advance_are_refused_when_they_are_agreed(fault, refusal, says):
    with pytest.raises(refusal, match=says):
        replace(FINERACT, **fault)


@pytest.mark.parametrize(
    ("events", "refusal"),
    [
        ([event(1, SalesEventKind.REFUNDED, 3, amount_minor=1)], RefundAboveCredit),
        ([event(1, SalesEventKind.FEE_ADJUSTED, 3, amount_minor=100_001)], FeeAdjustedAway),
        ([event(1, SalesEventKind.SHARE_CHANGED, 3, share_bps=1)], NoRepaymentPlan),
        ([paid(1, -1, 5)], EventBeforeStart),
        ([event(1, SalesEventKind.REVERSED, 3, reverses=7)], UnknownReversedEvent),
        ([event(1, SalesEventKind.REVERSED, 3, reverses=1)], ContradictoryEvents),
    ],
)
def test_events_that_cannot_be_are_refused(events, refusal):
    with pytest.raises(refusal):
        state(FINERACT, events, on=10)


def test_an_event_carries_what_its_kind_needs():
    with pytest.raises(InvalidLoanEvent, match="carries share_bps"):
        event(1, SalesEventKind.SHARE_CHANGED, 3, amount_minor=5)
    with pytest.raises(InvalidLoanEvent, match="between 1"):
        paid(1, 3, 0)


def test_there_is_no_state_before_the_payout():
    with pytest.raises(AskedTooLate):
        state(FINERACT, [], on=7_306)
    with pytest.raises(AskedTooEarly):
        state(FINERACT, [], on=-1)


@pytest.mark.parametrize(
    "fault",
    [
        {"minimum_share": Fraction(0)},
        {"minimum_share": Fraction(7, 6)},
        {"period": Period(0, PeriodUnit.DAYS)},
        {"period": Period(5, PeriodUnit.BUSINESS_DAYS)},
        {"grace_days": -1},
        {"check_every": Period(1, PeriodUnit.MONTHS)},
        {"check_every": Period(0, PeriodUnit.DAYS)},
        {"check_share": Fraction(0)},
    ],
)
def test_a_pace_that_cannot_be_measured_is_refused(fault):
    with pytest.raises(InvalidPace):
        replace(MONTHLY, **fault)


# Credit is refunded; where money has left that turns out to be owed, it is due again


def test_credit_is_refunded_and_what_was_refunded_too_much_is_owed_again():
    over = paid(1, 1, 1_000_005)
    refund = event(2, SalesEventKind.REFUNDED, 2, amount_minor=5)
    bounced = paid(3, 0, 1, booked=3)
    back = event(4, SalesEventKind.REVERSED, 3, reverses=1, booked=4)

    assert state(FINERACT, [over, refund], on=2).credit_minor == 0
    found = state(FINERACT, [over, refund, bounced, back], on=4)
    # The payment never came: one unit was paid, five went out.
    assert (found.collected_minor, found.outstanding_minor) == (-4, 1_000_004)
    assert found.fee_earned_minor == 0


# Laws


amounts = st.integers(1, 400_000)
numbers = st.integers(0, 60)


@st.composite
def histories(draw) -> list[SalesEvent]:
    """Settlements, direct payments and changes of the share, on any days, booked in any order."""
    made = []
    for event_id in range(1, draw(st.integers(1, 8)) + 1):
        n, booked = draw(numbers), draw(numbers)
        kind = draw(st.sampled_from(["settlement", "received", "share_changed", "fee_adjusted"]))
        match kind:
            case "share_changed":
                fields = {"share_bps": draw(st.integers(500, 5_000))}
            case "fee_adjusted":
                fields = {"amount_minor": draw(st.integers(1, 10_000))}
            case _:
                fields = {"amount_minor": draw(amounts)}
        made.append(event(event_id, SalesEventKind(kind), n, booked=booked, **fields))
    return made


def terms_for(events) -> list[SalesShareTerms]:
    adjusts = any(each.kind is SalesEventKind.FEE_ADJUSTED for each in events)
    return [FINERACT] if adjusts else [FINERACT, DAILY]


def figures(found: SalesShareState) -> SalesShareState:
    return replace(found, movements=())


@settings(max_examples=60)
@given(events=histories(), on=numbers)
def test_what_came_in_is_principal_and_fee_and_all_of_it_comes_to_what_was_agreed(events, on):
    for terms in terms_for(events):
        found = state(terms, events, on=on)
        assert 0 <= found.fee_earned_minor <= found.fee_minor
        assert 0 <= found.principal_minor <= terms.advance_minor
        assert found.collected_minor >= 0 <= found.outstanding_minor

        # Then the rest is paid, and nothing is left of the advance, nor of its fee.
        last = paid(99, 70, 10**7)
        end = state(terms, [*events, last], on=70)
        assert end.outstanding_minor == end.fee_left_minor == end.principal_minor == 0
        assert end.collected_minor == terms.advance_minor + end.fee_minor


@settings(max_examples=60)
@given(events=histories(), part=st.integers(1, 399_999), on=numbers)
def test_an_amount_in_two_parts_on_one_day_is_the_same_as_whole(events, part, on):
    parts = []
    for each in events:
        if each.kind in AMOUNT and each.amount_minor > part:
            parts.append(replace(each, amount_minor=part))
            each = replace(
                each, event_id=each.event_id + 100, amount_minor=each.amount_minor - part
            )
        parts.append(each)

    for terms in terms_for(events):
        assert figures(state(terms, parts, on=on)) == figures(state(terms, events, on=on))


@settings(max_examples=60)
@given(events=histories(), on=numbers, data=st.data())
def test_a_reversal_restores_what_was_before_on_every_day(events, on, data):
    gone = data.draw(st.sampled_from(events))
    booked = (gone.booking_date - START).days
    back = event(50, SalesEventKind.REVERSED, 0, booked=booked, reverses=gone.event_id)

    for terms in terms_for(events):
        without = state(terms, [each for each in events if each is not gone], on=on)
        assert state(terms, [*events, back], on=on) == without


@settings(max_examples=60)
@given(events=histories(), on=numbers, data=st.data())
def test_the_order_in_which_events_are_told_changes_nothing(events, on, data):
    told = data.draw(st.permutations(events))

    for terms in terms_for(events):
        assert state(terms, told, on=on) == state(terms, events, on=on)


@given(principal_minor=st.integers(1, 10**9), rate_ppb=st.integers(0, 10**7), days=numbers)
def test_looking_every_day_comes_to_the_same_interest_as_looking_once(
    principal_minor, rate_ppb, days
):
    daily, once = (
        DailyRateBalance(principal_minor, rate_ppb, START, Rounding.HALF_UP) for _ in range(2)
    )
    for n in range(days):
        daily.pay(0, day(n))

    assert daily.owed_minor(day(days)) == once.owed_minor(day(days))
