"""Take what the bank says about our orders: paid or rejected, once; the rest is for a person."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.business_date import open_day
from tallystick.book.payments.answer_effects import AppliedAnswer, apply_answers, details_of
from tallystick.book.payments.locked_orders import LockedOrder, locked_orders
from tallystick.book.watch.worklist import NewItem, open_items
from tallystick.rules.bank_answers import (
    BankMessage,
    Effect,
    Judgement,
    Outcome,
    judged,
)

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
    orders = locked_orders({message.end_to_end_id for message in messages}, legal_entity_id)
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
            applied.append(AppliedAnswer(order, message))
            references[message.bank_reference] = message.end_to_end_id
            orders[message.end_to_end_id] = order._replace(
                state=replace(order.state, answer=message)
            )
    _keep(messages, judgements, orders, legal_entity_id, booking_date=business_date, act_id=act_id)
    apply_answers(
        applied, legal_entity_id=legal_entity_id, business_date=business_date, act_id=act_id
    )
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
    orders: dict[str, LockedOrder],
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
        details = details_of(message)
        if judgement.effect is not Effect.APPLIED:
            kind = f"bank_answer_{judgement.effect}"
            subject = f"payment:{message.end_to_end_id}:{message.bank_reference}"
            items.append(NewItem(kind, subject, details | {"why": judgement.why}))
        elif message.outcome == Outcome.REJECTED:
            items.append(NewItem("failed_payout", f"payment:{message.end_to_end_id}", details))
    open_items(legal_entity_id, items, on=on)
