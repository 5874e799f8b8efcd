"""Documents and new claims on their way into the database, many at a time."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, fields
from datetime import date
from itertools import compress
from typing import NamedTuple

from django.db import connection

from tallystick.book import columns
from tallystick.rules.trade_documents import STAGE_OF, TradeDocument, claim_code


@dataclass(slots=True)
class Fresh:
    """Documents about to be recorded, column by column: a row object each would cost an import
    more than its share. ``places``: where they stand in the batch; ``keys``: fingerprints.
    """

    places: list[int]
    documents: list[TradeDocument]
    keys: list[bytes]
    issuer_ids: list[int] = field(default_factory=list)
    supplier_ids: list[int] = field(default_factory=list)
    obligor_ids: list[int] = field(default_factory=list)
    document_ids: list[int] = field(default_factory=list)

    def without(self, indexes: Set[int]) -> "Fresh":
        """The same, less some of the rows."""
        if not indexes:
            return self
        kept = [index not in indexes for index in range(len(self.places))]
        columns = (getattr(self, column.name) for column in fields(self))
        return Fresh(*(list(compress(column, kept)) for column in columns))

    def by_supplier(self) -> "Fresh":
        """The same, those of one supplier together and in their order.

        Most indexes are by supplier: rows that lie side by side there are inserted faster.
        """
        order = sorted(range(len(self.places)), key=self.supplier_ids.__getitem__)
        columns = (getattr(self, column.name) for column in fields(self))
        return Fresh(*([column[index] for index in order] if column else [] for column in columns))


class Stored(NamedTuple):
    """What is on record of a document of the same issuer, kind and number."""

    document_id: int
    fingerprint: bytes
    supplier: int
    obligor: int
    issue_date: date
    due_date: date | None
    currency: str
    amount_minor: int
    fulfils_kind: str
    fulfils_number: str


class Neighbours(NamedTuple):
    """What new documents meet: those of the same number, by their place, and those naming them."""

    same_number: dict[int, list[Stored]]
    naming_ids: list[int]


_NEIGHBOURS = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM unnest({columns.NUMBERS}, {columns.NUMBERS}, {columns.TEXTS}, {columns.TEXTS})
        WITH ORDINALITY AS given (issuer_id, supplier_id, kind, number, place)
)
SELECT place, id, fingerprint, document.supplier_id, obligor_id, issue_date, due_date, currency,
       amount_minor, fulfils_kind, fulfils_number
FROM given JOIN trade_document AS document USING (issuer_id, kind, number)
UNION ALL
SELECT NULL, naming.id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM given JOIN trade_document AS naming
  ON naming.supplier_id = given.supplier_id
 AND naming.fulfils_kind = given.kind
 AND naming.fulfils_number = given.number
 AND naming.fulfils_number <> ''
-- Asked once: where none of the suppliers' documents names another, there is nothing to look up.
WHERE EXISTS (SELECT FROM trade_document
              WHERE supplier_id = ANY ({columns.NUMBERS}) AND fulfils_number <> '')
"""


def neighbours(fresh: Fresh) -> Neighbours:
    """What is on record that has to do with new documents."""
    found = Neighbours({}, [])
    with connection.cursor() as cursor:
        cursor.execute(
            _NEIGHBOURS,
            [
                columns.numbers(fresh.issuer_ids),
                columns.numbers(fresh.supplier_ids),
                columns.texts([document.kind for document in fresh.documents]),
                columns.texts([document.number for document in fresh.documents]),
                columns.numbers(set(fresh.supplier_ids)),
            ],
        )
        for place, document_id, fingerprint, *others in cursor.fetchall():
            if place is None:
                found.naming_ids.append(document_id)
            else:
                stored = Stored(document_id, bytes(fingerprint), *others)
                found.same_number.setdefault(place - 1, []).append(stored)
    return found


def new_ids(count: int) -> list[int]:
    """Ids for documents about to be recorded, in rising order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(nextval('trade_document_id_seq')) FROM generate_series(1, %s)",
            [count],
        )
        (ids,) = cursor.fetchone()
    return ids or []


def insert_documents(fresh: Fresh, *, booking_date: date, act_id: int) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY trade_document (id, kind, issuer_id, supplier_id, obligor_id, number, issue_date,"
            " due_date, currency, amount_minor, fingerprint, fulfils_kind, fulfils_number,"
            " booking_date, act_id) FROM STDIN"
        ) as copy,
    ):
        for document_id, document, key, issuer_id, supplier_id, obligor_id in zip(
            fresh.document_ids,
            fresh.documents,
            fresh.keys,
            fresh.issuer_ids,
            fresh.supplier_ids,
            fresh.obligor_ids,
            strict=True,
        ):
            copy.write_row(
                (
                    document_id,
                    document.kind,
                    issuer_id,
                    supplier_id,
                    obligor_id,
                    document.number,
                    document.issue_date,
                    document.due_date,
                    document.currency,
                    document.amount_minor,
                    key,
                    document.fulfils_kind,
                    document.fulfils_number,
                    booking_date,
                    act_id,
                )
            )


def insert_claims(
    fresh: Fresh,
    *,
    pools: Mapping[tuple[int, str], int],
    awaiting: Set[int],
    joining_later: Set[int],
    booking_date: date,
    numbers_repeat: bool,
) -> set[int]:
    """Open a claim, with the whole amount, for each document that has a stage.

    ``pools``: the pool that a claim of a supplier in a currency joins; not yet the claims of
    documents ``joining_later``. ``awaiting``: documents that name one that has not arrived.
    Answers the pools that were joined.
    """
    joined: set[int] = set()
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY trade_claim (id, code, supplier_id, obligor_id, currency, stage, face_minor,"
            " issue_date, due_date, awaits_predecessor, pool_id, pool_from_date) FROM STDIN"
        ) as copy,
    ):
        for document_id, document, key, supplier_id, obligor_id in zip(
            fresh.document_ids,
            fresh.documents,
            fresh.keys,
            fresh.supplier_ids,
            fresh.obligor_ids,
            strict=True,
        ):
            if document.kind not in STAGE_OF:
                continue
            pool_id = None
            if document_id not in joining_later:
                pool_id = pools.get((supplier_id, document.currency))
            if pool_id:
                joined.add(pool_id)
            copy.write_row(
                (
                    document_id,
                    claim_code(document, key=key, numbers_repeat=numbers_repeat),
                    supplier_id,
                    obligor_id,
                    document.currency,
                    STAGE_OF[document.kind],
                    document.amount_minor,
                    document.issue_date,
                    document.due_date,
                    document_id in awaiting,
                    pool_id,
                    booking_date if pool_id else None,
                )
            )
    return joined
