"""Sheets are read as what was typed into them, or refused cell by cell; archives are bounded."""

import io
import warnings
import zipfile
from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.formula import ArrayFormula
from tests.book.imports.books import HEADER, MAIN, archive, cell, filled, parts, row, sheet

from tallystick.book.trade.imports import archives
from tallystick.book.trade.imports.mapping import parsed
from tallystick.book.trade.imports.rows import UnreadableFile
from tallystick.book.trade.imports.tables import read_and_convert
from tallystick.book.trade.imports.workbooks import EXACT_DIGITS, shortest_decimal

TEXT = """
title = "invoices"
kind = "invoice"
currency = "{currency}"
{more}
[supplier]
column = "seller"
[obligor]
column = "buyer"
[number]
columns = ["no"]
[issue_date]
column = "issued"
[due_date]
days_after_issue = 30
[amount]
columns = ["gross"]
"""
ISSUED = date(2026, 1, 5)
GOOD = ("S1", "B1", "1", ISSUED, 100.5, "No")
GOOD_XML = row(1, *HEADER) + row(2, "S1", "B1", "1", "2026-01-05", "100.50", "No")


@pytest.fixture
def read(tmp_path):
    def read_workbook(content, *, name="book.xlsx", max_bytes=10**7, text=TEXT, more=""):
        path = tmp_path / name
        path.write_bytes(content)
        mapping = parsed(text.format(currency="CNY", more=more), name="m")
        [(_, outcome)] = read_and_convert([path], mapping, max_bytes=max_bytes)
        return outcome

    return read_workbook


def with_gross(value):
    def change(workbook):
        workbook.active["E2"] = value

    return filled(GOOD, change=change)


def with_number(value, number_format=None):
    def change(workbook):
        workbook.active["C2"] = value
        if number_format:
            workbook.active["C2"].number_format = number_format

    return filled(GOOD, change=change)


def test_a_sheet_of_texts_numbers_and_dates_is_read(read):
    outcome = read(filled(GOOD, ("S1", "B1", 1002, "2026-01-06", "12.30", None)))

    assert outcome.refusals == []
    assert outcome.documents.select("row", "number", "issue_date", "amount_minor").rows() == [
        (2, "1", date(2026, 1, 5), 10_050),
        (3, "1002", date(2026, 1, 6), 1_230),
    ]


@pytest.mark.parametrize(
    ("value", "minor"),
    [
        pytest.param(0.1, 10, id="a tenth"),
        pytest.param(4.1, 410, id="written by spreadsheets as 4.0999999999999996"),
        pytest.param(1e3, 100_000, id="exponent"),
        pytest.param(1234567890123.45, 123_456_789_012_345, id="fifteen digits"),
    ],
)
def test_a_number_is_the_shortest_decimal_it_stands_for(read, value, minor):
    assert read(with_gross(value)).documents["amount_minor"].to_list() == [minor]


def test_a_number_written_with_seventeen_digits_is_what_was_typed(read):
    content = sheet(
        GOOD_XML.replace(cell("E2", "100.50"), '<c r="E2"><v>4.0999999999999996</v></c>')
    )

    assert read(archive(parts(content))).documents["amount_minor"].to_list() == [410]


def test_what_a_computation_left_behind_is_refused_not_rounded(read):
    content = sheet(
        GOOD_XML.replace(cell("E2", "100.50"), '<c r="E2"><v>0.30000000000000004</v></c>')
    )

    [refusal] = read(archive(parts(content))).refusals

    assert refusal.value == "0.30000000000000004"
    assert "round it" in refusal.remedy


@given(st.decimals("0.01", "9999999999999.99", places=2))
@settings(max_examples=200)
def test_no_amount_of_fifteen_digits_is_read_wrong(amount):
    number = shortest_decimal(float(amount))

    assert number == amount
    assert len(number.as_tuple().digits) <= EXACT_DIGITS


