"""Prove that loans, cash and days are what their events and lines say."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import connection

from tallystick.book.servicing.close import STEPS
from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.book.servicing.refold import refolded
from tallystick.book.servicing.ties import INCOME, OWN_ENTRIES, earned_income, own_entries
from tallystick.book.watch.findings import Check, Finding

# Each query answers the rows that contradict its name: the object, what should be, what is.

LINES_SUM_TO_CASH = """
    SELECT 'receipt ' || receipt.bank_reference, receipt.amount_minor,
           receipt.unapplied_minor + coalesce(sum(line.amount_minor), 0)
    FROM payments_cashreceipt AS receipt
    LEFT JOIN servicing_settlementline AS line ON line.receipt_id = receipt.id
    GROUP BY receipt.id
    HAVING receipt.amount_minor <> receipt.unapplied_minor + coalesce(sum(line.amount_minor), 0)
    ORDER BY receipt.id
"""

# A line to a loan is the loan's event, and the other way round.
LINES_ARE_EVENTS = """
    SELECT 'loan ' || loan.code || ' of ' || coalesce(line.reference, event.reference),
           coalesce(line.minor, 0), coalesce(event.minor, 0)
    FROM (
        SELECT line.loan_id, 'receipt:' || receipt.bank_reference AS reference,
               sum(line.amount_minor) AS minor
        FROM servicing_settlementline AS line
        JOIN payments_cashreceipt AS receipt ON receipt.id = line.receipt_id
        WHERE line.loan_id IS NOT NULL GROUP BY 1, 2
    ) AS line
    FULL JOIN (
        SELECT loan_id, reference, sum(amount_minor) AS minor
        FROM servicing_loanevent
        WHERE kind IN ('received', 'remitted', 'repaid', 'recovered') GROUP BY 1, 2
    ) AS event ON event.loan_id = line.loan_id AND event.reference = line.reference
    JOIN financing_loan AS loan ON loan.id = coalesce(line.loan_id, event.loan_id)
    WHERE line.minor IS DISTINCT FROM event.minor
    ORDER BY 1
"""

CLAIMS_PAID_BY_REMITTANCES = """
    SELECT 'claim ' || claim.code, coalesce(remitted.minor, 0), coalesce(paid.minor, 0)
    FROM (
        SELECT line.claim_id, sum(line.amount_minor) AS minor
        FROM payments_remittanceline AS line
        JOIN payments_cashreceipt AS receipt ON receipt.id = line.receipt_id
        WHERE receipt.reversed_date IS NULL GROUP BY 1
    ) AS remitted
    FULL JOIN (
        SELECT claim_id, sum(paid_minor) AS minor FROM trade_claimevent
        WHERE kind IN ('paid', 'payment_reversed') GROUP BY 1
    ) AS paid ON paid.claim_id = remitted.claim_id
    JOIN trade_claim AS claim ON claim.id = coalesce(remitted.claim_id, paid.claim_id)
    WHERE coalesce(remitted.minor, 0) <> coalesce(paid.minor, 0)
    ORDER BY 1
"""

SUSPENSE_IS_UNAPPLIED_CASH = """
    WITH held AS (
        SELECT account.legal_entity_id, account.currency,
               sum(-posting.side * posting.amount_minor) AS minor
        FROM ledger_account AS account JOIN ledger_posting AS posting
          ON posting.account_id = account.id
        WHERE account.name = 'settlement_suspense' GROUP BY 1, 2
    ), unapplied AS (
        SELECT legal_entity_id, currency, sum(unapplied_minor) AS minor
        FROM payments_cashreceipt WHERE reversed_date IS NULL GROUP BY 1, 2
    )
    SELECT 'suspense of ' || entity.code || ' in ' || currency,
           coalesce(unapplied.minor, 0), coalesce(held.minor, 0)
    FROM held FULL JOIN unapplied USING (legal_entity_id, currency)
    JOIN parties_legalentity AS entity ON entity.id = legal_entity_id
    WHERE coalesce(unapplied.minor, 0) <> coalesce(held.minor, 0)
    ORDER BY 1
