"""What of a loan's events its table depends on."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tallystick.rules.instalment_dates import MovedFrom


class Payout(NamedTuple):
    """Money paid out on a day."""

    date: date
    amount_minor: int


class PaidToRow(NamedTuple):
    """What a receipt paid to the instalment of a period."""

    date: date
    period: int
    principal_minor: int
    interest_minor: int


class Early(NamedTuple):
    """Money that came before anything was due for it."""

    date: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class History:
    """What the table depends on. ``looked_on`` are the days on which it was calculated again."""

    payouts: tuple[Payout, ...]
    moved: tuple[MovedFrom, ...] = ()
    rates: tuple[tuple[date, Decimal], ...] = ()
    pauses: tuple[tuple[date, date], ...] = ()
    paid: tuple[PaidToRow, ...] = ()
    early: tuple[Early, ...] = ()
    looked_on: tuple[date, ...] = ()
