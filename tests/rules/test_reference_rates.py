"""Floating rates: values as published, resets, gaps, and the real loan prime rate."""

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.daycount import DayCount
from tallystick.rules.loan import fold
from tallystick.rules.loan_events import EventKind, InvalidRate, LoanEvent
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.reference_rates import (
    MAX_AGE_DAYS,
    Fixing,
    FloatingTerms,
    InvalidFloatingTerms,
    InvalidRateSeries,
    NoReferenceRate,
    RateSeries,
    Reset,
    rate_change_events,
    rate_on,
    rate_resets,
    read_rate_series,
    reset_dates,
    with_spread,
)
from tallystick.rules.schedule import Method

LPR = RateSeries(
    "lpr_1y",
    (
        Fixing(date(2024, 9, 20), Decimal("0.0335")),
        Fixing(date(2024, 10, 21), Decimal("0.0310")),
        Fixing(date(2024, 11, 20), Decimal("0.0310")),
        Fixing(date(2024, 12, 20), Decimal("0.0310")),
        Fixing(date(2025, 1, 20), Decimal("0.0310")),
    ),
)
PLUS_SIX = FloatingTerms("lpr_1y", 600, Reset.MONTHLY)


@pytest.mark.parametrize(
    ("reference_rate", "spread_bps", "annual_rate"),
    [("0.043", 60, "0.049"), ("0.043", -20, "0.041"), ("0.03", -300, "0")],
)
def test_the_spread_is_added_in_basis_points_exactly(reference_rate, spread_bps, annual_rate):
    """The first two pairs: reference case CNL-08, 4.3 % plus 60 and minus 20 basis points."""
    assert with_spread(Decimal(reference_rate), spread_bps) == Decimal(annual_rate)


def test_a_rate_below_nothing_is_refused():
    with pytest.raises(InvalidRate, match="plus spread"):
        with_spread(Decimal("0.03"), -301)


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        pytest.param(date(2024, 10, 20), "0.0335", id="the day before a publication: the old one"),
        pytest.param(date(2024, 10, 21), "0.0310", id="the day of a publication: the new one"),
        pytest.param(date(2025, 1, 1), "0.0310", id="between two: the one before"),
    ],
)
def test_a_value_holds_from_its_publication_until_the_next(day, rate):
    assert LPR.fixing_on(day).rate == Decimal(rate)
    assert rate_on(LPR, PLUS_SIX, day).annual_rate == Decimal(rate) + Decimal("0.06")


@pytest.mark.parametrize(
    ("series", "day", "says"),
    [
        pytest.param(LPR, date(2024, 9, 19), "its first value is of 2024-09-20", id="too early"),
        pytest.param(LPR, date(2025, 3, 7), "a publication is missing", id="after the last"),
        pytest.param(
            RateSeries("lpr_1y", LPR.fixings[:1] + LPR.fixings[3:]),
            date(2024, 11, 5),
            "a publication is missing",
            id="in a gap",
        ),
        pytest.param(RateSeries("lpr_1y", ()), date(2025, 1, 1), "none", id="an empty series"),
    ],
)
def test_a_day_without_a_usable_value_is_refused(series, day, says):
    with pytest.raises(NoReferenceRate, match=says) as refused:
        series.fixing_on(day)
    assert refused.value.day == day


@pytest.mark.parametrize(
    ("reset", "dates"),
    [
        (Reset.NONE, []),
        (Reset.MONTHLY, ["2024-02-29", "2024-03-31", "2024-04-30"]),
        (Reset.QUARTERLY, ["2024-04-30"]),
        (Reset.ANNIVERSARY, []),
        (Reset.NEW_YEAR, []),
    ],
)
def test_reset_dates_keep_to_the_end_of_the_month(reset, dates):
    found = reset_dates(reset, start_date=date(2024, 1, 31), end_date=date(2024, 5, 31))

    assert [day.isoformat() for day in found] == dates


def test_yearly_resets_come_on_the_anniversary_or_with_the_new_year():
    life = {"start_date": date(2024, 2, 29), "end_date": date(2026, 3, 1)}

    assert reset_dates(Reset.ANNIVERSARY, **life) == [date(2025, 2, 28), date(2026, 2, 28)]
    assert reset_dates(Reset.NEW_YEAR, **life) == [date(2025, 1, 1), date(2026, 1, 1)]


def test_only_resets_that_change_the_rate_become_events():
    resets = rate_resets(LPR, PLUS_SIX, start_date=date(2024, 9, 25), end_date=date(2025, 1, 26))

    assert [(each.reset_date, each.annual_rate) for each in resets] == [
        (date(2024, 9, 25), Decimal("0.0935")),
        (date(2024, 10, 25), Decimal("0.0910")),
    ]
    (event,) = rate_change_events(resets, first_id=7)
    assert (event.event_id, event.kind, event.value_date, event.booking_date) == (
        7,
        EventKind.RATE_CHANGED,
        date(2024, 10, 25),
        date(2024, 10, 25),
    )


