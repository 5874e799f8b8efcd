"""What the columns of a file mean: mappings as data."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TypeVar

from tallystick.rules.hidden_characters import printable
from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal
from tallystick.rules.terms_file import Table, TermError, syntax_error
from tallystick.rules.toml_lines import key_lines

MAX_DAYS_AFTER_ISSUE = 3650

Choice = TypeVar("Choice", bound=StrEnum)


class Kind(StrEnum):
    """Documents that prove a claim; see ``rules.trade``."""

    ORDER = "order"
    RECEIPT = "receipt"
    INVOICE = "invoice"
    STATEMENT = "statement"


class Missing(StrEnum):
    """What to do with a row that has nothing to read."""

    REFUSE = "refuse"
    DROP = "drop"


class Negative(StrEnum):
    """What an amount below zero is."""

    REFUSE = "refuse"
    CREDIT_NOTE = "credit_note"


class KnownOn(StrEnum):
    """The day on which a dispute came to be known."""

    ISSUE_DATE = "issue_date"
    DUE_DATE = "due_date"


class BadMapping(Refusal):
    """A mapping cannot be understood: says each line, what it holds and what it may hold."""

    def __init__(self, errors: Sequence[TermError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in errors))


class UnknownMapping(Refusal):
    """No preset of that name and no file of that path."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field read from ``column``, or the same ``value`` in every row."""

    column: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class DateColumn:
    """A date read from ``column``, or so many calendar days after the issue date."""

    column: str | None = None
    days_after_issue: int | None = None
    missing: Missing = Missing.REFUSE


@dataclass(frozen=True, slots=True)
class Status:
    """Rows whose trimmed ``column`` is in ``keep`` are read, in ``drop`` counted and left out."""

    column: str
    keep: tuple[str, ...]
    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disputed:
    """A row is disputed when ``column`` equals ``equals``; known from the due or issue date."""

    column: str
    equals: str
    known_on: KnownOn


@dataclass(frozen=True, slots=True)
class Join:
    """Two files belong together by ``column``; the one that has ``rows`` gives the rows."""

    column: str
    rows: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """How rows of a file become trade documents of one kind in one currency.

    ``sheet`` names the one to read of a workbook; None where it has only one that is not hidden.
    """

    name: str
    title: str
    kind: Kind
    currency: str
    supplier: Column
    obligor: Column
    number: tuple[str, ...]
    issue_date: DateColumn
    due_date: DateColumn
    amount: tuple[str, ...]
    numbers_repeat: bool = False
    zero_amounts: Missing = Missing.REFUSE
    negative_amounts: Negative = Negative.REFUSE
    fulfils_kind: Kind | None = None
    fulfils_number: tuple[str, ...] = ()
    status: Status | None = None
    disputed: Disputed | None = None
    settled_date: DateColumn | None = None
    join: Join | None = None
    sheet: str | None = None

    @property
    def columns(self) -> frozenset[str]:
        """Every column that the files must have."""
        named = {
            self.supplier.column,
            self.obligor.column,
            *self.number,
            self.issue_date.column,
            self.due_date.column,
            *self.amount,
            *self.fulfils_number,
            self.status and self.status.column,
            self.disputed and self.disputed.column,
            self.settled_date and self.settled_date.column,
            self.join and self.join.column,
        }
        return frozenset(column for column in named if column)

    @property
    def date_columns(self) -> frozenset[str]:
        """Columns that hold dates."""
        fields = (self.issue_date, self.due_date, self.settled_date)
        return frozenset(field.column for field in fields if field and field.column)


