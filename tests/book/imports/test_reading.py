"""Text files are read as what they say they are, or refused by name; nothing is guessed."""

import gzip
import os
import zlib

import polars as pl
import pytest

from tallystick.book.trade.imports.reading import read_header, read_rows
from tallystick.book.trade.imports.rows import ROW, UnreadableFile, shown_name

TEXT = "a,b\n1,甲\n2,乙\n"


@pytest.fixture
def read(tmp_path):
    def read_file(content, *, name="x.csv", columns=("a", "b"), max_bytes=10**6):
        path = tmp_path / name
        path.write_bytes(content)
        return read_rows(path, columns=columns, max_bytes=max_bytes).frame

    return read_file


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["without", "with a byte order mark"])
def test_utf_8_is_read(read, start):
    assert read((start + TEXT).encode()).rows() == [(2, "1", "甲"), (3, "2", "乙")]


def test_windows_line_ends_are_read(read):
    assert read(TEXT.replace("\n", "\r\n").encode()).rows() == [(2, "1", "甲"), (3, "2", "乙")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(TEXT.encode("utf-16"), "is UTF-16 text; save it as CSV UTF-8", id="UTF-16"),
        pytest.param(b"\xfe\xff" + TEXT.encode("utf-16-be"), "is UTF-16", id="UTF-16, big-endian"),
        pytest.param("a,b\n1,2\n".encode("utf-16-le"), "NUL byte: UTF-16", id="UTF-16, no mark"),
        pytest.param(TEXT.encode("gb18030"), "not UTF-8.*GBK", id="as spreadsheets in China write"),
        pytest.param(b"a,b\n1,\xed\xa0\x80\n", "not UTF-8", id="a lone surrogate"),
        pytest.param(b"a,b\n1,2\x00\n", "line 2 holds a NUL", id="a NUL"),
        pytest.param(b"a,b\r1,2\r", "carriage return alone", id="line ends of old Macintoshes"),
        pytest.param(b"PK\x03\x04", "an archive or a workbook", id="a workbook by another name"),
        pytest.param(gzip.compress(TEXT.encode()), "is compressed", id="gzip by another name"),
        *(
            pytest.param(zlib.compress(TEXT.encode(), level), "is compressed", id=f"zlib {level}")
            for level in (0, 3, 6, 9)
        ),
        pytest.param(b'a,b\n"1,2\n', "no readable CSV", id="a quote that is not closed"),
        pytest.param(b"x" * 200_000, "no readable CSV", id="a name of 200,000 letters"),
        pytest.param(b"", "lacks the column 'a'", id="nothing"),
    ],
)
def test_what_is_no_csv_in_utf_8_is_named_with_what_to_do(read, content, says):
    with pytest.raises(UnreadableFile, match=says):
        read(content)


def test_the_place_that_is_not_utf_8_is_found_however_far_down_it_is(read):
    content = b"a,b\n" + b"1,2\n" * 50_000 + "1,甲\n".encode("gbk")

    with pytest.raises(UnreadableFile, match="line 50002, byte 3 is not UTF-8"):
        read(content)


def test_a_parquet_file_is_bounded_by_what_it_unpacks_to(read, tmp_path):
    pl.DataFrame({"a": ["x"] * 100_000, "b": "y"}).write_parquet(tmp_path / "made.parquet")
    content = (tmp_path / "made.parquet").read_bytes()

    assert len(content) < 5_000
    assert read(content, name="x.parquet", max_bytes=10**7).height == 100_000
    with pytest.raises(UnreadableFile, match=r"100,000 rows of 2 columns.*unpacked; split it"):
        read(content, name="x.parquet", max_bytes=10**6)


def test_the_header_alone_is_refused_in_the_same_way(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("a,b\n".encode("gb18030") + b"\xff")

    assert read_rows.__module__ == read_header.__module__
    with pytest.raises(UnreadableFile, match="not UTF-8"):
        read_header(path, max_bytes=100)
    with pytest.raises(UnreadableFile, match="above the limit"):
        read_header(path, max_bytes=1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.csv", "a\\nb.csv"),
        ("\x1b[31m.csv", "\\x1b[31m.csv"),
        ("\u202evsc.exe", "\\u202evsc.exe"),
        (os.fsdecode(b"\xff.csv"), "\\udcff.csv"),
        ("发票　甲.csv", "发票　甲.csv"),
        ("../../etc/passwd", "passwd"),
    ],
)
def test_a_file_is_named_without_folders_or_tricks(tmp_path, name, shown):
    assert shown_name(tmp_path / name) == shown
    with pytest.raises(UnreadableFile, match="no such file") as refusal:
        read_rows(tmp_path / "in" / name, columns=(), max_bytes=1)
    assert str(refusal.value).isprintable() or "\u3000" in shown


def test_the_place_of_a_row_counts_records_not_lines(read):
    rows = read(b'a,b\n"x\ny",1\nz,2\n')

    assert rows[ROW].to_list() == [2, 3]
