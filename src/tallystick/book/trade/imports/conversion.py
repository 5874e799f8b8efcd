"""Turn rows of text into trade documents by a mapping, and gather every refusal on the way."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from tallystick.book.trade.imports.mapping import Column, DateColumn, Mapping
from tallystick.book.trade.imports.rows import ROW, Sheet, UnreadCell
from tallystick.rules.hidden_characters import (
    HIDDEN_CHARACTERS,
    hidden_character,
    printable,
)
from tallystick.rules.money import minor_digits
from tallystick.rules.trade_documents import (
    EARLIEST_DATE,
    LATEST_DATE,
    MAX_CODE_LENGTH,
    MAX_NUMBER_LENGTH,
    STAGE_OF,
    TradeDocument,
    usual_issuer,
)

MAX_SHOWN_CHARACTERS = 200
MAX_WHOLE_DIGITS = 14
"""Longest whole part of an amount: far below what 64 bits of minor units hold."""

_HIDDEN = f"[{HIDDEN_CHARACTERS}]"
# Digits, point and signs of Chinese and Japanese keyboards: the same characters, only wider.
_WIDE = dict(zip("０１２３４５６７８９．－＋", "0123456789.-+", strict=True))
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?$"


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """One value that cannot be taken, where it stands and what would be accepted.

    ``value`` is shown with what cannot be seen escaped. ``cell`` is a spreadsheet's name of the
    place, such as ``Invoices!F12``, and empty for other files.
    """

    file: str
    row: int
    column: str
    value: str
    remedy: str
    cell: str = ""

    def __str__(self) -> str:
        place = self.cell or f"row {self.row}"
        return f"{self.file}, {place}, {self.column} = {self.value!r}: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Converted:
    """Documents of one file, what was refused, and what the mapping leaves out, by reason.

    ``documents`` columns: row (place), kind, supplier, obligor, number, issue_date, due_date,
    amount_minor (above zero), fulfils_number, disputed_date (null: not disputed), settled_date
    (null: not stated).
    """

    documents: pl.DataFrame
    refusals: list[RowRefusal]
    dropped: dict[str, int]


def converted(
    rows: pl.DataFrame, mapping: Mapping, *, file: str, sheet: Sheet | None = None
) -> Converted:
    """Documents from ``rows`` (as ``reading.read_rows`` gives them) by ``mapping``.

    A row with any refused value gives no document; a row has at most one refusal a column.
    ``sheet``: where the rows stand in a workbook, and the cells that could not be read.
    """
    rows, dropped = _left_in(rows, mapping)
    digits = minor_digits(mapping.currency)
    fields = rows.select(
        pl.col(ROW).cast(pl.Int64).alias("row"),
        supplier=_text(mapping.supplier),
        obligor=_text(mapping.obligor),
        number=_joined(mapping.number),
        fulfils_number=_joined(mapping.fulfils_number),
        issue_date=_date(mapping.issue_date, None),
        signed_minor=pl.sum_horizontal(
            [_minor(column, digits) for column in mapping.amount], ignore_nulls=False
        ),
    ).with_columns(due_date=_taken_from(rows, mapping.due_date))
    checks = _checks(rows, fields, mapping, digits)
    unread = _unread(sheet, set(fields["row"]))
    told = {(cell.row, name) for cell in unread for name in _joined_names(cell.column, mapping)}
    refusals = [
        _refusal(file, cell.row, cell.column, cell.value, cell.remedy, sheet) for cell in unread
    ]
    for column, bad, values, remedy in checks:
        if not bad.any():
            continue
        for row, value in zip(
            fields["row"].filter(bad), values.filter(bad).fill_null(""), strict=True
        ):
            if (row, column) not in told:
                said = remedy(value) if callable(remedy) else remedy
                refusals.append(_refusal(file, row, column, value, said, sheet))
    refused_rows = pl.Series("row", [refusal.row for refusal in refusals], dtype=pl.Int64)
    zero = (fields["signed_minor"] == 0).fill_null(value=False)
    if mapping.zero_amounts == "drop" and zero.any():
        dropped["zero amount"] = int(zero.sum())
    documents = (
        fields.with_columns(
            disputed_date=_disputed(rows, fields, mapping),
            settled_date=(
                _taken_from(rows, mapping.settled_date)
                if mapping.settled_date
                else pl.lit(None, pl.Date)
            ),
        )
        .filter(~zero, ~pl.col("row").is_in(refused_rows.implode()))
        .with_columns(
            kind=pl.when(pl.col("signed_minor") < 0)
            .then(pl.lit("credit_note"))
            .otherwise(pl.lit(mapping.kind)),
            amount_minor=pl.col("signed_minor").abs(),
        )
        .drop("signed_minor")
    )
    refusals.sort(key=lambda refusal: (refusal.row, refusal.column))
    return Converted(documents, refusals, dropped)


def _unread(sheet: Sheet | None, rows: set[int]) -> list[UnreadCell]:
    """Cells that could not be read, of rows that the mapping does not leave out."""
    return [cell for cell in sheet.unread if cell.row in rows] if sheet else []


def _joined_names(column: str, mapping: Mapping) -> Iterator[str]:
    """A column's own name, and what it is called where it is read together with others."""
    yield column
    for columns in (mapping.number, mapping.amount, mapping.fulfils_number):
        if column in columns:
            yield "+".join(columns)


