"""Work that takes longer than an answer may: begun here, its progress read from the database.

A thread of the server does it. Should the server stop, its transaction rolls back, and the work
is started again from its page; work begun so is restartable, and alone (``book.watch.alone``).
"""

import logging
from collections.abc import Callable
from threading import Event, Thread

from django.db import connection

LONGEST_WAIT_SECONDS = 5
"""For the work to have begun: the page that follows then shows it under way."""

Work = Callable[[Callable[[], None]], object]

_log = logging.getLogger(__name__)


def begin(work: Work, *, name: str) -> Thread:
    """Start ``work``, which calls what it is given once it is under way."""
    under_way = Event()

    def run() -> None:
        try:
            work(under_way.set)
        except Exception:
            _log.exception("%s came to no end", name)
        finally:
            under_way.set()
            connection.close()

    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    under_way.wait(LONGEST_WAIT_SECONDS)
    return thread
