"""Programmes are listed, shown with their sources, and checked, without a database."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.book.financing.programmes import presets
from tallystick.faces.cli import main

Tally = Callable[..., tuple[int, str, str]]
JD = Path(__file__).parents[2] / "src/tallystick/programmes/jd.toml"


@pytest.fixture
def tally(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tally:
    """Run a command; returns exit status, output and message."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tally", "programme", *arguments])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as end:
            main.main()
        return end.value.code or 0, *capsys.readouterr()

    return run


def test_every_programme_of_the_package_is_listed(tally: Tally) -> None:
    status, out, _ = tally("list")

    assert status == 0
    assert all(code in out for code in presets())
    assert json.loads(tally("list", "--json")[1])[0]["code"] == "jd.jingbaobei"


def test_a_programme_is_shown_with_the_source_of_every_term(tally: Tally) -> None:
    status, out, _ = tally("show", "jd.jingbaobei")

    assert status == 0
    assert "drawdown.max_tenor_days" in out
    assert "[13, C]" in out
    assert "illustrative" in out
    assert "english.caixin.com" in out
    shown = json.loads(tally("show", "jd.jingbaobei", "--json")[1])
    assert shown["terms"]["pool"]["concentration_limit_bps"] == 10_000


def test_a_programme_that_is_not_there_is_refused_with_those_that_are(tally: Tally) -> None:
    status, _, err = tally("show", "jd.other")

    assert status == 2
    assert "jd.jingbaobei" in err


def test_a_file_in_order_is_said_to_be(tally: Tally) -> None:
    status, out, _ = tally("check", str(JD))

    assert status == 0
    assert "is in order: jd.jingbaobei" in out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[jd", "line 1: not TOML"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"x = 1\n" * 200_000, "larger than"),
        (JD.read_bytes().replace(b'sweep = "all"', b'sweep = "al"'), "settlement.sweep = 'al'"),
    ],
    ids=["broken", "not text", "too large", "wrong value"],
)
def test_a_file_not_in_order_is_refused_with_what_is_wrong(
    tally: Tally, tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(content)

    status, out, err = tally("check", str(file))

    assert (status, out) == (2, "")
    assert message in err


def test_a_file_that_is_not_there_is_refused(tally: Tally, tmp_path: Path) -> None:
    assert tally("check", str(tmp_path / "none.toml"))[0] == 2
    assert tally("check", str(tmp_path))[0] == 2


def test_a_price_above_the_legal_ceiling_of_the_day_is_refused_with_its_line(
    tally: Tally, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(JD.read_bytes().replace(b'annual_rate = "0.10"', b'annual_rate = "0.30"'))

    status, _, err = tally("check", str(file), "--on", "2026-11-20")

    assert status == 2
    assert "own.toml, line 30: jd.jingbaobei.price.annual_rate = '0.30'" in err
    assert "24.00 %" in err
    # Before the ceiling was in force, it was none.
    assert tally("check", str(file), "--on", "2020-12-31")[0] == 0
