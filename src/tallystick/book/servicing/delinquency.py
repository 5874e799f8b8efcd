"""How late the live loans are: figures of a day, nothing is booked."""

from datetime import date
from typing import Any

from django.db import connection

BUCKETS = (0, 30, 60, 90, 180, 360)
"""Last days past due of each bucket; the first is not past due, beyond the last is the worst."""

_COUNTED = """
    SELECT book.currency,
           width_bucket(%(day)s::date - held.due_date, %(first_days)s::integer[]) AS bucket,
           count(*), sum(held.principal_minor)
    FROM servicing_position AS held JOIN ledger_book AS book ON book.id = held.book_id
    WHERE book.legal_entity_id = %(legal_entity_id)s AND NOT held.settled
      AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
    GROUP BY 1, 2 ORDER BY 1, 2
"""


def delinquency(legal_entity_id: int, *, day: date) -> list[dict[str, Any]]:
    """Live loans and their principal by currency and days past due at the end of ``day``."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNTED,
            {
                "legal_entity_id": legal_entity_id,
                "day": day,
                "first_days": [last_day + 1 for last_day in BUCKETS],
            },
        )
        return [
            {
                "currency": currency,
                "days_past_due": _named(bucket),
                "loans": loans,
                "principal_minor": int(principal_minor),
            }
            for currency, bucket, loans, principal_minor in cursor.fetchall()
        ]


def _named(bucket: int) -> str:
    if bucket == 0:
        return "0"
    first_day = BUCKETS[bucket - 1] + 1
    return f"{first_day}-{BUCKETS[bucket]}" if bucket < len(BUCKETS) else f"{first_day}+"
