"""How late the live loans are: figures of a day, nothing is booked."""

from datetime import date
from typing import Any

from django.db import connection

BUCKETS = (0, 30, 60, 90, 180, 360)
"""Last days past due of each bucket; the first is not past due, beyond the last is the worst."""

# A pause stops the count of days and forgets none: days before and after it add up.
_COUNTED = """
    WITH pause AS (
        SELECT fact.loan_id, fact.from_date,
               least(fact.to_date, coalesce(ending.from_date, fact.to_date)) AS to_date
        FROM impairment_fact AS fact
        LEFT JOIN impairment_fact AS ending ON ending.ends_id = fact.id AND ending.approved
          AND ending.booking_date <= %(day)s
        WHERE fact.legal_entity_id = %(legal_entity_id)s AND fact.approved
          AND fact.kind = 'delinquency_paused' AND fact.ends_id IS NULL
          AND fact.booking_date <= %(day)s
    ), paused AS (
        SELECT held.loan_id, sum(greatest(0, least(pause.to_date, %(day)s)
                                             - greatest(pause.from_date, held.due_date))) AS days
        FROM pause JOIN servicing_position AS held ON held.loan_id = pause.loan_id
          AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
        GROUP BY 1
    )
    SELECT book.currency,
           width_bucket(%(day)s::date - held.due_date - coalesce(paused.days, 0),
                        %(first_days)s::bigint[]) AS bucket,
           count(*), sum(held.principal_minor)
    FROM servicing_position AS held JOIN ledger_book AS book ON book.id = held.book_id
    LEFT JOIN paused ON paused.loan_id = held.loan_id
    WHERE book.legal_entity_id = %(legal_entity_id)s AND NOT held.settled
      AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
    GROUP BY 1, 2 ORDER BY 1, 2
"""


def delinquency(legal_entity_id: int, *, day: date) -> list[dict[str, Any]]:
    """Live loans and their principal by currency and days past due at the end of ``day``.

    Days on which the count was paused (``impairment.facts``) do not count here. They do for the
    class of a loan: the law knows no pause.
    """
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