@pytest.mark.parametrize(
    ("value", "shown", "says"),
    [
        pytest.param("=SUM(E3:E9)", "=SUM(E3:E9)", "is a formula", id="formula"),
        pytest.param(ArrayFormula("E2", "=E3:E4*2"), "=E3:E4*2", "is a formula", id="array"),
        pytest.param("#REF!", "#REF!", "is an error", id="error"),
        pytest.param(True, "True", "is a truth value", id="truth value"),
        pytest.param(date(2026, 1, 5), "2026-01-05 00:00:00", "is a date", id="date"),
        pytest.param(time(12, 30), "12:30:00", "a time without a day", id="time"),
        pytest.param(99999999999999.99, "99999999999999.98", "more than 15", id="16 digits"),
        pytest.param(12.345, "12.345", "at most 2 decimals", id="three decimals"),
        pytest.param(-5, "-5", "below zero", id="negative"),
        pytest.param("1,234.50", "1,234.50", "without thousands", id="text with separators"),
        pytest.param("1\u200b2", "1\\u200b2", "is no amount", id="zero-width space"),
        pytest.param(None, "", "is no amount", id="empty"),
    ],
)
def test_a_cell_that_holds_no_amount_is_refused_with_its_place(read, value, shown, says):
    outcome = read(with_gross(value))

    [refusal] = outcome.refusals
    assert (refusal.cell, refusal.row, refusal.column) == ("Invoices!E2", 2, "gross")
    assert refusal.value == shown
    assert says in refusal.remedy
    assert outcome.documents.height == 0


def test_a_formula_is_refused_whatever_was_computed_for_it(read):
    computed = '<c r="E2"><f>50+50.5</f><v>100.5</v></c>'
    content = sheet(GOOD_XML.replace(cell("E2", "100.50"), computed))

    [refusal] = read(archive(parts(content))).refusals

    assert (refusal.value, refusal.cell) == ("=50+50.5", "Invoices!E2")


def test_every_cell_that_shares_a_formula_is_refused(read):
    shared = '<c r="E{0}"><f t="shared" {1} si="0">{2}</f><v>1</v></c>'
    first = GOOD_XML.replace(cell("E2", "100.50"), shared.format(2, 'ref="E2:E3"', "G2*2"))
    second = row(3, "S1", "B1", "2", "2026-01-05", "1").replace(
        cell("E3", "1"), shared.format(3, "", "")
    )

    outcome = read(archive(parts(sheet(first, second))))

    assert [(r.cell, r.value) for r in outcome.refusals] == [
        ("Invoices!E2", "=G2*2"),
        ("Invoices!E3", "=G3*2"),
    ]


def test_a_formula_filled_down_without_end_is_refused_before_it_is_worked_out(read):
    first = f'<c r="G2"><f t="shared" ref="G2:G3000" si="0">{"A1+" * 3_000}1</f></c>'
    more = (f'<row r="{n}"><c r="G{n}"><f t="shared" si="0"/></c></row>' for n in range(3, 3_000))
    worksheet = sheet(f"{GOOD_XML.removesuffix('</row>')}{first}</row>", *more)

    with pytest.raises(UnreadableFile, match="more formulas than can be read; paste"):
        read(archive(parts(worksheet)))


def test_a_formula_in_a_column_that_nobody_reads_does_no_harm(read):
    def add(workbook):
        workbook.active["F2"] = '=HYPERLINK("http://x")'

    assert read(filled(GOOD, change=add)).refusals == []


@pytest.mark.parametrize(
    ("value", "number_format", "says"),
    [
        pytest.param(date(2026, 1, 5), None, "is a date", id="1-5, which became a date"),
        pytest.param(42, "00000", "leading zeros", id="00042, which is 42"),
        pytest.param(1234567890123456789, "0", "more than 15 digits", id="a long number, cut off"),
        pytest.param("7_x000D_", None, "_x000D_", id="an escaped carriage return"),
        pytest.param("7\u202e", None, "U+202E", id="right-to-left override"),
    ],
)
def test_a_document_number_that_the_sheet_has_changed_is_refused(read, value, number_format, says):
    [refusal] = read(with_number(value, number_format)).refusals

    assert (refusal.cell, refusal.column) == ("Invoices!C2", "no")
    assert says in refusal.remedy


def test_dates_of_the_1904_system_are_the_days_they_show(read):
    def change(workbook):
        workbook.epoch = CALENDAR_MAC_1904

    content = filled(GOOD, change=change)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert b"<v>44565</v>" in packed.read("xl/worksheets/sheet1.xml")  # 46027 - 1462

    assert read(content).documents["issue_date"].to_list() == [ISSUED]


def test_a_date_beyond_the_calendar_is_refused(read):
    def change(workbook):
        workbook.active["D2"] = 99_999_999
        workbook.active["D2"].number_format = "yyyy-mm-dd"

    [refusal] = read(filled(GOOD, change=change)).refusals

    assert (refusal.cell, refusal.value) == ("Invoices!D2", "#VALUE!")


