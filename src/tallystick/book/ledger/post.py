"""Book journal entries: one, many, or the reversal of one.

All of it happens in the caller's transaction, and inside a larger statement the SQL function
``ledger_post`` books an entry too. Whatever the way, the database checks each entry and refuses
what does not balance, has no postings, or is dated in a closed day.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

import psycopg
from django.db import IntegrityError, connection

from tallystick.book.ledger.accounts import open_accounts
from tallystick.rules.journal import AccountName, JournalEntry, Posting, Side
from tallystick.rules.refusal import Refusal

# Entries sent to the database at a time: enough to make the statement's own cost vanish, few
# enough that its check works in memory.
_BULK = 10_000
_BLOCK = 250


class BookedOutsideOpenDays(Refusal):
    """The booking date is sealed already, or has not begun."""

    def __init__(self, booking_date: date | None) -> None:
        self.booking_date = booking_date
        named = f"{booking_date}" if booking_date else "a booking date among the entries"
        super().__init__(
            f"Nothing can be booked in {named}: the day is sealed, or has not begun. "
            "Book in the open business day; the value date may lie in the past."
        )


class AlreadyReversed(Refusal):
    """An entry is reversed at most once."""

    def __init__(self, entry_id: int | None) -> None:
        self.entry_id = entry_id
        named = f"Entry {entry_id}" if entry_id else "An entry among those to be reversed"
        super().__init__(f"{named} has been reversed already. To undo that, reverse the reversal.")


class NoSuchEntry(Refusal):
    """There is no entry with that number."""

    def __init__(self, entry_id: int) -> None:
        self.entry_id = entry_id
        super().__init__(
            f"There is no entry {entry_id}. `./tally ledger entries` lists the numbers."
        )


def post(entry: JournalEntry, *, act_id: int | None = None) -> int:
    """Book ``entry``; returns its id. One round trip once its accounts are known.

    Part of the caller's transaction, which a refusal leaves unusable. ``act_id``: the act that
    caused it.

    Raises BookedOutsideOpenDays, AlreadyReversed, UnknownAccount.
    """
    postings = entry.postings
    ids = open_accounts(
        entry.legal_entity_id, entry.currency, {posting.account for posting in postings}
    )
    # The driver's own cursor, a prepared statement, arrays as text: half the time of Django's
    # cursor and of lists, on the path that every act takes.
    with _refusals(entry), psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT ledger_post(%s, %s, %s, %s, %s, %s,"
            " %s::bigint[], %s::smallint[], %s::bigint[], %s, %s)",
            [
                entry.legal_entity_id,
                entry.currency,
                entry.event,
                entry.reference,
                entry.value_date,
                entry.booking_date,
                _array(ids[posting.account] for posting in postings),
                _array(int(posting.side) for posting in postings),
                _array(posting.amount_minor for posting in postings),
                act_id,
                entry.reverses,
            ],
            prepare=True,
        )
        (entry_id,) = cursor.fetchone()
    return entry_id


def post_many(entries: Sequence[JournalEntry], *, act_id: int | None = None) -> list[int]:
    """Book ``entries`` in bulk; returns their ids in the same order. The same checks as ``post``.

    Part of the caller's transaction, which a refusal leaves unusable: all are booked or none.

    Raises BookedOutsideOpenDays, AlreadyReversed, UnknownAccount.
    """
    assert connection.in_atomic_block, "entries and postings are copied one after the other"
    ids: list[int] = []
    for first in range(0, len(entries), _BULK):
        ids += _copied(entries[first : first + _BULK], act_id)
    return ids


def reverse(entry_id: int, *, event: str, booking_date: date, act_id: int | None = None) -> int:
    """Take back an entry by a linked one with the sides swapped; returns the new entry's id.

    It counts from the same value date as the entry it takes back, so that seen from now on
    neither of the two ever counted; it is booked in ``booking_date``.

    Raises NoSuchEntry, AlreadyReversed, BookedOutsideOpenDays.
    """
    entry = journal_entry(entry_id)
    return post(
        JournalEntry(
            legal_entity_id=entry.legal_entity_id,
            currency=entry.currency,
            event=event,
            reference=entry.reference,
            value_date=entry.value_date,
            booking_date=booking_date,
            postings=tuple(
                Posting(posting.account, Side(-posting.side), posting.amount_minor)
                for posting in entry.postings
            ),
            reverses=entry_id,
        ),
        act_id=act_id,
    )


def journal_entry(entry_id: int) -> JournalEntry:
    """A booked entry as the value it was posted from. Raises NoSuchEntry."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry.legal_entity_id, entry.currency, entry.event, entry.reference,"
            " entry.value_date, entry.booking_date, entry.reverses_id,"
            " account.name, account.book_id, account.party_id, posting.side, posting.amount_minor"
            " FROM ledger_entry AS entry"
            " JOIN ledger_posting AS posting ON posting.entry_id = entry.id"
            " JOIN ledger_account AS account ON account.id = posting.account_id"
            " WHERE entry.id = %s ORDER BY posting.line",
            [entry_id],
        )
        rows = cursor.fetchall()
    if not rows:
        raise NoSuchEntry(entry_id)
    legal_entity_id, currency, event, reference, value_date, booking_date, reverses = rows[0][:7]
    return JournalEntry(
        legal_entity_id=legal_entity_id,
        currency=currency,
        event=event,
        reference=reference,
        value_date=value_date,
        booking_date=booking_date,
        reverses=reverses,
        postings=tuple(
            Posting(AccountName(name, book=book, party=party), Side(side), amount_minor)
            for *_, name, book, party, side, amount_minor in rows
        ),
    )


