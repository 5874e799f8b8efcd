"""The fees that a programme charges by itself: how their events are told from other fees.

A fee charged by a person has a reference that begins with ``fee:`` (``charge_fee``).
"""

from collections.abc import Iterable

from django.db import connection

from tallystick.book.columns import plain

ARRANGEMENT_FEE = "programme fee:arrangement"
"""Reference of the event by which arranging a loan is charged."""

LATE_FEE = "programme fee:late "
"""How the reference of a late fee begins; the due date that was missed follows."""

NOT_LATE = "programme fee:not late "
"""How the reference begins by which the close takes a late fee back; the due date follows."""


def fee_names(loan_ids: Iterable[int]) -> dict[int, str]:
    """What the programme charged on these loans, by event: ``arrangement_fee`` or ``late_fee``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, CASE WHEN reference = %(arrangement)s THEN 'arrangement_fee'"
            " ELSE 'late_fee' END FROM servicing_loanevent"
            " WHERE loan_id = ANY(%(loan_ids)s::bigint[]) AND kind = 'fee_charged'"
            " AND (reference = %(arrangement)s OR starts_with(reference, %(late)s))",
            {"arrangement": ARRANGEMENT_FEE, "late": LATE_FEE, "loan_ids": plain(loan_ids)},
        )
        return dict(cursor.fetchall())
