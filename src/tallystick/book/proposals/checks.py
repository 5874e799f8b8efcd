"""Prove that what was approved by two people is what was done."""

from collections.abc import Iterator

from django.db import connection

from tallystick.book.watch.findings import Check, Finding

# Each query answers the rows that contradict its name: the object, what should be, what is.

CHARGE_OFFS_ARE_ENTRIES = """
    SELECT subject, minor, 'no entry of that amount'
    FROM (
        SELECT proposal.id, 'charge-off ' || proposal.id || ' of loan ' || loan.code AS subject,
               'loan:' || loan.code AS reference, proposal.legal_entity_id,
               (SELECT sum(part.value::bigint) FROM jsonb_each_text(proposal.figures) AS part
                WHERE part.key LIKE '%_minor') AS minor
        FROM proposals_proposal AS proposal
        JOIN financing_loan AS loan ON loan.id = proposal.loan_id
        WHERE proposal.kind = 'charge_off' AND proposal.approved
    ) AS charged_off
    WHERE NOT EXISTS (
        SELECT FROM ledger_entry AS entry
        JOIN ledger_posting AS posting ON posting.entry_id = entry.id AND posting.side = 1
        WHERE entry.legal_entity_id = charged_off.legal_entity_id
          AND entry.reference = charged_off.reference AND entry.event = 'loan_charged_off'
        GROUP BY entry.id HAVING sum(posting.amount_minor) = charged_off.minor)
    ORDER BY id
"""

# An approval and what it did are one transaction, and the second carries the first's number.
APPROVED_ARE_DONE = """
    SELECT 'proposal ' || proposal.id || coalesce(' of loan ' || loan.code, ''),
           'carried out', 'no such act'
    FROM proposals_proposal AS proposal
    LEFT JOIN financing_loan AS loan ON loan.id = proposal.loan_id
    WHERE proposal.approved AND NOT EXISTS (
        SELECT FROM acts_act AS act
        WHERE act.key = 'proposal:' || proposal.id
          AND (EXISTS (SELECT FROM servicing_loanevent AS event
                       WHERE event.act_id = act.id AND event.loan_id = proposal.loan_id)
            OR EXISTS (SELECT FROM payments_paymentorder AS payment
                       WHERE payment.act_id = act.id AND payment.kind = 'refund'
                         AND payment.beneficiary_id = proposal.supplier_id
                         AND payment.amount_minor = (proposal.terms->>'amount_minor')::bigint)
            OR EXISTS (SELECT FROM funding_sharetransfer AS transfer
                       WHERE transfer.act_id = act.id AND transfer.loan_id = proposal.loan_id)
            OR EXISTS (SELECT FROM funding_sharetransfer AS transfer
                       WHERE act.kind = 'reverse_transfer' AND transfer.loan_id = proposal.loan_id
                         AND transfer.id = (proposal.terms->>'transfer')::bigint
                         AND transfer.reversed_date IS NOT NULL)))
    ORDER BY proposal.id
"""

# No act that takes two people was done by one: each carries the number of what was approved.
DONE_ARE_APPROVED = """
    SELECT 'act ' || act.id || ', ' || act.kind || ' by ' || act.actor, 'approved by another',
           'no such proposal'
    FROM acts_act AS act
    WHERE act.kind IN (
        'extend', 'move_due_date', 're_age', 'pause_interest', 'change_rate', 'waive',
        'restructure', 'charge_off', 'sell_share', 'buy_back_share', 'reverse_transfer',
        'reverse_event', 'charge_back', 'refund_credit')
      AND NOT EXISTS (
        SELECT FROM proposals_proposal AS proposal
        WHERE proposal.id = substring(act.key FROM '^proposal:([0-9]{1,18})$')::bigint
          AND proposal.approved)
    ORDER BY act.id
"""

# What the migrations put in the way of a wrong record.
GUARDS = """
    SELECT 'trigger ' || name, 'enabled always', 'missing or disabled'
    FROM (VALUES
        ('proposals_proposal_decided_once'),
        ('proposals_proposal_only_grows')
    ) AS guard (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgname = name AND tgenabled = 'A' AND NOT tgisinternal)
    ORDER BY name
"""


def proposals_checks() -> list[Check]:
    """The checks of proposals."""
    return [
        _check("guards of proposals stand", GUARDS),
        _check("proposals: what was approved was carried out", APPROVED_ARE_DONE),
        _check("proposals: what takes two people was approved", DONE_ARE_APPROVED),
        _check("proposals: charge-offs are entries", CHARGE_OFFS_ARE_ENTRIES),
    ]


def _check(name: str, query: str) -> Check:
    def run() -> Iterator[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            for subject, expected, found in cursor.fetchall():
                yield Finding(name, str(subject), str(expected), str(found))

    return Check(name, run)