"""

SUSPENSE_ON_WORKLIST = """
    SELECT 'receipt ' || receipt.bank_reference, 'an open work item', 'none'
    FROM payments_cashreceipt AS receipt
    WHERE receipt.unapplied_minor > 0 AND receipt.reversed_date IS NULL
      AND NOT EXISTS (
        SELECT FROM watch_workitem AS item
        WHERE item.legal_entity_id = receipt.legal_entity_id AND item.kind = 'unapplied_cash'
          AND item.subject = 'receipt:' || receipt.bank_reference AND item.closed_at IS NULL)
    ORDER BY receipt.id
"""

# What stands for suppliers is what lines and folds left them, less what the bank has paid out;
# whether as credit, as payable, or the other way round as due from them.
SUPPLIERS_MONEY = """
    WITH held AS (
        SELECT account.legal_entity_id, account.party_id, account.currency,
               sum(-posting.side * posting.amount_minor) AS minor
        FROM ledger_account AS account JOIN ledger_posting AS posting
          ON posting.account_id = account.id
        WHERE account.name IN ('supplier_credit', 'payable_to_supplier', 'due_from_supplier')
        GROUP BY 1, 2, 3
    ), told AS (
        SELECT legal_entity_id, party_id, currency, sum(minor) AS minor
        FROM (
            SELECT receipt.legal_entity_id, line.supplier_id AS party_id, receipt.currency,
                   line.amount_minor AS minor
            FROM servicing_settlementline AS line
            JOIN payments_cashreceipt AS receipt ON receipt.id = line.receipt_id
            WHERE line.loan_id IS NULL AND line.advance_id IS NULL
              AND receipt.reversed_date IS NULL
            UNION ALL
            SELECT facility.legal_entity_id, facility.supplier_id, loan.currency, held.credit_minor
            FROM servicing_position AS held
            JOIN financing_loan AS loan ON loan.id = held.loan_id
            JOIN financing_facility AS facility ON facility.id = loan.facility_id
            WHERE held.superseded_date = %(still)s AND held.credit_minor > 0
            UNION ALL
            SELECT line.legal_entity_id, line.merchant_id, line.currency, held.credit_minor
            FROM sales_credit_advanceposition AS held
            JOIN sales_credit_advance AS advance ON advance.id = held.advance_id
            JOIN sales_credit_salesline AS line ON line.id = advance.line_id
            WHERE held.superseded_date = %(still)s AND held.credit_minor > 0
            UNION ALL
            SELECT legal_entity_id, beneficiary_id, currency, -amount_minor
            FROM payments_paymentorder
            WHERE kind IN ('residual', 'refund') AND status = 'paid'
        ) AS part GROUP BY 1, 2, 3
    )
    SELECT 'money of supplier ' || party.code || ' in ' || currency,
           coalesce(told.minor, 0), coalesce(held.minor, 0)
    FROM held FULL JOIN told USING (legal_entity_id, party_id, currency)
    JOIN parties_party AS party ON party.id = party_id
    WHERE coalesce(told.minor, 0) <> coalesce(held.minor, 0)
    ORDER BY 1
"""

PAYABLE_COVERS_ORDERS = """
    WITH ordered AS (
        SELECT legal_entity_id, beneficiary_id AS party_id, currency, sum(amount_minor) AS minor
        FROM payments_paymentorder
        WHERE kind IN ('residual', 'refund') AND status = 'ordered' GROUP BY 1, 2, 3
    ), payable AS (
        SELECT account.legal_entity_id, account.party_id, account.currency,
               sum(-posting.side * posting.amount_minor) AS minor
        FROM ledger_account AS account JOIN ledger_posting AS posting
          ON posting.account_id = account.id
        WHERE account.name = 'payable_to_supplier' GROUP BY 1, 2, 3
    )
    SELECT 'payable to supplier ' || party.code || ' in ' || currency,
           'at least ' || ordered.minor, coalesce(payable.minor, 0)
    FROM ordered LEFT JOIN payable USING (legal_entity_id, party_id, currency)
    JOIN parties_party AS party ON party.id = party_id
    WHERE ordered.minor > coalesce(payable.minor, 0)
    ORDER BY 1
