"""Why claims count or are left out, over all pools of a supplier, or for a single one."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
from django.db import connection

from tallystick.book.collateral.bases import related_to_pools
from tallystick.book.collateral.prepared import CLAIM_COLUMNS
from tallystick.book.collateral.reasons import AWAITS_PREDECESSOR, UNASSIGNED
from tallystick.book.collateral.terms import terms_by_id
from tallystick.book.frames import frame_of
from tallystick.rules.receivables import claims_with_reasons

_OPEN_OF_POOLS = """
SELECT pool_id, obligor_id, currency, stage, status, face_minor, paid_minor, diluted_minor,
       issue_date, due_date, id
FROM trade_claim
WHERE pool_id = ANY (%(pool_ids)s) AND status IN ('open', 'disputed') AND issue_date <= %(on)s
"""


def reasons_of_supplier(supplier_id: int, *, on: date) -> dict[int, str]:
    """The reason of each open claim of a supplier by its id, "" where it counts.

    Closed claims, and those issued after ``on``, are not in the answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, terms_id FROM collateral_pool WHERE supplier_id = %s", [supplier_id]
        )
        terms_of = dict(cursor.fetchall())
        cursor.execute(
            "SELECT id, awaits_predecessor FROM trade_claim WHERE supplier_id = %s"
            " AND pool_id IS NULL AND status IN ('open', 'disputed')",
            [supplier_id],
        )
        in_none = {
            claim_id: AWAITS_PREDECESSOR if awaits else UNASSIGNED
            for claim_id, awaits in cursor.fetchall()
        }
    return in_none | _told(_OPEN_OF_POOLS, {}, terms_of, on=on)


def reason_of_claim(claim_id: int, *, on: date) -> str:
    """Why one claim is left out; "" where it counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim.status, awaits_predecessor, pool_id, obligor_id, pool.terms_id"
            " FROM trade_claim AS claim LEFT JOIN collateral_pool AS pool ON pool.id = pool_id"
            " WHERE claim.id = %s",
            [claim_id],
        )
        status, awaits, pool_id, obligor_id, terms_id = cursor.fetchone()
    if status == "closed":
        return "closed"
    if pool_id is None:
        return AWAITS_PREDECESSOR if awaits else UNASSIGNED
    # A claim's reason looks at the claims on the same obligor, and at no others.
    told = _told(
        _OPEN_OF_POOLS + "AND obligor_id = %(obligor_id)s",
        {"obligor_id": obligor_id},
        {pool_id: terms_id},
        on=on,
    )
    return told.get(claim_id, "")


def _told(
    query: str, arguments: Mapping[str, Any], terms_of: Mapping[int, int], *, on: date
) -> dict[int, str]:
    """Claims by id with their reasons; ``terms_of``: the terms of each pool."""
    if not terms_of:
        return {}
    claims = frame_of(
        query,
        {"pool_ids": list(terms_of), "on": on, **arguments},
        {**CLAIM_COLUMNS, "claim_id": pl.Int64},
    )
    related = related_to_pools(list(terms_of), on=on)
    reasons: dict[int, str] = {}
    for terms_id in set(terms_of.values()):
        pools = [pool_id for pool_id, held in terms_of.items() if held == terms_id]
        told = claims_with_reasons(
            nw.from_native(claims.filter(pl.col("supplier_id").is_in(pools)).lazy()),
            terms=terms_by_id(terms_id).terms,
            on=on,
            related=None if related.is_empty() else nw.from_native(related.lazy()),
        )
        found = told.select("claim_id", "reason").to_native().collect()
        reasons |= dict(found.iter_rows())
    return reasons
