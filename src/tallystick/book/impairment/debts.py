"""What is asked alike of loans and of advances out of sales when they are classed.

Pieces of statements: each debt is a position ``held`` with the class ``classed`` it was in before.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from tallystick.book.frames import frame_of
from tallystick.book.impairment.models import STILL_IN_FORCE
from tallystick.rules.rule_pack import NON_PERFORMING, AssetClass, Limit

COLUMNS = {
    "is_advance": pl.Int8,
    "debt_id": pl.Int64,
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
FLAGS = (
    "is_advance",
    "is_retail",
    "diverted_use",
    "credit_impaired",
    "rebuts_stage_2",
    "rebuts_stage_3",
)
"""What ``rules.classification`` takes of each debt, and how it was classed before.

``debt_id``: the row id of a loan, or of an advance where ``is_advance``.
"""

IN_FORCE = """NOT held.settled
      AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s"""
"""The position of a live debt, as it stood at the end of a day."""

CLASS_ON = "classed.from_date <= %(day)s AND classed.superseded_date > %(day)s"
"""The row of a debt's class that is in force at the end of a day."""

OF_DEBTS = """
    of_debt AS (
        SELECT {debt} AS debt_id, max((kind = 'credit_impaired')::int) AS impaired,
               max(share_bps) FILTER (WHERE kind = 'credit_impaired') AS loss_bps,
               max((kind = 'diverted_use')::int) AS diverted,
               max((kind = 'stage_2_rebutted')::int) AS rebuts_2,
               max((kind = 'stage_3_rebutted')::int) AS rebuts_3
        FROM fact WHERE {debt} IS NOT NULL GROUP BY 1
    ),
    of_debtor AS (
        SELECT party_id, max((kind = 'credit_impaired')::int) AS impaired,
               max(share_bps) FILTER (WHERE kind = 'credit_impaired') AS loss_bps,
               max(share_bps) FILTER (WHERE kind = 'overdue_elsewhere') AS elsewhere_bps,
               max((kind = 'retail_debtor')::int) AS is_retail
        FROM fact WHERE party_id IS NOT NULL GROUP BY 1
    )
"""
"""What facts say of each debt, named by its column ``debt`` of a fact, and of its debtor."""

# A debtor is a firm unless it is recorded as retail.
FACTS_FOUND = """
           coalesce(of_debtor.is_retail, 0),
           coalesce(of_debt.diverted, 0),
           greatest(of_debt.impaired, of_debtor.impaired, 0),
           greatest(of_debt.loss_bps, of_debtor.loss_bps, 0),
           coalesce(of_debtor.elsewhere_bps, 0),
           coalesce(of_debt.rebuts_2, 0), coalesce(of_debt.rebuts_3, 0)
"""

CLASSED_BEFORE = f"""
           coalesce(classed.asset_class, 'normal'), coalesce(classed.clause, ''),
           coalesce(classed.stage, 1),
           coalesce(array_position(%(classes)s::text[], classed.asset_class::text), 1) - 1,
           CASE WHEN classed.clause = '{Limit.CURE_AFTER_MONTHS}'
                THEN (extract(year FROM observed) * 12 + extract(month FROM observed))::integer
                ELSE 0 END,
           coalesce(classed.suspended_from_date::text, ''),
           coalesce(classed.interest_recognised_minor, 0)
"""


def arguments_of(legal_entity_id: int, day: date) -> dict[str, Any]:
    """What the statements are asked with."""
    return {
        "legal_entity_id": legal_entity_id,
        "day": day,
        "until": day + timedelta(days=1),
        "still": STILL_IN_FORCE,
        "classes": [str(each) for each in AssetClass],
        "bad_place": NON_PERFORMING.rank,
    }


def ids(query: str, arguments: Mapping[str, Any]) -> list[int]:
    """The row ids that a statement answers, in order."""
    found: list[int] = frame_of(query, arguments, {"id": pl.Int64})["id"].sort().to_list()
    return found


def class_of_rank(rank: int) -> AssetClass:
    """The class of a rank: 0 for the best."""
    return list(AssetClass)[rank]