"""

# As of the last sealed day: a receipt of today may meet a night that is being booked just now.
NO_BALANCE_NEGATIVE = """
    SELECT account.name || coalesce(' of book ' || account.book_id, '')
               || coalesce(' of ' || party.code, '') || ' in ' || account.currency,
           'not below 0', sum(posting.side * posting.amount_minor) * kind.side
    FROM (VALUES ('loan_principal', 1), ('interest_receivable', 1), ('fee_receivable', 1),
                 ('penalty_receivable', 1), ('due_from_supplier', 1), ('supplier_credit', -1),
                 ('payable_to_supplier', -1), ('settlement_suspense', -1),
                 ('principal_sold', -1), ('interest_sold', -1), ('penalty_sold', -1),
                 ('fees_sold', -1),
                 ('committed_drawdowns', 1), ('loss_allowance', -1), ('loss_reserve', -1),
                 ('interest_in_suspense', -1), ('penalty_in_suspense', -1),
                 ('advance_principal', 1), ('advance_fee_receivable', 1),
                 ('deferred_advance_fee', -1)) AS kind (name, side)
    JOIN ledger_account AS account ON account.name = kind.name
    JOIN ledger_posting AS posting ON posting.account_id = account.id
    LEFT JOIN parties_party AS party ON party.id = account.party_id
    WHERE posting.booking_date <= (
        SELECT max(date) FROM ledger_seal WHERE legal_entity_id = account.legal_entity_id)
    GROUP BY account.id, kind.side, party.code
    HAVING sum(posting.side * posting.amount_minor) * kind.side < 0
    ORDER BY 1
"""

CLEARING_IS_EMPTY = """
    SELECT 'settlement clearing of ' || entity.code || ' in ' || account.currency, 0,
           sum(posting.side * posting.amount_minor)
    FROM ledger_account AS account
    JOIN ledger_posting AS posting ON posting.account_id = account.id
    JOIN parties_legalentity AS entity ON entity.id = account.legal_entity_id
    WHERE account.name = 'settlement_clearing'
    GROUP BY account.id, entity.code HAVING sum(posting.side * posting.amount_minor) <> 0
    ORDER BY 1
"""

STATUS_IS_POSITION = """
    SELECT 'loan ' || loan.code, loan.status,
           CASE WHEN held.loan_id IS NULL THEN 'no position'
                WHEN held.charged_off_date IS NOT NULL THEN 'charged_off'
                WHEN held.settled THEN 'settled' ELSE 'live' END
               || coalesce(', paid out ' || payout.count || ' times', ', never paid out')
    FROM financing_loan AS loan
    LEFT JOIN servicing_position AS held
      ON held.loan_id = loan.id AND held.superseded_date = %(still)s
    LEFT JOIN (
        SELECT loan_id, count(*) FROM servicing_loanevent WHERE kind = 'disbursed' GROUP BY 1
    ) AS payout ON payout.loan_id = loan.id
    WHERE (CASE WHEN loan.status IN ('live', 'settled', 'charged_off')
        THEN held.settled = (loan.status <> 'live') AND payout.count IS NOT NULL
             AND (held.charged_off_date IS NOT NULL) = (loan.status = 'charged_off')
             AND held.book_id = loan.book_id AND held.due_date = loan.due_date
        ELSE held.loan_id IS NULL AND payout.count IS NULL END) IS NOT TRUE
    ORDER BY loan.code
