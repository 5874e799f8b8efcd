"""Assign claims to pools: join what is in none, move a claim from one to another."""

from datetime import date

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral import bases
from tallystick.book.collateral.models import Pool
from tallystick.book.collateral.pools import UnknownPool, bump, hold_suppliers
from tallystick.book.parties.business_date import open_day
from tallystick.book.trade.models import Claim
from tallystick.book.trade.reductions import UnknownClaim
from tallystick.rules.money import text_from_minor
from tallystick.rules.refusal import Refusal


class NotAssignable(Refusal):
    """A claim cannot join the pool asked for, whatever the other pool would be left with."""

    def __init__(self, *, claim: str, pool: str, why: str) -> None:
        self.claim = claim
        self.pool = pool
        super().__init__(f"Claim {claim} cannot join pool {pool}: {why}.")


class CoverWouldFallShort(Refusal):
    """Without the claim, its pool would no longer cover what is drawn against it."""

    def __init__(
        self, *, claim: str, pool: str, currency: str, cover_minor: int, drawn_minor: int
    ) -> None:
        self.claim = claim
        self.pool = pool
        self.cover_minor = cover_minor
        self.drawn_minor = drawn_minor
        short = text_from_minor(drawn_minor - cover_minor, currency)
        super().__init__(
            f"Without claim {claim} pool {pool} would cover {currency} "
            f"{text_from_minor(cover_minor, currency)}, and {currency} "
            f"{text_from_minor(drawn_minor, currency)} is drawn against it. "
            f"Repay at least {currency} {short} first, or add claims worth that much to the pool."
        )


def join_pool(pool_id: int, *, on: date) -> int:
    """Let the claims of a pool's supplier and currency that are in no pool join it.

    In the caller's transaction, with the supplier held (``pools.hold_suppliers``) and ``on`` the
    open business day. Claims that await their predecessor wait on. Answers how many joined.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trade_claim AS claim SET pool_id = pool.id, pool_from_date = %s"
            " FROM collateral_pool AS pool"
            " WHERE pool.id = %s AND claim.supplier_id = pool.supplier_id"
            " AND claim.currency = pool.currency AND claim.pool_id IS NULL"
            " AND NOT claim.awaits_predecessor",
            [on, pool_id],
        )
        joined = cursor.rowcount
    if joined:
        bump([pool_id])
    return joined


def move_claim(claim: str, *, to_pool: str, caller: Caller, key: str) -> str:
    """Move a claim (by code) to another pool of its supplier, on the open business day.

    Returns the code of the pool it leaves. What fulfils the claim later follows it.

    Raises UnknownClaim, UnknownPool, NotAssignable, CoverWouldFallShort, KeyConflict.
    """
    request = {"claim": claim, "to_pool": to_pool}
    with once(caller, key=key, kind="move_claim", request=request) as act:
        if act.earlier is not None:
            return str(act.earlier["from_pool"])
        from_pool = _move(claim, to_pool, act_id=act.act_id)
        act.answer({"from_pool": from_pool})
        return from_pool


def _move(code: str, to_pool: str, *, act_id: int) -> str:
    supplier_id = Claim.objects.filter(code=code).values_list("supplier_id", flat=True).first()
    if supplier_id is None:
        raise UnknownClaim(code)
    target = Pool.objects.filter(code=to_pool).first()
    if target is None:
        raise UnknownPool(to_pool)
    on = open_day(target.legal_entity_id)
    hold_suppliers([supplier_id])
    claim = Claim.objects.select_related("pool").get(code=code)
    _refuse_unassignable(claim, target)
    _refuse_shortfall(claim, on=on)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO collateral_assignment (claim_id, pool_id, from_date, to_date, act_id)"
            " VALUES (%s, %s, %s, %s, %s)",
            [claim.pk, claim.pool_id, claim.pool_from_date, on, act_id],
        )
        cursor.execute(
            "UPDATE trade_claim SET pool_id = %s, pool_from_date = %s WHERE id = %s",
            [target.pk, on, claim.pk],
        )
    bump([claim.pool_id, target.pk])
    return claim.pool.code


def _refuse_unassignable(claim: Claim, target: Pool) -> None:
    if (target.supplier_id, target.currency) != (claim.supplier_id, claim.currency):
        why = "it holds claims of another supplier or currency"
    elif claim.awaits_predecessor:
        why = "it names a document that has not arrived; record that document first"
    elif claim.pool is None:
        why = "it is in no pool to be moved from; it joins one when a facility is opened"
    elif claim.pool_id == target.pk:
        why = "it is there already"
    else:
        return
    raise NotAssignable(claim=claim.code, pool=target.code, why=why)


def _refuse_shortfall(claim: Claim, *, on: date) -> None:
    """Refuse when the claim's pool would cover less than is drawn without it.

    What is drawn cannot rise while the pool is locked: a drawdown locks it too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT drawn_minor FROM financing_facility WHERE pool_id = %s", [claim.pool_id]
        )
        row = cursor.fetchone()
    drawn_minor = row[0] if row else 0
    if not drawn_minor:
        return
    cover_minor = bases.computed([claim.pool_id], on=on, without_claim=claim.pk)[
        claim.pool_id
    ].cover_minor
    if cover_minor < drawn_minor:
        raise CoverWouldFallShort(
            claim=claim.code,
            pool=claim.pool.code,
            currency=claim.currency,
            cover_minor=cover_minor,
            drawn_minor=drawn_minor,
        )
