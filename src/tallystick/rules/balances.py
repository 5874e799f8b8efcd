"""Balances that somebody else states, held against our own movements.

A bank's statement and the books of a platform that moves to us state balances beside movements.
Where they disagree the import must say so before anything is booked. Amounts are exact decimals
in major units, because that is how statements are written.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Movement:
    """An amount that moves an account on a date, and the balance stated after it, if any."""

    on: date
    account: str
    currency: str
    amount: Decimal
    stated_balance: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OpeningBalance:
    """A balance stated for the start of a day, before anything moves on it.

    Accounts below ``account`` (their names begin with it and a colon) count in. ``tolerance`` is
    the difference still accepted.
    """

    on: date
    account: str
    currency: str
    balance: Decimal
    tolerance: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A stated balance that the movements do not lead to."""

    on: date
    account: str
    currency: str
    stated: Decimal
    actual: Decimal

    @property
    def difference(self) -> Decimal:
        """Actual less stated: below zero where movements are missing."""
        return self.actual - self.stated


def disagreements_after_movements(movements: Sequence[Movement]) -> list[Disagreement]:
    """Stated running balances that are wrong, exactly, each account and currency on its own.

    Movements count in order of their dates, and within a date in the order given.
    """
    running: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    found = []
    for movement in sorted(movements, key=lambda movement: movement.on):
        account = movement.account, movement.currency
        running[account] += movement.amount
        stated = movement.stated_balance
        if stated is not None and stated != running[account]:
            found.append(Disagreement(movement.on, *account, stated, running[account]))
    return found


def disagreements_at_start_of_day(
    movements: Sequence[Movement], stated: Sequence[OpeningBalance]
) -> list[Disagreement]:
    """Stated opening balances further from the movements of earlier days than is accepted."""
    found = []
    for opening in stated:
        below = f"{opening.account}:"
        actual = sum(
            (
                movement.amount
                for movement in movements
                if movement.on < opening.on
                and movement.currency == opening.currency
                and (movement.account == opening.account or movement.account.startswith(below))
            ),
            start=Decimal(0),
        )
        if abs(actual - opening.balance) > opening.tolerance:
            found.append(
                Disagreement(opening.on, opening.account, opening.currency, opening.balance, actual)
            )
    return found
