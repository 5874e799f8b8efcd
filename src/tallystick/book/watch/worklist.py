"""Worklists: what the platform could not settle by itself waits here for a person."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.watch.models import WorkItem
from tallystick.rules.refusal import Refusal


@dataclass(frozen=True, slots=True)
class NewItem:
    """Something to look at. ``kind`` and ``subject`` name it; ``details`` says what is known."""

    kind: str
    subject: str
    details: dict[str, Any]


class NoOpenItem(Refusal):
    """The work item is not there, or somebody has closed it."""

    def __init__(self, item_id: int) -> None:
        self.item_id = item_id
        super().__init__(
            f"There is no open work item {item_id}: it was closed, or the number is wrong. "
            "List the open items and choose one of them."
        )


class ResolutionMissing(Refusal):
    """An item is closed by somebody, for a reason; one of the two was left out."""

    def __init__(self, item_id: int) -> None:
        self.item_id = item_id
        super().__init__(
            f"Work item {item_id} is closed by a named person who says what was done. Give both."
        )


def open_items(legal_entity_id: int, items: Sequence[NewItem], *, on: date) -> None:
    """Put items on the list, in the caller's transaction.

    One that is open already (same kind and subject) stays as it is, so that a repetition changes
    nothing.
    """
    if not items:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO watch_workitem"
            " (legal_entity_id, kind, subject, details, opened_date, closed_by, resolution)"
            " SELECT %s, kind, subject, details::jsonb, %s, '', ''"
            " FROM unnest(%s::text[], %s::text[], %s::text[]) AS item (kind, subject, details)"
            " ON CONFLICT (legal_entity_id, kind, subject) WHERE closed_at IS NULL DO NOTHING",
            [
                legal_entity_id,
                on,
                [item.kind for item in items],
                [item.subject for item in items],
                [json.dumps(item.details) for item in items],
            ],
        )


def close_item(item_id: int, *, who: str, resolution: str) -> None:
    """Take an item off the list: ``who`` looked at it, ``resolution`` says what was done.

    Raises NoOpenItem, ResolutionMissing.
    """
    if not who.strip() or not resolution.strip():
        raise ResolutionMissing(item_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE watch_workitem SET closed_at = now(), closed_by = %s, resolution = %s"
            " WHERE id = %s AND closed_at IS NULL",
            [who, resolution, item_id],
        )
        if not cursor.rowcount:
            raise NoOpenItem(item_id)


def settle_item(item_id: int, *, caller: Caller, key: str) -> None:
    """Take an item off the list as an act of ``caller``, whose reason says what was done.

    Repeating the key changes nothing. Raises NoOpenItem, ResolutionMissing, KeyConflict.
    """
    request = {"item": item_id, "resolution": caller.reason}
    with once(caller, key=key, kind="close_work_item", request=request) as act:
        if act.earlier is None:
            close_item(item_id, who=caller.actor, resolution=caller.reason)
            act.answer({"item": item_id})


def items_open(legal_entity_id: int, *, kind: str | None = None) -> list[WorkItem]:
    """The open items of a legal entity, oldest first; of one ``kind`` if given."""
    items = WorkItem.objects.filter(legal_entity=legal_entity_id, closed_at=None)
    if kind is not None:
        items = items.filter(kind=kind)
    return list(items.order_by("id"))


def close_items(
    legal_entity_id: int, kind: str, subject: str, *, who: str, resolution: str
) -> None:
    """Take off the list what an act has settled, if it is there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE watch_workitem SET closed_at = now(), closed_by = %s, resolution = %s"
            " WHERE legal_entity_id = %s AND kind = %s AND subject = %s AND closed_at IS NULL",
            [who, resolution, legal_entity_id, kind, subject],
        )
