"""What happens to a loan: an append-only list of events, and which of them are in force.

There are no accrual events. Interest is a function of these events and of the day asked about.

Two dates rule. The value date is the day from which an event counts; the booking date is the day
on which the books learned of it. A question about the loan takes both: the state ``on`` a day,
as it was ``known_on`` a day. A reversal takes effect by its booking date alone: once it is known,
the event it reverses never happened, on any day, whatever value date the reversal itself carries.
A reversal stands: what was reversed in error is recorded anew.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
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


MAX_DAYS_EXTENDED = 3_660
"""Ten years: beyond it an extension is a mistake of typing."""


class EventKind(StrEnum):
    """Kinds of events, in the order in which they take effect within one value date.

    The day's rate and due dates hold from that day on; debts of the day (fees, payouts) arise
    before the day's receipts are used, so that money which arrives with a debt finds it. What is
    waived or charged off is what the day's receipts have left.
    """

    RATE_CHANGED = "rate_changed"
    RESTRUCTURED = "restructured"
    RE_AGED = "re_aged"
    EXTENDED = "extended"
    DUE_MOVED = "due_moved"
    INTEREST_PAUSED = "interest_paused"
    FEE_CHARGED = "fee_charged"
    DISBURSED = "disbursed"
    RECEIVED = "received"
    REMITTED = "remitted"
    REPAID = "repaid"
    PREPAID = "prepaid"
    CHARGED_BACK = "charged_back"
    REFUNDED = "refunded"
    WAIVED = "waived"
    CHARGED_OFF = "charged_off"
    RECOVERED = "recovered"
    REVERSED = "reversed"


RECEIPTS = (EventKind.RECEIVED, EventKind.REMITTED, EventKind.REPAID)
"""Money that meets what is owed: a settlement's, cash that names the loan, the borrower's own."""

PLAN_CHANGES = frozenset(
    {EventKind.RESTRUCTURED, EventKind.RE_AGED, EventKind.EXTENDED, EventKind.DUE_MOVED}
)
"""Kinds that change what falls due when: of one value date, in the order of their recording."""

PLACE_IN_DAY = {
    kind: list(EventKind).index(EventKind.RESTRUCTURED) if kind in PLAN_CHANGES else place
    for place, kind in enumerate(EventKind)
}


class Charge(StrEnum):
    """What can be waived: principal is charged off instead."""

    FEES = "fees"
    PENALTY = "penalty"
    INTEREST = "interest"


class Keeps(StrEnum):
    """What stays as it was when a part is repaid early."""

    INSTALMENT = "instalment"
    """Instalments stay as high as they were, and the last ones fall away."""
    TERM = "term"
    """Due dates stay, and what is left is spread over them anew."""


_FIELDS = (
    "amount_minor",
    "annual_rate",
    "reverses",
    "days",
    "due_date",
    "to_date",
    "waives",
    "keeps",
)

FIELDS_OF: dict[EventKind, tuple[str, ...]] = {
    EventKind.RATE_CHANGED: ("annual_rate",),
    EventKind.RESTRUCTURED: ("annual_rate", "to_date"),
    EventKind.RE_AGED: ("to_date",),
    EventKind.EXTENDED: ("days",),
    EventKind.DUE_MOVED: ("due_date", "to_date"),
    EventKind.INTEREST_PAUSED: ("to_date",),
    EventKind.FEE_CHARGED: ("amount_minor",),
    EventKind.DISBURSED: ("amount_minor",),
    EventKind.RECEIVED: ("amount_minor",),
    EventKind.REMITTED: ("amount_minor",),
    EventKind.REPAID: ("amount_minor",),
    EventKind.PREPAID: ("amount_minor", "keeps"),
    EventKind.CHARGED_BACK: ("amount_minor",),
    EventKind.REFUNDED: ("amount_minor",),
    EventKind.WAIVED: ("amount_minor", "waives"),
    EventKind.CHARGED_OFF: (),
    EventKind.RECOVERED: ("amount_minor",),
    EventKind.REVERSED: ("reverses",),
}
"""What an event of each kind carries besides its dates."""

_CARRIED_BY = {
    kind: tuple(field in fields for field in _FIELDS) for kind, fields in FIELDS_OF.items()
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
    """One thing that happened to a loan. Ids grow in the order of recording.

    Each kind carries its own fields and no other:

    ``amount_minor``, above zero: ``disbursed``, ``received``, ``remitted``, ``repaid``,
    ``prepaid``, ``fee_charged``, ``waived``, ``charged_back``, ``refunded``, ``recovered``.
    ``annual_rate``, in force from the value date: ``rate_changed``, ``restructured``.
    ``days``: ``extended``, by which the due dates from the value date on, and the last one in any
    case, move later.
    ``due_date`` and ``to_date``: ``due_moved``, from the one to the other.
    ``to_date``: the last day of ``interest_paused``, whose first is the value date; the last due
    date of the new plan that ``restructured`` and ``re_aged`` begin on the value date.
    ``keeps``: what a ``prepaid`` leaves as it was. ``waives``: what is ``waived``.
    ``reverses``, the id of the event that is taken back: ``reversed``.

    Raises InvalidLoanEvent, and InvalidRate for a rate that cannot be counted.
    """

    event_id: int
    kind: EventKind
    value_date: date
    booking_date: date
    amount_minor: int | None = None
    annual_rate: Decimal | None = None
    reverses: int | None = None
    days: int | None = None
    due_date: date | None = None
    to_date: date | None = None
    waives: Charge | None = None
    keeps: Keeps | None = None

    def __post_init__(self) -> None:
        # Spelt out: a refold makes thousands of events, and a loop over names costs as much again.
        carried = (
            self.amount_minor is not None,
            self.annual_rate is not None,
            self.reverses is not None,
            self.days is not None,
            self.due_date is not None,
            self.to_date is not None,
            self.waives is not None,
            self.keeps is not None,
        )
        if carried != _CARRIED_BY[self.kind]:
            self._refuse_fields(carried)
        if self.amount_minor is not None and not 0 < self.amount_minor <= MAX_AMOUNT_MINOR:
            raise InvalidLoanEvent(
                f"Event {self.event_id} ({self.kind}) has amount_minor {self.amount_minor}: "
                f"an amount is between 1 and {MAX_AMOUNT_MINOR} minor units; the kind says "
                "which way the money went, and a mistake is taken back by a reversal."
            )
        if self.annual_rate is not None:
            rate_in_ppb(self.annual_rate)
        if self.days is not None and not 0 < self.days <= MAX_DAYS_EXTENDED:
            raise InvalidLoanEvent(
                f"Event {self.event_id} ({self.kind}) has days {self.days}: an extension is of "
                f"1 to {MAX_DAYS_EXTENDED} days."
            )
        if self.to_date is not None:
            self._refuse_dates(self.to_date)

    def _refuse_fields(self, carried: tuple[bool, ...]) -> None:
        needed = _CARRIED_BY[self.kind]
        wrong = next(
            field
            for field, has, needs in zip(_FIELDS, carried, needed, strict=True)
            if has != needs
        )
        raise InvalidLoanEvent(
            f"Event {self.event_id} ({self.kind}) has {wrong} {getattr(self, wrong)}: an event of "
            f"this kind carries {' and '.join(FIELDS_OF[self.kind]) or 'no figure'} "
            f"and none of the other fields ({', '.join(_FIELDS)})."
        )

    def _refuse_dates(self, to_date: date) -> None:
        """A pause may end on its first day; a new due date lies after the day it is agreed."""
        first_date = self.value_date
        if self.kind is not EventKind.INTEREST_PAUSED:
            first_date += timedelta(days=1)
        if not first_date <= to_date < date.max:
            raise InvalidLoanEvent(
                f"Event {self.event_id} ({self.kind}) has to_date {to_date} with value date "
                f"{self.value_date}: give {first_date} or a later day."
            )


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


class ReversalOfReversal(ContradictoryEvents):
    """A reversal names another reversal."""


def events_in_force(
    events: Sequence[LoanEvent], *, start: date, on: date, known_on: date
) -> list[LoanEvent]:
    """The events that count ``on`` a day, as ``known_on`` a day, in the order they take effect.

    Those booked on or before ``known_on``, without reversals and what they take back, with value
    date on or before ``on``; by value date, then kind, then booking date and id. Of several rate
    changes on one value date only the last counts, and changes of the plan build on each other.
    Other events of one kind and value date add up: their order only says which is named where.

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
    taken_back: dict[int, int] = {}
    for event in events:
        if event.value_date < start:
            raise EventBeforeStart(
                f"Event {event.event_id} ({event.kind}) has value date {event.value_date}, "
                f"before the loan's start on {start}: correct the date, or start the loan earlier."
            )
        if event.reverses is None:
            continue
        _refuse_reversal(event, by_id.get(event.reverses))
        if event.reverses in taken_back:
            first, second = sorted((taken_back[event.reverses], event.event_id))
            raise AlreadyReversed(
                f"Events {first} and {second} both reverse {event.reverses}: an event is taken "
                "back once. Leave one of the two out, or name another event."
            )
        taken_back[event.reverses] = event.event_id


def _refuse_reversal(reversal: Recorded, taken_back: Recorded | None) -> None:
    if taken_back is None:
        raise UnknownReversedEvent(
            f"Event {reversal.event_id} reverses {reversal.reverses}, which is not an event of "
            "this loan: name one that is."
        )
    if taken_back.reverses is not None:
        raise ReversalOfReversal(
            f"Event {reversal.event_id} reverses {reversal.reverses}, which is itself a reversal: "
            "record what was taken back in error anew, with its old value date."
        )
    if taken_back.booking_date > reversal.booking_date:
        raise UnknownReversedEvent(
            f"Event {reversal.event_id}, booked {reversal.booking_date}, reverses "
            f"{reversal.reverses}, booked later, {taken_back.booking_date}: book a reversal on "
            "or after the day of the event it takes back."
        )


def standing(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Events other than reversals which no reversal takes back."""
    events = list(events)
    taken_back = {event.reverses for event in events}
    return [
        event for event in events if event.reverses is None and event.event_id not in taken_back
    ]
