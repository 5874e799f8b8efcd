"""Pools as they are locked, told apart and marked as changed."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from tallystick.rules.refusal import Refusal

SUPPLIER_LOCK = 7102
"""First key of the advisory locks under which a supplier's claims change; see
``parties.business_date`` for the others. The second key is one of ``BUCKETS``."""

BUCKETS = 1024
"""Suppliers share this many locks, so that an import of a hundred thousand of them does not
exhaust the server's lock table. Two that share one wait for each other now and then."""


class UnknownPool(Refusal):
    """A pool is asked for that is not there."""

    def __init__(self, pool: str) -> None:
        self.pool = pool
        super().__init__(
            f"There is no pool {pool}. A pool is opened with its facility; give its code."
        )


class PoolRow(NamedTuple):
    id: int
    supplier_id: int
    currency: str


def hold_suppliers(supplier_ids: Iterable[int]) -> list[PoolRow]:
    """Keep everybody else from changing these suppliers' claims until the transaction ends.

    Every act that changes claims comes here first: it locks the suppliers and then their pools,
    both in one order for all, so that a drawdown that holds a pool sees its claims stand still,
    and no such act waits for another in a circle. Facilities are locked before, never after.
    Answers their pools, those that a new claim joins first before the others.
    """
    ids = sorted(set(supplier_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, bucket)"
            " FROM (SELECT DISTINCT (id %% %s)::int AS bucket FROM unnest(%s::bigint[]) AS id"
            "       ORDER BY bucket) AS buckets",
            [SUPPLIER_LOCK, BUCKETS, ids],
        )
        # A statement of its own: it sees what was committed while the first one waited.
        cursor.execute(
            "SELECT id, supplier_id, currency, rank FROM collateral_pool"
            " WHERE supplier_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [ids],
        )
        rows = cursor.fetchall()
    return [PoolRow(*row[:3]) for row in sorted(rows, key=lambda row: row[3])]


def joined_first(pools: Iterable[PoolRow]) -> dict[tuple[int, str], int]:
    """The pool that new claims of a supplier in a currency join: the one of lowest rank."""
    first: dict[tuple[int, str], int] = {}
    for pool in pools:
        first.setdefault((pool.supplier_id, pool.currency), pool.id)
    return first


def bump(pool_ids: Iterable[int | None]) -> None:
    """Mark pools as changed, so that no base computed before is taken for current.

    In the transaction of the change, and with the pools locked (``hold_suppliers``).
    """
    ids = sorted({pool_id for pool_id in pool_ids if pool_id is not None})
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE collateral_pool SET version = version + 1 WHERE id = ANY(%s)", [ids]
            )
