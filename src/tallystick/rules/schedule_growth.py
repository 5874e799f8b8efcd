"""What part of a year each period of a schedule bears interest for.

Parts are whole numbers over one denominator, so that interest stays a sum of integers.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import lcm
from typing import NamedTuple

from tallystick.rules.calendars import WEEKENDS_ONLY, Period, PeriodUnit
from tallystick.rules.daycount import DayCount, accrual_days, accrual_denominator
from tallystick.rules.schedule_dates import DatePlan, MonthEnd, due_dates, periods_after

_REMEMBERED = 4_096


class Accrual(StrEnum):
    """How long a period bears interest."""

    DAILY = "daily"
    """For its days, by the day count."""
    WHOLE_PERIODS = "whole_periods"
    """For its share of a year whatever its days: a month is a twelfth, a week a fifty-second."""


class Growth(NamedTuple):
    """Parts of a year, one for each due date, each to be divided by ``denominator``."""

    dates: tuple[date, ...]
    parts: tuple[int, ...]
    denominator: int


@lru_cache(maxsize=_REMEMBERED)
def growth(plan: DatePlan, day_count: DayCount, accrual: Accrual) -> Growth:
    """The part of a year that each period of ``plan`` bears interest for.

    Days are counted from the start of the loan: some conventions with months of thirty days do
    not add up over parts of a period, and counted from the start they do.

    Raises ScheduleImpossible, NoFixedDenominator and DayCountNeeds.
    """
    dates = due_dates(plan)
    if accrual is Accrual.DAILY or plan.frequency is None:
        days_to = [
            accrual_days(
                day_count, plan.start, day, termination_date=dates[-1], calendar=plan.calendar
            )
            for day in (plan.start, *dates)
        ]
        parts = tuple(later - earlier for earlier, later in pairwise(days_to))
        return Growth(dates, parts, accrual_denominator(day_count))
    whole = even_part(plan.frequency, day_count, accrual, start=plan.start)
    shares = [count * whole for count in _period_counts(plan, dates)]
    denominator = lcm(*(share.denominator for share in shares))
    return Growth(dates, tuple(int(share * denominator) for share in shares), denominator)


def even_part(frequency: Period, day_count: DayCount, accrual: Accrual, *, start: date) -> Fraction:
    """The part of a year that one whole period is, where all are taken to be equally long.

    Where interest is daily, a month is as long as the one that the loan starts in; days are
    counted in the day count's year.
    """
    if accrual is Accrual.DAILY:
        first = start
        if frequency.unit in (PeriodUnit.MONTHS, PeriodUnit.YEARS):
            first = start.replace(day=1)
        end = periods_after(first, frequency, 1, MonthEnd.LAST_DAY, WEEKENDS_ONLY)
        return Fraction(accrual_days(day_count, first, end), accrual_denominator(day_count))
    match frequency.unit:
        case PeriodUnit.YEARS:
            return Fraction(frequency.count)
        case PeriodUnit.MONTHS:
            return Fraction(frequency.count, 12)
        case PeriodUnit.WEEKS:
            return Fraction(frequency.count, 52)
        case PeriodUnit.DAYS | PeriodUnit.BUSINESS_DAYS:
            return Fraction(frequency.count, accrual_denominator(day_count))


def _period_counts(plan: DatePlan, dates: Sequence[date]) -> list[Fraction]:
    """How many whole periods lie between due dates: one, but for an odd first or last."""
    counts = [Fraction(1)] * len(dates)
    if plan.first_due_date is not None:
        counts[0] = periods_between(plan, plan.start, plan.first_due_date)
    if plan.maturity is not None:
        regular = DatePlan(
            plan.start,
            plan.first_due_date,
            None,
            len(dates),
            plan.frequency,
            plan.month_end,
            plan.calendar,
            plan.adjustment,
        )
        before = dates[-2] if len(dates) > 1 else plan.start
        length = (due_dates(regular)[-1] - before).days
        counts[-1] = Fraction((dates[-1] - before).days, length)
    return counts


def periods_between(plan: DatePlan, start: date, end: date) -> Fraction:
    """Whole periods from ``start`` to ``end``, the rest as its share of the days of the next."""
    assert plan.frequency is not None
    whole = 0
    reached = start
    while True:
        following = periods_after(start, plan.frequency, whole + 1, plan.month_end, plan.calendar)
        if following > end:
            return whole + Fraction((end - reached).days, (following - reached).days)
        whole += 1
        reached = following
