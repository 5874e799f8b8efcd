"""Many loans move to other books at once, as a night's classes ask for.

One entry takes what all of them owe from one book to another, and one statement each writes the
positions and the loans: a book of twenty thousand loans that go bad costs what one loan costs, and
then the writing of the rows. One loan alone moves by ``change_book``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.ledger.models import Book
from tallystick.book.ledger.post import post_many
from tallystick.book.servicing.accrual import FEES_OWED, INTEREST_OWED, PENALTY_OWED
from tallystick.book.servicing.models import STILL_IN_FORCE, Position
from tallystick.book.servicing.shares import Transfers, loans_sold
from tallystick.rules.accounting import Booking, book_changed
from tallystick.rules.journal import JournalEntry
from tallystick.rules.loan_shares import KINDS, shares_after, sold_part
from tallystick.rules.rule_pack import AssetClass

_MOVING = """
    FROM unnest(%(loan_ids)s::bigint[], %(classes)s::text[]) AS wanted (loan_id, asset_class)
    JOIN servicing_position AS held
      ON held.loan_id = wanted.loan_id AND held.superseded_date = %(still)s AND NOT held.settled
    JOIN ledger_book AS book ON book.id = held.book_id AND book.asset_class <> wanted.asset_class
"""

# Locked in order of id, as the house's order asks; the loans are read after.
_LOCK = """
    SELECT FROM financing_facility WHERE id IN (
        SELECT facility_id FROM financing_loan WHERE id = ANY(%(loan_ids)s::bigint[]))
    ORDER BY id FOR NO KEY UPDATE
"""

_OWED = f"""
    SELECT held.book_id, wanted.asset_class,
           sum({FEES_OWED}), sum({PENALTY_OWED}), sum({INTEREST_OWED}), sum(held.principal_minor)
    {_MOVING} GROUP BY 1, 2 ORDER BY 1, 2
"""

_OWED_OF_SOLD = f"""
    SELECT held.loan_id, held.book_id, wanted.asset_class,
           {FEES_OWED}, {PENALTY_OWED}, {INTEREST_OWED}, held.principal_minor
    {_MOVING} WHERE held.loan_id = ANY(%(sold)s::bigint[])
"""

_OWED_KINDS = ("fees", "penalty", "interest", "principal")

_LOANS = f"SELECT held.loan_id, held.book_id, wanted.asset_class {_MOVING}"

_REBOOKED = "unnest(%(moved)s::bigint[], %(to_books)s::bigint[]) AS rebooked (loan_id, book_id)"

_ENDED = f"""
    UPDATE servicing_position AS held SET superseded_date = %(booking_date)s FROM {_REBOOKED}
    WHERE held.loan_id = rebooked.loan_id AND held.superseded_date = %(still)s
      AND held.booking_date < %(booking_date)s
"""

_KEPT = [
    field.column
    for field in Position._meta.concrete_fields
    if field.column not in (None, "loan_id", "booking_date", "superseded_date", "book_id")
]

# The row before goes on in the new book. Where something has met the loan in the open day already,
# its row of that day is in force, and all that changes is the book.
_GOES_ON = f"""
    INSERT INTO servicing_position
        (loan_id, booking_date, superseded_date, book_id, {", ".join(_KEPT)})
    SELECT held.loan_id, %(booking_date)s, %(still)s, rebooked.book_id,
           {", ".join(f"held.{column}" for column in _KEPT)}
    FROM {_REBOOKED} JOIN servicing_position AS held
      ON held.loan_id = rebooked.loan_id AND held.superseded_date = %(booking_date)s
    ON CONFLICT (loan_id, booking_date) DO UPDATE SET book_id = excluded.book_id
"""

_WRITTEN = f"""
    UPDATE financing_loan AS loan SET book_id = rebooked.book_id FROM {_REBOOKED}
    WHERE loan.id = rebooked.loan_id
