"""How many repayment schedules one core makes in a second, with the function everybody calls.

Each loan has a principal and a rate of its own. Loans of one day and one tenor share their due
dates, as a book's do, so that those are found once; the second figure takes that away.
"""

import time
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from tallystick.lab.bench.figures import Figure
from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.daycount import DayCount
from tallystick.rules.schedule import Method, ScheduleTerms, schedule

FIRST_DAY = date(2026, 1, 1)
MIN_A_SECOND = 50_000
ROUNDS = 5


def measure(*, loans: int) -> list[Figure]:
    """Annuities of twelve months a second of processor time, the best of some rounds."""
    of_a_month = _book(loans, days=30)
    of_days_apart = _book(min(loans, 20_000), days=20_000)
    return [
        Figure(
            "12-period annuities of a month's loans, one core",
            _speed(of_a_month),
            "/s",
            MIN_A_SECOND,
            at_most=False,
        ),
        Figure("the same, no two with the same first day", _speed(of_days_apart), "/s"),
    ]


def _book(loans: int, *, days: int) -> list[ScheduleTerms]:
    return [
        ScheduleTerms(
            principal_minor=1_000_000 + 37 * n,
            annual_rate=Decimal(500 + n % 300) / 10_000,
            day_count=DayCount.ACT_365F,
            method=Method.EQUAL_INSTALMENTS,
            start=FIRST_DAY + timedelta(days=n % days),
            number_of_periods=12,
            frequency=Period(1, PeriodUnit.MONTHS),
        )
        for n in range(loans)
    ]


def _speed(book: Sequence[ScheduleTerms]) -> float:
    """Schedules a second of processor time, so that others at work do not count."""
    return max(_one_round(book) for _ in range(ROUNDS))


def _one_round(book: Sequence[ScheduleTerms]) -> float:
    began = time.process_time()
    for terms in book:
        schedule(terms)
    return len(book) / (time.process_time() - began)
