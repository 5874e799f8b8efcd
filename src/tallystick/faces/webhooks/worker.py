"""The worker that delivers: hand on what is in the outbox, attempt what is due, record it."""

import logging
import os
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

from django.conf import settings
from django.db import DatabaseError, connection

from tallystick import __version__
from tallystick.book.webhooks import deliveries
from tallystick.book.webhooks.deliveries import Due
from tallystick.book.webhooks.secrets import signatures
from tallystick.faces.webhooks.sending import ANSWER_SECONDS, Answer, send

THREADS = 4
"""So many receivers may hang at a time before the others have to wait."""

IDLE_SECONDS = 1.0

logger = logging.getLogger("tallystick.webhooks")


def deliver_until(stop: Event, *, parent: int | None = None) -> None:
    """Deliver until ``stop`` is set; an attempt under way is brought to its end.

    ``parent``: the process whose child this is, without which it ends too.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="deliver") as pool:
        for _ in range(THREADS):
            pool.submit(_work, stop)
        while not stop.wait(IDLE_SECONDS):
            if parent is not None and os.getppid() != parent:
                stop.set()


def deliver_all_due(*, answer_seconds: float = ANSWER_SECONDS) -> int:
    """Attempt everything that is due now; returns how many attempts were made."""
    attempts = 0
    while deliver_one(answer_seconds=answer_seconds):
        attempts += 1
    return attempts


def deliver_one(*, answer_seconds: float = ANSWER_SECONDS) -> bool:
    """Attempt the next delivery that is due; False where none is."""
    while deliveries.fan_out() == deliveries.BATCH:
        pass
    due = deliveries.claim()
    if due is None:
        return False
    answer = _attempt(due, answer_seconds)
    if answer.error:
        deliveries.record_failed(
            due, status=answer.status, error=answer.error, jitter=random.uniform(-1, 1)
        )
    else:
        assert answer.status is not None
        deliveries.record_delivered(due, status=answer.status)
    logger.info(
        "delivery %d of %s to %s, attempt %d: %s",
        due.delivery_id,
        due.webhook_id,
        due.code,
        due.attempts,
        answer.error or f"taken with {answer.status}",
    )
    return True


def _attempt(due: Due, answer_seconds: float) -> Answer:
    sent_at = datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"tallystick/{__version__}",
        "webhook-id": due.webhook_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": signatures(
            code=due.code,
            rotation=due.rotation,
            rotated_at=due.rotated_at,
            webhook_id=due.webhook_id,
            sent_at=sent_at,
            body=due.body,
        ),
    }
    return send(
        due.url,
        due.body,
        headers,
        allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK,
        answer_seconds=answer_seconds,
    )


def _work(stop: Event) -> None:
    while not stop.is_set():
        try:
            worked = deliver_one()
        except DatabaseError:
            # The lease gives the delivery back; a broken connection is not used again.
            logger.exception("the database could not be asked")
            connection.close()
            worked = False
        if not worked:
            stop.wait(IDLE_SECONDS)
    connection.close()
