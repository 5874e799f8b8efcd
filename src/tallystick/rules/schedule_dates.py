"""When instalments fall due: whole periods from an anchor, moved to business days.

Dates are always counted from the anchor and never from each other, so that 31 January leads to
28 February and then to 31 March.
"""

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from tallystick.rules.calendars import (
    Adjustment,
    Calendar,
    Period,
    PeriodUnit,
    adjusted,
    last_day_of_month,
    shifted,
)
from tallystick.rules.refusal import Refusal

MAX_PERIODS = 1_200
"""A hundred years of months: beyond it a schedule is a mistake of typing."""

# A book starts thousands of loans on one day with one tenor; their dates are found once.
_REMEMBERED = 4_096


class MonthEnd(StrEnum):
    """On which day a month too short for the anchor's day has its instalment."""

    LAST_DAY = "last_day"
    """On its last day: 31 January, 28 February, 31 March."""
    FIRST_OF_NEXT = "first_of_next"
    """On the first day of the next month: 31 January, 1 March, 31 March."""
    ALWAYS_LAST_DAY = "always_last_day"
    """As ``last_day``; and from the last day of a month always to the last day of another."""


class DatePlan(NamedTuple):
    """What due dates are made from; a tuple, because it is the key that they are found by.

    ``first_due_date`` is the anchor of all later ones; without it they are counted from
    ``start``. Exactly one of ``maturity`` (the last period may be shorter) and
    ``number_of_periods`` is given; without ``frequency`` maturity is the only due date.
    """

    start: date
    first_due_date: date | None
    maturity: date | None
    number_of_periods: int | None
    frequency: Period | None
    month_end: MonthEnd
    calendar: Calendar
    adjustment: Adjustment


class ScheduleImpossible(Refusal):
    """The terms describe no schedule."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(f"No schedule can be made: {fault}. {remedy}")


@lru_cache(maxsize=_REMEMBERED)
def due_dates(plan: DatePlan) -> tuple[date, ...]:
    """Adjusted due dates in order; instalments that meet on one business day become one.

    Raises ScheduleImpossible.
    """
    try:
        nominal_dates = _nominal_dates(plan)
    except (OverflowError, ValueError):
        raise ScheduleImpossible(
            "its due dates lie beyond the year 9999", "Shorten the frequency or the life."
        ) from None
    moved = {adjusted(plan.calendar, day, plan.adjustment).date for day in nominal_dates}
    after_start = sorted(day for day in moved if day > plan.start)
    if not after_start:
        raise ScheduleImpossible(
            f"every due date is adjusted to the start {plan.start} or before",
            "Give a longer life or another adjustment.",
        )
    return tuple(after_start)


def periods_after(
    anchor: date, frequency: Period, count: int, month_end: MonthEnd, calendar: Calendar
) -> date:
    """The day ``count`` whole periods after ``anchor``, before any adjustment."""
    whole = Period(count * frequency.count, frequency.unit)
    match frequency.unit:
        case PeriodUnit.YEARS:
            return _months_after(anchor, 12 * whole.count, month_end)
        case PeriodUnit.MONTHS:
            return _months_after(anchor, whole.count, month_end)
        case _:
            return shifted(calendar, anchor, whole, Adjustment.UNADJUSTED).date


def _months_after(anchor: date, months: int, month_end: MonthEnd) -> date:
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    if month_end is MonthEnd.ALWAYS_LAST_DAY and anchor == last_day_of_month(anchor):
        return date(year, month + 1, last)
    if anchor.day <= last:
        return date(year, month + 1, anchor.day)
    if month_end is MonthEnd.FIRST_OF_NEXT:
        return date(year, month + 1, last) + timedelta(days=1)
    return date(year, month + 1, last)


def _nominal_dates(plan: DatePlan) -> list[date]:
    """Due dates as agreed, before adjustment: whole periods from the anchor, then maturity."""
    if plan.frequency is None:
        return [plan.maturity] if plan.maturity else []
    anchor = plan.first_due_date or plan.start
    first = 0 if plan.first_due_date else 1
    dates: list[date] = []
    for n in range(first, first + MAX_PERIODS):
        day = periods_after(anchor, plan.frequency, n, plan.month_end, plan.calendar)
        if plan.maturity is not None and day >= plan.maturity:
            return [*dates, plan.maturity]
        dates.append(day)
        if len(dates) == plan.number_of_periods:
            return dates
    raise ScheduleImpossible(
        f"it would have more than {MAX_PERIODS} instalments", "Lengthen the frequency."
    )
