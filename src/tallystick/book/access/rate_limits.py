"""Count requests, so that no client and no guesser takes more than its share.

Counted in the database: exact for all of a server's processes together. One statement on an
unlogged table, whose commit waits for no disk.
"""

from typing import NamedTuple

from tallystick.book.statements import fetched
from tallystick.rules.refusal import Refusal

WINDOW_SECONDS = 60
MAX_FAILURES_A_MINUTE = 20


class Allowance(NamedTuple):
    """How much is left of a limit, and in how many seconds all of it is there again."""

    limit: int
    remaining: int
    reset_seconds: int


class TooManyRequests(Refusal):
    """The limit of requests a minute is used up."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        super().__init__(
            f"More than {allowance.limit} requests came within a minute. "
            f"Ask again in {allowance.reset_seconds} seconds."
        )


_COUNT = """
INSERT INTO access_requestwindow AS counted (subject, started_at, requests)
VALUES (%s, clock_timestamp(), 1)
ON CONFLICT (subject) DO UPDATE SET
    requests = CASE WHEN counted.started_at > excluded.started_at - interval '60 seconds'
                    THEN counted.requests + 1 ELSE 1 END,
    started_at = CASE WHEN counted.started_at > excluded.started_at - interval '60 seconds'
                      THEN counted.started_at ELSE excluded.started_at END
RETURNING requests, greatest(1, 60 - floor(extract(epoch FROM clock_timestamp() - started_at)))::int
"""


def count_request(client_id: int, *, limit: int) -> Allowance:
    """Count a request of a client. Raises TooManyRequests above ``limit`` in the running minute."""
    return _counted(f"client:{client_id}", limit)


def count_failure(address: str) -> None:
    """Count an attempt with a wrong key. Raises TooManyRequests when an address has had enough.

    Whoever has the right key is let in whatever others did from the same address.
    """
    allowance = _counted(f"address:{address[:100]}", MAX_FAILURES_A_MINUTE)
    if allowance.remaining == MAX_FAILURES_A_MINUTE - 1:
        _forget_old_addresses()


def _counted(subject: str, limit: int) -> Allowance:
    ((requests, reset_seconds),) = fetched(_COUNT, [subject])
    allowance = Allowance(limit, max(0, limit - requests), reset_seconds)
    if requests > limit:
        raise TooManyRequests(allowance)
    return allowance


def _forget_old_addresses() -> None:
    fetched(
        "DELETE FROM access_requestwindow WHERE subject LIKE 'address:%%'"
        " AND started_at < now() - interval '1 hour' RETURNING subject",
        [],
    )
