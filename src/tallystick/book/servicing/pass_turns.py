"""Loans whose turn has come: a due date, or a penalty that steps up, with nothing happening.

Accrual reads the whole book as straight lines between turns (``rules.loan_turns``), so a loan gets
a new position on each. What this costs is in proportion to the loans that turn on a day.
"""

from collections.abc import Sequence
from datetime import date

from django.db import connection, transaction

from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.book.servicing.positions import positions_of
from tallystick.book.servicing.store_positions import store

LOANS_AT_A_TIME = 500
"""So few are locked together that nobody who pays or draws meanwhile waits for all of them."""

_TURNING = """
    SELECT held.loan_id, loan.facility_id
    FROM servicing_position AS held
    JOIN ledger_book AS book ON book.id = held.book_id
    JOIN financing_loan AS loan ON loan.id = held.loan_id
    WHERE held.turn_date <= %s AND held.superseded_date = %s AND NOT held.settled
      AND book.legal_entity_id = %s
    ORDER BY loan.facility_id, held.loan_id
"""


def pass_turns(legal_entity_id: int, *, on: date) -> None:
    """Let every position stand on ``on``, the open business day, a batch of loans at a time.

    In transactions of their own, and those that have been passed are left alone: cut off, it goes
    on where it was.
    """
    turning = _turning(legal_entity_id, on)
    for first in range(0, len(turning), LOANS_AT_A_TIME):
        _pass(legal_entity_id, turning[first : first + LOANS_AT_A_TIME], on)


@transaction.atomic
def _pass(legal_entity_id: int, turning: Sequence[tuple[int, int]], on: date) -> None:
    lock_facilities(legal_entity_id, facility_ids={facility for _, facility in turning})
    # Read under lock: an event may have moved some of them past the day meanwhile.
    store(list(positions_of([loan_id for loan_id, _ in turning]).values()), booking_date=on)


def _turning(legal_entity_id: int, on: date) -> list[tuple[int, int]]:
    """Each loan whose turn has come, with its facility."""
    with connection.cursor() as cursor:
        cursor.execute(_TURNING, [on, STILL_IN_FORCE, legal_entity_id])
        return cursor.fetchall()
