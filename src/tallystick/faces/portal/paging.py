"""Long lists a page at a time: from the key of the row where the page before ended.

No row is counted or skipped, so that the thousandth page costs what the first does.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from tallystick.book.patience import TookTooLong, for_at_most
from tallystick.rules.refusal import Refusal

ROWS_A_PAGE = 50


class CursorUnusable(Refusal):
    """The address names a place in a list that cannot be found."""

    def __init__(self) -> None:
        super().__init__(
            "The address names a place in the list that cannot be found. "
            "Open the list from its first page."
        )


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one page; ``before`` and ``after`` lead to its neighbours, empty where none is."""

    rows: list[Any]
    before: str
    after: str


def sliced(
    rows: QuerySet[Any], *, by: Sequence[str], cursor: str = "", size: int = ROWS_A_PAGE
) -> Slice:
    """The page of ``rows`` at ``cursor``, or the first one.

    ``by``: fields of the row, all ascending or all with a minus, the last one unique; an index
    should have them in this order. Raises CursorUnusable.
    """
    backwards, key = _read(cursor)
    ordered = [_turned(field) if backwards else field for field in by]
    if key:
        rows = rows.filter(_beyond(rows, ordered, key))
    found = list(rows.order_by(*ordered)[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    goes_back, goes_on = (more, True) if backwards else (bool(key), more)
    return Slice(
        found,
        before=_cursor("before", found[0], by) if found and goes_back else "",
        after=_cursor("after", found[-1], by) if found and goes_on else "",
    )


def _turned(field: str) -> str:
    return field.removeprefix("-") if field.startswith("-") else f"-{field}"


def _cursor(direction: str, row: Any, by: Sequence[str]) -> str:
    values = [getattr(row, field.removeprefix("-")) for field in by]
    return json.dumps([direction, *(v if isinstance(v, int) else str(v) for v in values)])


def _read(cursor: str) -> tuple[bool, list[Any]]:
    if not cursor:
        return False, []
    try:
        direction, *key = json.loads(cursor)
    except (ValueError, TypeError):
        raise CursorUnusable from None
    if direction not in ("before", "after") or not key:
        raise CursorUnusable
    return direction == "before", key


def _beyond(rows: QuerySet[Any], ordered: Sequence[str], key: Sequence[Any]) -> Q:
    """Rows after ``key`` in the order: (a, b) > (x, y), which is a > x, or a = x and b > y."""
    if len(key) != len(ordered):
        raise CursorUnusable
    # No row equals the key in nothing but its last field: the row itself is not shown again.
    condition = Q(pk__in=[])
    values = [_value(rows, field, part) for field, part in zip(ordered, key, strict=True)]
    for field, value in reversed(list(zip(ordered, values, strict=True))):
        name = field.removeprefix("-")
        beyond = "lt" if field.startswith("-") else "gt"
        condition = Q(**{f"{name}__{beyond}": value}) | (Q(**{name: value}) & condition)
    first = ordered[0].removeprefix("-")
    reach = "lte" if ordered[0].startswith("-") else "gte"
    # Said again in one comparison, by which the database enters the index at the right place.
    return Q(**{f"{first}__{reach}": values[0]}) & condition


def _value(rows: QuerySet[Any], field: str, part: Any) -> Any:
    meta = rows.model._meta
    name = field.removeprefix("-")
    column = meta.pk if name == "pk" else meta.get_field(name)
    if not isinstance(part, (int, str)):
        raise CursorUnusable
    try:
        value = column.to_python(part)
        column.run_validators(value)
    except (ValidationError, ValueError, TypeError, OverflowError):
        raise CursorUnusable from None
    return value


COUNTED_AT_MOST = 10_000
COUNTING_MS = 40


def cheap_count(rows: QuerySet[Any]) -> int | None:
    """How many rows there are, above COUNTED_AT_MOST not exactly; None where that takes long."""
    try:
        with for_at_most(COUNTING_MS):
            return rows.order_by()[: COUNTED_AT_MOST + 1].count()
    except TookTooLong:
        return None
