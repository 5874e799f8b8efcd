"""Day counts: what part of a year a period is, by the convention of a contract.

Every period is start-included, end-excluded. Year fractions are exact fractions; no convention
rounds. Conventions keep the full names under which the reference figures are published, because
short names such as ``30/360`` mean different things in different markets.

Sources: 2006 ISDA Definitions, section 4.16; ICMA Rule 251; FBF (formerly AFB) Master Agreement
for forward financial instruments, "Base Exact/Exact"; market practice of Brazil and Canada.
"""

from calendar import isleap
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from tallystick.rules.calendars import (
    Calendar,
    business_days_between,
    last_day_of_month,
    months_after,
)
from tallystick.rules.coupons import (
    CouponSchedule,
    ReferencePeriod,
    coupon_dates_around,
    coupon_dates_of,
    months_nearest_to,
)
from tallystick.rules.refusal import Refusal


class DayCount(StrEnum):
    """The conventions, by their full names."""

    ACT_360 = "ACT/360"
    ACT_364 = "ACT/364"
    ACT_365F = "ACT/365F"
    ACT_365_NO_LEAP = "ACT/365L-like 365 fixed no leap"
    ACT_366 = "ACT/366"
    ACT_365_25 = "ACT/365.25"
    ACT_365_CANADIAN = "ACT/365 Canadian"
    ACT_ACT_ISDA = "ACT/ACT ISDA"
    ACT_ACT_LAST_DAY = "ACT/ACT by last day"
    ACT_ACT_ICMA = "ACT/ACT ICMA"
    ACT_ACT_AFB = "ACT/ACT AFB"
    THIRTY_360_US = "30/360 US (with February end-of-month rule)"
    THIRTY_360_BOND_BASIS = "30/360 Bond Basis (ISDA 2006 4.16(f), 30A/360)"
    THIRTY_E_360 = "30E/360 Eurobond (ISDA 2006 4.16(g))"
    THIRTY_E_360_ISDA = "30E/360 ISDA (ISDA 2006 4.16(h))"
    THIRTY_365 = "30/365"
    BUS_252 = "BUS/252 (Brazil settlement calendar)"


# ACT/365.25 counts quarter days, and ACT/ACT by calendar year parts of a day that 365 and 366 both
# divide, so that the year fraction of every period is a whole number over the same denominator.
_DENOMINATORS = {
    DayCount.ACT_360: 360,
    DayCount.ACT_364: 364,
    DayCount.ACT_365F: 365,
    DayCount.ACT_365_NO_LEAP: 365,
    DayCount.ACT_366: 366,
    DayCount.ACT_365_25: 1461,
    DayCount.ACT_ACT_ISDA: 365 * 366,
    DayCount.ACT_ACT_LAST_DAY: 365 * 366,
    DayCount.THIRTY_360_US: 360,
    DayCount.THIRTY_360_BOND_BASIS: 360,
    DayCount.THIRTY_E_360: 360,
    DayCount.THIRTY_E_360_ISDA: 360,
    DayCount.THIRTY_365: 365,
    DayCount.BUS_252: 252,
}

_DAY = timedelta(days=1)

DAILY_DAY_COUNTS = (DayCount.ACT_360, DayCount.ACT_365F, DayCount.ACT_366)
"""Conventions whose accrual days are calendar days: what a book can accrue in one statement."""


class UnknownDayCount(Refusal):
    """No convention has this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"Day count {name[:80]!r} is unknown. Use one of: {'; '.join(DayCount)}.")


class PeriodEndsBeforeItStarts(Refusal):
    """The end of the period lies before its start."""

    def __init__(self, start: date, end: date) -> None:
        self.start = start
        self.end = end
        super().__init__(f"The period ends on {end}, before it starts on {start}. Swap the dates.")


class DayCountNeeds(Refusal):
    """The convention cannot count this period without something more."""

    def __init__(self, day_count: DayCount, need: str) -> None:
        self.day_count = day_count
        self.need = need
        super().__init__(f"{day_count.value} needs {need}.")


class NoFixedDenominator(Refusal):
    """The convention's year has no fixed length, so interest cannot run on whole numbers."""

    def __init__(self, day_count: DayCount) -> None:
        self.day_count = day_count
        possible = "; ".join(known.value for known in _DENOMINATORS)
        super().__init__(
            f"{day_count.value} has no fixed denominator and cannot carry daily interest. "
            f"Use one of: {possible}."
        )


def day_count_named(name: str) -> DayCount:
    """The convention with this full name. Raises UnknownDayCount."""
    try:
        return DayCount(name)
    except ValueError:
        raise UnknownDayCount(name) from None


