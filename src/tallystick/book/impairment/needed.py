"""What the live loans need in allowances and suspense at the end of a day, by book or one by one.

Every loan's allowance is its exposure times its rate of loss, rounded once. Loans that agree in
stage, days to their due date, rate and day count share one rate of loss, which
``rules.expected_loss`` works out; the database multiplies and sums.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import narwhals as nw
import polars as pl
from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.impairment.debts import CLASS_ON
from tallystick.book.impairment.instalments import KIND, dues_to_come, plans_changed_since
from tallystick.book.impairment.packs import pack_on
from tallystick.book.servicing.accrual import (
    FEES_OWED,
    INTEREST_MET,
    INTEREST_OWED,
    PENALTY_IF_ANY,
    PENALTY_MET,
)
from tallystick.book.servicing.shares import loans_sold
from tallystick.rules.expected_loss import (
    LossTerms,
    loss_rates_ppb,
    matrix_rate_ppb,
    principal_lost,
)
from tallystick.rules.loan_events import RATE_UNITS
from tallystick.rules.loan_shares import WHOLE_PPM, shares_after

# A loan counts in the book of its class, to which it is moved in the day that is open.
_LIVE = f"""
    SELECT held.*, coalesce(place.class_book_id, held.book_id) AS class_book_id,
           coalesce(classed.stage, 1) AS stage,
           CASE WHEN %(is_matrix)s THEN 0 ELSE coalesce(classed.stage, 1) END AS kind_stage,
           CASE WHEN %(is_matrix)s
                THEN (%(bands)s::integer[])[width_bucket(
                    greatest(0, %(day)s::date - held.due_date), %(bands)s::integer[])]
                ELSE %(day)s::date - held.due_date END AS days_late,
           CASE WHEN %(is_matrix)s THEN 0 ELSE held.annual_rate_ppb END AS kind_rate_ppb,
           CASE WHEN %(is_matrix)s THEN 0 ELSE held.denominator / {RATE_UNITS} END AS days_a_year,
           classed.suspended_from_date IS NOT NULL AS is_suspended,
           classed.interest_recognised_minor, classed.penalty_recognised_minor
    FROM servicing_position AS held
    LEFT JOIN impairment_loanclass AS classed ON classed.loan_id = held.loan_id AND {CLASS_ON}
    LEFT JOIN place ON place.book_id = held.book_id
      AND place.asset_class = coalesce(classed.asset_class, 'normal')
    WHERE held.book_id = ANY (ARRAY(
              SELECT id FROM ledger_book WHERE legal_entity_id = %(legal_entity_id)s))
      AND NOT held.settled AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
      AND (%(loan_id)s::bigint IS NULL OR held.loan_id = %(loan_id)s)
"""

PLACE = """
    place AS MATERIALIZED (
        SELECT book.id AS book_id, other.asset_class, other.id AS class_book_id
        FROM ledger_book AS book JOIN ledger_book AS other
          ON other.legal_entity_id = book.legal_entity_id AND other.programme = book.programme
         AND other.funder_id = book.funder_id AND other.currency = book.currency
        WHERE book.legal_entity_id = %(legal_entity_id)s
    )
"""
"""The book of each class beside a book, for those that differ in class alone."""

_Kind = tuple[int, int, int, int]
"""In the order of ``KIND``."""

_KINDS_OF_LOSS = f"WITH {PLACE} SELECT DISTINCT {', '.join(KIND)} FROM ({_LIVE}) AS live"

ALLOWANCE = """
    exposure / 1000000000 * loss_ppb
        + (2 * (exposure %% 1000000000) * loss_ppb + 1000000000) / 2000000000"""
"""Restates ``rules.expected_loss.allowance_minor`` in 64 bits: whole thousand millions apart from
the rest, whose product fits."""

WHOLE_EXPOSURE = """(principal_minor + fees_minor + interest_minor - interest_suspended
                      + penalty_minor - penalty_suspended)"""

OWN = """CASE WHEN own_ppm IS NULL THEN {0}
                    ELSE round({0}::numeric * own_ppm / 1000000)::bigint END"""
"""The lender's own share of an amount of a loan, rounded half-up; all of it where none is sold."""

IN_INSTALMENTS = "(principal_loss + (exposure - principal_minor) * loss_ppb::numeric)"
"""The allowance of a loan in instalments before it is divided and rounded: to what its principal is
expected to lose comes all else that is owed, which falls due with its oldest due date that is not
paid, or else the next."""

