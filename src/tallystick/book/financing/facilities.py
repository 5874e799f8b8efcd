"""Questions about facilities."""

from dataclasses import dataclass
from datetime import date

from tallystick.book.financing.models import Facility
from tallystick.book.financing.refusals import UnknownFacility


@dataclass(frozen=True, slots=True)
class FacilityLine:
    """What one needs to know of a facility in order to ask something of it."""

    facility_id: int
    supplier: str
    currency: str
    legal_entity_id: int
    business_date: date


def facility_line(code: str) -> FacilityLine:
    """The facility with this code. Raises UnknownFacility."""
    if not code.isprintable():
        raise UnknownFacility(code)
    row = (
        Facility.objects.filter(code=code)
        .values_list(
            "id", "supplier__code", "currency", "legal_entity_id", "legal_entity__business_date"
        )
        .first()
    )
    if row is None:
        raise UnknownFacility(code)
    return FacilityLine(*row)
