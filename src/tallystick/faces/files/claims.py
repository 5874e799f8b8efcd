"""Claims files, CSV and Parquet: read strictly, checked whole, and written with their reasons."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl

from tallystick.faces.files.csv_cells import inert_texts
from tallystick.faces.files.writing import replacing
from tallystick.rules.frames import (
    AMOUNTS,
    CLAIMS,
    DATES,
    MAX_SHOWN_CHARACTERS,
    ROW,
    NotClaims,
    claims_frame,
    faults,
    faulty,
    refuse_other_columns,
    repeated,
)
from tallystick.rules.refusal import Refusal

SHOWN_FAULTS = 20
MAX_FAULTY_ROWS = 1_000
WHOLE_ROW = ""

_WHOLE_NUMBER = r"^-?[0-9]{1,19}$"
_ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that cannot be taken. ``row`` counts the records of the file from 1, a CSV's
    header included; ``column`` is empty where the whole row is meant, ``value`` is None where
    there is none.
    """

    row: int
    column: str
    value: str | None
    remedy: str

    def __str__(self) -> str:
        column = f", {self.column}" if self.column else ""
        value = "" if self.value is None else f" = {self.value!r}"
        return f"row {self.row}{column}{value}: {self.remedy}"


class UnreadableClaims(Refusal):
    """A file is not there, not what its name says, cut short, or not laid out as claims."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path.name}: {problem}")


class InvalidClaims(Refusal):
    """Some claims of a file cannot be taken; ``faults`` are those of its first such rows."""

    def __init__(self, path: Path, faults: Iterable[Fault]) -> None:
        self.path = path
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.row, fault.column)))
        rows = len({fault.row for fault in self.faults})
        counted = f"{rows:,} rows are" if rows > 1 else "1 row is"
        at_least = "at least " if rows >= MAX_FAULTY_ROWS else ""
        lines = [f"{path.name}: {at_least}{counted} at fault; nothing was computed."]
        lines += [f"  {fault}" for fault in self.faults[:SHOWN_FAULTS]]
        if len(self.faults) > SHOWN_FAULTS:
            lines.append(f"  and {len(self.faults) - SHOWN_FAULTS:,} more faults")
        super().__init__("\n".join(lines))


def read_claims(path: Path, *, on: date) -> "nw.LazyFrame[pl.LazyFrame]":
    """The valid claims of a file, with their ``row``, on a date; a plan that reads the file.

    Raises UnreadableClaims, and InvalidClaims with every fault of up to a thousand rows.
    """
    if not path.is_file():
        raise UnreadableClaims(path, "there is no such file")
    with _told_of(path):
        match path.suffix.lower():
            case ".csv":
                written = _csv(path)
                unread = _unread(written)
                claims = claims_frame(nw.from_native(_parsed(written)))
            case ".parquet":
                unread = []
                claims = _parquet(path)
            case suffix:
                raise UnreadableClaims(path, f"{suffix or 'no suffix'!r}; give .csv or .parquet")
        invalid = _invalid(claims, on=on)
        # What could not be read became null on the way: it is told once, and not as missing.
        told = {(fault.row, fault.column) for fault in unread}
        empty_rows = {row for row, column in told if column == WHOLE_ROW}
        found = unread + [
            fault
            for fault in invalid
            if (fault.row, fault.column) not in told and fault.row not in empty_rows
        ]
        if not found:
            found = _repeated(claims)
    if found:
        raise InvalidClaims(path, found)
    return claims


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Say of a file what Polars or the system says while reading it."""
    try:
        yield
    except NotClaims as refusal:
        raise UnreadableClaims(path, str(refusal)) from refusal
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        # Polars panics on some damaged Parquet files: a fault of the file all the same.
        if path.suffix.lower() == ".csv":
            raise UnreadableClaims(path, _csv_problem(path, error)) from error
        raise UnreadableClaims(path, f"no readable Parquet: {_first_line(error)}") from error


def _collected(frame: pl.LazyFrame) -> pl.DataFrame:
    return frame.collect(engine="streaming")