"""

POSITIONS_FOLLOW_EACH_OTHER = """
    SELECT 'loan ' || loan.code || ', position of ' || row.booking_date,
           'ends on ' || coalesce(row.next_date, %(still)s), 'ends on ' || row.superseded_date
    FROM (
        SELECT loan_id, booking_date, superseded_date,
               lead(booking_date) OVER (PARTITION BY loan_id ORDER BY booking_date) AS next_date
        FROM servicing_position
    ) AS row
    JOIN financing_loan AS loan ON loan.id = row.loan_id
    WHERE row.superseded_date <> coalesce(row.next_date, %(still)s)
    ORDER BY 1
"""

COMMITMENTS_ARE_PENDING_LOANS = """
    WITH held AS (
        SELECT account.book_id, sum(posting.side * posting.amount_minor) AS minor
        FROM ledger_account AS account JOIN ledger_posting AS posting
          ON posting.account_id = account.id
        WHERE account.name = 'committed_drawdowns' GROUP BY 1
    ), pending AS (
        SELECT book_id, sum(minor) AS minor FROM (
            SELECT book_id, principal_minor AS minor FROM financing_loan WHERE status = 'pending'
            UNION ALL
            SELECT book_id, advance_minor FROM sales_credit_advance WHERE status = 'pending'
        ) AS under_way GROUP BY 1
    )
    SELECT 'committed drawdowns of book ' || book_id, coalesce(pending.minor, 0),
           coalesce(held.minor, 0)
    FROM held FULL JOIN pending USING (book_id)
    WHERE coalesce(pending.minor, 0) <> coalesce(held.minor, 0)
    ORDER BY 1
"""

# The day that closes just now may lack its last steps, and no other.
DAYS_CLOSED_WHOLE = """
    SELECT 'day ' || day.date || ' of ' || entity.code || ', step ' || step.name,
           'done', 'not done'
    FROM parties_legalentity AS entity
    CROSS JOIN LATERAL (
        SELECT entity.opened_date + place AS date
        FROM generate_series(0, entity.business_date - entity.opened_date - 1) AS place
    ) AS day
    CROSS JOIN unnest(%(steps)s::text[]) AS step (name)
    LEFT JOIN servicing_daystep AS done
      ON done.legal_entity_id = entity.id AND done.date = day.date AND done.step = step.name
    WHERE done.id IS NULL AND (day.date < entity.business_date - 1 OR EXISTS (
        SELECT FROM ledger_seal AS seal
        WHERE seal.legal_entity_id = entity.id AND seal.date = day.date))
    ORDER BY 1
"""

# Rows that come by the thousand carry no foreign keys; triggers check them as they are written.
REFERENCES_HOLD = """
    SELECT subject, 'a row that is there', what || ' ' || id
    FROM (
        SELECT 'loan event ' || event.id AS subject, 'loan' AS what, loan_id AS id
        FROM servicing_loanevent AS event
        WHERE NOT EXISTS (SELECT FROM financing_loan WHERE id = loan_id)
        UNION ALL
        SELECT 'loan event ' || event.id, 'act', act_id FROM servicing_loanevent AS event
        WHERE NOT EXISTS (SELECT FROM acts_act WHERE id = act_id)
        UNION ALL
        SELECT 'position of ' || booking_date, 'loan', loan_id FROM servicing_position
        WHERE NOT EXISTS (SELECT FROM financing_loan WHERE id = loan_id)
        UNION ALL
        SELECT 'position of ' || booking_date, 'book', book_id FROM servicing_position
        WHERE NOT EXISTS (SELECT FROM ledger_book WHERE id = book_id)
        UNION ALL
        SELECT 'line ' || line.id, 'receipt', receipt_id FROM servicing_settlementline AS line
        WHERE NOT EXISTS (SELECT FROM payments_cashreceipt WHERE id = receipt_id)
        UNION ALL
        SELECT 'line ' || line.id, 'supplier', supplier_id FROM servicing_settlementline AS line
        WHERE NOT EXISTS (SELECT FROM parties_party WHERE id = supplier_id)
        UNION ALL
        SELECT 'line ' || line.id, 'facility', facility_id FROM servicing_settlementline AS line
        WHERE facility_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM financing_facility WHERE id = facility_id)
        UNION ALL
        SELECT 'line ' || line.id, 'loan', loan_id FROM servicing_settlementline AS line
        WHERE loan_id IS NOT NULL AND NOT EXISTS (SELECT FROM financing_loan WHERE id = loan_id)
        UNION ALL
        SELECT 'line ' || line.id, 'advance', advance_id FROM servicing_settlementline AS line
        WHERE advance_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM sales_credit_advance WHERE id = advance_id)
        UNION ALL
        SELECT 'line ' || line.id, 'payment', payment_id FROM servicing_settlementline AS line
        WHERE payment_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM payments_paymentorder WHERE id = payment_id)
    ) AS lost
    ORDER BY subject