def test_a_number_that_is_not_shown_as_a_date_is_none(read):
    def change(workbook):
        workbook.active["D2"] = 46_027
        workbook.active["D2"].number_format = "General"

    [refusal] = read(filled(GOOD, change=change)).refusals

    assert (refusal.value, refusal.remedy) == ("46027", "is no date; write YYYY-MM-DD")


def test_empty_rows_are_left_out_and_the_others_keep_their_place(read):
    outcome = read(filled(GOOD, (), (None,) * 6, ("S1", "B1", "2", ISSUED, 7, "No")))

    assert outcome.documents["row"].to_list() == [2, 5]


def test_a_document_that_names_an_empty_cell_is_refused_there(read):
    [refusal] = read(filled(("S1", None, "1", ISSUED, 5, "No"))).refusals

    assert (refusal.cell, refusal.column) == ("Invoices!B2", "buyer")


def another_sheet(name, state):
    def change(workbook):
        workbook.create_sheet(name).sheet_state = state

    return change


def test_hidden_sheets_do_not_count_unless_they_are_named(read):
    content = filled(GOOD, change=another_sheet("Lists", "hidden"))

    assert read(content).documents.height == 1
    with pytest.raises(UnreadableFile, match="'Lists': row 1 is empty"):
        read(content, more='sheet = "Lists"')


def test_of_several_sheets_the_mapping_names_one(read):
    content = filled(GOOD, change=another_sheet("March", "visible"))

    assert read(content, more='sheet = "Invoices"').documents.height == 1
    with pytest.raises(UnreadableFile, match=r"2 sheets .* 'Invoices', 'March'; name one"):
        read(content)
    with pytest.raises(UnreadableFile, match=r"no sheet 'April'.* 'Invoices', 'March'"):
        read(content, more='sheet = "April"')


@pytest.mark.parametrize(
    ("merged", "says"),
    [
        pytest.param("A1:B1", "A1:B1 in the header are merged", id="in the header"),
        pytest.param("B2:B3", "cells are merged: B2:B3", id="in a column that is read"),
    ],
)
def test_merged_cells_are_refused_with_their_place(read, merged, says):
    content = filled(GOOD, GOOD, change=lambda workbook: workbook.active.merge_cells(merged))

    with pytest.raises(UnreadableFile, match=says):
        read(content)


def test_merged_cells_that_nobody_reads_do_no_harm(read):
    content = filled(GOOD, GOOD, change=lambda workbook: workbook.active.merge_cells("F2:F3"))

    assert read(content).documents.height == 2


def test_a_column_with_a_line_end_in_its_name_is_read_and_named_in_one_line(read):
    def change(workbook):
        workbook.active["E1"] = "gross\n(CNY)"
        workbook.active["E2"] = "x"

    content = filled(GOOD, change=change)
    mapping = TEXT.replace('"gross"', '"gross\\n(CNY)"')

    [refusal] = read(content, text=mapping).refusals

    assert (refusal.column, refusal.cell) == ("gross\\n(CNY)", "Invoices!E2")
    assert str(refusal) == (
        "book.xlsx, Invoices!E2, gross\\n(CNY) = 'x': is no amount in CNY; write digits, a decimal "
        "point and at most 2 decimals, without thousands separators"
    )


JOINED = TEXT.replace('["no"]', '["no", "line"]') + '[join]\ncolumn = "no"\nrows = "line"\n'
ORDERS = [("no", "seller", "buyer", "issued"), ("1", "S1", "B1", ISSUED), ("2", "S1", "B2", ISSUED)]
LINES = [("no", "line", "gross"), ("1", "a", 5), ("1", "b", 7.5), ("2", "a", 1)]


@pytest.fixture
def join(tmp_path):
    def join_workbooks(orders, lines):
        paths = []
        for name, rows in (("orders.xlsx", orders), ("lines.xlsx", lines)):
            workbook = Workbook()
            for line in rows:
                workbook.active.append(line)
            paths.append(tmp_path / name)
            workbook.save(paths[-1])
        mapping = parsed(JOINED.format(currency="CNY", more=""), name="m")
        [(path, outcome)] = read_and_convert(paths, mapping, max_bytes=10**7)
        assert path.name == "lines.xlsx"
        return outcome

    return join_workbooks


def test_two_workbooks_are_joined(join):
    outcome = join(ORDERS, LINES)

    assert outcome.documents.select("number", "obligor", "amount_minor").rows() == [
        ("1-a", "B1", 500),
        ("1-b", "B1", 750),
        ("2-a", "B2", 100),
    ]


