"""What loans with several due dates still owe by each of them, as parts of the night's provisions.

A loan repaid in instalments is expected to lose what a bundle of loans with one due date each
would (``rules.expected_loss.instalments_allowance_minor``). Its parts are found from its plan and
the principal repaid so far; loans with one due date have no plan, and cost nothing here.
"""

from datetime import date
from typing import Any

from django.db import connection

from tallystick.book.columns import plain
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

PLAN = """
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


def parts_of(live: str) -> str:
    """A query for what the loans of the query ``live`` with a plan have to repay by each due date.

    Restates ``rules.expected_loss.principal_to_come_minor``.
    """
    still_to_pay = "least(principal_minor, greatest(0, planned_minor[{}] - repaid_minor))"
    return f"""
    SELECT * FROM (
        SELECT loan_id, kind_stage, %(day)s::date - due_date_of_part AS days_late, kind_rate_ppb,
               days_a_year,
               CASE WHEN place = cardinality(planned_minor) THEN principal_minor
                    ELSE {still_to_pay.format("place")} END
               - CASE WHEN place = 1 THEN 0 ELSE {still_to_pay.format("place - 1")} END
                   AS amount_minor
        FROM (
            SELECT live.loan_id, kind_stage, kind_rate_ppb, live.days_a_year, principal_minor,
                   disbursed_minor - principal_minor - coalesce(principal_charged_off_minor, 0)
                       AS repaid_minor,
                   plan.due_dates, plan.planned_minor
            FROM plan JOIN ({live}) AS live USING (loan_id)
            WHERE NOT %(is_matrix)s
        ) AS planned
        CROSS JOIN LATERAL unnest(due_dates) WITH ORDINALITY AS due (due_date_of_part, place)
    ) AS part
    WHERE amount_minor > 0
    -- OFFSET: first the parts and then their rates, which else would be joined loan by rate.
    OFFSET 0
    """


def plans_changed_since(
    legal_entity_id: int, day: date, loan_id: int | None = None
) -> dict[str, Any]:
    """The plans, as they were at the end of ``day``, that events booked later have met.

    As arguments of a statement with ``PLAN``. ``loan_id``: of that loan alone.
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
