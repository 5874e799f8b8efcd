"""Long lists a page at a time: a cursor is the signed key of the row where a page ended.

Rows come in the order of their making, so that what is added meanwhile comes at the end and no row
is seen twice or left out.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from ninja import Query
from pydantic import Field

from tallystick.faces.api.problems import CursorUnusable

MAX_ITEMS = 200
DEFAULT_ITEMS = 50

Limit = Annotated[
    int,
    Query(ge=1, le=MAX_ITEMS, description=f"Items on a page, 1 to {MAX_ITEMS}."),
]
Cursor = Annotated[
    str | None,
    Query(max_length=500, description="``next_cursor`` of the page before; none: the first page."),
]
NextCursor = Annotated[
    str | None, Field(description="To be given as ``cursor`` for the next page; null on the last.")
]


def page(
    rows: QuerySet[Any],
    *,
    of: str,
    filters: Mapping[str, Any],
    cursor: str | None,
    limit: int,
    shown: Callable[[Any], dict[str, Any]],
) -> dict[str, Any]:
    """A page of ``rows``, in the order of their keys.

    A cursor holds for the list ``of`` which it was given out and for its ``filters`` only. Raises
    CursorUnusable.
    """
    after = key_in(cursor, of=of, filters=filters)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    found = list(rows.order_by("pk")[: limit + 1])
    more = len(found) > limit
    return {
        "items": [shown(row) for row in found[:limit]],
        "next_cursor": cursor_of(found[limit - 1].pk, of=of, filters=filters) if more else None,
    }


def cursor_of(key: int, *, of: str, filters: Mapping[str, Any]) -> str:
    return _signer(of, filters).sign(str(key))


def key_in(cursor: str | None, *, of: str, filters: Mapping[str, Any]) -> int | None:
    """The key that a cursor holds. Raises CursorUnusable."""
    if cursor is None:
        return None
    try:
        return int(_signer(of, filters).unsign(cursor))
    except (BadSignature, ValueError):
        raise CursorUnusable from None


def _signer(of: str, filters: Mapping[str, Any]) -> Signer:
    return Signer(salt=f"cursor:{of}:{json.dumps(filters, sort_keys=True, default=str)}")
