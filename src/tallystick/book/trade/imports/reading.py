"""Read a file's rows as text, with their places, or say why it cannot be read."""

import csv
from collections.abc import Collection
from pathlib import Path

import polars as pl

from tallystick.rules.refusal import Refusal

ROW = "__row__"
"""Column holding a row's place: the record in the file, from 1, a CSV header included."""


class UnreadableFile(Refusal):
    """A file is not what its name says, is cut short, too large, or lacks a column."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path.name}: {problem}")


def read_rows(path: Path, *, columns: Collection[str], max_bytes: int) -> pl.DataFrame:
    """The file's ``columns`` as text (null where empty) and the row's place.

    Everything is text, so that no number passes through floating point on the way in; Parquet
    floats are written out in their shortest exact form. Columns that the mapping does not name
    are not read. Raises UnreadableFile.
    """
    if not path.is_file():
        raise UnreadableFile(path, "there is no such file")
    size_bytes = path.stat().st_size
    if size_bytes > max_bytes:
        raise UnreadableFile(
            path,
            f"is {size_bytes:,} bytes, above the limit of {max_bytes:,}; "
            "split it or raise --max-bytes",
        )
    match path.suffix.lower():
        case ".csv":
            return _csv(path, columns)
        case ".parquet":
            return _parquet(path, columns)
        case suffix:
            raise UnreadableFile(path, f"{suffix or 'no suffix'!r}: give .csv or .parquet files")


def has_column(path: Path, column: str) -> bool:
    """Whether the file has a column of that name. Raises UnreadableFile."""
    return column in _header(path)


def _header(path: Path) -> list[str]:
    if path.suffix.lower() == ".parquet":
        try:
            return pl.read_parquet_schema(path).names()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UnreadableFile(path, f"no readable Parquet: {_first_line(error)}") from error
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return next(csv.reader(lines), [])
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            path, f"byte {error.start} is not UTF-8; save the file as UTF-8"
        ) from error


def _csv(path: Path, columns: Collection[str]) -> pl.DataFrame:
    header = _header(path)
    _check_columns(path, header, columns)
    _check_shape(path, len(header))
    try:
        rows = pl.read_csv(path, infer_schema=False, row_index_name=ROW, row_index_offset=2)
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(path, f"no readable CSV: {_first_line(error)}") from error
    return rows.select(ROW, *sorted(columns))


def _check_shape(path: Path, width: int) -> None:
    """Every record has the header's number of values.

    The fast reader would fill up a short record in silence, and does not name the row of a long
    one; this one takes two seconds for a million rows.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, strict=True), start=1):
                if len(row) != width and row:
                    raise UnreadableFile(
                        path,
                        f"row {number} has {len(row)} values where the header has {width}; "
                        "look for a missing value, an unquoted comma or a line break",
                    )
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            path, f"byte {error.start} is not UTF-8; save the file as UTF-8"
        ) from error
    except csv.Error as error:
        raise UnreadableFile(path, f"no readable CSV: {error}") from error


def _parquet(path: Path, columns: Collection[str]) -> pl.DataFrame:
    _check_columns(path, _header(path), columns)
    try:
        rows = pl.read_parquet(path, columns=sorted(columns))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableFile(path, f"no readable Parquet: {_first_line(error)}") from error
    nested = [name for name, kind in rows.schema.items() if kind.is_nested()]
    if nested:
        raise UnreadableFile(path, f"column {nested[0]!r} holds lists or records; flatten it")
    return rows.cast(pl.String).with_row_index(ROW, offset=1)


def _check_columns(path: Path, header: list[str], columns: Collection[str]) -> None:
    repeated = sorted({name for name in header if header.count(name) > 1} & set(columns))
    if repeated:
        raise UnreadableFile(path, f"column {repeated[0]!r} stands twice; keep one")
    missing = sorted(set(columns) - set(header))
    if missing:
        raise UnreadableFile(
            path,
            f"lacks the column {missing[0]!r} that the mapping reads; it has: "
            + ", ".join(repr(name) for name in header[:30]),
        )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
