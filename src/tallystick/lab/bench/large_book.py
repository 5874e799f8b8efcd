"""A book of a million loans and five million claims: what pages are measured on."""

from datetime import timedelta
from typing import Any

import psycopg

from tallystick.lab.bench.taken_over import FIRST_DAY, OPENED, bench_caller, one_id, take_over

OBLIGORS = 12
CLAIMS_AT_A_TIME = 500_000

# Amounts, obligors, statuses and dates differ from claim to claim: one in twenty is closed, one in
# a hundred disputed, one in ten past due.
_DOCUMENTS = """
    WITH pool AS (
        SELECT array_agg(supplier_id ORDER BY id) AS supplier_ids FROM collateral_pool
    ), obligor AS (
        SELECT array_agg(id ORDER BY id) AS ids FROM parties_party WHERE code LIKE 'BUYER-%%'
    )
    INSERT INTO trade_document
        (kind, issuer_id, supplier_id, obligor_id, number, issue_date, due_date, currency,
         amount_minor, fingerprint, fulfils_kind, fulfils_number, booking_date, act_id)
    SELECT 'invoice', supplier, supplier, obligor.ids[1 + n * 7 %% cardinality(obligor.ids)],
           'BENCH-' || n, %(opened)s::date - n %% 90,
           %(opened)s::date - n %% 90 + 80 + n %% 40, 'CNY', 10000 + n::bigint * 7919 %% 9000000,
           sha256(convert_to('bench ' || n, 'UTF8')), '', '', %(opened)s, %(act_id)s
    FROM generate_series(%(first)s::integer, %(last)s::integer) AS n, pool, obligor,
         LATERAL (SELECT pool.supplier_ids[1 + n %% cardinality(pool.supplier_ids)] AS supplier)
"""

_CLAIMS = """
    INSERT INTO trade_claim
        (id, code, supplier_id, obligor_id, currency, stage, status, face_minor, paid_minor,
         diluted_minor, issue_date, due_date, disputed, awaits_predecessor, pool_id,
         pool_from_date)
    SELECT document.id, party.code || ':invoice:' || number, document.supplier_id, obligor_id,
           document.currency, 'invoice',
           CASE WHEN document.id %% 20 = 0 THEN 'closed'
                WHEN document.id %% 100 = 1 THEN 'disputed' ELSE 'open' END,
           amount_minor, CASE WHEN document.id %% 20 = 0 THEN amount_minor ELSE 0 END, 0,
           issue_date, due_date, document.id %% 100 = 1, false, pool.id, %(opened)s
    FROM trade_document AS document
    JOIN parties_party AS party ON party.id = document.issuer_id
    JOIN collateral_pool AS pool ON pool.supplier_id = document.supplier_id
    WHERE document.id > %(after)s AND number LIKE 'BENCH-%%'
"""


def put_large_book(owner: psycopg.Connection[Any], *, loans: int, claims: int) -> None:
    """Put so many loans and claims in place in an empty database, and close its first days.

    The claims are documents and claims as an import leaves them, written by set-based statements;
    those that are closed have no event that closed them.
    """
    from tallystick.book.acts.once import once
    from tallystick.book.collateral.bases import recompute
    from tallystick.book.collateral.models import Pool
    from tallystick.book.parties.models import Party
    from tallystick.book.servicing.close import close_through

    legal_entity_id = take_over(owner, loans=loans, age_days=1)
    Party.objects.bulk_create(
        Party(code=f"BUYER-{number}", name=f"Buyer {number}") for number in range(1, OBLIGORS + 1)
    )
    with once(bench_caller(), key="claims", kind="take_over", request={}) as act:
        act.answer({})
    for first in range(1, claims + 1, CLAIMS_AT_A_TIME):
        after = one_id(owner, "SELECT coalesce(max(id), 0) FROM trade_document")
        arguments = {
            "first": first,
            "last": min(claims, first + CLAIMS_AT_A_TIME - 1),
            "opened": OPENED,
            "act_id": act.act_id,
            "after": after,
        }
        owner.execute(_DOCUMENTS, arguments)
        owner.execute(_CLAIMS, arguments)
    owner.execute("UPDATE collateral_pool SET version = version + 1")
    owner.execute("VACUUM ANALYZE")
    close_through(legal_entity_id, FIRST_DAY - timedelta(days=1))
    recompute(list(Pool.objects.values_list("id", flat=True)[:1]), on=FIRST_DAY)
    owner.execute("ANALYZE")
