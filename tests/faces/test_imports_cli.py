"""Importing from the command line: what is refused, and where the report of it goes."""

import csv
import os
import sys
from datetime import date

import pytest
from tests.book.imports.books import filled

from tallystick.book.acts.once import Caller
from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
from tallystick.book.trade.models import Document
from tallystick.faces.cli import main
from tallystick.site import databases

MAPPING = """
title = "invoices"
kind = "invoice"
currency = "CNY"
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
GOOD = ("S1", "B1", "1", date(2026, 1, 5), 100.5, "No")


@pytest.fixture
def tally(database, monkeypatch, capsys, tmp_path):
    """Run a command in a folder with a mapping; returns exit status, output and message."""
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    open_legal_entity(
        NewLegalEntity("FACTOR", "A factor", "Asia/Shanghai", "China", date(2026, 3, 2)),
        caller=Caller("system", "tester", "cli"),
        key="open",
    )
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.toml").write_text(MAPPING, encoding="utf-8")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tally", *arguments])
        with pytest.raises(SystemExit) as end:
            main.main()
        databases.use(database)  # the command has left it
        return end.value.code or 0, *capsys.readouterr()

    return run


def test_a_workbook_is_imported(tally, tmp_path):
    (tmp_path / "book.xlsx").write_bytes(filled(GOOD))

    status, out, _ = tally("import", "book.xlsx", "--mapping", "m.toml")

    assert status == 0
    assert "Recorded 1 documents" in out
    assert Document.objects.get().amount_minor == 10_050


def test_a_formula_is_shown_with_its_place_and_inert_in_the_report(tally, tmp_path):
    formula = '=HYPERLINK("http://x")'
    (tmp_path / "book.xlsx").write_bytes(filled(("S1", "B1", formula, *GOOD[3:])))

    status, out, _ = tally("import", "book.xlsx", "--mapping", "m.toml", "--report", "out.csv")

    assert status == 2
    assert f"book.xlsx, Invoices!C2, no = '{formula}': is a formula" in out
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as lines:
        [row] = csv.DictReader(lines)
    assert (row["row"], row["cell"], row["column"]) == ("2", "Invoices!C2", "no")
    assert row["value"] == "'" + formula
    assert not Document.objects.exists()


def test_a_file_name_is_no_markup(tally, tmp_path):
    (tmp_path / "[red]book[bold].xlsx").write_bytes(filled(GOOD))

    status, out, _ = tally("import", "[red]book[bold].xlsx", "--mapping", "m.toml", "--dry-run")

    assert status == 0
    assert "[red]book[bold].xlsx" in out


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_imported(tally, tmp_path):
    (tmp_path / "book.xlsx").write_bytes(filled(GOOD))

    status, _, message = tally(
        "import", "book.xlsx", "--mapping", "m.toml", "--report", "nowhere/out.csv"
    )

    assert status == 2
    assert "nowhere/out.csv" in message
    assert not Document.objects.exists()


def test_a_report_never_takes_the_place_of_a_file_to_import(tally, tmp_path):
    (tmp_path / "book.xlsx").write_bytes(filled(GOOD))

    status, _, message = tally(
        "import", "book.xlsx", "--mapping", "m.toml", "--report", "./book.xlsx"
    )

    assert status == 2
    assert "one of the files to import" in message
    assert (tmp_path / "book.xlsx").read_bytes().startswith(b"PK")


def test_a_file_name_that_plays_tricks_is_shown_escaped(tally, tmp_path):
    for name in ("a\nb\x1b[31m\u202excod.csv", "x\r.csv", os.fsdecode(b"\xff\xfe.csv")):
        path = tmp_path / name
        path.write_text("seller\n", encoding="utf-8")

        status, _, message = tally("import", str(path), "--mapping", "m.toml")

        assert status == 2
        assert "lacks the column" in message
        assert message.rstrip("\n").isprintable()
