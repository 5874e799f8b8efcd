"""Drawing and freezing from the command line: one clear line, or a refusal and exit status 2."""

import json
import sys
from collections.abc import Callable

import pytest
from tests.book.financing.market import MILLION, TODAY, Market, open_market

from tallystick.book.acts.models import Act
from tallystick.book.financing.models import Facility, Loan
from tallystick.faces.cli import main
from tallystick.site import databases
from tallystick.site.server import Server

Tally = Callable[..., tuple[int, str, str]]
DRAW = ("draw", "F1", "1234567.89", "--tenor", "30", "--key", "K1")


@pytest.fixture
def market(database: Server) -> Market:
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    market = open_market()
    market.facility("F1", base_minor=2 * MILLION)
    return market


@pytest.fixture
def tally(
    market: Market,
    database: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Tally:
    """Run a command; returns exit status, output and message."""
    monkeypatch.setenv("DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tally", *arguments])
        with pytest.raises(SystemExit) as end:
            main.main()
        databases.use(database)  # the command has left it
        return end.value.code or 0, *capsys.readouterr()

    return run


def test_draw_says_what_was_granted_and_what_is_left(tally: Tally) -> None:
    status, out, _ = tally(*DRAW)

    assert status == 0
    assert out == (
        "Loan F1-1: 1,234,567.89 CNY, due 2026-02-04; payment L1 is ordered. "
        "765,432.11 is left to draw.\n"
    )
    act = Act.objects.get()
    assert (act.owner, act.channel) == ("firm:S-F1", "cli")


def test_draw_repeated_with_its_key_is_answered_alike(tally: Tally) -> None:
    first = tally(*DRAW, "--json")

    assert tally(*DRAW, "--json") == first
    assert json.loads(first[1])["amount_minor"] == 123_456_789
    assert Loan.objects.count() == 1


def test_draw_repeated_on_another_day_is_still_answered_alike(tally: Tally) -> None:
    first = tally(*DRAW, "--json")
    assert tally("close")[0] == 0

    assert tally(*DRAW, "--json") == first
    assert Loan.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("draw", "F1", "2000000.01", "--tenor", "30", "--key", "K"), "what binds is the base"),
        (("draw", "F1", "1.5.0", "--tenor", "30", "--key", "K"), "1.5.0"),
        (("draw", "F1", "10000", "--tenor", "999", "--key", "K"), "15 to 90 days"),
        (("draw", "F9", "10000", "--tenor", "30", "--key", "K"), "no facility 'F9'"),
        (("draw", "F1", "10000", "--tenor", "30", "--key", ""), "request key"),
        ((*DRAW[:-1], "K", "--on", "2026-01-06"), f"Date the draw {TODAY}"),
        (("freeze", "F1", "--reason", " "), "for a reason"),
        (("freeze", "F1", "--reason", "x" * 501), "at most 500"),
        (("unfreeze", "F1", "--reason", "cleared"), "is not frozen"),
    ],
)
def test_what_is_refused_is_one_message_and_exit_status_two(
    tally: Tally, arguments: tuple[str, ...], message: str
) -> None:
    status, out, err = tally(*arguments)

    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert Act.objects.count() == 0


def test_a_used_key_with_another_amount_is_refused(tally: Tally) -> None:
    tally(*DRAW)

    status, _, err = tally(*DRAW[:2], "20000", *DRAW[3:])

    assert status == 2
    assert "another request" in err


def test_freeze_and_unfreeze_say_how_the_facility_stands(tally: Tally) -> None:
    frozen = tally("freeze", "F1", "--reason", "suspected double pledge")
    refused = tally(*DRAW)
    free = tally("unfreeze", "F1", "--reason", "cleared")

    assert frozen[:2] == (0, "Facility F1 is frozen: suspected double pledge\n")
    assert refused[0] == 2
    assert "suspected double pledge" in refused[2]
    assert free[:2] == (0, "Facility F1 may be drawn again.\n")
    assert Facility.objects.get().frozen_reason == ""
