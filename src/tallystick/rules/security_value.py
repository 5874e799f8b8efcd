"""What security is worth to a lender, and what is missing when it falls in value."""

from collections.abc import Iterable
from typing import NamedTuple

from tallystick.rules.money import Rounding, rounded

_BPS = 10_000


class Item(NamedTuple):
    """A quantity of something, in millionths of its unit, at a price per unit in minor units."""

    quantity_millionths: int
    price_minor: int


def lendable_minor(items: Iterable[Item], *, haircut_bps: int) -> int:
    """What can be lent against the items: Σ quantity × price × (1 − haircut), rounded down."""
    worth = sum(item.quantity_millionths * item.price_minor for item in items)
    return rounded(worth * (_BPS - haircut_bps), 10**6 * _BPS, Rounding.DOWN)


def shortfall_minor(*, outstanding_minor: int, value_minor: int, max_ltv_bps: int) -> int:
    """What is outstanding above value × loan-to-value; zero where it is just as much.

    The cover is rounded down, so that a shortfall is never smaller than it is.
    """
    cover_minor = rounded(value_minor * max_ltv_bps, _BPS, Rounding.DOWN)
    return max(0, outstanding_minor - cover_minor)
