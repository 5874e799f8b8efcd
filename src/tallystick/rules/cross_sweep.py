"""A settlement across the facilities of one supplier: how it is parted, and whose turn it is.

Of a settlement that pays the claims of one facility, so many basis points repay at most (the cap),
so many are held back as the supplier's credit, and the rest is the supplier's at once:

    held back = floor(settlement × held_back_bps / 10,000)
    swept     = floor(settlement × swept_bps / 10,000), all of it where nothing else is said
    free      = settlement − held back − swept

What is swept meets the facility's own loans first (``settlement``). What they leave meets those of
the supplier's other facilities whose programmes let it, the lower priority first and then the
older facility; what no loan takes is the supplier's.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tallystick.rules.settlement_terms import WHOLE_BPS, Others, SettlementTerms


class Parted(NamedTuple):
    """The parts of a settlement; they sum to it. Amounts are minor units."""

    swept_minor: int
    held_back_minor: int
    free_minor: int


class Turn(NamedTuple):
    """A facility of the supplier, and what its programme says of settlements."""

    facility_id: int
    terms: SettlementTerms


def parted(settlement_minor: int, terms: SettlementTerms) -> Parted:
    """How a settlement of a facility under ``terms`` is parted."""
    held_back_minor = settlement_minor * terms.held_back_bps // WHOLE_BPS
    swept_minor = settlement_minor * terms.swept_bps // WHOLE_BPS
    if terms.swept_bps + terms.held_back_bps == WHOLE_BPS:
        # What the two roundings leave is not the supplier's where nothing was to be.
        swept_minor = settlement_minor - held_back_minor
    return Parted(swept_minor, held_back_minor, settlement_minor - swept_minor - held_back_minor)


def turns(own_facility_id: int, facilities: Iterable[Turn]) -> list[Turn]:
    """The supplier's other facilities that take part, in the order of their turns."""
    others = [
        each
        for each in facilities
        if each.facility_id != own_facility_id and each.terms.others is not Others.NONE
    ]
    return sorted(others, key=lambda each: (each.terms.others_priority, each.facility_id))
