"""Each instalment of a loan as it stands on a day: paid, late, due or to come.

The loan of docs/products/instalment-credit/notes.md: 120,000.00 at 14 % in six instalments of
20,818.33, the last of 20,818.35.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from tests.rules.test_loan_properties import EVER, days, loans

from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment, period_of
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_balances import balances
from tallystick.rules.loan_events import EventKind, Keeps, LoanEvent
from tallystick.rules.loan_instalments import Paid, instalments_on
from tallystick.rules.loan_steps import position_of
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.repayment import RepaymentTerms, instalments
from tallystick.rules.schedule import Method

DRAWN = date(2026, 1, 12)
FEBRUARY, MARCH, APRIL = date(2026, 2, 12), date(2026, 3, 12), date(2026, 4, 13)
PAID, LATE, DUE, TO_COME = Paid.PAID, Paid.LATE, Paid.DUE, Paid.TO_COME


def terms(prepaid_keeps: Keeps | None = None) -> LoanTerms:
    monthly = period_of("1M")
    agreed = instalments(
        RepaymentTerms(Method.EQUAL_INSTALMENTS, monthly, prepaid_keeps),
        amount_minor=120_000_00,
        annual_rate=Decimal("0.14"),
        day_count=DayCount.ACT_365F,
        drawn_date=DRAWN,
        tenor_days=180,
        max_tenor_days=366,
        calendar=WEEKENDS_ONLY,
        adjustment=Adjustment.MODIFIED_FOLLOWING,
    )
    return LoanTerms(
        currency="CNY",
        principal_minor=120_000_00,
        annual_rate=Decimal("0.14"),
        day_count=DayCount.ACT_365F,
        method=Method.EQUAL_INSTALMENTS,
        start=DRAWN,
        maturity=agreed.rows[-1].due_date,
        frequency=monthly,
        agreed_plan=agreed.plan,
        prepaid_keeps=prepaid_keeps,
    )


def on(day: date, *paid: tuple[date, int], keeps: Keeps | None = None):
    events = [LoanEvent(1, EventKind.DISBURSED, DRAWN, DRAWN, 120_000_00)]
    events += [
        LoanEvent(n, EventKind.RECEIVED, paid_date, paid_date, amount_minor)
        for n, (paid_date, amount_minor) in enumerate(paid, start=2)
    ]
    return instalments_on(position_of(terms(keeps), events, on=day, known_on=EVER), day)


def states(rows) -> list[Paid]:
    return [row.paid for row in rows]


def test_before_the_first_due_date_all_are_to_come_as_agreed():
    rows = on(DRAWN)

    assert states(rows) == [TO_COME] * 6
    assert [row.total_minor for row in rows] == [2_081_833] * 5 + [2_081_835]
    assert [row.unpaid_minor for row in rows] == [row.total_minor for row in rows]
    assert [row.due_date for row in rows[:3]] == [FEBRUARY, MARCH, APRIL]


def test_on_its_day_an_instalment_is_due_and_once_paid_it_is_paid():
    assert states(on(FEBRUARY)) == [DUE] + [TO_COME] * 5

    rows = on(FEBRUARY, (FEBRUARY, 2_081_833))

    assert states(rows) == [PAID] + [TO_COME] * 5
    assert (rows[0].total_minor, rows[0].unpaid_minor) == (2_081_833, 0)


def test_what_a_late_instalment_has_left_is_what_was_not_paid_of_it():
    """500.00 short: eight nights later the rest is late, and bears interest besides."""
    rows = on(date(2026, 3, 20), (FEBRUARY, 2_081_833), (MARCH, 2_031_833))

    assert states(rows) == [PAID, LATE] + [TO_COME] * 4
    assert (rows[1].total_minor, rows[1].unpaid_minor) == (2_081_833, 500_00)
    # 8 nights on 500.00 more than the 80,870.70 that are planned, and 24 nights without them.
    interest = Fraction(14, 100) * (8_137_070 * 8 + 8_087_070 * 24) / 365
    assert rows[2].interest_minor == pytest.approx(interest, abs=1)
    assert rows[2].principal_minor == 1_982_573


def test_what_is_paid_early_pays_the_next_instalments():
    """Two of them on the first day: of the second only the interest of its month is left."""
    rows = on(FEBRUARY, (FEBRUARY, 2_081_833 + 1_973_782))

    assert states(rows) == [PAID, TO_COME, TO_COME, TO_COME, TO_COME, TO_COME]
    interest = Fraction(14, 100) * 8_087_070 * 28 / 365
    assert rows[1].unpaid_minor == rows[1].interest_minor == pytest.approx(interest, abs=1)


def test_a_part_repaid_early_that_keeps_the_term_lowers_every_later_instalment():
    rows = on(FEBRUARY, (FEBRUARY, 2_081_833 + 3_000_000), keeps=Keeps.TERM)

    assert states(rows) == [PAID] + [TO_COME] * 5
    assert [row.due_date for row in rows][1:3] == [MARCH, APRIL]
    (left_minor,) = {row.unpaid_minor for row in rows[1:5]}
    assert left_minor < 2_081_833
    # What came early is part of the next: it was to be repaid by then, and is.
    assert rows[1].total_minor == left_minor + 3_000_000
    assert {row.total_minor for row in rows[2:5]} == {left_minor}


@settings(max_examples=150, deadline=None)
@given(loan=loans(), on=days)
def test_what_is_unpaid_is_all_the_principal_and_late_exactly_where_something_is_past_due(loan, on):
    agreed, events = loan
    position = position_of(agreed, events, on=on, known_on=EVER)
    on = max(on, position.stands_from_date)
    if not position.disbursed_minor or position.charged_off_date is not None:
        return
    owed = balances(position, on)

    rows = instalments_on(replace(position), on)

    unpaid_interest = sum(row.unpaid_minor for row in rows) - owed.principal_minor
    assert unpaid_interest >= 0
    assert all(row.unpaid_minor >= 0 for row in rows)
    if owed.past_due_since_date is not None and on <= position.dues[-1].due_date:
        assert owed.past_due_since_date == next(row.due_date for row in rows if row.paid is LATE)
    if owed.past_due_since_date is None:
        assert LATE not in states(rows)
