"""Seal a closed day: bind its entries, and every day before it, to one hash."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction

from tallystick.rules.journal import Side
from tallystick.rules.refusal import Refusal
from tallystick.rules.seals import (
    NO_PREVIOUS_SEAL,
    SealedAccount,
    SealedBook,
    SealedEntry,
    SealedPosting,
    SealHeader,
    leaf_hash,
    merkle_root,
)

_FETCHED_ENTRIES = 5_000


class DayNotClosed(Refusal):
    """The day is still open for booking."""

    def __init__(self, *, day: date, business_date: date) -> None:
        self.day = day
        self.business_date = business_date
        super().__init__(
            f"{day} cannot be sealed: the open business day is {business_date}. "
            "Close the day first; closing seals it."
        )


class SealOutOfTurn(Refusal):
    """A day before it has not been sealed, or the books were not open yet."""

    def __init__(self, *, day: date, next_date: date) -> None:
        self.day = day
        self.next_date = next_date
        super().__init__(
            f"{day} cannot be sealed: the next day to seal is {next_date}. Days are sealed one "
            "after the other, with no day left out."
        )


@dataclass(frozen=True, slots=True)
class _Standing:
    """How far a legal entity's seals have come."""

    code: str
    opened_date: date
    business_date: date
    last_date: date | None
    last_seal: bytes


def seal(legal_entity_id: int, day: date) -> SealHeader:
    """Seal ``day``; returns its seal. A day that is sealed already keeps the seal it has.

    One transaction. Entries being booked in that day are waited for; those of other days go on
    meanwhile. The database rolls the day's postings up as the seal is written.

    Raises DayNotClosed, SealOutOfTurn.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(ledger_day_lock(%s, %s))", [legal_entity_id, day]
            )
        if already := sealed(legal_entity_id, day):
            return already
        standing = _standing(legal_entity_id)
        if day >= standing.business_date:
            raise DayNotClosed(day=day, business_date=standing.business_date)
        next_date = (
            standing.last_date + timedelta(days=1) if standing.last_date else standing.opened_date
        )
        if day != next_date:
            raise SealOutOfTurn(day=day, next_date=next_date)

        leaves = [leaf_hash(entry.form()) for entry in booked_entries(legal_entity_id, day)]
        header = SealHeader(
            legal_entity=standing.code,
            date=day,
            entry_count=len(leaves),
            merkle_root=merkle_root(leaves),
            previous_seal=standing.last_seal,
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ledger_seal"
                " (legal_entity_id, date, entry_count, merkle_root, previous_hash, seal_hash)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    legal_entity_id,
                    day,
                    header.entry_count,
                    header.merkle_root,
                    header.previous_seal,
                    header.seal(),
                ],
            )
    return header


def sealed(legal_entity_id: int, day: date) -> SealHeader | None:
    """The stored seal of ``day``, if it has one."""
    return next(iter(seals(legal_entity_id, from_date=day, to_date=day)), None)


def seals(
    legal_entity_id: int, *, from_date: date = date.min, to_date: date = date.max
) -> list[SealHeader]:
    """Stored seals, in the order of their days, both ends included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, date, entry_count, merkle_root, previous_hash"
            " FROM ledger_seal AS seal JOIN parties_legalentity AS entity"
            "     ON entity.id = seal.legal_entity_id"
            " WHERE legal_entity_id = %s AND date BETWEEN %s AND %s ORDER BY date",
            [legal_entity_id, from_date, to_date],
        )
        return [
            SealHeader(
                legal_entity=code,
                date=day,
                entry_count=entry_count,
                merkle_root=bytes(root),
                previous_seal=bytes(previous),
            )
            for code, day, entry_count, root, previous in cursor.fetchall()
        ]


def booked_entries(legal_entity_id: int, day: date) -> Iterator[SealedEntry]:
    """The entries booked in ``day``, in the order of their ids, as they are sealed.

    Read a few thousand at a time, however long the day was. Inside a transaction.
    """
    accounts: dict[int, SealedAccount] = {}
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT entry.id, entity.code, entry.currency, entry.event, entry.reference,"
            " entry.value_date, entry.booking_date, entry.booked_at, entry.reverses_id,"
            " entry.act_id, posting.account_ids, posting.sides, posting.amounts_minor"
            " FROM ledger_entry AS entry"
            " JOIN parties_legalentity AS entity ON entity.id = entry.legal_entity_id"
            " CROSS JOIN LATERAL ("
            "     SELECT coalesce(array_agg(account_id ORDER BY line), '{}') AS account_ids,"
            "            coalesce(array_agg(side ORDER BY line), '{}') AS sides,"
            "            coalesce(array_agg(amount_minor ORDER BY line), '{}') AS amounts_minor"
            "     FROM ledger_posting WHERE entry_id = entry.id"
            " ) AS posting"
            " WHERE entry.legal_entity_id = %s AND entry.booking_date = %s ORDER BY entry.id",
            [legal_entity_id, day],
        )
        while rows := cursor.fetchmany(_FETCHED_ENTRIES):
            _add_missing(accounts, rows)
            for *fields, account_ids, sides, amounts_minor in rows:
                yield SealedEntry(
                    *fields,
                    postings=[
                        SealedPosting(accounts[account_id], Side(side), amount_minor)
                        for account_id, side, amount_minor in zip(
                            account_ids, sides, amounts_minor, strict=True
                        )
                    ],
                )


def _add_missing(accounts: dict[int, SealedAccount], rows: Sequence[tuple[Any, ...]]) -> None:
    missing = {account_id for row in rows for account_id in row[-3]} - accounts.keys()
    if not missing:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.id, account.name, book.programme, funder.code, book.asset_class,"
            " party.code"
            " FROM ledger_account AS account"
            " LEFT JOIN ledger_book AS book ON book.id = account.book_id"
            " LEFT JOIN parties_party AS funder ON funder.id = book.funder_id"
            " LEFT JOIN parties_party AS party ON party.id = account.party_id"
            " WHERE account.id = ANY (%s)",
            [list(missing)],
        )
        for account_id, name, programme, funder, asset_class, party in cursor.fetchall():
            book = SealedBook(programme, funder, asset_class) if programme is not None else None
            accounts[account_id] = SealedAccount(name, book, party)
    # Only in books that were tampered with: they hash to something else, and so are found out.
    for account_id in missing - accounts.keys():
        accounts[account_id] = SealedAccount(f"missing account {account_id}", None, None)


def _standing(legal_entity_id: int) -> _Standing:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, opened_date, business_date, date, seal_hash"
            " FROM parties_legalentity AS entity LEFT JOIN LATERAL ("
            "     SELECT date, seal_hash FROM ledger_seal"
            "     WHERE legal_entity_id = entity.id ORDER BY date DESC LIMIT 1"
            " ) AS last ON true"
            " WHERE entity.id = %s",
            [legal_entity_id],
        )
        code, opened_date, business_date, last_date, last_seal = cursor.fetchone()
    return _Standing(
        code=code,
        opened_date=opened_date,
        business_date=business_date,
        last_date=last_date,
        last_seal=bytes(last_seal) if last_seal is not None else NO_PREVIOUS_SEAL,
    )
