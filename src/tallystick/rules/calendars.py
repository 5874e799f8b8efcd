"""Business days: a calendar is a value, and due dates move by it.

The calendars of some countries are published a year at a time. Beyond the last published day the
weekend rule holds, and every date that a later publication could move is marked provisional.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tallystick.rules.refusal import Refusal

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The business days of one market.

    ``weekend`` holds weekdays, 0 for Monday to 6 for Sunday. ``holidays`` are closed whatever the
    weekday; ``working_weekends`` are weekend days on which business is done. ``last_known_date``
    is the last day published, or None for a calendar made by rule, which is known for ever.
    """

    name: str
    weekend: frozenset[int]
    holidays: frozenset[date]
    working_weekends: frozenset[date]
    last_known_date: date | None

    def is_known(self, day: date) -> bool:
        """True where ``day`` has been published."""
        return self.last_known_date is None or day <= self.last_known_date


class NotAPeriod(Refusal):
    """A text that is to say how long a time is, and does not."""


WEEKENDS_ONLY = Calendar(
    name="weekends only",
    weekend=frozenset({5, 6}),
    holidays=frozenset(),
    working_weekends=frozenset(),
    last_known_date=None,
)


class Adjustment(StrEnum):
    """Where a date moves that falls on a day without business (ISDA 2006 Definitions, 4.12)."""

    UNADJUSTED = "unadjusted"
    FOLLOWING = "following"
    """To the next business day."""
    MODIFIED_FOLLOWING = "modified_following"
    """To the next business day, but back rather than into another month."""
    HALF_MONTH_MODIFIED_FOLLOWING = "half_month_modified_following"
    """As modified following, and also back rather than over the fifteenth of the month."""
    PRECEDING = "preceding"
    """To the business day before."""
    MODIFIED_PRECEDING = "modified_preceding"
    """To the business day before, but forward rather than into another month."""
    NEAREST = "nearest"
    """To the closest business day; forward when both sides are equally far."""


class PeriodUnit(StrEnum):
    """What a period counts."""

    BUSINESS_DAYS = "business_days"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True, slots=True)
class Period:
    """A length of calendar time, backwards when ``count`` is below zero."""

    count: int
    unit: PeriodUnit


_PERIOD = re.compile(r"([1-9][0-9]{0,3})([DWMY])")
_UNITS = {
    "D": PeriodUnit.DAYS,
    "W": PeriodUnit.WEEKS,
    "M": PeriodUnit.MONTHS,
    "Y": PeriodUnit.YEARS,
}


def period_of(written: str) -> Period:
    """A period as it is written in files: ``1M`` is a month, ``2W`` two weeks.

    Raises NotAPeriod.
    """
    match = _PERIOD.fullmatch(written)
    if match is None:
        raise NotAPeriod(
            f"{written!r} is no length of time. "
            'Give a number of D, W, M or Y, such as "1M" for a month.'
        )
    return Period(int(match[1]), _UNITS[match[2]])


def period_written(period: Period) -> str:
    """The period as ``period_of`` reads it; business days are not written so."""
    letters = {unit: letter for letter, unit in _UNITS.items()}
    return f"{period.count}{letters[period.unit]}"


@dataclass(frozen=True, slots=True)
class AdjustedDate:
    """A date on the calendar; provisional when a later publication could still move it."""

    date: date
    provisional: bool


def is_business_day(calendar: Calendar, day: date) -> bool:
    """True where business is done; beyond the last known date the weekend rule holds."""
    if day.weekday() in calendar.weekend and day not in calendar.working_weekends:
        return False
    return day not in calendar.holidays


def adjusted(calendar: Calendar, day: date, adjustment: Adjustment) -> AdjustedDate:
    """``day`` moved to a business day as ``adjustment`` says.

    Never raises for a day that is not published yet: the answer is marked provisional.
    """
    match adjustment:
        case Adjustment.UNADJUSTED:
            return AdjustedDate(day, provisional=False)
        case Adjustment.FOLLOWING:
            return _following(calendar, day)
        case Adjustment.MODIFIED_FOLLOWING:
            return _following_within(calendar, day, last_date=last_day_of_month(day))
        case Adjustment.HALF_MONTH_MODIFIED_FOLLOWING:
            last_date = day.replace(day=15) if day.day <= 15 else last_day_of_month(day)
            return _following_within(calendar, day, last_date=last_date)
        case Adjustment.PRECEDING:
            return _preceding(calendar, day)
        case Adjustment.MODIFIED_PRECEDING:
            back = _preceding(calendar, day)
            in_same_month = back.date.month == day.month
            return back if in_same_month else _following(calendar, day)
        case Adjustment.NEAREST:
            return _nearest(calendar, day)


def business_days_between(calendar: Calendar, start: date, end: date) -> int:
    """Business days from ``start`` (included) to ``end`` (excluded); negative backwards."""
    if end < start:
        return -business_days_between(calendar, end, start)
    days = (start + timedelta(days=n) for n in range((end - start).days))
    return sum(is_business_day(calendar, day) for day in days)


