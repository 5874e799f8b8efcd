"""Tables as files for people: CSV and XLSX, formulas inert, amounts exact."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from tallystick.faces.files.csv_cells import inert
from tallystick.rules.money import minor_digits, text_from_minor
from tallystick.rules.refusal import Refusal

MAX_SHEET_ROWS = 1_048_576
MAX_CELL_CHARACTERS = 32_767
MAX_SHEET_NAME_CHARACTERS = 31
EXACT_DIGITS = 15
"""Significant digits that a spreadsheet keeps of a number; see ``workbooks``."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_COLUMN_WIDTH = 16


class Amount(NamedTuple):
    """Money in a cell: minor units of a currency."""

    minor: int
    currency: str


Cell = str | int | Decimal | date | datetime | Amount | None


class TooManyRows(Refusal):
    """More rows than a sheet of a workbook can have."""

    def __init__(self) -> None:
        super().__init__(
            f"A sheet holds at most {MAX_SHEET_ROWS:,} rows with its header. "
            "Ask for a shorter period, or for CSV."
        )


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The table as CSV in UTF-8: amounts as ``1234.50``, dates as ``2026-03-02``.

    A byte order mark begins it, without which spreadsheets read Chinese as another encoding.
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow([inert(name) for name in header])
    for row in rows:
        writer.writerow([_csv_text(cell) for cell in row])
    return lines.getvalue().encode("utf-8-sig", errors="backslashreplace")


def _csv_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return inert(cell)
        case Amount(minor, currency):
            return text_from_minor(minor, currency)
        case datetime():
            return cell.isoformat(sep=" ")
        case date():
            return cell.isoformat()
        case bool() | float():
            raise TypeError(f"a table takes no {type(cell).__name__}")
        case int():
            return str(cell)
        case Decimal():
            return format(cell, "f")
        case _:
            raise TypeError(f"a table takes no {type(cell).__name__}")


def xlsx_bytes(
    header: Sequence[str], rows: Iterable[Sequence[Cell]], sheet_name: str = "Sheet1"
) -> bytes:
    """The table as a workbook of one sheet, the header kept in sight.

    Texts are texts, also where they look like formulas; dates are dates. Amounts are numbers that
    are written out exactly, shown with the decimals of their currency; one with more than 15
    digits, which a spreadsheet would round, is a text. Texts are cut at 32,767 characters, the most
    that a cell holds. Raises TooManyRows.
    """
    # Where a command needs no workbook, nobody waits for the library.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(_sheet_name(sheet_name))
    sheet.freeze_panes = "A2"
    for column in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = _COLUMN_WIDTH
    new = partial(WriteOnlyCell, sheet)
    content = io.BytesIO()
    try:
        sheet.append([_text_cell(new, name) for name in header])
        for number, row in enumerate(rows, start=2):
            if number > MAX_SHEET_ROWS:
                raise TooManyRows
            sheet.append([_cell(new, value) for value in row])
    finally:
        # Also when nobody will read it: the library's temporary file is closed and removed here.
        workbook.save(content)
    return content.getvalue()


def _sheet_name(name: str) -> str:
    """As near to ``name`` as a workbook allows."""
    allowed = re.sub(r"[\[\]:*?/\\]", " ", _UNWRITABLE.sub(" ", name)).strip(" '")
    return allowed[:MAX_SHEET_NAME_CHARACTERS] or "Sheet1"


_New = Callable[[Any], Any]
"""Makes a cell of the sheet."""


def _cell(new: _New, value: Cell) -> Any:
    match value:
        case None:
            return None
        case str():
            return _text_cell(new, value)
        case Amount(minor, currency):
            digits = minor_digits(currency)
            shown = f"#,##0.{'0' * digits}" if digits else "#,##0"
            return _number_cell(new, text_from_minor(minor, currency), shown)
        case datetime():
            if value.tzinfo is not None:  # which a spreadsheet does not know
                return _text_cell(new, value.isoformat(sep=" "))
            return _formatted(new(value), "yyyy-mm-dd hh:mm:ss")
        case date():
            return _formatted(new(value), "yyyy-mm-dd")
        case bool() | float():
            raise TypeError(f"a table takes no {type(value).__name__}")
        case int():
            return _number_cell(new, str(value), "0")
        case Decimal():
            return _number_cell(new, format(value, "f"), "General")
        case _:
            raise TypeError(f"a table takes no {type(value).__name__}")


def _text_cell(new: _New, text: str) -> Any:
    cell = new(_UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)[:MAX_CELL_CHARACTERS])
    # The library would make a formula of a text that begins with an equals sign; and a spreadsheet
    # would, once somebody edits the cell, without the mark that this is text.
    cell.data_type = "s"
    cell.quotePrefix = inert(text) != text
    return cell


def _number_cell(new: _New, digits: str, number_format: str) -> Any:
    if len(digits.lstrip("-").replace(".", "").strip("0")) > EXACT_DIGITS:
        return _text_cell(new, digits)
    # Given as text, since the library would write any number through binary floating point.
    cell = new(digits)
    cell.data_type = "n"
    return _formatted(cell, number_format)


def _formatted(cell: Any, number_format: str) -> Any:
    cell.number_format = number_format
    return cell
