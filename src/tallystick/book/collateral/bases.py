"""What pools are worth as collateral: computed in batches, stored with the version computed on."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import narwhals as nw
import polars as pl
from django.db import connection, transaction

from tallystick.book.collateral.prepared import (
    CLAIM_COLUMNS,
    OVERRIDE_COLUMNS,
    RELATED_COLUMNS,
    base_of,
)
from tallystick.book.collateral.terms import TermsOfPool, terms_by_id
from tallystick.book.frames import frame_of
from tallystick.book.trade.claims import KNOWN_NOW, claims_of_pools
from tallystick.rules.receivables import BASE_AMOUNTS, refuse_inexact


@dataclass(frozen=True, slots=True)
class PoolBaseValue:
    """A pool's base on a day. ``version``: the pool's, when its claims were read.

    ``result``: the amounts of ``rules.receivables.borrowing_base`` by name, with all parts.
    """

    base_minor: int
    cover_minor: int
    version: int
    result: Mapping[str, int]


_CURRENT = """
SELECT pool.id, pool.base_minor, pool.cover_minor, pool.version, stored.result
FROM collateral_pool AS pool
JOIN collateral_poolbase AS stored
  ON stored.pool_id = pool.id AND stored.date = pool.base_date AND stored.version = pool.version
WHERE pool.id = ANY (%s) AND pool.base_version = pool.version AND pool.base_date = %s
"""


def current(pool_ids: Collection[int], *, on: date) -> dict[int, PoolBaseValue]:
    """The stored bases of those pools whose latest is on ``on`` and of their present version.

    It stays so while the caller holds the pool's row, and no longer.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CURRENT, [list(pool_ids), on])
        return {
            pool_id: PoolBaseValue(base_minor, cover_minor, version, json.loads(result))
            for pool_id, base_minor, cover_minor, version, result in cursor.fetchall()
        }


def recompute(pool_ids: Collection[int], *, on: date) -> dict[int, PoolBaseValue]:
    """Compute the bases of pools from their claims as they stand, and store them.

    In a transaction that only reads they are computed, and left to the next writer to store.

    Claims issued after ``on`` do not count. A pool that changes while this computes keeps its
    older base: what is answered here was right when it was read. A caller that must not be
    overtaken holds the pools.

    Raises BeyondExactArithmetic.
    """
    bases = computed(pool_ids, on=on)
    if not _only_reads():
        _store(bases, on=on)
    return bases


def computed(
    pool_ids: Collection[int], *, on: date, without_claim: int | None = None
) -> dict[int, PoolBaseValue]:
    """The same without storing anything, and if wanted as if one claim were not there."""
    # Versions first: a change between the two readings then makes the base look older than its
    # claims, and it is computed again; the other way round it would pass for current.
    pools = _pools(pool_ids)
    claims = _claims(pool_ids, on=on, without_claim=without_claim)
    results = worth(
        claims,
        terms={pool_id: terms_id for pool_id, (_, terms_id) in pools.items()},
        related=related_to_pools(pool_ids, on=on),
        on=on,
    )
    return {
        pool_id: PoolBaseValue(
            results[pool_id]["base_minor"],
            results[pool_id]["cover_minor"],
            version,
            results[pool_id],
        )
        for pool_id, (version, _) in pools.items()
    }


_TERMS_AS_OF = """
SELECT coalesce(
    (SELECT terms_id FROM collateral_termsinforce
     WHERE pool_id = pool.id AND from_date <= %s ORDER BY from_date DESC, id DESC LIMIT 1),
    pool.terms_id)
FROM collateral_pool AS pool WHERE id = %s
"""


