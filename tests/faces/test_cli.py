"""The frame of the command line: what it lists, how it refuses, how it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tallystick.faces.cli import main, testing
from tallystick.rules.refusal import Refusal

ISSUED = {
    "demo",
    "test",
    "programme",
    "import",
    "pool",
    "draw",
    "repay",
    "freeze",
    "loan",
    "close",
    "verify",
    "ledger",
    "replay",
    "bench",
    "serve",
    "migrate",
    "user",
    "backup",
    "restore",
}


def tally(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "tallystick.faces.cli.main", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def ended(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int | str | None:
    """The exit status of a command that raises ``error``."""

    def failing(password: str = "geheim") -> None:
        raise error

    monkeypatch.setattr(main, "loaded", lambda _entry: _command(failing))
    monkeypatch.setattr(sys, "argv", ["tally", "verify"])
    with pytest.raises(SystemExit) as end:
        main.main()
    return end.value.code


def _command(function: object) -> object:
    app = typer.Typer(add_completion=False)
    app.command("verify")(function)
    return typer.main.get_command(app)


def test_the_help_lists_every_command():
    said = tally("--help")

    assert said.returncode == 0
    names = {entry.name for entry in main.COMMANDS}
    assert names >= ISSUED
    assert [name for name in names if f" {name} " not in said.stdout] == []


@pytest.mark.parametrize("entry", main.COMMANDS, ids=lambda entry: entry.name)
def test_every_command_of_the_table_can_be_loaded_and_explains_itself(entry):
    assert main.loaded(entry).help


def test_neither_the_help_nor_loading_a_command_imports_the_heavy_libraries():
    script = (
        "import sys\n"
        "from tallystick.faces.cli import main\n"
        "for entry in main.COMMANDS: main.loaded(entry)\n"
        "heavy = {'django', 'polars', 'psycopg', 'granian', 'altair', 'vl_convert'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "[]\n"


def test_a_refusal_is_one_message_and_exit_status_2(monkeypatch, capsys):
    class TooMuch(Refusal):
        pass

    assert ended(monkeypatch, TooMuch("Ask for less.")) == 2
    assert capsys.readouterr() == ("", "Ask for less.\n")


def test_ctrl_c_ends_with_130_and_a_plain_sentence(monkeypatch, capsys):
    assert ended(monkeypatch, KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.startswith("Interrupted.")


def test_a_check_that_is_not_clean_keeps_its_exit_status(monkeypatch):
    assert ended(monkeypatch, typer.Exit(1)) == 1


def test_a_fault_shows_its_traceback_without_anybodys_data(monkeypatch, capsys):
    assert ended(monkeypatch, RuntimeError("broken")) == 1
    said = capsys.readouterr().err
    assert "RuntimeError: broken" in said
    assert "fault in tallystick" in said
    assert "geheim" not in said


def test_an_unknown_command_is_refused_with_a_suggestion():
    said = tally("verfy")

    assert said.returncode == 2
    assert "Did you mean 'verify'" in said.stderr


def test_an_unreachable_server_is_refused_without_a_traceback():
    said = tally("migrate", DATABASE_URL="postgresql://who:geheim@127.0.0.1:1/db")

    assert said.returncode == 2
    assert "cannot be reached" in said.stderr
    assert "geheim" not in said.stderr
    assert "Traceback" not in said.stderr


def test_a_database_that_is_not_there_is_refused_by_name(database):
    said = tally("--database", "nowhere", "migrate", DATABASE_URL=database.url)

    assert said.returncode == 2
    assert "no database nowhere" in said.stderr


def test_the_test_command_counts_what_pytest_reported(tmp_path):
    report = tmp_path / "tests.xml"
    report.write_text(
        '<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10"/>'
        "</testsuites>"
    )

    assert testing.counted(report) == testing.Count(passed=4, failed=3, skipped=3)


def test_tests_that_never_began_count_as_failed():
    assert testing.counted(Path("absent.xml")).failed == 1