"""


class _Owed(NamedTuple):
    """What the loans that leave a book for one of another class owe; minor units."""

    from_book: int
    asset_class: str
    fees_minor: int
    penalty_minor: int
    interest_minor: int
    principal_minor: int

    @property
    def owes(self) -> bool:
        return any(self[2:])


def rebook(
    legal_entity_id: int, wanted: Mapping[int, AssetClass], *, day: date, act_id: int
) -> int:
    """Move each live loan to the book of its ``wanted`` class (by loan id); returns how many moved.

    What a loan owes after the night of ``day`` and what has met it since goes along: booked in the
    day after, which is open, with value date ``day``. A loan that is settled by now, or in such a
    book already, stays. Part of the caller's transaction; locks the loans' facilities.
    """
    if not wanted:
        return 0
    booking_date = day + timedelta(days=1)
    arguments: dict[str, Any] = {
        "loan_ids": plain(wanted),
        "classes": plain(wanted.values()),
        "still": STILL_IN_FORCE,
        "booking_date": booking_date,
        "until": booking_date,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, arguments)
        cursor.execute(_OWED, arguments)
        moving = [
            _Owed(*row[:2], *(int(figure) for figure in row[2:])) for row in cursor.fetchall()
        ]
        books = books_of_classes((each.from_book, each.asset_class) for each in moving)
        sold = _sold_of(arguments, loans_sold(legal_entity_id))
        post_many(
            [
                _entry(
                    legal_entity_id,
                    each,
                    books[each.from_book, each.asset_class],
                    sold[each.from_book, each.asset_class],
                    day,
                )
                for each in moving
                if each.owes
            ],
            act_id=act_id,
        )
        cursor.execute(_LOANS, arguments)
        to_books = {
            loan_id: books[from_book, asset_class].pk
            for loan_id, from_book, asset_class in cursor.fetchall()
        }
        arguments |= {"moved": plain(to_books), "to_books": plain(to_books.values())}
        for statement in (_ENDED, _GOES_ON, _WRITTEN):
            cursor.execute(statement, arguments)
    return len(to_books)


def books_of_classes(moving: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Book]:
    """The book of each class that something leaves a book for, opened where it is the first.

    ``moving``: books by row id, each with the class that is left for.
    """
    wanted = list(moving)
    books = Book.objects.in_bulk({book_id for book_id, _ in wanted})
    found = {}
    for book_id, asset_class in wanted:
        old = books[book_id]
        found[book_id, asset_class], _ = Book.objects.get_or_create(
            legal_entity_id=old.legal_entity_id,
            programme=old.programme,
            funder_id=old.funder_id,
            currency=old.currency,
            asset_class=asset_class,
        )
    return found


def _sold_of(
    arguments: Mapping[str, Any], transfers: Transfers
) -> dict[tuple[int, str], dict[str, int]]:
    """What of all that moves belongs to those who bought shares, by book and class, and kind."""
    sold: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
    if transfers:
        with connection.cursor() as cursor:
            cursor.execute(_OWED_OF_SOLD, {**arguments, "sold": plain(transfers)})
            for loan_id, from_book, asset_class, *owed_minor in cursor.fetchall():
                shares = shares_after(transfers[loan_id])
                for kind, minor in zip(_OWED_KINDS, owed_minor, strict=True):
                    sold[from_book, asset_class][kind] += sold_part(int(minor), shares)
    return sold


def _entry(
    legal_entity_id: int, owed: _Owed, to_book: Book, sold_minor: Mapping[str, int], day: date
) -> JournalEntry:
    return book_changed(
        Booking(legal_entity_id, to_book.currency, f"classes:{day}", day, day + timedelta(days=1)),
        from_book=owed.from_book,
        to_book=to_book.pk,
        balances_minor={
            "fees": owed.fees_minor,
            "penalty": owed.penalty_minor,
            "interest": owed.interest_minor,
            "principal": owed.principal_minor,
        },
        sold_minor=sold_minor,
    )
