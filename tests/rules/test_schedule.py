"""Schedules: what falls due when, in whole minor units, adding up to the loan."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment, Period, PeriodUnit
from tallystick.rules.daycount import DayCount, NoFixedDenominator, year_fraction
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.schedule import (
    MAX_PERIODS,
    Instalment,
    Method,
    ScheduleImpossible,
    ScheduleTerms,
    schedule,
)

MONTHLY = Period(1, PeriodUnit.MONTHS)

BULLET = ScheduleTerms(
    principal_minor=100_000_000,
    annual_rate=Decimal("0.10"),
    day_count=DayCount.ACT_360,
    method=Method.BULLET,
    start=date(2026, 1, 5),
    maturity=date(2026, 4, 3),
)
INSTALMENTS = ScheduleTerms(
    principal_minor=100_000_000,
    annual_rate=Decimal("0.049"),
    day_count=DayCount.THIRTY_E_360,
    method=Method.EQUAL_INSTALMENTS,
    start=date(2026, 1, 15),
    number_of_periods=360,
    frequency=MONTHLY,
)

terms_of_any_loan = st.builds(
    ScheduleTerms,
    principal_minor=st.integers(1, 10**12),
    annual_rate=st.decimals(min_value=0, max_value=1, places=5),
    day_count=st.sampled_from(
        [DayCount.ACT_360, DayCount.ACT_ACT_ISDA, DayCount.THIRTY_360_US, DayCount.THIRTY_E_360]
    ),
    method=st.sampled_from(
        [Method.INTEREST_ONLY, Method.EQUAL_INSTALMENTS, Method.EQUAL_PRINCIPAL]
    ),
    start=st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31)),
    number_of_periods=st.integers(1, 40),
    frequency=st.builds(
        Period,
        st.integers(1, 7),
        st.sampled_from([PeriodUnit.DAYS, PeriodUnit.WEEKS, PeriodUnit.MONTHS]),
    ),
    rounding=st.sampled_from(Rounding),
    calendar=st.just(WEEKENDS_ONLY),
    adjustment=st.sampled_from([Adjustment.UNADJUSTED, Adjustment.FOLLOWING]),
    fee_minor=st.integers(0, 1000),
)


def totals(rows):
    return sum(row.principal_minor for row in rows), sum(row.interest_minor for row in rows)


def test_a_bullet_pays_everything_at_maturity():
    # 88 days: 100,000,000 × 0.10 × 88 / 360 = 2,444,444.44
    assert schedule(BULLET) == [
        Instalment(
            n=1,
            due_date=date(2026, 4, 3),
            principal_minor=100_000_000,
            interest_minor=2_444_444,
            fee_minor=0,
            balance_minor=0,
        )
    ]


def test_equal_instalments_are_those_of_the_annuity_formula():
    """1,000,000.00 at 4.9 % over 360 months: instalment 5,307.27, first interest 4,083.33."""
    rows = schedule(INSTALMENTS)

    assert {row.principal_minor + row.interest_minor for row in rows[:-1]} == {530_727}
    assert (rows[0].interest_minor, rows[0].principal_minor) == (408_333, 122_394)
    assert rows[-1].balance_minor == 0
    assert totals(rows)[0] == 100_000_000


def test_equal_principal_pays_interest_on_what_is_left():
    """1,000,000.00 at 4.9 % over 360 months: first payment 6,861.11."""
    rows = schedule(replace(INSTALMENTS, method=Method.EQUAL_PRINCIPAL))

    assert rows[0].principal_minor + rows[0].interest_minor == 686_111
    assert {row.principal_minor for row in rows[:-1]} == {277_778}
    assert rows[-1].principal_minor == 100_000_000 - 359 * 277_778


def test_interest_only_rounds_the_running_total_and_not_each_month():
    """1,000.00 at 5 % on 30/360 is 4.1666… a month: 4.17, 4.16 and 4.17 make the exact 12.50."""
    rows = schedule(
        replace(
            INSTALMENTS,
            method=Method.INTEREST_ONLY,
            principal_minor=100_000,
            annual_rate=Decimal("0.05"),
            number_of_periods=3,
        )
    )

    assert [row.interest_minor for row in rows] == [417, 416, 417]
    assert [row.principal_minor for row in rows] == [0, 0, 100_000]


def test_due_dates_keep_the_day_of_the_start_through_short_months():
    rows = schedule(replace(INSTALMENTS, start=date(2026, 1, 31), number_of_periods=4))

    assert [row.due_date.isoformat() for row in rows] == [
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
    ]


def test_due_dates_are_adjusted_and_interest_runs_to_the_adjusted_date():
    rows = schedule(
        replace(
            INSTALMENTS,
            method=Method.INTEREST_ONLY,
            day_count=DayCount.ACT_360,
            annual_rate=Decimal("0.36"),
            start=date(2026, 1, 31),
            number_of_periods=2,
            adjustment=Adjustment.MODIFIED_FOLLOWING,
        )
    )

    assert [row.due_date for row in rows] == [date(2026, 2, 27), date(2026, 3, 31)]
    assert [row.interest_minor for row in rows] == [27 * 100_000, 32 * 100_000]


def test_the_last_period_is_shorter_when_maturity_says_so():
    rows = schedule(replace(INSTALMENTS, number_of_periods=None, maturity=date(2026, 4, 1)))

    assert [row.due_date for row in rows] == [
        date(2026, 2, 15),
        date(2026, 3, 15),
        date(2026, 4, 1),
    ]


def test_instalments_that_meet_on_one_business_day_become_one():
    """15 March 2026 is a Sunday, and the loan matures on the Monday."""
    rows = schedule(
        replace(
            INSTALMENTS,
            number_of_periods=None,
            maturity=date(2026, 3, 16),
            adjustment=Adjustment.FOLLOWING,
        )
    )

    assert [row.due_date for row in rows] == [date(2026, 2, 16), date(2026, 3, 16)]


@settings(max_examples=150)
@given(terms=terms_of_any_loan)
def test_every_schedule_repays_the_loan_and_charges_exact_interest_rounded_once(terms):
    rows = schedule(terms)

    assert totals(rows)[0] == terms.principal_minor
    assert rows[-1].balance_minor == 0
    assert [row.n for row in rows] == list(range(1, len(rows) + 1))
    exact = Fraction(0)
    balance_minor = terms.principal_minor
    counted = Fraction(0)
    for row in rows:
        since_start = year_fraction(
            terms.day_count, terms.start, row.due_date, termination_date=rows[-1].due_date
        )
        exact += balance_minor * Fraction(terms.annual_rate) * (since_start - counted)
        counted = since_start
        balance_minor -= row.principal_minor
        assert row.balance_minor == balance_minor >= 0
        assert row.principal_minor >= 0
        assert row.fee_minor == terms.fee_minor
    assert totals(rows)[1] == rounded(exact.numerator, exact.denominator, terms.rounding)


@settings(max_examples=100)
@given(
    principal_minor=st.integers(10**6, 10**11),
    annual_rate=st.decimals(min_value=0, max_value=Decimal("0.36"), places=4),
    day_count=st.sampled_from([DayCount.ACT_360, DayCount.THIRTY_E_360]),
    number_of_periods=st.integers(1, 60),
)
def test_equal_instalments_differ_in_the_last_alone_and_there_by_little(
    principal_minor, annual_rate, day_count, number_of_periods
):
    rows = schedule(
        replace(
            INSTALMENTS,
            principal_minor=principal_minor,
            annual_rate=annual_rate,
            day_count=day_count,
            number_of_periods=number_of_periods,
        )
    )
    paid = [row.principal_minor + row.interest_minor for row in rows]

    assert len(set(paid[:-1])) <= 1
    # Half a unit of rounding each period, grown by at most 36 % a year over five years.
    assert abs(paid[-1] - paid[0]) <= 6 * number_of_periods


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"principal_minor": 0}, "principal above zero"),
        ({"fee_minor": -1}, "fee of zero or more"),
        ({"annual_rate": Decimal("-0.01")}, "fraction of zero or more"),
        ({"annual_rate": Decimal("NaN")}, "fraction of zero or more"),
        ({"number_of_periods": 0}, f"Give 1 to {MAX_PERIODS} periods"),
        ({"number_of_periods": MAX_PERIODS + 1}, f"Give 1 to {MAX_PERIODS} periods"),
        ({"number_of_periods": None}, "exactly one of the two"),
        ({"maturity": date(2027, 1, 1)}, "exactly one of the two"),
        ({"frequency": None}, "frequency such as 1 month"),
        ({"frequency": Period(0, PeriodUnit.MONTHS)}, "frequency such as 1 month"),
        ({"frequency": Period(10**6, PeriodUnit.MONTHS)}, "Shorten the frequency"),
        ({"frequency": Period(10**9, PeriodUnit.WEEKS)}, "Shorten the frequency"),
        ({"method": Method.BULLET}, "Give its maturity"),
        ({"maturity": date(2026, 1, 15)}, "maturity after the start"),
        (
            {
                "number_of_periods": None,
                "maturity": date(2030, 1, 1),
                "frequency": Period(1, PeriodUnit.DAYS),
            },
            "Lengthen the frequency",
        ),
        (
            {
                "method": Method.BULLET,
                "start": date(2026, 1, 30),
                "maturity": date(2026, 1, 31),
                "adjustment": Adjustment.MODIFIED_FOLLOWING,
            },
            "longer life or another adjustment",
        ),
    ],
)
def test_terms_that_describe_no_schedule_are_refused(change, remedy):
    with pytest.raises(ScheduleImpossible, match=remedy):
        schedule(replace(INSTALMENTS, **change))


def test_a_day_count_without_fixed_year_cannot_carry_daily_interest():
    with pytest.raises(NoFixedDenominator):
        schedule(replace(BULLET, day_count=DayCount.ACT_ACT_AFB))


def test_interest_of_a_bullet_is_that_of_its_days_whatever_the_month_ends():
    """31 January to 31 March is sixty days of 30/360, also where 28 February lies between."""
    start, maturity = date(2026, 1, 31), date(2026, 3, 31)
    terms = replace(
        INSTALMENTS,
        day_count=DayCount.THIRTY_360_BOND_BASIS,
        start=start,
        number_of_periods=2,
        method=Method.INTEREST_ONLY,
    )
    bullet = replace(
        terms, method=Method.BULLET, number_of_periods=None, frequency=None, maturity=maturity
    )

    assert totals(schedule(terms)) == totals(schedule(bullet))
    assert schedule(terms)[-1].due_date - start == timedelta(days=59)