def base_as_of(pool_id: int, *, on: date, known_on: date = KNOWN_NOW) -> dict[str, int]:
    """The amounts of a pool's base on a day, as they would have been computed on another.

    Told from documents, events, assignments, terms and relations as known at the end of
    ``known_on``. What a drawdown of that time was decided on is stored with its decision, and may
    have been computed earlier in the day. Raises BeyondExactArithmetic.
    """
    assigned_on = min(on, known_on)
    with connection.cursor() as cursor:
        cursor.execute(_TERMS_AS_OF, [assigned_on, pool_id])
        (terms_id,) = cursor.fetchone()
    claims = (
        claims_of_pools([pool_id], on=on, known_on=known_on)
        .to_native()
        .filter(pl.col("is_own") == 1)
        .with_columns(supplier_id=pl.col("pool_id"), obligor_id=pl.col("obligor_party_id"))
        .select(*CLAIM_COLUMNS)
    )
    related = related_to_pools([pool_id], on=assigned_on)
    return worth(claims, terms={pool_id: terms_id}, related=related, on=on)[pool_id]


def worth(
    claims: pl.DataFrame, *, terms: Mapping[int, int], related: pl.DataFrame, on: date
) -> dict[int, dict[str, int]]:
    """The borrowing base of each pool, from its own claims only.

    ``claims``: a claims frame whose ``supplier_id`` is the pool's id, and ids of firms are
    numbers; ``terms``: the id of its terms, by pool; ``related``: supplier_id (pool), obligor_id.
    Pools of the same terms are computed together: a run has its cost, however few they are.
    """
    pools_by_terms: defaultdict[int, list[int]] = defaultdict(list)
    for pool_id, terms_id in terms.items():
        pools_by_terms[terms_id].append(pool_id)
    nothing = dict.fromkeys(BASE_AMOUNTS, 0)
    results: dict[int, dict[str, int]] = dict.fromkeys(terms, nothing)
    for terms_id, pool_ids in pools_by_terms.items():
        own = claims
        if len(pools_by_terms) > 1:
            own = claims.filter(pl.col("supplier_id").is_in(pool_ids))
        if own.height:
            results |= _worth(own, terms_by_id(terms_id), related, on=on)
    return results


def _worth(
    claims: pl.DataFrame, terms: TermsOfPool, related: pl.DataFrame, *, on: date
) -> dict[int, dict[str, int]]:
    base = base_of(
        claims,
        terms=terms.terms,
        on=on,
        related=related,
        overrides=_overrides(terms.concentration_override_bps),
    )
    refuse_inexact(nw.from_native(base))
    return {
        row["supplier_id"]: {name: row[name] for name in BASE_AMOUNTS}
        for row in base.iter_rows(named=True)
    }


def _overrides(limit_bps: Mapping[str, int]) -> pl.DataFrame:
    if not limit_bps:
        return pl.DataFrame(schema=OVERRIDE_COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, code FROM parties_party WHERE code = ANY(%s)", [sorted(limit_bps)]
        )
        found = cursor.fetchall()
    return pl.DataFrame(
        {
            "obligor_id": [party_id for party_id, _ in found],
            "limit_bps": [limit_bps[code] for _, code in found],
        },
        schema=OVERRIDE_COLUMNS,
    )


def _pools(pool_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Version and terms of each pool."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, version, terms_id FROM collateral_pool WHERE id = ANY(%s) ORDER BY id",
            [list(pool_ids)],
        )
        return {pool_id: (version, terms_id) for pool_id, version, terms_id in cursor.fetchall()}


