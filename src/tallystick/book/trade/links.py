"""Which document fulfils which: names become links as soon as both documents are there.

A name (kind and number) means a document of the same supplier, obligor and currency, issued by
one of the two or by whoever names it. Where several have it, because a source's numbers repeat,
it is the oldest one, and of those of one day the one of lowest fingerprint: the same whichever
arrived first. So a document may be linked anew when a better match arrives late.
"""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db import connection

# LATERAL and LIMIT look each name up by index, whatever the planner thinks of the table's size.
_NAMED = """
SELECT naming.id, named.id
FROM trade_document AS naming
CROSS JOIN LATERAL (
    SELECT id FROM trade_document AS named
    WHERE issuer_id = ANY (ARRAY[naming.supplier_id, naming.obligor_id, naming.issuer_id])
      AND kind = naming.fulfils_kind
      AND number = naming.fulfils_number
      AND supplier_id = naming.supplier_id
      AND obligor_id = naming.obligor_id
      AND currency = naming.currency
    ORDER BY issue_date, fingerprint
    LIMIT 1
) AS named
WHERE naming.id = ANY (%s) AND naming.predecessor_id IS DISTINCT FROM named.id
"""

_UNITS = """
WITH touched AS (
    SELECT DISTINCT coalesce(root_id, id) AS root_id FROM trade_document WHERE id = ANY (%s)
)
SELECT id, predecessor_id, trade_document.root_id, issue_date
FROM touched JOIN trade_document ON trade_document.root_id = touched.root_id
UNION
SELECT id, predecessor_id, trade_document.root_id, issue_date
FROM touched JOIN trade_document ON trade_document.id = touched.root_id
"""

_PLACE = """
UPDATE trade_document AS document
SET predecessor_id = place.predecessor_id, root_id = place.root_id
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS place (id, predecessor_id, root_id)
WHERE document.id = place.id
"""


@dataclass(frozen=True, slots=True)
class Links:
    """What linking has changed.

    ``since``: the units of trade concerned, by their root's id, each with the earliest day on
    which the change can matter. ``predecessor_of``: the predecessor of each document in them that
    has one, and so ``members`` all of their documents.
    """

    since: Mapping[int, date]
    predecessor_of: Mapping[int, int]
    members: Set[int]


def link(naming_ids: Collection[int]) -> Links:
    """Link documents to what they name, as far as it has arrived."""
    if not naming_ids:
        return Links({}, {}, set())
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, [list(naming_ids)])
        linked: dict[int, int] = dict(cursor.fetchall())
        if not linked:
            return Links({}, {}, set())
        cursor.execute(_UNITS, [list({*linked, *linked.values()})])
        before = {row[0]: _Place(*row[1:]) for row in cursor.fetchall()}
        predecessor_of = {
            document_id: place.predecessor_id
            for document_id, place in before.items()
            if place.predecessor_id is not None
        } | linked
        ways = {document_id: _way(document_id, predecessor_of) for document_id in before}
        changed = [
            (document_id, predecessor_of.get(document_id), way[0])
            for document_id, way in ways.items()
            if document_id in linked or before[document_id].root_id != way[0]
        ]
        cursor.execute(_PLACE, [list(column) for column in zip(*changed, strict=True)])
    since: dict[int, date] = {}
    for document_id, way in ways.items():
        # What stands on a document newly linked moves with it.
        if not linked.keys().isdisjoint(way):
            place = before[document_id]
            for root_id in {way[0], place.root_id or way[0]}:
                since[root_id] = min(place.issue_date, since.get(root_id, place.issue_date))
    return Links(since, predecessor_of, before.keys())


class _Place(NamedTuple):
    predecessor_id: int | None
    root_id: int | None
    issue_date: date


def _way(document_id: int, predecessor_of: Mapping[int, int]) -> list[int]:
    """From the root of its unit down to the document.

    Each is of an earlier stage than the next, so that the way is short and ends.
    """
    way = [document_id]
    while (above := predecessor_of.get(way[-1])) is not None:
        way.append(above)
    return way[::-1]
