"""Statements that are sent so often that sending them counts."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def fetched(query: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement, in the caller's transaction if there is one.

    The driver's own cursor, and a statement that the server has planned once per connection:
    less than half the price of sending it as text through Django's layers. Errors are Django's.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(query, arguments, prepare=True).fetchall()
