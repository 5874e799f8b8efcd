"""What happens to a loan: an append-only list of events, and which of them are in force.

There are no accrual events. Interest is a function of these events and of the day asked about.

Two dates rule. The value date is the day from which an event counts; the booking date is the day
on which the books learned of it. A question about the loan takes both: the state ``on`` a day,
as it was ``known_on`` a day. A reversal takes effect by its booking date alone: once it is known,
the event it reverses never happened, on any day, whatever value date the reversal itself carries.
A reversal that is reversed no longer stands, and the first event is back.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import Protocol, TypeVar

from tallystick.rules.refusal import Refusal

MAX_AMOUNT_MINOR = 2**63 - 1
"""Largest amount the book can store."""

MAX_ANNUAL_RATE = Decimal(100)
"""Ten thousand per cent a year: above it, a percentage was taken for a fraction."""

RATE_UNITS = 10**9
"""Rates are counted in parts per billion, so that interest is a sum of integers."""

_RATE_STEP = Decimal("1e-9")
_PER_CENT = Decimal("0.01")


class EventKind(StrEnum):
    """Kinds of events, in the order in which they take effect within one value date.

    The day's rate holds from that day on; debts of the day (fees, payouts) arise before the
    day's receipts are used, so that money which arrives with a debt finds it.
    """

    RATE_CHANGED = "rate_changed"
    FEE_CHARGED = "fee_charged"
    DISBURSED = "disbursed"
    RECEIVED = "received"
    REVERSED = "reversed"


PLACE_IN_DAY = {kind: place for place, kind in enumerate(EventKind)}

_FIELD_OF = {
    EventKind.RATE_CHANGED: "annual_rate",
    EventKind.FEE_CHARGED: "amount_minor",
    EventKind.DISBURSED: "amount_minor",
    EventKind.RECEIVED: "amount_minor",
    EventKind.REVERSED: "reverses",
}


class InvalidRate(Refusal):
    """A rate is negative, not a number, too large, or finer than a billionth."""


def rate_in_ppb(annual_rate: Decimal, *, name: str = "Annual rate") -> int:
    """``annual_rate`` (a fraction: 0.10 is ten per cent a year) in parts per billion, exactly.

    ``name`` is what a refusal calls the rate.

    Raises InvalidRate for a rate outside 0 to 100 or with more than nine decimals.
    """
    if not annual_rate.is_finite() or not 0 <= annual_rate <= MAX_ANNUAL_RATE:
        raise InvalidRate(
            f"{name} {annual_rate} is outside 0 to {MAX_ANNUAL_RATE}. "
            "Give it as a fraction of one: 0.10 is ten per cent a year."
        )
    rate = annual_rate.quantize(_RATE_STEP)
    if rate != annual_rate:
        raise InvalidRate(
            f"{name} {annual_rate} has more than nine decimals; "
            f"interest is counted in billionths. Round it, to {rate} for example."
        )
    return int(rate.scaleb(9))


def rate_from_ppb(rate_ppb: int) -> Decimal:
    """The rate as a fraction, with at least two decimals: 100,000,000 is 0.10."""
    rate = Decimal(rate_ppb).scaleb(-9)
    in_per_cent = rate.quantize(_PER_CENT)
    return in_per_cent if in_per_cent == rate else rate.normalize()


class InvalidLoanEvent(Refusal):
    """An event lacks what its kind needs, or carries what it cannot have."""


@dataclass(frozen=True, slots=True)
class LoanEvent:
    """One thing that happened to a loan.

    ``disbursed``, ``received`` and ``fee_charged`` carry ``amount_minor`` above zero;
    ``rate_changed`` carries ``annual_rate``, in force from its value date; ``reversed`` carries
    ``reverses``, the id of the event that is taken back. Ids grow in the order of recording.

    Raises InvalidLoanEvent, and InvalidRate for a rate that cannot be counted.
    """

    event_id: int
    kind: EventKind
    value_date: date
    booking_date: date
    amount_minor: int | None = None
    annual_rate: Decimal | None = None
    reverses: int | None = None

    def __post_init__(self) -> None:
        needed = _FIELD_OF[self.kind]
        for field in ("amount_minor", "annual_rate", "reverses"):
            value = getattr(self, field)
            if (value is None) == (field == needed):
                raise InvalidLoanEvent(
                    f"Event {self.event_id} ({self.kind}) has {field} {value}: "
                    f"an event of this kind carries {needed} and nothing else of the three."
                )
        if self.amount_minor is not None and not 0 < self.amount_minor <= MAX_AMOUNT_MINOR:
            raise InvalidLoanEvent(
                f"Event {self.event_id} ({self.kind}) has amount_minor {self.amount_minor}: "
                f"an amount is between 1 and {MAX_AMOUNT_MINOR} minor units; the kind says "
                "which way the money went, and a mistake is taken back by a reversal."
            )
        if self.annual_rate is not None:
            rate_in_ppb(self.annual_rate)


class ContradictoryEvents(Refusal):
    """The events of one loan cannot all be true together."""


class DuplicateEventId(ContradictoryEvents):
    """Two events of one loan carry the same id."""


class EventBeforeStart(ContradictoryEvents):
    """An event counts from a day on which the loan did not exist."""


class UnknownReversedEvent(ContradictoryEvents):
    """A reversal names an event that the loan does not have, or did not have yet."""


class AlreadyReversed(ContradictoryEvents):
    """Two reversals that both stand name the same event."""


class CircularReversal(ContradictoryEvents):
    """Reversals take each other back in a circle, so that none can be said to stand."""


def events_in_force(
    events: Sequence[LoanEvent], *, start: date, on: date, known_on: date
) -> list[LoanEvent]:
    """The events that count ``on`` a day, as ``known_on`` a day, in the order they take effect.

    Those booked on or before ``known_on``, without reversals and what they take back, with value
    date on or before ``on``; by value date, then kind. Of several rate changes on one value date
    only one counts: the later booked, then the higher id. Other events of one kind and value
    date add up, so their order (booking date, then id) only says which of them is named where.

    Raises a ContradictoryEvents when the events cannot all be true.
    """
    refuse_contradictions(events, start=start)
    known = [event for event in events if event.booking_date <= known_on]
    in_force = [event for event in standing(known) if event.value_date <= on]
    in_force.sort(
        key=lambda event: (
            event.value_date,
            PLACE_IN_DAY[event.kind],
            event.booking_date,
            event.event_id,
        )
    )
    return [
        event
        for event, following in zip_longest(in_force, in_force[1:])
        if not _superseded(event, following)
    ]


def _superseded(event: LoanEvent, following: LoanEvent | None) -> bool:
    """True for a rate change followed by another on the same value date."""
    return (
        following is not None
        and event.kind is EventKind.RATE_CHANGED
        and following.kind is EventKind.RATE_CHANGED
        and following.value_date == event.value_date
    )


class Recorded(Protocol):
    """What any recorded event says of itself, of whatever kind of credit.

    The members are those of ``LoanEvent``; ``kind`` is what a refusal calls the event.
    """

    @property
    def event_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def value_date(self) -> date: ...
    @property
    def booking_date(self) -> date: ...
    @property
    def reverses(self) -> int | None: ...


AnyEvent = TypeVar("AnyEvent", bound=Recorded)


def refuse_contradictions(events: Sequence[Recorded], *, start: date) -> None:
    """Raise a ContradictoryEvents where the events cannot all be true together."""
    by_id = {event.event_id: event for event in events}
    if len(by_id) < len(events):
        repeated = sorted(
            event_id
            for event_id, times in Counter(event.event_id for event in events).items()
            if times > 1
        )
        raise DuplicateEventId(
            f"Event id {repeated[0]} is used more than once: give each event an id of its own."
        )
    for event in events:
        if event.value_date < start:
            raise EventBeforeStart(
                f"Event {event.event_id} ({event.kind}) has value date {event.value_date}, "
                f"before the loan's start on {start}: correct the date, or start the loan earlier."
            )
        if event.reverses is None:
            continue
        taken_back = by_id.get(event.reverses)
        if taken_back is None:
            raise UnknownReversedEvent(
                f"Event {event.event_id} reverses {event.reverses}, which is not an event of "
                "this loan: name one that is."
            )
        if taken_back.booking_date > event.booking_date:
            raise UnknownReversedEvent(
                f"Event {event.event_id}, booked {event.booking_date}, reverses "
                f"{event.reverses}, booked later, {taken_back.booking_date}: book a reversal on "
                "or after the day of the event it takes back."
            )


def standing(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Events other than reversals which no standing reversal takes back.

    Reversals are judged from the last of each chain backwards: one is judged once every reversal
    that names it has been, which needs no order among the events.
    """
    events = list(events)
    reversals = {event.event_id: event for event in events if event.reverses is not None}
    if not reversals:
        return events
    unjudged = Counter(reversal.reverses for reversal in reversals.values())
    ready = [event_id for event_id in reversals if not unjudged[event_id]]
    taken_back: dict[int | None, int] = {}
    judged = 0
    while ready:
        reversal = reversals[ready.pop()]
        target = reversal.reverses
        judged += 1
        if reversal.event_id not in taken_back:
            if target in taken_back:
                first, second = sorted((taken_back[target], reversal.event_id))
                raise AlreadyReversed(
                    f"Events {first} and {second} both reverse {target}: an event is taken back "
                    "once. Reverse one of the two, or name another event."
                )
            taken_back[target] = reversal.event_id
        unjudged[target] -= 1
        if target in reversals and not unjudged[target]:
            ready.append(target)
    if judged < len(reversals):
        raise CircularReversal(
            "Some of the reversals "
            f"{', '.join(map(str, sorted(reversals)))} take each other back in a circle: "
            "a reversal names an event that was there before it."
        )
    return [
        event
        for event in events
        if event.event_id not in reversals and event.event_id not in taken_back
    ]
