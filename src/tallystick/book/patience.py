"""Questions that may turn out to be long, asked with a limit to the wait."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from tallystick.rules.refusal import Refusal


class TookTooLong(Refusal):
    """The question reads too much of the book to be answered at once."""

    def __init__(self) -> None:
        super().__init__(
            "This search reads too much of the book to be answered at once. "
            "Narrow it down: name a supplier, a customer or a range of due dates."
        )


@contextmanager
def for_at_most(milliseconds: int) -> Iterator[None]:
    """Let no statement of this block run longer. Raises TookTooLong.

    A transaction of its own, which only reads: the limit ends with it.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                limit = f"{milliseconds}ms"
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from None
        raise
