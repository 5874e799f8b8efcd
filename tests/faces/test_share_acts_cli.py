"""Shares of a loan from the command line: sold, bought back and settled for, by two people."""

import json

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.test_settle import code_of

from tallystick.book.parties.models import User
from tallystick.faces.cli import main
from tallystick.site import databases

PROPOSE = ("--maker", "operator@factor.example", "--reason", "agreed")
DECIDE = ("--checker", "approver@factor.example")


@pytest.fixture
def loan(database):
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, "S1"), 3_600_000)
    for role in ("operator", "approver"):
        User.objects.create(email=f"{role}@factor.example", role=role)
    scenes.let_days_be_open(scene, 10)
    return code_of(loan_id)


@pytest.fixture
def tally(database, loan, monkeypatch, capsys):
    """Run a command; returns exit status, output and message."""
    monkeypatch.setenv("DATABASE_URL", database.url)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["tally", *words])
        with pytest.raises(SystemExit) as end:
            main.main()
        databases.use(database)  # the command has left it
        written = capsys.readouterr()
        return end.value.code or 0, written.out, written.err

    return run


def agreed(tally, *words):
    status, proposed, says = tally("loan", *words, *PROPOSE)
    assert status == 0, says
    assert tally("loan", "approve", proposed.split()[1], *DECIDE)[0] == 0


def test_a_share_is_sold_paid_for_bought_back_and_the_funder_paid(tally, loan):
    assert tally("funder", "add", "HARBOUR", "--name", "Harbour Bank")[0] == 0
    agreed(tally, "sell-share", loan, "HARBOUR", "12.5", "--price", "4600.00")
    assert "owes 4,600.00 CNY" in tally("funder", "owed", "HARBOUR")[1]
    assert "still owes 100.00" in tally("funder", "paid-in", "HARBOUR", "4500.00")[1]
    agreed(tally, "buy-back", loan, "HARBOUR", "2.5")

    # A fortieth of 36,000.00 and of 100.00 of interest, less what was owed.
    assert "is owed 802.50 CNY" in tally("funder", "owed", "HARBOUR")[1]
    assert "Ordered 802.50 CNY to HARBOUR" in tally("funder", "pay", "HARBOUR")[1]
    told = json.loads(tally("loan", "shares", loan, "--json")[1])
    assert [(each["funder"], each["share_ppm"]) for each in told["shares"]][1:] == [
        ("LENDER", 900_000),
        ("HARBOUR", 100_000),
    ]
    assert [each["price_minor"] for each in told["transfers"]] == [460_000, 90_250]


def test_a_transfer_is_listed_and_taken_back_by_its_number(tally, loan):
    tally("funder", "add", "HARBOUR", "--name", "Harbour Bank")
    agreed(tally, "sell-share", loan, "HARBOUR", "30")
    (made,) = json.loads(tally("loan", "shares", loan, "--json")[1])["transfers"]

    agreed(tally, "reverse-share", loan, str(made["number"]))

    (made,) = json.loads(tally("loan", "shares", loan, "--json")[1])["transfers"]
    assert made["reversed_date"] == "2026-03-12"
    assert "reversed" in tally("loan", "shares", loan)[1]
    assert "is owed 0.00" in tally("funder", "owed", "HARBOUR")[1]


def test_a_share_that_is_no_percentage_is_refused(tally, loan):
    for text in ("a third", "33.33333", "NaN"):
        status, _, says = tally("loan", "sell-share", loan, "S1", text, *PROPOSE)
        assert (status, "no share in per cent" in says) == (2, True)
