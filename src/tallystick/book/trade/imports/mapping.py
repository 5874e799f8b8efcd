"""What the columns of a file mean: mappings as data."""

import tomllib
from collections.abc import Mapping as ReadMapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal

KINDS = ("order", "receipt", "invoice", "statement")


class BadMapping(Refusal):
    """A mapping cannot be understood: says which key, what it holds and what it may hold."""

    def __init__(self, *, mapping: str, key: str, value: object, remedy: str) -> None:
        self.key = key
        super().__init__(f"mapping {mapping}: {key} = {value!r}: {remedy}")


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
    missing: Literal["refuse", "drop"] = "refuse"


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
    known_on: Literal["issue_date", "due_date"]


@dataclass(frozen=True, slots=True)
class Join:
    """Two files belong together by ``column``; the one that has ``rows`` gives the rows."""

    column: str
    rows: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """How rows of a file become trade documents of one kind in one currency."""

    name: str
    title: str
    kind: str
    currency: str
    supplier: Column
    obligor: Column
    number: tuple[str, ...]
    issue_date: DateColumn
    due_date: DateColumn
    amount: tuple[str, ...]
    numbers_repeat: bool = False
    zero_amounts: Literal["refuse", "drop"] = "refuse"
    negative_amounts: Literal["refuse", "credit_note"] = "refuse"
    fulfils_kind: str = ""
    fulfils_number: tuple[str, ...] = ()
    status: Status | None = None
    disputed: Disputed | None = None
    settled_date: DateColumn | None = None
    join: Join | None = None

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


def parsed(text: str, *, name: str) -> Mapping:
    """Read a mapping from TOML. Raises BadMapping naming the key and what it may hold."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(mapping=name, key="the file", value="TOML", remedy=str(error)) from error
    return _Reader(name, data).mapping()


class _Reader:
    """Takes the keys of one mapping out one by one, so that an unknown one is left over."""

    def __init__(self, name: str, data: dict[str, Any]) -> None:
        self.name = name
        self.data = data

    def mapping(self) -> Mapping:
        mapping = Mapping(
            name=self.name,
            title=self.text("title", default=self.name),
            kind=self.one_of("kind", KINDS),
            currency=self.currency(),
            numbers_repeat=self.flag("numbers_repeat"),
            zero_amounts=self.one_of("zero_amounts", ("refuse", "drop"), default="refuse"),
            negative_amounts=self.one_of(
                "negative_amounts", ("refuse", "credit_note"), default="refuse"
            ),
            supplier=self.column("supplier"),
            obligor=self.column("obligor"),
            number=self.columns("number"),
            issue_date=self.issue_date(),
            due_date=self.date("due_date"),
            amount=self.columns("amount"),
            fulfils_kind=self.fulfils_kind(),
            fulfils_number=self.columns("fulfils") if "fulfils" in self.data else (),
            status=self.status() if "status" in self.data else None,
            disputed=self.disputed() if "disputed" in self.data else None,
            settled_date=self.date("settled_date") if "settled_date" in self.data else None,
            join=self.join() if "join" in self.data else None,
        )
        if self.data:
            key = next(iter(self.data))
            self.refuse(key, self.data[key], "is no key of a mapping; take it out")
        return mapping

    def refuse(self, key: str, value: object, remedy: str) -> None:
        raise BadMapping(mapping=self.name, key=key, value=value, remedy=remedy)

    def one_of(self, key: str, choices: tuple[str, ...], default: str | None = None) -> Any:
        value = self.data.pop(key, default)
        if value not in choices:
            self.refuse(key, value, f"must be one of {', '.join(choices)}")
        return value

    def text(self, key: str, default: str) -> str:
        value = self.data.pop(key, default)
        if not isinstance(value, str):
            self.refuse(key, value, "must be text")
        return str(value)

    def flag(self, key: str) -> bool:
        value = self.data.pop(key, False)
        if not isinstance(value, bool):
            self.refuse(key, value, "must be true or false")
        return bool(value)

    def currency(self) -> str:
        value = self.data.pop("currency", None)
        if not isinstance(value, str):
            self.refuse("currency", value, "must be an ISO 4217 code such as CNY")
        minor_digits(value)
        return str(value)

    def table(self, key: str, allowed: tuple[str, ...]) -> ReadMapping[str, Any]:
        value = self.data.pop(key, None)
        if not isinstance(value, dict):
            self.refuse(key, value, f"must be a table with {' or '.join(allowed)}")
        for name in value:
            if name not in allowed:
                self.refuse(f"{key}.{name}", value[name], f"must be {' or '.join(allowed)}")
        return value

    def column(self, key: str) -> Column:
        table = self.table(key, ("column", "value"))
        if len(table) != 1 or not all(isinstance(v, str) and v for v in table.values()):
            self.refuse(key, dict(table), "must hold either column or value, as text")
        return Column(**table)

    def columns(self, key: str) -> tuple[str, ...]:
        table = self.table(key, ("columns", "kind") if key == "fulfils" else ("columns",))
        columns = table.get("columns")
        if (
            not isinstance(columns, list)
            or not columns
            or not all(isinstance(column, str) for column in columns)
        ):
            self.refuse(f"{key}.columns", columns, "must be a list of column names")
        return tuple(columns)

    def fulfils_kind(self) -> str:
        if "fulfils" not in self.data:
            return ""
        kind = self.data["fulfils"].get("kind")
        if kind not in KINDS:
            self.refuse("fulfils.kind", kind, f"must be one of {', '.join(KINDS)}")
        return str(kind)

    def issue_date(self) -> DateColumn:
        table = self.table("issue_date", ("column", "missing"))
        if table.get("missing", "refuse") not in ("refuse", "drop"):
            self.refuse("issue_date.missing", table["missing"], "must be refuse or drop")
        if not isinstance(table.get("column"), str):
            self.refuse("issue_date.column", table.get("column"), "must be a column name")
        return DateColumn(**table)

    def date(self, key: str) -> DateColumn:
        table = self.table(key, ("column", "days_after_issue"))
        days = table.get("days_after_issue")
        if len(table) != 1:
            self.refuse(key, dict(table), "must hold either column or days_after_issue")
        if "days_after_issue" in table and (type(days) is not int or not 0 <= days <= 3650):
            self.refuse(f"{key}.days_after_issue", days, "must be whole days from 0 to 3650")
        return DateColumn(**table)

    def status(self) -> Status:
        table = self.table("status", ("column", "keep", "drop"))
        for name in ("keep", "drop"):
            if not isinstance(table.get(name), list):
                self.refuse(f"status.{name}", table.get(name), "must be a list of texts")
        return Status(str(table.get("column")), tuple(table["keep"]), tuple(table["drop"]))

    def disputed(self) -> Disputed:
        table = self.table("disputed", ("column", "equals", "known_on"))
        if table.get("known_on") not in ("issue_date", "due_date"):
            self.refuse(
                "disputed.known_on", table.get("known_on"), "must be issue_date or due_date"
            )
        return Disputed(str(table.get("column")), str(table.get("equals")), table["known_on"])

    def join(self) -> Join:
        table = self.table("join", ("column", "rows"))
        return Join(str(table.get("column")), str(table.get("rows")))
