"""Advances move to the books of their classes, as a night's classes ask for.

As ``servicing.rebook`` does for loans: one entry for all that leave one book for another, and one
statement each for the positions and the advances.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.ledger.post import post_many
from tallystick.book.sales_credit.models import STILL_IN_FORCE
from tallystick.book.sales_credit.night import FEE_DEFERRED, FEE_OWED
from tallystick.book.sales_credit.positions import Position
from tallystick.book.servicing.rebook import books_of_classes
from tallystick.rules.accounting import Booking
from tallystick.rules.rule_pack import AssetClass
from tallystick.rules.sales_accounting import advance_book_changed

_MOVING = """
    FROM unnest(%(advance_ids)s::bigint[], %(classes)s::text[]) AS wanted (advance_id, asset_class)
    JOIN sales_credit_advanceposition AS held
      ON held.advance_id = wanted.advance_id AND held.superseded_date = %(still)s
     AND NOT held.settled
    JOIN ledger_book AS book ON book.id = held.book_id AND book.asset_class <> wanted.asset_class
"""

# Locked in order of id, as the house's order asks; the advances are read after.
_LOCK = """
    SELECT FROM sales_credit_salesline WHERE id IN (
        SELECT line_id FROM sales_credit_advance WHERE id = ANY(%(advance_ids)s::bigint[]))
    ORDER BY id FOR NO KEY UPDATE
"""

_OWED = f"""
    SELECT held.book_id, wanted.asset_class,
           sum(held.principal_minor), sum({FEE_OWED}), sum({FEE_DEFERRED})
    {_MOVING} GROUP BY 1, 2 ORDER BY 1, 2
"""

_ADVANCES = f"SELECT held.advance_id, held.book_id, wanted.asset_class {_MOVING}"

_REBOOKED = "unnest(%(moved)s::bigint[], %(to_books)s::bigint[]) AS rebooked (advance_id, book_id)"

_ENDED = f"""
    UPDATE sales_credit_advanceposition AS held SET superseded_date = %(booking_date)s
    FROM {_REBOOKED}
    WHERE held.advance_id = rebooked.advance_id AND held.superseded_date = %(still)s
      AND held.booking_date < %(booking_date)s
"""

_KEPT = ", ".join(name for name in Position._fields if name != "book_id")

# Where something has met the advance in the open day already, its row of that day is in force, and
# all that changes is the book.
_GOES_ON = f"""
    INSERT INTO sales_credit_advanceposition
        (advance_id, booking_date, superseded_date, book_id, {_KEPT})
    SELECT held.advance_id, %(booking_date)s, %(still)s, rebooked.book_id, {_KEPT}
    FROM {_REBOOKED} JOIN sales_credit_advanceposition AS held
      ON held.advance_id = rebooked.advance_id AND held.superseded_date = %(booking_date)s
    ON CONFLICT (advance_id, booking_date) DO UPDATE SET book_id = excluded.book_id
"""

_WRITTEN = f"""
    UPDATE sales_credit_advance AS advance SET book_id = rebooked.book_id FROM {_REBOOKED}
    WHERE advance.id = rebooked.advance_id
"""


def rebook_advances(
    legal_entity_id: int, wanted: Mapping[int, AssetClass], *, day: date, act_id: int
) -> int:
    """Move each live advance to the book of its ``wanted`` class (by id); returns how many moved.

    What is owed after the night of ``day`` and what has met it since goes along, the fee still to
    be earned included: booked in the day after, which is open, with value date ``day``. An advance
    that is settled by now, or in such a book already, stays. Part of the caller's transaction;
    locks the advances' lines.
    """
    if not wanted:
        return 0
    booking_date = day + timedelta(days=1)
    arguments: dict[str, Any] = {
        "advance_ids": plain(wanted),
        "classes": plain(wanted.values()),
        "still": STILL_IN_FORCE,
        "booking_date": booking_date,
        "until": booking_date,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, arguments)
        cursor.execute(_OWED, arguments)
        # Whatever is not settled owes something.
        moving = cursor.fetchall()
        books = books_of_classes((book_id, asset_class) for book_id, asset_class, *_ in moving)
        entries = []
        for from_book, asset_class, principal, fee, deferred in moving:
            to_book = books[from_book, asset_class]
            entries.append(
                advance_book_changed(
                    Booking(legal_entity_id, to_book.currency, f"classes:{day}", day, booking_date),
                    from_book=from_book,
                    to_book=to_book.pk,
                    balances_minor={
                        "principal": int(principal),
                        "fee": int(fee),
                        "deferred": int(deferred),
                    },
                )
            )
        post_many(entries, act_id=act_id)
        cursor.execute(_ADVANCES, arguments)
        to_books = {
            advance_id: books[from_book, asset_class].pk
            for advance_id, from_book, asset_class in cursor.fetchall()
        }
        arguments |= {"moved": plain(to_books), "to_books": plain(to_books.values())}
        for statement in (_ENDED, _GOES_ON, _WRITTEN):
            cursor.execute(statement, arguments)
    return len(to_books)
