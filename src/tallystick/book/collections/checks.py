"""Prove that letters are what their cases say."""

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


def collections_checks() -> list[Check]:
    """The checks of collections."""
    return [
        _check("collections: letters given up are on the worklist", UNDELIVERED_ON_WORKLIST),
        _check("collections: letters sent have their words", SENT_AS_WRITTEN),
    ]


def _check(name: str, query: str) -> Check:
    def run() -> Iterator[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            for subject, expected, found in cursor.fetchall():
                yield Finding(name, str(subject), str(expected), str(found))

    return Check(name, run)
