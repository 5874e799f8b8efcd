"""Where each key of a TOML text stands, so that a refusal can name the line.

The standard library reads TOML into values and forgets the lines. This reads the same text again
for its keys only; the text must already have been accepted by ``tomllib``.
"""

import re
import tomllib

KeyPath = tuple[str | int, ...]
"""Keys from the top, with the index where a key is an array: ``("published", 2, "says")``."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED_KEY = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|\'[^\']*\'', re.DOTALL
)
_PLAIN_VALUE = re.compile(r"[^,\]}#\n]*")
_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line number, from 1, of every key and table header in ``text``.

    A table that is only implied by a longer header has the line of the first such header.
    """
    return _Scanner(text).scan()


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of ``path``, or of the nearest thing above it that stands in the text."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.array_lengths: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK_LINES)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._key_and_value(table)
            self._skip(_BLANK_LINES)
        return self.lines

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Move past ``pattern``, which may be empty, and return what it covered."""
        match = pattern.match(self.text, self.at)
        assert match, f"offset {self.at}: not the TOML that was accepted"
        self.at = match.end()
        return match.group()

    def _take(self, literal: str) -> bool:
        taken = self.text.startswith(literal, self.at)
        if taken:
            self.at += len(literal)
        return taken

    def _header(self) -> KeyPath:
        is_array = self._take("[[") or not self._take("[")
        start = self.at
        parts = self._dotted_key()
        self._take("]]" if is_array else "]")
        table: KeyPath = ()
        for part in parts[:-1]:
            table = self._last_element((*table, part))
            self._note(table, start)
        table = (*table, parts[-1])
        if is_array:
            self._note(table, start)
            table = (*table, self.array_lengths.get(table, 0))
            self.array_lengths[table[:-1]] = int(table[-1]) + 1
        self._note(table, start)
        return table

    def _last_element(self, path: KeyPath) -> KeyPath:
        """A header that goes through an array of tables means the element opened last."""
        length = self.array_lengths.get(path)
        return path if length is None else (*path, length - 1)

    def _note(self, path: KeyPath, start: int) -> None:
        self.lines.setdefault(path, self.text.count("\n", 0, start) + 1)

    def _dotted_key(self) -> list[str]:
        parts = [self._key()]
        self._skip(_BLANK)
        while self._take("."):
            parts.append(self._key())
            self._skip(_BLANK)
        return parts

    def _key(self) -> str:
        self._skip(_BLANK)
        if self.text[self.at] in "\"'":
            quoted = self._skip(_QUOTED_KEY)
            return str(tomllib.loads(f"key = {quoted}")["key"])
        return self._skip(_BARE_KEY)

    def _key_and_value(self, table: KeyPath) -> None:
        start = self.at
        path = table
        for part in self._dotted_key():
            path = (*path, part)
            self._note(path, start)
        self._take("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        opening = self.text[self.at]
        if opening in "\"'":
            self._skip(_STRING)
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_PLAIN_VALUE)

    def _array(self, path: KeyPath) -> None:
        self._take("[")
        self._skip(_BLANK_LINES)
        index = 0
        while not self._take("]"):
            self._note((*path, index), self.at)
            self._value((*path, index))
            index += 1
            self._skip(_BLANK_LINES)
            self._take(",")
            self._skip(_BLANK_LINES)

    def _inline_table(self, path: KeyPath) -> None:
        self._take("{")
        self._skip(_BLANK_LINES)
        while not self._take("}"):
            self._key_and_value(path)
            self._skip(_BLANK_LINES)
            self._take(",")
            self._skip(_BLANK_LINES)
