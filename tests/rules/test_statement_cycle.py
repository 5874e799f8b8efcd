"""Statement-cycle credit: cycles, interest-free days, minimum, late bands, instalments.

The published rules of JD's corporate credit purchase: weekly, Monday to Sunday, billed on the next
Monday and due 14 days later, free for 21 days at most; monthly, billed on the 1st and due on the
20th with a fee of 0.6 %, or in instalments of bill / n + 0.5 % of the bill; late charges of 0.05 %
a day for 30 days and 0.08 % after.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.asked_days import AskedTooLate
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_balances import AskedTooEarly
from tallystick.rules.loan_events import InvalidLoanEvent, InvalidRate
from tallystick.rules.loan_terms import InvalidLoanTerms
from tallystick.rules.statement_cycle import CannotConvert, StatementState, fold_statements
from tallystick.rules.statement_terms import (
    Cycle,
    LateBand,
    StatementEvent,
    StatementEventKind,
    StatementTerms,
    interest_free_days,
    statement_dates,
)

MONDAY = date(2026, 9, 7)
BANDS = (LateBand(1, Decimal("0.0005")), LateBand(31, Decimal("0.0008")))
WEEKLY = StatementTerms(
    currency="CNY",
    opened_date=MONDAY,
    cycle=Cycle.WEEKLY,
    cycle_day=1,
    due_days=14,
    late_bands=BANDS,
)
MONTHLY = StatementTerms(
    currency="CNY",
    opened_date=date(2026, 9, 1),
    cycle=Cycle.MONTHLY,
    cycle_day=1,
    due_days=19,
    statement_fee_rate=Decimal("0.006"),
    late_bands=BANDS,
    max_instalments=3,
    instalment_fee_rate=Decimal("0.005"),
)
CARD = StatementTerms(
    currency="CNY",
    opened_date=date(2026, 1, 1),
    cycle=Cycle.MONTHLY,
    cycle_day=1,
    due_days=20,
    annual_rate=Decimal("0.18"),
    day_count=DayCount.ACT_360,
    minimum_share=Decimal("0.1"),
    minimum_floor_minor=10_000,
)


def event(event_id: int, kind: str, day: date, **fields) -> StatementEvent:
    booked = fields.pop("booked", day)
    return StatementEvent(event_id, StatementEventKind(kind), day, booked, **fields)


def bought(event_id: int, day: date, amount_minor: int) -> StatementEvent:
    return event(event_id, "purchased", day, amount_minor=amount_minor)


def paid(event_id: int, day: date, amount_minor: int) -> StatementEvent:
    return event(event_id, "received", day, amount_minor=amount_minor)


def state(terms: StatementTerms, *events: StatementEvent, on: date) -> StatementState:
    return fold_statements(terms, events, on=on, known_on=date.max)


def test_a_weekly_purchase_is_free_for_twenty_one_days_at_most():
    free = [interest_free_days(WEEKLY, MONDAY + timedelta(days=n)) for n in range(7)]

    assert free == [21, 20, 19, 18, 17, 16, 15]


def test_a_monthly_bill_of_the_first_is_due_on_the_twentieth():
    found = state(MONTHLY, bought(1, date(2026, 9, 30), 1_000_000), on=date(2026, 10, 1))

    (statement,) = found.statements
    assert (statement.statement_date, statement.due_date) == (date(2026, 10, 1), date(2026, 10, 20))
    # 10,000.00 × (1 + 0.6 %)
    assert (statement.purchases_minor, statement.fees_minor, statement.closing_minor) == (
        1_000_000,
        6_000,
        1_006_000,
    )
    assert statement.minimum_minor == 1_006_000


@pytest.mark.parametrize(
    ("cycle_day", "days"),
    [
        (31, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (28, ["2026-02-28", "2026-03-28", "2026-04-28", "2026-05-28"]),
    ],
)
def test_statements_of_a_short_month_are_drawn_on_its_last_day(cycle_day, days):
    terms = replace(MONTHLY, opened_date=date(2026, 1, 30), cycle_day=cycle_day)

    assert [day.isoformat() for day in islice(statement_dates(terms), 4)] == days


@pytest.mark.parametrize(
    ("days_late", "late_minor"),
    [
        pytest.param(0, 0, id="on the due date"),
        pytest.param(1, 500, id="a day: 0.05 %"),
        pytest.param(30, 15_000, id="thirty days at 0.05 %"),
        pytest.param(31, 15_800, id="the thirty-first at 0.08 %"),
        pytest.param(40, 23_000, id="ten days of the second band"),
    ],
)
def test_late_charges_run_by_bands_of_days(days_late, late_minor):
    due_date = MONDAY + timedelta(days=21)
    found = state(WEEKLY, bought(1, MONDAY, 1_000_000), on=due_date + timedelta(days=days_late))

    assert found.late_charges_minor == late_minor
    assert found.owed_minor == 1_000_000 + late_minor
    assert found.days_past_due == days_late


def test_three_instalments_are_each_a_third_and_half_a_per_cent_of_the_bill():
    events = [
        bought(1, date(2026, 9, 15), 1_000_000),
        event(2, "converted", date(2026, 10, 5), instalments=3),
        paid(3, date(2026, 10, 20), 338_333),
        paid(4, date(2026, 11, 20), 338_334),
        paid(5, date(2026, 12, 20), 338_333),
    ]

    found = state(MONTHLY, *events, on=date(2026, 12, 31))

    assert [
        (each.closing_minor, each.instalment_minor, each.fees_minor, each.paid_in_full)
        for each in found.statements
    ] == [
        (1_006_000, 0, 6_000, True),
        (338_334, 333_334, 5_000, True),
        (338_333, 333_333, 5_000, True),
    ]
    assert (found.owed_minor, found.late_charges_minor, found.credit_minor) == (0, 0, 0)
    assert state(MONTHLY, *events, on=date(2026, 10, 20)).instalments_left_minor == 676_667


def test_paid_in_full_by_the_due_date_costs_no_interest():
    events = [bought(1, date(2026, 1, 11), 360_000), paid(2, date(2026, 2, 21), 360_000)]

    found = state(CARD, *events, on=date(2026, 4, 1))

    assert found.statements[0].due_date == date(2026, 2, 21)
    assert found.statements[0].paid_in_full is True
    assert (found.interest_minor, found.owed_minor) == (0, 0)


def test_otherwise_interest_counts_from_the_posting_on_what_is_unpaid():
    events = [bought(1, date(2026, 1, 11), 360_000), paid(2, date(2026, 2, 20), 180_000)]

    on_due_date = state(CARD, *events, on=date(2026, 2, 21))
    found = state(CARD, *events, on=date(2026, 3, 2))

    # 3,600.00 at 18 % of 360 is 1.80 a day: 40 days to 20 February, then half of it.
    assert on_due_date.interest_minor == 0
    assert found.interest_minor == 40 * 180 + 10 * 90
    second = found.statements[1]
    assert (second.opening_minor, second.interest_minor) == (180_000, 40 * 180 + 9 * 90)
    assert second.closing_minor == 180_000 + 8_010
    # A tenth of it, and no less than 100.00.
    assert second.minimum_minor == 18_801
    assert state(CARD, events[0], on=date(2026, 2, 1)).statements[0].minimum_minor == 36_000


def test_a_minimum_is_the_floor_where_its_share_is_less_and_all_where_all_is_less():
    small = state(CARD, bought(1, date(2026, 1, 11), 50_000), on=date(2026, 2, 1))
    tiny = state(CARD, bought(1, date(2026, 1, 11), 4_000), on=date(2026, 2, 1))

    assert small.statements[0].minimum_minor == 10_000
    assert tiny.statements[0].minimum_minor == 4_000


def test_what_is_paid_too_much_is_credit_and_meets_the_next_statement():
    events = [
        bought(1, date(2026, 9, 8), 100_000),
        paid(2, date(2026, 9, 9), 150_000),
        bought(3, date(2026, 9, 10), 30_000),
    ]

    assert state(WEEKLY, *events, on=date(2026, 9, 10)).credit_minor == 50_000
    found = state(WEEKLY, *events, on=date(2026, 9, 14))
    assert (found.owed_minor, found.credit_minor) == (0, 20_000)


@pytest.mark.parametrize(
    ("fault", "refusal", "says"),
    [
        ({"cycle_day": 8}, InvalidLoanTerms, "cycle_day is 8: give 1 to 7"),
        ({"due_days": 0}, InvalidLoanTerms, "due_days is 0"),
        ({"minimum_share": Decimal("1.1")}, InvalidLoanTerms, "minimum_share"),
        ({"max_instalments": 61}, InvalidLoanTerms, "max_instalments is 61"),
        ({"annual_rate": Decimal("-0.1")}, InvalidRate, "annual_rate"),
        ({"day_count": DayCount.THIRTY_360_US}, InvalidLoanTerms, "ACT/360"),
        ({"late_bands": (LateBand(2, Decimal(0)),)}, InvalidLoanTerms, "begin on days 2"),
        ({"late_bands": BANDS[::-1]}, InvalidLoanTerms, "begin on days 31, 1"),
        ({"opened_date": date(1899, 1, 1)}, InvalidLoanTerms, "1899"),
    ],
)
def test_terms_of_a_line_that_cannot_be_are_refused(fault, refusal, says):
    with pytest.raises(refusal, match=says):
        replace(WEEKLY, **fault)


@pytest.mark.parametrize(
    "events",
    [
        [event(1, "converted", date(2026, 9, 5), instalments=2)],
        [
            bought(1, date(2026, 9, 3), 900),
            event(2, "converted", date(2026, 10, 21), instalments=2),
        ],
        [bought(1, date(2026, 9, 3), 900), event(2, "converted", date(2026, 10, 2), instalments=4)],
        [bought(1, date(2026, 9, 3), 900), event(2, "converted", date(2026, 10, 2), instalments=1)],
        [event(2, "converted", date(2026, 10, 2), instalments=2)],
    ],
    ids=["no statement", "past due", "too many", "one", "nothing to convert"],
)
def test_a_statement_that_cannot_be_paid_in_instalments_is_refused(events):
    with pytest.raises(CannotConvert):
        state(MONTHLY, *events, on=date(2026, 10, 25))


def test_what_a_line_cannot_be_asked_or_told_is_refused():
    with pytest.raises(AskedTooLate):
        state(WEEKLY, on=date.max)
    with pytest.raises(AskedTooEarly):
        state(WEEKLY, on=MONDAY - timedelta(days=1))
    with pytest.raises(InvalidLoanEvent, match="carries instalments"):
        event(1, "converted", MONDAY, amount_minor=5)


# Laws


FIRST = date(2026, 1, 1)
numbers = st.integers(0, 120)


@st.composite
def histories(draw) -> list[StatementEvent]:
    made = []
    for event_id in range(1, draw(st.integers(1, 7)) + 1):
        kind = draw(st.sampled_from(["purchased", "received", "returned"]))
        made.append(
            event(
                event_id,
                kind,
                FIRST + timedelta(days=draw(numbers)),
                amount_minor=draw(st.integers(1, 500_000)),
                booked=FIRST + timedelta(days=draw(numbers)),
            )
        )
    return made


LATE_CARD = replace(CARD, late_bands=BANDS)


@settings(max_examples=60)
@given(events=histories(), n=numbers)
def test_what_was_bought_and_charged_is_paid_or_owed(events, n):
    on = FIRST + timedelta(days=n)
    found = state(LATE_CARD, *events, on=on)

    seen = [each for each in events if each.value_date <= on]
    bought_minor, paid_minor = (
        sum(each.amount_minor for each in seen if (each.kind == "purchased") is purchases)
        for purchases in (True, False)
    )
    charged_minor = found.interest_minor + found.late_charges_minor
    assert bought_minor + charged_minor == paid_minor + found.owed_minor - found.credit_minor
    assert min(found.owed_minor, found.credit_minor, found.due_minor) >= 0
    assert found.due_minor <= found.billed_minor <= found.owed_minor


@settings(max_examples=60)
@given(events=histories(), n=numbers, data=st.data())
def test_parts_order_and_reversals_change_nothing(events, n, data):
    on = FIRST + timedelta(days=n)
    whole = state(LATE_CARD, *events, on=on)

    assert state(LATE_CARD, *data.draw(st.permutations(events)), on=on) == whole
    parts = []
    for each in events:
        part_minor = data.draw(st.integers(0, each.amount_minor - 1))
        if part_minor:
            parts.append(replace(each, amount_minor=part_minor))
        rest_minor = each.amount_minor - part_minor
        parts.append(replace(each, event_id=each.event_id + 100, amount_minor=rest_minor))
    assert state(LATE_CARD, *parts, on=on) == whole
    gone = data.draw(st.sampled_from(events))
    back = event(50, "reversed", FIRST, booked=date(2026, 12, 31), reverses=gone.event_id)
    without = state(LATE_CARD, *(each for each in events if each is not gone), on=on)
    assert state(LATE_CARD, *events, back, on=on) == without
