"""The ledger against its subledger, to the minor unit: what each loan was paid, charged and earned.

Where a loan has entries of its own (payouts, fees, waivers) they are held against its events, and
a difference names the loan. Interest and penalty are booked by the night for whole books: they are
held against the running totals of all loans ever lent under a programme, settled ones included.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from django.db import connection

from tallystick.book.servicing.accrual import (
    INTEREST_MET,
    INTEREST_OWED,
    PENALTY_MET,
    PENALTY_OWED,
)
from tallystick.book.watch.findings import Finding

OWN_ENTRIES = "ledger: each loan's own entries are its events"
INCOME = "ledger: income and suspense are what the loans have earned"

# The debit side says what an entry came to; each has one of its kind. Loans that came into the book
# by one entry for many, as a book that is taken over does, are told apart only together.
_OWN_ENTRIES = """
    WITH booked AS (
        SELECT entry.legal_entity_id, entry.currency, entry.event,
               CASE WHEN entry.reference LIKE 'loan:%%' THEN entry.reference END AS reference,
               sum(posting.amount_minor) AS minor
        FROM ledger_entry AS entry
        JOIN ledger_posting AS posting ON posting.entry_id = entry.id AND posting.side = 1
        WHERE entry.event IN ('loan_disbursed', 'fee_charged', 'charge_waived')
        GROUP BY 1, 2, 3, 4
    ), told AS (
        SELECT facility.legal_entity_id, loan.currency, kind.event,
               'loan:' || loan.code AS reference, sum(event.amount_minor) AS minor
        FROM servicing_loanevent AS event
        JOIN (VALUES ('disbursed', 'loan_disbursed'), ('fee_charged', 'fee_charged'),
                     ('waived', 'charge_waived')) AS kind (kind, event) ON kind.kind = event.kind
        JOIN financing_loan AS loan ON loan.id = event.loan_id
        JOIN financing_facility AS facility ON facility.id = loan.facility_id
        GROUP BY 1, 2, 3, 4
    ), together AS (
        SELECT * FROM booked WHERE reference IS NULL
    ), apart AS (
        SELECT legal_entity_id, currency, event, reference,
               told.minor AS told_minor, own.minor AS own_minor,
               own.minor IS NULL AND together.minor IS NOT NULL AS is_together
        FROM told
        FULL JOIN (SELECT * FROM booked WHERE reference IS NOT NULL) AS own
          USING (legal_entity_id, currency, event, reference)
        LEFT JOIN (SELECT legal_entity_id, currency, event, minor FROM together) AS together
          USING (legal_entity_id, currency, event)
    )
    SELECT event || ' of ' || reference, coalesce(told_minor, 0), coalesce(own_minor, 0)
    FROM apart
    WHERE NOT is_together AND coalesce(told_minor, 0) <> coalesce(own_minor, 0)
    UNION ALL
    SELECT together.event || ' of loans taken over in ' || together.currency,
           coalesce(many.minor, 0), together.minor
    FROM together
    LEFT JOIN (
        SELECT legal_entity_id, currency, event, sum(told_minor) AS minor
        FROM apart WHERE is_together GROUP BY 1, 2, 3
    ) AS many USING (legal_entity_id, currency, event)
    WHERE coalesce(many.minor, 0) <> together.minor
    ORDER BY 1
"""

# What has been income or suspense before the night is over; entries by hand explain themselves,
# and what of it belongs to those who bought shares is held against the loans by itself.
_INCOME = f"""
    WITH earned AS (
        SELECT book.programme, book.currency,
               coalesce(sum({INTEREST_OWED} + {INTEREST_MET}), 0) AS interest,
               coalesce(sum({PENALTY_OWED} + {PENALTY_MET}), 0) AS penalty
        FROM servicing_position AS held JOIN ledger_book AS book ON book.id = held.book_id
        WHERE book.legal_entity_id = %(legal_entity_id)s
          AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
        GROUP BY 1, 2
    ), booked AS (
        SELECT book.programme, book.currency,
               coalesce(sum(-posting.side * posting.amount_minor)
                            FILTER (WHERE account.name LIKE 'interest%%'), 0) AS interest,
               coalesce(sum(-posting.side * posting.amount_minor)
                            FILTER (WHERE account.name LIKE 'penalty%%'), 0) AS penalty
        FROM ledger_account AS account
        JOIN ledger_book AS book ON book.id = account.book_id
        JOIN ledger_posting AS posting
          ON posting.account_id = account.id AND posting.booking_date <= %(day)s
        JOIN ledger_entry AS entry ON entry.id = posting.entry_id
        WHERE account.legal_entity_id = %(legal_entity_id)s AND entry.event <> 'manual_journal'
          AND entry.event NOT IN ('interest_shared', 'penalty_shared')
          AND account.name IN ('interest_income', 'interest_in_suspense',
                               'penalty_income', 'penalty_in_suspense')
        GROUP BY 1, 2
    )
    SELECT kind.name || ' of ' || programme || ' in ' || currency, kind.earned, kind.booked
    FROM earned FULL JOIN booked USING (programme, currency)
    CROSS JOIN LATERAL (VALUES
        ('interest', coalesce(earned.interest, 0), coalesce(booked.interest, 0)),
        ('penalty', coalesce(earned.penalty, 0), coalesce(booked.penalty, 0))
    ) AS kind (name, earned, booked)
    WHERE kind.earned <> kind.booked
    ORDER BY 1
"""


def own_entries() -> Iterator[Finding]:
    """Loans whose payouts, fees or waivers are not what the ledger has booked for them."""
    with connection.cursor() as cursor:
        cursor.execute(_OWN_ENTRIES, {})
        for subject, told_minor, booked_minor in cursor.fetchall():
            yield Finding(
                OWN_ENTRIES,
                subject,
                str(told_minor),
                f"{booked_minor}, a difference of {booked_minor - told_minor}",
            )


def earned_income() -> Iterator[Finding]:
    """Programmes whose income and suspense differ from what their loans have earned by night."""
    for legal_entity_id, day in _last_nights():
        with connection.cursor() as cursor:
            cursor.execute(
                _INCOME,
                {
                    "legal_entity_id": legal_entity_id,
                    "day": day,
                    "until": day + timedelta(days=1),
                },
            )
            for subject, earned_minor, booked_minor in cursor.fetchall():
                yield Finding(INCOME, f"{subject} on {day}", str(earned_minor), str(booked_minor))


def _last_nights() -> list[tuple[int, date]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT legal_entity_id, max(date) FROM servicing_daystep"
            " WHERE step = 'accrual' GROUP BY 1 ORDER BY 1"
        )
        return cursor.fetchall()
