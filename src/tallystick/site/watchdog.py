"""Keep the embedded server running under a long-lived command, whatever ends it."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.rules.refusal import Refusal
from tallystick.site import cluster
from tallystick.site.server import Server

SECONDS_BETWEEN_LOOKS = 0.5

logger = logging.getLogger("tallystick.watchdog")


@contextmanager
def kept_running(here: Server) -> Iterator[None]:
    """Start the embedded server again whenever it ends while the block lasts.

    ``here`` is a database on it, which the caller holds a lease on. It comes back at the same
    address with all that was committed.
    """
    done = threading.Event()
    home = cluster.home()
    watchdog = threading.Thread(target=_watch, args=(here, home, done), daemon=True)
    watchdog.start()
    try:
        yield
    finally:
        done.set()
        watchdog.join()


def _watch(here: Server, home: Path, done: threading.Event) -> None:
    while not done.wait(SECONDS_BETWEEN_LOOKS):
        if _listens(here):
            continue
        logger.warning("PostgreSQL has ended; it is started again")
        try:
            cluster.revive(home)
        except Refusal as refusal:
            logger.error("%s", refusal)
        else:
            logger.warning("PostgreSQL runs again")


def _listens(here: Server) -> bool:
    """True while somebody accepts connections there; a server that recovers does, too."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(Path(here.host, f".s.PGSQL.{here.port}")))
        except OSError:
            return False
    return True
