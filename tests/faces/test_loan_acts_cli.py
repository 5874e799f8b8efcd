"""What an operator does to a loan from the command line; giving money up takes two people."""

import sys
from datetime import timedelta

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_settle import code_of

from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import User
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.repay import repay
from tallystick.faces.cli import main
from tallystick.site import databases


@pytest.fixture
def loan(database):
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, "S1"), 3_600_000)
    for role in ("operator", "approver"):
        User.objects.create(email=f"{role}@factor.example", role=role)
    close_through(scene.legal_entity_id, START + timedelta(days=19))
    return code_of(loan_id)


@pytest.fixture
def tally(database, loan, monkeypatch, capsys):
    """Run a command on the loan; returns exit status, output and message."""
    monkeypatch.setenv("DATABASE_URL", database.url)

    def run(command, *arguments):
        words = ["tally", "loan", command, *arguments]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as end:
            main.main()
        databases.use(database)  # the command has left it
        written = capsys.readouterr()
        return end.value.code or 0, written.out, written.err

    return run


PROPOSE = ("--maker", "operator@factor.example", "--reason", "our fault")
DECIDE = ("--checker", "approver@factor.example")


def agreed(tally, command, *arguments):
    """Propose it, and have it approved by somebody else."""
    status, proposed, says = tally(command, *arguments, *PROPOSE)
    assert status == 0, says
    number = proposed.split()[1]
    assert tally("approve", number, *DECIDE)[0] == 0


def test_a_loan_is_extended_moved_paused_and_planned_anew_by_two_people_each_time(tally, loan):
    def due_date():
        return str(Loan.objects.get(code=loan).due_date)

    agreed(tally, "extend", loan, "--days", "30")
    assert due_date() == "2026-05-31"
    agreed(tally, "move-due", loan, "--to", "2026-05-20")
    assert due_date() == "2026-05-20"
    agreed(tally, "pause", loan, "--from", "2026-03-12", "--to", "2026-03-21")
    assert loan_on(loan).state.balances.interest_due_minor == 10_000
    agreed(tally, "re-age", loan, "--to", "2026-06-30")
    assert due_date() == "2026-06-30"
    agreed(tally, "change-rate", loan, "--rate", "0.05", "--value-date", "2026-03-02")
    assert loan_on(loan).state.balances.interest_due_minor == 5_000
    status, _, says = tally("extend", loan, "--days", "-5", *PROPOSE)
    assert (status, "1 to 365 days" in says) == (2, True)


def test_nobody_gives_time_away_alone(tally, loan):
    status, _, says = tally("extend", loan, "--days", "30", "--reason", "flood")
    assert (status, "--maker" in says) == (2, True)

    tally("extend", loan, "--days", "30", *PROPOSE)

    assert Loan.objects.get(code=loan).due_date == START + timedelta(days=60)
    assert (
        f"extension of {loan} (days 30), by operator@factor.example: our fault"
        in (tally("proposals")[1])
    )


def test_a_waiver_is_proposed_by_one_person_and_approved_by_another(tally, loan):
    _, proposed, _ = tally("waive", loan, "interest", "50.00", *PROPOSE)
    assert "loan approve 1" in proposed
    assert loan_on(loan).state.balances.interest_waived_minor == 0

    status, _, says = tally("approve", "1", "--checker", "operator@factor.example")
    assert (status, "approver" in says) == (2, True)
    assert tally("approve", "1", *DECIDE)[0] == 0

    assert loan_on(loan).state.balances.interest_waived_minor == 5_000
    status, _, says = tally("approve", "1", *DECIDE)
    assert (status, "was approved on" in says) == (2, True)


def test_what_is_rejected_changes_nothing_and_can_be_proposed_again(tally, loan):
    tally("restructure", loan, "--rate", "0.05", "--to", "2026-09-01", *PROPOSE)
    status, _, says = tally("restructure", loan, "--rate", "0.04", "--to", "2026-09-01", *PROPOSE)
    assert (status, "not decided yet" in says) == (2, True)

    assert tally("reject", "1", *DECIDE, "--reason", "too much")[0] == 0

    assert Loan.objects.get(code=loan).due_date == START + timedelta(days=60)
    tally("restructure", loan, "--rate", "0.05", "--to", "2026-09-01", *PROPOSE)
    assert tally("approve", "2", *DECIDE)[0] == 0
    assert str(Loan.objects.get(code=loan).due_date) == "2026-09-01"


def test_a_loan_is_charged_off_and_recovered(tally, loan):
    tally("charge-off", loan, *PROPOSE)
    assert tally("approve", "1", *DECIDE)[0] == 0
    assert Loan.objects.get(code=loan).status == "charged_off"

    status, told, _ = tally("recover", loan, "100.00", "--key", "R")

    assert (status, "recovered of what was charged off" in told) == (0, True)
    assert loan_on(loan).state.balances.recovered_minor == 10_000
    assert tally("waive", loan, "interest", "1.00", *PROPOSE)[0] == 2


def test_a_payment_is_charged_back_and_that_is_taken_back_by_two_people_each_time(tally, loan):
    User.objects.create(email="treasury@factor.example", role="treasury")
    by_treasury = ("--maker", "treasury@factor.example", "--reason", "returned")
    status, _, says = tally("charge-back", loan, "10.00", *by_treasury)
    assert (status, "has received 0" in says) == (2, True)
    status, _, says = tally("charge-back", loan, "10.00", *PROPOSE)
    assert (status, "treasury" in says) == (2, True)
    status, _, says = tally("reverse", loan, "1", *PROPOSE)
    assert (status, "the bank has paid" in says) == (2, True)
    repay(loan, 100_000, value_date=None, caller=CALLER, key="paid")

    tally("charge-back", loan, "1000.00", *by_treasury)
    assert loan_on(loan).state.balances.principal_repaid_minor > 0
    assert tally("approve", "1", *DECIDE)[0] == 0
    assert loan_on(loan).state.balances.principal_repaid_minor == 0
    event = LoanEvent.objects.get(kind="charged_back").pk
    agreed(tally, "reverse", loan, str(event))
    assert loan_on(loan).state.balances.principal_repaid_minor > 0


def test_who_has_proposed_withdraws_it(tally, loan):
    tally("charge-off", loan, *PROPOSE)
    status, _, says = tally("withdraw", "1", "--maker", "approver@factor.example")
    assert (status, "who alone can withdraw it" in says) == (2, True)

    assert tally("withdraw", "1", "--maker", "operator@factor.example")[0] == 0

    assert tally("proposals")[1] == ""
    assert tally("approve", "1", *DECIDE)[0] == 2
    assert Loan.objects.get(code=loan).status == "live"
