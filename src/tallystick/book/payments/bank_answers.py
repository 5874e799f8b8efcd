"""Take what the bank says about our orders: paid or rejected, once; the rest is for a person."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.programmes import terms_with
from tallystick.book.ledger.post import post_many
from tallystick.book.parties.business_date import open_day
from tallystick.book.payments.models import PaymentKind
from tallystick.book.sales_credit.payout import lock_lines_of_orders, not_paid_out, paid_out
from tallystick.book.servicing.drawn import change_drawn
from tallystick.book.servicing.events import NewLoanEvent, record_events
from tallystick.book.servicing.fees import ARRANGEMENT_FEE
from tallystick.book.watch.worklist import NewItem, open_items
from tallystick.rules.accounting import (
    Booking,
    commitment_ended,
    fee_charged,
    loan_disbursed,
    paid_to_funder,
    paid_to_supplier,
)
from tallystick.rules.bank_answers import (
    BankMessage,
    Effect,
    Judgement,
    OrderState,
    Outcome,
    judged,
)
from tallystick.rules.fee_terms import arrangement_fee_minor
from tallystick.rules.journal import JournalEntry
from tallystick.rules.loan_events import EventKind
from tallystick.rules.sales_accounting import advance_disbursed

BANK_LOCK = 7104
"""First key of the advisory locks under which an entity's bank is heard; see
``parties.business_date`` for the others. The second is the entity's id."""


@dataclass(frozen=True, slots=True)
class AnswerTaken:
    """What became of a message; ``why`` says so where it changed nothing."""

    bank_reference: str
    end_to_end_id: str
    effect: str
    why: str


class _Order(NamedTuple):
    """A payment order with what its answer touches, read under lock."""

    id: int
    end_to_end_id: str
    kind: str
    beneficiary_id: int
    facility_id: int | None
    state: OrderState
    loan_id: int | None
    loan_code: str | None
    book_id: int | None
    commitment_entry_id: int | None
    advance_id: int | None
    advance_code: str | None
    advance_fee_minor: int
    programme_sha256: bytes | None

    @property
    def fee_minor(self) -> int:
        """What arranging the loan costs, once it is paid out."""
        if self.programme_sha256 is None:
            return 0
        return arrangement_fee_minor(
            self.state.amount_minor, terms_with(bytes(self.programme_sha256)).fees
        )


class _Applied(NamedTuple):
    order: _Order
    message: BankMessage


def take_answers(
    messages: Sequence[BankMessage], *, legal_entity_id: int, caller: Caller, key: str
) -> list[AnswerTaken]:
    """Apply each message that answers an order of ours for the first time; keep them all.

    ``paid`` makes a pending loan live from the bank's value date; ``rejected`` releases what was
    reserved for it and puts the payout on a worklist. A message that repeats or contradicts
    another, or names no order, changes nothing and goes to a worklist too. In one transaction,
    in the order given; repeating ``key`` returns the first answer.
    """
    request = {"messages": [asdict(message) for message in messages]}
    with once(caller, key=key, kind="take_answers", request=request) as act:
        if act.earlier is None:
            taken = _taken(messages, legal_entity_id=legal_entity_id, act_id=act.act_id)
            act.answer({"taken": [asdict(each) for each in taken]})
    answer = act.earlier or act.given
    return [AnswerTaken(**each) for each in answer["taken"]]


def _taken(
    messages: Sequence[BankMessage], *, legal_entity_id: int, act_id: int
) -> list[AnswerTaken]:
    business_date = open_day(legal_entity_id)
    # Two batches could hold one new reference for two orders, and neither would see the other's.
    hold_bank(legal_entity_id)
    orders = _locked_orders({message.end_to_end_id for message in messages}, legal_entity_id)
    references = _applied_references(
        {message.bank_reference for message in messages}, legal_entity_id
    )
    judgements = []
    applied = []
    for message in messages:
        order = orders.get(message.end_to_end_id)
        judgement = judged(
            message,
            order.state if order else None,
            business_date=business_date,
            reference_used_for=references.get(message.bank_reference),
        )
        judgements.append(judgement)
        if order and judgement.effect is Effect.APPLIED:
            applied.append(_Applied(order, message))
            references[message.bank_reference] = message.end_to_end_id
            orders[message.end_to_end_id] = order._replace(
                state=replace(order.state, answer=message)
            )
    _keep(messages, judgements, orders, legal_entity_id, booking_date=business_date, act_id=act_id)
    _apply(applied, legal_entity_id=legal_entity_id, business_date=business_date, act_id=act_id)
    _put_on_worklists(messages, judgements, legal_entity_id, on=business_date)
    return [
        AnswerTaken(
            message.bank_reference, message.end_to_end_id, str(judgement.effect), judgement.why
        )
        for message, judgement in zip(messages, judgements, strict=True)
    ]


