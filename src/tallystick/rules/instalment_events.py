"""What happens to a loan of instalments: an append-only list of events.

Events are folded in the order of their value dates, and within a day as they were recorded. A
reversal takes an event back as if it had never been.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tallystick.rules.instalment_terms import ReceiptKind
from tallystick.rules.refusal import Refusal


class InstalmentEventKind(StrEnum):
    """Kinds of events."""

    DISBURSED = "disbursed"
    RECEIVED = "received"
    CHARGED = "charged"
    """A fee or a penalty falls due on ``due_date``."""
    CHARGE_WAIVED = "charge_waived"
    """The lender forgoes what is unpaid of a fee or penalty."""
    CHARGED_BACK = "charged_back"
    """Money received goes back: it is owed again, unless there is credit."""
    CREDIT_REFUNDED = "credit_refunded"
    """Credit is paid out; beyond the credit there is, it is owed."""
    CHARGED_OFF = "charged_off"
    INTEREST_PAUSED = "interest_paused"
    """No interest from ``value_date`` to ``due_date``, both days included."""
    RATE_CHANGED = "rate_changed"
    RESCHEDULED = "rescheduled"
    """The instalment due on ``due_date`` and those after it are moved, extended or given grace."""
    CLOSED_DAY = "closed_day"
    """The day's close looked at the loan; only a table that is recalculated notices."""
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Reschedule:
    """What changes from one instalment on; None and zero leave things as they are.

    ``new_due_date`` is the new anchor of that instalment and all later ones. ``extra_periods``
    are added at the end. ``principal_grace_periods`` instalments bear no principal and are added
    at the end; the interest of ``interest_grace_periods`` falls due with the one after them.
    """

    new_due_date: date | None = None
    extra_periods: int = 0
    principal_grace_periods: int = 0
    interest_grace_periods: int = 0
    annual_rate: Decimal | None = None


class InvalidInstalmentEvent(Refusal):
    """An event lacks what its kind needs, or the loan cannot have it."""


@dataclass(frozen=True, slots=True)
class InstalmentEvent:
    """One thing that happened. Ids grow in the order of recording.

    ``amount_minor`` is above zero where the kind moves money. ``receipt`` names the kind of a
    receipt; ``is_penalty`` and ``due_date`` belong to charges; ``waives`` is the id of the charge
    that is forgone, ``reverses`` that of the event that a reversal takes back.
    """

    event_id: int
    kind: InstalmentEventKind
    value_date: date
    amount_minor: int = 0
    receipt: ReceiptKind = ReceiptKind.REPAYMENT
    is_penalty: bool = False
    due_date: date | None = None
    annual_rate: Decimal | None = None
    reschedule: Reschedule | None = None
    reverses: int | None = None
    waives: int | None = None

    def __post_init__(self) -> None:
        moves_money = self.kind in _MONEY
        if moves_money and self.amount_minor <= 0:
            raise InvalidInstalmentEvent(
                f"Event {self.event_id} ({self.kind}) has amount_minor {self.amount_minor}: "
                "give an amount above zero."
            )
        needs = _NEEDS.get(self.kind)
        if needs is not None and getattr(self, needs) is None:
            raise InvalidInstalmentEvent(
                f"Event {self.event_id} ({self.kind}) has no {needs}: give it."
            )


_MONEY = frozenset(
    {
        InstalmentEventKind.DISBURSED,
        InstalmentEventKind.RECEIVED,
        InstalmentEventKind.CHARGED,
        InstalmentEventKind.CHARGED_BACK,
        InstalmentEventKind.CREDIT_REFUNDED,
    }
)
_NEEDS = {
    InstalmentEventKind.CHARGED: "due_date",
    InstalmentEventKind.INTEREST_PAUSED: "due_date",
    InstalmentEventKind.RATE_CHANGED: "annual_rate",
    InstalmentEventKind.RESCHEDULED: "reschedule",
    InstalmentEventKind.REVERSED: "reverses",
    InstalmentEventKind.CHARGE_WAIVED: "waives",
}


def standing(events: Sequence[InstalmentEvent], *, on: date) -> list[InstalmentEvent]:
    """Events up to ``on`` that no reversal takes back, in the order they take effect.

    A reversal counts from when it is recorded, for every day. Raises InvalidInstalmentEvent.
    """
    by_id = {event.event_id: event for event in events}
    if len(by_id) < len(events):
        raise InvalidInstalmentEvent("Two events have one id: give each event an id of its own.")
    reversed_ids: set[int] = set()
    for event in events:
        if event.reverses is None:
            continue
        target = by_id.get(event.reverses)
        if target is None or target.reverses is not None or event.reverses in reversed_ids:
            raise InvalidInstalmentEvent(
                f"Event {event.event_id} reverses {event.reverses}, which is not an event of this "
                "loan, is itself a reversal, or is reversed already: name an event that stands, "
                "or record anew what was taken back in error."
            )
        reversed_ids.add(event.reverses)
    in_force = [
        event
        for event in events
        if event.reverses is None and event.event_id not in reversed_ids and event.value_date <= on
    ]
    return sorted(in_force, key=lambda event: (event.value_date, event.event_id))
