"""Claims as they stood on a day, as known on a day: told from documents and events."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from tallystick.book.frames import frame_of
from tallystick.rules.frames import CLAIMS

KNOWN_NOW = date.max
"""Whatever is on record, in whichever day it was booked."""

# A document is its claim's opening; events are differences. Pools are joined and left on the open
# business day only, so that the day on which a claim was in a pool is also the day it was known.
_AS_OF = """
SELECT claim.code, supplier.code AS supplier_code, obligor.code AS obligor_code, claim.currency,
       claim.stage,
       CASE WHEN outstanding_minor = 0 THEN 'closed' WHEN is_disputed THEN 'disputed'
            ELSE 'open' END AS status,
       sums.face_minor, sums.paid_minor, sums.diluted_minor, claim.issue_date, claim.due_date,
       claim.supplier_id, claim.obligor_id, pool_then.pool_id, claim.id
FROM trade_claim AS claim
JOIN trade_document AS document ON document.id = claim.id
JOIN parties_party AS supplier ON supplier.id = claim.supplier_id
JOIN parties_party AS obligor ON obligor.id = claim.obligor_id
CROSS JOIN LATERAL (
    SELECT amount_minor + coalesce(sum(event.face_minor), 0) AS face_minor,
           coalesce(sum(event.paid_minor), 0) AS paid_minor,
           coalesce(sum(event.diluted_minor), 0) AS diluted_minor,
           amount_minor + coalesce(sum(
               event.face_minor - event.paid_minor - event.diluted_minor), 0) AS outstanding_minor,
           (array_agg(event.kind ORDER BY event.value_date DESC, event.id DESC)
            FILTER (WHERE event.kind IN ('disputed', 'resolved')))[1] = 'disputed' AS is_disputed
    FROM trade_claimevent AS event
    WHERE event.claim_id = claim.id
      AND event.value_date <= %(on)s AND event.booking_date <= %(known_on)s
) AS sums
LEFT JOIN LATERAL (
    SELECT claim.pool_id WHERE claim.pool_from_date <= %(assigned_on)s
    UNION ALL
    SELECT former.pool_id FROM collateral_assignment AS former
    WHERE former.claim_id = claim.id
      AND former.from_date <= %(assigned_on)s AND former.to_date > %(assigned_on)s
) AS pool_then ON true
WHERE document.issue_date <= %(on)s AND document.booking_date <= %(known_on)s
"""

_OF_SUPPLIERS = f"""
SELECT code, supplier_code, obligor_code, currency, stage, status, face_minor, paid_minor,
       diluted_minor, issue_date, due_date, pool_id
FROM ({_AS_OF} AND claim.supplier_id = ANY (%(supplier_ids)s)) AS claims
ORDER BY id
"""

# What belongs to another pool of the supplier is shown as such; what is in none is left out.
_OF_POOLS = f"""
SELECT claims.code, supplier_code, obligor_code, claims.currency, stage,
       CASE WHEN pool_id = pool.id OR status = 'closed' THEN status
            ELSE 'assigned_elsewhere' END,
       face_minor, paid_minor, diluted_minor, issue_date, due_date, (pool_id = pool.id)::int,
       obligor_id, pool.id
FROM ({_AS_OF}) AS claims
JOIN collateral_pool AS pool
  ON pool.supplier_id = claims.supplier_id AND pool.currency = claims.currency
WHERE pool.id = ANY (%(pool_ids)s) AND pool_id IS NOT NULL
ORDER BY pool.id, claims.id
"""


def claims_of_suppliers(
    supplier_ids: Collection[int], *, on: date, known_on: date = KNOWN_NOW
) -> nw.DataFrame[pl.DataFrame]:
    """The claims of suppliers at the end of ``on``, as known at the end of ``known_on``.

    A claims frame (``rules.frames``) with the codes of claims and firms as ids, and ``pool_id``:
    the pool to which a claim was assigned then, null where it was in none.
    """
    frame = frame_of(
        _OF_SUPPLIERS,
        _arguments(on, known_on) | {"supplier_ids": list(supplier_ids)},
        _POLARS_CLAIMS | {"pool_id": pl.Int64},
    )
    return nw.from_native(frame)


def claims_of_pools(
    pool_ids: Collection[int], *, on: date, known_on: date = KNOWN_NOW
) -> nw.DataFrame[pl.DataFrame]:
    """The claims of each pool at the end of ``on``, as known at the end of ``known_on``.

    A claims frame with the codes of claims and firms as ids, and ``pool_id``. Live claims of the
    same supplier and currency that another pool held then are ``assigned_elsewhere`` in it. Asked
    for several pools of one supplier, a claim appears once in each. Besides: ``is_own`` (1 where
    the pool itself held the claim, else 0) and ``obligor_party_id``, the obligor's number.
    """
    frame = frame_of(
        _OF_POOLS,
        _arguments(on, known_on) | {"pool_ids": list(pool_ids)},
        _POLARS_CLAIMS | {"is_own": pl.Int64, "obligor_party_id": pl.Int64, "pool_id": pl.Int64},
    )
    return nw.from_native(frame)


def _arguments(on: date, known_on: date) -> dict[str, Any]:
    return {"on": on, "known_on": known_on, "assigned_on": min(on, known_on)}


_POLARS_CLAIMS: Mapping[str, Any] = {
    name: {nw.String: pl.String, nw.Int64: pl.Int64, nw.Date: pl.Date}[type(kind)]
    for name, kind in CLAIMS.items()
}
