"""What we hold for suppliers, and what they owe us since money of theirs was taken back.

Money that has left is never clawed back by a refold or a reversal. Where an account of a supplier
would have to give what is no longer there, the supplier owes it: it stands as due from him, on
the worklist, and his next settlements meet it first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.db import connection

from tallystick.book.ledger.post import post_many
from tallystick.book.ledger.queries import balances
from tallystick.book.servicing.lines import RECOVERED, Line
from tallystick.book.watch.worklist import NewItem, open_items
from tallystick.rules.accounting import Booking, recovery_due
from tallystick.rules.journal import JournalEntry

PartyCurrency = tuple[int, str]


def held_minor(
    legal_entity_id: int, name: str, parties: Iterable[PartyCurrency]
) -> dict[PartyCurrency, int]:
    """The net balance (debits less credits) of suppliers' accounts called ``name``, as of now."""
    asked = set(parties)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, party_id, currency FROM ledger_account"
            " WHERE legal_entity_id = %s AND name = %s AND party_id = ANY(%s)",
            [legal_entity_id, name, [party_id for party_id, _ in asked]],
        )
        accounts = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    found = balances(
        [account_id for account_id, party in accounts.items() if party in asked],
        on=date.max,
        known_on=date.max,
    )
    return {accounts[account_id]: balance.net_minor for account_id, balance in found.items()}


def recovered_first(
    lines: Sequence[Line], currency_of: Mapping[int, str], *, legal_entity_id: int
) -> list[Line]:
    """The lines, with what would go to a supplier meeting first what is due from him.

    ``currency_of``: a receipt's currency by its row id.
    """
    due_minor = held_minor(
        legal_entity_id,
        "due_from_supplier",
        {(line.supplier_id, currency_of[line.receipt_id]) for line in lines if line.is_suppliers},
    )
    if not any(due_minor.values()):
        return list(lines)
    parted = []
    for line in lines:
        key = (line.supplier_id, currency_of[line.receipt_id])
        met_minor = min(due_minor.get(key, 0), line.amount_minor) if line.is_suppliers else 0
        if met_minor:
            due_minor[key] -= met_minor
            parted.append(line._replace(bucket=RECOVERED, amount_minor=met_minor))
        if line.amount_minor > met_minor:
            parted.append(line._replace(amount_minor=line.amount_minor - met_minor))
    return parted


def let_be_due(
    legal_entity_id: int,
    parties: Iterable[PartyCurrency],
    *,
    reference: str,
    booking_date: date,
    act_id: int,
) -> None:
    """Book as due from these suppliers what their accounts lack after something was taken back.

    Credit may not be below zero, and what is payable not below the orders that the bank may
    still pay. ``reference``: the object that was taken back.
    """
    asked = set(parties)
    lacking: dict[tuple[PartyCurrency, str], int] = {}
    for party, net_minor in held_minor(legal_entity_id, "supplier_credit", asked).items():
        lacking[party, "supplier_credit"] = net_minor
    ordered_minor = _ordered_minor(legal_entity_id, asked)
    for party, net_minor in held_minor(legal_entity_id, "payable_to_supplier", asked).items():
        lacking[party, "payable_to_supplier"] = net_minor + ordered_minor.get(party, 0)
    entries = _entries(legal_entity_id, lacking, reference=reference, booking_date=booking_date)
    if not entries:
        return
    post_many(entries, act_id=act_id)
    _put_on_worklist(
        legal_entity_id,
        "due_from_supplier",
        {party for (party, _), amount_minor in lacking.items() if amount_minor > 0},
        because=reference,
        remedy="The next settlements meet it first; where none will come, ask for it.",
        on=booking_date,
    )


def payable_not_ordered(legal_entity_id: int, party: PartyCurrency) -> int:
    """What is payable to a supplier and in no order that the bank may still pay.

    The bank has rejected an order for it. The caller sees to it that neither changes meanwhile.
    """
    payable = held_minor(legal_entity_id, "payable_to_supplier", [party])
    return -payable.get(party, 0) - _ordered_minor(legal_entity_id, [party]).get(party, 0)


def tell_of_credit(
    legal_entity_id: int, parties: Iterable[PartyCurrency], *, because: str, on: date
) -> None:
    """Put on the worklist that these suppliers have money with us."""
    _put_on_worklist(
        legal_entity_id,
        "supplier_credit",
        parties,
        because=because,
        remedy="Refund it, or keep it for what the supplier will owe.",
        on=on,
    )


def _put_on_worklist(
    legal_entity_id: int,
    kind: str,
    parties: Iterable[PartyCurrency],
    *,
    because: str,
    remedy: str,
    on: date,
) -> None:
    asked = sorted(parties)
    if not asked:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, code FROM parties_party WHERE id = ANY(%s)",
            [[party_id for party_id, _ in asked]],
        )
        code_of = dict(cursor.fetchall())
    open_items(
        legal_entity_id,
        [
            NewItem(
                kind,
                f"supplier:{code_of[party_id]}:{currency}",
                {"because": because, "remedy": remedy},
            )
            for party_id, currency in asked
        ],
        on=on,
    )


def _entries(
    legal_entity_id: int,
    lacking: Mapping[tuple[PartyCurrency, str], int],
    *,
    reference: str,
    booking_date: date,
) -> list[JournalEntry]:
    return [
        recovery_due(
            Booking(legal_entity_id, currency, reference, booking_date, booking_date),
            party=party_id,
            account=account,
            amount_minor=amount_minor,
        )
        for ((party_id, currency), account), amount_minor in sorted(lacking.items())
        if amount_minor > 0
    ]


def _ordered_minor(
    legal_entity_id: int, parties: Iterable[PartyCurrency]
) -> dict[PartyCurrency, int]:
    """Payments to suppliers of which the bank has not said yet what became of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT beneficiary_id, currency, sum(amount_minor)::bigint FROM payments_paymentorder"
            " WHERE legal_entity_id = %s AND beneficiary_id = ANY(%s)"
            " AND status = 'ordered' AND kind IN ('residual', 'refund') GROUP BY 1, 2",
            [legal_entity_id, [party_id for party_id, _ in parties]],
        )
        ordered: dict[PartyCurrency, int] = defaultdict(int)
        for party_id, currency, amount_minor in cursor.fetchall():
            ordered[party_id, currency] += amount_minor
    return ordered