def _csv(path: Path) -> pl.LazyFrame:
    """All columns as text, so that no number passes through floating point."""
    header = _header(path)
    if not header:
        raise UnreadableClaims(path, f"it is empty; give at least the header {','.join(CLAIMS)}")
    refuse_other_columns(header)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UnreadableClaims(path, f"column {twice[0]} stands twice; keep one")
    return pl.scan_csv(path, infer_schema=False, row_index_name=ROW, row_index_offset=2, glob=False)


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return next(csv.reader(lines, strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableClaims(path, _csv_problem(path, error)) from error


def _csv_problem(path: Path, error: BaseException) -> str:
    """Where a CSV goes wrong: Polars knows that it does, this knows the row."""
    row = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for row, record in enumerate(csv.reader(lines, strict=True), start=1):
                if len(record) > len(CLAIMS):
                    return (
                        f"row {row} has {len(record)} values, the header {len(CLAIMS)}; "
                        "look for a comma or a line break that is not in quotes"
                    )
    except UnicodeDecodeError as undecodable:
        return f"after row {row}: {undecodable.reason}; save the file as UTF-8"
    except csv.Error as unreadable:
        return f"after row {row}: {unreadable}; look for a quote that is not closed"
    return f"no readable CSV: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


def _parsed(written: pl.LazyFrame) -> pl.LazyFrame:
    """Texts as the types of a claims frame, null where they are not."""
    return written.with_columns(
        *(_amount(name) for name in AMOUNTS), *(_date(name) for name in DATES)
    )


def _amount(name: str) -> pl.Expr:
    text = pl.col(name)
    return pl.when(text.str.contains(_WHOLE_NUMBER)).then(text).cast(pl.Int64, strict=False)


def _date(name: str) -> pl.Expr:
    text = pl.col(name)
    return pl.when(text.str.contains(_ISO_DATE)).then(text).str.to_date("%Y-%m-%d", strict=False)


def _unread(written: pl.LazyFrame) -> list[Fault]:
    """Values that are there and cannot be read, and rows without any."""
    is_read = {name: _amount(name).is_not_null() for name in AMOUNTS} | {
        name: _date(name).is_not_null() for name in DATES
    }
    unreadable = {name: pl.col(name).is_not_null() & ~read for name, read in is_read.items()}
    empty = pl.all_horizontal(pl.col(*CLAIMS).is_null())
    at_fault = _collected(
        written.filter(pl.any_horizontal(empty, *unreadable.values()))
        .sort(ROW)
        .head(MAX_FAULTY_ROWS)
    )
    remedies = {
        **dict.fromkeys(
            AMOUNTS, "Give a whole number of minor units, such as 1250 for 12.50, up to 2^63 - 1."
        ),
        **dict.fromkeys(DATES, "Give a date of the calendar as YYYY-MM-DD."),
    }
    return [
        Fault(row, WHOLE_ROW, None, "The row is empty; remove it.")
        for row in at_fault.filter(empty)[ROW]
    ] + [
        Fault(row, name, value[:MAX_SHOWN_CHARACTERS], remedies[name])
        for name, condition in unreadable.items()
        for row, value in at_fault.filter(condition).select(ROW, name).rows()
    ]


def _parquet(path: Path) -> "nw.LazyFrame[pl.LazyFrame]":
    scanned = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    refuse_other_columns(scanned.collect_schema().names())
    return claims_frame(nw.from_native(scanned.with_row_index(ROW, offset=1)))


def _invalid(claims: "nw.LazyFrame[pl.LazyFrame]", *, on: date) -> list[Fault]:
    """What the rules say of the first rows at fault."""
    at_fault = _collected(faulty(claims, on=on).sort(ROW).head(MAX_FAULTY_ROWS).to_native())
    return [
        Fault(row["row"], row["column"], row["value"], row["remedy"])
        for row in faults(nw.from_native(at_fault), on=on).rows(named=True)
    ]


def _repeated(claims: "nw.LazyFrame[pl.LazyFrame]") -> list[Fault]:
    twice = _collected(repeated(claims).sort("last_row").head(MAX_FAULTY_ROWS).to_native())
    return [
        Fault(
            row["last_row"],
            "claim_id",
            row["claim_id"][:MAX_SHOWN_CHARACTERS],
            f"It stands in row {row['first_row']} already; give each claim its own id, once.",
        )
        for row in twice.rows(named=True)
    ]


def write_claims(path: Path, claims: pl.DataFrame) -> None:
    """Write claims as CSV, whole or not at all, with formulas made text. Raises CannotWrite."""
    with replacing(path) as unfinished:
        claims.with_columns(inert_texts()).write_csv(unfinished)