def hold_bank(legal_entity_id: int) -> None:
    """Let no other transaction take answers until this one ends; after ``open_day``."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [BANK_LOCK, legal_entity_id])


def _locked_orders(end_to_end_ids: set[str], legal_entity_id: int) -> dict[str, _Order]:
    """Our orders by end-to-end id, locked: their facilities first, as everywhere."""
    asked = {"ids": sorted(end_to_end_ids), "legal_entity": legal_entity_id}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM financing_facility WHERE id IN ("
            "     SELECT facility_id FROM payments_paymentorder"
            "     WHERE end_to_end_id = ANY(%(ids)s) AND legal_entity_id = %(legal_entity)s)"
            " ORDER BY id FOR NO KEY UPDATE",
            asked,
        )
        lock_lines_of_orders(sorted(end_to_end_ids), legal_entity_id)
        cursor.execute(
            "SELECT FROM payments_paymentorder WHERE end_to_end_id = ANY(%(ids)s)"
            " AND legal_entity_id = %(legal_entity)s ORDER BY id FOR NO KEY UPDATE",
            asked,
        )
        # A statement of its own: what it reads is as fresh as the locks.
        cursor.execute(
            "SELECT payment.id, payment.end_to_end_id, payment.kind, payment.beneficiary_id,"
            "     payment.facility_id, payment.amount_minor, payment.currency,"
            "     payment.ordered_date, answer.bank_reference, answer.outcome, answer.value_date,"
            "     loan.id, loan.code, coalesce(loan.book_id, advance.book_id),"
            "     coalesce(reservation.entry_id, advance.commitment_id), advance.id, advance.code,"
            "     coalesce(advance.fee_minor, 0), programme.sha256"
            " FROM payments_paymentorder AS payment"
            " LEFT JOIN payments_bankanswer AS answer"
            "   ON answer.order_id = payment.id AND answer.effect = 'applied'"
            " LEFT JOIN financing_loan AS loan ON loan.id = payment.loan_id"
            " LEFT JOIN financing_reservation AS reservation ON reservation.loan_id = loan.id"
            " LEFT JOIN sales_credit_advance AS advance ON advance.id = payment.advance_id"
            " LEFT JOIN financing_facility AS facility ON facility.id = loan.facility_id"
            " LEFT JOIN financing_programme AS programme ON programme.id = facility.programme_id"
            " WHERE payment.end_to_end_id = ANY(%(ids)s)"
            "   AND payment.legal_entity_id = %(legal_entity)s",
            asked,
        )
        return {row[1]: _order(*row) for row in cursor.fetchall()}


def _order(
    order_id: int,
    end_to_end_id: str,
    kind: str,
    beneficiary_id: int,
    facility_id: int | None,
    amount_minor: int,
    currency: str,
    ordered_date: date,
    bank_reference: str | None,
    outcome: str,
    value_date: date,
    *paid_out: Any,
) -> _Order:
    answer = bank_reference and BankMessage(
        bank_reference, end_to_end_id, outcome, amount_minor, currency, value_date
    )
    state = OrderState(amount_minor, currency, ordered_date, answer or None)
    return _Order(order_id, end_to_end_id, kind, beneficiary_id, facility_id, state, *paid_out)


def _applied_references(references: set[str], legal_entity_id: int) -> dict[str, str]:
    """Of these references, those already applied, with the end-to-end id of their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bank_reference, end_to_end_id FROM payments_bankanswer"
            " WHERE legal_entity_id = %s AND bank_reference = ANY(%s) AND effect = 'applied'",
            [legal_entity_id, sorted(references)],
        )
        return dict(cursor.fetchall())