_PROVIDED = f"""
    WITH {PLACE},
    live AS ({_LIVE}),
    rate AS (
        SELECT * FROM unnest(
            %(stage)s::integer[], %(days_late)s::integer[], %(rate_ppb)s::bigint[],
            %(days_a_year)s::bigint[], %(loss_ppb)s::bigint[]
        ) AS rate (kind_stage, days_late, kind_rate_ppb, days_a_year, loss_ppb)
    ),
    in_parts AS (
        SELECT loan_id, lost_minor * 1000000000::numeric + lost_ppb AS principal_loss
        FROM unnest(%(in_parts)s::bigint[], %(lost_minor)s::bigint[], %(lost_ppb)s::bigint[])
            AS part (loan_id, lost_minor, lost_ppb)
    ),
    owing AS (
        SELECT held.loan_id, held.class_book_id, held.stage, held.principal_minor,
               {FEES_OWED} AS fees_minor,
               {INTEREST_OWED} AS interest_minor,
               {PENALTY_IF_ANY} AS penalty_minor,
               held.is_suspended,
               {INTEREST_MET} - held.interest_recognised_minor AS interest_above,
               {PENALTY_MET} - held.penalty_recognised_minor AS penalty_above,
               rate.loss_ppb, in_parts.principal_loss
        -- Every kind has its rate: the outer join tells the planner that no loan is lost.
        FROM live AS held LEFT JOIN rate USING (kind_stage, days_late, kind_rate_ppb, days_a_year)
        LEFT JOIN in_parts ON in_parts.loan_id = held.loan_id
        -- OFFSET: what is owed is worked out once, however often it is named below.
        OFFSET 0
    ),
    suspending AS (
        SELECT *,
               CASE WHEN is_suspended
                    THEN greatest(0, least(interest_minor, interest_minor + interest_above))
                    ELSE 0 END AS interest_suspended,
               CASE WHEN is_suspended
                    THEN greatest(0, least(penalty_minor, penalty_minor + penalty_above))
                    ELSE 0 END AS penalty_suspended
        FROM owing
    ),
    -- Of a loan of which shares were sold only the rest is provided for.
    own AS (
        SELECT * FROM unnest(%(sold_loans)s::bigint[], %(own_ppm)s::bigint[])
            AS own (loan_id, own_ppm)
    ),
    exposed AS (
        SELECT class_book_id, stage, loss_ppb,
               principal_loss * coalesce(own_ppm, 1000000) / 1000000 AS principal_loss,
               {OWN.format("principal_minor")} AS principal_minor,
               {OWN.format("interest_suspended")} AS interest_suspended,
               {OWN.format("penalty_suspended")} AS penalty_suspended,
               {OWN.format(WHOLE_EXPOSURE)} AS exposure
        FROM suspending LEFT JOIN own USING (loan_id)
    ),
    provided AS (
        SELECT *, CASE WHEN principal_loss IS NULL THEN {ALLOWANCE}
                       ELSE div(2 * {IN_INSTALMENTS} + 1000000000, 2000000000)::bigint
                  END AS allowance
        FROM exposed
    )
"""

_BY_BOOK = (
    _PROVIDED
    + """
    SELECT class_book_id, stage, count(*), sum(principal_minor), sum(exposure),
           sum(interest_suspended), sum(penalty_suspended), sum(allowance)
    FROM provided GROUP BY 1, 2 ORDER BY 1, 2
"""
)

_BY_LOAN = (
    _PROVIDED
    + f"""
    SELECT stage, exposure, interest_suspended + penalty_suspended,
           CASE WHEN principal_loss IS NULL OR exposure = 0 THEN loss_ppb
                ELSE div(2 * {IN_INSTALMENTS} + exposure, 2 * exposure) END, allowance
    FROM provided
"""
)


class Provided(NamedTuple):
    """What the debts of a book in a stage need; amounts are minor units.

    ``loans`` counts advances out of sales too; of those is ``advance_fee_suspended_minor``.
    """

    book_id: int
    stage: int
    loans: int
    principal_minor: int
    exposure_minor: int
    interest_suspended_minor: int
    penalty_suspended_minor: int
    allowance_minor: int
    advance_fee_suspended_minor: int = 0


class DebtProvided(NamedTuple):
    """What one loan or advance needs; ``loss_ppb`` parts per billion of its exposure."""

    stage: int
    exposure_minor: int
    suspended_minor: int
    loss_ppb: int
    allowance_minor: int

    @property
    def loss_percent(self) -> str:
        """The rate of loss in per cent, with all of its digits."""
        whole, rest = divmod(self.loss_ppb, 10_000_000)
        return f"{whole}.{rest:07d}".rstrip("0").rstrip(".")


def loans_provided_on(legal_entity_id: int, day: date) -> list[Provided]:
    """What each book needs by stage for the loans as known at the end of ``day``.

    Empty where no pack is in force on that day.
    """
    return [
        Provided(*(int(figure) for figure in row)) for row in _rows(_BY_BOOK, legal_entity_id, day)
    ]


