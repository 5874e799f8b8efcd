"""Which claims cash pays: those it names, as far as they are ours and anything is outstanding."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.trade.pay_claims import ClaimPayment, pay_claims


class NamedClaim(NamedTuple):
    """A line of a receipt: it names a claim by its code, for an amount of the receipt's cash."""

    receipt_id: int
    value_date: date
    currency: str
    code: str
    amount_minor: int


class Remitted(NamedTuple):
    """What a line paid: ``applied_minor`` of a supplier's claim that secures ``facility_id``.

    ``because`` says why the rest of the line, ``excess_minor``, paid nothing.
    """

    receipt_id: int
    value_date: date
    supplier_id: int | None
    facility_id: int | None
    applied_minor: int
    excess_minor: int
    because: str


class _Claim(NamedTuple):
    claim_id: int
    supplier_id: int
    currency: str
    facility_id: int | None
    is_ours: bool


def suppliers_of(codes: Iterable[str]) -> list[int]:
    """Whose claims these are, which never changes: to be locked before the claims are read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT supplier_id FROM trade_claim WHERE code = ANY(%s)",
            [sorted(set(codes))],
        )
        return [supplier_id for (supplier_id,) in cursor.fetchall()]


def remit(
    named: Sequence[NamedClaim], *, legal_entity_id: int, booking_date: date, act_id: int
) -> list[Remitted]:
    """Pay the claims that are named and keep a line for each; the suppliers are held.

    A claim of another currency, of another legal entity's pool, or unknown to us is not paid.
    """
    claims = _claims({line.code for line in named}, legal_entity_id)
    payable: dict[date, list[int]] = defaultdict(list)
    applied_minor = [0] * len(named)
    for place, line in enumerate(named):
        claim = claims.get(line.code)
        if claim and claim.is_ours and claim.currency == line.currency:
            payable[line.value_date].append(place)
    for value_date, places in sorted(payable.items()):
        excess_minor = pay_claims(
            [
                ClaimPayment(claims[named[place].code].claim_id, named[place].amount_minor)
                for place in places
            ],
            value_date=value_date,
            booking_date=booking_date,
            act_id=act_id,
        )
        for place, too_much_minor in zip(places, excess_minor, strict=True):
            applied_minor[place] = named[place].amount_minor - too_much_minor
    _keep_lines(named, applied_minor, claims)
    return [
        _remitted(line, claims.get(line.code), applied)
        for line, applied in zip(named, applied_minor, strict=True)
    ]


def _claims(codes: set[str], legal_entity_id: int) -> dict[str, _Claim]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim.code, claim.id, claim.supplier_id, claim.currency, facility.id,"
            " coalesce(pool.legal_entity_id = %s, true)"
            " FROM trade_claim AS claim"
            " LEFT JOIN collateral_pool AS pool ON pool.id = claim.pool_id"
            " LEFT JOIN financing_facility AS facility ON facility.pool_id = pool.id"
            " WHERE claim.code = ANY(%s)",
            [legal_entity_id, sorted(codes)],
        )
        return {code: _Claim(*columns) for code, *columns in cursor.fetchall()}


def _keep_lines(
    named: Sequence[NamedClaim], applied_minor: Sequence[int], claims: dict[str, _Claim]
) -> None:
    paid = [
        (line.receipt_id, claims[line.code].claim_id, applied)
        for line, applied in zip(named, applied_minor, strict=True)
        if applied
    ]
    if paid:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO payments_remittanceline (receipt_id, claim_id, amount_minor)"
                " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])",
                [list(column) for column in zip(*paid, strict=True)],
            )


def _remitted(line: NamedClaim, claim: _Claim | None, applied_minor: int) -> Remitted:
    excess_minor = line.amount_minor - applied_minor
    if claim is None:
        because = f"claim {line.code} is not known"
    elif not claim.is_ours:
        because = f"claim {line.code} secures another legal entity's facility"
    elif claim.currency != line.currency:
        because = f"claim {line.code} is in {claim.currency}, the cash in {line.currency}"
    elif excess_minor:
        because = f"claim {line.code} had {applied_minor} outstanding, not {line.amount_minor}"
    else:
        because = ""
    paid = claim if applied_minor else None
    return Remitted(
        line.receipt_id,
        line.value_date,
        paid and paid.supplier_id,
        paid and paid.facility_id,
        applied_minor,
        excess_minor,
        because,
    )
