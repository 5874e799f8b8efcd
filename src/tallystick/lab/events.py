"""What a day brings from outside: the same shape from a simulated world and from real data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TradePaper:
    """A trade document as its issuer sends it; ``fulfils`` names its predecessor's number."""

    kind: str
    supplier: str
    obligor: str
    number: str
    issue_date: date
    due_date: date | None
    amount_minor: int
    fulfils_kind: str = ""
    fulfils_number: str = ""


@dataclass(frozen=True, slots=True)
class Remittance:
    """Cash an obligor sends a supplier's account with us, naming the documents it pays.

    ``amount_minor`` of a line is None when the whole outstanding amount of that document is paid.
    """

    reference: str
    payer: str
    supplier: str
    lines: tuple[tuple[str, str, int | None], ...]
    """(document kind, document number, amount)"""


@dataclass(frozen=True, slots=True)
class DayEvents:
    """Everything that arrives on one date, in the order in which the platform takes it."""

    papers: Sequence[TradePaper] = ()
    disputes: Sequence[tuple[str, str, str]] = ()
    """(supplier, document kind, document number) now disputed"""
    remittances: Sequence[Remittance] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """A supplier's wish to draw a share of what is available for some days."""

    supplier: str
    share_ppm: int
    tenor_days: int


class Source(Protocol):
    """A run's outside world, asked for one date after the other."""

    currency: str
    suppliers: Sequence[str]

    def events(self, on: date) -> DayEvents: ...

    def wishes(self, on: date) -> Sequence[Wish]: ...

    def is_over(self, on: date) -> bool:
        """Whether nothing more will come after this date."""
        ...


@dataclass(slots=True)
class Agenda:
    """Events put down for later dates."""

    papers: dict[date, list[TradePaper]] = field(default_factory=dict)
    disputes: dict[date, list[tuple[str, str, str]]] = field(default_factory=dict)
    remittances: dict[date, list[Remittance]] = field(default_factory=dict)

    def take(self, on: date) -> DayEvents:
        """The events of a date, which are then done with."""
        return DayEvents(
            papers=self.papers.pop(on, []),
            disputes=self.disputes.pop(on, []),
            remittances=self.remittances.pop(on, []),
        )

    def last_date(self) -> date | None:
        dates = [*self.papers, *self.disputes, *self.remittances]
        return max(dates, default=None)