def test_a_formula_in_a_joined_number_is_refused_once_with_its_own_place(join):
    [refusal] = join(ORDERS, [*LINES, ("2", '="b"', 1)]).refusals

    assert (refusal.cell, refusal.column, refusal.value) == ("Sheet!B5", "line", '="b"')


def test_a_workbook_that_adds_to_another_must_be_sound(join):
    with pytest.raises(UnreadableFile, match=r"orders.xlsx: Sheet!C4 = '=1' is a formula.*1 such"):
        join([*ORDERS, ("3", "S1", "=1", ISSUED)], LINES)


def test_a_missing_column_is_named_with_those_there_are(read):
    content = filled(GOOD, change=lambda workbook: workbook.active.delete_cols(5))

    with pytest.raises(UnreadableFile, match=r"lacks the column 'gross'.*'seller', 'buyer'"):
        read(content)


def test_a_formula_in_the_header_is_refused(read):
    def change(workbook):
        workbook.active["E1"] = '="gross"'

    with pytest.raises(UnreadableFile, match="cell E1 in the header"):
        read(filled(GOOD, change=change))


@pytest.mark.parametrize(
    "worksheet",
    [
        pytest.param(
            sheet(GOOD_XML, before='<dimension ref="A1:XFD1048576"/>'), id="claims the largest size"
        ),
        pytest.param(sheet(GOOD_XML, before='<dimension ref="A1"/>'), id="claims one cell"),
        pytest.param(sheet(GOOD_XML), id="claims nothing"),
        pytest.param(sheet(GOOD_XML, row(200_000)), id="has an empty row far below"),
    ],
)
def test_a_sheet_is_as_large_as_its_cells_whatever_it_claims(read, worksheet):
    assert read(archive(parts(worksheet))).documents.height == 1


@pytest.mark.parametrize(
    ("worksheet", "says"),
    [
        pytest.param(sheet(GOOD_XML, row(1_048_577)), "at most 1,048,576", id="a row too far"),
        pytest.param(sheet(GOOD_XML, row("9" * 12)), "row '999999999999'", id="a row beyond all"),
        pytest.param(
            sheet(row(1, *HEADER), row(3), row(2)), "row 2 after row 3", id="out of order"
        ),
        pytest.param(sheet(GOOD_XML, row(2, "S2")), "row 2 after row 2", id="a row twice"),
        pytest.param(
            sheet(f'<row r="1">{cell("B1", "x")}{cell("A1", "y")}</row>'),
            "out of order in row 1",
            id="cells out of order",
        ),
        pytest.param(
            sheet(f'<row r="1">{cell("A7", "x")}</row>'), "'A7' in row 1", id="another row's cell"
        ),
        pytest.param(
            sheet(f'<row r="1">{cell("XFE1", "x")}</row>'), "out of order", id="a column too far"
        ),
        pytest.param(
            sheet(f'<row r="1"><row r="99999999">{cell("A1", "x")}</row></row>'),
            "row 1",
            id="a row in a row",
        ),
        pytest.param(
            sheet(GOOD_XML).replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"),
            "strict variant",
            id="strict variant",
        ),
        pytest.param(sheet(GOOD_XML)[:-20], "no well-formed XML", id="cut short"),
        pytest.param(sheet(row(1, "&#xD800;")), "no well-formed XML", id="lone surrogate"),
        pytest.param(sheet(row(1, "\x00")), "no well-formed XML", id="NUL"),
    ],
)
def test_a_sheet_that_no_spreadsheet_writes_is_refused(read, worksheet, says):
    with pytest.raises(UnreadableFile, match=says):
        read(archive(parts(worksheet)))


LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(10)
)


@pytest.mark.parametrize(
    "part", ["xl/s1.xml", "xl/sst.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"]
)
@pytest.mark.parametrize(
    "declared",
    [
        pytest.param(f"<!DOCTYPE x [{LAUGHS}]>", id="a thousand million laughs"),
        pytest.param('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', id="a file"),
        pytest.param('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', id="from the network"),
    ],
)
def test_no_part_declares_entities(read, part, declared):
    entries = parts(sheet(GOOD_XML.replace("S1", "&l9;")))
    entries[part] = '<?xml version="1.0"?>' + declared + entries[part].partition("?>")[2]

    with pytest.raises(UnreadableFile, match="declares a document type"):
        read(archive(entries))


