"""Units of trade brought up to date by the law of ``rules.trade``."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.collateral.pools import PoolRow, bump, joined_first
from tallystick.book.trade.events import NewEvent, insert_events
from tallystick.book.trade.models import ClaimEventKind
from tallystick.rules.trade import (
    NOTHING,
    Cancellation,
    Correction,
    Part,
    Reduction,
    Standing,
    Unit,
    corrections,
)
from tallystick.rules.trade_documents import STAGE_OF


class Changed(NamedTuple):
    """A claim's amounts before and after its unit was brought up to date."""

    before: Standing
    after: Standing


def refresh(
    since: Mapping[int, date], *, pools: Iterable[PoolRow], booking_date: date, act_id: int
) -> dict[int, Changed]:
    """Bring units of trade up to date after news, in the caller's transaction.

    ``since``: the units by their root's id, each with the earliest day that the news can change.
    ``pools``: those of the units' suppliers, who are held (``pools.hold_suppliers``). Writes claim
    events for the differences, the claims' rows and the pools' versions. Claims that await no
    predecessor any longer join the pool of the document they fulfil, else their supplier's first.
    Answers the claims of the units.
    """
    if not since:
        return {}
    first_pool = joined_first(pools)
    events: list[NewEvent] = []
    claims: list[_ClaimState] = []
    for root_id, members in _loaded(since).items():
        unit = members.unit()
        found = corrections(unit, members.recorded, since=since[root_id])
        events += _events(found, unit, members)
        claims += _claim_states(found, members, first_pool)
    _update_claims([claim for claim in claims if claim.is_new], booking_date=booking_date)
    insert_events(events, booking_date=booking_date, act_id=act_id)
    bump(claim.pool_id for claim in claims)
    return {claim.claim_id: claim.changed for claim in claims}


class _Member(NamedTuple):
    """A document of a unit, with its claim if it opened one."""

    document_id: int
    root_id: int
    predecessor_id: int | None
    kind: str
    fingerprint: bytes
    issue_date: date
    amount_minor: int
    names_another: bool
    supplier_id: int
    currency: str
    awaits_predecessor: bool
    pool_id: int | None
    standing: Standing


@dataclass(slots=True)
class _Members:
    """The documents of one unit, those of the earliest stage first, and what is recorded."""

    documents: list[_Member] = field(default_factory=list)
    recorded: dict[tuple[bytes, date], Standing] = field(default_factory=dict)
    reductions: list[Reduction] = field(default_factory=list)

    @property
    def parts(self) -> list[_Member]:
        return [document for document in self.documents if document.kind in STAGE_OF]

    @property
    def awaits_predecessor(self) -> bool:
        """Whether the root itself names a document that has not arrived."""
        return any(part.names_another and part.predecessor_id is None for part in self.parts)

    def unit(self) -> Unit:
        key_of = {document.document_id: document.fingerprint for document in self.documents}
        return Unit(
            parts=[
                Part(
                    part.fingerprint,
                    STAGE_OF[part.kind],
                    part.issue_date,
                    part.amount_minor,
                    key_of[part.predecessor_id] if part.predecessor_id else None,
                )
                for part in self.parts
            ],
            cancellations=[
                Cancellation(key_of[note.predecessor_id], note.issue_date, note.amount_minor)
                for note in self.documents
                if note.kind == "cancellation" and note.predecessor_id
            ],
            reductions=self.reductions,
        )


_DOCUMENTS = """
SELECT document.id, root_id, predecessor_id, kind, fingerprint, document.issue_date, amount_minor,
       fulfils_number <> '', document.supplier_id, document.currency,
       coalesce(awaits_predecessor, false), pool_id,
       coalesce(face_minor, 0), coalesce(paid_minor, 0), coalesce(diluted_minor, 0)
FROM trade_document AS document LEFT JOIN trade_claim AS claim ON claim.id = document.id
WHERE root_id = ANY (%s)
ORDER BY array_position('{order,receipt,invoice,statement}', kind::text), document.id
"""

# What lies before the news counts in one sum, as of the day before it.
_EVENTS = """
SELECT news.root_id, fingerprint, greatest(value_date, news.since - 1) AS day,
       sum(face_minor)::bigint, sum(paid_minor)::bigint, sum(diluted_minor)::bigint,
       coalesce(sum(paid_minor) FILTER (WHERE event.kind <> 'moved'), 0)::bigint,
       coalesce(sum(diluted_minor) FILTER (WHERE event.kind <> 'moved'), 0)::bigint
FROM unnest(%s::bigint[], %s::date[]) AS news (root_id, since)
JOIN trade_document AS document ON document.root_id = news.root_id
JOIN trade_claimevent AS event ON event.claim_id = document.id
GROUP BY news.root_id, fingerprint, day
"""


