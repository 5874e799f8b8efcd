"""Accounts of a legal entity, opened when they are first needed."""

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection, transaction

from tallystick.rules.chart import line_of
from tallystick.rules.journal import AccountName

# Ids never change, so each connection remembers those it has seen committed. Per connection, not
# per process: another connection may be to another database, with other ids.
_remembered: WeakKeyDictionary[Any, dict[tuple[int, str, AccountName], int]] = WeakKeyDictionary()


def open_accounts(
    legal_entity_id: int, currency: str, names: Iterable[AccountName]
) -> dict[AccountName, int]:
    """The id of each account in ``names``; one that is not there yet is opened.

    Part of the caller's transaction: an account opened by an act that fails is not there
    afterwards. Two acts may open the same account at once; the second waits for the first.

    Raises UnknownAccount for a name that the chart does not have, or without its book or party.
    """
    connection.ensure_connection()
    remembered = _remembered.setdefault(connection.connection, {})
    ids = {}
    unknown = []
    for name in names:
        account_id = remembered.get((legal_entity_id, currency, name))
        if account_id is None:
            unknown.append(name)
        else:
            ids[name] = account_id
    if unknown:
        found = _found_or_opened(legal_entity_id, currency, unknown)
        transaction.on_commit(
            lambda: remembered.update(
                ((legal_entity_id, currency, name), account_id)
                for name, account_id in found.items()
            )
        )
        ids |= found
    return ids


def _found_or_opened(
    legal_entity_id: int, currency: str, names: list[AccountName]
) -> dict[AccountName, int]:
    for name in names:
        line_of(name)
    found = _found(legal_entity_id, currency, names)
    if new := [name for name in names if name not in found]:
        # In one order for everybody: two acts opening the same accounts cannot block each other.
        new.sort(key=lambda name: (name.name, name.book or 0, name.party or 0))
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ledger_account (legal_entity_id, currency, name, book_id, party_id)"
                " SELECT %s, %s, name, book_id, party_id"
                " FROM unnest(%s::text[], %s::bigint[], %s::bigint[])"
                " AS new (name, book_id, party_id)"
                " ON CONFLICT ON CONSTRAINT account_once DO NOTHING",
                [legal_entity_id, currency, *_columns(new)],
            )
        found |= _found(legal_entity_id, currency, new)
    return found


def _found(legal_entity_id: int, currency: str, names: list[AccountName]) -> dict[AccountName, int]:
    # One branch per scope: "is null" and "equals" are index conditions, "is not distinct
    # from" is none.
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH asked AS (SELECT * FROM unnest(%(names)s::text[], %(books)s::bigint[],"
            "     %(parties)s::bigint[]) AS asked (name, book_id, party_id)),"
            " mine AS (SELECT * FROM ledger_account"
            "     WHERE legal_entity_id = %(legal_entity)s AND currency = %(currency)s)"
            " SELECT mine.name, mine.book_id, mine.party_id, mine.id FROM asked JOIN mine"
            "     ON mine.name = asked.name"
            "     AND mine.book_id = asked.book_id AND mine.party_id IS NULL"
            " UNION ALL"
            " SELECT mine.name, mine.book_id, mine.party_id, mine.id FROM asked JOIN mine"
            "     ON mine.name = asked.name"
            "     AND mine.party_id = asked.party_id AND mine.book_id IS NULL"
            " UNION ALL"
            " SELECT mine.name, mine.book_id, mine.party_id, mine.id FROM asked JOIN mine"
            "     ON mine.name = asked.name AND asked.book_id IS NULL AND asked.party_id IS NULL"
            "     AND mine.book_id IS NULL AND mine.party_id IS NULL",
            {
                "legal_entity": legal_entity_id,
                "currency": currency,
                **dict(zip(("names", "books", "parties"), _columns(names), strict=True)),
            },
        )
        return {
            AccountName(name, book=book_id, party=party_id): account_id
            for name, book_id, party_id, account_id in cursor.fetchall()
        }


def _columns(names: list[AccountName]) -> list[list[Any]]:
    return [
        [name.name for name in names],
        [name.book for name in names],
        [name.party for name in names],
    ]
