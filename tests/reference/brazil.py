"""Brazil's settlement calendar by rule, the calendar of BUS/252.

National holidays: Laws 662 of 1949 and 10.607 of 2002 (1 January, 21 April, 1 May, 7 September,
2 November, 15 November, 25 December), Law 6.802 of 1980 (12 October), Law 14.759 of 2023
(20 November, from 2024). Days on which banks do not settle besides: Monday and Tuesday of carnival,
Good Friday and Corpus Christi (National Monetary Council, Resolution 2.516 of 1998).
"""

from datetime import date, timedelta
from functools import cache

from tallystick.rules.calendars import Calendar

FIRST_YEAR, LAST_YEAR = 1981, 2099

FIXED_DATES = ((1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (12, 25))
DAYS_FROM_EASTER = {
    "carnival Monday": -48,
    "carnival Tuesday": -47,
    "Good Friday": -2,
    "Corpus Christi": 60,
}


@cache
def settlement() -> Calendar:
    """Business days from 1981 to 2099; no day is published later than another."""
    return Calendar(
        name="Brazil settlement",
        weekend=frozenset({5, 6}),
        holidays=frozenset(
            holiday for year in range(FIRST_YEAR, LAST_YEAR + 1) for holiday in _holidays(year)
        ),
        working_weekends=frozenset(),
        last_known_date=date(LAST_YEAR, 12, 31),
    )


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous computus, Nature, 20 April 1876)."""
    golden = year % 19
    century, year_of_century = divmod(year, 100)
    skipped, century_rest = divmod(century, 4)
    moon_correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - skipped - moon_correction + 15) % 30
    leap, leap_rest = divmod(year_of_century, 4)
    weekday = (32 + 2 * century_rest + 2 * leap - moon - leap_rest) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _holidays(year: int) -> list[date]:
    fixed = [date(year, month, day) for month, day in FIXED_DATES]
    if year >= 2024:
        fixed.append(date(year, 11, 20))
    movable = [easter(year) + timedelta(days=days) for days in DAYS_FROM_EASTER.values()]
    return fixed + movable
