"""The ledger on the command line: what is printed, what is proved, how it ends."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta

import pytest
from tests.book.ledger.house import BANK, OPENED, open_house

from tallystick.book.ledger.post import post, reverse
from tallystick.book.parties.models import LegalEntity
from tallystick.faces.cli import main
from tallystick.rules.journal import credit, debit
from tallystick.site import databases


def opened(database, monkeypatch):
    databases.use(database)  # a command leaves its database at its end
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    monkeypatch.setenv("DATABASE_URL", database.url)
    return LegalEntity.objects.filter(code="HOUSE").exists() or open_house()


@pytest.fixture
def house(database, monkeypatch):
    return opened(database, monkeypatch)


@pytest.fixture
def empty_books(shared_database, monkeypatch):
    """A legal entity without entries, for commands that write nothing."""
    opened(shared_database, monkeypatch)


@pytest.fixture
def tally(monkeypatch, capsysbinary):
    """Run a command; returns exit status, output and messages."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tally", "ledger", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main.main()
        written = capsysbinary.readouterr()
        told = " ".join(written.err.decode().replace("│", " ").split())  # out of its frame
        return end.value.code or 0, written.out, told

    return run


@pytest.fixture
def sealed(house, tally, tmp_path):
    """An entry of a sealed day, with its proof and the seals."""
    entry_id = post(
        house.entry(debit(house.principal, 60), credit(house.supplier_credit, 60), reference="甲-1")
    )
    post(house.entry())
    house.close()
    for name, arguments in (("proof", ("prove", entry_id)), ("seals", ("seals",))):
        status, content, _ = tally(*arguments)
        assert status == 0
        (tmp_path / name).write_bytes(content)
    return entry_id


def test_entries_are_listed_latest_last_and_narrowed_down(house, tally):
    first = post(house.entry(reference="capital:1"))
    second = post(
        house.entry(debit(BANK, 250), credit(house.supplier_credit, 250), reference="[b]loan:1[/b]")
    )
    house.close()
    third = reverse(first, event="undone", booking_date=house.open_day())

    def listed(*arguments):
        status, out, _ = tally("entries", "--json", *arguments)
        assert status == 0
        return [entry["entry"] for entry in json.loads(out)["entries"]]

    assert listed() == [first, second, third]
    assert listed("--limit", 2) == [second, third]
    assert listed("--account", "capital") == [first, third]
    assert listed("--account", "supplier_credit:HOUSE-SELLER") == [second]
    assert listed("--reference", "capital:1") == [first, third]
    assert listed("--from", OPENED + timedelta(days=1)) == [third]
    assert listed("--to", OPENED, "--account", "bank") == [first, second]

    _, out, _ = tally("entries", "--json", "--reference", "[b]loan:1[/b]")
    (entry,) = json.loads(out)["entries"]
    assert entry.pop("booked_at")
    assert entry == {
        "entry": second,
        "currency": "CNY",
        "event": "capital_paid_in",
        "reference": "[b]loan:1[/b]",
        "value_date": "2026-01-05",
        "booking_date": "2026-01-05",
        "reverses": None,
        "act": None,
        "postings": [
            {"account": "bank", "side": "debit", "amount_minor": 250},
            {
                "account": "supplier_credit:HOUSE-SELLER",
                "side": "credit",
                "amount_minor": 250,
            },
        ],
    }
    _, table, _ = tally("entries")
    for shown in ("2.50", "[b]loan:1[/b]", "undone", f"reverses {first}"):
        assert shown in table.decode()


