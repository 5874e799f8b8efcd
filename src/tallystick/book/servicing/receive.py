"""Cash that names a loan or an advance: it pays where it can, and waits in suspense where not.

Cash that has arrived is never turned away. Where what it names is unknown, not paid out, settled,
another legal entity's or in another currency, it waits in suspense with a work item that says why;
``apply_to_loan`` lets it pay once somebody has found out what was meant.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection, transaction

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.models import Loan
from tallystick.book.parties.business_date import open_day
from tallystick.book.sales_credit.positions import AdvanceRow, advance_called
from tallystick.book.sales_credit.repay import advance_takes, locked_advance
from tallystick.book.sales_credit.shares import Shares
from tallystick.book.servicing.allocation import Share, allocate, lock_facilities
from tallystick.book.servicing.lines import CREDIT, Line
from tallystick.book.servicing.positions import LoanPosition, live_positions, positions_of
from tallystick.book.servicing.receipts import (
    Receipt,
    ReceiptConflict,
    UnknownReceipt,
    check_receipt,
    keep_receipts,
    kept_contents,
)
from tallystick.book.servicing.recording import NO_SHARES, Cash, record_cash
from tallystick.book.servicing.recover import recovery_lines
from tallystick.book.servicing.settled import Settled, settled_receipts
from tallystick.book.servicing.supplier_accounts import recovered_first
from tallystick.book.watch.worklist import close_items
from tallystick.rules.loan_events import EventKind
from tallystick.rules.refusal import Refusal
from tallystick.rules.settlement_terms import Sweep


class LoanTakesNothing(Refusal):
    """Cash in suspense cannot be applied to the loan that was named, or not so much of it."""


class _Place(NamedTuple):
    """Where cash goes: a loan, or an advance out of sales.

    ``because`` says why nowhere, and it stays in suspense.
    """

    loan: LoanPosition | None
    because: str
    advance: AdvanceRow | None = None


class _Taken(NamedTuple):
    """What cash came to: its lines, the loans paid, and what an advance took."""

    lines: list[Line]
    loans: Mapping[int, LoanPosition]
    shares: Shares


class _Held(NamedTuple):
    receipt_id: int
    currency: str
    value_date: date
    unapplied_minor: int


def receive(receipt: Receipt, loan: str, *, legal_entity_id: int, caller: Caller) -> Settled:
    """Take cash that names ``loan`` (its code), known by the bank's reference.

    It sweeps what the loan owes at the value date, in the programme's order for cash that names a
    loan, principal not yet due included; of a loan that was charged off it is recovered. The code
    of an advance out of sales does as well: what is above what is owed on it is the merchant's
    credit. What it cannot pay waits in suspense with a work item. Telling the same again answers
    as the first time.

    Raises InvalidReceipt, UnknownCurrency, ReceiptConflict.
    """
    told = Receipt(
        receipt.bank_reference,
        receipt.payer,
        receipt.currency,
        receipt.amount_minor,
        receipt.value_date,
        # What was named is a part of what a repetition is recognised by.
        ((f"loan:{loan}", receipt.amount_minor),),
    )
    reference = told.bank_reference
    with transaction.atomic():
        on = open_day(legal_entity_id)
        check_receipt(told, business_date=on)
        kept = kept_contents([reference], legal_entity_id=legal_entity_id)
        if reference not in kept:
            request = {
                "legal_entity_id": legal_entity_id,
                "bank_reference": reference,
                "content_sha256": told.content_sha256.hex(),
            }
            key = f"receive:{legal_entity_id}:{told.content_sha256.hex()}:{reference}"
            with once(caller, key=key, kind="receive_for_loan", request=request) as act:
                if act.earlier is None:
                    _take(told, loan, legal_entity_id, on, act.act_id)
                    act.answer({"bank_reference": reference})
            kept = kept_contents([reference], legal_entity_id=legal_entity_id)
        if kept.get(reference) != told.content_sha256:
            raise ReceiptConflict(reference)
        return settled_receipts(legal_entity_id, [reference])[reference]


def apply_to_loan(
    bank_reference: str,
    loan: str,
    amount_minor: int,
    *,
    legal_entity_id: int,
    caller: Caller,
    key: str,
) -> Settled:
    """Let cash that waits in suspense pay ``loan`` (its code), as of the day it arrived.

    Repeating ``key`` returns the first answer.

    Raises UnknownReceipt, LoanTakesNothing, KeyConflict.
    """
    request = {
        "bank_reference": bank_reference,
        "legal_entity_id": legal_entity_id,
        "loan": loan,
        "amount_minor": amount_minor,
    }
    with once(caller, key=key, kind="apply_to_loan", request=request) as act:
        if act.earlier is None:
            on = open_day(legal_entity_id)
            held = _held(bank_reference, legal_entity_id)
            if not 0 < amount_minor <= held.unapplied_minor:
                raise LoanTakesNothing(
                    f"Receipt {bank_reference!r} has {held.unapplied_minor} {held.currency} minor "
                    f"units in suspense, and {amount_minor} are to be applied. Apply 1 to what is "
                    "there."
                )
            place = _place_of(loan, held.currency, held.value_date, legal_entity_id)
            if place.because:
                raise LoanTakesNothing(
                    f"Receipt {bank_reference!r} cannot be applied so: {place.because}. "
                    "Name a live loan or advance of ours in the receipt's currency, or one "
                    "charged off."
                )
            taken = _taken(
                place,
                held.receipt_id,
                bank_reference,
                held.value_date,
                amount_minor,
                on,
                act.act_id,
            )
            cash = Cash(
                held.receipt_id,
                bank_reference,
                held.currency,
                amount_minor,
                held.value_date,
                0,
                (),
                was_held=True,
                kind=EventKind.REMITTED,
            )
            _record(cash, taken, legal_entity_id, on, act.act_id)
            _lower(held, amount_minor)
            if amount_minor == held.unapplied_minor:
                close_items(
                    legal_entity_id,
                    "unapplied_cash",
                    f"receipt:{bank_reference}",
                    who=caller.actor,
                    resolution=caller.reason or f"applied to loan {loan}",
                )
            act.answer({"bank_reference": bank_reference})
        return settled_receipts(legal_entity_id, [bank_reference])[bank_reference]


def _take(told: Receipt, loan: str, legal_entity_id: int, on: date, act_id: int) -> None:
    kept = keep_receipts([told], legal_entity_id=legal_entity_id, booking_date=on, act_id=act_id)
    if not kept:
        return
    (receipt_id,) = kept.values()
    place = _place_of(loan, told.currency, told.value_date, legal_entity_id)
    taken = _taken(
        place, receipt_id, told.bank_reference, told.value_date, told.amount_minor, on, act_id
    )
    cash = Cash(
        receipt_id,
        told.bank_reference,
        told.currency,
        told.amount_minor,
        told.value_date,
        told.amount_minor if place.because else 0,
        (place.because,) if place.because else (),
        kind=EventKind.REMITTED,
    )
    _record(cash, taken, legal_entity_id, on, act_id)


def _place_of(code: str, currency: str, value_date: date, legal_entity_id: int) -> _Place:
    """The loan or advance, its facility or line locked, if it can take cash of the currency."""
    row = (
        Loan.objects.filter(code=code, facility__legal_entity=legal_entity_id)
        .values_list("id", "facility_id")
        .first()
    )
    if row is None:
        return _advance_called(code, currency, value_date, legal_entity_id)
    loan_id, facility_id = row
    lock_facilities(legal_entity_id, facility_ids=[facility_id])
    loan = positions_of([loan_id])[loan_id]
    if loan.currency != currency:
        return _Place(None, f"loan {code} is in {loan.currency}")
    if loan.status not in ("live", "charged_off"):
        return _Place(None, f"loan {code} is {loan.status}")
    return _Place(loan, "")


def _advance_called(code: str, currency: str, value_date: date, legal_entity_id: int) -> _Place:
    found = advance_called(code)
    if found is None or found.legal_entity_id != legal_entity_id:
        return _Place(None, f"there is no loan or advance {code[:80]!r} of ours")
    advance = locked_advance(found)
    if advance.currency != currency:
        return _Place(None, f"advance {code} is in {advance.currency}")
    if advance.status not in ("live", "charged_off"):
        return _Place(None, f"advance {code} is {advance.status}")
    if advance.disbursed_date is None or value_date < advance.disbursed_date:
        return _Place(None, f"advance {code} was paid out on {advance.disbursed_date}")
    return _Place(None, "", advance)


def _taken(
    place: _Place,
    receipt_id: int,
    bank_reference: str,
    value_date: date,
    amount_minor: int,
    on: date,
    act_id: int,
) -> _Taken:
    """Where cash goes, under the lock of its place; nowhere, where there is none."""
    if place.advance is not None:
        lines, shares = advance_takes(
            place.advance,
            receipt_id,
            bank_reference,
            amount_minor,
            value_date=value_date,
            booking_date=on,
            act_id=act_id,
        )
        return _Taken(lines, {}, shares)
    if place.loan is not None:
        return _Taken(*_lines(receipt_id, value_date, amount_minor, place.loan, on), NO_SHARES)
    return _Taken([], {}, NO_SHARES)


def _lines(
    receipt_id: int, value_date: date, amount_minor: int, loan: LoanPosition, on: date
) -> tuple[list[Line], dict[int, LoanPosition]]:
    """Where cash for the loan goes, under the lock of its facility."""
    if loan.status == "charged_off":
        return recovery_lines(loan, receipt_id, amount_minor), {loan.loan_id: loan}
    loans = live_positions([loan.facility_id])
    share = Share(
        receipt_id,
        loan.facility_id,
        loan.loan_id,
        amount_minor,
        value_date,
        Sweep.ALL,
        kind=EventKind.REMITTED,
    )
    facilities = lock_facilities(loan.legal_entity_id, facility_ids=[loan.facility_id])
    allocated = allocate(
        [share], facilities=facilities, covers_minor={}, loans=loans, booking_date=on
    )
    lines = [
        Line(
            receipt_id,
            loan.supplier_id,
            loan.facility_id,
            each.loan_id,
            each.bucket or CREDIT,
            each.amount_minor,
        )
        for each in allocated
    ]
    return lines, loans


def _record(cash: Cash, taken: _Taken, legal_entity_id: int, on: date, act_id: int) -> None:
    record_cash(
        [cash],
        recovered_first(
            taken.lines, {cash.receipt_id: cash.currency}, legal_entity_id=legal_entity_id
        ),
        loans=taken.loans,
        shares=taken.shares,
        legal_entity_id=legal_entity_id,
        booking_date=on,
        act_id=act_id,
    )


def _held(bank_reference: str, legal_entity_id: int) -> _Held:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, currency, value_date,"
            " CASE WHEN reversed_date IS NULL THEN unapplied_minor ELSE 0 END"
            " FROM payments_cashreceipt WHERE legal_entity_id = %s AND bank_reference = %s"
            " FOR NO KEY UPDATE",
            [legal_entity_id, bank_reference],
        )
        row = cursor.fetchone()
    if row is None:
        raise UnknownReceipt(bank_reference)
    return _Held(*row)


def _lower(held: _Held, applied_minor: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_cashreceipt SET unapplied_minor = unapplied_minor - %s WHERE id = %s",
            [applied_minor, held.receipt_id],
        )
