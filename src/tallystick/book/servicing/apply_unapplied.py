"""Cash that waited in suspense has found its claims."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.parties.business_date import open_day
from tallystick.book.sales_credit.shares import keep_shares, lock_advances, settlements_of
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.distribution import distribute
from tallystick.book.servicing.receipts import UnknownReceipt
from tallystick.book.servicing.recording import Cash, record_cash
from tallystick.book.servicing.remittance import NamedClaim, Remitted, remit, suppliers_of
from tallystick.book.servicing.settled import Settled, settled_receipts
from tallystick.book.servicing.supplier_accounts import recovered_first
from tallystick.book.watch.worklist import close_items
from tallystick.rules.refusal import Refusal


class NotUnapplied(Refusal):
    """The receipt has less in suspense than is to be applied, or a line pays nothing."""


class _Held(NamedTuple):
    receipt_id: int
    currency: str
    value_date: date
    unapplied_minor: int
    reversed_date: date | None


def apply_unapplied(
    bank_reference: str,
    lines: Sequence[tuple[str, int]],
    *,
    legal_entity_id: int,
    caller: Caller,
    key: str,
) -> Settled:
    """Let a receipt's unapplied cash pay claims (code and amount), as if it had named them.

    It counts from the receipt's value date, on which the cash arrived. Every line is paid whole,
    or nothing is applied.

    Raises UnknownReceipt, NotUnapplied, KeyConflict.
    """
    request = {
        "bank_reference": bank_reference,
        "legal_entity_id": legal_entity_id,
        "lines": [list(line) for line in lines],
    }
    with once(caller, key=key, kind="apply_unapplied", request=request) as act:
        if act.earlier is None:
            _apply(bank_reference, lines, legal_entity_id, caller, act.act_id)
            act.answer({"bank_reference": bank_reference})
        return settled_receipts(legal_entity_id, [bank_reference])[bank_reference]


def _apply(
    bank_reference: str,
    lines: Sequence[tuple[str, int]],
    legal_entity_id: int,
    caller: Caller,
    act_id: int,
) -> None:
    business_date = open_day(legal_entity_id)
    held = _held(bank_reference, legal_entity_id)
    applied_minor = sum(amount_minor for _, amount_minor in lines)
    _refuse_what_is_not_there(bank_reference, held, lines)
    named = [
        NamedClaim(held.receipt_id, held.value_date, held.currency, code, amount_minor)
        for code, amount_minor in lines
    ]
    suppliers = suppliers_of(code for code, _ in lines)
    facilities = lock_facilities(legal_entity_id, supplier_ids=suppliers)
    advances = lock_advances(legal_entity_id, suppliers)
    hold_suppliers(suppliers)
    remitted = remit(
        named, legal_entity_id=legal_entity_id, booking_date=business_date, act_id=act_id
    )
    _refuse_what_pays_nothing(bank_reference, remitted)
    distributed, loans = distribute(remitted, facilities, business_date)
    parted = recovered_first(
        distributed, {held.receipt_id: held.currency}, legal_entity_id=legal_entity_id
    )
    shares = keep_shares(
        settlements_of(parted, {held.receipt_id: (bank_reference, held.value_date, held.currency)}),
        parted,
        advances,
        booking_date=business_date,
        act_id=act_id,
    )
    record_cash(
        [
            Cash(
                held.receipt_id,
                bank_reference,
                held.currency,
                applied_minor,
                held.value_date,
                0,
                (),
                was_held=True,
            )
        ],
        shares.lines,
        loans=loans,
        shares=shares,
        legal_entity_id=legal_entity_id,
        booking_date=business_date,
        act_id=act_id,
    )
    _lower(held, applied_minor)
    if applied_minor == held.unapplied_minor:
        close_items(
            legal_entity_id,
            "unapplied_cash",
            f"receipt:{bank_reference}",
            who=caller.actor,
            resolution=caller.reason or "applied to the claims it pays",
        )


def _held(bank_reference: str, legal_entity_id: int) -> _Held:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, currency, value_date, unapplied_minor, reversed_date"
            " FROM payments_cashreceipt WHERE legal_entity_id = %s AND bank_reference = %s"
            " FOR NO KEY UPDATE",
            [legal_entity_id, bank_reference],
        )
        row = cursor.fetchone()
    if row is None:
        raise UnknownReceipt(bank_reference)
    return _Held(*row)


def _refuse_what_is_not_there(
    bank_reference: str, held: _Held, lines: Sequence[tuple[str, int]]
) -> None:
    asked_minor = sum(amount_minor for _, amount_minor in lines)
    there_minor = 0 if held.reversed_date else held.unapplied_minor
    if not lines or min(amount_minor for _, amount_minor in lines) <= 0:
        raise NotUnapplied(
            f"Nothing would be applied of receipt {bank_reference!r}: name at least one claim, "
            "each with an amount above zero."
        )
    if asked_minor > there_minor:
        raise NotUnapplied(
            f"Receipt {bank_reference!r} has {there_minor} {held.currency} minor units in "
            f"suspense, and {asked_minor} are to be applied. Apply no more than is there."
        )


def _refuse_what_pays_nothing(bank_reference: str, remitted: Sequence[Remitted]) -> None:
    if wrong := [line.because for line in remitted if line.because]:
        raise NotUnapplied(
            f"Receipt {bank_reference!r} cannot be applied so: {'; '.join(wrong)}. "
            "Name claims of ours and no more than is outstanding on each."
        )


def _lower(held: _Held, applied_minor: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_cashreceipt SET unapplied_minor = unapplied_minor - %s WHERE id = %s",
            [applied_minor, held.receipt_id],
        )
