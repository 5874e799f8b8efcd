"""Provide for the losses expected on the live book, and keep suspended interest out of income.

A book's allowance is the sum of what its loans and advances need (``needed``,
``advances_needed``). What is booked is that sum less
what the ledger holds, as nights of interest are, so that whatever was learned late is picked up by
itself. The same goes for interest and penalty in suspense. All of it is booked in the day that
closes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection

from tallystick.book.impairment.advances_needed import advances_provided_on
from tallystick.book.impairment.models import Provision, Reserve
from tallystick.book.impairment.needed import Provided, loans_provided_on
from tallystick.book.impairment.packs import pack_on
from tallystick.book.ledger.post import post_many
from tallystick.book.ledger.queries import balances
from tallystick.rules.accounting import Booking, allowance_moved, reserve_moved, suspended
from tallystick.rules.expected_loss import (
    reserve_above_loss_minor,
    reserve_needed_minor,
)
from tallystick.rules.journal import JournalEntry
from tallystick.rules.rule_pack import Limit


def provide(legal_entity_id: int, *, day: date, act_id: int) -> dict[str, Any]:
    """Book what the night of ``day`` moves in allowances, reserve and suspense, per currency.

    Nothing happens where the legal entity has no rule pack. Part of the caller's transaction.
    """
    held_to = pack_on(legal_entity_id, day)
    if held_to is None:
        return {"pack": None}
    provided = provided_on(legal_entity_id, day)
    currencies = _currencies(legal_entity_id)
    entries = _book_entries(legal_entity_id, provided, currencies, day)
    _keep_provisions(legal_entity_id, provided, day)
    reserve_bps = held_to.pack.limits(on=day).get(Limit.RESERVE_BPS)
    reserves = _reserves(legal_entity_id, provided, currencies, reserve_bps, day)
    entries += [
        reserve_moved(
            Booking(legal_entity_id, each.currency, f"night:{day}", day, day),
            change_minor=each.movement_minor,
        )
        for each in reserves
        if each.movement_minor
    ]
    Reserve.objects.bulk_create(reserves)
    post_many(entries, act_id=act_id)
    return {
        "pack": held_to.pack.code,
        "currencies": {
            each.currency: {
                "expected_loss_minor": each.expected_loss_minor,
                "reserve_minor": each.reserve_minor,
                "booked_minor": each.expected_loss_minor + each.above_minor,
                "suspended_minor": sum(
                    row.interest_suspended_minor
                    + row.penalty_suspended_minor
                    + row.advance_fee_suspended_minor
                    for row in provided
                    if currencies[row.book_id] == each.currency
                ),
            }
            for each in reserves
        },
    }


def provided_on(legal_entity_id: int, day: date) -> list[Provided]:
    """What each book needs by stage for loans and advances, as known at the end of ``day``.

    Empty where no pack is in force on that day.
    """
    together: dict[tuple[int, int], Provided] = {}
    for each in (
        *loans_provided_on(legal_entity_id, day),
        *advances_provided_on(legal_entity_id, day),
    ):
        key = each.book_id, each.stage
        if (other := together.get(key)) is not None:
            figures = [of_each + of_other for of_each, of_other in zip(each, other, strict=True)]
            together[key] = Provided(*key, *figures[len(key) :])
        else:
            together[key] = each
    return [each for _, each in sorted(together.items())]


_KINDS_HELD = {
    "loss_allowance": "allowance",
    "interest_in_suspense": "interest",
    "penalty_in_suspense": "penalty",
    "advance_fee_in_suspense": "advance_fee",
}


def _book_entries(
    legal_entity_id: int,
    provided: Iterable[Provided],
    currencies: Mapping[int, str],
    day: date,
) -> list[JournalEntry]:
    """For each book the difference between what its loans need and what the ledger holds."""
    needed_minor: dict[tuple[int, str], int] = defaultdict(int)
    for each in provided:
        needed_minor[each.book_id, "allowance"] += each.allowance_minor
        needed_minor[each.book_id, "interest"] += each.interest_suspended_minor
        needed_minor[each.book_id, "penalty"] += each.penalty_suspended_minor
        needed_minor[each.book_id, "advance_fee"] += each.advance_fee_suspended_minor
    for key, held_minor in _held(legal_entity_id, day).items():
        needed_minor[key] -= held_minor
    entries = []
    for (book_id, kind), change_minor in sorted(needed_minor.items()):
        if not change_minor:
            continue
        booking = Booking(legal_entity_id, currencies[book_id], f"night:{day}", day, day)
        if kind == "allowance":
            entries.append(allowance_moved(booking, book=book_id, change_minor=change_minor))
        else:
            entries.append(suspended(booking, kind=kind, book=book_id, change_minor=change_minor))
    return entries


def _held(legal_entity_id: int, day: date) -> dict[tuple[int, str], int]:
    """What the ledger holds for each book and kind, as known on ``day``; credit is above zero."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, book_id, name FROM ledger_account"
            " WHERE legal_entity_id = %s AND name = ANY(%s)",
            [legal_entity_id, list(_KINDS_HELD)],
        )
        accounts = {key: (book_id, _KINDS_HELD[name]) for key, book_id, name in cursor.fetchall()}
    found = balances(accounts, on=day, known_on=day)
    return {accounts[key]: -balance.net_minor for key, balance in found.items()}