# A pool's closed claims matter while they are in its dilution window, and no longer; and since
# nothing of them is outstanding, only by what they were and by how much they were diluted. So they
# come as one row a pool: reading each of them every night is what costs most in an old pool. A
# window of more than a century is cut there: dates of documents do not lie further back.
_CLAIMS = """
SELECT pool_id, obligor_id, currency, stage, status, face_minor, paid_minor, diluted_minor,
       issue_date, due_date
FROM trade_claim
WHERE pool_id = ANY (%(pool_ids)s) AND status IN ('open', 'disputed')
  AND issue_date <= %(on)s AND id IS DISTINCT FROM %(without_claim)s
UNION ALL
SELECT claim.pool_id, min(claim.obligor_id), claim.currency, 'settlement', 'closed',
       least(sum(face_minor), 9223372036854775807)::bigint,
       least(sum(paid_minor), 9223372036854775807)::bigint,
       least(sum(diluted_minor), 9223372036854775807)::bigint, %(on)s::date, %(on)s::date
FROM collateral_pool AS pool
JOIN collateral_poolterms AS kept ON kept.id = pool.terms_id
JOIN trade_claim AS claim ON claim.pool_id = pool.id AND claim.status = 'closed'
WHERE pool.id = ANY (%(pool_ids)s)
  AND issue_date > %(on)s::date - least((kept.terms ->> 'dilution_window_days')::int, 40000)
  AND issue_date <= %(on)s AND claim.id IS DISTINCT FROM %(without_claim)s
GROUP BY claim.pool_id, claim.currency
"""


def _claims(pool_ids: Collection[int], *, on: date, without_claim: int | None) -> pl.DataFrame:
    return frame_of(
        _CLAIMS,
        {"pool_ids": list(pool_ids), "on": on, "without_claim": without_claim},
        CLAIM_COLUMNS,
    )


def related_to_pools(pool_ids: Collection[int], *, on: date) -> pl.DataFrame:
    """Obligors related to the supplier of each pool on a day: supplier_id (pool), obligor_id."""
    return frame_of(
        "SELECT pool.id, related.obligor_id FROM collateral_pool AS pool"
        " JOIN parties_relatedparty AS related ON related.supplier_id = pool.supplier_id"
        " WHERE pool.id = ANY (%(pool_ids)s) AND from_date <= %(on)s"
        " AND (to_date IS NULL OR to_date > %(on)s)",
        {"pool_ids": list(pool_ids), "on": on},
        RELATED_COLUMNS,
    )


_STORE = """
WITH computed AS (
    SELECT * FROM unnest(%(pool_ids)s::bigint[], %(versions)s::bigint[], %(bases)s::bigint[],
                         %(covers)s::bigint[], %(results)s::jsonb[])
        AS computed (pool_id, version, base_minor, cover_minor, result)
), kept AS (
    INSERT INTO collateral_poolbase (pool_id, date, version, terms_id, result)
    SELECT computed.pool_id, %(on)s, computed.version, pool.terms_id, computed.result
    FROM computed JOIN collateral_pool AS pool
      ON pool.id = computed.pool_id AND pool.version = computed.version
    ON CONFLICT (pool_id, date, version) DO NOTHING
)
UPDATE collateral_pool AS pool
SET base_version = computed.version, base_date = %(on)s,
    base_minor = computed.base_minor, cover_minor = computed.cover_minor
FROM computed
WHERE pool.id = computed.pool_id AND pool.version = computed.version
  -- The close looks back on a day while drawdowns go on in the next: theirs stays.
  AND (pool.base_version <> computed.version OR pool.base_date <= %(on)s)
"""


def _only_reads() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only') = 'on'")
        return bool(cursor.fetchone()[0])


def _store(bases: Mapping[int, PoolBaseValue], *, on: date) -> None:
    if not bases:
        return
    pool_ids = sorted(bases)
    with transaction.atomic(), connection.cursor() as cursor:
        # In order, as everybody locks pools.
        cursor.execute(
            "SELECT FROM collateral_pool WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [pool_ids],
        )
        cursor.execute(
            _STORE,
            {
                "pool_ids": pool_ids,
                "versions": [bases[pool_id].version for pool_id in pool_ids],
                "bases": [bases[pool_id].base_minor for pool_id in pool_ids],
                "covers": [bases[pool_id].cover_minor for pool_id in pool_ids],
                "results": [json.dumps(bases[pool_id].result) for pool_id in pool_ids],
                "on": on,
            },
        )