def test_balances_are_told_on_any_day_as_known_on_any_day(house, tally):
    post(house.entry())
    house.close()
    post(house.entry(debit(BANK, 7), credit(house.supplier_credit, 7), value_date=OPENED))

    def net_minor(*arguments):
        status, out, _ = tally("balance", "--json", *arguments)
        assert status == 0
        return {each["account"]: each["net_minor"] for each in json.loads(out)["accounts"]}

    everything = {"bank": 107, "capital": -100, "supplier_credit:HOUSE-SELLER": -7}
    assert net_minor() == everything
    assert net_minor("bank") == {"bank": 107}
    assert net_minor("--known-on", OPENED) == {"bank": 100, "capital": -100}
    assert net_minor("bank", "--on", OPENED - timedelta(days=1)) == {"bank": 0}
    assert net_minor("supplier_credit") == {"supplier_credit:HOUSE-SELLER": -7}
    _, table, _ = tally("balance")
    assert table.decode().split("\n")[-2].split() == ["total", "CNY", "1.07", "1.07", "0.00"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("balance", "bonk"), "Names in the chart are: bank", id="not in the chart"),
        pytest.param(
            ("balance", "supplier_credit:WHO"), "lists all accounts of that name", id="no party"
        ),
        pytest.param(("entries", "--account", "bonk"), "no account 'bonk'", id="entries of none"),
        pytest.param(("prove", 4711), "There is no entry 4711", id="no such entry"),
        pytest.param(("balance", "--entity", "ELSE"), "There is: HOUSE", id="no such entity"),
        pytest.param(
            ("balance", "--on", "2026-02-30"), "does not match the format", id="an impossible date"
        ),
        pytest.param(("entries", "--limit", "0"), "greater than or equal to 1", id="no entries"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_remedy(empty_books, tally, arguments, message):
    status, out, told = tally(*arguments)

    assert (status, out) == (2, b"")
    assert message in told


def test_an_entry_of_the_open_day_cannot_be_proved_yet(house, tally):
    entry_id = post(house.entry())

    status, out, told = tally("prove", entry_id)

    assert (status, out) == (2, b"")
    assert f"./tally close --through {OPENED}" in told


def test_a_proof_holds_on_a_machine_without_a_database(sealed, tmp_path):
    ended = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "tallystick.faces.cli.main", "ledger", "verify-proof"),
            *(tmp_path / "proof", "--seals", tmp_path / "seals"),
        ],
        env={
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
            "TALLY_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"entry {sealed} (capital_paid_in, 甲-1) is number 1 of the 2" in ended.stdout


def test_a_proof_that_does_not_hold_ends_with_status_one(sealed, house, tally, tmp_path):
    proof, kept = tmp_path / "proof", tmp_path / "seals"
    original, seals = proof.read_bytes(), kept.read_bytes()

    proof.write_bytes(original.replace(b'"60"', b'"61"', 1))
    status, out, told = tally("verify-proof", proof, "--seals", kept)
    assert (status, out) == (1, b"")
    assert "not the one that was sealed" in told

    proof.write_bytes(original)
    kept.write_bytes(b"")
    status, _, told = tally("verify-proof", proof, "--seals", kept)
    assert status == 1
    assert f"The seal of HOUSE for {date(2026, 1, 5)} in the proof is not in the file" in told

    kept.write_bytes(seals[:-2] + b"\n")
    status, _, told = tally("verify-proof", proof, "--seals", kept)
    assert status == 1
    assert "line 1" in told


def test_a_file_that_is_not_there_is_a_mistake_in_the_command(tally, tmp_path):
    status, _, told = tally("verify-proof", tmp_path / "none", "--seals", tmp_path / "none")

    assert status == 2
    assert "does not exist" in told


def test_the_seals_of_one_legal_entity_or_of_all_are_written(house, tally):
    other = open_house("OTHER")
    house.close()
    other.close()
    house.close()

    def written(*arguments):
        _, content, _ = tally("seals", *arguments)
        seals = [json.loads(line) for line in content.splitlines()]
        return [(seal["legal_entity"], seal["date"]) for seal in seals]

    of_house = [("HOUSE", "2026-01-05"), ("HOUSE", "2026-01-06")]
    assert written() == [*of_house, ("OTHER", "2026-01-05")]
    assert written("--entity", "HOUSE") == of_house