def presets() -> dict[str, str]:
    """Name and text of every mapping that ships with the programme data."""
    folder = resources.files("tallystick.programmes") / "mappings"
    return {
        file.name.removesuffix(".toml"): file.read_text("utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def preset(name: str) -> Mapping:
    """The shipped mapping ``name``. Raises UnknownMapping naming those there are."""
    texts = presets()
    if name not in texts:
        raise UnknownMapping(f"no mapping {name!r}; there are: {', '.join(texts)}")
    return parsed(texts[name], name=name)


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises UnknownMapping when it cannot be read, and BadMapping."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"mapping {path}: cannot be read as UTF-8 text ({error})"
        raise UnknownMapping(printable(problem)) from error
    return parsed(text, name=printable(path.name))


def parsed(text: str, *, name: str) -> Mapping:
    """Read a mapping from TOML. Raises BadMapping naming line, key, value and remedy of each."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadMapping([syntax_error(error, text=text, file=name)]) from error
    errors: list[TermError] = []
    top = Table(content, file=name, lines=key_lines(text), errors=errors)
    mapping = Mapping(
        name=name,
        title=top.text("title"),
        kind=top.choice("kind", Kind),
        currency=_currency(top),
        numbers_repeat=_flag(top, "numbers_repeat"),
        zero_amounts=_choice(top, "zero_amounts", Missing.REFUSE),
        negative_amounts=_choice(top, "negative_amounts", Negative.REFUSE),
        supplier=_column(top.table("supplier")),
        obligor=_column(top.table("obligor")),
        number=_columns(top.table("number")),
        issue_date=_issue_date(top.table("issue_date")),
        due_date=_date(top.table("due_date")),
        amount=_columns(top.table("amount")),
        fulfils_kind=top.table("fulfils").choice("kind", Kind) if "fulfils" in content else None,
        fulfils_number=_fulfils(top.table("fulfils")) if "fulfils" in content else (),
        status=_status(top.table("status")) if "status" in content else None,
        disputed=_disputed(top.table("disputed")) if "disputed" in content else None,
        settled_date=_date(top.table("settled_date")) if "settled_date" in content else None,
        join=_join(top.table("join")) if "join" in content else None,
        sheet=top.text("sheet") if "sheet" in content else None,
    )
    top.finish()
    if errors:
        raise BadMapping(errors)
    return mapping


def _currency(top: Table) -> str:
    currency = top.text("currency", instead="CNY")
    top.checked("currency", lambda: minor_digits(currency))
    return currency


def _flag(table: Table, key: str) -> bool:
    if key not in table.content:
        return False
    table.asked.append(key)
    if not isinstance(table.content[key], bool):
        table.refuse(key, "Write true or false.")
    return bool(table.content[key])


def _choice(table: Table, key: str, default: Choice) -> Choice:
    return table.choice(key, type(default)) if key in table.content else default


def _texts(table: Table, key: str) -> tuple[str, ...]:
    table.asked.append(key)
    found = table.content.get(key)
    if not isinstance(found, list) or not found or not all(isinstance(t, str) for t in found):
        table.refuse(key, 'Give a list of texts, such as ["a", "b"].')
        return ("-",)
    return tuple(found)


def _either(table: Table, one: str, other: str) -> str | None:
    """Which of two keys a table has; exactly one must be there."""
    present = [key for key in (one, other) if key in table.content]
    if len(present) != 1:
        table.refuse("", f"Give either {one} or {other}.")
        table.asked += [one, other]
        return None
    return present[0]


def _column(table: Table) -> Column:
    match _either(table, "column", "value"):
        case "column":
            field = Column(column=table.text("column"))
        case _:
            field = Column(value=table.text("value") if "value" in table.content else "-")
    table.finish()
    return field


def _columns(table: Table) -> tuple[str, ...]:
    columns = _texts(table, "columns")
    table.finish()
    return columns


def _fulfils(table: Table) -> tuple[str, ...]:
    table.asked.append("kind")
    return _columns(table)


def _issue_date(table: Table) -> DateColumn:
    field = DateColumn(
        column=table.text("column"), missing=_choice(table, "missing", Missing.REFUSE)
    )
    table.finish()
    return field


def _date(table: Table) -> DateColumn:
    match _either(table, "column", "days_after_issue"):
        case "column":
            field = DateColumn(column=table.text("column"))
        case "days_after_issue":
            days = table.whole_number("days_after_issue", lowest=0, highest=MAX_DAYS_AFTER_ISSUE)
            field = DateColumn(days_after_issue=days)
        case _:
            field = DateColumn(days_after_issue=0)
    table.finish()
    return field


def _status(table: Table) -> Status:
    status = Status(table.text("column"), _texts(table, "keep"), _texts(table, "drop"))
    table.finish()
    return status


def _disputed(table: Table) -> Disputed:
    disputed = Disputed(
        table.text("column"), table.text("equals"), table.choice("known_on", KnownOn)
    )
    table.finish()
    return disputed


def _join(table: Table) -> Join:
    join = Join(table.text("column"), table.text("rows"))
    table.finish()
    return join
