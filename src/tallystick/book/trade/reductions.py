"""Money and credits booked on claims, many at a time."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.collateral.pools import PoolRow, bump
from tallystick.book.trade import units
from tallystick.book.trade.events import NewEvent, insert_events
from tallystick.rules.refusal import Refusal


class UnknownClaim(Refusal):
    """A claim is asked for that is not on record."""

    def __init__(self, claim: int | str) -> None:
        self.claim = claim
        super().__init__(
            f"There is no claim {claim}. A claim is named ISSUER:kind:number after the document "
            "that proves it; record that document first."
        )


class HeldClaim(NamedTuple):
    """A claim whose supplier is held, as it stands. ``root_id``: its unit of trade, if linked."""

    claim_id: int
    code: str
    issue_date: date
    outstanding_minor: int
    root_id: int | None
    pool_id: int | None


def held_claims(claim_ids: Iterable[int]) -> dict[int, HeldClaim]:
    """The claims by id. Raises UnknownClaim for one that is not there."""
    asked = sorted(set(claim_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim.id, code, claim.issue_date, face_minor - paid_minor - diluted_minor,"
            " root_id, pool_id"
            " FROM trade_claim AS claim JOIN trade_document AS document ON document.id = claim.id"
            " WHERE claim.id = ANY(%s)",
            [asked],
        )
        found = {row[0]: HeldClaim(*row) for row in cursor.fetchall()}
    for claim_id in asked:
        if claim_id not in found:
            raise UnknownClaim(claim_id)
    return found


def suppliers_of(claim_ids: Iterable[int]) -> list[int]:
    """The suppliers of claims, which never change: to be held before the claims are read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT supplier_id FROM trade_claim WHERE id = ANY(%s)",
            [sorted(set(claim_ids))],
        )
        return [supplier_id for (supplier_id,) in cursor.fetchall()]


def book_reductions(
    reductions: Sequence[NewEvent],
    claims: dict[int, HeldClaim],
    *,
    pools: Iterable[PoolRow],
    booking_date: date,
    act_id: int,
) -> None:
    """Book payments, dilutions or their reversal on claims whose suppliers are held.

    No claim may be asked for more than its outstanding. Writes the events (dated no earlier than
    their claim), the claims' rows and the pools' versions; where a claim belongs to a larger unit
    of trade, what has to move along in it.
    """
    if not reductions:
        return
    dated = [
        event._replace(value_date=max(event.value_date, claims[event.claim_id].issue_date))
        for event in reductions
    ]
    insert_events(dated, booking_date=booking_date, act_id=act_id)
    alone, since = [], {}
    for event in dated:
        root_id = claims[event.claim_id].root_id
        if root_id is None:
            alone.append(event)
        else:
            since[root_id] = min(event.value_date, since.get(root_id, event.value_date))
    _reduce_rows(alone)
    bump(claims[event.claim_id].pool_id for event in alone)
    units.refresh(since, pools=pools, booking_date=booking_date, act_id=act_id)


def _reduce_rows(events: Sequence[NewEvent]) -> None:
    if not events:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trade_claim AS claim"
            " SET paid_minor = claim.paid_minor + booked.paid_minor,"
            " diluted_minor = claim.diluted_minor + booked.diluted_minor,"
            " status = CASE WHEN claim.face_minor = claim.paid_minor + booked.paid_minor"
            "   + claim.diluted_minor + booked.diluted_minor THEN 'closed'"
            "   WHEN claim.disputed THEN 'disputed' ELSE 'open' END"
            " FROM (SELECT id, sum(paid_minor)::bigint AS paid_minor,"
            "         sum(diluted_minor)::bigint AS diluted_minor"
            "       FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])"
            "         AS booked (id, paid_minor, diluted_minor) GROUP BY id) AS booked"
            " WHERE claim.id = booked.id",
            [
                [event.claim_id for event in events],
                [event.paid_minor for event in events],
                [event.diluted_minor for event in events],
            ],
        )
