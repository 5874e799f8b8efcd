"""Prove that cases, letters and write-offs are what the loans and the ledger say."""

from collections.abc import Iterator

from django.db import connection

from tallystick.book.watch.findings import Check, Finding

# Each query answers the rows that contradict its name: the object, what should be, what is.

UNDELIVERED_ON_WORKLIST = """
    SELECT 'letter ' || message.id, 'an open work item', 'none'
    FROM collections_message AS message
    JOIN collections_case AS held ON held.id = message.case_id AND held.closed_date IS NULL
    WHERE message.state = 'dead' AND NOT EXISTS (
        SELECT FROM watch_workitem AS item
        WHERE item.legal_entity_id = held.legal_entity_id AND item.kind = 'dunning_undeliverable'
          AND item.subject = 'case:' || message.case_id || ':' || message.step)
    ORDER BY message.id
"""

SENT_AS_WRITTEN = """
    SELECT 'letter ' || id, 'its words', 'none'
    FROM collections_message WHERE state = 'sent' AND channel = 'mail' AND body = '' ORDER BY id
"""

WRITE_OFFS_ARE_ENTRIES = """
    SELECT subject, minor, 'no entry of that amount'
    FROM (
        SELECT proposal.id, 'write-off ' || proposal.id || ' of loan ' || loan.code AS subject,
               'loan:' || loan.code AS reference, held.legal_entity_id,
               (SELECT sum(part.value::bigint) FROM jsonb_each_text(proposal.figures) AS part
                WHERE part.key LIKE '%_minor') AS minor
        FROM collections_proposal AS proposal
        JOIN collections_case AS held ON held.id = proposal.case_id
        JOIN financing_loan AS loan ON loan.id = proposal.loan_id
        WHERE proposal.kind = 'write_off' AND proposal.approved
    ) AS written_off
    WHERE NOT EXISTS (
        SELECT FROM ledger_entry AS entry
        JOIN ledger_posting AS posting ON posting.entry_id = entry.id AND posting.side = 1
        WHERE entry.legal_entity_id = written_off.legal_entity_id
          AND entry.reference = written_off.reference AND entry.event = 'loan_charged_off'
        GROUP BY entry.id HAVING sum(posting.amount_minor) = written_off.minor)
    ORDER BY id
"""


def collections_checks() -> list[Check]:
    """The checks of collections."""
    return [
        _check("collections: letters given up are on the worklist", UNDELIVERED_ON_WORKLIST),
        _check("collections: letters sent have their words", SENT_AS_WRITTEN),
        _check("collections: write-offs are entries", WRITE_OFFS_ARE_ENTRIES),
    ]


def _check(name: str, query: str) -> Check:
    def run() -> Iterator[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            for subject, expected, found in cursor.fetchall():
                yield Finding(name, str(subject), str(expected), str(found))

    return Check(name, run)