def _keep(
    messages: Sequence[BankMessage],
    judgements: Sequence[Judgement],
    orders: dict[str, _Order],
    legal_entity_id: int,
    *,
    booking_date: date,
    act_id: int,
) -> None:
    named = [orders.get(message.end_to_end_id) for message in messages]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_bankanswer (legal_entity_id, bank_reference, end_to_end_id,"
            "     order_id, outcome, amount_minor, currency, value_date, reason, effect,"
            "     booking_date, act_id)"
            " SELECT %s, bank_reference, end_to_end_id, order_id, outcome, amount_minor, currency,"
            "     value_date, reason, effect, %s, %s"
            " FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::bigint[],"
            "     %s::text[], %s::date[], %s::text[], %s::text[]) WITH ORDINALITY AS answer"
            "     (bank_reference, end_to_end_id, order_id, outcome, amount_minor, currency,"
            "      value_date, reason, effect, place)"
            " ORDER BY place",
            [
                legal_entity_id,
                booking_date,
                act_id,
                [message.bank_reference for message in messages],
                [message.end_to_end_id for message in messages],
                [order and order.id for order in named],
                [str(message.outcome) for message in messages],
                [message.amount_minor for message in messages],
                [message.currency for message in messages],
                [message.value_date for message in messages],
                [message.reason for message in messages],
                [str(judgement.effect) for judgement in judgements],
            ],
        )


def _apply(
    applied: Sequence[_Applied], *, legal_entity_id: int, business_date: date, act_id: int
) -> None:
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


def _answer_orders(applied: Iterable[_Applied]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_paymentorder AS payment SET status = answer.outcome"
            " FROM unnest(%s::bigint[], %s::text[]) AS answer (id, outcome)"
            " WHERE payment.id = answer.id",
            [[each.order.id for each in applied], [each.message.outcome for each in applied]],
        )


def _entries(
    applied: Iterable[_Applied], legal_entity_id: int, business_date: date
) -> tuple[list[JournalEntry], list[tuple[int, int, str]]]:
    """What is booked, and the fate of each reservation: (loan, place of its entry, fate)."""
    entries: list[JournalEntry] = []
    fates = []
    for order, message in applied:
        is_paid = message.outcome == Outcome.PAID
        booking = Booking(
            legal_entity_id=legal_entity_id,
            currency=message.currency,
            reference=_subject(order),
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


def _paid_entry(order: _Order, booking: Booking, amount_minor: int) -> JournalEntry:
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


def _disburse(paid: Iterable[_Applied], business_date: date, act_id: int) -> None:
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


def _release(rejected: Sequence[_Applied]) -> None:
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


def _tell(applied: Sequence[_Applied], act_id: int) -> None:
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
                [_subject(order) for order, _ in applied],
                [json.dumps(_details(message)) for _, message in applied],
            ],
        )


def _put_on_worklists(
    messages: Iterable[BankMessage],
    judgements: Iterable[Judgement],
    legal_entity_id: int,
    *,
    on: date,
) -> None:
    """Whatever a person has to look at: payouts that failed, and messages that changed nothing."""
    items = []
    for message, judgement in zip(messages, judgements, strict=True):
        details = _details(message)
        if judgement.effect is not Effect.APPLIED:
            kind = f"bank_answer_{judgement.effect}"
            subject = f"payment:{message.end_to_end_id}:{message.bank_reference}"
            items.append(NewItem(kind, subject, details | {"why": judgement.why}))
        elif message.outcome == Outcome.REJECTED:
            items.append(NewItem("failed_payout", f"payment:{message.end_to_end_id}", details))
    open_items(legal_entity_id, items, on=on)


def _subject(order: _Order) -> str:
    if order.loan_id:
        return f"loan:{order.loan_code}"
    if order.advance_id:
        return f"advance:{order.advance_code}"
    return f"payment:{order.end_to_end_id}"


def _details(message: BankMessage) -> dict[str, Any]:
    return asdict(message) | {"value_date": message.value_date.isoformat()}
