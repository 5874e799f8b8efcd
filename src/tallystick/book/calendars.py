"""The calendars this installation knows, made from published data."""

from datetime import date
from functools import cache

from chinese_calendar.constants import holidays, workdays

from tallystick.rules.calendars import Calendar


@cache
def china() -> Calendar:
    """Business days of mainland China, as the State Council publishes them year by year.

    Banks and the inter-bank market work on the weekend days that make up for long holidays.
    The last known date is the end of the last year published; beyond it dates are provisional.
    """
    return Calendar(
        name="China",
        weekend=frozenset({5, 6}),
        holidays=frozenset(holidays),
        working_weekends=frozenset(workdays),
        last_known_date=date(max(holidays).year, 12, 31),
    )
