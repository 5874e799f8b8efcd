"""Credit notes meet the claims they dilute; what finds none waits."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Set
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.collateral.pools import PoolRow
from tallystick.book.trade.events import NewEvent
from tallystick.book.trade.models import ClaimEventKind
from tallystick.book.trade.reductions import book_reductions, held_claims
from tallystick.rules.credit_notes import Credit, Dilution, OpenClaim, dilutions
from tallystick.rules.trade_documents import STAGE_OF

Pair = tuple[int, int, str]
"""Supplier, obligor, currency."""


class _Note(NamedTuple):
    document_id: int
    pair: Pair
    credit: Credit


def keep_waiting(document_ids: Collection[int]) -> None:
    """Put new credit notes where they wait for claims, whole."""
    if not document_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trade_unappliedcredit"
            " (document_id, supplier_id, obligor_id, currency, remaining_minor)"
            " SELECT id, supplier_id, obligor_id, currency, amount_minor"
            " FROM trade_document WHERE id = ANY(%s)",
            [list(document_ids)],
        )


def apply_waiting(
    pairs: Set[Pair],
    *,
    pools: Iterable[PoolRow],
    booking_date: date,
    act_id: int,
) -> dict[int, int]:
    """Apply the credit notes that wait between these firms, whose suppliers are held, to claims.

    Answers how much of each credit note was applied now, by its document. A note that names a
    document waits whole until that has arrived; after it, and otherwise at once, a note dilutes
    what it finds (``rules.credit_notes``). A claim that arrives later, but was issued on or before
    a note still waiting, is diluted then. What was applied is not moved when a better match
    arrives: it may already have been lent against.
    """
    notes = [
        note
        for note in _waiting({supplier_id for supplier_id, _, _ in pairs})
        if note.pair in pairs
    ]
    if not notes:
        return {}
    claims = _open_claims(notes)
    applied = [
        (pair, dilution)
        for pair, of_pair in _by_pair(notes).items()
        for dilution in dilutions([note.credit for note in of_pair], claims[pair].rows)
    ]
    notes_by_key = {note.credit.key: note for note in notes}
    events = [
        NewEvent(
            claims[pair].ids[dilution.claim],
            ClaimEventKind.DILUTED,
            notes_by_key[dilution.credit].credit.issue_date,
            diluted_minor=dilution.amount_minor,
            document_id=notes_by_key[dilution.credit].document_id,
        )
        for pair, dilution in applied
    ]
    book_reductions(
        events,
        held_claims(event.claim_id for event in events),
        pools=pools,
        booking_date=booking_date,
        act_id=act_id,
    )
    return _taken_from(notes_by_key, [dilution for _, dilution in applied])


def _by_pair(notes: Iterable[_Note]) -> dict[Pair, list[_Note]]:
    by_pair: defaultdict[Pair, list[_Note]] = defaultdict(list)
    for note in notes:
        by_pair[note.pair].append(note)
    return by_pair


def _waiting(supplier_ids: Collection[int]) -> list[_Note]:
    """Credit notes with something left that name nothing, or a document that is here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT credit.document_id, credit.supplier_id, credit.obligor_id, credit.currency,"
            " fingerprint, amount_minor, remaining_minor, issue_date, root_id, predecessor_id"
            " FROM trade_unappliedcredit AS credit"
            " JOIN trade_document AS document ON document.id = credit.document_id"
            " WHERE remaining_minor > 0 AND credit.supplier_id = ANY(%s)"
            " AND (fulfils_number = '' OR predecessor_id IS NOT NULL)",
            [list(supplier_ids)],
        )
        rows = cursor.fetchall()
    named = _successors({(row[8], row[9]) for row in rows if row[9]})
    return [
        _Note(row[0], row[1:4], Credit(bytes(row[4]), *row[5:8], named=named.get(row[9], ())))
        for row in rows
    ]


def _successors(named: Collection[tuple[int, int]]) -> dict[int, tuple[bytes, ...]]:
    """The claims that follow from each document, itself first. In: root and id of documents."""
    if not named:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, predecessor_id, root_id, fingerprint FROM trade_document"
            " WHERE root_id = ANY(%s) AND kind = ANY(%s)"
            " ORDER BY array_position(%s, kind::text), issue_date, fingerprint",
            [[root_id for root_id, _ in named], list(STAGE_OF), list(STAGE_OF)],
        )
        rows = cursor.fetchall()
    successors = {}
    for root_id, document_id in named:
        within: dict[int, bytes] = {}
        for other_id, predecessor_id, of_root_id, fingerprint in rows:
            if of_root_id == root_id and (other_id == document_id or predecessor_id in within):
                within[other_id] = bytes(fingerprint)
        successors[document_id] = tuple(within.values())
    return successors


class _OpenClaims(NamedTuple):
    rows: list[OpenClaim]
    ids: dict[bytes, int]


def _open_claims(notes: Iterable[_Note]) -> dict[Pair, _OpenClaims]:
    pairs = sorted({note.pair for note in notes})
    claims: defaultdict[Pair, _OpenClaims] = defaultdict(lambda: _OpenClaims([], {}))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim.supplier_id, claim.obligor_id, claim.currency, claim.id, fingerprint,"
            " amount_minor, face_minor - paid_minor - diluted_minor, claim.issue_date"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::text[])"
            "   AS pair (supplier_id, obligor_id, currency)"
            " JOIN trade_claim AS claim USING (supplier_id, obligor_id, currency)"
            " JOIN trade_document AS document ON document.id = claim.id"
            " WHERE claim.status <> 'closed'",
            [list(column) for column in zip(*pairs, strict=True)],
        )
        for supplier_id, obligor_id, currency, claim_id, fingerprint, *amounts in cursor:
            found = claims[supplier_id, obligor_id, currency]
            found.rows.append(OpenClaim(bytes(fingerprint), *amounts))
            found.ids[bytes(fingerprint)] = claim_id
    return claims


def _taken_from(notes: dict[bytes, _Note], applied: Iterable[Dilution]) -> dict[int, int]:
    taken: defaultdict[int, int] = defaultdict(int)
    for dilution in applied:
        taken[notes[dilution.credit].document_id] += dilution.amount_minor
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trade_unappliedcredit AS credit"
            " SET remaining_minor = remaining_minor - taken.amount_minor"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS taken (document_id, amount_minor)"
            " WHERE credit.document_id = taken.document_id",
            [list(taken), list(taken.values())],
        )
    return dict(taken)
