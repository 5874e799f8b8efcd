"""What suppliers may draw, and what bounds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tallystick.book.financing import standing
from tallystick.book.financing.models import Facility
from tallystick.book.financing.refusals import binding_limit
from tallystick.book.parties.business_date import DayNotOpen
from tallystick.rules.limits import DrawdownInputs


@dataclass(frozen=True, slots=True)
class Availability:
    """What one facility may still draw. Amounts are minor units of its currency.

    ``limit_minor`` is the least of facility limit, cap per supplier and headrooms as an amount
    drawn; ``binding`` says what bounds it most. ``shortfall_minor`` is what is drawn above the
    cover of the pool. The programme's cap is what other facilities of the supplier leave of it.
    """

    facility: str
    currency: str
    frozen_reason: str
    facility_limit_minor: int
    programme_cap_per_supplier_minor: int
    programme_headroom_minor: int
    funder_headroom_minor: int
    limit_minor: int
    base_minor: int
    cover_minor: int
    drawn_minor: int
    available_minor: int
    shortfall_minor: int
    binding: str


def availability(facility_ids: Sequence[int], *, on: date) -> dict[int, Availability]:
    """What each facility may draw on the open business day ``on``, by facility id.

    The figures are those a drawdown would read now; a base that is not current is computed and
    kept. They hold for this moment: whoever draws meanwhile takes from them.

    Raises DayNotOpen for another day.
    """
    codes = dict(Facility.objects.filter(id__in=facility_ids).values_list("id", "code"))
    standings = standing.read(sorted(codes.values()))
    return {
        facility_id: _availability(codes[facility_id], standings, on=on)
        for facility_id in facility_ids
        if facility_id in codes
    }


def _availability(facility: str, standings: standing.Standings, *, on: date) -> Availability:
    held = standings.by_facility[facility]
    if held.business_date != on:
        raise DayNotOpen(asked_date=on, business_date=held.business_date)
    inputs: DrawdownInputs = standings.inputs(held)
    return Availability(
        facility=facility,
        currency=held.currency,
        frozen_reason=held.frozen_reason,
        facility_limit_minor=inputs.facility_limit_minor,
        programme_cap_per_supplier_minor=inputs.programme_cap_per_supplier_minor,
        programme_headroom_minor=inputs.programme_headroom_minor,
        funder_headroom_minor=inputs.funder_headroom_minor,
        limit_minor=inputs.limit_minor,
        base_minor=inputs.base_minor,
        cover_minor=inputs.cover_minor,
        drawn_minor=inputs.drawn_minor,
        available_minor=inputs.available_minor,
        shortfall_minor=inputs.shortfall_minor,
        binding=binding_limit(inputs),
    )
