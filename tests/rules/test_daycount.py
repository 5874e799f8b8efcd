"""Day counts, against worked figures of the definitions and laws of each convention.

ACT/ACT figures: ISDA, "EMU and Market Conventions: Recent Developments" (1998), worked examples.
"""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.calendars import WEEKENDS_ONLY, months_after
from tallystick.rules.coupons import CouponPeriodsImpossible, CouponSchedule, ReferencePeriod
from tallystick.rules.daycount import (
    DayCount,
    DayCountNeeds,
    NoFixedDenominator,
    PeriodEndsBeforeItStarts,
    UnknownDayCount,
    accrual_days,
    accrual_denominator,
    day_count_days,
    day_count_named,
    year_fraction,
)

WITHOUT_FIXED_DENOMINATOR = [
    DayCount.ACT_ACT_ICMA,
    DayCount.ACT_ACT_AFB,
    DayCount.ACT_365_CANADIAN,
]
WITH_FIXED_DENOMINATOR = [each for each in DayCount if each not in WITHOUT_FIXED_DENOMINATOR]
ADDITIVE = [
    DayCount.ACT_360,
    DayCount.ACT_365F,
    DayCount.ACT_365_NO_LEAP,
    DayCount.ACT_366,
    DayCount.ACT_365_25,
    DayCount.ACT_ACT_ISDA,
    DayCount.THIRTY_E_360,
    DayCount.THIRTY_365,
    DayCount.BUS_252,
]

dates = st.dates(min_value=date(1990, 1, 1), max_value=date(2040, 12, 31))


def day(text):
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("day_count", "start", "end", "days"),
    [
        (DayCount.ACT_360, "2024-02-28", "2024-03-01", 2),
        (DayCount.ACT_365_NO_LEAP, "2024-02-28", "2024-03-01", 1),
        (DayCount.ACT_365_NO_LEAP, "2024-02-29", "2024-03-01", 1),
        (DayCount.THIRTY_360_BOND_BASIS, "2026-01-31", "2026-03-31", 60),
        (DayCount.THIRTY_360_BOND_BASIS, "2026-01-30", "2026-03-31", 60),
        (DayCount.THIRTY_360_BOND_BASIS, "2026-01-29", "2026-03-31", 62),
        (DayCount.THIRTY_E_360, "2026-01-29", "2026-03-31", 61),
        (DayCount.THIRTY_365, "2026-01-29", "2026-03-31", 61),
        (DayCount.THIRTY_360_US, "2026-01-29", "2026-03-31", 62),
        (DayCount.THIRTY_360_US, "2025-02-28", "2026-02-28", 360),
        (DayCount.THIRTY_360_US, "2025-02-28", "2025-03-31", 30),
        (DayCount.THIRTY_360_BOND_BASIS, "2025-02-28", "2025-03-31", 33),
    ],
)
def test_days_are_counted_as_the_convention_says(day_count, start, end, days):
    assert day_count_days(day_count, day(start), day(end)) == days


@pytest.mark.parametrize(
    ("end", "termination", "days"),
    [
        pytest.param("2026-02-28", "2026-08-31", 30, id="end of February counts as the thirtieth"),
        pytest.param("2026-02-28", "2026-02-28", 28, id="but not on the termination date"),
        pytest.param("2026-02-27", None, 27, id="no termination date needed elsewhere"),
    ],
)
def test_30e_360_isda_looks_at_the_termination_date(end, termination, days):
    counted = day_count_days(
        DayCount.THIRTY_E_360_ISDA,
        date(2026, 1, 31),
        day(end),
        termination_date=termination and day(termination),
    )

    assert counted == days