"""

# What the migrations put in the way of a wrong record.
GUARDS = """
    SELECT 'trigger ' || name, 'enabled always', 'missing or disabled'
    FROM (VALUES
        ('payments_bankanswer_only_grows'),
        ('payments_cashreceipt_only_grows'),
        ('payments_paymentorder_answered_once'),
        ('payments_paymentorder_only_grows'),
        ('payments_remittanceline_only_grows'),
        ('servicing_daystep_only_grows'),
        ('servicing_loanevent_checked'),
        ('servicing_loanevent_only_grows'),
        ('servicing_position_checked'),
        ('servicing_position_history_kept'),
        ('servicing_position_only_grows'),
        ('servicing_repaymentplan_checked'),
        ('servicing_repaymentplan_only_grows'),
        ('servicing_settlementline_checked'),
        ('servicing_settlementline_only_grows'),
        ('watch_workitem_closed_once'),
        ('watch_workitem_only_grows')
    ) AS guard (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgname = name AND tgenabled = 'A' AND NOT tgisinternal)
    ORDER BY name
"""

QUERIES = {
    "guards of payments, loans and days stand": GUARDS,
    "loans: events, positions and lines refer to what is there": REFERENCES_HOLD,
    "receipts: lines and unapplied cash sum to the cash": LINES_SUM_TO_CASH,
    "receipts: lines to loans are the loans' events": LINES_ARE_EVENTS,
    "receipts: what they remit is what claims were paid": CLAIMS_PAID_BY_REMITTANCES,
    "suspense: the ledger holds the unapplied cash": SUSPENSE_IS_UNAPPLIED_CASH,
    "suspense: unapplied cash is on the worklist": SUSPENSE_ON_WORKLIST,
    "suppliers: the ledger holds what is theirs": SUPPLIERS_MONEY,
    "suppliers: what is payable covers the orders": PAYABLE_COVERS_ORDERS,
    "ledger: no balance below zero": NO_BALANCE_NEGATIVE,
    "ledger: no cash left in clearing": CLEARING_IS_EMPTY,
    "loans: status, book and due date are the position's": STATUS_IS_POSITION,
    "loans: positions follow each other without a gap": POSITIONS_FOLLOW_EACH_OTHER,
    "ledger: committed drawdowns are the pending loans and advances": COMMITMENTS_ARE_PENDING_LOANS,
    "days: closed with every step": DAYS_CLOSED_WHOLE,
}


def servicing_checks() -> list[Check]:
    """The checks of loans, of cash received and of closed days, the quick ones first."""
    checks = [Check(name, partial(_contradictions, name, query)) for name, query in QUERIES.items()]
    return [
        *checks,
        Check(OWN_ENTRIES, own_entries),
        Check(INCOME, earned_income),
        Check("loans: recomputed from their events", refolded),
    ]


def _contradictions(name: str, query: str) -> Iterator[Finding]:
    arguments: dict[str, Any] = {"still": STILL_IN_FORCE, "steps": list(STEPS)}
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        for subject, expected, found in cursor.fetchall():
            yield Finding(name, subject, str(expected), str(found))
