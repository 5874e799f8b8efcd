"""Statement-cycle credit: what is agreed, and what happens to it.

Purchases of a cycle are put on one statement, which is due so many days later. Whoever pays the
statement in full by then pays no interest; otherwise interest counts from each purchase. A
statement may be turned into instalments with a fee.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tallystick.rules.calendars import last_day_of_month
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import (
    MAX_AMOUNT_MINOR,
    InvalidLoanEvent,
    rate_in_ppb,
    standing,
)
from tallystick.rules.loan_terms import EARLIEST_START, InvalidLoanTerms
from tallystick.rules.money import Rounding, minor_digits

MAX_DUE_DAYS = 60
MAX_INSTALMENTS = 60

_YEAR_DAYS = {DayCount.ACT_360: 360, DayCount.ACT_365F: 365}


class Cycle(StrEnum):
    """How often a statement is drawn."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


class LateBand(NamedTuple):
    """``daily_rate`` holds from day ``from_days`` after the due date on: 1 is the first day."""

    from_days: int
    daily_rate: Decimal


@dataclass(frozen=True, slots=True)
class StatementTerms:
    """A line of statement-cycle credit. Rates are fractions.

    Statements are drawn on ``cycle_day``: of the month (in a month too short for it on its last
    day), or of the week (1 is Monday); they hold what was posted before that day. They are due
    ``due_days`` later. ``statement_fee_rate`` is charged on a statement's purchases.
    ``minimum_share`` of what is owed, and not less than ``minimum_floor_minor``, must be paid by
    the due date; what of it is not bears the rates of ``late_bands`` a day. ``annual_rate`` runs
    from posting on purchases of a statement that was not paid in full. Up to ``max_instalments``
    may be asked for, each with ``instalment_fee_rate`` of what was converted; 1 is none.

    Raises InvalidLoanTerms, InvalidRate, UnknownCurrency.
    """

    currency: str
    opened_date: date
    cycle: Cycle
    cycle_day: int
    due_days: int
    annual_rate: Decimal = Decimal(0)
    day_count: DayCount = DayCount.ACT_365F
    minimum_share: Decimal = Decimal(1)
    minimum_floor_minor: int = 0
    statement_fee_rate: Decimal = Decimal(0)
    late_bands: tuple[LateBand, ...] = ()
    max_instalments: int = 1
    instalment_fee_rate: Decimal = Decimal(0)
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        minor_digits(self.currency)
        longest = 7 if self.cycle is Cycle.WEEKLY else 31
        for name, lowest, highest in (
            ("cycle_day", 1, longest),
            ("due_days", 1, MAX_DUE_DAYS),
            ("minimum_floor_minor", 0, MAX_AMOUNT_MINOR),
            ("max_instalments", 1, MAX_INSTALMENTS),
        ):
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise InvalidLoanTerms(f"{name} is {value}: give {lowest} to {highest}.")
        for name in ("annual_rate", "statement_fee_rate", "instalment_fee_rate"):
            rate_in_ppb(getattr(self, name), name=name)
        if not 0 < self.minimum_share <= 1:
            raise InvalidLoanTerms(
                f"minimum_share is {self.minimum_share}: give a fraction above 0 and up to 1."
            )
        rate_in_ppb(self.minimum_share, name="minimum_share")
        if self.day_count not in _YEAR_DAYS:
            raise InvalidLoanTerms(f"day_count is {self.day_count}: use {' or '.join(_YEAR_DAYS)}.")
        if self.opened_date < EARLIEST_START:
            raise InvalidLoanTerms(
                f"opened_date {self.opened_date} is before {EARLIEST_START}: correct the date."
            )
        self._refuse_bands()

    def _refuse_bands(self) -> None:
        starts = [band.from_days for band in self.late_bands]
        if starts and (starts[0] != 1 or starts != sorted(set(starts))):
            raise InvalidLoanTerms(
                f"late_bands begin on days {', '.join(map(str, starts))}: let the first begin on "
                "day 1 and each of the others on a later one."
            )
        for band in self.late_bands:
            rate_in_ppb(band.daily_rate, name="Daily rate of a late band")

    @property
    def year_days(self) -> int:
        return _YEAR_DAYS[self.day_count]


def statement_dates(terms: StatementTerms) -> Iterator[date]:
    """The days on which statements are drawn, after the line was opened, without end."""
    day = terms.opened_date
    if terms.cycle is Cycle.WEEKLY:
        day += timedelta(days=(terms.cycle_day - day.isoweekday()) % 7 or 7)
        while True:
            yield day
            day += timedelta(days=7)
    while True:
        statement_date = day.replace(day=min(terms.cycle_day, last_day_of_month(day).day))
        if statement_date > terms.opened_date:
            yield statement_date
        day = last_day_of_month(day) + timedelta(days=1)


def due_date_of(terms: StatementTerms, statement_date: date) -> date:
    return statement_date + timedelta(days=terms.due_days)


def interest_free_days(terms: StatementTerms, purchase_date: date) -> int:
    """Days from a purchase to the due date of its statement: free where that is paid in full."""
    statement_date = next(day for day in statement_dates(terms) if day > purchase_date)
    return (due_date_of(terms, statement_date) - purchase_date).days


class StatementEventKind(StrEnum):
    """Kinds of events, in the order in which they take effect within one value date."""

    PURCHASED = "purchased"
    RETURNED = "returned"
    """A purchase was given back: it lowers what is owed as a payment does."""
    CONVERTED = "converted"
    """The latest statement is paid in instalments."""
    RECEIVED = "received"
    REVERSED = "reversed"


_PLACE_IN_DAY = {kind: place for place, kind in enumerate(StatementEventKind)}
_FIELD_OF = {
    StatementEventKind.CONVERTED: "instalments",
    StatementEventKind.REVERSED: "reverses",
}


@dataclass(frozen=True, slots=True)
class StatementEvent:
    """One thing that happened on the line.

    ``converted`` carries ``instalments``, ``reversed`` the id ``reverses``, the others
    ``amount_minor`` above zero. Raises InvalidLoanEvent.
    """

    event_id: int
    kind: StatementEventKind
    value_date: date
    booking_date: date
    amount_minor: int | None = None
    instalments: int | None = None
    reverses: int | None = None

    def __post_init__(self) -> None:
        needed = _FIELD_OF.get(self.kind, "amount_minor")
        for field in ("amount_minor", "instalments", "reverses"):
            value = getattr(self, field)
            if (value is None) == (field == needed):
                raise InvalidLoanEvent(
                    f"Event {self.event_id} ({self.kind}) has {field} {value}: "
                    f"an event of this kind carries {needed} and nothing else of the three."
                )
        if self.amount_minor is not None and not 0 < self.amount_minor <= MAX_AMOUNT_MINOR:
            raise InvalidLoanEvent(
                f"Event {self.event_id} ({self.kind}) has amount_minor {self.amount_minor}: "
                f"an amount is between 1 and {MAX_AMOUNT_MINOR} minor units."
            )


def statement_events_in_force(
    events: Sequence[StatementEvent], *, on: date, known_on: date
) -> list[StatementEvent]:
    """Events that count on a day as known on a day, in the order they take effect."""
    known = [event for event in events if event.booking_date <= known_on]
    return sorted(
        (event for event in standing(known) if event.value_date <= on),
        key=lambda event: (
            event.value_date,
            _PLACE_IN_DAY[event.kind],
            event.booking_date,
            event.event_id,
        ),
    )
