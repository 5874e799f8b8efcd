"""The rows of an import's files, each file on its own or two of them joined."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from tallystick.book.trade.imports.conversion import Converted, converted
from tallystick.book.trade.imports.mapping import Join, Mapping
from tallystick.book.trade.imports.reading import read_header, read_rows
from tallystick.book.trade.imports.rows import ROW, Rows, UnreadableFile, shown_name
from tallystick.rules.refusal import Refusal


class FilesDoNotJoin(Refusal):
    """A mapping that joins two files was given other files than these two."""


def read_and_convert(
    paths: Sequence[Path],
    mapping: Mapping,
    *,
    max_bytes: int,
    on_file: Callable[[Path], None] = lambda _path: None,
) -> Iterator[tuple[Path, Converted]]:
    """Each file that has rows, with its documents and refusals.

    A file's rows are let go before the next one is read. Raises UnreadableFile and FilesDoNotJoin.
    """
    if mapping.join is not None:
        on_file(paths[0])
        path, rows = _joined(paths, mapping, mapping.join, max_bytes)
        yield path, _converted(path, rows, mapping)
        return
    for path in paths:
        on_file(path)
        rows = _rows(path, mapping, mapping.columns, max_bytes)
        yield path, _converted(path, rows, mapping)


def _converted(path: Path, rows: Rows, mapping: Mapping) -> Converted:
    return converted(rows.frame, mapping, file=shown_name(path), sheet=rows.sheet)


def _rows(path: Path, mapping: Mapping, columns: frozenset[str], max_bytes: int) -> Rows:
    return read_rows(
        path,
        columns=columns,
        max_bytes=max_bytes,
        dates=mapping.date_columns,
        sheet=mapping.sheet,
    )


def _joined(
    paths: Sequence[Path], mapping: Mapping, join: Join, max_bytes: int
) -> tuple[Path, Rows]:
    headers = {path: read_header(path, max_bytes=max_bytes, sheet=mapping.sheet) for path in paths}
    with_rows = [path for path in paths if join.rows in headers[path]]
    others = [path for path in paths if path not in with_rows]
    if len(with_rows) != 1 or len(others) != 1:
        raise FilesDoNotJoin(
            f"mapping {mapping.name} joins two files by {join.column!r}, one of them with a column "
            f"{join.rows!r}; given were: {', '.join(map(shown_name, paths))}. Give both."
        )
    [rows_path], [other_path] = with_rows, others
    there = mapping.columns & set(headers[rows_path])
    rows = _rows(rows_path, mapping, there, max_bytes)
    other = _looked_up(
        other_path, mapping, join, (mapping.columns - there) | {join.column}, max_bytes
    )
    frame = rows.frame.join(other, on=join.column, how="left", maintain_order="left")
    return rows_path, Rows(frame, rows.sheet)


def _looked_up(
    path: Path, mapping: Mapping, join: Join, columns: frozenset[str], max_bytes: int
) -> pl.DataFrame:
    """Rows that add to those of another file; each must be sound, and the only one of its key."""
    rows = _rows(path, mapping, columns, max_bytes)
    if rows.sheet is not None and rows.sheet.unread:
        first = rows.sheet.unread[0]
        raise UnreadableFile(
            path,
            f"{rows.sheet.cell(first.row, first.column)} = {first.value!r} {first.remedy} "
            f"({len(rows.sheet.unread):,} such cells)",
        )
    other = rows.frame.drop(ROW)
    repeated = other.filter(pl.col(join.column).is_duplicated())
    if repeated.height:
        raise UnreadableFile(
            path,
            f"{join.column} {repeated[join.column][0]!r} stands in more than one row; keep one",
        )
    return other
