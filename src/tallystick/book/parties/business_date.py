"""The open business day of a legal entity: a stored fact that only the close moves."""

from datetime import date, timedelta

from django.db import connection

from tallystick.rules.refusal import Refusal

BUSINESS_DATE_LOCK = 7101
"""First key of the advisory locks that guard business dates; the second is the entity's id."""


class DayNotOpen(Refusal):
    """The request is dated on a day that is not the open business day."""

    def __init__(self, *, asked_date: date, business_date: date) -> None:
        self.asked_date = asked_date
        self.business_date = business_date
        super().__init__(
            f"The request is dated {asked_date}, but the open business day is {business_date}. "
            f"Send it again dated {business_date}."
        )


def open_day(legal_entity_id: int) -> date:
    """The open business day, held open until the caller's transaction ends.

    Every act that books takes it first: the shared lock keeps the close from moving the date
    while the act is in flight, so nothing is ever booked in a day that has begun to close.
    """
    with connection.cursor() as cursor:
        # Two statements: one alone would read the date with a snapshot older than the lock.
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(%s, %s)", [BUSINESS_DATE_LOCK, legal_entity_id]
        )
        cursor.execute(
            "SELECT business_date FROM parties_legalentity WHERE id = %s", [legal_entity_id]
        )
        (business_date,) = cursor.fetchone()
    return business_date


def roll(legal_entity_id: int, *, closing_date: date) -> date:
    """Move the business date on from ``closing_date``; returns the day now open.

    Waits for the acts in flight. Rolling again after it has rolled changes nothing.
    """
    next_date = closing_date + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [BUSINESS_DATE_LOCK, legal_entity_id]
        )
        cursor.execute(
            "UPDATE parties_legalentity SET business_date = %s WHERE id = %s"
            " AND business_date = %s",
            [next_date, legal_entity_id, closing_date],
        )
        cursor.execute(
            "SELECT business_date FROM parties_legalentity WHERE id = %s", [legal_entity_id]
        )
        (business_date,) = cursor.fetchone()
    if business_date < next_date:
        raise DayNotOpen(asked_date=closing_date, business_date=business_date)
    return business_date