@pytest.mark.parametrize(
    ("start", "end", "reference", "isda", "icma", "afb"),
    [
        pytest.param(
            *("2003-11-01", "2004-05-01", ("2003-11-01", "2004-05-01")),
            *(Fraction(61, 365) + Fraction(121, 366), Fraction(1, 2), Fraction(182, 366)),
            id="semi-annual payment",
        ),
        pytest.param(
            *("1999-02-01", "1999-07-01", ("1998-07-01", "1999-07-01")),
            *(Fraction(150, 365), Fraction(150, 365), Fraction(150, 365)),
            id="short first calculation period, one year",
        ),
        pytest.param(
            *("2002-08-15", "2003-07-15", ("2003-01-15", "2003-07-15")),
            *(Fraction(334, 365), Fraction(1, 2) + Fraction(153, 368), Fraction(334, 365)),
            id="long first calculation period, half-years",
        ),
        pytest.param(
            *("2000-01-30", "2000-06-30", ("2000-01-30", "2000-07-30")),
            *(Fraction(152, 366), Fraction(152, 364), Fraction(152, 366)),
            id="short final calculation period",
        ),
    ],
)
def test_the_three_act_act_conventions_on_the_worked_examples(
    start, end, reference, isda, icma, afb
):
    start, end = day(start), day(end)
    period = ReferencePeriod(*map(day, reference))

    assert year_fraction(DayCount.ACT_ACT_ISDA, start, end) == isda
    assert year_fraction(DayCount.ACT_ACT_ICMA, start, end, reference=period) == icma
    assert year_fraction(DayCount.ACT_ACT_AFB, start, end) == afb


@pytest.mark.parametrize(
    ("start", "end", "fraction"),
    [
        pytest.param("1994-02-10", "1997-06-30", 3 + Fraction(140, 365), id="three whole years"),
        pytest.param("1994-02-10", "1994-06-30", Fraction(140, 365), id="no leap day"),
        pytest.param("2004-02-28", "2004-03-01", Fraction(2, 366), id="a leap day inside"),
        pytest.param("2004-02-29", "2004-03-31", Fraction(31, 366), id="from a leap day on"),
        pytest.param("2003-12-01", "2004-02-29", Fraction(90, 365), id="up to a leap day"),
        pytest.param("2000-03-01", "2004-02-28", 3 + Fraction(364, 365), id="after its leap day"),
        pytest.param("2004-02-29", "2005-02-28", Fraction(1), id="back to 29 February"),
    ],
)
def test_afb_counts_whole_years_back_from_the_end(start, end, fraction):
    assert year_fraction(DayCount.ACT_ACT_AFB, day(start), day(end)) == fraction


def bond(*, end_of_month):
    return CouponSchedule(
        issue=date(1999, 5, 31),
        first_coupon=date(1999, 8, 31),
        penultimate_coupon=date(1999, 11, 30),
        maturity=date(2000, 4, 30),
        coupons_per_year=4,
        end_of_month=end_of_month,
    )


@pytest.mark.parametrize(
    ("end_of_month", "fraction"),
    [
        pytest.param(False, Fraction(1, 4) + Fraction(61, 90 * 4), id="29 February to 29 May"),
        pytest.param(True, Fraction(1, 4) + Fraction(61, 92 * 4), id="29 February to 31 May"),
    ],
)
def test_icma_continues_the_rhythm_of_a_bond_over_a_long_last_period(end_of_month, fraction):
    last_period = date(1999, 11, 30), date(2000, 4, 30)

    counted = year_fraction(
        DayCount.ACT_ACT_ICMA, *last_period, reference=bond(end_of_month=end_of_month)
    )

    assert counted == fraction


@given(
    start=dates,
    months=st.sampled_from([1, 2, 3, 4, 6, 12]),
    periods=st.integers(1, 12),
)
def test_a_whole_number_of_coupon_periods_is_that_many_coupons(start, months, periods):
    start = start.replace(day=min(start.day, 28))
    end = months_after(start, months * periods)
    reference = ReferencePeriod(start, months_after(start, months))

    assert year_fraction(DayCount.ACT_ACT_ICMA, start, end, reference=reference) == Fraction(
        months * periods, 12
    )


@pytest.mark.parametrize(
    ("end", "fraction"),
    [
        pytest.param("2026-03-11", Fraction(1, 365), id="one day"),
        pytest.param("2026-09-07", Fraction(181, 365), id="below half a year of days"),
        pytest.param("2026-09-08", Fraction(1, 2) - Fraction(2, 365), id="the coupon less 2 days"),
        pytest.param("2026-09-10", Fraction(1, 2), id="a whole period is exactly one coupon"),
    ],
)
def test_act_365_canadian_pays_whole_coupons_in_full(end, fraction):
    reference = ReferencePeriod(date(2026, 3, 10), date(2026, 9, 10))

    counted = year_fraction(
        DayCount.ACT_365_CANADIAN, date(2026, 3, 10), day(end), reference=reference
    )

    assert counted == fraction


