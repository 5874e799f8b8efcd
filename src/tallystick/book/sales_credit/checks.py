"""Prove that advances out of sales are what their events say, and that the ledger agrees.

Each query answers the rows that contradict its name: the object, what should be, what is.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from itertools import product
from typing import Any

from django.db import connection
from django.db.models import Min

from tallystick.book.sales_credit.events import status_of
from tallystick.book.sales_credit.models import STILL_IN_FORCE, AdvancePosition
from tallystick.book.sales_credit.night import FEE_DEFERRED, FEE_OWED
from tallystick.book.sales_credit.positions import (
    AdvanceRow,
    Position,
    advances_with,
    events_of,
    folded,
    position_of,
)
from tallystick.book.watch.findings import Check, Finding
from tallystick.rules.accounting import ADVANCE_ACCOUNT_OF
from tallystick.rules.sales_accounting import credited

GUARDS = """
    SELECT 'trigger ' || name, 'enabled always', 'missing or disabled'
    FROM (VALUES
        ('sales_credit_advance_only_grows'),
        ('sales_credit_advance_terms_stand'),
        ('sales_credit_advanceevent_only_grows'),
        ('sales_credit_advanceposition_only_grows'),
        ('sales_credit_loss_decided_once'),
        ('sales_credit_lossproposal_only_grows'),
        ('sales_credit_pacelook_only_grows'),
        ('sales_credit_position_history_kept'),
        ('sales_credit_salesdecision_only_grows'),
        ('sales_credit_salesline_only_grows')
    ) AS guard (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgname = name AND tgenabled = 'A' AND NOT tgisinternal)
    ORDER BY name
"""

LINE_DRAWN = """
    SELECT 'line ' || line.code, coalesce(owed.minor, 0) + coalesce(under_way.minor, 0),
           line.drawn_minor
    FROM sales_credit_salesline AS line
    LEFT JOIN (
        SELECT advance.line_id, sum(held.principal_minor) AS minor
        FROM sales_credit_advanceposition AS held
        JOIN sales_credit_advance AS advance ON advance.id = held.advance_id
        WHERE held.superseded_date = %(still)s GROUP BY 1
    ) AS owed ON owed.line_id = line.id
    LEFT JOIN (
        SELECT line_id, sum(advance_minor) AS minor FROM sales_credit_advance
        WHERE status = 'pending' GROUP BY 1
    ) AS under_way ON under_way.line_id = line.id
    WHERE line.drawn_minor <> coalesce(owed.minor, 0) + coalesce(under_way.minor, 0)
    ORDER BY line.code
"""

# What the state of an advance says of its order, the bank's answer and its commitment.
FATES = """
    SELECT 'advance ' || advance.code,
           CASE advance.status
               WHEN 'pending' THEN 'ordered, committed' WHEN 'rejected' THEN 'rejected, ended'
               ELSE 'paid on ' || coalesce(advance.disbursed_date::text, 'no day') || ', ended' END,
           concat_ws(', ', coalesce(payment.status, 'no order')
               || coalesce(' on ' || paid.value_date, ''),
               CASE WHEN ended.id IS NULL THEN 'committed' ELSE 'ended' END)
               || CASE WHEN payment.amount_minor = advance.advance_minor THEN ''
                       ELSE ', ordered ' || coalesce(payment.amount_minor, 0) END
    FROM sales_credit_advance AS advance
    LEFT JOIN payments_paymentorder AS payment ON payment.advance_id = advance.id
    LEFT JOIN payments_bankanswer AS paid
      ON paid.order_id = payment.id AND paid.effect = 'applied' AND paid.outcome = 'paid'
    LEFT JOIN ledger_entry AS ended ON ended.reverses_id = advance.commitment_id
    WHERE (payment.amount_minor = advance.advance_minor AND CASE advance.status
        WHEN 'pending' THEN payment.status = 'ordered' AND ended.id IS NULL
        WHEN 'rejected' THEN payment.status = 'rejected' AND ended.id IS NOT NULL
        ELSE payment.status = 'paid' AND ended.id IS NOT NULL
             AND paid.value_date = advance.disbursed_date END) IS NOT TRUE
    ORDER BY advance.code
