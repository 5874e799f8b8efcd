"""Write down where cash went: loans' events, journal entries, payment orders, lines, work items."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.ledger.post import post_many
from tallystick.book.payments.models import PaymentKind
from tallystick.book.payments.orders import NewPayment, order_payments
from tallystick.book.sales_credit.shares import Shares, record_shares
from tallystick.book.servicing.events import NewLoanEvent, record_on
from tallystick.book.servicing.lines import (
    CREDIT,
    RECOVERED,
    RECOVERY,
    RESIDUAL,
    Line,
    kinds_by_loan,
)
from tallystick.book.servicing.positions import LoanPosition
from tallystick.book.servicing.supplier_accounts import tell_of_credit
from tallystick.book.watch.worklist import NewItem, open_items
from tallystick.rules.accounting import (
    Allocation,
    Booking,
    cash_received,
    receipt_allocated,
    suspense_applied,
)
from tallystick.rules.journal import JournalEntry
from tallystick.rules.loan_events import EventKind

NO_SHARES = Shares([], {}, [])
"""Of cash out of which nothing is kept for advances."""


class Cash(NamedTuple):
    """Cash of a receipt that is booked now; ``suspense_minor`` of it names no claim.

    ``was_held``: it has waited in suspense since it arrived. ``kind``: what it is to live loans.
    """

    receipt_id: int
    bank_reference: str
    currency: str
    amount_minor: int
    value_date: date
    suspense_minor: int
    because: Sequence[str]
    was_held: bool = False
    kind: EventKind = EventKind.RECEIVED


def record_cash(
    cash: Sequence[Cash],
    lines: Sequence[Line],
    *,
    loans: Mapping[int, LoanPosition],
    legal_entity_id: int,
    booking_date: date,
    act_id: int,
    shares: Shares = NO_SHARES,
) -> None:
    """Record receipts with all their lines, which with the unapplied part sum to the cash.

    Part of the caller's transaction; ``loans`` are those paid, read under lock, and ``shares`` what
    was kept for advances out of sales.
    """
    lines_of: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        lines_of[line.receipt_id].append(line)
    paid = {each.receipt_id: kinds_by_loan(lines_of[each.receipt_id]) for each in cash}
    post_many(
        [
            entry
            for each in cash
            for entry in _entries(
                each,
                _allocation(each, lines_of[each.receipt_id], paid[each.receipt_id], loans, shares),
                legal_entity_id,
                booking_date,
            )
        ],
        act_id=act_id,
    )
    record_on(loans, _events(cash, paid, act_id), booking_date=booking_date)
    record_shares(shares, booking_date=booking_date)
    currency_of = {each.receipt_id: each.currency for each in cash}
    _keep_lines(
        lines,
        _order_residuals(
            lines,
            currency_of,
            legal_entity_id=legal_entity_id,
            ordered_date=booking_date,
            act_id=act_id,
        ),
    )
    _keep_unapplied(cash, legal_entity_id, booking_date)
    tell_of_credit(
        legal_entity_id,
        {
            (line.supplier_id, currency_of[line.receipt_id])
            for line in lines
            if line.bucket == CREDIT
        },
        because="more was repaid than was owed",
        on=booking_date,
    )


def _entries(
    cash: Cash, allocation: Allocation, legal_entity_id: int, booking_date: date
) -> Iterable[JournalEntry]:
    """Cash into clearing, and out of it to whatever it met; out of suspense where it was held."""
    booking = Booking(
        legal_entity_id=legal_entity_id,
        currency=cash.currency,
        reference=f"receipt:{cash.bank_reference}",
        value_date=cash.value_date,
        booking_date=booking_date,
    )
    if cash.was_held:
        yield suspense_applied(booking, allocation)
    else:
        yield cash_received(booking, amount_minor=cash.amount_minor)
        yield receipt_allocated(booking, allocation)


def _allocation(
    cash: Cash,
    lines: Iterable[Line],
    paid: Mapping[int, Mapping[str, int]],
    loans: Mapping[int, LoanPosition],
    shares: Shares,
) -> Allocation:
    by_book: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for loan_id, by_kind in paid.items():
        book = by_book[loans[loan_id].book_id]
        for kind, amount_minor in by_kind.items():
            book[kind] += amount_minor
    by_bucket: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    of_advances: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        if line.advance_id is not None:
            of_advances[shares.advances[line.advance_id].book_id][line.bucket] += line.amount_minor
        elif line.is_suppliers:
            by_bucket[line.bucket][line.supplier_id] += line.amount_minor
    return Allocation(
        loans=by_book,
        credit=by_bucket[CREDIT],
        payable=by_bucket[RESIDUAL],
        recovered=by_bucket[RECOVERED],
        suspense_minor=cash.suspense_minor,
        advances=of_advances,
    )


def _events(
    cash: Iterable[Cash], paid: Mapping[int, Mapping[int, Mapping[str, int]]], act_id: int
) -> list[NewLoanEvent]:
    """One receipt, or recovery, for each loan that got any of a receipt's cash."""
    return [
        NewLoanEvent(
            loan_id=loan_id,
            kind=EventKind.RECOVERED if RECOVERY in by_kind else each.kind,
            value_date=each.value_date,
            reference=f"receipt:{each.bank_reference}",
            act_id=act_id,
            amount_minor=sum(by_kind.values()),
            booked=by_kind,
        )
        for each in cash
        for loan_id, by_kind in paid[each.receipt_id].items()
    ]


