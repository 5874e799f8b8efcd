"""What loans with several due dates still owe by each of them, as parts of the night's provisions.

A loan repaid in instalments is expected to lose what a bundle of loans with one due date each
would (``rules.expected_loss.principal_lost``). Its parts are found from its plan and the principal
repaid so far; loans with one due date have no plan, and cost nothing here.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import polars as pl
from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.frames import frame_of
from tallystick.book.servicing.history import folded, loan_events
from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.book.servicing.positions import positions_of

# A plan is kept as it is now. Where an event of a later day has met the loan, it is folded anew to
# what it was: few loans, since only the open day lies behind the day that closes.
_CHANGED_SINCE = """
    SELECT plan.loan_id FROM servicing_repaymentplan AS plan
    JOIN servicing_position AS held
      ON held.loan_id = plan.loan_id AND held.superseded_date = %(still)s
     AND held.booking_date > %(day)s
    JOIN ledger_book AS book
      ON book.id = held.book_id AND book.legal_entity_id = %(legal_entity_id)s
    WHERE EXISTS (SELECT FROM servicing_loanevent AS event
                  WHERE event.loan_id = plan.loan_id AND event.booking_date > %(day)s)
      AND (%(loan_id)s::bigint IS NULL OR plan.loan_id = %(loan_id)s)
"""

_PLAN = """
    plan AS (
        SELECT loan_id, due_dates, planned_minor FROM servicing_repaymentplan
        WHERE loan_id <> ALL(%(changed)s::bigint[])
        UNION ALL
        SELECT loan_id, due_dates::date[], planned_minor::bigint[]
        FROM unnest(%(changed)s::bigint[], %(changed_due_dates)s::text[],
                    %(changed_planned_minor)s::text[])
            AS was (loan_id, due_dates, planned_minor)
    )
"""

# A plan is read as texts: ten million due dates would be as many rows. Its last due date takes the
# remainder, whatever was planned.
_LOANS = """
    WITH {place}, {plan}
    SELECT live.loan_id, kind_stage, kind_rate_ppb, days_a_year, principal_minor,
           disbursed_minor - principal_minor - coalesce(principal_charged_off_minor, 0),
           array_to_string(plan.due_dates, ','),
           concat_ws(',', 0, nullif(array_to_string(
               plan.planned_minor[:cardinality(plan.planned_minor) - 1], ','), ''))
    FROM plan JOIN ({live}) AS live USING (loan_id)
"""

_COLUMNS = {
    "loan_id": pl.Int64,
    "kind_stage": pl.Int64,
    "kind_rate_ppb": pl.Int64,
    "days_a_year": pl.Int64,
    "principal_minor": pl.Int64,
    "repaid_minor": pl.Int64,
    "due_dates": pl.String,
    "planned_before_minor": pl.String,
}


KIND = ("kind_stage", "days_late", "kind_rate_ppb", "days_a_year")
"""What loans, and due dates of instalments, agree in that share a rate of loss; days to a due date
count below zero."""


class DuesToCome(NamedTuple):
    """Due dates of loans in instalments, with kinds of loss.

    ``rows`` as ``rules.expected_loss.principal_lost`` takes them, but with ``alike`` and
    ``days_late`` in place of the rate of loss; ``kinds`` has the ``KIND`` of each such pair.
    """

    rows: pl.DataFrame
    kinds: pl.DataFrame


def dues_to_come(
    place: str, live: str, arguments: Mapping[str, Any], changed: Mapping[str, Any]
) -> DuesToCome:
    """The due dates of the loans of the query ``live`` with a plan, as they stood on the ``day``.

    ``place``: what ``live`` reads besides tables. ``changed``: from ``plans_changed_since``.
    """
    loans = frame_of(
        _LOANS.format(place=place, plan=_PLAN, live=live), {**arguments, **changed}, _COLUMNS
    )
    # Only their number comes along to the due dates, of which there are many times as many.
    kind_of_loan = ("kind_stage", "kind_rate_ppb", "days_a_year")
    alike = loans.select(kind_of_loan).unique().with_row_index("alike")
    rows = (
        loans.join(alike, on=kind_of_loan)
        .select(
            "loan_id",
            "alike",
            "principal_minor",
            "repaid_minor",
            pl.col("due_dates").str.split(",").alias("due_date"),
            pl.col("planned_before_minor").str.split(",").cast(pl.List(pl.Int64)),
        )
        .explode("due_date", "planned_before_minor")
        .with_columns(
            planned_minor=pl.when(pl.col("loan_id") == pl.col("loan_id").shift(-1)).then(
                pl.col("planned_before_minor").shift(-1)
            ),
            days_late=(
                pl.lit(arguments["day"]) - pl.col("due_date").str.to_date("%Y-%m-%d")
            ).dt.total_days(),
        )
        .drop("due_date")
    )
    return DuesToCome(rows, rows.select("alike", "days_late").unique().join(alike, on="alike"))


def plans_changed_since(
    legal_entity_id: int, day: date, loan_id: int | None = None
) -> dict[str, Any]:
    """The plans, as they were at the end of ``day``, that events booked later have met.

    As arguments of a statement. ``loan_id``: of that loan alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGED_SINCE,
            {
                "still": STILL_IN_FORCE,
                "day": day,
                "legal_entity_id": legal_entity_id,
                "loan_id": loan_id,
            },
        )
        changed = [loan_id for (loan_id,) in cursor.fetchall()]
    events = loan_events(changed)
    then = {
        loan_id: folded(loan, events[loan_id], day).position
        for loan_id, loan in positions_of(changed).items()
    }
    dues = {loan_id: position.dues for loan_id, position in then.items() if position is not None}
    return {
        "changed": plain(dues),
        "changed_due_dates": [plain([due.due_date for due in of]) for of in dues.values()],
        "changed_planned_minor": [plain([due.planned_minor for due in of]) for of in dues.values()],
    }
