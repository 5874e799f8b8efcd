"""Prove the pools: who is in them, on what terms, and what they are worth."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from django.db import connection

from tallystick.book.collateral import bases
from tallystick.book.collateral.models import Pool
from tallystick.book.watch.findings import Check, Finding

# The present pool is on the claim's row, one at most; its former ones must have ended before.
ONE_POOL_AT_A_TIME = """
    SELECT 'claim ' || claim.code, 'one pool at a time',
           'in pool ' || former.pool_id || ' until ' || former.to_date || ' and in pool '
               || other.pool_id || ' from ' || other.from_date
    FROM collateral_assignment AS former
    JOIN trade_claim AS claim ON claim.id = former.claim_id
    JOIN (
        SELECT id, claim_id, pool_id, from_date, to_date FROM collateral_assignment
        UNION ALL
        SELECT NULL, id, pool_id, pool_from_date, 'infinity' FROM trade_claim
        WHERE pool_id IS NOT NULL
    ) AS other
      ON other.claim_id = former.claim_id AND other.id IS DISTINCT FROM former.id
     AND other.from_date < former.to_date AND former.from_date < other.to_date
    ORDER BY claim.id
"""

OF_ITS_SUPPLIER = """
    SELECT 'claim ' || claim.code, 'a pool of its supplier and currency',
           'pool ' || coalesce(pool.code, 'that is not there')
    FROM trade_claim AS claim LEFT JOIN collateral_pool AS pool ON pool.id = claim.pool_id
    WHERE claim.pool_id IS NOT NULL
      AND (pool.supplier_id, pool.currency) IS DISTINCT FROM (claim.supplier_id, claim.currency)
    ORDER BY claim.id
"""

TERMS_IN_FORCE = """
    SELECT 'pool ' || pool.code, 'terms ' || latest.terms_id, 'terms ' || pool.terms_id
    FROM collateral_pool AS pool
    CROSS JOIN LATERAL (
        SELECT terms_id FROM collateral_termsinforce WHERE pool_id = pool.id
        ORDER BY from_date DESC, id DESC LIMIT 1
    ) AS latest
    WHERE latest.terms_id <> pool.terms_id
    ORDER BY pool.id
"""

# What the migrations put in the way of a wrong record.
GUARDS = """
    SELECT 'trigger ' || name, 'enabled always', 'missing or disabled'
    FROM (VALUES
        ('collateral_assignment_only_grows'),
        ('collateral_pool_only_grows'),
        ('collateral_poolbase_only_grows'),
        ('collateral_poolterms_only_grows'),
        ('collateral_securityinterest_only_grows'),
        ('collateral_termsinforce_only_grows')
    ) AS guard (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgname = name AND tgenabled = 'A' AND NOT tgisinternal)
    ORDER BY name
"""

QUERIES = {
    "guards of pools stand": GUARDS,
    "a claim is in one pool at a time": ONE_POOL_AT_A_TIME,
    "claims are in pools of their supplier": OF_ITS_SUPPLIER,
    "pools have the terms put in force last": TERMS_IN_FORCE,
}

BASES = "bases equal their recomputation"
BATCH_POOLS = 1_000


def collateral_checks() -> list[Check]:
    """The checks of pools and bases."""
    return [*(_check(name, query) for name, query in QUERIES.items()), Check(BASES, _wrong_bases)]


def _check(name: str, query: str) -> Check:
    def run() -> Iterator[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            for subject, expected, found in cursor.fetchall():
                yield Finding(name, subject, str(expected), str(found))

    return Check(name, run)


def _wrong_bases() -> Iterator[Finding]:
    """Bases that pass for current, computed again. A pool that changes meanwhile passes."""
    by_date: defaultdict[date, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT base_date, id FROM collateral_pool WHERE base_version = version ORDER BY 1, 2"
        )
        for base_date, pool_id in cursor.fetchall():
            by_date[base_date].append(pool_id)
    for base_date, pool_ids in by_date.items():
        for first in range(0, len(pool_ids), BATCH_POOLS):
            yield from _wrong_on(base_date, pool_ids[first : first + BATCH_POOLS])


def _wrong_on(base_date: date, pool_ids: list[int]) -> Iterator[Finding]:
    again = bases.computed(pool_ids, on=base_date)
    stored = bases.current(pool_ids, on=base_date)
    codes = dict(Pool.objects.filter(pk__in=pool_ids).values_list("pk", "code"))
    for pool_id, kept in stored.items():
        if kept.version == again[pool_id].version and kept != again[pool_id]:
            yield Finding(
                BASES,
                f"pool {codes[pool_id]} on {base_date}",
                f"base {again[pool_id].base_minor}, cover {again[pool_id].cover_minor}",
                f"base {kept.base_minor}, cover {kept.cover_minor}",
            )
