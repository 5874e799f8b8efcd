"""The advances out of sales that may be in another class than the best.

Nothing falls due on a date, so what counts as overdue is agreed: an advance that is behind its
least pace is past due from the end of the first period that it ended short, until everything that
was short has been caught up (``rules.sales_pace.pace_standing``). The close of day has looked at
the pace before it classes. An advance without a least pace is never past due by days.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from tallystick.book.columns import plain
from tallystick.book.frames import frame_of
from tallystick.book.impairment.debts import (
    CLASS_ON,
    CLASSED_BEFORE,
    FACTS_FOUND,
    IN_FORCE,
    OF_DEBTS,
    arguments_of,
    ids,
)
from tallystick.book.impairment.facts import FACTS_ON
from tallystick.book.sales_credit.night import FEE_DEFERRED, FEE_OWED

FEE_MET = "held.fee_collected_minor + held.interest_lost_minor"
"""Of a position's fee or interest, what came in or was lost: owed and met are all there was."""

CARRIED = f"held.principal_minor + {FEE_OWED} - ({FEE_DEFERRED})"
"""What an advance is carried at: principal, and of the fee what was earned and has not come in."""

LATEST_LOOK = """
    SELECT look.behind_since_date FROM sales_credit_pacelook AS look
    WHERE look.advance_id = held.advance_id AND look.date <= %(day)s
    ORDER BY look.date DESC LIMIT 1
"""
"""How the position ``held`` stood to its pace when a close looked last."""

# What is behind now: an advance that was on the day and has caught up since was classed for it.
_CONSPICUOUS = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON})
    SELECT advance.id FROM sales_credit_advance AS advance
    JOIN sales_credit_salesline AS line ON line.id = advance.line_id
    WHERE line.legal_entity_id = %(legal_entity_id)s AND advance.behind_since_date < %(day)s
    UNION
    SELECT held.advance_id FROM sales_credit_advanceposition AS held
    WHERE held.book_id = ANY(ARRAY(
              SELECT id FROM ledger_book
              WHERE legal_entity_id = %(legal_entity_id)s AND asset_class <> 'normal'))
      AND {IN_FORCE}
    UNION
    SELECT classed.advance_id FROM impairment_advanceclass AS classed
    WHERE {CLASS_ON} AND (classed.asset_class <> 'normal' OR classed.stage > 1)
    UNION
    SELECT advance_id FROM fact WHERE advance_id IS NOT NULL
"""

_BAD_DEBTORS = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON})
    SELECT DISTINCT line.merchant_id
    FROM unnest(%(advances)s::bigint[]) AS conspicuous (advance_id)
    JOIN sales_credit_advanceposition AS held
      ON held.advance_id = conspicuous.advance_id AND {IN_FORCE}
    JOIN sales_credit_advance AS advance ON advance.id = held.advance_id
    JOIN sales_credit_salesline AS line ON line.id = advance.line_id
    LEFT JOIN fact ON fact.advance_id = advance.id AND fact.kind = 'credit_impaired'
    LEFT JOIN impairment_advanceclass AS classed
      ON classed.advance_id = advance.id AND {CLASS_ON}
    LEFT JOIN LATERAL ({LATEST_LOOK}) AS look ON true
    WHERE line.legal_entity_id = %(legal_entity_id)s
      AND (fact.id IS NOT NULL
           OR array_position(%(classes)s::text[], classed.asset_class::text) > %(bad_place)s
           OR %(day)s::date - look.behind_since_date > %(bad_over_days)s)
"""

_CANDIDATES = """
    SELECT advance_id FROM unnest(%(advances)s::bigint[]) AS conspicuous (advance_id)
    UNION
    SELECT advance.id FROM sales_credit_advance AS advance
    WHERE advance.line_id = ANY(ARRAY(
        SELECT id FROM sales_credit_salesline
        WHERE legal_entity_id = %(legal_entity_id)s
          AND merchant_id = ANY(%(bad_debtors)s::bigint[])))
"""

# Suspense is about interest of a daily rate: a fixed fee is not income before it has come in.
_STANDING = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON}), {OF_DEBTS.format(debt="advance_id")}
    SELECT 1, held.advance_id, line.merchant_id, line.currency, held.book_id,
           {CARRIED}, coalesce(greatest(0, %(day)s::date - look.behind_since_date), 0),
           {FACTS_FOUND},
           CASE WHEN held.daily_rate_ppb > 0 THEN {FEE_OWED} + {FEE_MET} ELSE 0 END, 0,
           {CLASSED_BEFORE}, 0
    FROM unnest(%(candidates)s::bigint[]) AS candidate (advance_id)
    JOIN sales_credit_advanceposition AS held
      ON held.advance_id = candidate.advance_id AND {IN_FORCE}
    JOIN sales_credit_advance AS advance ON advance.id = held.advance_id
    JOIN sales_credit_salesline AS line ON line.id = advance.line_id
      AND line.legal_entity_id = %(legal_entity_id)s
    LEFT JOIN LATERAL ({LATEST_LOOK}) AS look ON true
    LEFT JOIN of_debt ON of_debt.debt_id = held.advance_id
    LEFT JOIN of_debtor ON of_debtor.party_id = line.merchant_id
    LEFT JOIN impairment_advanceclass AS classed
      ON classed.advance_id = held.advance_id AND {CLASS_ON}
    CROSS JOIN LATERAL age(%(day)s::timestamp, classed.from_date::timestamp) AS observed
"""

# Classed as something, and owing nothing any more.
_GONE = f"""
    SELECT classed.advance_id FROM impairment_advanceclass AS classed
    JOIN sales_credit_advance AS advance ON advance.id = classed.advance_id
    JOIN sales_credit_salesline AS line ON line.id = advance.line_id
    JOIN sales_credit_advanceposition AS held ON held.advance_id = classed.advance_id
      AND held.settled AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
    WHERE line.legal_entity_id = %(legal_entity_id)s AND {CLASS_ON}
      AND (classed.asset_class <> 'normal' OR classed.stage > 1)
"""


def conspicuous_advances(arguments: Mapping[str, Any]) -> list[int]:
    """The advances against which something speaks, by what they are themselves."""
    return ids(_CONSPICUOUS, arguments)


def debtors_of_bad_advances(arguments: Mapping[str, Any], advances: Sequence[int]) -> list[int]:
    """The merchants of those of ``advances`` that may be non-performing."""
    return ids(_BAD_DEBTORS, {**arguments, "advances": plain(advances)})


def advances_standing(
    arguments: Mapping[str, Any], advances: Sequence[int], columns: Mapping[str, Any]
) -> pl.DataFrame:
    """A row for each of ``advances`` and of all others of the debtors that may be bad."""
    arguments = {**arguments, "advances": plain(advances)}
    return frame_of(
        _STANDING, {**arguments, "candidates": plain(ids(_CANDIDATES, arguments))}, columns
    )


def advances_settled_since(legal_entity_id: int, day: date) -> list[int]:
    """Advances whose class is still in force, and that owe nothing on ``day``."""
    return ids(_GONE, arguments_of(legal_entity_id, day))
