"""Fields of a case file: each read as what it must be, or refused with what it may be.

Amounts are whole numbers of minor units; rates are text or numbers, read digit by digit and never
as binary fractions.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tallystick.rules.calendars import NotAPeriod, Period, period_of
from tallystick.rules.loan_events import InvalidRate, rate_in_ppb
from tallystick.rules.money import MINOR_DIGITS
from tallystick.rules.refusal import Refusal

MAX_CASE_BYTES = 16 * 1024 * 1024
SHOWN_CHARACTERS = 80

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RATE = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")

Choice = TypeVar("Choice", bound=StrEnum)


class CaseRefused(Refusal):
    """The file describes no loan that can be calculated; says which field, value and remedy."""


class CurrencyMismatch(CaseRefused):
    """An event is told in another currency than the loan's."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A refusal of the rules within also says which file described the loan."""
    try:
        yield
    except CaseRefused:
        raise
    except Refusal as refusal:
        raise CaseRefused(f"{path}: {refusal}") from refusal


class Fields:
    """One JSON object: each field read as what it must be, or refused with what it may be."""

    def __init__(self, content: Mapping[str, Any], *, where: str) -> None:
        self._content = content
        self._where = where
        self._known: set[str] = set()

    def __contains__(self, field: str) -> bool:
        self._known.add(field)
        return field in self._content

    def refuse(self, field: str, value: object, remedy: str) -> NoReturn:
        raise CaseRefused(f"{self._where}: {field} is {_shown(value)}: {remedy}.")

    def refuse_currency(self, told: str, currency: str) -> NoReturn:
        raise CurrencyMismatch(
            f"{self._where}: the event is in {told} and the loan in {currency}: record what it "
            f"came to in {currency}, on the day it was exchanged."
        )

    def refuse_unknown(self) -> None:
        """Refuse a field that nobody asked for: a misspelt one must not pass for an absent one."""
        for field, value in self._content.items():
            if field not in self._known:
                near = get_close_matches(field, self._known, n=1)
                known = near[0] if near else ", ".join(sorted(self._known))
                self.refuse(field, value, f"there is no such field here; known: {known}")

    def currency(self, field: str) -> str:
        value = self._value(field)
        if not isinstance(value, str) or value not in MINOR_DIGITS:
            self.refuse(field, value, 'give an ISO 4217 code in capital letters, such as "CNY"')
        return value

    def whole(self, field: str) -> int:
        value = self._value(field)
        if not isinstance(value, int) or isinstance(value, bool):
            self.refuse(field, value, "give a whole number, without quotes and without a point")
        return value

    def rate(self, field: str) -> Decimal:
        value = self._value(field)
        if isinstance(value, str) and _RATE.fullmatch(value):
            value = Decimal(value)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            self.refuse(field, value, 'give a fraction of one a year, such as "0.10" for 10 %')
        try:
            rate_in_ppb(Decimal(value), name=field)
        except InvalidRate as refusal:
            raise CaseRefused(f"{self._where}: {refusal}") from refusal
        return Decimal(value)

    def yes_or_no(self, field: str) -> bool:
        value = self._value(field)
        if not isinstance(value, bool):
            self.refuse(field, value, "give true or false")
        return value

    def day(self, field: str) -> date:
        value = self._value(field)
        written = value if isinstance(value, str) and _DATE.fullmatch(value) else ""
        try:
            return date.fromisoformat(written)
        except ValueError:
            self.refuse(field, value, 'give a day that exists, as "YYYY-MM-DD"')

    def choice(self, field: str, choices: type[Choice]) -> Choice:
        return self._chosen(field, self._value(field), choices)

    def part(self, field: str) -> "Fields":
        """An object within this one, such as ``{"evened": true}``."""
        value = self._value(field)
        if not isinstance(value, dict):
            self.refuse(field, value, "give an object, in braces")
        return Fields(value, where=f"{self._where}, {field}")

    def choices(self, field: str, choices: type[Choice]) -> tuple[Choice, ...]:
        value = self._value(field)
        if not isinstance(value, list):
            self.refuse(field, value, f"give a list of {', '.join(choices)}")
        return tuple(self._chosen(field, item, choices) for item in value)

    def frequency(self, field: str) -> Period:
        value = self._value(field)
        try:
            return period_of(value if isinstance(value, str) else "")
        except NotAPeriod:
            self.refuse(field, value, 'give a number of D, W, M or Y, such as "1M" for a month')

    def name(self, field: str) -> str:
        value = self._value(field)
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            self.refuse(field, value, "give text or a whole number")
        return str(value)

    def objects(self, field: str, *, each: str, such_as: str) -> Sequence["Fields"]:
        value = self._value(field)
        if not isinstance(value, list):
            self.refuse(field, value, f"give a list of {each}s")
        for number, item in enumerate(value, start=1):
            if not isinstance(item, dict):
                self.refuse(f"{each} {number}", item, f"give an object such as {such_as}")
        return [
            Fields(item, where=f"{self._where}, {each} {number}")
            for number, item in enumerate(value, start=1)
        ]

    def _value(self, field: str) -> Any:
        self._known.add(field)
        if field not in self._content:
            raise CaseRefused(f"{self._where}: {field} is missing: add it.")
        return self._content[field]

    def _chosen(self, field: str, value: object, choices: type[Choice]) -> Choice:
        try:
            return choices(str(value))
        except ValueError:
            near = get_close_matches(str(value), list(choices), n=1)
            proposed = f"did you mean {near[0]}? Possible: " if near else "possible: "
            self.refuse(field, value, proposed + "; ".join(choices))


def numbered_events(case: Fields) -> tuple[Sequence[Fields], Mapping[str, int]]:
    """The events of a case in the file's order, and the number of each by its name.

    Numbers are places in the file, from 1; the name is the event's ``id``, or its number.
    """
    written: Sequence[Fields] = ()
    if "events" in case:
        written = case.objects("events", each="event", such_as='{"kind": "received"}')
    numbers: dict[str, int] = {}
    for number, fields in enumerate(written, start=1):
        name = fields.name("id") if "id" in fields else str(number)
        if name in numbers:
            fields.refuse("id", name, f"event {numbers[name]} is named so already; name it anew")
        numbers[name] = number
    return written, numbers


def content_of(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``, numbers with a point as exact decimals."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CASE_BYTES + 1)
    except OSError as error:
        raise CaseRefused(
            f"{path}: cannot be read ({error.strerror}). Name a file with a loan as JSON."
        ) from error
    if len(content) > MAX_CASE_BYTES:
        raise CaseRefused(
            f"{path}: larger than {MAX_CASE_BYTES} bytes. A case is one loan; split the file."
        )
    try:
        case = json.loads(
            content.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_without_repeats,
        )
    except UnicodeDecodeError as error:
        raise CaseRefused(f"{path}: not UTF-8 text. Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise CaseRefused(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}). "
            "Correct it there."
        ) from error
    except (ValueError, InvalidOperation, RecursionError) as error:
        # A number of thousands of digits, a field given twice, lists nested a thousand deep.
        raise CaseRefused(f"{path}: not a case ({error}). Correct it.") from error
    if not isinstance(case, dict):
        raise CaseRefused(f'{path}: not a JSON object. Write {{"currency": …}}.')
    return case


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"field {repeated} is given twice")
    return fields


def _shown(value: object) -> str:
    """The value as a file would write it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
