"""``tally sales``: what a merchant and an operator do, from the line to the last share."""

import json
import sys
from collections.abc import Callable

import pytest
from tests.book.sales_credit import scene as scenes
from tests.book.sales_credit.scene import START, Scene

from tallystick.faces.cli import main
from tallystick.site import databases
from tallystick.site.server import Server


@pytest.fixture
def scene(database: Server) -> Scene:
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    scene = scenes.opened()
    scenes.has_sold_for_three_months(scene)
    return scene


@pytest.fixture
def tally(
    scene: Scene,
    database: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Run ``tally sales …`` to its end; returns what it printed."""
    monkeypatch.setenv("DATABASE_URL", database.url)

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["tally", "sales", *arguments])
        with pytest.raises(SystemExit) as end:
            main.main()
        databases.use(database)  # the command has left it
        out, err = capsys.readouterr()
        assert not end.value.code, err
        return out

    return run


def test_a_line_is_opened_drawn_repaid_shown_and_explained(tally, scene):
    assert "300,300.00 CNY until 2027-01-01" in tally(
        "open", "SL-1", "--merchant", "M1", "--expiry", "2027-01-01"
    )
    assert "10 % of sales" in tally("offer", "SL-1", "200000.00")
    granted = json.loads(tally("draw", "SL-1", "200000.00", "--key", "one", "--json"))
    assert (granted["fee_minor"], granted["end_to_end_id"]) == (1_000_000, "S1")
    scenes.bank_says(scene, scenes.granted_before(granted))
    code = granted["advance"]
    assert f"advance {code}, principal" in tally("repay", code, "10000.00", "--key", "two")

    shown = json.loads(tally("show", "SL-1", "--json"))
    assert (shown["limit_minor"], len(shown["advances"])) == (30_030_000, 1)
    assert shown["advances"][0]["outstanding_minor"] == 20_000_000

    explained = json.loads(tally("explain", code, "--on", START.isoformat(), "--json"))
    for figure in explained["figures"]:
        assert sum(int(term["amount"]) for term in figure["terms"]) == figure["value"]
