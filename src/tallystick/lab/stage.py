"""Set the stage of a run: a legal entity, its money, a programme, and a facility for each supplier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tallystick.book.acts.once import Caller
from tallystick.book.financing.open_facility import NewFacility, open_facilities
from tallystick.book.financing.programmes import preset_programme
from tallystick.book.parties.open_entity import open_legal_entity


@dataclass(frozen=True, slots=True)
class Stage:
    """What a walk needs to know of the book it walks in."""

    legal_entity_id: int
    facility_ids: dict[str, int]
    """by supplier"""
    facility_codes: dict[int, str]
    min_draw_minor: int
    round_to_minor: int


@dataclass(frozen=True, slots=True)
class StageTerms:
    """What a run lends on: a programme in a currency, with one limit for all facilities alike."""

    programme: str
    currency: str
    calendar: str
    time_zone: str
    capital_minor: int
    facility_limit_minor: int


def set_stage(
    terms: StageTerms, *, suppliers: Sequence[str], start: date, end: date, caller: Caller
) -> Stage:
    """Open everything that the suppliers need in order to draw from ``start`` to ``end``."""
    raise NotImplementedError