"""

# Limits may have been lowered since: a decision is held to what it read.
WITHIN_LIMITS = """
    SELECT 'decision ' || id || ' of ' || date, 'at most ' || available_minor, amount_minor
    FROM (
        SELECT id, date, amount_minor, least(
                   (inputs->>'line_limit_minor')::numeric,
                   (inputs->>'sales_limit_minor')::numeric,
                   (inputs->>'per_merchant_minor')::numeric
                       - (inputs->>'others_drawn_minor')::numeric,
                   (inputs->>'drawn_minor')::numeric
                       + (inputs->>'programme_headroom_minor')::numeric,
                   (inputs->>'drawn_minor')::numeric
                       + (inputs->>'funder_headroom_minor')::numeric
               ) - (inputs->>'drawn_minor')::numeric AS available_minor
        FROM sales_credit_salesdecision WHERE kind = 'draw'
    ) AS decided
    WHERE (amount_minor <= available_minor) IS NOT TRUE ORDER BY id
"""

# A line of a receipt to an advance is the advance's event, and the other way round.
LINES_ARE_EVENTS = """
    SELECT 'advance ' || advance.code || ' of ' || coalesce(line.reference, event.reference),
           coalesce(line.minor, 0), coalesce(event.minor, 0)
    FROM (
        SELECT line.advance_id, 'receipt:' || receipt.bank_reference AS reference,
               sum(line.amount_minor) AS minor
        FROM servicing_settlementline AS line
        JOIN payments_cashreceipt AS receipt ON receipt.id = line.receipt_id
        WHERE line.advance_id IS NOT NULL GROUP BY 1, 2
    ) AS line
    FULL JOIN (
        SELECT advance_id, reference,
               sum(CASE kind WHEN 'settlement' THEN kept_minor ELSE amount_minor END) AS minor
        FROM sales_credit_advanceevent
        WHERE kind IN ('settlement', 'received', 'recovered') GROUP BY 1, 2
    ) AS event ON event.advance_id = line.advance_id AND event.reference = line.reference
    JOIN sales_credit_advance AS advance
      ON advance.id = coalesce(line.advance_id, event.advance_id)
    WHERE coalesce(line.minor, 0) <> coalesce(event.minor, 0)
    ORDER BY 1
"""

POSITIONS_FOLLOW_EACH_OTHER = """
    SELECT 'advance ' || advance.code || ', position of ' || row.booking_date,
           'ends on ' || coalesce(row.next_date, %(still)s), 'ends on ' || row.superseded_date
    FROM (
        SELECT advance_id, booking_date, superseded_date,
               lead(booking_date) OVER (PARTITION BY advance_id ORDER BY booking_date) AS next_date
        FROM sales_credit_advanceposition
    ) AS row
    JOIN sales_credit_advance AS advance ON advance.id = row.advance_id
    WHERE row.superseded_date <> coalesce(row.next_date, %(still)s)
    ORDER BY 1
"""

QUERIES = {
    "guards of advances stand": GUARDS,
    "lines out of sales: drawn is principal owed and payouts under way": LINE_DRAWN,
    "advances: each has one order, answer and commitment": FATES,
    "advances: granted within every limit": WITHIN_LIMITS,
    "receipts: lines to advances are the advances' events": LINES_ARE_EVENTS,
    "advances: positions follow each other without a gap": POSITIONS_FOLLOW_EACH_OTHER,
}

FOLDS = "advances: recomputed from their events"
OWN = "ledger: what each advance was booked is its events"
BY_BOOK = "ledger: principal, fee and income of advances are their positions"


def sales_credit_checks() -> list[Check]:
    """The checks of advances out of sales, the quick ones first."""
    return [
        *(Check(name, partial(_contradictions, name, query)) for name, query in QUERIES.items()),
        Check(BY_BOOK, _by_book),
        Check(OWN, _own),
        Check(FOLDS, _folds),
    ]


def _contradictions(name: str, query: str) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"still": STILL_IN_FORCE})
        for subject, expected, found in cursor.fetchall():
            yield Finding(name, subject, str(expected), str(found))


_AT_A_TIME = 500


def _paid_out() -> Iterator[tuple[AdvanceRow, Any, date]]:
    """Every advance that was paid out, with its fold as of the day of its last event, or payout.

    A move to another book begins a new position, and leaves all else as it was.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM sales_credit_advance WHERE disbursed_date IS NOT NULL ORDER BY id"
        )
        ids = [advance_id for (advance_id,) in cursor.fetchall()]
    for first in range(0, len(ids), _AT_A_TIME):
        some = ids[first : first + _AT_A_TIME]
        advances, events = advances_with(some), events_of(some)
        paid_out = dict(
            AdvancePosition.objects.filter(advance__in=some)
            .values_list("advance_id")
            .annotate(Min("booking_date"))
        )
        for advance in advances.values():
            told = events[advance.advance_id]
            first_date = paid_out.get(advance.advance_id, advance.disbursed_date)
            day = max([first_date, *(event.booking_date for event in told)])
            yield advance, folded(advance, told, on=day), day


