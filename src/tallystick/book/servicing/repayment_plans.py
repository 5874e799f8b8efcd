"""The repayment plans of loans with several due dates, as their events have left them."""

from collections.abc import Sequence

from django.db import connection

from tallystick.book.columns import plain
from tallystick.rules.loan_position import Position, due_date_of
from tallystick.rules.loan_turns import agreed_due_date, due_date_to_meet

_PLANS_STORED = """
    INSERT INTO servicing_repaymentplan
        (loan_id, due_dates, planned_minor, interest_at_due_minor, level_minor, evened_minor,
         agreed_dates)
    SELECT loan_id, due_dates::date[], planned_minor::bigint[], interest_at_due_minor::bigint[],
           level_minor, evened_minor, agreed_dates::date[]
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
                %s::text[])
        AS now (loan_id, due_dates, planned_minor, interest_at_due_minor, level_minor,
                evened_minor, agreed_dates)
    ON CONFLICT (loan_id) DO UPDATE SET
        due_dates = excluded.due_dates, planned_minor = excluded.planned_minor,
        interest_at_due_minor = excluded.interest_at_due_minor,
        level_minor = excluded.level_minor, evened_minor = excluded.evened_minor,
        agreed_dates = excluded.agreed_dates
"""


_DUE_DATES_SHOWN = """
    UPDATE financing_loan AS loan
    SET due_date = now.due_date, maturity_date = now.maturity_date,
        agreed_due_date = now.agreed_due_date
    FROM unnest(%s::bigint[], %s::date[], %s::date[], %s::date[])
        AS now (id, due_date, maturity_date, agreed_due_date)
    WHERE loan.id = now.id
      AND (loan.due_date, loan.maturity_date, loan.agreed_due_date)
          IS DISTINCT FROM (now.due_date, now.maturity_date, now.agreed_due_date)
"""


def store_plans(plans: Sequence[tuple[int, Position]]) -> None:
    """Keep what is due when, of loans with several due dates, and show it on the loans."""
    if not plans:
        return
    loan_ids = plain([loan_id for loan_id, _ in plans])
    with connection.cursor() as cursor:
        cursor.execute(
            _PLANS_STORED,
            [
                loan_ids,
                [plain([due.due_date for due in each.dues]) for _, each in plans],
                [plain([due.planned_minor for due in each.dues]) for _, each in plans],
                [plain(each.interest_at_due_minor) for _, each in plans],
                plain([each.level_minor for _, each in plans]),
                plain([each.evened_minor for _, each in plans]),
                [_put_off(each) for _, each in plans],
            ],
        )
        cursor.execute(
            _DUE_DATES_SHOWN,
            [
                loan_ids,
                plain([due_date_to_meet(each) for _, each in plans]),
                plain([each.dues[-1].due_date for _, each in plans]),
                plain([agreed_due_date(each) for _, each in plans]),
            ],
        )


def _put_off(position: Position) -> str | None:
    """When what falls due was to be paid as agreed at first; None where nothing was put off."""
    if position.agreed_dates == tuple(map(due_date_of, position.dues)):
        return None
    return plain(position.agreed_dates)
