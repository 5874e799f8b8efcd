"""Accounts of a legal entity, opened when they are first needed."""

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection, transaction

from tallystick.rules.chart import line_of
from tallystick.rules.journal import AccountName

# Ids never change, so each connection remembers those it has seen committed. Per connection, not
# per process: another connection may be to another database, with other ids.
_MOST_REMEMBERED = 50_000
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
        transaction.on_commit(lambda: _remember(remembered, legal_entity_id, currency, found))
        ids |= found
    return ids


def _remember(
    remembered: dict[tuple[int, str, AccountName], int],
    legal_entity_id: int,
    currency: str,
    found: dict[AccountName, int],
) -> None:
    if len(remembered) + len(found) > _MOST_REMEMBERED:
        remembered.clear()
    for name, account_id in found.items():
        remembered[legal_entity_id, currency, name] = account_id


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
                " ON CONFLICT DO NOTHING",
                [
                    legal_entity_id,
                    currency,
                    [name.name for name in new],
                    [name.book for name in new],
                    [name.party for name in new],
                ],
            )
        found |= _found(legal_entity_id, currency, new)
    return found


def _found(legal_entity_id: int, currency: str, names: list[AccountName]) -> dict[AccountName, int]:
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT account.name, book_id, party_id, account.id"
            " FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS asked (name, book, party)"
            " CROSS JOIN LATERAL ("
            "     SELECT * FROM ledger_account"
            "     WHERE legal_entity_id = %s AND currency = %s AND name = asked.name"
            "       AND coalesce(book_id, 0) = asked.book AND coalesce(party_id, 0) = asked.party"
            "     OFFSET 0) AS account",
            [
                [name.name for name in names],
                [name.book or 0 for name in names],
                [name.party or 0 for name in names],
                legal_entity_id,
                currency,
            ],
            prepare=True,
        )
        return {
            AccountName(name, book=book_id, party=party_id): account_id
            for name, book_id, party_id, account_id in cursor.fetchall()
        }