def accrual_denominator(day_count: DayCount) -> int:
    """The fixed denominator D of the convention: a year fraction is ``accrual_days / D``.

    Raises NoFixedDenominator for ACT/ACT ICMA, ACT/ACT AFB and ACT/365 Canadian.
    """
    try:
        return _DENOMINATORS[day_count]
    except KeyError:
        raise NoFixedDenominator(day_count) from None


def accrual_days(
    day_count: DayCount,
    start: date,
    end: date,
    *,
    termination_date: date | None = None,
    calendar: Calendar | None = None,
) -> int:
    """The numerator over ``accrual_denominator``: days, or whole parts of a day.

    Raises NoFixedDenominator, PeriodEndsBeforeItStarts, and DayCountNeeds as ``day_count_days``.
    """
    accrual_denominator(day_count)
    match day_count:
        case DayCount.ACT_365_25:
            return 4 * _actual_days(start, end)
        case DayCount.ACT_ACT_LAST_DAY:
            # A night belongs to the year of the morning it ends on: 31 December itself is the
            # last day of the old year, where ISDA gives the night after it to the old year too.
            return accrual_days(DayCount.ACT_ACT_ISDA, start + _DAY, end + _DAY)
        case DayCount.ACT_ACT_ISDA:
            leap_days = _days_in_leap_years(start, end)
            other_days = _actual_days(start, end) - leap_days
            return 365 * leap_days + 366 * other_days
        case _:
            return day_count_days(
                day_count, start, end, termination_date=termination_date, calendar=calendar
            )


def day_count_days(
    day_count: DayCount,
    start: date,
    end: date,
    *,
    termination_date: date | None = None,
    calendar: Calendar | None = None,
) -> int:
    """The days of the period as the convention counts them: actual, of thirty a month, or business.

    BUS/252 needs a calendar. 30E/360 ISDA needs the termination date when the period ends on the
    last day of February, which counts as the thirtieth unless the contract ends there.
    Raises DayCountNeeds and PeriodEndsBeforeItStarts.
    """
    if end < start:
        raise PeriodEndsBeforeItStarts(start, end)
    match day_count:
        case DayCount.ACT_365_NO_LEAP:
            return _actual_days(start, end) - _leap_days_within(start, end)
        case DayCount.THIRTY_360_US:
            return _thirty_360_us(start, end)
        case DayCount.THIRTY_360_BOND_BASIS:
            first = min(start.day, 30)
            last = 30 if end.day == 31 and first == 30 else end.day
            return _thirty_day_months(start, end, first, last)
        case DayCount.THIRTY_E_360 | DayCount.THIRTY_365:
            return _thirty_day_months(start, end, min(start.day, 30), min(end.day, 30))
        case DayCount.THIRTY_E_360_ISDA:
            return _thirty_e_360_isda(start, end, termination_date)
        case DayCount.BUS_252:
            if calendar is None:
                raise DayCountNeeds(day_count, "a calendar of business days: name one")
            return business_days_between(calendar, start, end)
        case _:
            return _actual_days(start, end)


def year_fraction(
    day_count: DayCount,
    start: date,
    end: date,
    *,
    reference: ReferencePeriod | CouponSchedule | None = None,
    termination_date: date | None = None,
    calendar: Calendar | None = None,
) -> Fraction:
    """The part of a year from ``start`` (included) to ``end`` (excluded), exactly.

    ``reference`` is needed by ACT/ACT ICMA (a period or a bond's coupons) and ACT/365 Canadian
    (a period); ``termination_date`` and ``calendar`` as in ``day_count_days``.
    Raises DayCountNeeds and PeriodEndsBeforeItStarts.
    """
    match day_count:
        case DayCount.ACT_ACT_AFB:
            return _act_act_afb(start, end)
        case DayCount.ACT_365_CANADIAN:
            return _act_365_canadian(start, end, reference)
        case DayCount.ACT_ACT_ICMA:
            return _act_act_icma(start, end, reference)
        case _:
            days = accrual_days(
                day_count, start, end, termination_date=termination_date, calendar=calendar
            )
            return Fraction(days, accrual_denominator(day_count))


def _actual_days(start: date, end: date) -> int:
    if end < start:
        raise PeriodEndsBeforeItStarts(start, end)
    return (end - start).days


def _days_in_leap_years(start: date, end: date) -> int:
    """Days of the period that lie in leap years."""
    return sum(
        (min(end, date(year + 1, 1, 1)) - max(start, date(year, 1, 1))).days
        for year in range(start.year, end.year + 1)
        if isleap(year)
    )


