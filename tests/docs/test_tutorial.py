"""The tutorial is run as it is written, and says what the commands say."""

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallystick.faces.cli import main
from tallystick.site import databases

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/tutorial/first-loan.md"

_FENCE = re.compile(r"^```(?P<kind>.*)\n(?P<body>(?:.*\n)*?)```$", re.MULTILINE)
_CAPTION = re.compile(r":caption: (\S+)\n\n")
_EXIT_STATUS = re.compile(r"# exit status (\d)")
ELLIPSIS = "…"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language and its lines."""

    kind: str
    body: str


def blocks(page: Path) -> list[Block]:
    return [Block(found["kind"], found["body"]) for found in _FENCE.finditer(page.read_text())]


@pytest.fixture
def empty_book(postgres, monkeypatch):
    """A database that the tutorial may make its own."""
    here = postgres.named("tallystick_tutorial")
    databases.create(here, at=postgres)
    monkeypatch.setenv("DATABASE_URL", here.url)
    yield
    databases.leave()
    databases.drop(here, at=postgres)


def test_the_first_loan_goes_as_the_tutorial_says(empty_book, monkeypatch, tmp_path, capsysbinary):
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> str:
        """What a command of the page says, its end being the one that the page tells."""
        words = shlex.split(line, comments=True)
        if words[0] != "./tally":
            subprocess.run(["sh", "-c", line], check=True)
            return ""
        into = words[words.index(">") + 1] if ">" in words else None
        monkeypatch.setattr(sys, "argv", words[: words.index(">")] if into else words)
        with pytest.raises(SystemExit) as end:
            main.main()
        said = capsysbinary.readouterr()
        told = _EXIT_STATUS.search(line)
        assert (end.value.code or 0) == int(told[1] if told else 0), (line, said.err.decode())
        if into:
            Path(into).write_bytes(said.out)
            return ""
        return said.out.decode() + said.err.decode()

    said = ""
    for block in blocks(PAGE):
        if caption := _CAPTION.match(block.body):
            Path(caption[1]).write_text(block.body.removeprefix(caption[0]))
        elif block.kind == "sh" and not block.body.startswith("export "):
            said = "".join(run(line) for line in block.body.splitlines())
        elif block.kind == "text":
            assert_told(block.body, said)


def assert_told(shown: str, said: str) -> None:
    """Every line that is shown was said, in that order; an ellipsis stands for anything.

    How far apart the columns stand does not matter.
    """
    lines = iter(" ".join(line.split()) for line in said.splitlines())
    for line in shown.splitlines():
        parts = " ".join(line.split()).split(ELLIPSIS)
        pattern = re.compile(".*".join(map(re.escape, parts)))
        if line.strip() != ELLIPSIS:
            assert any(pattern.fullmatch(each) for each in lines), (line, said)


def test_the_readme_shows_what_the_tutorial_shows():
    def told(page: Path) -> list[str]:
        texts = [block.body for block in blocks(page) if block.kind == "text"]
        return [" ".join(line.split()) for text in texts for line in text.splitlines()]

    assert set(told(ROOT / "README.md")) - set(told(PAGE)) == set()
