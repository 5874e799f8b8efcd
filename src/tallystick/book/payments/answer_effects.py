"""What the bank's answers do: payouts made or released, entries posted, suppliers told."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book.ledger.post import post_many
from tallystick.book.payments.locked_orders import LockedOrder
from tallystick.book.payments.models import PaymentKind
from tallystick.book.sales_credit.payout import not_paid_out, paid_out
from tallystick.book.servicing.drawn import change_drawn
from tallystick.book.servicing.events import NewLoanEvent, record_events
from tallystick.book.servicing.fees import ARRANGEMENT_FEE
from tallystick.rules.accounting import (
    Booking,
    commitment_ended,
    fee_charged,
    loan_disbursed,
    paid_to_funder,
    paid_to_supplier,
)
from tallystick.rules.bank_answers import BankMessage, Outcome
from tallystick.rules.journal import JournalEntry
from tallystick.rules.loan_events import EventKind
from tallystick.rules.sales_accounting import advance_disbursed


class AppliedAnswer(NamedTuple):
    """The first answer to an order, and the order."""

    order: LockedOrder
    message: BankMessage


def apply_answers(
    applied: Sequence[AppliedAnswer], *, legal_entity_id: int, business_date: date, act_id: int
) -> None:
    """Do what the answers say, in the caller's transaction; ``paid`` counts from its value date."""
    if not applied:
        return
    _answer_orders(applied)
    entries, fates = _entries(applied, legal_entity_id, business_date)
    entry_ids = post_many(entries, act_id=act_id)
    paid = [each for each in applied if each.message.outcome == Outcome.PAID]
    rejected = [each for each in applied if each.message.outcome == Outcome.REJECTED]
    _seal_fates(fates, entry_ids, business_date)
    _disburse(paid, business_date, act_id)
    _release(rejected)
    _tell(applied, act_id)


def _answer_orders(applied: Iterable[AppliedAnswer]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_paymentorder AS payment SET status = answer.outcome"
            " FROM unnest(%s::bigint[], %s::text[]) AS answer (id, outcome)"
            " WHERE payment.id = answer.id",
            [[each.order.id for each in applied], [each.message.outcome for each in applied]],
        )


def _entries(
    applied: Iterable[AppliedAnswer], legal_entity_id: int, business_date: date
) -> tuple[list[JournalEntry], list[tuple[int, int, str]]]:
    """What is booked, and the fate of each reservation: (loan, place of its entry, fate)."""
    entries: list[JournalEntry] = []
    fates = []
    for order, message in applied:
        is_paid = message.outcome == Outcome.PAID
        booking = Booking(
            legal_entity_id=legal_entity_id,
            currency=message.currency,
            reference=order.subject,
            value_date=message.value_date,
            booking_date=business_date,
        )
        if order.loan_id:
            fates.append((order.loan_id, len(entries), "disbursed" if is_paid else "released"))
        if order.loan_id or order.advance_id:
            entries.append(
                commitment_ended(
                    booking,
                    book=order.book_id,
                    amount_minor=message.amount_minor,
                    commitment_entry=order.commitment_entry_id,
                )
            )
        if is_paid:
            entries.append(_paid_entry(order, booking, message.amount_minor))
            if order.fee_minor:
                entries.append(
                    fee_charged(booking, book=order.book_id, amount_minor=order.fee_minor)
                )
    return entries, fates


def _paid_entry(order: LockedOrder, booking: Booking, amount_minor: int) -> JournalEntry:
    if order.loan_id:
        return loan_disbursed(booking, book=order.book_id, amount_minor=amount_minor)
    if order.advance_id:
        return advance_disbursed(
            booking,
            book=order.book_id,
            amount_minor=amount_minor,
            fee_minor=order.advance_fee_minor,
        )
    paid_to = paid_to_funder if order.kind == PaymentKind.FUNDER else paid_to_supplier
    return paid_to(booking, party=order.beneficiary_id, amount_minor=amount_minor)


def _seal_fates(
    fates: Sequence[tuple[int, int, str]], entry_ids: Sequence[int], business_date: date
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE financing_reservation AS reservation"
            " SET fate = given.fate, fate_entry_id = given.entry_id, fate_date = %s"
            " FROM unnest(%s::bigint[], %s::text[], %s::bigint[])"
            "     AS given (loan_id, fate, entry_id)"
            " WHERE reservation.loan_id = given.loan_id AND reservation.fate = ''",
            [
                business_date,
                [loan_id for loan_id, _, _ in fates],
                [fate for _, _, fate in fates],
                [entry_ids[place] for _, place, _ in fates],
            ],
        )


def _disburse(paid: Iterable[AppliedAnswer], business_date: date, act_id: int) -> None:
    """The payouts, whole, and what arranging the loans costs."""
    events = []
    for order, message in paid:
        if not order.loan_id:
            continue
        payout = NewLoanEvent(
            loan_id=order.loan_id,
            kind=EventKind.DISBURSED,
            value_date=message.value_date,
            reference=f"bank:{message.bank_reference}",
            act_id=act_id,
            amount_minor=message.amount_minor,
        )
        events.append(payout)
        if order.fee_minor:
            fee = payout._replace(
                kind=EventKind.FEE_CHARGED,
                reference=ARRANGEMENT_FEE,
                amount_minor=order.fee_minor,
            )
            events.append(fee)
    record_events(events, booking_date=business_date)
    paid_out(
        {order.advance_id: message.value_date for order, message in paid if order.advance_id},
        booking_date=business_date,
    )


def _release(rejected: Sequence[AppliedAnswer]) -> None:
    """The limits are free again."""
    loan_ids = [order.loan_id for order, _ in rejected if order.loan_id]
    freed_minor: dict[int, int] = defaultdict(int)
    for order, message in rejected:
        if order.loan_id:
            freed_minor[order.facility_id] -= message.amount_minor
    change_drawn(freed_minor)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE financing_loan SET status = 'rejected' WHERE id = ANY(%s)", [loan_ids]
        )
    not_paid_out([order.advance_id for order, _ in rejected if order.advance_id])


def _tell(applied: Sequence[AppliedAnswer], act_id: int) -> None:
    """The supplier hears that its money has come, or why none came."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO acts_outboxmessage (act_id, topic, subject, payload)"
            " SELECT %s, 'payment_' || outcome, subject, payload::jsonb"
            " FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY"
            "     AS told (outcome, subject, payload, place) ORDER BY place",
            [
                act_id,
                [str(message.outcome) for _, message in applied],
                [order.subject for order, _ in applied],
                [json.dumps(details_of(message)) for _, message in applied],
            ],
        )


def details_of(message: BankMessage) -> dict[str, Any]:
    """A message in plain values, as worklists and the supplier's messages carry it."""
    return asdict(message) | {"value_date": message.value_date.isoformat()}