def loan_provided_on(legal_entity_id: int, loan_id: int, day: date) -> DebtProvided | None:
    """What one loan needs; None where it is not live then, or nothing is provided by a pack."""
    rows = _rows(_BY_LOAN, legal_entity_id, day, loan_id=loan_id)
    return DebtProvided(*(int(figure) for figure in rows[0])) if rows else None


def _rows(
    query: str, legal_entity_id: int, day: date, loan_id: int | None = None
) -> list[tuple[Any, ...]]:
    held_to = pack_on(legal_entity_id, day)
    if held_to is None:
        return []
    own_ppm = {
        sold: WHOLE_PPM - sum(shares_after(transfers).values())
        for sold, transfers in loans_sold(legal_entity_id, known_on=day).items()
    }
    terms = held_to.pack.loss
    arguments = {
        "legal_entity_id": legal_entity_id,
        "day": day,
        "until": day + timedelta(days=1),
        "is_matrix": bool(terms.matrix),
        "bands": [each.over_days + 1 for each in terms.matrix],
        "loan_id": loan_id,
        "sold_loans": plain(own_ppm),
        "own_ppm": plain(own_ppm.values()),
    }
    losses = _matrix_losses(terms) if terms.matrix else _staged_losses(terms, arguments)
    with connection.cursor() as cursor:
        cursor.execute(query, arguments | losses)
        return cursor.fetchall()


def _matrix_losses(terms: LossTerms) -> dict[str, str]:
    """The rates of a matrix, as columns of the statement: they are all there can be."""
    first_days = [each.over_days + 1 for each in terms.matrix]
    rates = {(0, days, 0, 0): matrix_rate_ppb(terms, days_past_due=days) for days in first_days}
    return _rate_columns(rates) | _lost_columns(pl.DataFrame(schema=_LOST))


def _staged_losses(terms: LossTerms, arguments: Mapping[str, Any]) -> dict[str, str]:
    """The rates of every kind of loan there is, and what those in instalments lose of principal."""
    changed = plans_changed_since(
        arguments["legal_entity_id"], arguments["day"], arguments["loan_id"]
    )
    dues = dues_to_come(PLACE, _LIVE, arguments, changed)
    with connection.cursor() as cursor:
        cursor.execute(_KINDS_OF_LOSS, arguments)
        kinds = cursor.fetchall()
    of_dues = dues.kinds.select(KIND).rows()
    rates = _loss_rates({*kinds, *of_dues}, terms)
    by_kind = dues.kinds.select(
        "alike", "days_late", loss_ppb=pl.Series([rates[kind] for kind in of_dues], dtype=pl.Int64)
    )
    lost = principal_lost(
        nw.from_native(dues.rows.join(by_kind, on=("alike", "days_late")))
    ).to_native()
    return _rate_columns({kind: rates[kind] for kind in kinds}) | _lost_columns(lost)


def _loss_rates(kinds: Iterable[_Kind], terms: LossTerms) -> dict[_Kind, int]:
    """The rate of loss of each kind of loan, in parts per billion."""
    days_of: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for stage, days_late, annual_rate_ppb, days_a_year in kinds:
        days_of[stage, annual_rate_ppb, days_a_year].append(days_late)
    rates_ppb = {}
    for (stage, annual_rate_ppb, days_a_year), some_days in days_of.items():
        found_ppb = loss_rates_ppb(
            terms,
            [-days_late for days_late in some_days],
            stage=stage,
            annual_rate_ppb=annual_rate_ppb,
            days_a_year=days_a_year,
        )
        for days_late in some_days:
            kind = (stage, days_late, annual_rate_ppb, days_a_year)
            rates_ppb[kind] = found_ppb[-days_late]
    return rates_ppb


def _rate_columns(rates_ppb: Mapping[_Kind, int]) -> dict[str, str]:
    stages, days_late, annual_rates_ppb, days_a_year = (
        plain([kind[place] for kind in rates_ppb]) for place in range(len(KIND))
    )
    return {
        "stage": stages,
        "days_late": days_late,
        "rate_ppb": annual_rates_ppb,
        "days_a_year": days_a_year,
        "loss_ppb": plain(rates_ppb.values()),
    }


_LOST = {"loan_id": pl.Int64, "lost_minor": pl.Int64, "lost_ppb": pl.Int64}


def _lost_columns(lost: pl.DataFrame) -> dict[str, str]:
    return {
        "in_parts": plain(lost["loan_id"].to_list()),
        "lost_minor": plain(lost["lost_minor"].to_list()),
        "lost_ppb": plain(lost["lost_ppb"].to_list()),
    }
