"""Letters and other messages: made ready once per step, sent once, kept as they were sent.

A letter waits in its table until a worker claims it: the claim is a lease, so that one whose
sender died is tried again under the same message id. Its text is written at the first claim and
stays. A letter of a case that has ended is withdrawn instead.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from tallystick.book.acts.once import Caller, once
from tallystick.book.collections.correspondence import WrittenTo, written_to
from tallystick.book.collections.ladders import Account
from tallystick.book.collections.models import Case, Message, MessageState
from tallystick.book.collections.past_due import LateLoan
from tallystick.book.parties.models import LegalEntity, Party
from tallystick.book.watch.worklist import NewItem, close_items, open_items
from tallystick.rules.dunning import Channel, Recipient, Step
from tallystick.rules.refusal import Refusal

TOPIC = "dunning_due"
TASK = "dunning_task"
UNDELIVERABLE = "dunning_undeliverable"

MAX_ATTEMPTS = 8
LEASE = timedelta(minutes=5)
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)


class MessageNotDead(Refusal):
    """The letter is not there, or was not given up."""

    def __init__(self, message_id: int) -> None:
        self.message_id = message_id
        super().__init__(
            f"There is no letter {message_id} that was given up. Letters that wait are sent "
            "without being asked; look at the case and name one that was given up."
        )


class NoAddress(Refusal):
    """The firm has no address that the letter could go to."""

    def __init__(self, message_id: int) -> None:
        self.message_id = message_id
        super().__init__(
            f"Letter {message_id} has no address to go to. Say how the firm is written to, or add "
            "a user of the firm."
        )


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A step that is due in a case, by which clause, and the loans it is about."""

    case: Case
    step: Step
    clause: str
    late: tuple[LateLoan, ...]


@dataclass(frozen=True, slots=True)
class DueLetter:
    """A letter claimed for one attempt. ``subject`` and ``body`` are empty before the first."""

    message_id: int
    attempts: int
    letter: str
    language: str
    addresses: tuple[str, ...]
    facts: Mapping[str, Any]
    subject: str
    body: str


def make_ready(
    messages: Sequence[NewMessage],
    *,
    legal_entity_id: int,
    accounts: Mapping[str, Account],
    on: date,
    act_id: int,
) -> dict[str, int]:
    """Keep these messages, in the caller's transaction; returns how many by channel.

    Letters wait to be sent; an event goes to the outbox and a task to the worklist at once. A
    letter to nobody is given up at once, and somebody is told.
    """
    if not messages:
        return {}
    entity = LegalEntity.objects.select_related("party").get(pk=legal_entity_id)
    names = dict(
        Party.objects.filter(pk__in={each.case.party_id for each in messages}).values_list(
            "id", "name"
        )
    )
    codes = dict(Party.objects.filter(pk__in=names).values_list("id", "code"))
    firms = written_to(names)
    officers = _officers(messages)
    rows = []
    for each in messages:
        to = _to(each, firms, officers)
        facts = _facts(each, names[each.case.party_id], entity.party.name, accounts, on)
        rows.append(_row(each, to, facts, on, act_id))
    kept = Message.objects.bulk_create(rows)
    _tell(kept, codes, legal_entity_id, on, act_id)
    return dict(Counter(str(each.step.channel) for each in messages))


def claim() -> DueLetter | None:
    """The next letter to be sent, for this caller to attempt; None where nothing is due.

    Letters of cases that have ended meanwhile are withdrawn on the way.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE collections_message AS message SET state = 'withdrawn', next_attempt_at = NULL"
            " FROM collections_case AS held WHERE held.id = message.case_id"
            " AND message.state = 'waiting' AND held.closed_date IS NOT NULL"
        )
        cursor.execute(
            "UPDATE collections_message SET attempts = attempts + 1, next_attempt_at = now() + %s"
            " WHERE id = (SELECT id FROM collections_message"
            "   WHERE state = 'waiting' AND next_attempt_at <= now()"
            "   ORDER BY next_attempt_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)"
            " RETURNING id, attempts, letter, language, addresses, facts, subject, body",
            [LEASE],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    message_id, attempts, letter, language, addresses, facts, subject, body = row
    return DueLetter(
        message_id,
        attempts,
        letter,
        language,
        tuple(json.loads(addresses)),
        json.loads(facts),
        subject,
        body,
    )


def keep_text(due: DueLetter, *, subject: str, body: str) -> None:
    """Write the letter's words before it is first sent; they are never changed."""
    Message.objects.filter(pk=due.message_id, body="").update(subject=subject, body=body)


