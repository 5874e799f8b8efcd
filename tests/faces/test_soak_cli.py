"""``tally soak``: told in tables where the books agree; where not, with the way to see it again."""

from contextlib import nullcontext

import pytest
import typer

from tallystick.faces.cli.soak import soak
from tallystick.lab import run_soak
from tallystick.site import databases


@pytest.fixture(autouse=True)
def in_the_tests_database(database, monkeypatch):
    """The command's own database is made and dropped by a block that other tests are about."""
    monkeypatch.setattr(databases, "scratch", lambda _what: nullcontext(database))


def test_a_run_tells_what_went_wrong_outside_and_that_the_books_agree(capsys):
    soak(days=15, suppliers=3, seed=1)

    told = capsys.readouterr().out
    assert "What the bank did wrong" in told
    assert "sent a document late, out of order" in told
    assert "15 days, seed 1" in told
    assert told.endswith("the books agree.\n")


def test_a_run_that_fails_ends_with_1_and_names_the_command_that_finds_it_again(
    capsys, monkeypatch
):
    monkeypatch.setattr(run_soak, "EXPECTED", ())

    with pytest.raises(typer.Exit) as end:
        soak(days=40, suppliers=3, seed=1)

    assert end.value.exit_code == 1
    told = capsys.readouterr().err
    assert "The run fails on 2020-0" in told
    assert "NumberTaken" in told
    assert told.endswith("./tally soak --days 40 --suppliers 3 --seed 1\n")


def test_findings_at_the_end_are_told_and_end_with_1(capsys, monkeypatch):
    monkeypatch.setattr(run_soak, "verify", lambda: ["the trial balance: expected 0, found 1"])

    with pytest.raises(typer.Exit) as end:
        soak(days=2, suppliers=1, seed=9)

    assert end.value.exit_code == 1
    told = capsys.readouterr().out
    assert "expected 0, found 1" in told
    assert "./tally soak --days 2 --suppliers 1 --seed 9" in told
