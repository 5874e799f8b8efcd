"""Open a pool: a place where a supplier's claims in one currency secure a facility."""

from datetime import date

from django.db import connection

from tallystick.book.collateral.assign import join_pool
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.collateral.terms import TermsOfPool, keep_terms, put_in_force


def open_pool(
    code: str,
    *,
    legal_entity_id: int,
    supplier_id: int,
    currency: str,
    terms: TermsOfPool,
    on: date,
    act_id: int,
) -> int:
    """Open a pool in the caller's transaction, on the open business day; returns its id.

    The supplier's claims in the currency that are in no pool join it. It comes after the
    supplier's other pools: a new claim joins the first of them that was opened.
    """
    hold_suppliers([supplier_id])
    terms_id = keep_terms(terms)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO collateral_pool (code, legal_entity_id, supplier_id, currency, terms_id,"
            " rank, version, base_version, base_minor, cover_minor)"
            " SELECT %s, %s, %s, %s, %s, coalesce(max(rank), 0) + 1, 1, 0, 0, 0"
            " FROM collateral_pool WHERE supplier_id = %s AND currency = %s RETURNING id",
            [code, legal_entity_id, supplier_id, currency, terms_id, supplier_id, currency],
        )
        (pool_id,) = cursor.fetchone()
    put_in_force(pool_id, terms_id, from_date=on, act_id=act_id)
    join_pool(pool_id, on=on)
    return pool_id
