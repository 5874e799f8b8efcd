"""How a drawdown comes back: how many instalments, on which days, and what a file may say."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment, period_of
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import Keeps
from tallystick.rules.pricing import price_of_instalments
from tallystick.rules.programme import (
    InvalidProgramme,
    ProgrammeTerms,
    read_programmes,
    stored_programme,
)
from tallystick.rules.repayment import AT_ONCE, RepaymentTerms, instalments, nearest_periods
from tallystick.rules.schedule import Method

JD = Path(__file__).parents[2] / "src/tallystick/programmes/jd.toml"
MONTHLY = period_of("1M")
START = date(2026, 3, 2)

BAND = """[[jd.jingbaobei.price.penalty_bands]]
days_past_due = 31
daily_rate = "0.0002"
source = "illustrative"

"""

REPAYMENT = """
[jd.jingbaobei.repayment]
method = "equal_instalments"
every = "1M"
prepaid_keeps = "term"

[jd.jingbaobei.repayment.sources]
method = "illustrative"
every = "illustrative"
prepaid_keeps = "illustrative"
"""


def programme(*changes: tuple[str, str], added: str = "") -> ProgrammeTerms:
    text = JD.read_text(encoding="utf-8") + added
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (read,) = read_programmes(text, file="jd.toml", defined_on=date(2026, 3, 2))
    return read


def agreed(method: Method, *, tenor_days: int = 92, amount_minor: int = 3_600_000):
    return instalments(
        RepaymentTerms(method, MONTHLY, None),
        amount_minor=amount_minor,
        annual_rate=Decimal("0.10"),
        day_count=DayCount.ACT_360,
        drawn_date=START,
        tenor_days=tenor_days,
        max_tenor_days=400,
        calendar=WEEKENDS_ONLY,
        adjustment=Adjustment.FOLLOWING,
    )


def test_a_file_that_says_nothing_means_one_payment():
    assert programme().repayment == AT_ONCE


def test_a_file_says_method_frequency_and_what_a_prepayment_keeps():
    read = programme(added=REPAYMENT).repayment

    assert read == RepaymentTerms(Method.EQUAL_INSTALMENTS, MONTHLY, Keeps.TERM)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('every = "1M"', 'every = "monthly"', 'such as "1M" for a month'),
        ('every = "1M"', 'every = "4M"', "after the longest tenor of 90 days"),
        ('method = "equal_instalments"', 'method = "annuity"', "equal_instalments"),
        ('prepaid_keeps = "term"', 'prepaid_keeps = "all"', "instalment; term"),
    ],
)
def test_what_makes_no_schedule_is_refused_when_the_programme_is_defined(old, new, said):
    with pytest.raises(InvalidProgramme, match=said):
        programme((old, new), added=REPAYMENT)


def test_more_instalments_than_a_schedule_can_have_are_refused_with_the_programme():
    with pytest.raises(InvalidProgramme, match="more than 1200 instalments"):
        programme(
            ('every = "1M"', 'every = "1D"'),
            ("max_tenor_days = 90", "max_tenor_days = 3000"),
            added=REPAYMENT,
        )


@pytest.mark.parametrize(
    ("tenor_days", "periods"),
    # From 2 March: one month is 31 days, two are 61, three 92, twelve 365.
    [(1, 1), (31, 1), (46, 1), (47, 2), (61, 2), (92, 3), (100, 3), (365, 12)],
)
def test_there_are_as_many_instalments_as_come_nearest_to_the_days_asked_for(tenor_days, periods):
    assert nearest_periods(MONTHLY, START, tenor_days=tenor_days, max_tenor_days=365) == periods


@settings(max_examples=60, deadline=None)
@given(tenor=st.integers(1, 700), longest=st.integers(40, 700), every=st.sampled_from("DWM"))
def test_no_instalment_falls_due_after_the_longest_tenor_but_the_first(tenor, longest, every):
    period = period_of(f"7{every}" if every == "D" else f"1{every}")
    periods = nearest_periods(period, START, tenor_days=min(tenor, longest), max_tenor_days=longest)
    days = {"D": 7, "W": 7, "M": 28}[every]
    assert periods == 1 or periods * days <= longest


@pytest.mark.parametrize("method", [Method.EQUAL_INSTALMENTS, Method.EQUAL_PRINCIPAL])
def test_a_price_of_instalments_names_every_payment_and_their_interest_sums(method):
    found = agreed(method)

    price = price_of_instalments(3_600_000, found.rows, drawn_date=START, fees_minor=5_000)

    # 2 May 2026 is a Saturday.
    assert [payment.due_date for payment in price.payments] == [
        date(2026, 4, 2),
        date(2026, 5, 4),
        date(2026, 6, 2),
    ]
    assert sum(payment.principal_minor for payment in price.payments) == 3_600_000
    assert [payment.fees_minor for payment in price.payments] == [5_000, 0, 0]
    assert price.interest_minor == sum(row.interest_minor for row in found.rows)
    assert price.total_minor == sum(payment.total_minor for payment in price.payments)
    assert price.days == (date(2026, 6, 2) - START).days


def test_equal_principal_at_10_per_cent_costs_what_is_worked_out_by_hand():
    # 36,000.00 for 31 days, 24,000.00 for 32, 12,000.00 for 29, at 10 % of a year of 360 days.
    rows = agreed(Method.EQUAL_PRINCIPAL).rows

    assert [row.interest_minor for row in rows] == [31_000, 21_333, 9_667]
    assert [row.principal_minor for row in rows] == [1_200_000] * 3


def test_penalties_are_given_a_year_a_day_or_as_a_multiple_with_grace_and_bands():
    yearly = programme().price.penalty
    daily = programme(
        ('penalty_rate = "0.05"  # on', 'penalty_daily_rate = "0.0001"  # on'),
        ('penalty_rate = "illustrative: half', 'penalty_daily_rate = "illustrative: half'),
    ).price.penalty
    multiple = programme(
        ('penalty_rate = "0.05"  # on', 'penalty_grace_days = 3\npenalty_multiple = "1.5"  # on'),
        (
            'penalty_rate = "illustrative: half',
            'penalty_grace_days = "illustrative"\npenalty_multiple = "illustrative: half',
        ),
        (
            "[jd.jingbaobei.drawdown]",
            BAND + "[jd.jingbaobei.drawdown]",
        ),
    ).price.penalty

    assert yearly.rate_on_top(Decimal("0.10")) == Decimal("0.05")
    assert daily.rate_on_top(Decimal("0.10")) == Decimal("0.036")
    assert multiple.rate_on_top(Decimal("0.10")) == Decimal("0.05")
    assert (multiple.grace_days, multiple.bands[0].days_past_due) == (3, 31)
    assert multiple.bands[0].rate == Decimal("0.072")
    assert multiple.highest_on_top(Decimal("0.10")) == Decimal("0.072")


def test_a_penalty_given_twice_is_refused_with_the_line():
    with pytest.raises(InvalidProgramme, match=r"penalty_multiple.*Give one of"):
        programme(
            ('penalty_rate = "0.05"  # on', 'penalty_multiple = "1.5"\npenalty_rate = "0.05"  # on')
        )


def test_what_is_stored_of_a_programme_reads_the_same_again():
    first = programme(added=REPAYMENT)

    stored = stored_programme(first.code, json.loads(json.dumps(first.content)))

    assert (stored.repayment, stored.price) == (first.repayment, first.price)