def _folds() -> Iterator[Finding]:
    """Advances whose position or state is not what their events come to."""
    for advance, state, day in _paid_out():
        stored = (
            AdvancePosition.objects.filter(
                advance=advance.advance_id, superseded_date=STILL_IN_FORCE
            )
            .values(*Position._fields)
            .first()
        )
        expected = position_of(advance, state)._asdict() | {"status": status_of(state)}
        found = (stored or {}) | {"status": advance.status}
        for name, value in expected.items():
            if found.get(name) != value:
                yield Finding(
                    FOLDS,
                    f"advance {advance.code}, {name} on {day}",
                    str(value),
                    str(found.get(name, "no position")),
                )


_BOOKED = """
    SELECT name, sum(minor)::bigint FROM (
        SELECT account.name, posting.side * posting.amount_minor AS minor
        FROM ledger_entry AS entry
        JOIN ledger_posting AS posting ON posting.entry_id = entry.id
        JOIN ledger_account AS account ON account.id = posting.account_id
        WHERE entry.legal_entity_id = %(legal_entity_id)s AND entry.reference = %(reference)s
          AND account.name = ANY (%(names)s)
          AND entry.event IN ('advance_disbursed', 'advance_corrected', 'advance_charged_off')
        UNION ALL
        SELECT kind.account, -line.amount_minor
        FROM servicing_settlementline AS line
        JOIN payments_cashreceipt AS receipt ON receipt.id = line.receipt_id
        JOIN (VALUES ('principal', 'advance_principal'), ('fee', 'advance_fee_receivable'),
                     ('recovery', 'recovery_income')) AS kind (bucket, account)
          ON kind.bucket = line.bucket
        WHERE line.advance_id = %(advance_id)s AND receipt.reversed_date IS NULL
    ) AS booked GROUP BY 1
"""


def _own() -> Iterator[Finding]:
    """Advances whose own entries and receipts are not what their folds credit."""
    for advance, state, _ in _paid_out():
        expected = {
            name: -minor
            for kind, name in ADVANCE_ACCOUNT_OF.items()
            for minor in [credited(state)[kind]]
        }
        expected["supplier_credit"] = -state.credit_minor
        expected["advance_principal"] += advance.advance_minor
        expected["advance_fee_receivable"] += advance.fee_minor or 0
        expected["deferred_advance_fee"] -= advance.fee_minor or 0
        with connection.cursor() as cursor:
            cursor.execute(
                _BOOKED,
                {
                    "legal_entity_id": advance.legal_entity_id,
                    "reference": advance.reference,
                    "advance_id": advance.advance_id,
                    "names": list(expected),
                },
            )
            booked = dict(cursor.fetchall())
        for name, minor in expected.items():
            found_minor = booked.get(name, 0)
            if found_minor != minor:
                yield Finding(
                    OWN,
                    f"{name} of advance {advance.code}",
                    str(minor),
                    f"{found_minor}, a difference of {found_minor - minor}",
                )


