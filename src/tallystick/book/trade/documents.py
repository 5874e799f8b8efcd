"""Documents and new claims on their way into the database, many at a time."""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book import columns
from tallystick.rules.trade_documents import STAGE_OF, TradeDocument, claim_code


class Fresh(NamedTuple):
    """A document about to be recorded, with the ids of its firms and its own."""

    document_id: int
    document: TradeDocument
    key: bytes
    issuer_id: int
    supplier_id: int
    obligor_id: int


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
"""


def neighbours(documents: Sequence[TradeDocument], ids: Mapping[str, int]) -> Neighbours:
    """What is on record that has to do with ``documents``. ``ids``: firms by code."""
    found = Neighbours({}, [])
    if not documents:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            _NEIGHBOURS,
            [
                columns.numbers(ids[document.issuer] for document in documents),
                columns.numbers(ids[document.supplier] for document in documents),
                columns.texts(document.kind for document in documents),
                columns.texts(document.number for document in documents),
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


def insert_documents(fresh: Iterable[Fresh], *, booking_date: date, act_id: int) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY trade_document (id, kind, issuer_id, supplier_id, obligor_id, number, issue_date,"
            " due_date, currency, amount_minor, fingerprint, fulfils_kind, fulfils_number,"
            " booking_date, act_id) FROM STDIN"
        ) as copy,
    ):
        for document_id, document, key, issuer_id, supplier_id, obligor_id in fresh:
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
    fresh: Iterable[Fresh],
    *,
    pool_of: Mapping[int, int],
    awaiting: Set[int],
    booking_date: date,
    numbers_repeat: bool,
) -> None:
    """Open a claim for each document, with its whole amount.

    ``pool_of``: the pool each joins at once, by document. ``awaiting``: documents that name one
    that has not arrived.
    """
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY trade_claim (id, code, supplier_id, obligor_id, currency, stage, status,"
            " face_minor, paid_minor, diluted_minor, issue_date, due_date, disputed,"
            " awaits_predecessor, pool_id, pool_from_date) FROM STDIN"
        ) as copy,
    ):
        for document_id, document, key, _, supplier_id, obligor_id in fresh:
            pool_id = pool_of.get(document_id)
            copy.write_row(
                (
                    document_id,
                    claim_code(document, key=key, numbers_repeat=numbers_repeat),
                    supplier_id,
                    obligor_id,
                    document.currency,
                    STAGE_OF[document.kind],
                    "open",
                    document.amount_minor,
                    0,
                    0,
                    document.issue_date,
                    document.due_date,
                    False,
                    document_id in awaiting,
                    pool_id,
                    booking_date if pool_id else None,
                )
            )
