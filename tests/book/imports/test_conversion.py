"""Rows of text become documents, or refusals that name row, column, value and remedy."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.book.trade.imports.conversion import converted
from tallystick.book.trade.imports.mapping import parsed
from tallystick.book.trade.imports.rows import ROW

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
column = "due"
[amount]
columns = ["gross"]
"""
STATUS = """
[status]
column = "state"
keep = ["valid"]
drop = ["void"]
"""
GOOD = {
    "seller": "S1",
    "buyer": "B1",
    "no": "7",
    "issued": "2026-01-05",
    "due": "2026-02-04",
    "gross": "12.34",
    "state": "valid",
}


def mapping(currency="CNY", more="", after=""):
    return parsed(TEXT.format(currency=currency, more=more) + after, name="m")


def result(*rows, **terms):
    frame = pl.DataFrame([GOOD | row for row in rows], schema=dict.fromkeys(GOOD, pl.String))
    return converted(frame.with_row_index(ROW, offset=2), mapping(**terms), file="f.csv")


def test_a_good_row_becomes_a_document_in_minor_units():
    [document] = result({}).documents.to_dicts()

    assert document["amount_minor"] == 1234
    assert document["kind"] == "invoice"
    assert (document["issue_date"], document["due_date"]) == (date(2026, 1, 5), date(2026, 2, 4))


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        pytest.param({"gross": "1,234.50"}, "gross", "without thousands", id="thousands separator"),
        pytest.param({"gross": "12.345"}, "gross", "at most 2 decimals", id="too many decimals"),
        pytest.param({"gross": "1０,000"}, "gross", "without thousands", id="wide, with separator"),
        pytest.param({"gross": "1000万"}, "gross", "is no amount", id="ten thousands"),
        pytest.param({"gross": "٣"}, "gross", "is no amount", id="digits of another script"),
        pytest.param({"gross": "10²"}, "gross", "is no amount", id="superscript digit"),
        pytest.param({"gross": "1\u200b2"}, "gross", "is no amount", id="zero width in an amount"),
        pytest.param({"gross": "1e9"}, "gross", "is no amount", id="exponent"),
        pytest.param({"gross": "NaN"}, "gross", "is no amount", id="not a number"),
        pytest.param({"gross": None}, "gross", "is no amount", id="missing amount"),
        pytest.param({"gross": "-5.00"}, "gross", "below zero", id="negative amount"),
        pytest.param({"gross": "0.00"}, "gross", "is zero", id="zero amount"),
        pytest.param({"gross": "9" * 15}, "gross", "is no amount", id="beyond 64 bits"),
        pytest.param({"issued": "2026-02-30"}, "issued", "YYYY-MM-DD", id="impossible date"),
        pytest.param({"issued": "05/01/2026"}, "issued", "YYYY-MM-DD", id="another date format"),
        pytest.param({"issued": "1066-10-14"}, "issued", "outside", id="a date long ago"),
        pytest.param({"due": "2026-01-04"}, "due", "before the issue date", id="due before issue"),
        pytest.param({"buyer": " "}, "buyer", "is empty", id="no obligor"),
        pytest.param({"buyer": "B" * 65}, "buyer", "longer than 64", id="overlong code"),
        pytest.param({"no": "7\x00"}, "no", "U+0000 at character 2", id="control character"),
        pytest.param({"buyer": "B\u200b1"}, "buyer", "U+200B ZERO WIDTH SPACE", id="zero width"),
        pytest.param({"seller": "\u202e1S"}, "seller", "RIGHT-TO-LEFT OVERRIDE", id="override"),
        pytest.param({"no": "\ufeff7"}, "no", "U+FEFF", id="byte order mark inside"),
    ],
)
def test_a_bad_value_is_refused_by_row_and_column_and_gives_no_document(row, column, says):
    outcome = result({}, row)

    [refusal] = outcome.refusals
    assert (refusal.file, refusal.row, refusal.column) == ("f.csv", 3, column)
    assert says in refusal.remedy
    assert outcome.documents["row"].to_list() == [2]


def test_full_width_digits_are_the_digits_they_look_like():
    outcome = result({"gross": "１２．３４", "issued": "２０２６-０１-０５"})

    [document] = outcome.documents.to_dicts()
    assert (document["amount_minor"], document["issue_date"]) == (1234, date(2026, 1, 5))


def test_a_code_has_one_spelling_however_its_accents_were_typed():
    outcome = result({"buyer": "Caf\u00e9"}, {"buyer": "Cafe\u0301"})

    assert outcome.documents["obligor"].to_list() == ["Caf\u00e9", "Caf\u00e9"]


def test_codes_of_every_script_are_kept_as_they_are():
    codes = ["华东商贸　甲", "شركة", "ＡＢＣ１２"]
    outcome = result(*({"buyer": code} for code in codes))

    assert outcome.documents["obligor"].to_list() == codes


def test_a_hidden_character_in_the_number_of_an_earlier_document_is_refused():
    fulfils = '[fulfils]\nkind = "order"\ncolumns = ["state"]\n'

    [refusal] = result({"state": "O\u20601"}, {"state": None}, after=fulfils).refusals

    assert (refusal.row, refusal.column) == (2, "state")
    assert "U+2060 WORD JOINER at character 2" in refusal.remedy


def test_what_cannot_be_shown_is_escaped_in_the_report():
    [refusal] = result({"no": "7\r\n\u202e8"}).refusals

    assert refusal.value == "7\\r\\n\\u202e8"
    assert str(refusal).count("\n") == 0


def test_every_bad_value_of_a_file_is_reported_at_once():
    outcome = result({"gross": "x", "due": "y"}, {"no": ""})

    assert [(r.row, r.column) for r in outcome.refusals] == [(2, "due"), (2, "gross"), (3, "no")]


def test_an_amount_in_a_currency_without_decimals_takes_none():
    outcome = result({"gross": "1200"}, {"gross": "1200.0"}, {"gross": "1200.5"}, currency="JPY")

    assert outcome.documents["amount_minor"].to_list() == [1200, 1200]
    assert [r.row for r in outcome.refusals] == [4]


def test_a_negative_invoice_is_a_credit_note_where_the_mapping_says_so():
    outcome = result({"gross": "-5.00"}, more='negative_amounts = "credit_note"')

    [document] = outcome.documents.to_dicts()
    assert (document["kind"], document["amount_minor"]) == ("credit_note", 500)


def test_zero_and_void_rows_are_dropped_and_counted():
    outcome = result(
        {"gross": "0.00"}, {"state": " void"}, {}, more='zero_amounts = "drop"', after=STATUS
    )

    assert outcome.dropped == {"zero amount": 1, "state void": 1}
    assert outcome.documents["row"].to_list() == [4]


def test_an_unknown_status_is_refused_not_dropped():
    [refusal] = result({"state": "odd"}, after=STATUS).refusals

    assert refusal.column == "state"
    assert "valid, void" in refusal.remedy


def test_a_dispute_is_known_on_the_day_the_mapping_names():
    outcome = result(
        {"state": "Yes"},
        {"state": "No"},
        after='[disputed]\ncolumn = "state"\nequals = "Yes"\nknown_on = "due_date"\n',
    )

    assert outcome.documents["disputed_date"].to_list() == [date(2026, 2, 4), None]


@given(st.decimals("0.01", "99999999999999.99", places=2))
def test_an_amount_is_read_to_the_last_minor_unit(amount):
    outcome = result({"gross": str(amount)})

    assert outcome.documents["amount_minor"].to_list() == [int(amount * Decimal(100))]
