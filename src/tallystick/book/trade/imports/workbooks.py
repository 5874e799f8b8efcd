"""Read a sheet of an XLSX workbook as text: what a cell holds, never what was computed for it."""

import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import get_column_letter, range_boundaries

from tallystick.book.trade.imports.archives import bounded_archive, no_workbook
from tallystick.book.trade.imports.rows import (
    ROW,
    Rows,
    Sheet,
    UnreadableFile,
    UnreadCell,
    check_columns,
)
from tallystick.rules.hidden_characters import printable
from tallystick.rules.refusal import Refusal

EXACT_DIGITS = 15
"""Significant digits that a spreadsheet's number, a 64-bit binary fraction, keeps of a decimal."""

MAX_SHOWN_CHARACTERS = 200
SHOWN_RANGES = 5
_ESCAPED_CONTROL = re.compile(r"_x00[01][0-9A-Fa-f]_")
_PADDED = re.compile(r"0{2,}")


@dataclass(frozen=True, slots=True)
class _OpenSheet:
    path: Path
    name: str
    worksheet: Any
    merged: list[str]

    def unreadable(self, problem: str) -> UnreadableFile:
        return UnreadableFile(self.path, f"sheet {printable(self.name)!r}: {problem}")


def workbook_header(path: Path, *, sheet: str | None, max_bytes: int) -> list[str]:
    """The texts in the first row of the sheet. Raises UnreadableFile."""
    with _opened(path, sheet=sheet, max_bytes=max_bytes) as opened:
        return _header(opened)


def workbook_rows(
    path: Path,
    *,
    columns: Collection[str],
    dates: Collection[str],
    sheet: str | None,
    max_bytes: int,
) -> Rows:
    """The rows of one sheet: of the one named ``sheet``, or of the only one that is not hidden.

    The header stands in row 1; wholly empty rows are left out, hidden ones are read. Columns in
    ``dates`` take Excel's dates (of either date system) and texts, the others texts and numbers.
    A number is the shortest decimal that its binary fraction stands for, so that what was typed is
    what is read; one of more than 15 digits is refused, since it may have lost some. Formulas,
    errors, truth values and the like are refused cell by cell, whatever was computed for them.

    Raises UnreadableFile.
    """
    with _opened(path, sheet=sheet, max_bytes=max_bytes) as opened:
        header = _header(opened)
        check_columns(path, header, columns)
        places = {name: header.index(name) for name in sorted(columns)}
        _refuse_merged(opened, places)
        return _rows(opened, places, dates=dates, width=len(header))


@contextmanager
def _opened(path: Path, *, sheet: str | None, max_bytes: int) -> Iterator[_OpenSheet]:
    with bounded_archive(path, max_bytes=max_bytes) as (_, parts), path.open("rb") as file:
        try:
            with warnings.catch_warnings():
                # The library warns of styles and extensions that it leaves out: none hold values.
                warnings.simplefilter("ignore")
                reader = ExcelReader(file, read_only=True, keep_links=False)
                reader.read()
                targets = {found.name: rel.target for found, rel in reader.parser.find_sheets()}
                worksheet = _chosen(path, reader.wb.worksheets, sheet)
                # A sheet may claim any size; its rows and columns have been counted.
                worksheet.reset_dimensions()
                merged = parts[targets[worksheet.title]].merged
                yield _OpenSheet(path, worksheet.title, worksheet, merged)
        except Refusal:
            raise
        # The library raises whatever its parser stumbles over, of a dozen kinds: each of them says
        # that this is no workbook.
        except Exception as error:
            raise no_workbook(path, error) from error


def _chosen(path: Path, worksheets: list[Any], name: str | None) -> Any:
    names = [worksheet.title for worksheet in worksheets]
    listed = ", ".join(repr(printable(name)) for name in names[:20]) or "none"
    if name is not None:
        if names.count(name) != 1:
            raise UnreadableFile(
                path, f"has no sheet {name!r}, which the mapping reads; it has: {listed}"
            )
        return worksheets[names.index(name)]
    visible = [worksheet for worksheet in worksheets if worksheet.sheet_state == "visible"]
    if len(visible) != 1:
        raise UnreadableFile(
            path,
            f"has {len(visible)} sheets that are not hidden, of: {listed}; "
            'name one in the mapping, such as sheet = "Invoices"',
        )
    return visible[0]


