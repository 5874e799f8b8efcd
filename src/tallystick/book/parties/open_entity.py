"""Open a legal entity: one of our companies, with its books, calendar and business day."""

from dataclasses import asdict, dataclass
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallystick.book import calendars
from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.models import LegalEntity
from tallystick.book.parties.register import party_ids
from tallystick.rules.refusal import Refusal

MAX_CODE_LENGTH = 64


class UnknownTimeZone(Refusal):
    """No time zone has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no time zone {name!r}. Use a name of the IANA list, such as Asia/Shanghai."
        )


class LegalEntityNotNew(Refusal):
    """The code is taken, or cannot be one."""


@dataclass(frozen=True, slots=True)
class NewLegalEntity:
    """A company of ours. ``opened_date`` is its first business day.

    ``calendar`` is a name of ``book.calendars``, ``time_zone`` one of the IANA list.
    """

    code: str
    name: str
    time_zone: str
    calendar: str
    opened_date: date


def open_legal_entity(entity: NewLegalEntity, *, caller: Caller, key: str) -> int:
    """Open the entity on its first business day; returns its id.

    Raises LegalEntityNotNew, UnknownTimeZone, UnknownCalendar, KeyConflict.
    """
    _refuse_unknown(entity)
    with once(caller, key=key, kind="open_legal_entity", request=asdict(entity)) as act:
        if act.earlier is None:
            if LegalEntity.objects.filter(code=entity.code).exists():
                raise LegalEntityNotNew(
                    f"Legal entity {entity.code} is open already. Choose another code."
                )
            opened = LegalEntity.objects.create(
                code=entity.code,
                party_id=party_ids([entity.code], {entity.code: entity.name})[entity.code],
                time_zone=entity.time_zone,
                calendar=entity.calendar,
                opened_date=entity.opened_date,
                business_date=entity.opened_date,
            )
            act.answer({"legal_entity_id": opened.pk})
    return int((act.earlier or act.given)["legal_entity_id"])


def _refuse_unknown(entity: NewLegalEntity) -> None:
    code = entity.code
    if not 1 <= len(code) <= MAX_CODE_LENGTH or not code.isprintable():
        raise LegalEntityNotNew(
            f"{code[:40]!r} cannot be a code. Use 1 to {MAX_CODE_LENGTH} printable characters."
        )
    if not 1 <= len(entity.name) <= 200 or not entity.name.isprintable():
        raise LegalEntityNotNew(
            f"{entity.name[:40]!r} cannot be a name. Use 1 to 200 printable characters."
        )
    try:
        ZoneInfo(entity.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimeZone(entity.time_zone) from None
    calendars.named(entity.calendar)
