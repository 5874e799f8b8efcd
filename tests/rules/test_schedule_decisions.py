"""Schedules: every decision a product can take about its instalments."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.daycount import DayCount, accrual_days, year_fraction
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.schedule import (
    Accrual,
    InstalmentFormula,
    InterestOn,
    InterestRounding,
    Method,
    MonthEnd,
    ScheduleImpossible,
    ScheduleTerms,
    schedule,
)

MONTHLY = Period(1, PeriodUnit.MONTHS)
TERMS = ScheduleTerms(
    principal_minor=500_000,
    annual_rate=Decimal("0.12"),
    day_count=DayCount.ACT_365F,
    method=Method.EQUAL_INSTALMENTS,
    start=date(2022, 11, 1),
    number_of_periods=18,
    frequency=MONTHLY,
    rounding=Rounding.HALF_EVEN,
    accrual=Accrual.WHOLE_PERIODS,
    interest_rounding=InterestRounding.EACH_PERIOD,
)

monthly_terms = st.builds(
    ScheduleTerms,
    principal_minor=st.integers(10_000, 10**11),
    annual_rate=st.decimals(min_value=0, max_value=1, places=4),
    day_count=st.sampled_from([DayCount.ACT_360, DayCount.ACT_365F, DayCount.THIRTY_E_360]),
    method=st.sampled_from(
        [Method.INTEREST_ONLY, Method.EQUAL_INSTALMENTS, Method.EQUAL_PRINCIPAL]
    ),
    start=st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31)),
    number_of_periods=st.integers(4, 36),
    frequency=st.builds(Period, st.integers(1, 3), st.just(PeriodUnit.MONTHS)),
    rounding=st.sampled_from(Rounding),
    month_end=st.sampled_from(MonthEnd),
    interest_on=st.sampled_from(InterestOn),
    accrual=st.sampled_from(Accrual),
    interest_rounding=st.sampled_from(InterestRounding),
    instalment_formula=st.sampled_from(InstalmentFormula),
    instalment_multiple_minor=st.sampled_from([1, 10, 100]),
    evened=st.booleans(),
    principal_grace_periods=st.integers(0, 3),
    interest_grace_periods=st.integers(0, 3),
    interest_free_periods=st.integers(0, 3),
    down_payment_bps=st.sampled_from([0, 2_500]),
)


def due(rows):
    return [row.due_date.isoformat() for row in rows]


def instalments(rows):
    return [row.principal_minor + row.interest_minor for row in rows]


@settings(max_examples=150, deadline=None)
@given(terms=monthly_terms)
def test_principal_sums_to_the_loan_whatever_the_product_decides(terms):
    rows = schedule(terms)

    assert sum(row.principal_minor for row in rows) == terms.principal_minor
    assert all(row.principal_minor >= 0 and row.interest_minor >= 0 for row in rows)
    assert rows[-1].balance_minor == 0
    balance = terms.principal_minor
    for n, row in enumerate(rows, start=1):
        balance -= row.principal_minor
        assert (row.n, row.balance_minor) == (n, balance)


@settings(max_examples=100, deadline=None)
@given(terms=monthly_terms)
def test_grace_is_kept(terms):
    rows = [row for row in schedule(terms) if row.due_date > terms.start]

    assert not any(row.principal_minor for row in rows[: terms.principal_grace_periods])
    assert not any(row.interest_minor for row in rows[: terms.interest_grace_periods])
    if not terms.interest_grace_periods:
        assert not any(row.interest_minor for row in rows[: terms.interest_free_periods])


@settings(max_examples=100, deadline=None)
@given(terms=monthly_terms)
def test_the_running_total_of_interest_is_that_of_the_whole_life_rounded_once(terms):
    terms = replace(terms, interest_rounding=InterestRounding.RUNNING_TOTAL)
    rows = schedule(terms)
    running = [row for row in rows if row.due_date > terms.start]
    balance = terms.principal_minor - sum(
        row.principal_minor for row in rows if row.due_date == terms.start
    )

    exact = Fraction(0)
    start = terms.start
    for n, row in enumerate(running):
        if terms.accrual is Accrual.WHOLE_PERIODS:
            part = Fraction(terms.frequency.count, 12)
        else:
            part = year_fraction(terms.day_count, terms.start, row.due_date) - year_fraction(
                terms.day_count, terms.start, start
            )
        bears = terms.principal_minor if terms.interest_on is InterestOn.ORIGINAL else balance
        if n >= terms.interest_free_periods:
            exact += bears * part * Fraction(terms.annual_rate)
        balance -= row.principal_minor
        start = row.due_date
    whole = rounded(exact.numerator, exact.denominator, terms.rounding)
    assert sum(row.interest_minor for row in running) == whole


@settings(max_examples=100, deadline=None)
@given(
    principal_minor=st.integers(100_000, 10**10),
    annual_rate=st.decimals(min_value="0.001", max_value="0.6", places=4),
    periods=st.integers(2, 120),
)
def test_the_equal_instalment_is_the_payment_of_spreadsheets(principal_minor, annual_rate, periods):
    terms = replace(
        TERMS,
        principal_minor=principal_minor,
        annual_rate=annual_rate,
        number_of_periods=periods,
        rounding=Rounding.HALF_UP,
    )

    level = instalments(schedule(terms))[0]

    pmt = -pyxirr.pmt(float(annual_rate) / 12, periods, principal_minor)
    assert abs(level - pmt) <= 0.5 + 1e-9 * principal_minor


def test_a_flat_rate_is_charged_on_what_was_paid_out():
    """5,000.00 at 12 % flat over 18 months, in whole units: Apache Fineract, RS01."""
    rows = schedule(replace(TERMS, interest_on=InterestOn.ORIGINAL, instalment_multiple_minor=100))

    assert {row.interest_minor for row in rows} == {5_000}
    assert {row.principal_minor for row in rows[:-1]} == {27_800}
    assert rows[-1].principal_minor == 27_400


def test_a_flat_rate_never_takes_interest_back_for_having_been_rounded_up():
    """0.51 a month on 100.00 at 6.12 ‱ flat, each rounded up to 1: the last owes none, not less."""
    rows = schedule(
        replace(
            TERMS,
            interest_on=InterestOn.ORIGINAL,
            principal_minor=10_000,
            annual_rate=Decimal("0.000612"),
            number_of_periods=6,
        )
    )

    assert [row.interest_minor for row in rows] == [1, 1, 1, 1, 1, 0]


def test_months_of_equal_length_bear_a_twelfth_each_whatever_their_days():
    """Apache Fineract, RS02: 305.00 a month, 50.00 and 47.45 of interest first, 303.22 last."""
    rows = schedule(replace(TERMS, instalment_multiple_minor=100))

    assert set(instalments(rows)[:-1]) == {30_500}
    assert [row.interest_minor for row in rows[:2]] == [5_000, 4_745]
    assert instalments(rows)[-1] == 30_322


def test_daily_interest_over_even_instalments_leaves_the_days_to_the_last():
    """Apache Fineract, RS03: 49.32 and 48.35 of interest first, 302.33 last."""
    rows = schedule(
        replace(
            TERMS,
            accrual=Accrual.DAILY,
            instalment_formula=InstalmentFormula.EVEN_PERIODS,
            instalment_multiple_minor=100,
        )
    )

    assert [row.interest_minor for row in rows[:2]] == [4_932, 4_835]
    assert instalments(rows)[-1] == 30_233


def test_an_instalment_is_rounded_up_to_whole_units_where_the_product_says_so():
    """frappe/lending: 1,000,000 at 13.5 % over 12 months pays 89,553."""
    rows = schedule(
        replace(
            TERMS,
            principal_minor=100_000_000,
            annual_rate=Decimal("0.135"),
            number_of_periods=12,
            instalment_rounding=Rounding.UP,
            instalment_multiple_minor=100,
        )
    )

    assert (rows[0].interest_minor, rows[0].principal_minor) == (1_125_000, 7_830_300)


def test_an_instalment_is_evened_only_when_that_brings_the_last_one_closer():
    """100.00 at 15.678 % over 6 months: 17.43 leaves 17.47, and another cent is no better."""
    terms = replace(
        TERMS,
        principal_minor=10_000,
        annual_rate=Decimal("0.15678"),
        start=date(2024, 1, 1),
        number_of_periods=6,
        accrual=Accrual.DAILY,
    )

    plain, evened = (instalments(schedule(replace(terms, evened=e))) for e in (False, True))
    off_plain, off_evened = (abs(rows[-1] - rows[0]) for rows in (plain, evened))

    assert plain[0] == 1_743
    assert off_evened <= off_plain


@pytest.mark.parametrize(
    ("month_end", "expected"),
    [
        (MonthEnd.LAST_DAY, ["2025-02-28", "2025-03-31", "2025-04-30"]),
        (MonthEnd.FIRST_OF_NEXT, ["2025-03-01", "2025-03-31", "2025-05-01"]),
        (MonthEnd.ALWAYS_LAST_DAY, ["2025-02-28", "2025-03-31", "2025-04-30"]),
    ],
)
def test_months_without_a_thirty_first(month_end, expected):
    terms = replace(TERMS, start=date(2025, 1, 31), number_of_periods=3, month_end=month_end)

    assert due(schedule(terms)) == expected


def test_the_last_day_of_a_month_leads_to_the_last_day_where_that_was_agreed():
    terms = replace(
        TERMS, start=date(2025, 2, 28), number_of_periods=2, month_end=MonthEnd.ALWAYS_LAST_DAY
    )

    assert due(schedule(terms)) == ["2025-03-31", "2025-04-30"]


def test_an_odd_first_period_bears_its_whole_months_and_its_share_of_the_next():
    """From 1 January to 16 February: one month and 15 of 28 days at 1 % a month."""
    rows = schedule(
        replace(
            TERMS,
            method=Method.INTEREST_ONLY,
            start=date(2025, 1, 1),
            first_due_date=date(2025, 2, 16),
            number_of_periods=2,
        )
    )

    assert due(rows) == ["2025-02-16", "2025-03-16"]
    assert [row.interest_minor for row in rows] == [7_679, 5_000]  # 5,000 × (1 + 15/28)


def test_interest_put_off_falls_due_with_the_first_instalment_after_grace():
    rows = schedule(replace(TERMS, interest_on=InterestOn.ORIGINAL, interest_grace_periods=2))

    assert [row.interest_minor for row in rows[:4]] == [0, 0, 15_000, 5_000]


def test_a_down_payment_is_a_row_of_its_own_on_the_first_day():
    """Apache Fineract, C3161: 100.00 at 5 %, 25.00 down, then 15.19 a month."""
    rows = schedule(
        replace(
            TERMS,
            principal_minor=10_000,
            annual_rate=Decimal("0.05"),
            start=date(2024, 1, 1),
            number_of_periods=5,
            down_payment_bps=2_500,
        )
    )

    assert (rows[0].n, rows[0].due_date, rows[0].principal_minor) == (1, date(2024, 1, 1), 2_500)
    assert instalments(rows)[1:] == [1_519, 1_519, 1_519, 1_519, 1_518]


def test_an_agreed_instalment_runs_until_the_last_takes_the_rest():
    rows = schedule(replace(TERMS, number_of_periods=3, agreed_instalment_minor=100_000))

    assert instalments(rows)[:2] == [100_000, 100_000]
    assert rows[-1].balance_minor == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number_of_periods": 0}, "0 periods were asked for"),
        ({"number_of_periods": 10_000}, "Give 1 to 1200 periods"),
        ({"agreed_instalment_minor": 5_000}, "the balance would never fall. Agree an instalment"),
        ({"first_due_date": date(2022, 11, 1)}, "is not after the start"),
        ({"first_due_date": date(2022, 10, 1)}, "Give a later first due date"),
        ({"principal_grace_periods": 18}, "Give 0 to 17"),
        ({"interest_grace_periods": -1}, "interest_grace_periods is -1"),
        ({"interest_free_periods": 19}, "Give 0 to 18"),
        ({"instalment_multiple_minor": 0}, "a multiple of 1 or more"),
        ({"down_payment_bps": 10_000}, "0 to 9999"),
        (
            {"method": Method.EQUAL_PRINCIPAL, "agreed_instalment_minor": 50_000},
            "or no agreed instalment",
        ),
        (
            {
                "number_of_periods": None,
                "maturity": date(2023, 1, 1),
                "first_due_date": date(2024, 1, 1),
            },
            "is after the maturity",
        ),
    ],
)
def test_terms_that_make_no_schedule_are_refused_with_a_remedy(changes, message):
    with pytest.raises(ScheduleImpossible, match=message):
        schedule(replace(TERMS, **changes))


def test_a_bullet_has_no_first_due_date():
    bullet = replace(
        TERMS, method=Method.BULLET, number_of_periods=None, maturity=date(2023, 11, 1)
    )

    with pytest.raises(ScheduleImpossible, match="maturity only"):
        schedule(replace(bullet, first_due_date=date(2023, 1, 1)))


def test_actual_days_can_belong_to_the_year_they_end_in():
    """12 December 2023 to 12 January 2024: 19 days of 365 and 12 of 366."""
    start, end = date(2023, 12, 12), date(2024, 1, 12)

    assert accrual_days(DayCount.ACT_ACT_LAST_DAY, start, end) == 19 * 366 + 12 * 365
    assert year_fraction(DayCount.ACT_ACT_LAST_DAY, start, end) == Fraction(19, 365) + Fraction(
        12, 366
    )
    assert year_fraction(DayCount.ACT_364, date(2024, 1, 1), date(2024, 1, 15)) == Fraction(14, 364)
