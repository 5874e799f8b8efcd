"""Cells of files that we write: what a spreadsheet would take for a formula is made text."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# Full-width signs begin a formula too, in the Chinese and Japanese editions of spreadsheets.
FORMULA = r"^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])"
NUMBER = r"^[+-]?[0-9][0-9,]*(?:\.[0-9]+)?$"

_FORMULA = re.compile(FORMULA)
_NUMBER = re.compile(NUMBER)


def inert(text: str) -> str:
    """``text``, after an apostrophe where a spreadsheet would compute it; numbers stay numbers."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def inert_texts() -> "pl.Expr":
    """``inert`` of every text column of a frame."""
    import polars as pl

    text = pl.col(pl.String)
    is_formula = text.str.contains(FORMULA) & ~text.str.contains(NUMBER)
    return pl.when(is_formula).then("'" + text).otherwise(text).name.keep()