def test_a_bomb_of_zeros_is_refused_before_it_is_unpacked(read):
    bomb = archive(parts(sheet(GOOD_XML), **{"xl/media/a.bin": b"\0" * 5_000_000}))

    with pytest.raises(UnreadableFile, match="more than 200 times its size"):
        read(bomb)


def test_the_limit_of_bytes_is_of_what_is_unpacked(read):
    content = archive(parts(sheet(*(GOOD_XML,), after=" " * 60_000)))

    assert len(content) < 10_000
    with pytest.raises(UnreadableFile, match=r"when unpacked, above the limit of 50,000.*split"):
        read(content, max_bytes=50_000)


def test_parts_that_are_read_whole_are_small(read):
    entries = parts(sheet(GOOD_XML))
    entries["xl/styles.xml"] += " " * 16_000_000

    with pytest.raises(UnreadableFile, match="larger than 16,000,000 bytes"):
        read(archive(entries, compression=zipfile.ZIP_STORED), max_bytes=10**9)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("../../etc/cron.d/x", "outside the workbook", id="upwards"),
        pytest.param("xl/../../x", "outside the workbook", id="upwards in the middle"),
        pytest.param("/etc/x", "outside the workbook", id="absolute"),
        pytest.param("\\\\host\\x", "outside the workbook", id="on the network"),
        pytest.param("C:\\x", "outside the workbook", id="on a drive"),
        pytest.param("xl/a\nb", "outside the workbook", id="with a line end"),
        pytest.param("xl/S1.xml", "stands in it twice", id="twice, but for capitals"),
        pytest.param("xl/vbaProject.bin", "holds macros", id="macros"),
    ],
)
def test_an_entry_with_a_wrong_name_is_refused(read, name, says):
    with pytest.raises(UnreadableFile, match=says):
        read(archive(parts(sheet(GOOD_XML), **{name: "x"})))


def test_an_archive_within_the_archive_is_refused(read):
    inner = archive({"x": "y"})

    with pytest.raises(UnreadableFile, match="is an archive itself"):
        read(archive(parts(sheet(GOOD_XML), **{"xl/embeddings/a.xlsx": inner})))


def test_the_same_name_twice_is_refused(read):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = archive([*parts(sheet(GOOD_XML)).items(), ("xl/s1.xml", sheet())])

    with pytest.raises(UnreadableFile, match="stands in it twice"):
        read(content)


def test_more_entries_than_any_workbook_has_are_refused(read):
    many = {f"x/{number}": "" for number in range(archives.MAX_ENTRIES)}

    with pytest.raises(UnreadableFile, match="more than 10,000 parts"):
        read(archive(parts(sheet(GOOD_XML), **many), compression=zipfile.ZIP_STORED))


def test_a_directory_too_long_to_be_listed_is_refused_unread(read):
    long_names = {f"x/{number:03}{'n' * 60_000}": "" for number in range(70)}

    with pytest.raises(UnreadableFile, match="more than 10,000 parts"):
        read(archive(parts(sheet(GOOD_XML), **long_names), compression=zipfile.ZIP_STORED))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "no XLSX workbook", id="empty"),
        pytest.param(b"seller,buyer\n", "no XLSX workbook", id="a CSV under another name"),
        pytest.param(filled(GOOD)[:-30], "cut short", id="cut short"),
        pytest.param(
            bytes.fromhex("d0cf11e0a1b11ae1") + bytes(70_000), "Excel 97-2003", id="old workbook"
        ),
        pytest.param(
            bytes.fromhex("d0cf11e0a1b11ae1")
            + bytes(65_530)
            + "EncryptedPackage".encode("utf-16-le"),
            "protected with a password",
            id="encrypted",
        ),
        pytest.param(archive({"a.txt": "x"}), "no readable XLSX", id="another archive"),
    ],
)
def test_what_is_no_workbook_is_said_to_be_none(read, content, says):
    with pytest.raises(UnreadableFile, match=says):
        read(content)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("book.xls", "Excel 97-2003; save it as .xlsx"),
        ("book.xlsm", "macros; save it as .xlsx"),
        ("book.xlsb", "binary workbook; save it as .xlsx"),
        ("book.ods", "OpenDocument"),
        ("claims.csv.gz", "packed; unpack it"),
        ("claims.zip", "packed; unpack it"),
        ("claims.txt", "give .csv, .xlsx or .parquet"),
        ("claims", "give .csv, .xlsx or .parquet"),
    ],
)
def test_other_kinds_of_files_are_named_with_what_to_do(read, name, says):
    with pytest.raises(UnreadableFile, match=says):
        read(b"x", name=name)
