"""Rule packs, classes and facts, typed in: what is printed, and how the command ends."""

import json
import sys

import pytest
from tests.book.impairment.people import person
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import START
from tests.book.servicing.test_reverse import code_of

from tallystick.faces.cli import main
from tallystick.site import databases


@pytest.fixture
def loan(database, monkeypatch) -> str:
    """A loan of 36,000.00 for sixty days; somebody to say what is so, and somebody to decide."""
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    monkeypatch.setenv("DATABASE_URL", database.url)
    person("risk_officer", "li")
    person("approver", "wang")
    scene = scenes.opened()
    return code_of(scenes.lent(scenes.facility(scene, "S1"), 3_600_000))


@pytest.fixture
def tally(loan, database, monkeypatch, capsys):
    """Run a command; returns exit status, output and message."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tally", *arguments])
        with pytest.raises(SystemExit) as end:
            main.main()
        databases.use(database)  # the command has left it
        return end.value.code or 0, *capsys.readouterr()

    return run


def test_a_pack_is_adopted_and_the_next_close_shown_by_class_and_as_json(tally, loan):
    assert "Nothing was classed" in tally("classes", "show")[1]
    status, out, _ = tally("classes", "use", "cn.factor", "--reason", "our licence")
    assert (status, out) == (0, f"LENDER classifies by cn.factor from the close of {START} on.\n")
    tally("close")

    shown = json.loads(tally("classes", "show", "--json")[1])
    # 0.3 % of 36,010.00, and 1 % of 36,000.00, the higher of which is booked.
    assert shown["lines"][0]["allowance_minor"] == 10_803
    assert shown["reserves"][0]["booked_minor"] == 36_000
    assert "108.03" in tally("classes", "show")[1]


def test_a_fact_goes_through_two_people_and_moves_the_class(tally, loan):
    tally("classes", "use", "cn.bank")
    by = ("--by", "li@house.test", "--reason", "petition of 3 March")
    status, out, _ = tally("classes", "fact", "credit_impaired", "--loan", loan, *by)
    assert (status, out) == (0, "Fact 1 waits for an approver.\n")
    assert tally("classes", "approve-fact", "1", "--by", "li@house.test")[0] == 2
    status, out, _ = tally("classes", "approve-fact", "1", "--by", "wang@house.test")
    assert (status, out) == (0, f"Fact 1 counts from the close of {START} on.\n")
    tally("close")

    assert "normal → substandard" in tally("classes", "show")[1]
    assert f"credit_impaired of {loan}" in tally("classes", "facts")[1]
    tally("classes", "end-fact", "1", "--by", "li@house.test", "--reason", "withdrawn")
    tally("classes", "reject-fact", "2", "--by", "wang@house.test", "--reason", "not so")
    facts = json.loads(tally("classes", "facts", "--json")[1])
    assert [(fact["fact"], fact["state"]) for fact in facts] == [(1, "approved")]


def test_what_is_unknown_is_refused_with_what_there_is(tally, tmp_path):
    status, _, told = tally("classes", "use", "cn.none")
    assert (status, "cn.bank, cn.factor, cn.microloan" in told) == (2, True)
    status, _, told = tally("classes", "use", "x.y", "--file", str(tmp_path / "none.toml"))
    assert (status, "cannot be read" in told) == (2, True)
    by = ("--by", "li@house.test", "--reason", "x")
    status, _, told = tally("classes", "fact", "late", "--loan", "L", *by)
    assert (status, "diverted_use" in told) == (2, True)


def test_the_packs_are_listed_with_their_law_and_how_well_it_is_known(tally):
    out = tally("classes", "packs")[1]

    assert "doubtful_over_days" in out
    assert "to_verify: Rules on the Risk Classification" in out