def _refusal(
    file: str, row: int, column: str, value: str, remedy: str, sheet: Sheet | None
) -> RowRefusal:
    # Columns that are read together are shown where the first of them stands.
    cell = sheet.cell(row, column.partition("+")[0]) if sheet else ""
    shown = printable(value[:MAX_SHOWN_CHARACTERS])
    return RowRefusal(file, row, printable(column), shown, remedy, cell)


def trade_documents(documents: pl.DataFrame, mapping: Mapping) -> Iterator[TradeDocument]:
    """The documents of ``Converted.documents``, as ``record_documents`` takes them."""
    columns = (
        "kind", "supplier", "obligor", "number", "issue_date", "amount_minor", "due_date",
        "fulfils_number",
    )  # fmt: skip
    for kind, supplier, obligor, number, issued, amount_minor, due, fulfils in documents.select(
        columns
    ).iter_rows():
        yield TradeDocument(
            kind=kind,
            issuer=usual_issuer(kind, supplier=supplier, obligor=obligor),
            supplier=supplier,
            obligor=obligor,
            number=number,
            issue_date=issued,
            currency=mapping.currency,
            amount_minor=amount_minor,
            # Only what opens a claim is due some day.
            due_date=due if kind in STAGE_OF else None,
            fulfils_kind=mapping.fulfils_kind or "",
            fulfils_number=fulfils,
        )