def _loaded(since: Mapping[int, date]) -> dict[int, _Members]:
    units: defaultdict[int, _Members] = defaultdict(_Members)
    with connection.cursor() as cursor:
        cursor.execute(_DOCUMENTS, [list(since)])
        for row in cursor.fetchall():
            document = _Member(*row[:4], bytes(row[4]), *row[5:-3], Standing(*row[-3:]))
            unit = units[document.root_id]
            unit.documents.append(document)
            if document.kind in STAGE_OF:
                # A document is its claim's opening, with the whole amount.
                opening = Standing(face_minor=document.amount_minor)
                unit.recorded[document.fingerprint, document.issue_date] = opening
        cursor.execute(_EVENTS, [list(since), list(since.values())])
        for root_id, fingerprint, day, face, paid, diluted, own_paid, own_diluted in cursor:
            unit, key = units[root_id], bytes(fingerprint)
            so_far = unit.recorded.get((key, day), NOTHING)
            unit.recorded[key, day] = so_far.plus(Standing(face, paid, diluted))
            if own_paid or own_diluted:
                unit.reductions.append(Reduction(key, day, own_paid, own_diluted))
    return units


class _ClaimState(NamedTuple):
    """What a claim's row shall say."""

    claim_id: int
    changed: Changed
    awaits_predecessor: bool
    pool_id: int | None
    is_new: bool
    """Whether that differs from what it says."""


def _claim_states(
    found: Iterable[Correction], members: _Members, first_pool: Mapping[tuple[int, str], int]
) -> list[_ClaimState]:
    standing: defaultdict[bytes, Standing] = defaultdict(lambda: NOTHING)
    for (key, _), recorded in members.recorded.items():
        standing[key] = standing[key].plus(recorded)
    for correction in found:
        standing[correction.key] = standing[correction.key].plus(correction.change)
    awaits = members.awaits_predecessor
    pools: dict[int | None, int | None] = {}
    states = []
    for part in members.parts:
        new = standing[part.fingerprint]
        pool_id = part.pool_id
        if pool_id is None and not awaits:
            # What a claim fulfils secured some facility; so shall the claim.
            pool_id = pools.get(part.predecessor_id) or first_pool.get(
                (part.supplier_id, part.currency)
            )
        pools[part.document_id] = pool_id
        states.append(
            _ClaimState(
                part.document_id,
                Changed(part.standing, new),
                awaits,
                pool_id,
                is_new=(new, awaits, pool_id)
                != (part.standing, part.awaits_predecessor, part.pool_id),
            )
        )
    return states


def _events(found: Iterable[Correction], unit: Unit, members: _Members) -> list[NewEvent]:
    id_of = {document.fingerprint: document.document_id for document in members.documents}
    cancelled = {(cancellation.of, cancellation.date) for cancellation in unit.cancellations}
    events = []
    for key, day, (face_minor, paid_minor, diluted_minor) in (
        (correction.key, correction.date, correction.change) for correction in found
    ):
        if face_minor:
            by_cancellation = (key, day) in cancelled
            kind = ClaimEventKind.CANCELLED if by_cancellation else ClaimEventKind.FULFILLED
            events.append(NewEvent(id_of[key], kind, day, face_minor=face_minor))
        if paid_minor or diluted_minor:
            events.append(
                NewEvent(id_of[key], ClaimEventKind.MOVED, day, 0, paid_minor, diluted_minor)
            )
    return events


_UPDATE_CLAIMS = """
UPDATE trade_claim AS claim
SET face_minor = state.face_minor,
    paid_minor = state.paid_minor,
    diluted_minor = state.diluted_minor,
    status = CASE
        WHEN state.face_minor = state.paid_minor + state.diluted_minor THEN 'closed'
        WHEN claim.disputed THEN 'disputed'
        ELSE 'open'
    END,
    awaits_predecessor = state.awaits_predecessor,
    pool_id = state.pool_id,
    pool_from_date = CASE WHEN state.pool_id IS NOT NULL THEN coalesce(pool_from_date, %s) END
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::bigint[])
    AS state (id, face_minor, paid_minor, diluted_minor, awaits_predecessor, pool_id)
WHERE claim.id = state.id
"""


def _update_claims(states: list[_ClaimState], *, booking_date: date) -> None:
    if not states:
        return
    amounts = [state.changed.after for state in states]
    with connection.cursor() as cursor:
        cursor.execute(
            _UPDATE_CLAIMS,
            [
                booking_date,
                [state.claim_id for state in states],
                *(list(column) for column in zip(*amounts, strict=True)),
                [state.awaits_predecessor for state in states],
                [state.pool_id for state in states],
            ],
        )