def _order_residuals(
    lines: Iterable[Line],
    currency_of: Mapping[int, str],
    *,
    legal_entity_id: int,
    ordered_date: date,
    act_id: int,
) -> dict[Line, str]:
    """Each residual is ordered to be paid out; returns the orders' end-to-end ids."""
    residuals = [line for line in lines if line.bucket == RESIDUAL]
    end_to_end_ids = order_payments(
        [
            NewPayment(
                PaymentKind.RESIDUAL,
                beneficiary_id=line.supplier_id,
                currency=currency_of[line.receipt_id],
                amount_minor=line.amount_minor,
                facility_id=line.facility_id,
            )
            for line in residuals
        ],
        legal_entity_id=legal_entity_id,
        ordered_date=ordered_date,
        act_id=act_id,
    )
    return dict(zip(residuals, end_to_end_ids, strict=True))


def _keep_lines(lines: Sequence[Line], orders: Mapping[Line, str]) -> None:
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO servicing_settlementline (receipt_id, supplier_id, facility_id, loan_id,"
            " advance_id, bucket, amount_minor, payment_id)"
            " SELECT receipt_id, supplier_id, line.facility_id, line.loan_id, line.advance_id,"
            " bucket, line.amount_minor, payment.id"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
            " %s::text[], %s::bigint[], %s::text[]) WITH ORDINALITY AS line"
            " (receipt_id, supplier_id, facility_id, loan_id, advance_id, bucket, amount_minor,"
            " ordered, place)"
            " LEFT JOIN payments_paymentorder AS payment ON payment.end_to_end_id = line.ordered"
            " ORDER BY place",
            [
                plain([line.receipt_id for line in lines]),
                plain([line.supplier_id for line in lines]),
                plain([line.facility_id for line in lines]),
                plain([line.loan_id for line in lines]),
                plain([line.advance_id for line in lines]),
                plain([line.bucket for line in lines]),
                plain([line.amount_minor for line in lines]),
                plain([orders.get(line) for line in lines]),
            ],
        )


def _keep_unapplied(cash: Iterable[Cash], legal_entity_id: int, booking_date: date) -> None:
    unapplied = [each for each in cash if each.suspense_minor]
    if not unapplied:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_cashreceipt AS receipt SET unapplied_minor = left_over.minor"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS left_over (id, minor)"
            " WHERE receipt.id = left_over.id",
            [
                [each.receipt_id for each in unapplied],
                [each.suspense_minor for each in unapplied],
            ],
        )
    open_items(
        legal_entity_id,
        [
            NewItem(
                "unapplied_cash",
                f"receipt:{each.bank_reference}",
                {
                    "currency": each.currency,
                    "unapplied_minor": each.suspense_minor,
                    "because": list(each.because)[:100],
                    "remedy": "Find out which claims it pays and apply it to them, "
                    "or reverse the receipt.",
                },
            )
            for each in unapplied
        ],
        on=booking_date,
    )
