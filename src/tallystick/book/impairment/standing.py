"""The loans that may be in another class than the best, as they stood at the end of a day.

A loan can be classed other than normal only where something speaks against it or against its
debtor: it is past due, a fact is recorded, it was classed so before, or it is kept in the book of
another class. Of a debtor with a loan that may be non-performing all loans are read, since a
firm's debts then stand together; the rest of the live book is not.
"""

from datetime import date, timedelta
from typing import Any

import polars as pl

from tallystick.book.columns import plain
from tallystick.book.frames import frame_of
from tallystick.book.impairment.facts import FACTS_ON
from tallystick.book.impairment.models import STILL_IN_FORCE
from tallystick.book.servicing.accrual import (
    FEES_OWED,
    INTEREST_MET,
    INTEREST_OWED,
    PENALTY_MET,
    PENALTY_OWED,
)
from tallystick.rules.rule_pack import NON_PERFORMING, AssetClass, Limit

COLUMNS = {
    "loan_id": pl.Int64,
    "debtor_id": pl.Int64,
    "currency": pl.String,
    "book_id": pl.Int64,
    "owed_minor": pl.Int64,
    "days_past_due": pl.Int64,
    "is_retail": pl.Int8,
    "diverted_use": pl.Int8,
    "credit_impaired": pl.Int8,
    "expected_loss_bps": pl.Int64,
    "elsewhere_bps": pl.Int64,
    "rebuts_stage_2": pl.Int8,
    "rebuts_stage_3": pl.Int8,
    "interest_accrued_minor": pl.Int64,
    "penalty_accrued_minor": pl.Int64,
    "class_before": pl.String,
    "clause_before": pl.String,
    "stage_before": pl.Int64,
    "rank_before": pl.Int64,
    "months_observed": pl.Int64,
    "suspended_from": pl.String,
    "interest_recognised_minor": pl.Int64,
    "penalty_recognised_minor": pl.Int64,
}
FLAGS = ("is_retail", "diverted_use", "credit_impaired", "rebuts_stage_2", "rebuts_stage_3")

_IN_FORCE = """NOT held.settled
      AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s"""

CLASS_ON = "classed.from_date <= %(day)s AND classed.superseded_date > %(day)s"
"""The row of a loan's class that is in force at the end of a day."""

# One cheap pass over the live book, and everything below by key: what is found here is a small
# part, whatever the book's size, and the database could not guess how small.
_CONSPICUOUS = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON})
    SELECT held.loan_id FROM servicing_position AS held
    WHERE held.book_id = ANY(ARRAY(
              SELECT id FROM ledger_book WHERE legal_entity_id = %(legal_entity_id)s))
      AND {_IN_FORCE}
      AND (held.due_date < %(day)s OR held.book_id = ANY(ARRAY(
              SELECT id FROM ledger_book
              WHERE legal_entity_id = %(legal_entity_id)s AND asset_class <> 'normal')))
    UNION
    SELECT classed.loan_id FROM impairment_loanclass AS classed
    WHERE {CLASS_ON} AND (classed.asset_class <> 'normal' OR classed.stage > 1)
    UNION
    SELECT loan_id FROM fact WHERE loan_id IS NOT NULL
"""

_BAD_DEBTORS = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON})
    SELECT facility.supplier_id
    FROM unnest(%(conspicuous)s::bigint[]) AS conspicuous (loan_id)
    JOIN financing_loan AS loan ON loan.id = conspicuous.loan_id
    JOIN financing_facility AS facility ON facility.id = loan.facility_id
    LEFT JOIN fact ON fact.loan_id = loan.id AND fact.kind = 'credit_impaired'
    LEFT JOIN impairment_loanclass AS classed ON classed.loan_id = loan.id AND {CLASS_ON}
    WHERE facility.legal_entity_id = %(legal_entity_id)s
      AND (fact.id IS NOT NULL
           OR array_position(%(classes)s::text[], classed.asset_class::text) > %(bad_place)s
           OR %(day)s::date - coalesce(loan.agreed_due_date, loan.due_date) > %(bad_over_days)s)
    UNION
    SELECT party_id FROM fact WHERE kind IN ('credit_impaired', 'overdue_elsewhere')
      AND party_id IS NOT NULL
"""

_CANDIDATES = """
    SELECT loan_id FROM unnest(%(conspicuous)s::bigint[]) AS conspicuous (loan_id)
    UNION
    SELECT loan.id FROM financing_loan AS loan
    WHERE loan.facility_id = ANY(ARRAY(
        SELECT id FROM financing_facility
        WHERE legal_entity_id = %(legal_entity_id)s
          AND supplier_id = ANY(%(bad_debtors)s::bigint[])))
"""

