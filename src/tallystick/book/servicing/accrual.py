"""Running interest and penalty of the whole live book, in one statement.

The statement restates ``rules.loan_position.running_interest`` and ``running_penalty`` for a loan
between two of its turns (``rules.loan_turns``), with a day count of calendar days; a property test
holds the two equal to the minor unit. Numerators are never below zero, so that
``div(2N + d, 2d)`` rounds half-up.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection

from tallystick.book.ledger.post import post_many
from tallystick.book.ledger.queries import balances
from tallystick.rules.accounting import Booking
from tallystick.rules.accounting import accrued as accrued_entry


class Receivable(NamedTuple):
    """What the loans of one book owe in interest and in penalty: accrued, not yet received."""

    interest_minor: int
    penalty_minor: int


INTEREST_MET = """(held.interest_received_minor
    + coalesce(held.interest_waived_minor, 0) + coalesce(held.interest_charged_off_minor, 0))"""
"""Interest of a row of the position table that is owed no more: received, waived, charged off."""

PENALTY_MET = """(held.penalty_received_minor
    + coalesce(held.penalty_waived_minor, 0) + coalesce(held.penalty_charged_off_minor, 0))"""
"""Likewise penalty."""

FEES_OWED = """(held.fees_charged_minor - held.fees_received_minor
    - coalesce(held.fees_waived_minor, 0) - coalesce(held.fees_charged_off_minor, 0))"""

INTEREST_OWED = f"""
    div(2 * (held.interest_numerator
             + held.principal_minor::numeric
               * (held.annual_rate_ppb
                  * greatest(0, %(until)s::date
                                - greatest(held.accrued_to_date, held.interest_from_date))))
        + held.denominator, 2 * held.denominator)::bigint
    - {INTEREST_MET}"""
"""Interest of a row of the position table up to the day ``until`` (excluded) that is still owed."""

PENALTY_OWED = f"""
    div(2 * (held.penalty_numerator + CASE WHEN held.penalty_growth IS NULL
                 THEN held.principal_minor::numeric * held.penalty_rate_ppb
                      * greatest(0, %(until)s::date - greatest(held.accrued_to_date, held.due_date))
                 ELSE held.penalty_growth * (%(until)s::date - held.accrued_to_date) END)
        + held.denominator, 2 * held.denominator::numeric)
    - {PENALTY_MET}"""
"""Likewise penalty: on principal past due from its due date (included), or as it grows until the
loan's next turn."""

PENALTY_IF_ANY = f"""
    CASE WHEN held.due_date >= %(until)s AND held.penalty_numerator = 0 THEN 0
         ELSE ({PENALTY_OWED})::bigint END"""
"""``PENALTY_OWED`` where the whole live book is read: of most loans it is nothing, and need not be
worked out to the last digit."""

_OWED_BY_BOOK = f"""
    SELECT book.id, coalesce(sum({INTEREST_OWED}), 0), coalesce(sum({PENALTY_IF_ANY}), 0)
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


class Accrued(NamedTuple):
    """What a night's accrual booked, in one currency, summed over its books."""

    currency: str
    interest_minor: int
    penalty_minor: int


def accrue(legal_entity_id: int, *, day: date, act_id: int) -> list[Accrued]:
    """Book the night of ``day``: what each book's loans have come to, less what the ledger holds.

    So the ledger's receivables equal the loans' rounded running totals by identity, and whatever
    was learned late (a back-dated receipt, a new rate) is picked up by itself.
    """
    receivables = _receivables(legal_entity_id, day)
    accrued: dict[str, list[int]] = {}
    entries = []
    for book_id, owed in owed_by_book(legal_entity_id, day=day).items():
        held = receivables[book_id]
        booking = Booking(
            legal_entity_id=legal_entity_id,
            currency=held.currency,
            reference=f"night:{day}",
            value_date=day,
            booking_date=day,
        )
        changes_minor = {
            "interest": owed.interest_minor - held.interest_minor,
            "penalty": owed.penalty_minor - held.penalty_minor,
        }
        totals = accrued.setdefault(held.currency, [0, 0])
        for place, (kind, change_minor) in enumerate(changes_minor.items()):
            totals[place] += change_minor
            if change_minor:
                entries.append(
                    accrued_entry(booking, kind=kind, book=book_id, change_minor=change_minor)
                )
    post_many(entries, act_id=act_id)
    return [Accrued(currency, *totals) for currency, totals in sorted(accrued.items())]


class _Held(NamedTuple):
    """What the ledger holds for a book."""

    currency: str
    interest_minor: int
    penalty_minor: int


def _receivables(legal_entity_id: int, day: date) -> dict[int, _Held]:
    """The ledger's interest and penalty receivable of each book, as known on ``day``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT book.id, book.currency, interest.id, penalty.id FROM ledger_book AS book"
            " LEFT JOIN ledger_account AS interest"
            "   ON interest.book_id = book.id AND interest.name = 'interest_receivable'"
            " LEFT JOIN ledger_account AS penalty"
            "   ON penalty.book_id = book.id AND penalty.name = 'penalty_receivable'"
            " WHERE book.legal_entity_id = %s",
            [legal_entity_id],
        )
        books = cursor.fetchall()
    account_ids = [account_id for *_, i, p in books for account_id in (i, p) if account_id]
    found = balances(account_ids, on=day, known_on=day)
    return {
        book_id: _Held(
            currency,
            found[interest].net_minor if interest else 0,
            found[penalty].net_minor if penalty else 0,
        )
        for book_id, currency, interest, penalty in books
    }
