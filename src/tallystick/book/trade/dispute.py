"""Dispute claims: an obligor contests what it is said to owe; and resolve disputes."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import bump, hold_suppliers
from tallystick.book.parties.business_date import open_day
from tallystick.book.trade.events import NewEvent, insert_events
from tallystick.book.trade.models import ClaimEventKind
from tallystick.book.trade.reductions import UnknownClaim
from tallystick.rules.refusal import Refusal


class ReasonMissing(Refusal):
    """A dispute was raised or resolved without a word why."""

    def __init__(self) -> None:
        super().__init__("Say why: a dispute, and its end, need a reason.")


def dispute_claims(
    codes: Sequence[str],
    *,
    reason: str,
    legal_entity_id: int,
    caller: Caller,
    key: str,
    value_date: date | None = None,
) -> list[bool]:
    """Mark claims (by code) as disputed: nothing is lent against them until they are resolved.

    ``value_date``: since when, by default the open business day. Answers for each claim whether
    that changed anything: one already disputed stays so. A dispute holds for the document it
    names; it neither stops a successor nor passes over to it.

    Raises UnknownClaim, ReasonMissing, KeyConflict; then nothing is written.
    """
    return _changed(
        codes,
        disputed=True,
        reason=reason,
        legal_entity_id=legal_entity_id,
        caller=caller,
        key=key,
        value_date=value_date,
    )


def resolve_disputes(
    codes: Sequence[str],
    *,
    reason: str,
    legal_entity_id: int,
    caller: Caller,
    key: str,
    value_date: date | None = None,
) -> list[bool]:
    """End the disputes of claims; see ``dispute_claims``."""
    return _changed(
        codes,
        disputed=False,
        reason=reason,
        legal_entity_id=legal_entity_id,
        caller=caller,
        key=key,
        value_date=value_date,
    )


class _Claim(NamedTuple):
    claim_id: int
    issue_date: date
    pool_id: int | None
    disputed: bool


def _changed(
    codes: Sequence[str],
    *,
    disputed: bool,
    reason: str,
    legal_entity_id: int,
    caller: Caller,
    key: str,
    value_date: date | None,
) -> list[bool]:
    if not reason.strip():
        raise ReasonMissing
    kind = ClaimEventKind.DISPUTED if disputed else ClaimEventKind.RESOLVED
    request = {
        "claims": list(codes),
        "reason": reason,
        "legal_entity_id": legal_entity_id,
        "value_date": value_date,
    }
    with once(caller, key=key, kind=f"claims_{kind}", request=request) as act:
        if act.earlier is None:
            booking_date = open_day(legal_entity_id)
            changed = _change(
                codes,
                kind=kind,
                value_date=value_date or booking_date,
                booking_date=booking_date,
                act_id=act.act_id,
            )
            act.answer({"changed": changed})
    answer = act.earlier or act.given
    assert answer is not None
    return list(answer["changed"])


def _change(
    codes: Sequence[str], *, kind: ClaimEventKind, value_date: date, booking_date: date, act_id: int
) -> list[bool]:
    disputed = kind is ClaimEventKind.DISPUTED
    claims = _held(codes)
    news = {
        claim.claim_id: claim
        for claim in (claims[code] for code in codes)
        if claim.disputed != disputed
    }
    insert_events(
        (
            NewEvent(claim.claim_id, kind, max(value_date, claim.issue_date))
            for claim in news.values()
        ),
        booking_date=booking_date,
        act_id=act_id,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trade_claim SET disputed = %s,"
            " status = CASE WHEN status = 'closed' THEN 'closed' ELSE %s END WHERE id = ANY(%s)",
            [disputed, "disputed" if disputed else "open", list(news)],
        )
    bump(claim.pool_id for claim in news.values())
    return [claims[code].claim_id in news for code in codes]


def _held(codes: Sequence[str]) -> dict[str, _Claim]:
    """The claims by code, their suppliers held. Raises UnknownClaim."""
    asked = sorted(set(codes))
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT supplier_id FROM trade_claim WHERE code = ANY(%s)", [asked])
        hold_suppliers(supplier_id for (supplier_id,) in cursor.fetchall())
        cursor.execute(
            "SELECT code, id, issue_date, pool_id, disputed FROM trade_claim WHERE code = ANY(%s)",
            [asked],
        )
        claims = {row[0]: _Claim(*row[1:]) for row in cursor.fetchall()}
    for code in asked:
        if code not in claims:
            raise UnknownClaim(code)
    return claims