# A debtor is a firm unless it is recorded as retail. Days are counted from the due date first
# agreed once the extended one has passed too: the rules of 2023 let an extension begin no new
# count.
_STANDING = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON}),
    of_loan AS (
        SELECT loan_id, max((kind = 'credit_impaired')::int) AS impaired,
               max(share_bps) FILTER (WHERE kind = 'credit_impaired') AS loss_bps,
               max((kind = 'diverted_use')::int) AS diverted,
               max((kind = 'stage_2_rebutted')::int) AS rebuts_2,
               max((kind = 'stage_3_rebutted')::int) AS rebuts_3
        FROM fact WHERE loan_id IS NOT NULL GROUP BY 1
    ),
    of_debtor AS (
        SELECT party_id, max((kind = 'credit_impaired')::int) AS impaired,
               max(share_bps) FILTER (WHERE kind = 'credit_impaired') AS loss_bps,
               max(share_bps) FILTER (WHERE kind = 'overdue_elsewhere') AS elsewhere_bps,
               max((kind = 'retail_debtor')::int) AS is_retail
        FROM fact WHERE party_id IS NOT NULL GROUP BY 1
    )
    SELECT held.loan_id, facility.supplier_id, loan.currency, held.book_id,
           held.principal_minor + {FEES_OWED} + {INTEREST_OWED} + {PENALTY_OWED},
           CASE WHEN held.due_date < %(day)s
                THEN %(day)s::date - coalesce(loan.agreed_due_date, held.due_date) ELSE 0 END,
           coalesce(of_debtor.is_retail, 0),
           coalesce(of_loan.diverted, 0),
           greatest(of_loan.impaired, of_debtor.impaired, 0),
           greatest(of_loan.loss_bps, of_debtor.loss_bps, 0),
           coalesce(of_debtor.elsewhere_bps, 0),
           coalesce(of_loan.rebuts_2, 0), coalesce(of_loan.rebuts_3, 0),
           {INTEREST_OWED} + {INTEREST_MET}, {PENALTY_OWED} + {PENALTY_MET},
           coalesce(classed.asset_class, 'normal'), coalesce(classed.clause, ''),
           coalesce(classed.stage, 1),
           coalesce(array_position(%(classes)s::text[], classed.asset_class::text), 1) - 1,
           CASE WHEN classed.clause = '{Limit.CURE_AFTER_MONTHS}'
                THEN (extract(year FROM observed) * 12 + extract(month FROM observed))::integer
                ELSE 0 END,
           coalesce(classed.suspended_from_date::text, ''),
           coalesce(classed.interest_recognised_minor, 0),
           coalesce(classed.penalty_recognised_minor, 0)
    FROM unnest(%(candidates)s::bigint[]) AS candidate (loan_id)
    JOIN servicing_position AS held ON held.loan_id = candidate.loan_id AND {_IN_FORCE}
    JOIN financing_loan AS loan ON loan.id = held.loan_id
    JOIN financing_facility AS facility ON facility.id = loan.facility_id
      AND facility.legal_entity_id = %(legal_entity_id)s
    LEFT JOIN of_loan ON of_loan.loan_id = held.loan_id
    LEFT JOIN of_debtor ON of_debtor.party_id = facility.supplier_id
    LEFT JOIN impairment_loanclass AS classed ON classed.loan_id = held.loan_id AND {CLASS_ON}
    CROSS JOIN LATERAL age(%(day)s::timestamp, classed.from_date::timestamp) AS observed
"""

# Classed as something, and owing nothing any more.
_GONE = f"""
    SELECT classed.loan_id FROM impairment_loanclass AS classed
    JOIN financing_loan AS loan ON loan.id = classed.loan_id
    JOIN financing_facility AS facility ON facility.id = loan.facility_id
    JOIN servicing_position AS held ON held.loan_id = classed.loan_id AND held.settled
      AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
    WHERE facility.legal_entity_id = %(legal_entity_id)s AND {CLASS_ON}
      AND (classed.asset_class <> 'normal' OR classed.stage > 1)
"""


def standing_on(legal_entity_id: int, day: date, *, bad_over_days: int) -> pl.DataFrame:
    """A row for each live loan that may be classed other than normal, as known on ``day``.

    ``bad_over_days``: a loan more days past due is non-performing. The columns are those of
    COLUMNS: what ``rules.classification`` takes, and how the loan was classed before.
    ``…_accrued_minor`` are the running totals after the night of ``day``.
    """
    arguments = _arguments(legal_entity_id, day) | {"bad_over_days": bad_over_days}
    for found, query in (
        ("conspicuous", _CONSPICUOUS),
        ("bad_debtors", _BAD_DEBTORS),
        ("candidates", _CANDIDATES),
    ):
        arguments[found] = plain(frame_of(query, arguments, {"id": pl.Int64})["id"].sort())
    frame = frame_of(_STANDING, arguments, COLUMNS)
    return frame.with_columns(pl.col(name) == 1 for name in FLAGS).with_columns(
        pl.col("clause_before", "suspended_from").fill_null("")
    )


def settled_since(legal_entity_id: int, day: date) -> list[int]:
    """Loans whose class is still in force, and that owe nothing on ``day``."""
    found = frame_of(_GONE, _arguments(legal_entity_id, day), {"loan_id": pl.Int64})
    return found["loan_id"].to_list()


def _arguments(legal_entity_id: int, day: date) -> dict[str, Any]:
    return {
        "legal_entity_id": legal_entity_id,
        "day": day,
        "until": day + timedelta(days=1),
        "still": STILL_IN_FORCE,
        "classes": [str(each) for each in AssetClass],
        "bad_place": NON_PERFORMING.rank,
    }


def class_of_rank(rank: int) -> AssetClass:
    return list(AssetClass)[rank]
