"""Deliveries: from the outbox to each endpoint that hears of it, one attempt after the other.

An attempt is claimed, made, and recorded. The claim is a lease: who dies in between leaves a
delivery that is due again when the lease ends, and is sent again under the same id. So each message
arrives at least once, and a receiver that keeps the ids it has seen takes it once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from tallystick.book.acts.once import Caller, once
from tallystick.book.webhooks.models import Delivery, DeliveryState
from tallystick.rules.refusal import Refusal

FAN_OUT_LOCK = 7110
"""Held while messages leave the outbox, by one at a time: else a later message of an object could
become a delivery, and be sent, before an earlier one."""

BATCH = 1_000
MAX_ATTEMPTS = 12
FIRST_DELAY = timedelta(seconds=5)
DELAY_FACTOR = 3
LONGEST_DELAY = timedelta(hours=12)
LEASE = timedelta(seconds=60)
"""Longer than an attempt can last."""


class DeliveryNotEnded(Refusal):
    """The delivery is not there, or has not ended yet and is sent anyway."""

    def __init__(self, delivery_id: int) -> None:
        self.delivery = delivery_id
        super().__init__(
            f"There is no delivery {delivery_id} that has ended: the number is wrong, or it still "
            "waits and is sent without being asked. List the deliveries and name one."
        )


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery claimed for one attempt, the ``attempts``-th."""

    delivery_id: int
    endpoint_id: int
    attempts: int
    busy_until: datetime
    code: str
    url: str
    rotation: int
    rotated_at: datetime | None
    webhook_id: str
    body: bytes


def backoff(attempts: int, *, jitter: float) -> timedelta:
    """How long to wait after the ``attempts``-th failure: 5 s × 3ⁿ⁻¹, at most 12 h, ± a fifth.

    ``jitter`` is drawn evenly from −1 to 1, so that receivers are not asked all at once.
    """
    exponent = min(attempts - 1, 20)
    delay = min(FIRST_DELAY * DELAY_FACTOR**exponent, LONGEST_DELAY)
    return delay * (1 + jitter / 5)


# Whose a message is follows from its subject, the object that it tells of.
_FAN_OUT = """
WITH message AS MATERIALIZED (
    SELECT id, topic, subject, created_at,
           CASE split_part(subject, ':', 1)
               WHEN 'loan' THEN (
                   SELECT facility.supplier_id FROM financing_loan AS loan
                   JOIN financing_facility AS facility ON facility.id = loan.facility_id
                   WHERE loan.code = substr(subject, 6))
               WHEN 'facility' THEN (
                   SELECT supplier_id FROM financing_facility WHERE code = substr(subject, 10))
               WHEN 'advance' THEN (
                   SELECT line.merchant_id FROM sales_credit_advance AS advance
                   JOIN sales_credit_salesline AS line ON line.id = advance.line_id
                   WHERE advance.code = substr(subject, 9))
               WHEN 'sales_line' THEN (
                   SELECT merchant_id FROM sales_credit_salesline WHERE code = substr(subject, 12))
               WHEN 'payment' THEN (
                   SELECT beneficiary_id FROM payments_paymentorder
                   WHERE end_to_end_id = substr(subject, 9))
               WHEN 'party' THEN (
                   SELECT id FROM parties_party WHERE code = substr(subject, 7))
           END AS party_id
    FROM acts_outboxmessage WHERE sent_at IS NULL ORDER BY id LIMIT %(batch)s
), delivery AS (
    INSERT INTO webhooks_delivery
        (endpoint_id, message_id, subject, state, attempts, next_attempt_at, last_error)
    SELECT endpoint.id, message.id, message.subject, 'waiting', 0, now(), ''
    FROM message JOIN webhooks_endpoint AS endpoint
      ON endpoint.disabled_at IS NULL AND endpoint.created_at <= message.created_at
     AND (endpoint.topics = '[]'::jsonb OR endpoint.topics ? message.topic)
     AND (endpoint.party_id IS NULL OR endpoint.party_id = message.party_id)
    ORDER BY message.id, endpoint.id
    ON CONFLICT (endpoint_id, message_id) DO NOTHING
)
UPDATE acts_outboxmessage AS left_over SET sent_at = now()
FROM message WHERE left_over.id = message.id
"""


