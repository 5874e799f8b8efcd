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

_LINK = """
WITH named AS (
    SELECT DISTINCT ON (naming.id) naming.id, named.id AS predecessor_id
    FROM trade_document AS naming
    JOIN trade_document AS named
      ON named.issuer_id = ANY (ARRAY[naming.supplier_id, naming.obligor_id, naming.issuer_id])
     AND named.kind = naming.fulfils_kind
     AND named.number = naming.fulfils_number
     AND named.supplier_id = naming.supplier_id
     AND named.obligor_id = naming.obligor_id
     AND named.currency = naming.currency
    WHERE naming.id = ANY (%s)
    ORDER BY naming.id, named.issue_date, named.fingerprint
)
UPDATE trade_document AS document SET predecessor_id = named.predecessor_id
FROM named
WHERE document.id = named.id
  AND document.predecessor_id IS DISTINCT FROM named.predecessor_id
RETURNING document.id
"""

_UNITS = """
WITH touched AS (
    SELECT coalesce(document.root_id, document.id) AS root_id
    FROM trade_document AS linked
    JOIN trade_document AS document ON document.id IN (linked.id, linked.predecessor_id)
    WHERE linked.id = ANY (%s)
)
SELECT id, predecessor_id, root_id, issue_date FROM trade_document
WHERE root_id IN (SELECT root_id FROM touched)
UNION
SELECT id, predecessor_id, root_id, issue_date FROM trade_document
WHERE id IN (SELECT root_id FROM touched)
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
        cursor.execute(_LINK, [list(naming_ids)])
        linked = {document_id for (document_id,) in cursor.fetchall()}
        if not linked:
            return Links({}, {}, set())
        cursor.execute(_UNITS, [list(linked)])
        documents = {row[0]: _Linked(*row[1:]) for row in cursor.fetchall()}
        ways = {document_id: _way(document_id, documents) for document_id in documents}
        moved = [
            (document_id, way[0])
            for document_id, way in ways.items()
            if documents[document_id].root_id != way[0]
        ]
        cursor.execute(
            "UPDATE trade_document AS document SET root_id = moved.root_id"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS moved (id, root_id)"
            " WHERE document.id = moved.id",
            [[document_id for document_id, _ in moved], [root_id for _, root_id in moved]],
        )
    since: dict[int, date] = {}
    for document_id, way in ways.items():
        # What stands on a document newly linked moves with it.
        if not linked.isdisjoint(way):
            document = documents[document_id]
            for root_id in {way[0], document.root_id or way[0]}:
                since[root_id] = min(document.issue_date, since.get(root_id, document.issue_date))
    return Links(
        since,
        {
            document_id: document.predecessor_id
            for document_id, document in documents.items()
            if document.predecessor_id is not None
        },
        documents.keys(),
    )


class _Linked(NamedTuple):
    predecessor_id: int | None
    root_id: int | None
    issue_date: date


def _way(document_id: int, documents: Mapping[int, _Linked]) -> list[int]:
    """From the root of its unit down to the document.

    Each is of an earlier stage than the next, so that the way is short and ends.
    """
    way = []
    here: int | None = document_id
    while here is not None:
        way.append(here)
        here = documents[here].predecessor_id
    return way[::-1]