def _leap_days_within(start: date, end: date) -> int:
    """Times that 29 February lies after ``start``, up to and including ``end``."""
    return sum(
        isleap(year) and start < date(year, 2, 29) <= end
        for year in range(start.year, end.year + 1)
    )


def _thirty_day_months(start: date, end: date, first_day: int, last_day: int) -> int:
    """360 × years + 30 × months + days, with the days of the month a convention has chosen."""
    months = 12 * (end.year - start.year) + end.month - start.month
    return 30 * months + last_day - first_day


def _is_end_of_february(day: date) -> bool:
    return day.month == 2 and day == last_day_of_month(day)


def _thirty_360_us(start: date, end: date) -> int:
    first_day, last_day = start.day, end.day
    if _is_end_of_february(start):
        first_day = 30
        if _is_end_of_february(end):
            last_day = 30
    if last_day == 31 and first_day >= 30:
        last_day = 30
    return _thirty_day_months(start, end, min(first_day, 30), last_day)


def _thirty_e_360_isda(start: date, end: date, termination_date: date | None) -> int:
    first_day = 30 if start == last_day_of_month(start) else start.day
    last_day = min(end.day, 30)
    if _is_end_of_february(end):
        if termination_date is None:
            raise DayCountNeeds(
                DayCount.THIRTY_E_360_ISDA,
                f"the termination date of the contract, because the period ends on {end}, the "
                "last day of February: give termination_date",
            )
        if end != termination_date:
            last_day = 30
    return _thirty_day_months(start, end, first_day, last_day)


def _act_act_afb(start: date, end: date) -> Fraction:
    """Whole years counted back from the end, then actual days over 365, or 366 with a leap day.

    Counting back from 28 February ends on 29 February where the year has one.
    """
    if end < start:
        raise PeriodEndsBeforeItStarts(start, end)
    whole_years = 0
    rest_end = end
    while (a_year_before := _years_before(end, whole_years + 1)) >= start:
        whole_years += 1
        rest_end = a_year_before
    # The leap day counts when it lies in the rest of the period, from start (included).
    has_leap_day = any(
        isleap(year) and start <= date(year, 2, 29) < rest_end
        for year in (start.year, rest_end.year)
    )
    return whole_years + Fraction((rest_end - start).days, 366 if has_leap_day else 365)


def _years_before(day: date, years: int) -> date:
    earlier = months_after(day, -12 * years)
    return last_day_of_month(earlier) if (earlier.month, earlier.day) == (2, 28) else earlier


def _act_365_canadian(
    start: date, end: date, reference: ReferencePeriod | CouponSchedule | None
) -> Fraction:
    """Actual days over 365, or one coupon less the days still missing from its period over 365.

    The second form holds from 365 // coupons_per_year days on, so that a full coupon period is
    exactly one coupon.
    """
    if end < start:
        raise PeriodEndsBeforeItStarts(start, end)
    if not isinstance(reference, ReferencePeriod):
        raise DayCountNeeds(
            DayCount.ACT_365_CANADIAN, "a reference period: the coupon period that is being counted"
        )
    reference_days = (reference.end - reference.start).days
    months = months_nearest_to(reference_days)
    if not 1 <= months <= 12:
        raise DayCountNeeds(
            DayCount.ACT_365_CANADIAN,
            f"a reference period of one to twelve months, and {reference.start} to "
            f"{reference.end} is {reference_days} days: give the coupon period",
        )
    coupons_per_year = reference.coupons_per_year or 12 // months
    days = (end - start).days
    if days < 365 // coupons_per_year:
        return Fraction(days, 365)
    return Fraction(1, coupons_per_year) - Fraction(reference_days - days, 365)


def _act_act_icma(
    start: date, end: date, reference: ReferencePeriod | CouponSchedule | None
) -> Fraction:
    """The period cut at the regular coupon dates, real or notional; each part is measured against
    the coupon period it lies in: days / (days of that coupon period × coupons per year).
    """
    if end < start:
        raise PeriodEndsBeforeItStarts(start, end)
    match reference:
        case None:
            raise DayCountNeeds(
                DayCount.ACT_ACT_ICMA,
                "a reference period or coupon schedule: the regular coupon period around or next "
                "to the period",
            )
        case ReferencePeriod():
            months, coupon_dates = coupon_dates_around(reference, start, end)
        case CouponSchedule():
            months, coupon_dates = coupon_dates_of(reference, start, end)
    return sum(
        (
            Fraction(months * (min(end, until) - max(start, since)).days, 12 * (until - since).days)
            for since, until in pairwise(coupon_dates)
            if since < end and until > start
        ),
        start=Fraction(0),
    )