def add_business_days(calendar: Calendar, day: date, count: int) -> AdjustedDate:
    """The ``count``-th business day after ``day``, or before it when ``count`` is below zero.

    ``day`` itself may fall on a weekend or holiday. A count of zero is the following business day.
    """
    if count == 0:
        return _following(calendar, day)
    step = _DAY if count > 0 else -_DAY
    counted = 0
    reached = day
    while counted < abs(count):
        reached += step
        counted += is_business_day(calendar, reached)
    return AdjustedDate(reached, provisional=not calendar.is_known(max(day, reached)))


def shifted(
    calendar: Calendar,
    start: date,
    period: Period,
    adjustment: Adjustment,
    *,
    end_of_month: bool = False,
) -> AdjustedDate:
    """``start`` plus ``period``, on a business day.

    Business days are counted one by one. All other units move the calendar date (months and years
    to the last day of a shorter month), which is then adjusted. With ``end_of_month`` months and
    years lead from the last business day of a month to the last business day of a month; where
    dates are left unadjusted, the same holds for calendar days.

    Source: ISDA 2006 Definitions, 4.11 (end-of-month convention) and 4.12.
    """
    if period.count == 0:
        return adjusted(calendar, start, adjustment)
    if period.unit is PeriodUnit.BUSINESS_DAYS:
        return add_business_days(calendar, start, period.count)
    moved = _unadjusted(start, period)
    if not end_of_month or period.unit in (PeriodUnit.DAYS, PeriodUnit.WEEKS):
        return adjusted(calendar, moved, adjustment)
    if adjustment is Adjustment.UNADJUSTED:
        at_month_end = start == last_day_of_month(start)
        return AdjustedDate(last_day_of_month(moved) if at_month_end else moved, provisional=False)

    at_month_end = _following(calendar, start + _DAY).date.month != start.month
    if at_month_end:
        answer = _preceding(calendar, last_day_of_month(moved))
    else:
        answer = adjusted(calendar, moved, adjustment)
    start_is_known = calendar.is_known(last_day_of_month(start))
    return AdjustedDate(answer.date, provisional=answer.provisional or not start_is_known)


def months_after(day: date, months: int) -> date:
    """The same day of the month ``months`` later, or the last day of a month too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    return first.replace(day=min(day.day, last_day_of_month(first).day))


def last_day_of_month(day: date) -> date:
    """The last calendar day of the month that ``day`` is in."""
    return day.replace(day=monthrange(day.year, day.month)[1])


@dataclass(frozen=True, slots=True)
class MovedDue:
    """A due date that a newly published calendar moves.

    ``nominal_date`` is the date agreed before any adjustment. ``provisional`` tells whether the
    new date may move once more.
    """

    nominal_date: date
    old_due_date: date
    new_due_date: date
    provisional: bool


def moved_dues(
    nominal_dates: Iterable[date],
    old_calendar: Calendar,
    new_calendar: Calendar,
    adjustment: Adjustment,
    on: date,
) -> list[MovedDue]:
    """Dues that move when ``new_calendar`` replaces ``old_calendar`` on the date ``on``.

    A due moves when it was provisional and has not fallen by ``on``; it never moves to ``on`` or
    before, because nobody can be made late by a publication. Dues that stay are left out.
    """
    moved = []
    for nominal_date in nominal_dates:
        old = adjusted(old_calendar, nominal_date, adjustment)
        new = adjusted(new_calendar, nominal_date, adjustment)
        if old.provisional and old.date != new.date and min(old.date, new.date) > on:
            moved.append(MovedDue(nominal_date, old.date, new.date, new.provisional))
    return moved


def _unadjusted(start: date, period: Period) -> date:
    match period.unit:
        case PeriodUnit.WEEKS:
            return start + timedelta(weeks=period.count)
        case PeriodUnit.MONTHS:
            return months_after(start, period.count)
        case PeriodUnit.YEARS:
            return months_after(start, 12 * period.count)
        case _:
            return start + timedelta(days=period.count)


def _following(calendar: Calendar, day: date) -> AdjustedDate:
    reached = day
    while not is_business_day(calendar, reached):
        reached += _DAY
    return AdjustedDate(reached, provisional=not calendar.is_known(reached))


def _preceding(calendar: Calendar, day: date) -> AdjustedDate:
    reached = day
    while not is_business_day(calendar, reached):
        reached -= _DAY
    return AdjustedDate(reached, provisional=not calendar.is_known(day))


def _following_within(calendar: Calendar, day: date, *, last_date: date) -> AdjustedDate:
    onward = _following(calendar, day)
    if onward.date <= last_date:
        return onward
    # A publication could still open one of the days up to last_date, and only one of those.
    back = _preceding(calendar, day)
    return AdjustedDate(back.date, provisional=not calendar.is_known(last_date))


def _nearest(calendar: Calendar, day: date) -> AdjustedDate:
    onward = back = day
    while not is_business_day(calendar, onward) and not is_business_day(calendar, back):
        onward += _DAY
        back -= _DAY
    reached = onward if is_business_day(calendar, onward) else back
    # Both sides were looked at, so the later one must have been published.
    return AdjustedDate(reached, provisional=not calendar.is_known(onward))
