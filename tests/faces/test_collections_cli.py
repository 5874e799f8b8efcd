"""Late payers from the command line: cases, promises, letters, ladders, cash for a loan."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import override_settings
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import START

from tallystick.book.collections.models import Case, Message
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import User
from tallystick.book.servicing.close import close_through
from tallystick.faces.cli import main
from tallystick.site import databases
from tallystick.site.server import Server

Tally = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tally(
    database: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tally:
    """Run a command on a book with one late payer; returns exit status, output and message."""
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=2)
    close_through(scene.legal_entity_id, START + timedelta(days=4))
    monkeypatch.setenv("DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tally", *arguments])
        with pytest.raises(SystemExit) as end:
            main.main()
        databases.use(database)  # the command has left it
        return end.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture
def mail_folder(tmp_path):
    with override_settings(EMAIL_FILE_PATH=str(tmp_path / "mail")):
        yield tmp_path / "mail"


def test_a_case_is_listed_worked_and_shown(tally):
    User.objects.create(email="chen@house.example", role="operator")
    number = str(Case.objects.get().pk)

    status, out, _ = tally("collections", "list")
    assert status == 0
    assert "S1" in out
    assert "36,065.00 CNY" in out
    assert "nobody" in out
    assert tally("collections", "assign", number, "chen@house.example")[0] == 0
    assert tally("collections", "note", number, "Called them.")[0] == 0
    assert tally("collections", "promise", number, "100.00", "--by", "2026-03-10")[0] == 0
    assert tally("collections", "pause", number, "--until", "2026-03-12")[0] == 0

    shown = json.loads(tally("collections", "show", number, "--json")[1])
    assert shown["past_due_minor"] == {"CNY": 3_606_500}
    assert shown["assignee"] == "chen@house.example"
    assert [line["kind"] for line in shown["story"]].count("note") == 4
    text = tally("collections", "show", number)[1]
    assert "note: Called them." in text
    assert "100.00 CNY by 2026-03-10" in text
    assert json.loads(tally("collections", "list", "--assignee", "", "--json")[1]) == []
    assert tally("collections", "list", "--bucket", "31-60")[1] == "No case is open.\n"


def test_what_cannot_be_done_is_refused_with_status_two(tally):
    number = str(Case.objects.get().pk)
    for asked, says in (
        (("assign", "999", "a@b.example"), "no open case 999"),
        (("assign", number, "a@b.example"), "active user of the house"),
        (("promise", number, "1.00", "--by", "2025-01-01"), "cannot be promised"),
        (("show", "999"), "no open case 999"),
        (("write-to", "S1", "--language", "xx"), "There is: en, zh-hans"),
        (("send-again", "999"), "no letter 999"),
        (("pay-to", "", "1", "ICBC"), "account holder is missing"),
    ):
        status, _, message = tally("collections", *asked)
        assert (status, says in message) == (2, True), asked


def test_letters_are_sent_to_the_address_that_was_given(tally, mail_folder):
    assert tally("collections", "write-to", "S1", "--email", "cw@s1.example")[0] == 0
    letter = Message.objects.get()
    assert letter.state == "dead", "it was due before there was an address"
    assert tally("collections", "send-again", str(letter.pk))[0] == 0

    status, out, _ = tally("collections", "send")

    assert (status, out.split(".")[0]) == (0, "1 sent, 0 not")
    (file,) = mail_folder.iterdir()
    assert "cw@s1.example" in file.read_text()


def test_a_ladder_is_set_from_a_file_and_shown(tally, tmp_path):
    file = tmp_path / "ladder.toml"
    file.write_text(
        'max_days_past_due = 0\n[[step]]\nname = "call"\nmin_days_past_due = 1\n'
        'letter = "reminder"\nchannel = "task"\nrecipient = "officer"\nmin_wait_days = 0\n'
    )
    assert "reminder by mail" in tally("collections", "ladder")[1]

    status, out, _ = tally("collections", "ladder", str(file), "--from", "2026-04-01")

    assert status == 0
    assert "from    1 days  call" in out
    file.write_text(file.read_text().replace("task", "pigeon"))
    status, _, message = tally("collections", "ladder", str(file))
    assert status == 2
    assert "ladder.toml, line 6" in message


def test_cash_for_an_unknown_loan_waits_in_suspense_until_it_is_applied(tally):
    loan = Loan.objects.get().code
    taken = ("receipt", "take", "R-1", "50.00", "--payer", "S1", "--loan")

    status, out, _ = tally(*taken, "MISSPELT")
    assert status == 0
    assert "50.00  in suspense" in out
    status, out, _ = tally("receipt", "apply-to-loan", "R-1", loan, "50.00")

    assert status == 0
    assert f"loan {loan}" in out
    assert tally(*taken, loan)[0] == 2, "the same receipt with another loan is a conflict"
