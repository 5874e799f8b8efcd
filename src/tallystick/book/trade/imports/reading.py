"""Read a file's rows as text, with their places, or say why it cannot be read."""

import csv
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from tallystick.book.trade.imports.rows import (
    ROW,
    Rows,
    UnreadableFile,
    check_columns,
    first_line,
)
from tallystick.book.trade.imports.workbooks import workbook_header, workbook_rows

CELL_BYTES = 16
"""Least memory that a value takes once it is read."""

_PACKED = {
    ".gz": "gzip -d",
    ".zip": "unzip",
    ".7z": "7z x",
    ".bz2": "bzip2 -d",
    ".xz": "xz -d",
    ".zst": "zstd -d",
}
_OTHER_WORKBOOKS = {
    ".xls": "a workbook of Excel 97-2003",
    ".xlsm": "a workbook with macros",
    ".xlsb": "a binary workbook",
    ".xltx": "a template",
    ".ods": "an OpenDocument sheet",
    ".numbers": "a Numbers document",
}
_STARTS = {
    b"\xff\xfe": "is UTF-16 text",
    b"\xfe\xff": "is UTF-16 text",
    b"PK": "is an archive or a workbook, not CSV",
    # What the fast reader would unpack unasked, whatever its size.
    b"\x1f\x8b": "is compressed",
    b"\x28\xb5\x2f\xfd": "is compressed",
    b"\x78\x01": "is compressed",
    b"\x78\x5e": "is compressed",
    b"\x78\x9c": "is compressed",
    b"\x78\xda": "is compressed",
}


def read_rows(
    path: Path,
    *,
    columns: Collection[str],
    max_bytes: int,
    dates: Collection[str] = (),
    sheet: str | None = None,
) -> Rows:
    """The file's ``columns`` as text (null where empty) and the row's place.

    Everything is text, so that no number passes through floating point on the way in; numbers of
    Parquet and XLSX are written out in their shortest exact form. Columns that the mapping does not
    name are not read. ``max_bytes`` bounds the content, unpacked where it is packed; ``dates`` and
    ``sheet`` matter to workbooks, see ``workbooks``. Raises UnreadableFile.
    """
    match _kind(path, max_bytes=max_bytes):
        case ".csv":
            return Rows(_csv(path, columns))
        case ".parquet":
            return Rows(_parquet(path, columns, max_bytes=max_bytes))
        case _:
            return workbook_rows(
                path, columns=columns, dates=dates, sheet=sheet, max_bytes=max_bytes
            )


def read_header(path: Path, *, max_bytes: int, sheet: str | None = None) -> list[str]:
    """The names of the file's columns, as they stand. Raises UnreadableFile."""
    match _kind(path, max_bytes=max_bytes):
        case ".csv":
            return _csv_header(path)
        case ".parquet":
            return _parquet_header(path)
        case _:
            return workbook_header(path, sheet=sheet, max_bytes=max_bytes)


def _kind(path: Path, *, max_bytes: int) -> str:
    """The suffix of a file that can be read and is not too large."""
    if not path.is_file():
        raise UnreadableFile(path, "there is no such file")
    suffix = path.suffix.lower()
    if suffix in _PACKED:
        raise UnreadableFile(
            path, f"is packed; unpack it ({_PACKED[suffix]}) and give the .csv, .xlsx or .parquet"
        )
    if suffix in _OTHER_WORKBOOKS:
        raise UnreadableFile(
            path, f"is {_OTHER_WORKBOOKS[suffix]}; save it as .xlsx (without macros) or CSV UTF-8"
        )
    if suffix not in (".csv", ".parquet", ".xlsx"):
        raise UnreadableFile(path, f"{suffix or 'no suffix'!r}: give .csv, .xlsx or .parquet files")
    size_bytes = path.stat().st_size
    if size_bytes > max_bytes:
        raise UnreadableFile(
            path,
            f"is {size_bytes:,} bytes, above the limit of {max_bytes:,}; "
            "split it or raise --max-bytes",
        )
    return suffix


@contextmanager
def _told_of(path: Path, kind: str) -> Iterator[None]:
    """Say of a file what a reader says while it is read."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            path,
            f"{_undecodable(path)} is not UTF-8; save it as CSV UTF-8 (spreadsheets in China "
            "write GBK when asked for plain CSV)",
        ) from error
    # Polars panics on some damaged files: a fault of the file all the same.
    except (csv.Error, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise UnreadableFile(path, f"no readable {kind}: {first_line(error)}") from error


def _undecodable(path: Path) -> str:
    """Where a file stops being UTF-8: the reader counts from the block that it has in hand."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"line {number}, byte {error.start + 1}"
    return "the end"


def _csv(path: Path, columns: Collection[str]) -> pl.DataFrame:
    header = _csv_header(path)
    check_columns(path, header, columns)
    with _told_of(path, "CSV"):
        _check_shape(path, len(header))
        rows = pl.read_csv(path, infer_schema=False, row_index_name=ROW, row_index_offset=2)
        return rows.select(ROW, *sorted(columns))


def _csv_header(path: Path) -> list[str]:
    with path.open("rb") as file:
        start = file.read(4)
    for signature, problem in _STARTS.items():
        if start.startswith(signature):
            raise UnreadableFile(path, f"{problem}; save it as CSV UTF-8")
    with _told_of(path, "CSV"):
        return next(_records(path), [])


def _records(path: Path) -> Iterator[list[str]]:
    """The records of a CSV, read strictly."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.reader(_clean(path, lines), strict=True)


def _clean(path: Path, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\x00" in line:
            raise UnreadableFile(
                path, f"line {number} holds a NUL byte: UTF-16 or no text; save it as CSV UTF-8"
            )
        if line.endswith("\r"):
            raise UnreadableFile(
                path,
                f"line {number} ends in a carriage return alone; save it with line feeds "
                "(CSV UTF-8)",
            )
        yield line


def _check_shape(path: Path, width: int) -> None:
    """Every record has the header's number of values.

    The fast reader would fill up a short record in silence, and does not name the row of a long
    one; this one takes two seconds for a million rows.
    """
    for number, row in enumerate(_records(path), start=1):
        if len(row) != width and row:
            raise UnreadableFile(
                path,
                f"row {number} has {len(row)} values where the header has {width}; "
                "look for a missing value, an unquoted comma or a line break",
            )


def _parquet_header(path: Path) -> list[str]:
    with _told_of(path, "Parquet"):
        return pl.read_parquet_schema(path).names()


def _parquet(path: Path, columns: Collection[str], *, max_bytes: int) -> pl.DataFrame:
    check_columns(path, _parquet_header(path), columns)
    with _told_of(path, "Parquet"):
        count = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
        # A million equal values are a few bytes of Parquet, and a million values once read.
        if count * max(1, len(columns)) * CELL_BYTES > max_bytes:
            raise UnreadableFile(
                path,
                f"holds {count:,} rows of {len(columns)} columns, above the limit of "
                f"{max_bytes:,} bytes when unpacked; split it or raise --max-bytes",
            )
        rows = pl.read_parquet(path, columns=sorted(columns))
        nested = [name for name, kind in rows.schema.items() if kind.is_nested()]
        if nested:
            raise UnreadableFile(path, f"column {nested[0]!r} holds lists or records; flatten it")
        return rows.cast(pl.String).with_row_index(ROW, offset=1)
