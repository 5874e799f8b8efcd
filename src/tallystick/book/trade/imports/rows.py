"""What reading a file gives: its rows as text, and the cells that are no text to take."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tallystick.rules.hidden_characters import printable
from tallystick.rules.refusal import Refusal

ROW = "__row__"
"""Column holding a row's place: the record in the file, from 1, a CSV header included."""

SHOWN_COLUMNS = 30


class UnreadableFile(Refusal):
    """A file is not what its name says, is cut short, too large, or lacks a column."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{shown_name(path)}: {problem}")


@dataclass(frozen=True, slots=True)
class UnreadCell:
    """A cell of a spreadsheet that holds something else than a value: what, and what to do."""

    row: int
    column: str
    value: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet that rows come from; ``letters`` name the sheet's column of each column read."""

    name: str
    letters: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[UnreadCell, ...] = ()

    def cell(self, row: int, column: str) -> str:
        """Where a value stands, as a spreadsheet says it: ``Invoices!F12``; empty elsewhere."""
        letter = self.letters.get(column)
        return f"{printable(self.name)}!{letter}{row}" if letter else ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one file.

    ``frame``: ``ROW`` and the columns asked for, all text, null where empty; in an unread cell
    stands what is shown of it, so that no rule about missing values applies.
    """

    frame: pl.DataFrame
    sheet: Sheet | None = None


def shown_name(path: Path) -> str:
    """A file's name as it can be shown and stored: without folders, line ends or tricks."""
    return printable(path.name)


def check_columns(path: Path, header: list[str], columns: Collection[str]) -> None:
    """Every column asked for stands once in the header. Raises UnreadableFile."""
    repeated = sorted({name for name in header if header.count(name) > 1} & set(columns))
    if repeated:
        raise UnreadableFile(path, f"column {repeated[0]!r} stands twice; keep one")
    missing = sorted(set(columns) - set(header))
    if missing:
        raise UnreadableFile(
            path,
            f"lacks the column {missing[0]!r} that the mapping reads; it has: "
            + ", ".join(repr(name[:80]) for name in header[:SHOWN_COLUMNS]),
        )


def first_line(error: BaseException) -> str:
    """What a library says of a file, in one line."""
    return printable(str(error).partition("\n")[0][:200])
