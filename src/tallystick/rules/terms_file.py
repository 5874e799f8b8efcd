"""Reading a file of terms: each value checked where it stands, each refusal with its line.

A ``Table`` hands out values of the kind asked for. Where a value is missing or not possible it
notes a ``TermError`` and hands out one that is, so that reading goes on and one round of
corrections is enough. Whoever reads looks at ``errors`` at the end and uses nothing if there are
any.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar

from tallystick.rules.refusal import Refusal
from tallystick.rules.toml_lines import KeyPath, line_of

MAX_TEXT_LENGTH = 500

_CITATION = re.compile(r"\[(\d+), ([ABCD])\]")
_ORIGIN = re.compile(r"(?:(?:\[\d+, [ABCD]\])+|illustrative)(?:: .+)?")
_SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class TermError:
    """One thing that is wrong in a file of terms, and what would be accepted."""

    file: str
    line: int
    key: str
    value: str
    remedy: str

    def __str__(self) -> str:
        what = f"{self.key} = {self.value}: " if self.value else f"{self.key}: "
        return f"{self.file}, line {self.line}: {what if self.key else ''}{self.remedy}"


def syntax_error(error: tomllib.TOMLDecodeError, *, text: str, file: str) -> TermError:
    """What ``tomllib`` says of a text that is not TOML, with the line it names."""
    place = _SYNTAX_PLACE.search(str(error))
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    said = str(error)[: place.start()] if place else str(error)
    written = text.splitlines()[line - 1].strip() if line <= len(text.splitlines()) else ""
    return TermError(file, line, "not TOML", written[:80], f"{said}. Correct the line.")


class Table:
    """One table of a file. Keys that were not asked for are refused by ``finish``."""

    def __init__(
        self,
        content: Mapping[str, Any],
        *,
        file: str,
        lines: dict[KeyPath, int],
        errors: list[TermError],
        path: KeyPath = (),
    ) -> None:
        self.content = content
        self.file = file
        self.lines = lines
        self.errors = errors
        self.path = path
        self.asked: list[str] = []

    def refuse(self, key: str, remedy: str) -> None:
        """Note what is wrong with ``key``, or with the table itself where ``key`` is empty."""
        self.errors.append(
            TermError(
                file=self.file,
                line=line_of((*self.path, key) if key else self.path, self.lines),
                key=self._dotted(key),
                value=repr(self.content[key])[:80] if key in self.content else "",
                remedy=remedy,
            )
        )

    def table(self, key: str) -> "Table":
        noted_before = len(self.errors)
        found = self._value(key, dict, {}, f"Make it a table [{self._dotted(key)}].")
        if len(self.errors) > noted_before:
            # Enough is said: the keys of a table that is not there are not missing one by one.
            return Table(found, file=self.file, lines=self.lines, errors=[])
        return self._below(found, key)

    def tables(self, key: str) -> list["Table"]:
        """An array of tables, which may be left out."""
        self.asked.append(key)
        found = self.content.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            self.refuse(key, f"Write each of them as a table [[{key}]].")
            return []
        return [self._below(item, key, index) for index, item in enumerate(found)]

    def text(self, key: str, *, instead: str = "-") -> str:
        remedy = f"Give a text of 1 to {MAX_TEXT_LENGTH} characters."
        found: str = self._value(key, str, instead, remedy)
        if not 0 < len(found.strip()) <= len(found) <= MAX_TEXT_LENGTH:
            self.refuse(key, remedy)
        return found

    def whole_number(self, key: str, *, lowest: int, highest: int) -> int:
        remedy = f"Give a whole number from {lowest} to {highest}."
        found: int = self._value(key, int, lowest, remedy)
        if isinstance(found, bool) or not lowest <= found <= highest:
            self.refuse(key, remedy)
            return lowest
        return found

    def choice(self, key: str, choices: type[Choice]) -> Choice:
        remedy = f"Use one of: {'; '.join(choices)}."
        found = self._value(key, str, next(iter(choices)), remedy)
        if found not in list(choices):
            self.refuse(key, remedy)
            return next(iter(choices))
        return choices(found)

    def decimal(self, key: str) -> Decimal:
        """An exact number, written in quotes: TOML's own would be read as floating point."""
        remedy = 'Give a number in quotes, such as "0.10": without them it would not be exact.'
        found = self._value(key, str, "0", remedy)
        try:
            number = Decimal(found)
        except InvalidOperation:
            self.refuse(key, remedy)
            return Decimal(0)
        if not number.is_finite():
            self.refuse(key, remedy)
            return Decimal(0)
        return number

    def day(self, key: str) -> date:
        """A day, written plainly in TOML or as text where it was stored: ``2023-07-01``."""
        remedy = "Give a day such as 2023-07-01."
        found = self._value(key, date | str, date.min, remedy)
        try:
            return date.fromisoformat(str(found))
        except ValueError:
            self.refuse(key, remedy)
            return date.min

    def each_once(self, key: str, choices: type[Choice]) -> tuple[Choice, ...]:
        """Every choice, once, in the order of the file."""
        remedy = f"List each of these once, in the order wanted: {', '.join(choices)}."
        found = self._value(key, list, list(choices), remedy)
        if len(found) != len(choices) or any(choice not in found for choice in choices):
            self.refuse(key, remedy)
            return tuple(choices)
        return tuple(choices(name) for name in found)

    def checked(self, key: str, check: Callable[[], object]) -> None:
        """Let a rule of another module judge a value that was read; note what it refuses."""
        try:
            check()
        except Refusal as refusal:
            self.refuse(key, str(refusal))

    def others(self) -> Iterator[str]:
        """Keys not asked for so far."""
        return iter([key for key in self.content if key not in self.asked])

    def finish(self, *, cited: Sequence[str] = ()) -> None:
        """Refuse keys that nobody asked for, and terms in ``cited`` without a source, or the
        other way round: the table's ``sources`` has exactly those keys.
        """
        if cited:
            sources = self.table("sources")
            for key in cited:
                sources.origin(key)
            sources.finish()
        for key in self.others():
            close = get_close_matches(key, self.asked, n=1)
            meant = f" Was {close[0]} meant?" if close else ""
            known = f"Known here: {', '.join(self.asked)}." if self.asked else "Remove it."
            self.refuse(key, f"This key is unknown.{meant} {known}")

    def origin(self, key: str) -> str:
        """Where a value comes from: ``[13, C]``, several of these, or ``illustrative``."""
        remedy = (
            'Say where the value comes from: "[13, C]" (number in the list of sources, grade A to '
            'D) or "illustrative", and after a colon what there is to say about it.'
        )
        found: str = self._value(key, str, "illustrative", remedy)
        if not _ORIGIN.fullmatch(found):
            self.refuse(key, remedy)
        return found

    def _value(self, key: str, kind: type | UnionType, instead: Any, remedy: str) -> Any:
        self.asked.append(key)
        if key not in self.content:
            self.refuse(key, f"It is missing. {remedy}")
            return instead
        if not isinstance(self.content[key], kind):
            self.refuse(key, remedy)
            return instead
        return self.content[key]

    def _dotted(self, key: str) -> str:
        return ".".join(str(part) for part in (*self.path, key) if part != "")

    def _below(self, content: Mapping[str, Any], *path: str | int) -> "Table":
        return Table(
            content,
            file=self.file,
            lines=self.lines,
            errors=self.errors,
            path=(*self.path, *path),
        )


def refuse_dangling_citations(top: Table, sources: Table) -> None:
    """Refuse every ``[13, C]`` in the file whose number is not in ``sources``, and every source
    to which nothing refers.
    """
    cited: set[str] = set()
    for table, key, text in _texts(top):
        for number, _grade in _CITATION.findall(text):
            cited.add(number)
            if number not in sources.content:
                table.refuse(key, f"There is no source {number}. Add it to [sources].")
    for number in sources.content:
        sources.text(number)
        if number not in cited:
            sources.refuse(number, "Nothing refers to this source. Remove it, or cite it.")


def _texts(table: Table) -> Iterator[tuple[Table, str, str]]:
    for key, value in table.content.items():
        if isinstance(value, str):
            yield table, key, value
        elif isinstance(value, dict):
            yield from _texts(table._below(value, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    yield from _texts(table._below(item, key, index))
