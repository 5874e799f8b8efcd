"""Many at once: each caller in a thread with a database connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

from tallystick.rules.refusal import Refusal

Answer = TypeVar("Answer")


def all_at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer | Refusal]:
    """Start the calls together; each answer or refusal, in the order of the calls."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer | Refusal:
        connection.ensure_connection()
        try:
            start.wait(timeout=30)
            return call()
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
