"""The archive that an XLSX workbook is, measured before anything in it is believed."""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from tallystick.book.trade.imports.rows import UnreadableFile, first_line
from tallystick.rules.hidden_characters import printable

MAX_ENTRIES = 10_000
MAX_DIRECTORY_BYTES = 4_000_000
MAX_RATIO = 200
"""Uncompressed to compressed; sheets reach 40, an archive made to burst a reader a thousand."""
SMALL_BYTES = 1_000_000
"""Up to here no ratio is looked at: little content cannot burst anything."""
MAX_PART_BYTES = 16_000_000
"""Of parts that are read as a whole: everything but sheets and shared texts."""
MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_OTHER_ELEMENTS = 16_000_000
"""Elements outside rows of a part that is streamed: shared texts, merged ranges and the like."""
MAX_ROW_ELEMENTS = 10 * MAX_COLUMNS
MAX_SHARED_FORMULA_CHARACTERS = 20_000_000
"""Of formulas as they are filled down: a short one stands for a million, each worked out anew."""

_CHUNK_BYTES = 65_536
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "http://purl.oclc.org/ooxml/"
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


@dataclass(slots=True)
class Part:
    """What is known of one part of a workbook before it is read."""

    root: str = ""
    merged: list[str] = field(default_factory=list)


class _Burst(Exception):  # noqa: N818 - told as UnreadableFile
    """What is wrong with a part, found while it streams by."""


