"""Raise or lower a limit: of a facility, of a programme, of a funder.

A limit may fall below what is drawn. That stops new drawdowns and touches no old ones.
"""

from typing import Any

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.refusals import UnknownFacility
from tallystick.rules.programme import MAX_LIMIT_MINOR
from tallystick.rules.refusal import Refusal


class LimitImpossible(Refusal):
    """The amount is below zero, or more than the book can hold."""

    def __init__(self, limit_minor: int) -> None:
        super().__init__(
            f"{limit_minor} cannot be a limit. Give 0 to {MAX_LIMIT_MINOR} minor units."
        )


class UnknownLimit(Refusal):
    """The legal entity has no such limit in this programme and currency."""

    def __init__(self, what: str, programme: str, currency: str) -> None:
        super().__init__(
            f"There is no {what} of programme {programme} in {currency}. It is made with the "
            "first facility that is opened under the programme in that currency."
        )


def set_facility_limit(facility: str, limit_minor: int, *, caller: Caller, key: str) -> int:
    """Set a facility's limit from now on; returns the limit before.

    Raises UnknownFacility, LimitImpossible, KeyConflict.
    """
    _refuse_impossible(limit_minor)
    if not facility.isprintable():
        raise UnknownFacility(facility)
    request = {"facility": facility, "limit_minor": limit_minor}
    with once(caller, key=key, kind="set_facility_limit", request=request) as act:
        if act.earlier is None:
            before = _set("financing_facility", limit_minor, {"code": facility})
            if before is None:
                raise UnknownFacility(facility)
            act.answer({"before_minor": before})
    return int((act.earlier or act.given or {})["before_minor"])


def set_programme_limit(
    legal_entity_id: int,
    programme: str,
    currency: str,
    limit_minor: int,
    *,
    caller: Caller,
    key: str,
) -> int:
    """Set how much a programme may have drawn in all, in a currency; returns the limit before.

    Raises UnknownLimit, LimitImpossible, KeyConflict.
    """
    _refuse_impossible(limit_minor)
    limit = {"legal_entity_id": legal_entity_id, "programme": programme, "currency": currency}
    request = limit | {"limit_minor": limit_minor}
    with once(caller, key=key, kind="set_programme_limit", request=request) as act:
        if act.earlier is None:
            before = _set("financing_programmelimit", limit_minor, limit)
            if before is None:
                raise UnknownLimit("limit", programme, currency)
            act.answer({"before_minor": before})
    return int((act.earlier or act.given or {})["before_minor"])


def set_funding_limit(
    legal_entity_id: int,
    programme: str,
    currency: str,
    funder_id: int,
    limit_minor: int,
    *,
    caller: Caller,
    key: str,
) -> int:
    """Set how much of a funder's money a programme may have drawn; returns the limit before.

    Raises UnknownLimit, LimitImpossible, KeyConflict.
    """
    _refuse_impossible(limit_minor)
    line = {
        "legal_entity_id": legal_entity_id,
        "programme": programme,
        "currency": currency,
        "funder_id": funder_id,
    }
    request = line | {"limit_minor": limit_minor}
    with once(caller, key=key, kind="set_funding_limit", request=request) as act:
        if act.earlier is None:
            before = _set("funding_fundingline", limit_minor, line)
            if before is None:
                raise UnknownLimit("funding line", programme, currency)
            act.answer({"before_minor": before})
    return int((act.earlier or act.given or {})["before_minor"])


def _refuse_impossible(limit_minor: int) -> None:
    if not 0 <= limit_minor <= MAX_LIMIT_MINOR:
        raise LimitImpossible(limit_minor)


def _set(table: str, limit_minor: int, which: dict[str, Any]) -> int | None:
    """The limit before; None where ``which`` names no row. Draws in flight end first."""
    named = " AND ".join(f"{column} = %({column})s" for column in which)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH before AS (SELECT id, limit_minor FROM {table} WHERE {named}"
            "                FOR NO KEY UPDATE)"
            f" UPDATE {table} AS held SET limit_minor = %(limit_minor)s FROM before"
            " WHERE held.id = before.id RETURNING before.limit_minor",
            which | {"limit_minor": limit_minor},
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])
