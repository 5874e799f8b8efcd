"""How a supplier's claims, or an obligor's debts, are spread."""

from typing import NamedTuple

from django.db import connection

SHOWN = 10


class Owed(NamedTuple):
    """What one obligor owes a supplier by its open claims in pools, in one currency."""

    obligor: str
    name: str
    currency: str
    outstanding_minor: int
    claims: int


def owed_by_obligor(supplier_id: int) -> list[Owed]:
    """The supplier's open claims that are in pools, summed by obligor, the largest first.

    At most ``SHOWN`` obligors of each currency and, last, the others together as "".
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN place <= %(shown)s THEN party.code ELSE '' END,"
            "       CASE WHEN place <= %(shown)s THEN party.name ELSE '' END,"
            "       currency, sum(outstanding_minor)::bigint, sum(claims)::bigint"
            " FROM (SELECT obligor_id, claim.currency,"
            "              sum(face_minor - paid_minor - diluted_minor) AS outstanding_minor,"
            "              count(*) AS claims,"
            "              row_number() OVER (PARTITION BY claim.currency ORDER BY"
            "                  sum(face_minor - paid_minor - diluted_minor) DESC, obligor_id)"
            "                  AS place"
            "       FROM collateral_pool AS pool JOIN trade_claim AS claim"
            "         ON claim.pool_id = pool.id AND claim.status IN ('open', 'disputed')"
            "       WHERE pool.supplier_id = %(supplier)s GROUP BY 1, 2) AS owed"
            " JOIN parties_party AS party ON party.id = obligor_id"
            " GROUP BY 1, 2, 3 ORDER BY 3, min(place)",
            {"supplier": supplier_id, "shown": SHOWN},
        )
        return [Owed(*row) for row in cursor.fetchall()]