def test_a_floating_loan_accrues_each_days_rate():
    terms = LoanTerms(
        currency="CNY",
        principal_minor=36_000_000,
        annual_rate=Decimal("0.0935"),
        day_count=DayCount.ACT_360,
        method=Method.BULLET,
        start=date(2024, 9, 25),
        maturity=date(2024, 12, 24),
    )
    resets = rate_resets(LPR, PLUS_SIX, start_date=terms.start, end_date=terms.maturity)
    payout = LoanEvent(1, EventKind.DISBURSED, terms.start, terms.start, amount_minor=36_000_000)

    state = fold(
        terms,
        [payout, *rate_change_events(resets, first_id=2)],
        on=terms.maturity,
        known_on=date.max,
    )

    # 360,000.00 at 9.35 % for 30 days and at 9.10 % for 60: 2,805.00 + 5,460.00.
    assert state.balances.interest_accrued_minor == 826_500


def test_a_reference_rate_has_a_plain_name_and_a_spread_within_reason():
    with pytest.raises(InvalidFloatingTerms, match="small letters"):
        FloatingTerms("LPR 1Y", 0, Reset.NONE)
    with pytest.raises(InvalidFloatingTerms, match="spread_bps is 10001"):
        FloatingTerms("lpr_1y", 10_001, Reset.NONE)


def test_a_file_holds_one_series_in_each_column():
    text = "publish_date,lpr_1y_pct,zero_pct\n2024-10-21,3.10,0\n2024-09-20,3.35,0.00\n"

    one, zero = read_rate_series(text, file="lpr.csv")

    assert one == RateSeries("lpr_1y", LPR.fixings[:2])
    assert [fixing.rate for fixing in zero.fixings] == [0, 0]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["line 1, line = '': Begin with"]),
        ("publish_date\n2024-01-01\n", ["Begin with"]),
        ("publish_date,lpr_pct\n", ["holds no values"]),
        ("publish_date,LPR\n2024-01-01,3\n", ["Name each series once"]),
        ("publish_date,a_pct,a_pct\n2024-01-01,3,3\n", ["Name each series once"]),
        ('publish_date,a_pct\n"2024-01-01,3\n', ["not CSV"]),
        (
            "publish_date,a_pct\n2024-02-30,3\n2024-01-01,3,4\n2024-01-02,x\n2024-01-02,3\n",
            ["line 2, publish_date", "line 3, line", "line 4, a_pct = 'x'", "Line 4 has that day"],
        ),
        ("publish_date,a_pct\n2024-01-01,-1\n2024-01-02,1e3\n", ["line 2", "line 3"]),
    ],
)
def test_everything_wrong_in_a_file_is_named_with_its_line(text, faults):
    with pytest.raises(InvalidRateSeries) as refused:
        read_rate_series(text, file="lpr.csv")

    assert len(refused.value.errors) == len(faults)
    for error, fault in zip(refused.value.errors, faults, strict=True):
        assert fault in str(error)


@given(
    values=st.lists(st.integers(0, 100_000), min_size=2, max_size=30),
    day=st.integers(0, 30 * 40),
)
def test_the_value_of_a_day_is_the_last_one_published_by_then(values, day):
    first = date(2020, 1, 20)
    fixings = tuple(
        Fixing(date.fromordinal(first.toordinal() + 31 * n), Decimal(value).scaleb(-6))
        for n, value in enumerate(values)
    )
    on = date.fromordinal(first.toordinal() + day)
    earlier = [each for each in fixings if each.publish_date <= on]
    series = RateSeries("any", fixings)

    if (on - earlier[-1].publish_date).days > MAX_AGE_DAYS:
        with pytest.raises(NoReferenceRate):
            series.fixing_on(on)
    else:
        assert series.fixing_on(on) == earlier[-1]


REAL = Path(__file__).parents[2].parent / "shared" / "data" / "calendar" / "cn_lpr.csv"


@pytest.mark.skipif(
    not REAL.exists() and not os.environ.get("CI"), reason="the real series is not here"
)
def test_the_real_loan_prime_rates():
    one, five = read_rate_series(REAL.read_text(encoding="utf-8"), file=REAL.name)

    assert (one.name, five.name, len(one.fixings)) == ("lpr_1y", "lpr_5y", 85)
    assert one.fixing_on(date(2019, 8, 20)).rate == Decimal("0.0425")
    assert one.fixing_on(date(2022, 8, 21)).rate == Decimal("0.0370")
    assert one.fixing_on(date(2022, 8, 22)).rate == Decimal("0.0365")
    assert five.fixing_on(date(2024, 2, 20)).rate == Decimal("0.0395")
    # Monthly without a gap: every day until the last value has grown old has one.
    for fixing, following in zip(one.fixings, one.fixings[1:], strict=False):
        assert (following.publish_date - fixing.publish_date).days <= MAX_AGE_DAYS
    resets = rate_resets(
        one,
        FloatingTerms("lpr_1y", 100, Reset.NEW_YEAR),
        start_date=date(2021, 6, 1),
        end_date=date(2026, 6, 1),
    )
    assert [(each.reset_date.year, each.annual_rate) for each in resets] == [
        (2021, Decimal("0.0485")),
        (2022, Decimal("0.0480")),
        (2023, Decimal("0.0465")),
        (2024, Decimal("0.0445")),
        (2025, Decimal("0.0410")),
        (2026, Decimal("0.0400")),
    ]
