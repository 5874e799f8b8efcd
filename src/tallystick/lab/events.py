"""What a day brings from outside: the same shape from a simulated world and from real data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from tallystick.rules.trade_documents import TradeDocument


@dataclass(frozen=True, slots=True)
class Remittance:
    """Cash that an obligor pays in, naming the claims it is for.

    ``lines`` are claim codes with amounts; None pays whatever the claim then has outstanding.
    Where nothing else is said, the cash is what the lines sum to, in the source's currency, and
    counts from the day on which it is told of.
    """

    reference: str
    payer: str
    lines: tuple[tuple[str, int | None], ...]
    currency: str | None = None
    amount_minor: int | None = None
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class DayEvents:
    """Everything that arrives on one date, in the order in which the platform takes it.

    ``recalled_receipts``: credits that the bank takes back, by its references.
    """

    documents: Sequence[TradeDocument] = ()
    disputed_claims: Sequence[str] = ()
    resolved_claims: Sequence[str] = ()
    remittances: Sequence[Remittance] = ()
    recalled_receipts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """A supplier's wish to draw a share of what is available for some days."""

    supplier: str
    share_ppm: int
    tenor_days: int


class Source(Protocol):
    """A run's outside world, asked for one date after the other.

    ``numbers_repeat``: a document's number does not identify it, see ``rules.trade_documents``.
    """

    currency: str
    suppliers: Sequence[str]
    numbers_repeat: bool

    def events(self, on: date) -> DayEvents: ...

    def wishes(self, on: date) -> Sequence[Wish]: ...


@dataclass(slots=True)
class Agenda:
    """Events put down for later dates."""

    documents: dict[date, list[TradeDocument]] = field(default_factory=dict)
    disputed_claims: dict[date, list[str]] = field(default_factory=dict)
    remittances: dict[date, list[Remittance]] = field(default_factory=dict)

    def take(self, on: date) -> DayEvents:
        """The events of a date, which are then done with."""
        return DayEvents(
            documents=self.documents.pop(on, []),
            disputed_claims=self.disputed_claims.pop(on, []),
            remittances=self.remittances.pop(on, []),
        )

    def last_date(self) -> date | None:
        dates = [*self.documents, *self.disputed_claims, *self.remittances]
        return max(dates, default=None)
