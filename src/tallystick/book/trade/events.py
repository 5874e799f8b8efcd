"""Claim events on their way into the database."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db import connection


class NewEvent(NamedTuple):
    """One change of a claim; amounts are differences. See ``models.ClaimEvent``."""

    claim_id: int
    kind: str
    value_date: date
    face_minor: int = 0
    paid_minor: int = 0
    diluted_minor: int = 0
    document_id: int | None = None


def insert_events(events: Iterable[NewEvent], *, booking_date: date, act_id: int) -> None:
    """Record the events, in the caller's transaction. The claims' rows are the caller's matter."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY trade_claimevent (claim_id, kind, value_date, face_minor, paid_minor,"
            " diluted_minor, document_id, booking_date, act_id) FROM STDIN"
        ) as copy,
    ):
        for event in events:
            copy.write_row((*event, booking_date, act_id))
