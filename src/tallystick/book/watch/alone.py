"""Long work that runs once at a time, whichever process began it; and whether it runs.

A lock of the session says so: it ends with the work and also with the process, so that nothing
is said to run which was killed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

CLOSE_RUN_LOCK = 7107
"""First key of the locks under which a legal entity's days are being closed; second: its id."""

VERIFY_RUN_LOCK = 7106
"""First key of the lock under which the books are being proved; the second is 0."""


@contextmanager
def alone(lock: int, object_id: int = 0) -> Iterator[bool]:
    """True inside the block, unless another session is inside one with these keys already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [lock, object_id])
        (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [lock, object_id])


def is_running(lock: int, object_id: int = 0) -> bool:
    """Whether some session is inside ``alone`` with these keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND objsubid = 2 AND classid = %s AND objid = %s AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [lock, object_id],
        )
        (running,) = cursor.fetchone()
    return bool(running)
