"""What happens to a percent-of-sales advance, and which of it is in force on a day.

The two dates of an event, and what a reversal does, are those of a loan's events (``loan_events``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import zip_longest

from tallystick.rules.loan_events import MAX_AMOUNT_MINOR, InvalidLoanEvent, standing
from tallystick.rules.refusal import Refusal

BASIS_POINTS = 10_000


class InvalidShare(Refusal):
    """A share of sales is nothing, or more than all of them."""

    def __init__(self, share_bps: int) -> None:
        self.share_bps = share_bps
        super().__init__(
            f"share_bps is {share_bps}: give 1 to {BASIS_POINTS} basis points of the settlements."
        )


def refuse_share(share_bps: int) -> None:
    """Raise InvalidShare unless a share of sales is between nothing and all of them."""
    if not 0 < share_bps <= BASIS_POINTS:
        raise InvalidShare(share_bps)


class SalesEventKind(StrEnum):
    """Kinds of events, in the order in which they take effect within one value date."""

    SHARE_CHANGED = "share_changed"
    """Another share is kept from that day on."""
    FEE_ADJUSTED = "fee_adjusted"
    """The fixed fee is lower by an amount."""
    SETTLEMENT = "settlement"
    """The platform settles sales; a share is kept."""
    RECEIVED = "received"
    """The merchant pays directly."""
    REFUNDED = "refunded"
    """Credit is paid back to the merchant."""
    CHARGED_OFF = "charged_off"
    """What is outstanding is given up as lost."""
    RECOVERED = "recovered"
    """Money comes in after that all the same."""
    REVERSED = "reversed"


_PLACE_IN_DAY = {kind: place for place, kind in enumerate(SalesEventKind)}


@dataclass(frozen=True, slots=True)
class SalesEvent:
    """One thing that happened to an advance.

    ``share_changed`` carries ``share_bps``, ``reversed`` the id ``reverses``, ``charged_off``
    nothing, the others ``amount_minor`` above zero: of a settlement, the sales settled, not the
    part that is kept. That part follows from the share, unless ``kept_minor`` tells what it was in
    fact: money that was kept stays kept, whatever is learned about the share afterwards.

    Raises InvalidLoanEvent, InvalidShare.
    """

    event_id: int
    kind: SalesEventKind
    value_date: date
    booking_date: date
    amount_minor: int | None = None
    share_bps: int | None = None
    reverses: int | None = None
    kept_minor: int | None = None

    def __post_init__(self) -> None:
        needed = {
            SalesEventKind.SHARE_CHANGED: "share_bps",
            SalesEventKind.REVERSED: "reverses",
            SalesEventKind.CHARGED_OFF: "none",
        }.get(self.kind, "amount_minor")
        for field in ("amount_minor", "share_bps", "reverses"):
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
        if self.share_bps is not None:
            refuse_share(self.share_bps)
        most_minor = self.amount_minor if self.kind is SalesEventKind.SETTLEMENT else None
        if self.kept_minor is not None and not 0 <= self.kept_minor <= (most_minor or -1):
            raise InvalidLoanEvent(
                f"Event {self.event_id} ({self.kind}) has kept_minor {self.kept_minor}: of a "
                f"settlement 0 to {most_minor} is kept, of anything else nothing."
            )


def sales_events_in_force(
    events: Sequence[SalesEvent], *, on: date, known_on: date
) -> list[SalesEvent]:
    """Events that count, in the order they take effect; of one day's shares the last booked."""
    known = [event for event in events if event.booking_date <= known_on]
    in_force = sorted(
        (event for event in standing(known) if event.value_date <= on),
        key=lambda event: (
            event.value_date,
            _PLACE_IN_DAY[event.kind],
            event.booking_date,
            event.event_id,
        ),
    )
    return [
        event
        for event, following in zip_longest(in_force, in_force[1:])
        if not (
            event.kind is SalesEventKind.SHARE_CHANGED
            and following is not None
            and following.kind is SalesEventKind.SHARE_CHANGED
            and following.value_date == event.value_date
        )
    ]
