"""Stored facts as frames, for the rules that work on frames."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import polars as pl
from django.db import connection


def frame_of(query: str, arguments: Mapping[str, Any], columns: Mapping[str, Any]) -> pl.DataFrame:
    """The rows of a query, whose columns come in the order of ``columns`` (name → Polars type).

    They are copied out as text and parsed whole: no Python object is made for any value.
    """
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)", arguments) as copy,
    ):
        content = b"".join(copy)
    if not content:
        return pl.DataFrame(schema=dict(columns))
    return pl.read_csv(BytesIO(content), has_header=False, schema=dict(columns))