def fan_out() -> int:
    """Hand on what waits in the outbox, at most a batch of it; returns how many messages it was."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM acts_outboxmessage WHERE sent_at IS NULL)")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [FAN_OUT_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        # A statement of its own: it sees what whoever held the lock before has handed on.
        cursor.execute(_FAN_OUT, {"batch": BATCH})
        return int(cursor.rowcount)


_IS_NEXT = """
delivery.state = 'waiting' AND delivery.next_attempt_at <= now() AND NOT EXISTS (
    SELECT FROM webhooks_delivery AS earlier
    WHERE earlier.endpoint_id = delivery.endpoint_id AND earlier.subject = delivery.subject
      AND earlier.state = 'waiting' AND earlier.message_id < delivery.message_id)
"""

_ENDPOINT = f"""
SELECT endpoint.id FROM webhooks_endpoint AS endpoint
CROSS JOIN LATERAL (
    SELECT next_attempt_at FROM webhooks_delivery AS delivery
    WHERE delivery.endpoint_id = endpoint.id AND {_IS_NEXT}
    ORDER BY next_attempt_at LIMIT 1) AS next
WHERE endpoint.disabled_at IS NULL AND (busy_until IS NULL OR busy_until <= now())
ORDER BY next.next_attempt_at LIMIT 1
FOR NO KEY UPDATE OF endpoint SKIP LOCKED
"""

_CLAIM = f"""
UPDATE webhooks_delivery AS claimed
SET attempts = attempts + 1, last_attempt_at = now(), next_attempt_at = now() + %(lease)s
FROM webhooks_endpoint AS endpoint, acts_outboxmessage AS message
WHERE endpoint.id = claimed.endpoint_id AND message.id = claimed.message_id AND claimed.id = (
    SELECT id FROM webhooks_delivery AS delivery
    WHERE delivery.endpoint_id = %(endpoint)s AND {_IS_NEXT}
    ORDER BY next_attempt_at, message_id LIMIT 1)
RETURNING claimed.id, claimed.attempts, now() + %(lease)s, endpoint.code, endpoint.url,
          endpoint.rotation, endpoint.rotated_at, message.id, message.topic, message.subject,
          message.payload, message.created_at
"""


def claim() -> Due | None:
    """The next delivery that is due, for this caller to attempt; None where nothing is.

    One delivery to an endpoint is under way at a time, so that a receiver that hangs holds up
    nobody but itself.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ENDPOINT)
        row = cursor.fetchone()
        if row is None:
            return None
        (endpoint_id,) = row
        # A statement of its own: what it reads is as fresh as the lock.
        cursor.execute(_CLAIM, {"endpoint": endpoint_id, "lease": LEASE})
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(
            "UPDATE webhooks_endpoint SET busy_until = %s WHERE id = %s", [row[2], endpoint_id]
        )
    delivery_id, attempts, busy_until, code, url, rotation, rotated_at, message_id, *told = row
    return Due(
        delivery_id,
        endpoint_id,
        attempts,
        busy_until,
        code,
        url,
        rotation,
        rotated_at,
        f"msg_{message_id}",
        _body(*told),
    )


def record_delivered(due: Due, *, status: int) -> None:
    """The receiver has it."""
    with transaction.atomic():
        _record(
            due,
            "state = 'delivered', last_status = %s, last_error = '', ended_at = now()",
            [status],
        )


