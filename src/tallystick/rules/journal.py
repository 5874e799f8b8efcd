"""Journal entries as values: what an event books, before anything is stored."""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from tallystick.rules.refusal import Refusal


class UnbalancedEntry(Refusal):
    """Debits and credits of an entry differ, or there are none."""


class Side(IntEnum):
    """Direction of a posting; amounts themselves are always above zero."""

    DEBIT = 1
    CREDIT = -1


class AccountName(NamedTuple):
    """Which account of a legal entity: its name in the chart, and its book or party if it has one.

    ``book`` is the id of a loan book (legal entity × programme × funder × currency × class);
    ``party`` the id of the firm whose money or debt it is. (A named tuple, because posting in
    bulk looks up a hundred thousand of them a second.)
    """

    name: str
    book: int | None = None
    party: int | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """One line: ``amount_minor`` above zero, on one side of one account."""

    account: AccountName
    side: Side
    amount_minor: int

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise UnbalancedEntry(
                f"{self.side.name.lower()} of {self.amount_minor} to {self.account.name}: "
                "an amount must be above zero; the side carries the direction"
            )


def debit(account: AccountName, amount_minor: int) -> Posting:
    return Posting(account, Side.DEBIT, amount_minor)


def credit(account: AccountName, amount_minor: int) -> Posting:
    return Posting(account, Side.CREDIT, amount_minor)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One business event in one currency; immutable, and corrected only by another.

    ``booking_date`` is the open business day it is booked in, never a closed one; ``value_date``
    the day from which it counts. ``reference`` names the object, such as ``loan:JBB-1-7``.
    ``reverses`` is the id of the entry that this one corrects, if it does.
    """

    legal_entity_id: int
    currency: str
    event: str
    reference: str
    value_date: date
    booking_date: date
    postings: tuple[Posting, ...]
    reverses: int | None = None

    def __post_init__(self) -> None:
        debits_minor = self.total_minor(Side.DEBIT)
        credits_minor = self.total_minor(Side.CREDIT)
        if not self.postings or debits_minor != credits_minor:
            raise UnbalancedEntry(
                f"{self.event} of {self.reference}: debits {debits_minor} and credits "
                f"{credits_minor} ({self.currency} minor units) must be equal and present"
            )

    def total_minor(self, side: Side) -> int:
        return sum(p.amount_minor for p in self.postings if p.side is side)
