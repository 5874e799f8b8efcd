"""The journal as an operator reads it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from tallystick.book.ledger.labels import labelled
from tallystick.rules.journal import Side


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of a booked entry; ``label`` names its account."""

    label: str
    side: Side
    amount_minor: int


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """A booked entry. ``booked_at`` is in UTC; ``reverses`` and ``act_id`` may be absent."""

    entry_id: int
    currency: str
    event: str
    reference: str
    value_date: date
    booking_date: date
    booked_at: datetime
    reverses: int | None
    act_id: int | None
    lines: list[EntryLine]


def latest_entries(
    legal_entity_id: int,
    *,
    account_ids: Collection[int] | None = None,
    reference: str | None = None,
    from_date: date = date.min,
    to_date: date = date.max,
    limit: int,
) -> list[BookedEntry]:
    """The last ``limit`` entries booked from ``from_date`` to ``to_date``, both included.

    In the order of booking date and id, oldest of them first. Narrowed down to those that touch
    one of ``account_ids``, and to those about ``reference``, where given.
    """
    entries = _entries(legal_entity_id, account_ids, reference, from_date, to_date, limit)
    lines = _lines([entry_id for entry_id, *_ in entries])
    return [BookedEntry(*fields, lines=lines[fields[0]]) for fields in reversed(entries)]


def _entries(
    legal_entity_id: int,
    account_ids: Collection[int] | None,
    reference: str | None,
    from_date: date,
    to_date: date,
    limit: int,
) -> list[tuple[int, str, str, str, date, date, datetime, int | None, int | None]]:
    conditions = ["legal_entity_id = %(legal_entity)s", "booking_date BETWEEN %(from)s AND %(to)s"]
    if account_ids is not None:
        conditions.append(
            "EXISTS (SELECT FROM ledger_posting"
            "    WHERE entry_id = ledger_entry.id AND account_id = ANY (%(accounts)s))"
        )
    if reference is not None:
        conditions.append("reference = %(reference)s")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, currency, event, reference, value_date, booking_date, booked_at,"
            " reverses_id, act_id FROM ledger_entry"
            f" WHERE {' AND '.join(conditions)}"
            " ORDER BY booking_date DESC, id DESC LIMIT %(limit)s",
            {
                "legal_entity": legal_entity_id,
                "accounts": None if account_ids is None else list(account_ids),
                "reference": reference,
                "from": from_date,
                "to": to_date,
                "limit": limit,
            },
        )
        return cursor.fetchall()


def _lines(entry_ids: list[int]) -> dict[int, list[EntryLine]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id, account_id, side, amount_minor FROM ledger_posting"
            " WHERE entry_id = ANY (%s) ORDER BY entry_id, line",
            [entry_ids],
        )
        rows = cursor.fetchall()
    labels = {
        account.account_id: account.label
        for account in labelled({account_id for _, account_id, _, _ in rows})
    }
    lines: dict[int, list[EntryLine]] = {entry_id: [] for entry_id in entry_ids}
    for entry_id, account_id, side, amount_minor in rows:
        lines[entry_id].append(EntryLine(labels[account_id], Side(side), amount_minor))
    return lines
