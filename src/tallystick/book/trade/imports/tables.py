"""The rows of an import's files, each file on its own or two of them joined."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from tallystick.book.trade.imports.conversion import Converted, converted
from tallystick.book.trade.imports.mapping import Join, Mapping
from tallystick.book.trade.imports.reading import ROW, UnreadableFile, has_column, read_rows
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
        rows_path, rows = _joined(paths, mapping, mapping.join, max_bytes)
        yield rows_path, converted(rows, mapping, file=rows_path.name)
        return
    for path in paths:
        on_file(path)
        rows = read_rows(path, columns=mapping.columns, max_bytes=max_bytes)
        yield path, converted(rows, mapping, file=path.name)


def _joined(
    paths: Sequence[Path], mapping: Mapping, join: Join, max_bytes: int
) -> tuple[Path, pl.DataFrame]:
    with_rows = [path for path in paths if has_column(path, join.rows)]
    others = [path for path in paths if path not in with_rows]
    if len(with_rows) != 1 or len(others) != 1:
        raise FilesDoNotJoin(
            f"mapping {mapping.name} joins two files by {join.column!r}, one of them with a column "
            f"{join.rows!r}; given were: {', '.join(path.name for path in paths)}. Give both."
        )
    [rows_path], [other_path] = with_rows, others
    there = {column for column in mapping.columns if has_column(rows_path, column)}
    rows = read_rows(rows_path, columns=there, max_bytes=max_bytes)
    other = read_rows(
        other_path, columns=(mapping.columns - there) | {join.column}, max_bytes=max_bytes
    ).drop(ROW)
    repeated = other.filter(pl.col(join.column).is_duplicated())
    if repeated.height:
        raise UnreadableFile(
            other_path,
            f"{join.column} {repeated[join.column][0]!r} stands in more than one row; keep one",
        )
    return rows_path, rows.join(other, on=join.column, how="left", maintain_order="left")