def record_sent(due: DueLetter) -> None:
    """It has left; where another attempt has taken over, that one says so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE collections_message SET state = 'sent', sent_at = now(), last_error = '',"
            " next_attempt_at = NULL WHERE id = %s AND attempts = %s AND state = 'waiting'",
            [due.message_id, due.attempts],
        )


def record_failed(due: DueLetter, error: str) -> None:
    """It could not be sent: tried again later, or given up and put on the worklist."""
    delay = min(FIRST_DELAY * 2 ** (due.attempts - 1), LONGEST_DELAY)
    is_last = due.attempts >= MAX_ATTEMPTS
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE collections_message SET last_error = %s,"
            " state = CASE WHEN %s THEN 'dead' ELSE state END,"
            " next_attempt_at = CASE WHEN %s THEN NULL ELSE now() + %s END"
            " WHERE id = %s AND attempts = %s AND state = 'waiting'",
            [error[:300], is_last, is_last, delay, due.message_id, due.attempts],
        )
        if cursor.rowcount and is_last:
            message = Message.objects.select_related("case__legal_entity").get(pk=due.message_id)
            entity = message.case.legal_entity
            open_items(entity.pk, [_undeliverable(message, error[:300])], on=entity.business_date)


def send_again(message_id: int, *, caller: Caller, key: str) -> None:
    """Try a letter again that was given up, to the addresses the firm has now.

    A letter that was written already keeps its words and addresses. Repeating changes nothing.
    Raises MessageNotDead, NoAddress, KeyConflict.
    """
    with once(caller, key=key, kind="send_letter_again", request={"message": message_id}) as act:
        if act.earlier is not None:
            return
        message = (
            Message.objects.select_for_update(no_key=True)
            .select_related("case")
            .filter(pk=message_id, state=MessageState.DEAD)
            .first()
        )
        if message is None:
            raise MessageNotDead(message_id)
        case = message.case
        firm = written_to([case.party_id])[case.party_id]
        if not message.addresses:
            if not firm.addresses:
                raise NoAddress(message_id)
            Message.objects.filter(pk=message_id).update(addresses=list(firm.addresses))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE collections_message SET state = 'waiting', attempts = 0,"
                " next_attempt_at = now() WHERE id = %s",
                [message_id],
            )
        close_items(
            case.legal_entity_id,
            UNDELIVERABLE,
            _subject(message),
            who=caller.actor,
            resolution="sent again",
        )
        act.answer({"message": message_id})


def _officers(messages: Sequence[NewMessage]) -> dict[int, str]:
    """The assignee's address by case, where there is one."""
    return dict(
        Case.objects.filter(
            pk__in=[each.case.pk for each in messages], assignee__is_active=True
        ).values_list("id", "assignee__email")
    )


def _to(
    message: NewMessage, firms: Mapping[int, WrittenTo], officers: Mapping[int, str]
) -> WrittenTo:
    firm = firms[message.case.party_id]
    if message.step.channel is not Channel.MAIL:
        return WrittenTo(firm.language, ())
    if message.step.recipient is Recipient.FIRM:
        return firm
    officer = officers.get(message.case.pk)
    return WrittenTo("en", (officer,) if officer else ())


def _facts(
    message: NewMessage,
    party: str,
    entity: str,
    accounts: Mapping[str, Account],
    on: date,
) -> dict[str, Any]:
    """What a message tells of, in plain JSON values; amounts are minor units."""
    total_minor: dict[str, int] = defaultdict(int)
    for loan in message.late:
        total_minor[loan.currency] += loan.amount_minor
    return {
        "party": party,
        "entity": entity,
        "on": on.isoformat(),
        "days_past_due": max(loan.days_past_due for loan in message.late),
        "loans": [
            {
                "loan": loan.code,
                "currency": loan.currency,
                "due_date": loan.past_due_since_date.isoformat(),
                "days_past_due": loan.days_past_due,
                "amount_minor": loan.amount_minor,
            }
            for loan in message.late
        ],
        "total_minor": dict(total_minor),
        "pay_to": {
            currency: asdict(account)
            for currency, account in accounts.items()
            if currency in total_minor
        },
    }


def _row(
    message: NewMessage, to: WrittenTo, facts: dict[str, Any], on: date, act_id: int
) -> Message:
    is_letter = message.step.channel is Channel.MAIL
    waits = is_letter and bool(to.addresses)
    state = MessageState.SENT
    if is_letter:
        state = MessageState.WAITING if waits else MessageState.DEAD
    return Message(
        case=message.case,
        step=message.step.name,
        min_days_past_due=message.step.min_days_past_due,
        letter=message.step.letter,
        channel=message.step.channel,
        recipient=message.step.recipient,
        date=on,
        clause=message.clause[:300],
        facts=facts,
        addresses=list(to.addresses),
        language=to.language,
        state=state,
        next_attempt_at=Now() if waits else None,
        sent_at=None if is_letter else Now(),
        last_error="" if waits or not is_letter else "there is no address",
        act_id=act_id,
    )


def _tell(
    messages: Sequence[Message],
    codes: Mapping[int, str],
    legal_entity_id: int,
    on: date,
    act_id: int,
) -> None:
    """Events go to the outbox; tasks and letters to nobody go to the worklist."""
    events = [
        {"party": codes[message.case.party_id], "step": message.step, "letter": message.letter}
        | {"case": message.case_id}
        | {name: message.facts[name] for name in ("on", "days_past_due", "total_minor", "loans")}
        for message in messages
        if message.channel == Channel.WEBHOOK
    ]
    if events:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO acts_outboxmessage (act_id, topic, subject, payload)"
                " SELECT %s, %s, 'party:' || (payload::jsonb ->> 'party'), payload::jsonb"
                " FROM unnest(%s::text[]) WITH ORDINALITY AS told (payload, place) ORDER BY place",
                [act_id, TOPIC, [json.dumps(event) for event in events]],
            )
    items = [
        NewItem(
            TASK,
            _subject(message),
            {
                "firm": codes[message.case.party_id],
                "step": message.step,
                "why": message.clause,
                "remedy": "Call or visit the firm, note what was said, and close this item.",
            },
        )
        for message in messages
        if message.channel == Channel.TASK
    ]
    items += [
        _undeliverable(message, "there is no address")
        for message in messages
        if message.state == MessageState.DEAD
    ]
    open_items(legal_entity_id, items, on=on)


def _undeliverable(message: Message, why: str) -> NewItem:
    return NewItem(
        UNDELIVERABLE,
        _subject(message),
        {
            "step": message.step,
            "why": why,
            "remedy": "Give the firm an address, then send the letter again.",
        },
    )


def _subject(message: Message) -> str:
    return f"case:{message.case_id}:{message.step}"
