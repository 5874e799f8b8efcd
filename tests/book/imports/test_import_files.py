"""Files become documents and claims in one transaction, or nothing is written."""

from datetime import date

import polars as pl
import pytest

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
from tallystick.book.trade.imports.import_files import ImportRefused, ImportRequest, import_files
from tallystick.book.trade.imports.mapping import parsed
from tallystick.book.trade.imports.rows import UnreadableFile
from tallystick.book.trade.models import Claim, Document

CALLER = Caller("system", "tester", "cli")
MAPPING = parsed(
    """
title = "invoices"
kind = "invoice"
currency = "CNY"
negative_amounts = "credit_note"
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
[disputed]
column = "contested"
equals = "Yes"
known_on = "due_date"
""",
    name="m",
)
HEADER = "seller,buyer,no,issued,gross,contested\n"
GOOD = "S1,B1,1,2026-01-05,100.00,No\nS1,B1,2,2026-01-06,50.50,Yes\n"


@pytest.fixture
def entity(database):
    return open_legal_entity(
        NewLegalEntity("FACTOR", "A factor", "Asia/Shanghai", "China", date(2026, 3, 2)),
        caller=CALLER,
        key="open",
    )


@pytest.fixture
def take(entity, tmp_path):
    def import_text(text, *, name="claims.csv", **options):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
        request = ImportRequest([path], MAPPING, entity, max_bytes=10**6, **options)
        return import_files(request, caller=CALLER)

    return import_text


def faces():
    return sorted(Claim.objects.values_list("face_minor", flat=True))


def test_every_good_row_is_recorded_as_a_claim(take):
    report = take(HEADER + GOOD)

    assert (report.recorded, report.repeated) == (2, 0)
    assert faces() == [5050, 10000]


def test_a_dispute_that_is_known_by_the_business_day_is_marked(take):
    report = take(HEADER + GOOD + "S1,B1,3,2026-02-28,9.00,Yes\n")

    assert report.disputed == 1
    assert Claim.objects.get(status="disputed").face_minor == 5050


def test_one_bad_row_refuses_the_whole_file_and_writes_nothing(take):
    with pytest.raises(ImportRefused) as refusal:
        take(HEADER + GOOD + "S1,B1,3,2026-01-07,12.3x,No\n")

    [row] = refusal.value.report.refusals
    assert (row.file, row.row, row.column, row.value) == ("claims.csv", 4, "gross", "12.3x")
    assert not Document.objects.exists()
    assert not Act.objects.filter(kind="import_files").exists()


def test_good_rows_are_recorded_beside_bad_ones_when_asked(take):
    report = take(HEADER + GOOD + "S1,B1,3,2026-01-07,12.3x,No\n", accept_partial=True)

    assert (report.recorded, report.files[0].refused) == (2, 1)
    assert faces() == [5050, 10000]


def test_a_dry_run_says_the_same_and_writes_nothing(take):
    dry = take(HEADER + GOOD, dry_run=True)

    assert dry.recorded == 2
    assert "Would record 2" in dry.verdict()
    assert not Document.objects.exists()
    assert take(HEADER + GOOD).recorded == 2


def test_importing_a_file_again_changes_nothing_and_says_so(take):
    take(HEADER + GOOD)
    again = take(HEADER + GOOD)

    assert again.imported_before
    assert (again.recorded, again.repeated) == (0, 2)
    assert "nothing changed" in again.verdict()
    assert faces() == [5050, 10000]


def test_documents_on_record_are_counted_not_doubled(take):
    take(HEADER + GOOD)
    report = take(HEADER + GOOD + "S1,B1,3,2026-01-07,12.00,No\n")

    assert (report.recorded, report.repeated) == (1, 2)
    assert faces() == [1200, 5050, 10000]


def test_strict_refuses_documents_on_record(take):
    take(HEADER + GOOD)
    with pytest.raises(ImportRefused) as refusal:
        take(HEADER + GOOD + "S1,B1,3,2026-01-07,12.00,No\n", strict=True)

    assert [row.row for row in refusal.value.report.refusals] == [2, 3]
    assert faces() == [5050, 10000]


def test_the_same_number_with_other_content_is_refused(take):
    with pytest.raises(ImportRefused) as refusal:
        take(HEADER + GOOD + "S1,B1,2,2026-01-06,51.00,No\n")

    [row] = refusal.value.report.refusals
    assert (row.row, row.value) == (4, "2")
    assert not Document.objects.exists()


def test_a_credit_note_dilutes_and_what_finds_no_claim_is_reported(take):
    report = take(HEADER + GOOD + "S1,B1,4,2026-01-10,-180.00,No\n")

    assert (report.unapplied_credits, report.unapplied_credit_minor) == (1, 2950)
    assert sorted(Claim.objects.values_list("diluted_minor", flat=True)) == [5050, 10000]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("seller,buyer\nS1,B1\n", "lacks the column", id="a column is missing"),
        pytest.param(HEADER + "S1,B1,1,2026-01-05\n", "row 2 has 4 values", id="a short row"),
        pytest.param(HEADER.encode() + b"S1,\xff,1,2026-01-05,1,No\n", "not UTF-8", id="not UTF-8"),
        pytest.param(HEADER + GOOD * 40_000, "above the limit", id="too large"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(take, content, says):
    with pytest.raises(UnreadableFile, match=says):
        take(content)


def test_a_truncated_parquet_file_is_refused_by_name(take, tmp_path):
    whole = tmp_path / "whole.parquet"
    pl.DataFrame({"seller": ["S1"] * 1000}).write_parquet(whole)

    with pytest.raises(UnreadableFile, match="no readable Parquet"):
        take(whole.read_bytes()[:-20], name="cut.parquet")


def test_an_empty_file_with_a_header_records_nothing(take):
    assert take(HEADER).recorded == 0