def _left_in(rows: pl.DataFrame, mapping: Mapping) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows that the mapping reads at all, and how many it leaves out for which reason."""
    dropped = {}
    if mapping.status:
        status = pl.col(mapping.status.column).str.strip_chars()
        for word in mapping.status.drop:
            count = rows.select((status == word).sum()).item()
            if count:
                dropped[printable(f"{mapping.status.column} {word}")] = count
        rows = rows.filter(~status.is_in(mapping.status.drop).fill_null(value=False))
    if mapping.issue_date.missing == "drop":
        column = str(mapping.issue_date.column)
        count = rows[column].null_count()
        if count:
            dropped[printable(f"no {column}")] = count
        rows = rows.filter(pl.col(column).is_not_null())
    return rows, dropped


def _text(field: Column) -> pl.Expr:
    if field.value is not None:
        return pl.lit(field.value)
    return _code(str(field.column))


def _code(column: str) -> pl.Expr:
    """A code without space around it, composed, so that one code has one spelling."""
    return pl.col(column).str.strip_chars().str.normalize("NFC")


def _joined(columns: Iterable[str]) -> pl.Expr:
    parts = [_code(column) for column in columns]
    return pl.concat_str(parts, separator="-") if parts else pl.lit("")


def _narrow(column: str) -> pl.Expr:
    """A number or date without space around it, its digits as in ASCII."""
    return pl.col(column).str.replace_many(_WIDE).str.strip_chars()


def _day(column: str) -> pl.Expr:
    """A date written YYYY-MM-DD, perhaps followed by a time; null when it is none."""
    text = _narrow(column)
    day = text.str.head(10).str.to_date("%Y-%m-%d", strict=False)
    return pl.when(text.str.contains(_DATE)).then(day)


def _date(field: DateColumn, issued: pl.Expr | None) -> pl.Expr:
    if field.column is not None:
        return _day(field.column)
    assert issued is not None, "an issue date is always read from a column"
    return issued + pl.duration(days=field.days_after_issue)


def _taken_from(rows: pl.DataFrame, field: DateColumn) -> pl.Series | pl.Expr:
    """A date of its own column, or counted from the issue date already read."""
    if field.column is not None:
        return rows.select(_day(field.column)).to_series()
    return _date(field, pl.col("issue_date"))


def _minor(column: str, digits: int) -> pl.Expr:
    """An amount written with a decimal point as minor units; null when it is none."""
    text = _narrow(column)
    # Digits beyond the currency's own may only be zeros: JPY 12.00 is an amount, 12.30 is none.
    pattern = rf"^([+-]?)([0-9]{{1,{MAX_WHOLE_DIGITS}}})(?:\.([0-9]{{0,{digits}}})0*)?$"
    parts = text.str.extract_groups(pattern)
    whole = parts.struct.field("2").cast(pl.Int64)
    fraction = parts.struct.field("3").fill_null("").str.pad_end(digits, "0")
    minor = whole * 10**digits + (fraction.cast(pl.Int64) if digits else 0)
    return pl.when(parts.struct.field("1") == "-").then(-minor).otherwise(minor)


def _disputed(rows: pl.DataFrame, fields: pl.DataFrame, mapping: Mapping) -> pl.Series:
    if mapping.disputed is None:
        return pl.Series("disputed_date", [None] * rows.height, dtype=pl.Date)
    disputed = rows.select(
        (pl.col(mapping.disputed.column).str.strip_chars() == mapping.disputed.equals).alias("is")
    )["is"]
    known = fields[mapping.disputed.known_on]
    return pl.select(pl.when(disputed).then(known)).to_series()


_Check = tuple[str, pl.Series, pl.Series, str | Callable[[str], str]]
"""Column, which rows are refused, their values, and what would be accepted."""


def _checks(
    rows: pl.DataFrame, fields: pl.DataFrame, mapping: Mapping, digits: int
) -> list[_Check]:
    checks: list[_Check] = []
    for name, field in (("supplier", mapping.supplier), ("obligor", mapping.obligor)):
        if field.column is not None:
            checks += _text_checks(field.column, fields[name], MAX_CODE_LENGTH)
    checks += _text_checks("+".join(mapping.number), fields["number"], MAX_NUMBER_LENGTH)
    if mapping.fulfils_number:
        # It may be missing: not every document fulfils another.
        named = fields["fulfils_number"].fill_null("-")
        checks += _text_checks("+".join(mapping.fulfils_number), named, MAX_NUMBER_LENGTH)[1:]
    for name, date_field in (("issue_date", mapping.issue_date), ("due_date", mapping.due_date)):
        if date_field.column is not None:
            checks += _date_checks(date_field.column, fields[name], rows[date_field.column])
    if mapping.due_date.column is not None:
        early = (fields["due_date"] < fields["issue_date"]).fill_null(value=False)
        checks.append(
            (
                mapping.due_date.column,
                early,
                rows[mapping.due_date.column],
                "falls before the issue date; a claim is due on or after its issue",
            )
        )
    checks += _amount_checks(rows, fields, mapping, digits)
    if mapping.status:
        known = pl.Series([*mapping.status.keep, *mapping.status.drop])
        status = rows[mapping.status.column].str.strip_chars()
        checks.append(
            (
                mapping.status.column,
                ~status.is_in(known.implode()).fill_null(value=False),
                rows[mapping.status.column],
                f"is none of {', '.join(known)}; correct it or add it to the mapping",
            )
        )
    return checks


def _text_checks(column: str, text: pl.Series, max_length: int) -> list[_Check]:
    empty = text.is_null() | (text == "").fill_null(value=False)
    long = (text.str.len_chars() > max_length).fill_null(value=False)
    hidden = text.str.contains(_HIDDEN).fill_null(value=False) & ~long
    return [
        (column, empty, text, "is empty; every document needs it"),
        (column, long, text, f"is longer than {max_length} characters; shorten it"),
        (column, hidden, text, _hidden_remedy),
    ]


def _hidden_remedy(value: str) -> str:
    return f"holds {hidden_character(value)}, which cannot be seen; take it out"


def _date_checks(column: str, dates: pl.Series, raw: pl.Series) -> list[_Check]:
    unreadable = dates.is_null()
    far = _outside(dates)
    return [
        (column, unreadable, raw, "is no date; write YYYY-MM-DD"),
        (column, far, raw, f"lies outside {EARLIEST_DATE} to {LATEST_DATE}; correct it"),
    ]


def _outside(dates: pl.Series) -> pl.Series:
    frame = dates.alias("date").to_frame()
    inside = pl.col("date").is_between(EARLIEST_DATE, LATEST_DATE)
    return frame.select((~inside).fill_null(value=False)).to_series()


def _amount_checks(
    rows: pl.DataFrame, fields: pl.DataFrame, mapping: Mapping, digits: int
) -> list[_Check]:
    checks: list[_Check] = []
    remedy = (
        f"is no amount in {mapping.currency}; write digits, a decimal point and at most "
        f"{digits} decimals, without thousands separators"
    )
    for column in mapping.amount:
        unreadable = rows.select(_minor(column, digits).is_null()).to_series()
        checks.append(
            (
                column,
                unreadable,
                rows[column],
                remedy,
            )
        )
    total = fields["signed_minor"]
    name = "+".join(mapping.amount)
    # As it stands in the file, where it stands in one place.
    shown = rows[name] if len(mapping.amount) == 1 else total.cast(pl.String)
    if mapping.negative_amounts == "refuse":
        negative = (total < 0).fill_null(value=False)
        checks.append((name, negative, shown, "is below zero; correct its sign"))
    if mapping.zero_amounts == "refuse":
        zero = (total == 0).fill_null(value=False)
        checks.append((name, zero, shown, "is zero; leave the row out"))
    return checks
