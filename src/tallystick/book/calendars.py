"""The calendars this installation knows, made from published data."""

from collections.abc import Callable
from datetime import date
from functools import cache

from chinese_calendar.constants import holidays, workdays

from tallystick.rules.calendars import WEEKENDS_ONLY, Calendar
from tallystick.rules.refusal import Refusal


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


class UnknownCalendar(Refusal):
    """No calendar has this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is no calendar {name!r}. Use one of: {', '.join(_MADE_BY)}.")


_MADE_BY: dict[str, Callable[[], Calendar]] = {
    "China": china,
    WEEKENDS_ONLY.name: lambda: WEEKENDS_ONLY,
}


def named(name: str) -> Calendar:
    """The calendar a legal entity works by. Raises UnknownCalendar."""
    if name not in _MADE_BY:
        raise UnknownCalendar(name)
    return _MADE_BY[name]()