def _copied(entries: Sequence[JournalEntry], act_id: int | None) -> list[int]:
    accounts = _accounts_of(entries)
    with _refusals(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(nextval('ledger_entry_id_seq')) FROM generate_series(1, %s)",
            [len(entries)],
        )
        (ids,) = cursor.fetchone()
        with cursor.copy(
            "COPY ledger_entry (id, legal_entity_id, act_id, reverses_id, value_date,"
            " booking_date, line_count, currency, event, reference) FROM STDIN"
        ) as copy:
            for entry_id, entry in zip(ids, entries, strict=True):
                copy.write_row(
                    (
                        entry_id,
                        entry.legal_entity_id,
                        act_id,
                        entry.reverses,
                        entry.value_date,
                        entry.booking_date,
                        len(entry.postings),
                        entry.currency,
                        entry.event,
                        entry.reference,
                    )
                )
        with cursor.copy(
            "COPY ledger_posting (entry_id, value_date, booking_date, line, account_id, side,"
            " amount_minor) FROM STDIN"
        ) as copy:
            for first in range(0, len(entries), _BLOCK):
                # The database takes one block in while the next is written.
                block = slice(first, first + _BLOCK)
                copy.write("".join(_posting_lines(ids[block], entries[block], accounts)))
    return ids


def _posting_lines(
    ids: Sequence[int],
    entries: Sequence[JournalEntry],
    accounts: Mapping[tuple[int, str], Mapping[AccountName, int]],
) -> Iterator[str]:
    """Rows in COPY's text format, which takes whole numbers and dates as they are.

    Much faster than handing the rows over one by one.
    """
    for entry_id, entry in zip(ids, entries, strict=True):
        account_ids = accounts[entry.legal_entity_id, entry.currency]
        head = f"{entry_id}\t{entry.value_date}\t{entry.booking_date}"
        for line, posting in enumerate(entry.postings, 1):
            yield (
                f"{head}\t{line}\t{account_ids[posting.account]}"
                f"\t{posting.side:d}\t{posting.amount_minor:d}\n"
            )


def _accounts_of(
    entries: Sequence[JournalEntry],
) -> dict[tuple[int, str], dict[AccountName, int]]:
    names: dict[tuple[int, str], set[AccountName]] = defaultdict(set)
    for entry in entries:
        names[entry.legal_entity_id, entry.currency].update(
            posting.account for posting in entry.postings
        )
    return {
        (legal_entity_id, currency): open_accounts(legal_entity_id, currency, used)
        for (legal_entity_id, currency), used in sorted(names.items())
    }


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


@contextmanager
def _refusals(entry: JournalEntry | None = None) -> Iterator[None]:
    """What the database refuses for a reason that the caller can mend."""
    try:
        # COPY speaks to the driver directly; its errors too become Django's.
        with connection.wrap_database_errors:
            yield
    except IntegrityError as error:
        match error.__cause__.diag.constraint_name:  # type: ignore[union-attr]
            case "entry_booked_in_open_day":
                raise BookedOutsideOpenDays(entry and entry.booking_date) from error
            case "entry_reversed_once":
                raise AlreadyReversed(entry and entry.reverses) from error
            case _:
                raise