@given(start=dates, length=st.integers(0, 4000), day_count=st.sampled_from(WITH_FIXED_DENOMINATOR))
def test_a_year_fraction_is_accrual_days_over_the_fixed_denominator(start, length, day_count):
    end = start + timedelta(days=length)
    given_too = {"termination_date": end, "calendar": WEEKENDS_ONLY}

    fraction = year_fraction(day_count, start, end, **given_too)

    numerator = accrual_days(day_count, start, end, **given_too)
    assert fraction == Fraction(numerator, accrual_denominator(day_count))


@given(
    start=dates,
    first=st.integers(0, 800),
    second=st.integers(0, 800),
    day_count=st.sampled_from(ADDITIVE),
)
def test_conventions_that_add_up_count_two_parts_as_the_whole(start, first, second, day_count):
    middle = start + timedelta(days=first)
    end = middle + timedelta(days=second)

    def days(since, until):
        return accrual_days(day_count, since, until, calendar=WEEKENDS_ONLY)

    assert days(start, middle) + days(middle, end) == days(start, end)


@given(start=dates, length=st.integers(0, 3000))
def test_act_act_isda_measures_every_day_against_the_year_it_lies_in(start, length):
    end = start + timedelta(days=length)
    one_by_one = sum(
        Fraction(1, 366 if (start + timedelta(n)).year % 4 == 0 else 365) for n in range(length)
    )

    assert year_fraction(DayCount.ACT_ACT_ISDA, start, end) == one_by_one


class TestRefusals:
    """What a convention cannot count, it refuses with the remedy."""

    PERIOD = date(2025, 8, 31), date(2026, 2, 28)

    @pytest.mark.parametrize(
        ("day_count", "need"),
        [
            (DayCount.ACT_ACT_ICMA, "a reference period or coupon schedule"),
            (DayCount.ACT_365_CANADIAN, "a reference period"),
            (DayCount.THIRTY_E_360_ISDA, "the termination date"),
            (DayCount.BUS_252, "a calendar"),
        ],
    )
    def test_what_is_missing_is_named(self, day_count, need):
        with pytest.raises(DayCountNeeds, match=need):
            year_fraction(day_count, *self.PERIOD)

    @pytest.mark.parametrize("end", [date(2025, 9, 5), date(2027, 9, 1)])
    def test_a_canadian_reference_period_is_one_to_twelve_months(self, end):
        reference = ReferencePeriod(date(2025, 8, 31), end)

        with pytest.raises(DayCountNeeds, match="one to twelve months"):
            year_fraction(DayCount.ACT_365_CANADIAN, *self.PERIOD, reference=reference)

    @pytest.mark.parametrize("day_count", WITHOUT_FIXED_DENOMINATOR)
    def test_daily_interest_needs_a_fixed_denominator(self, day_count):
        with pytest.raises(NoFixedDenominator, match="Use one of: ACT/360"):
            accrual_days(day_count, *self.PERIOD)

    @pytest.mark.parametrize("day_count", DayCount)
    def test_a_period_does_not_run_backwards(self, day_count):
        reference = ReferencePeriod(date(2025, 8, 31), date(2026, 2, 28))

        with pytest.raises(PeriodEndsBeforeItStarts, match="Swap the dates"):
            year_fraction(
                day_count,
                date(2026, 1, 2),
                date(2026, 1, 1),
                reference=reference,
                calendar=WEEKENDS_ONLY,
            )

    def test_a_bond_is_not_measured_beyond_its_life(self):
        with pytest.raises(CouponPeriodsImpossible, match="within the life of the bond"):
            year_fraction(
                DayCount.ACT_ACT_ICMA,
                date(1999, 5, 30),
                date(1999, 8, 31),
                reference=bond(end_of_month=True),
            )

    @pytest.mark.parametrize("coupons_per_year", [0, 5, 7])
    def test_coupons_come_every_whole_number_of_months(self, coupons_per_year):
        reference = ReferencePeriod(*self.PERIOD, coupons_per_year)

        with pytest.raises(CouponPeriodsImpossible, match="1, 2, 3, 4, 6 or 12"):
            year_fraction(DayCount.ACT_ACT_ICMA, *self.PERIOD, reference=reference)

    def test_an_unknown_name_is_answered_with_the_known_ones(self):
        assert day_count_named("30/365") is DayCount.THIRTY_365
        with pytest.raises(UnknownDayCount, match=r"'30/360' is unknown.*30/360 Bond Basis"):
            day_count_named("30/360")
