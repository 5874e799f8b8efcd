"""Questions about our legal entities."""

from dataclasses import dataclass
from datetime import date

from tallystick.book.parties.models import LegalEntity
from tallystick.rules.refusal import Refusal


class WhichEntity(Refusal):
    """The legal entity meant is not there, or there are several and none was named."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One of our companies and its open business day."""

    entity_id: int
    code: str
    business_date: date


def entity_called(code: str | None) -> Entity:
    """The legal entity with this code, or the only one there is. Raises WhichEntity."""
    entities = [
        Entity(*row)
        for row in LegalEntity.objects.order_by("code").values_list("id", "code", "business_date")
    ]
    found = [entity for entity in entities if code in (None, entity.code)]
    if len(found) == 1:
        return found[0]
    codes = ", ".join(entity.code for entity in entities)
    if not entities:
        raise WhichEntity("There is no legal entity yet. Open one: ./tally entity open --help")
    if code is None:
        raise WhichEntity(f"There are several legal entities; name one with --entity: {codes}.")
    raise WhichEntity(f"There is no legal entity {code!r}. There is: {codes}.")