_BOOKED_BY = """
        SELECT {column},
               sum(minor) FILTER (WHERE account.name = 'advance_principal') AS principal,
               sum(minor) FILTER (WHERE account.name = 'advance_fee_receivable') AS owed,
               -sum(minor) FILTER (WHERE account.name = 'deferred_advance_fee') AS deferred,
               -sum(minor) FILTER (WHERE account.name IN ('advance_fee_income',
                                                          'advance_fee_in_suspense')) AS earned
        FROM ledger_account AS account JOIN ledger_book AS book ON book.id = account.book_id
        CROSS JOIN LATERAL (
            SELECT sum(posting.side * posting.amount_minor) AS minor
            FROM ledger_posting AS posting JOIN ledger_entry AS entry ON entry.id = posting.entry_id
            WHERE posting.account_id = account.id AND posting.booking_date <= %(day)s
              AND entry.event <> 'manual_journal'
        ) AS posted
        WHERE account.legal_entity_id = %(legal_entity_id)s
          AND account.name IN ('advance_principal', 'advance_fee_receivable',
                               'deferred_advance_fee', 'advance_fee_income',
                               'advance_fee_in_suspense')
        GROUP BY {column}
"""

# Through the last night that was booked; entries by hand explain themselves.
_OF_BOOKS = f"""
    WITH held AS (
        SELECT held.book_id, sum(held.principal_minor) AS principal,
               sum({FEE_OWED}) AS owed, sum({FEE_DEFERRED}) AS deferred
        FROM sales_credit_advanceposition AS held
        WHERE held.booking_date <= %(day)s AND held.superseded_date > %(day)s GROUP BY 1
    ), booked AS (
        {_BOOKED_BY.format(column="account.book_id")}
    )
    SELECT kind.name || ' of book ' || book.id || ' (' || book.programme || ')',
           coalesce(kind.held, 0), coalesce(kind.booked, 0)
    FROM ledger_book AS book LEFT JOIN held ON held.book_id = book.id
    LEFT JOIN booked ON booked.book_id = book.id
    CROSS JOIN LATERAL (VALUES ('principal', held.principal, booked.principal),
        ('fee receivable', held.owed, booked.owed),
        ('deferred fee', held.deferred, booked.deferred)) AS kind (name, held, booked)
    WHERE book.legal_entity_id = %(legal_entity_id)s
      AND coalesce(kind.held, 0) <> coalesce(kind.booked, 0)
    ORDER BY 1
"""

# An advance may have earned its income in the book of one class and then of another.
_OF_PROGRAMMES = f"""
    WITH held AS (
        SELECT book.programme, book.currency,
               sum(CASE WHEN held.daily_rate_ppb > 0 THEN
                   {FEE_OWED} + held.fee_collected_minor + held.interest_lost_minor
                   ELSE held.fee_earned_minor END) AS earned
        FROM sales_credit_advanceposition AS held JOIN ledger_book AS book ON book.id = held.book_id
        WHERE book.legal_entity_id = %(legal_entity_id)s
          AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s GROUP BY 1, 2
    ), booked AS (
        {_BOOKED_BY.format(column="book.programme, book.currency")}
    )
    SELECT 'income and suspense of ' || programme || ' in ' || currency,
           coalesce(held.earned, 0), coalesce(booked.earned, 0)
    FROM held FULL JOIN booked USING (programme, currency)
    WHERE coalesce(held.earned, 0) <> coalesce(booked.earned, 0)
    ORDER BY 1
"""


def _by_book() -> Iterator[Finding]:
    """Books, and programmes, whose accounts of advances differ from the positions of the night."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT legal_entity_id, max(date) FROM servicing_daystep"
            " WHERE step = 'sales' GROUP BY 1 ORDER BY 1"
        )
        nights = cursor.fetchall()
        for (legal_entity_id, day), query in product(nights, (_OF_BOOKS, _OF_PROGRAMMES)):
            cursor.execute(
                query,
                {
                    "legal_entity_id": legal_entity_id,
                    "day": day,
                    "until": day + timedelta(days=1),
                },
            )
            for subject, expected, found in cursor.fetchall():
                yield Finding(
                    BY_BOOK,
                    f"{subject} on {day}",
                    str(expected),
                    f"{found}, a difference of {found - expected}",
                )