def record_failed(due: Due, *, status: int | None, error: str, jitter: float) -> None:
    """The receiver did not take it: tried again later, or given up after the last attempt."""
    told = [status, error[:300]]
    with transaction.atomic():
        if due.attempts >= MAX_ATTEMPTS:
            _record(
                due, "state = 'dead', last_status = %s, last_error = %s, ended_at = now()", told
            )
            return
        delay = backoff(due.attempts, jitter=jitter)
        recorded = _record(
            due,
            "last_status = %s, last_error = %s, next_attempt_at = now() + %s",
            [*told, delay],
        )
        if recorded:
            _let_later_ones_wait(due)


def replay(delivery_id: int, *, caller: Caller) -> None:
    """Send a delivery again that was delivered or given up, under the same id.

    It may then arrive after later messages of its object. Raises DeliveryNotEnded.
    """
    with once(
        caller,
        key=f"replay:{delivery_id}:{_ended_at(delivery_id)}",
        kind="replay_delivery",
        request={"delivery": delivery_id},
    ) as act:
        if act.earlier is None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE webhooks_delivery SET state = 'waiting', attempts = 0,"
                    " next_attempt_at = now(), ended_at = NULL"
                    " WHERE id = %s AND state <> 'waiting'",
                    [delivery_id],
                )
                if not cursor.rowcount:
                    raise DeliveryNotEnded(delivery_id)
            act.answer({"delivery": delivery_id})


def replay_dead(endpoint_code: str, *, caller: Caller) -> int:
    """Send again all that was given up for an endpoint; returns how many deliveries it was."""
    dead = Delivery.objects.filter(endpoint__code=endpoint_code, state=DeliveryState.DEAD)
    delivery_ids = list(dead.order_by("id").values_list("id", flat=True))
    for delivery_id in delivery_ids:
        replay(delivery_id, caller=caller)
    return len(delivery_ids)


def deliveries(
    *, endpoint_code: str | None = None, state: str | None = None, limit: int = 100
) -> Sequence[Delivery]:
    """The latest deliveries, newest first; of one endpoint or in one state, if given."""
    rows = Delivery.objects.select_related("endpoint", "message")
    if endpoint_code is not None:
        rows = rows.filter(endpoint__code=endpoint_code)
    if state is not None:
        rows = rows.filter(state=state)
    return list(rows.order_by("-id")[:limit])


def _record(due: Due, change: str, values: list[Any]) -> bool:
    """Write what became of an attempt, unless its lease ended and another took it up."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE webhooks_delivery SET {change}"
            " WHERE id = %s AND attempts = %s AND state = 'waiting'",
            [*values, due.delivery_id, due.attempts],
        )
        recorded = bool(cursor.rowcount)
        cursor.execute(
            "UPDATE webhooks_endpoint SET busy_until = NULL WHERE id = %s AND busy_until = %s",
            [due.endpoint_id, due.busy_until],
        )
    return recorded


def _let_later_ones_wait(due: Due) -> None:
    """What waits for this delivery is not looked at before it: there may be very many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE webhooks_delivery AS later SET next_attempt_at = failed.next_attempt_at"
            " FROM webhooks_delivery AS failed"
            " WHERE failed.id = %s AND later.endpoint_id = failed.endpoint_id"
            " AND later.subject = failed.subject AND later.state = 'waiting'"
            " AND later.message_id > failed.message_id"
            " AND later.next_attempt_at < failed.next_attempt_at",
            [due.delivery_id],
        )


def _ended_at(delivery_id: int) -> str:
    ended_at = (
        Delivery.objects.filter(pk=delivery_id, ended_at__isnull=False)
        .values_list("ended_at", flat=True)
        .first()
    )
    if ended_at is None:
        raise DeliveryNotEnded(delivery_id)
    return str(ended_at.isoformat())


def _body(topic: str, subject: str, payload: str, created_at: datetime) -> bytes:
    data = {
        name: value
        for name, value in json.loads(payload).items()
        if name != "beneficiary_id"  # a number of our own, which means nothing outside
    }
    content = {
        "type": topic,
        "timestamp": created_at.isoformat(),
        "data": {"subject": subject, **data},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
