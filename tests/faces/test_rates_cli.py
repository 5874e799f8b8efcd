"""Reference rates on the command line: imported with their source, listed, refused whole."""

import json
import sys

import pytest

from tallystick.faces.cli import main
from tallystick.site import databases


@pytest.fixture
def tally(database, monkeypatch, capsys):
    """Runs ``tally rate``; answers its exit status, output and messages."""
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    monkeypatch.setenv("DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tally", "rate", *arguments])
        status = 0
        try:
            main.main()
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            databases.use(database)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_rates_are_imported_and_listed_with_their_source(tally, tmp_path):
    file = tmp_path / "lpr.csv"
    file.write_text("publish_date,lpr_1y_pct\n2026-07-20,3.00\n2026-08-20,2.95\n")

    status, out, err = tally("import", str(file), "--source", "the publisher", "--json")
    assert (status, json.loads(out), err) == (0, {"added": 2, "known": 0}, "")
    assert tally("import", str(file), "--source", "the publisher")[1] == (
        "0 values added, 2 known already.\n"
    )

    status, out, _ = tally("list", "lpr_1y", "--json")
    assert json.loads(out)[1] == {
        "name": "lpr_1y",
        "publish_date": "2026-08-20",
        "rate": "0.0295",
        "source": "the publisher",
        "file": "lpr.csv",
    }
    assert "2026-07-20  0.03" in tally("list")[1]
    assert "No values" in tally("list", "nothing")[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"publish_date,lpr_1y_pct\n2026-07-32,3.00\n2026-08-20,x\n", "lpr.csv, line 3"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"\n" * 5_000_001, "larger than"),
    ],
    ids=["wrong values", "not text", "too large"],
)
def test_a_file_that_is_not_in_order_is_refused_whole(tally, tmp_path, content, message):
    file = tmp_path / "lpr.csv"
    file.write_bytes(content)

    status, out, err = tally("import", str(file), "--source", "the publisher")

    assert (status, out) == (2, "")
    assert message in err
    assert "No values" in tally("list")[1]


def test_a_file_that_is_not_there_is_refused(tally, tmp_path):
    assert tally("import", str(tmp_path / "none.csv"), "--source", "nobody")[0] == 2
