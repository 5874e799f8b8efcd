"""Columns of many rows, sent to the database as one text each.

A driver's list of fifty thousand values costs three times as much to write and to read as one
text that holds them all, and an import sends several such columns with every batch.
"""

from collections.abc import Iterable
from datetime import date

SEPARATOR = "\x1f"
"""The unit separator. No text of ours may contain it: documents with control characters are
refused."""


def texts(values: Iterable[str]) -> str:
    """A column of texts, at least one; the statement takes it as ``TEXTS``."""
    return SEPARATOR.join(values)


def numbers(values: Iterable[int]) -> str:
    """A column of integers; the statement takes it as ``NUMBERS``."""
    return "{" + ",".join(map(str, values)) + "}"


def plain(values: Iterable[int | date | str | None]) -> str:
    """A column of numbers, truth values, dates or bare words, where None is NULL.

    The statement casts it: ``%s::date[]``. A word is of our own making, without white space,
    quotes, commas or braces.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


TEXTS = "string_to_array(%s, E'\\x1f')"
NUMBERS = "%s::bigint[]"
