"""Tables as CSV and XLSX: exact amounts, real dates, and nothing that computes."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from tallystick.faces.files import tables
from tallystick.faces.files.tables import Amount, TooManyRows, csv_bytes, xlsx_bytes

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
DAY = date(2026, 3, 2)


def csv_rows(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def sheet(content):
    return load_workbook(io.BytesIO(content)).worksheets[0]


def written(content):
    """The texts of the sheet's numbers, as they stand in the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        root = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    return [value.text for value in root.iter(f"{MAIN}v")]


def test_csv_holds_amounts_dates_and_texts_that_a_spreadsheet_can_read():
    content = csv_bytes(
        ("贷款", "day", "amount", "rate", "days", "note"),
        [("L1", DAY, Amount(-123_450, "CNY"), Decimal("0.0525"), 30, None)],
    )

    assert content.startswith(b"\xef\xbb\xbf")
    assert csv_rows(content) == [
        ["贷款", "day", "amount", "rate", "days", "note"],
        ["L1", "2026-03-02", "-1234.50", "0.0525", "30", ""],
    ]


def test_no_cell_of_a_csv_computes_not_even_in_the_header():
    content = csv_bytes(("=1+1",), [("@x",), ("-5",), (Amount(-500, "CNY"),)])

    assert csv_rows(content) == [["'=1+1"], ["'@x"], ["-5"], ["-5.00"]]


def test_a_text_with_line_ends_stays_one_cell():
    assert csv_rows(csv_bytes(("a", "b"), [('x\n"y",z', "w")])) == [["a", "b"], ['x\n"y",z', "w"]]


def test_a_workbook_holds_numbers_dates_and_texts():
    content = xlsx_bytes(
        ("loan", "day", "amount", "days", "note"),
        [("L1", DAY, Amount(123_450, "CNY"), 30, None), ("L2", DAY, Amount(500, "JPY"), 5, "好")],
        "March: 2026/3",
    )

    read = sheet(content)
    assert read.title == "March  2026 3"
    assert [[cell.value for cell in row] for row in read.iter_rows(min_row=2)] == [
        ["L1", datetime(2026, 3, 2), 1234.5, 30, None],  # noqa: DTZ001 - a sheet knows no zones
        ["L2", datetime(2026, 3, 2), 500, 5, "好"],  # noqa: DTZ001
    ]
    assert (read["C2"].number_format, read["C3"].number_format) == ("#,##0.00", "#,##0")
    assert read.freeze_panes == "A2"


@pytest.mark.parametrize("formula", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "＝1+1"])
def test_no_cell_of_a_workbook_computes_not_even_once_it_is_edited(formula):
    read = sheet(xlsx_bytes((formula,), [(formula,)]))

    for cell in (read["A1"], read["A2"]):
        assert (cell.value, cell.data_type, cell.quotePrefix) == (formula, "s", True)


@given(st.integers(-999_999_999_999_999, 999_999_999_999_999))
@settings(max_examples=30)
def test_an_amount_of_fifteen_digits_is_written_to_its_last_digit(minor):
    content = xlsx_bytes(("amount",), [(Amount(minor, "CNY"),)])

    assert Decimal(written(content)[0]) == Decimal(minor) / 100
    assert Decimal(repr(sheet(content)["A2"].value)) == Decimal(minor) / 100


def test_an_amount_that_a_spreadsheet_would_round_is_a_text():
    read = sheet(xlsx_bytes(("amount",), [(Amount(1_234_567_890_123_456_78, "CNY"),)]))

    assert (read["A2"].value, read["A2"].data_type) == ("1234567890123456.78", "s")


def test_an_instant_keeps_its_zone():
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    assert sheet(xlsx_bytes(("at",), [(at,)]))["A2"].value == "2026-03-02 09:30:00+00:00"
    assert csv_rows(csv_bytes(("at",), [(at,)]))[1] == ["2026-03-02 09:30:00+00:00"]


def test_characters_that_no_file_can_hold_are_replaced():
    assert sheet(xlsx_bytes(("a",), [("x\x00\udc80y",)]))["A2"].value == "x\ufffd\ufffdy"
    assert csv_rows(csv_bytes(("a",), [("x\udc80",)]))[1] == ["x\\udc80"]


@pytest.mark.parametrize("value", [0.1, True])
@pytest.mark.parametrize("made", [csv_bytes, xlsx_bytes])
def test_a_binary_fraction_never_gets_into_a_table(made, value):
    with pytest.raises(TypeError, match="takes no"):
        made(("a",), [(value,)])


def test_more_rows_than_a_sheet_has_are_refused(monkeypatch):
    monkeypatch.setattr(tables, "MAX_SHEET_ROWS", 3)

    assert sheet(xlsx_bytes(("a",), [("x",)] * 2)).max_row == 3
    with pytest.raises(TooManyRows, match="shorter period"):
        xlsx_bytes(("a",), [("x",)] * 3)
