"""Take a receipt back, whole: the bank had credited in error, or the cash was another's."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.ledger.post import journal_entry, post
from tallystick.book.ledger.post import reverse as reverse_entry
from tallystick.book.parties.business_date import open_day
from tallystick.book.sales_credit.lines import lock_lines
from tallystick.book.sales_credit.reverse import reverse_shares
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.events import NewLoanEvent, record_events
from tallystick.book.servicing.lines import Line, kinds_by_loan
from tallystick.book.servicing.receipts import UnknownReceipt
from tallystick.book.servicing.supplier_accounts import let_be_due
from tallystick.book.trade.pay_claims import ClaimPayment, reverse_payments
from tallystick.book.watch.worklist import close_items
from tallystick.rules.accounting import ADVANCE_ACCOUNT_OF, RECEIVABLE_OF, Booking
from tallystick.rules.journal import AccountName, credit, debit
from tallystick.rules.loan_events import RECEIPTS, EventKind
from tallystick.rules.refusal import Refusal


class ReceiptReversedAlready(Refusal):
    """A receipt is taken back once."""

    def __init__(self, bank_reference: str, reversed_date: date) -> None:
        self.bank_reference = bank_reference
        super().__init__(
            f"Receipt {bank_reference!r} was taken back on {reversed_date} already. "
            "Should it stand after all, send it again under a reference of its own."
        )


class _Kept(NamedTuple):
    receipt_id: int
    currency: str
    value_date: date
    reversed_date: date | None


def reverse_receipt(
    bank_reference: str, *, legal_entity_id: int, caller: Caller, key: str
) -> list[int]:
    """Undo a receipt in the open business day; returns the entries that reverse its entries.

    The claims it paid are outstanding again. Its loans are refolded as if it had never been: cash
    received since may now meet other debts, and the ledger gets that difference. What had been
    paid out to the supplier is not clawed back: it is due from him. ``caller.reason`` says why.

    Raises UnknownReceipt, ReceiptReversedAlready, KeyConflict.
    """
    request = {"bank_reference": bank_reference, "legal_entity_id": legal_entity_id}
    with once(caller, key=key, kind="reverse_receipt", request=request) as act:
        if act.earlier is None:
            entry_ids = _reversed(bank_reference, legal_entity_id, caller, act.act_id)
            act.answer({"entry_ids": entry_ids})
        return list((act.earlier or act.given)["entry_ids"])


def _reversed(bank_reference: str, legal_entity_id: int, caller: Caller, act_id: int) -> list[int]:
    business_date = open_day(legal_entity_id)
    reference = f"receipt:{bank_reference}"
    receipt = _marked(bank_reference, legal_entity_id, business_date)
    lines = _lines(receipt.receipt_id)
    suppliers = {line.supplier_id for line in lines}
    lock_facilities(legal_entity_id, supplier_ids=suppliers)
    sales_lines = lock_lines(legal_entity_id, merchant_ids=suppliers)
    reverse_payments(
        _payments(receipt.receipt_id),
        value_date=receipt.value_date,
        booking_date=business_date,
        act_id=act_id,
    )
    entry_ids = [
        reverse_entry(entry_id, event="receipt_reversed", booking_date=business_date, act_id=act_id)
        for entry_id in _entries(legal_entity_id, reference)
    ]
    changes = record_events(_reversals(reference, lines, act_id), booking_date=business_date)
    advances = reverse_shares(
        reference,
        lines,
        line_ids=[line.line_id for line in sales_lines],
        booking_date=business_date,
        act_id=act_id,
    )
    _follow_books(
        {change.after.loan_id: change.after.book_id for change in changes.values()},
        {advance.advance_id: advance.book_id for advance in advances},
        lines,
        entry_ids,
        legal_entity_id=legal_entity_id,
        receipt=receipt,
        reference=reference,
        booking_date=business_date,
        act_id=act_id,
    )
    let_be_due(
        legal_entity_id,
        {(line.supplier_id, receipt.currency) for line in lines},
        reference=reference,
        booking_date=business_date,
        act_id=act_id,
    )
    close_items(
        legal_entity_id,
        "unapplied_cash",
        reference,
        who=caller.actor,
        resolution="the receipt was taken back",
    )
    return entry_ids


def _lines(receipt_id: int) -> list[Line]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT receipt_id, supplier_id, facility_id, loan_id, bucket, amount_minor,"
            " advance_id"
            " FROM servicing_settlementline WHERE receipt_id = %s ORDER BY id",
            [receipt_id],
        )
        return [Line(*row) for row in cursor.fetchall()]


def _marked(bank_reference: str, legal_entity_id: int, business_date: date) -> _Kept:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, currency, value_date, reversed_date FROM payments_cashreceipt"
            " WHERE legal_entity_id = %s AND bank_reference = %s FOR NO KEY UPDATE",
            [legal_entity_id, bank_reference],
        )
        row = cursor.fetchone()
        if row is None:
            raise UnknownReceipt(bank_reference)
        receipt = _Kept(*row)
        if receipt.reversed_date is not None:
            raise ReceiptReversedAlready(bank_reference, receipt.reversed_date)
        cursor.execute(
            "UPDATE payments_cashreceipt SET reversed_date = %s WHERE id = %s",
            [business_date, receipt.receipt_id],
        )
    return receipt


def _payments(receipt_id: int) -> list[ClaimPayment]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim_id, amount_minor FROM payments_remittanceline"
            " WHERE receipt_id = %s ORDER BY id",
            [receipt_id],
        )
        return [ClaimPayment(*row) for row in cursor.fetchall()]


def _entries(legal_entity_id: int, reference: str) -> list[int]:
    """The receipt's own entries; what refolds and recoveries booked stays as it was learned."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM ledger_entry WHERE legal_entity_id = %s AND reference = %s"
            " AND event IN ('cash_received', 'receipt_allocated', 'suspense_applied') ORDER BY id",
            [legal_entity_id, reference],
        )
        return [entry_id for (entry_id,) in cursor.fetchall()]