def _keep_provisions(legal_entity_id: int, provided: Sequence[Provided], day: date) -> None:
    """A row for each book and stage, also where the last loan has left it since."""
    before = {
        (row.book_id, row.stage): row.allowance_minor
        for row in Provision.objects.filter(
            legal_entity=legal_entity_id, date=day - timedelta(days=1)
        )
    }
    rows = {(each.book_id, each.stage): each for each in provided}
    for book_id, stage in before:
        if before[book_id, stage] and (book_id, stage) not in rows:
            rows[book_id, stage] = Provided(book_id, stage, 0, 0, 0, 0, 0, 0)
    Provision.objects.bulk_create(
        Provision(
            legal_entity_id=legal_entity_id,
            date=day,
            **each._asdict(),
            movement_minor=each.allowance_minor - before.get(key, 0),
        )
        for key, each in sorted(rows.items())
    )


def _reserves(
    legal_entity_id: int,
    provided: Iterable[Provided],
    currencies: Mapping[int, str],
    reserve_bps: int | None,
    day: date,
) -> list[Reserve]:
    """The law's reserve and expected loss of each currency; of the two the higher is booked."""
    totals_minor: dict[str, tuple[int, int]] = dict.fromkeys(set(currencies.values()), (0, 0))
    for each in provided:
        balance_minor, loss_minor = totals_minor[currencies[each.book_id]]
        totals_minor[currencies[each.book_id]] = (
            balance_minor + each.principal_minor,
            loss_minor + each.allowance_minor,
        )
    held_minor = _reserve_held(legal_entity_id, day)
    reserves = []
    for currency, (balance_minor, loss_minor) in sorted(totals_minor.items()):
        reserve_minor = reserve_needed_minor(balance_minor, reserve_bps or 0)
        above_minor = reserve_above_loss_minor(
            reserve_minor=reserve_minor, expected_loss_minor=loss_minor
        )
        reserves.append(
            Reserve(
                legal_entity_id=legal_entity_id,
                date=day,
                currency=currency,
                balance_minor=balance_minor,
                reserve_minor=reserve_minor,
                expected_loss_minor=loss_minor,
                above_minor=above_minor,
                movement_minor=above_minor - held_minor.get(currency, 0),
            )
        )
    return reserves


def _reserve_held(legal_entity_id: int, day: date) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, currency FROM ledger_account"
            " WHERE legal_entity_id = %s AND name = 'loss_reserve'",
            [legal_entity_id],
        )
        accounts = dict(cursor.fetchall())
    found = balances(accounts, on=day, known_on=day)
    return {accounts[key]: -balance.net_minor for key, balance in found.items()}


def _currencies(legal_entity_id: int) -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, currency FROM ledger_book WHERE legal_entity_id = %s", [legal_entity_id]
        )
        return dict(cursor.fetchall())
