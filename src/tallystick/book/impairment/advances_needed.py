"""What the live advances out of sales need in allowances and suspense at the end of a day.

As ``needed`` says it of loans. An advance has no due date: its rate of loss is that of so many
equal payments as are expected (``rules.expected_loss.repaid_evenly_rates_ppb``), so that advances
that agree in stage and payments left share one.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.impairment.advances_standing import CARRIED, FEE_MET, LATEST_LOOK
from tallystick.book.impairment.debts import CLASS_ON, IN_FORCE, arguments_of
from tallystick.book.impairment.needed import ALLOWANCE, PLACE, DebtProvided, Provided
from tallystick.book.impairment.packs import pack_on
from tallystick.book.sales_credit.night import FEE_OWED
from tallystick.rules.expected_loss import LossTerms, matrix_rate_ppb, repaid_evenly_rates_ppb

# By a matrix only days behind count; an advance counts in the book of its class, to which it is
# moved in the day that is open.
_LIVE = f"""
    SELECT coalesce(place.class_book_id, held.book_id) AS class_book_id,
           coalesce(classed.stage, 1) AS stage,
           CASE WHEN %(is_matrix)s THEN 0 ELSE coalesce(classed.stage, 1) END AS kind_stage,
           CASE WHEN %(is_matrix)s
                THEN (%(bands)s::integer[])[width_bucket(
                    greatest(0, %(day)s::date - look.behind_since_date), %(bands)s::integer[])]
                ELSE held.payments_left END AS days,
           held.principal_minor, ({CARRIED})::bigint AS carried_minor,
           CASE WHEN held.daily_rate_ppb > 0 AND classed.suspended_from_date IS NOT NULL
                THEN greatest(0, least({FEE_OWED},
                         {FEE_OWED} + {FEE_MET} - classed.interest_recognised_minor))::bigint
                ELSE 0 END AS suspended_minor
    FROM sales_credit_advanceposition AS held
    LEFT JOIN impairment_advanceclass AS classed
      ON classed.advance_id = held.advance_id AND {CLASS_ON}
    LEFT JOIN place ON place.book_id = held.book_id
      AND place.asset_class = coalesce(classed.asset_class, 'normal')
    LEFT JOIN LATERAL ({LATEST_LOOK}) AS look ON %(is_matrix)s
    WHERE held.book_id = ANY (ARRAY(
              SELECT id FROM ledger_book WHERE legal_entity_id = %(legal_entity_id)s))
      AND {IN_FORCE} AND (%(advance_id)s::bigint IS NULL OR held.advance_id = %(advance_id)s)
"""

_KINDS_OF_LOSS = f"WITH {PLACE} SELECT DISTINCT kind_stage, days FROM ({_LIVE}) AS live"

_PROVIDED = f"""
    WITH {PLACE}, rate AS (
        SELECT * FROM unnest(%(stage)s::integer[], %(days)s::integer[], %(loss_ppb)s::bigint[])
            AS rate (kind_stage, days, loss_ppb)
    ), exposed AS (
        SELECT *, carried_minor - suspended_minor AS exposure
        FROM ({_LIVE}) AS live LEFT JOIN rate USING (kind_stage, days) OFFSET 0
    ), provided AS (
        SELECT *, {ALLOWANCE} AS allowance FROM exposed
    )
"""

_BY_BOOK = f"""
    {_PROVIDED}
    SELECT class_book_id, stage, count(*), sum(principal_minor), sum(exposure), 0, 0,
           sum(allowance), sum(suspended_minor)
    FROM provided GROUP BY 1, 2 ORDER BY 1, 2
"""

_BY_ADVANCE = f"""
    {_PROVIDED} SELECT stage, exposure, suspended_minor, loss_ppb, allowance FROM provided
"""


def advances_provided_on(legal_entity_id: int, day: date) -> list[Provided]:
    """What each book needs by stage for the advances as known at the end of ``day``.

    Empty where no pack is in force on that day.
    """
    return [
        Provided(*(int(figure) for figure in row)) for row in _rows(_BY_BOOK, legal_entity_id, day)
    ]


def advance_provided_on(legal_entity_id: int, advance_id: int, day: date) -> DebtProvided | None:
    """What one advance needs; None where it is not live then, or nothing is provided by a pack."""
    rows = _rows(_BY_ADVANCE, legal_entity_id, day, advance_id=advance_id)
    return DebtProvided(*(int(figure) for figure in rows[0])) if rows else None


def _rows(
    query: str, legal_entity_id: int, day: date, advance_id: int | None = None
) -> list[tuple[Any, ...]]:
    held_to = pack_on(legal_entity_id, day)
    if held_to is None:
        return []
    arguments = arguments_of(legal_entity_id, day) | {
        "is_matrix": bool(held_to.pack.loss.matrix),
        "bands": [each.over_days + 1 for each in held_to.pack.loss.matrix],
        "advance_id": advance_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_KINDS_OF_LOSS, arguments)
        rates_ppb = _loss_rates(cursor.fetchall(), held_to.pack.loss)
        kinds = {
            "stage": plain(stage for stage, _ in rates_ppb),
            "days": plain(days for _, days in rates_ppb),
            "loss_ppb": plain(rates_ppb.values()),
        }
        cursor.execute(query, arguments | kinds)
        return cursor.fetchall()


def _loss_rates(kinds: Iterable[tuple[int, int]], terms: LossTerms) -> dict[tuple[int, int], int]:
    """The rate of loss of each kind: by days behind, or by stage and payments left."""
    by_stage: dict[int, list[int]] = defaultdict(list)
    for stage, days in kinds:
        by_stage[stage].append(days)
    if terms.matrix:
        return {(0, days): matrix_rate_ppb(terms, days_past_due=days) for days in by_stage[0]}
    return {
        (stage, days): rate_ppb
        for stage, payments in by_stage.items()
        for days, rate_ppb in repaid_evenly_rates_ppb(
            terms, stage=stage, payments_left=payments
        ).items()
    }
