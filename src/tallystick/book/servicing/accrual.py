"""Running interest and penalty of the whole live book, in one statement.

The statement restates ``rules.loan_position.running_interest`` and ``running_penalty`` for a loan
with one due date and a day count of calendar days; a property test holds the two equal to the
minor unit. Numerators are never below zero, so that ``div(2N + d, 2d)`` rounds half-up.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection


class Receivable(NamedTuple):
    """What the loans of one book owe in interest and in penalty: accrued, not yet received."""

    interest_minor: int
    penalty_minor: int


INTEREST_OWED = """
    div(2 * (held.interest_numerator
             + held.principal_minor::numeric * held.annual_rate_ppb
               * (%(until)s::date - held.accrued_to_date))
        + held.denominator, 2 * held.denominator::numeric)
    - held.interest_received_minor"""
"""Interest of a row of the position table up to the day ``until`` (excluded), not yet received."""

PENALTY_OWED = """
    div(2 * (held.penalty_numerator
             + held.principal_minor::numeric * held.penalty_rate_ppb
               * greatest(0, %(until)s::date - greatest(held.accrued_to_date, held.due_date)))
        + held.denominator, 2 * held.denominator::numeric)
    - held.penalty_received_minor"""
"""Likewise penalty, which runs on principal past due from its due date (included)."""

_OWED_BY_BOOK = f"""
    SELECT book.id, coalesce(sum({INTEREST_OWED}), 0), coalesce(sum({PENALTY_OWED}), 0)
    FROM ledger_book book
    LEFT JOIN servicing_position held
      ON held.book_id = book.id AND NOT held.settled
         AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
    WHERE book.legal_entity_id = %(legal_entity_id)s
    GROUP BY book.id
"""


def owed_by_book(legal_entity_id: int, *, day: date) -> Mapping[int, Receivable]:
    """Interest and penalty that each book's loans owe after the night of ``day``.

    As known at the end of ``day``: what has been booked since does not count. A settled loan owes
    nothing. Every book of the legal entity is there, also with nothing owed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _OWED_BY_BOOK,
            {
                "legal_entity_id": legal_entity_id,
                "day": day,
                "until": day + timedelta(days=1),
            },
        )
        return {
            book_id: Receivable(int(interest_minor), int(penalty_minor))
            for book_id, interest_minor, penalty_minor in cursor.fetchall()
        }
