"""How an advance stands to its least pace between the ends of its periods."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.sales_pace import (
    Cash,
    PaceCounts,
    PaceState,
    PaceTerms,
    next_judgement_date,
    pace_periods,
    pace_standing,
    slowest_days,
)

START = date(2026, 1, 1)
TEN_DAYS = Period(10, PeriodUnit.DAYS)


def day(n: int) -> date:
    return START + timedelta(days=n)


def standing(terms: PaceTerms, *cash: tuple[int, int], on: int):
    received = [Cash(day(n), amount_minor) for n, amount_minor in cash]
    periods = pace_periods(terms, payable_minor=600, payout_date=START, cash=received, on=day(on))
    return pace_standing(terms, periods, received, on=day(on))


@pytest.mark.parametrize(
    ("counts", "cash", "on", "expected"),
    [
        pytest.param(
            PaceCounts.SINCE_PAYOUT, [], 8, (PaceState.KEPT, None, 0), id="first period runs"
        ),
        pytest.param(
            PaceCounts.SINCE_PAYOUT,
            [(3, 40)],
            9,
            (PaceState.BREACHED, day(9), 60),
            id="its last day came short",
        ),
        pytest.param(
            PaceCounts.SINCE_PAYOUT,
            [(3, 40), (12, 59)],
            15,
            (PaceState.BREACHED, day(9), 1),
            id="not all of it was caught up",
        ),
        pytest.param(
            PaceCounts.SINCE_PAYOUT,
            [(3, 40), (12, 60)],
            15,
            (PaceState.KEPT, None, 0),
            id="all of it was",
        ),
        pytest.param(
            PaceCounts.SINCE_PAYOUT,
            [],
            29,
            (PaceState.BREACHED, day(9), 300),
            id="three milestones: the last holds those before",
        ),
        pytest.param(
            PaceCounts.WITHIN_PERIOD,
            [(12, 30)],
            29,
            (PaceState.BREACHED, day(9), 270),
            id="three periods apart: what each lacks adds up",
        ),
    ],
)
def test_what_periods_lack_has_to_be_caught_up(counts, cash, on, expected):
    terms = PaceTerms(TEN_DAYS, Fraction(1, 6), counts)

    assert tuple(standing(terms, *cash, on=on)) == expected


def test_the_next_day_to_look_is_a_checkpoint_or_the_end_of_a_period():
    terms = PaceTerms(
        TEN_DAYS,
        Fraction(1, 6),
        grace_days=5,
        check_every=Period(4, PeriodUnit.DAYS),
        check_share=Fraction(1, 3),
    )
    days = []
    on = START
    while len(days) < 5:
        on = next_judgement_date(terms, payout_date=START, on=on)
        days.append((on - START).days)

    # The first period is days 5 to 14, with checkpoints 4 and 8 days after its first.
    assert days == [9, 13, 14, 19, 23]


def test_the_least_pace_says_how_long_an_advance_can_take():
    assert slowest_days(PaceTerms(Period(60, PeriodUnit.DAYS), Fraction(1, 6))) == 360
    assert (
        slowest_days(PaceTerms(Period(1, PeriodUnit.MONTHS), Fraction(2, 7), grace_days=3)) == 123
    )