def _header(opened: _OpenSheet) -> list[str]:
    if touching := [name for name in opened.merged if _boundaries(name)[1] == 1]:
        raise opened.unreadable(
            f"the cells {touching[0]} in the header are merged; unmerge them and give every "
            "column its own name, in row 1"
        )
    header = []
    for cell in next(opened.worksheet.iter_rows(min_row=1, max_row=1), ()):
        if cell.data_type in ("f", "e"):
            raise opened.unreadable(
                f"cell {cell.coordinate} in the header is {_shown(cell)!r}; write the name"
            )
        header.append("" if cell.value is None else str(cell.value))
    if not any(header):
        raise opened.unreadable("row 1 is empty; the names of the columns stand there")
    return header


def _boundaries(name: str) -> tuple[int, int, int, int]:
    """First column and row, last column and row of a range such as ``B2:C5``."""
    first_column, first_row, last_column, last_row = range_boundaries(name)
    return first_column or 1, first_row or 1, last_column or 1, last_row or 1


def _refuse_merged(opened: _OpenSheet, places: dict[str, int]) -> None:
    touching = []
    for name in opened.merged:
        first, _, last, _ = _boundaries(name)
        if any(first <= place + 1 <= last for place in places.values()):
            touching.append(printable(name))
    if touching:
        more = f" and {len(touching) - SHOWN_RANGES:,} more" if len(touching) > SHOWN_RANGES else ""
        raise opened.unreadable(
            f"cells are merged: {', '.join(touching[:SHOWN_RANGES])}{more}; unmerge them and "
            "write its own value into each"
        )


def _rows(
    opened: _OpenSheet, places: dict[str, int], *, dates: Collection[str], width: int
) -> Rows:
    numbers: list[int] = []
    texts: dict[str, list[str | None]] = {name: [] for name in places}
    unread = []
    rows = opened.worksheet.iter_rows(min_row=2, max_col=width)
    for number, row in enumerate(rows, start=2):
        if all(cell.value is None and cell.data_type != "f" for cell in row):
            continue
        numbers.append(number)
        for name, place in places.items():
            cell = row[place]
            problem = _problem(cell, is_date_column=name in dates)
            if problem is None:
                texts[name].append(_text(cell.value))
            else:
                shown = _shown(cell)
                texts[name].append(shown)
                unread.append(UnreadCell(number, name, shown, problem))
    frame = pl.DataFrame(
        {ROW: numbers} | texts, schema={ROW: pl.UInt32} | dict.fromkeys(texts, pl.String)
    )
    letters = {name: get_column_letter(place + 1) for name, place in places.items()}
    return Rows(frame, Sheet(opened.name, letters, tuple(unread)))


def _problem(cell: Any, *, is_date_column: bool) -> str | None:
    """Why a cell holds nothing that can be taken, and what to do; None when it can."""
    value = cell.value
    if cell.data_type == "f":
        return "is a formula; put its value in its place (paste as values)"
    if cell.data_type == "e":
        return "is an error; correct the sheet"
    match value:
        case None | str():
            escaped = value and _ESCAPED_CONTROL.search(value)
            return f"holds a control character, {escaped[0]}; take it out" if escaped else None
        case bool():
            return "is a truth value; write a text or a number"
        case date():
            return (
                None
                if is_date_column
                else "is a date in the sheet; format the cells as text and type the value again"
            )
        case int() | float():
            return _number_problem(cell, is_date_column=is_date_column)
        case _:
            return "is a time without a day; write a date"


def _number_problem(cell: Any, *, is_date_column: bool) -> str | None:
    digits = shortest_decimal(cell.value)
    if digits is None:
        return "is no finite number; correct the sheet"
    if len(digits.as_tuple().digits) > EXACT_DIGITS:
        return (
            f"has more than {EXACT_DIGITS} digits, which a spreadsheet does not keep exactly; "
            "round it, or format the cells as text and type it again"
        )
    # What the eye sees is not what the cell holds: 00042 would be read as 42.
    if not is_date_column and _PADDED.fullmatch(cell.number_format):
        return "is shown with leading zeros it does not hold; format the cells as text and type it"
    return None


def shortest_decimal(value: int | float) -> Decimal | None:
    """The shortest decimal that a number stands for, without zeros at its end; None if none."""
    number = Decimal(repr(value))
    return number.normalize() if number.is_finite() else None


def _text(value: Any) -> str | None:
    match value:
        case None | "":
            return None
        case str():
            return value
        case datetime():
            return value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case _:
            return format(shortest_decimal(value), "f")


def _shown(cell: Any) -> str:
    value = cell.value
    if cell.data_type == "f" and not isinstance(value, str):
        # Formulas over several cells are objects holding their text, what-if tables hold none.
        value = getattr(value, "text", None) or "=TABLE()"
    return printable(str(value)[:MAX_SHOWN_CHARACTERS])