@contextmanager
def bounded_archive(
    path: Path, *, max_bytes: int
) -> Iterator[tuple[zipfile.ZipFile, dict[str, Part]]]:
    """The open archive and its XML parts, once all bounds hold.

    Bounded are the number of entries, the content as a whole (``max_bytes``) and against its
    compressed size, the parts read whole, rows and columns of sheets. Refused are entries that
    repeat a name, name a place outside, are encrypted or archives themselves, macros, XML that
    declares a document type (so no entity is ever expanded), and rows or cells out of order.

    Raises UnreadableFile, also for what goes wrong while the archive is used.
    """
    _check_kind(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(path, archive, max_bytes=max_bytes)
            yield archive, _checked_parts(path, archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,  # a method of compression that is not known
        RuntimeError,  # an entry that wants a password
        EOFError,
        OSError,
        ValueError,  # an offset or a date that no archive has
        struct.error,
    ) as error:
        raise no_workbook(path, error) from error


def no_workbook(path: Path, error: Exception) -> UnreadableFile:
    """What a library stumbled over, told as a fault of the file."""
    return UnreadableFile(
        path,
        f"no readable XLSX workbook: {first_line(error)}; save it again as .xlsx, or as CSV UTF-8",
    )


def _check_kind(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(8)
        if start == _COMPOUND_FILE:
            encrypted = any(_ENCRYPTED_PACKAGE in block for block in _overlapping_blocks(file))
            raise UnreadableFile(
                path,
                "is protected with a password; save it without one"
                if encrypted
                else "is a workbook of Excel 97-2003 (.xls) under another name; "
                "save it as .xlsx or CSV UTF-8",
            )
        if not start.startswith(b"PK"):
            raise UnreadableFile(path, "is no XLSX workbook; save it as .xlsx or CSV UTF-8")
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(0, size - 65_557))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise UnreadableFile(path, "no readable XLSX workbook: it is cut short")
    directory_bytes = struct.unpack("<L", tail[end + 12 : end + 16])[0]
    if directory_bytes > MAX_DIRECTORY_BYTES or tail[end - 20 : end - 16] == b"PK\x06\x07":
        raise UnreadableFile(
            path, f"holds more than {MAX_ENTRIES:,} parts; save the sheet alone as .xlsx"
        )


def _overlapping_blocks(file: BinaryIO) -> Iterator[bytes]:
    before = b""
    while block := file.read(_CHUNK_BYTES):
        yield before + block
        before = block[-len(_ENCRYPTED_PACKAGE) :]


def _check_entries(path: Path, archive: zipfile.ZipFile, *, max_bytes: int) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise UnreadableFile(
            path, f"holds more than {MAX_ENTRIES:,} parts; save the sheet alone as .xlsx"
        )
    total_bytes = sum(entry.file_size for entry in entries)
    if total_bytes > max_bytes:
        raise UnreadableFile(
            path,
            f"is {total_bytes:,} bytes when unpacked, above the limit of {max_bytes:,}; "
            "split it or raise --max-bytes",
        )
    seen = set()
    for entry in entries:
        name = entry.orig_filename.casefold()
        if problem := _entry_problem(entry) or ("stands in it twice" if name in seen else None):
            raise UnreadableFile(
                path,
                f"part {printable(entry.orig_filename[:100])!r} {problem}; "
                "save the workbook again as .xlsx",
            )
        seen.add(name)


def _entry_problem(entry: zipfile.ZipInfo) -> str | None:
    # As written: the library cuts a name at a NUL and turns separators.
    name = entry.orig_filename
    if (
        name.startswith(("/", "\\"))
        or ".." in re.split(r"[/\\]", name)
        or not name.isprintable()
        or ":" in name
    ):
        return "names a place outside the workbook"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    if "vbaproject" in name.casefold():
        return "holds macros"
    if entry.file_size > SMALL_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
        return f"unpacks to more than {MAX_RATIO} times its size"
    return None


def _checked_parts(path: Path, archive: zipfile.ZipFile) -> dict[str, Part]:
    parts = {}
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        with archive.open(entry) as file:
            start = file.read(4)
        if start == b"PK\x03\x04":
            problem = "is an archive itself"
        else:
            try:
                parts[entry.filename] = _checked_part(archive, entry)
                continue
            except _Burst as burst:
                problem = str(burst)
        raise UnreadableFile(path, f"part {printable(entry.filename[:100])!r} {problem}")
    return parts


def _checked_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Part:
    """Stream a part by. What is no XML at all, such as a picture, is nobody's concern."""
    part = Part()
    watch = _Watch(part, entry.file_size)
    with archive.open(entry) as file:
        try:
            while chunk := file.read(_CHUNK_BYTES):
                watch.parser.Parse(chunk, False)
            watch.parser.Parse(b"", True)
        except expat.ExpatError as error:
            if part.root:
                raise _Burst(f"is no well-formed XML: {error}") from error
    return part


class _Watch:
    """Handlers of a parser that keep to the bounds of sheets and shared texts."""

    def __init__(self, part: Part, part_bytes: int) -> None:
        self.part = part
        self.part_bytes = part_bytes
        self.row = 0
        self.column = 0
        self.depth_in_row = 0
        self.row_elements = 0
        self.other_elements = 0
        self.formula = ""
        self.formula_characters = 0
        self.shared: dict[str, int] = {}
        self.shared_characters = 0
        # As the library's own parser is made, so that both stop at the same places.
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end

    def doctype(self, *_declared: object) -> None:
        raise _Burst("declares a document type, which no workbook needs; save it again as .xlsx")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.part.root:
            self.begin(tag)
        elif self.depth_in_row:
            self.row_elements += 1
            if self.row_elements > MAX_ROW_ELEMENTS or tag == _MAIN + "row":
                raise _Burst(f"has a row {self.row} of too many elements")
            # Whatever stands right in a row is read as a cell.
            if self.depth_in_row == 1:
                self.cell(attributes.get("r"))
            elif tag == _MAIN + "f" and attributes.get("t") == "shared":
                self.formula, self.formula_characters = attributes.get("si", ""), 0
                self.parser.CharacterDataHandler = self.formula_text
            self.depth_in_row += 1
        else:
            self.other_elements += 1
            if self.other_elements > MAX_OTHER_ELEMENTS:
                raise _Burst(f"has more than {MAX_OTHER_ELEMENTS:,} elements; split the sheet")
            if tag == _MAIN + "row":
                self.begin_row(attributes.get("r"))
            elif tag == _MAIN + "mergeCell":
                self.part.merged.append(attributes.get("ref", ""))

    def end(self, _tag: str) -> None:
        if self.depth_in_row:
            self.depth_in_row -= 1
        if self.parser.CharacterDataHandler is not None:
            self.parser.CharacterDataHandler = None
            first = self.shared.setdefault(self.formula, self.formula_characters)
            self.shared_characters += first
            if self.shared_characters > MAX_SHARED_FORMULA_CHARACTERS:
                raise _Burst("has more formulas than can be read; paste them as values")

    def formula_text(self, text: str) -> None:
        self.formula_characters += len(text)

    def begin(self, tag: str) -> None:
        namespace, _, self.part.root = tag.rpartition("}")
        if namespace.startswith(_STRICT):
            raise _Burst(
                "is in the strict variant of the format; save it as an ordinary workbook (.xlsx)"
            )
        if self.part.root not in ("worksheet", "sst") and self.part_bytes > MAX_PART_BYTES:
            raise _Burst(f"is larger than {MAX_PART_BYTES:,} bytes; save the sheet alone")

    def begin_row(self, written: str | None) -> None:
        if written is not None and not re.fullmatch("[0-9]{1,7}", written):
            raise _Burst(f"has a row {written[:20]!r}")
        row = self.row + 1 if written is None else int(written)
        if row <= self.row:
            raise _Burst(f"has row {row} after row {self.row}; save the workbook again as .xlsx")
        if row > MAX_ROWS:
            raise _Burst(f"has a row {row}; a sheet has at most {MAX_ROWS:,}")
        self.row, self.column, self.depth_in_row, self.row_elements = row, 0, 1, 0

    def cell(self, written: str | None) -> None:
        column = self.column + 1
        if written is not None:
            place = _CELL.fullmatch(written)
            if place is None or int(place[2]) != self.row:
                raise _Burst(f"has a cell {written[:20]!r} in row {self.row}")
            column = _column_number(place[1])
        if not self.column < column <= MAX_COLUMNS:
            raise _Burst(f"has cells out of order in row {self.row}")
        self.column = column


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