def _reversals(reference: str, lines: Sequence[Line], act_id: int) -> list[NewLoanEvent]:
    """A reversal of each event that the receipt made; its entries gave what is taken back here.

    The lines say what all of the receipt's events on a loan came to, so the first tells it.
    """
    booked = kinds_by_loan(list(lines))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loan_id, id, value_date FROM servicing_loanevent"
            " WHERE loan_id = ANY(%s) AND reference = %s AND kind = ANY(%s) ORDER BY id",
            [list(booked), reference, [*RECEIPTS, EventKind.RECOVERED]],
        )
        received = cursor.fetchall()
    return [
        NewLoanEvent(
            loan_id=loan_id,
            kind=EventKind.REVERSED,
            value_date=value_date,
            reference=reference,
            act_id=act_id,
            reverses=event_id,
            booked={kind: -amount for kind, amount in booked.pop(loan_id, {}).items()},
        )
        for loan_id, event_id, value_date in received
    ]


def _follow_books(
    books_of_loans: Mapping[int, int],
    books_of_advances: Mapping[int, int],
    lines: Sequence[Line],
    entry_ids: Sequence[int],
    *,
    legal_entity_id: int,
    receipt: _Kept,
    reference: str,
    booking_date: date,
    act_id: int,
) -> None:
    """Bring what was taken back to the books in which loans and advances are now.

    The reversed entries owe it to the books in which they were when they were paid.
    """
    if not books_of_loans and not books_of_advances:
        return
    owed_minor: dict[tuple[int, str], int] = defaultdict(int)
    for loan_id, by_kind in kinds_by_loan(lines).items():
        for kind, amount_minor in by_kind.items():
            owed_minor[books_of_loans[loan_id], RECEIVABLE_OF[kind]] += amount_minor
    for line in lines:
        if line.advance_id is not None:
            account = ADVANCE_ACCOUNT_OF[line.bucket]
            owed_minor[books_of_advances[line.advance_id], account] += line.amount_minor
    for entry_id in entry_ids:
        for posting in journal_entry(entry_id).postings:
            if posting.account.book is not None:
                key = (posting.account.book, posting.account.name)
                owed_minor[key] -= posting.side * posting.amount_minor
    postings = [
        (debit if minor > 0 else credit)(AccountName(name, book=book_id), abs(minor))
        for (book_id, name), minor in sorted(owed_minor.items())
        if minor
    ]
    if postings:
        booking = Booking(
            legal_entity_id, receipt.currency, reference, receipt.value_date, booking_date
        )
        post(booking.entry("book_changed", *postings), act_id=act_id)
