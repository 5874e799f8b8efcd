"""Which of our legal entities a page is about."""

from django.http import HttpRequest

from tallystick.book.access import reach
from tallystick.book.parties.entities import WhichEntity
from tallystick.book.parties.models import LegalEntity


def entity_asked(request: HttpRequest) -> LegalEntity:
    """The entity that the address names with ``entity``, or the first. Raises NotThere."""
    code = request.GET.get("entity", "")
    if not code and not reach.entities(request.viewer).exists():
        raise WhichEntity("There is no legal entity yet. Open one: ./tally entity open --help")
    return reach.entity(request.viewer, code)


def entity_choice(request: HttpRequest, asked: LegalEntity) -> dict[str, object]:
    """What ``portal/house/entity_choice.html`` shows: nothing, where there is only one."""
    return {"entity": asked, "entities": list(reach.entities(request.viewer).order_by("code")[:50])}
