"""Count requests, so that no client and no guesser takes more than its share.

Counted in the database: exact for all of a server's processes together, on an unlogged table,
whose commit waits for no disk. A client is counted by the statement that lets it in.
"""

from typing import NamedTuple

from tallystick.book.statements import fetched
from tallystick.rules.refusal import Refusal

WINDOW_SECONDS = 60
MAX_FAILURES_A_MINUTE = 20


class Allowance(NamedTuple):
    """A limit, the requests of the running minute, and in how many seconds all is there again."""

    limit: int
    requests: int
    reset_seconds: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.requests)

    def refuse_used_up(self) -> None:
        """Raise TooManyRequests when more came than the limit."""
        if self.requests > self.limit:
            raise TooManyRequests(self)


class TooManyRequests(Refusal):
    """The limit of requests a minute is used up."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        super().__init__(
            f"More than {allowance.limit} requests came within a minute. "
            f"Ask again in {allowance.reset_seconds} seconds."
        )


def counting(subjects: str) -> str:
    """The statement that counts one request of each of ``subjects``, a query of one text column.

    Answers ``requests`` of the running minute and ``reset_seconds``.
    """
    return f"""
    INSERT INTO access_requestwindow AS counted (subject, started_at, requests)
    SELECT subject, clock_timestamp(), 1 FROM ({subjects}) AS given (subject)
    ON CONFLICT (subject) DO UPDATE SET
        requests = CASE WHEN counted.started_at > excluded.started_at - interval '60 seconds'
                        THEN counted.requests + 1 ELSE 1 END,
        started_at = CASE WHEN counted.started_at > excluded.started_at - interval '60 seconds'
                          THEN counted.started_at ELSE excluded.started_at END
    RETURNING requests, greatest(
        1, 60 - floor(extract(epoch FROM clock_timestamp() - started_at)))::int AS reset_seconds
    """


_COUNT_ADDRESS = counting("SELECT 'address:' || %s")


def count_failure(address: str) -> None:
    """Count an attempt with a wrong key. Raises TooManyRequests when an address has had enough.

    Whoever has the right key is let in whatever others did from the same address.
    """
    ((requests, reset_seconds),) = fetched(_COUNT_ADDRESS, [address[:100]])
    allowance = Allowance(MAX_FAILURES_A_MINUTE, requests, reset_seconds)
    allowance.refuse_used_up()
    if requests == 1:
        _forget_old_addresses()


def _forget_old_addresses() -> None:
    fetched(
        "DELETE FROM access_requestwindow WHERE subject LIKE 'address:%%'"
        " AND started_at < now() - interval '1 hour' RETURNING subject",
        [],
    )
