"""Days, repayments and proofs, typed in: what is printed, and how the command ends."""

import json
import sys
from datetime import date

import pytest

from tallystick.book.acts.once import Caller
from tallystick.book.financing.draw_down import DrawRequest, draw_down
from tallystick.book.financing.open_facility import NewFacility, open_facilities
from tallystick.book.financing.programmes import preset
from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.trade.record_documents import TradeDocument, record_document
from tallystick.faces.cli import main
from tallystick.rules.bank_answers import BankMessage
from tallystick.site import databases

TODAY = date(2026, 3, 2)
CALLER = Caller(owner="system", actor="tests", channel="internal")


@pytest.fixture
def loan(database, monkeypatch) -> str:
    """SELLER, owed CNY 200,000.00 by MALL, has been paid 36,000.00 under facility F at 10 %."""
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    monkeypatch.setenv("DATABASE_URL", database.url)
    entity = NewLegalEntity("FACTOR", "Factor", "Asia/Shanghai", "China", TODAY)
    entity_id = open_legal_entity(entity, caller=CALLER, key="entity")
    invoice = TradeDocument(
        kind="invoice",
        issuer="SELLER",
        supplier="SELLER",
        obligor="MALL",
        number="1",
        issue_date=TODAY,
        currency="CNY",
        amount_minor=200_000_00,
        due_date=date(2026, 5, 1),
    )
    record_document(invoice, caller=CALLER, key="invoice", legal_entity_id=entity_id)
    facility = NewFacility(
        code="F",
        supplier="SELLER",
        programme=preset("jd.jingbaobei"),
        currency="CNY",
        limit_minor=500_000_00,
        expiry_date=date(2026, 12, 31),
        contract_date=date(2025, 1, 1),
    )
    open_facilities([facility], legal_entity_id=entity_id, caller=CALLER, key="facility")
    drawn = draw_down(DrawRequest("F", 36_000_00, 60, TODAY, CALLER, "draw"))
    paid = BankMessage("BK-1", drawn.end_to_end_id, "paid", 36_000_00, "CNY", TODAY)
    take_answers([paid], legal_entity_id=entity_id, caller=CALLER, key="bank")
    return drawn.loan


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


def test_closing_without_a_date_closes_the_open_day(tally):
    status, out, _ = tally("close")

    assert status == 0
    assert "2026-03-02: interest 10.00, penalty 0.00 CNY; " in out
    assert "The open business day of FACTOR is 2026-03-03." in out


def test_days_are_caught_up_through_a_date_and_books_hold(tally):
    status, out, _ = tally("close", "--through", "2026-03-11", "--json")

    answer = json.loads(out)
    assert (status, len(answer["closed"]), answer["business_date"]) == (0, 10, "2026-03-12")
    assert tally("close", "--through", "2026-03-11")[1].startswith("2026-03-11 is closed already")
    assert tally("verify")[0] == 0


def test_a_mistyped_year_closes_nothing(tally):
    status, _, message = tally("close", "--through", "2062-03-11")

    assert status == 2
    assert "more than 366 days" in message
    assert "Check the year" in message
    assert "open business day" in tally("close", "--through", "2026-03-11")[1]


def test_a_day_before_the_books_were_opened_is_refused(tally):
    status, _, message = tally("close", "--through", "2026-03-01")

    assert status == 2
    assert "the open business day is 2026-03-02" in message


def test_repaying_says_what_it_paid_and_happens_once(tally, loan):
    tally("close", "--through", "2026-03-11")

    status, out, _ = tally("repay", "F", "1000.00", "--key", "K1")

    assert status == 0
    assert out.splitlines() == [
        "Taken 1,000.00 CNY:",
        f"                100.00  loan {loan}, interest",
        f"                900.00  loan {loan}, principal not yet due",
    ]
    assert tally("repay", "F", "1000.00", "--key", "K1")[1] == out
    status, _, message = tally("repay", "F", "1000.01", "--key", "K1")
    assert status == 2
    assert "used on" in message
    assert tally("repay", loan, "abc", "--key", "K2")[0] == 2
    assert tally("repay", "NOWHERE", "1.00", "--key", "K3")[0] == 2


def test_a_loan_is_explained_as_sums_of_named_terms(tally, loan):
    tally("close", "--through", "2026-03-11")
    tally("repay", loan, "1000.00", "--key", "K1")

    status, out, _ = tally("loan", "explain", loan, "--on", "2026-03-22", "--json")

    figures = {figure["name"]: figure for figure in json.loads(out)["figures"]}
    assert status == 0
    assert figures["principal_minor"]["value"] == 35_100_00
    assert [term["amount"] for term in figures["principal_minor"]["terms"]] == ["3600000", "-90000"]
    # Ten days on 36,000.00 and ten on 35,100.00, at 10 % of 360 days.
    assert [term["amount"] for term in figures["interest_accrued_minor"]["terms"]] == [
        "10000",
        "9750",
    ]
    before = tally(
        "loan", "explain", loan, "--on", "2026-03-22", "--known-on", "2026-03-11", "--json"
    )
    assert json.loads(before[1])["interest_accrued_minor"] == 20_000
    assert "rounding" not in tally("loan", "explain", loan)[1]
    assert tally("loan", "explain", "NO-SUCH-LOAN")[0] == 2
    assert tally("loan", "explain", loan, "--on", "2026-03-01")[0] == 2


def test_books_that_do_not_hold_are_named_with_the_difference_and_end_in_status_1(
    tally, loan, database
):
    tally("close")
    with database.connect() as owner:
        owner.execute("ALTER TABLE servicing_position DISABLE TRIGGER USER")
        owner.execute("UPDATE servicing_position SET principal_minor = principal_minor - 1")

    status, out, message = tally("verify")

    assert status == 1
    assert f"loan {loan}: expected principal_minor 3600000" in out
    assert "found principal_minor 3599999" in out
    assert "findings in" in message
    findings = json.loads(tally("verify", "--json")[1])["findings"]
    assert {finding["check"] for finding in findings} >= {
        "loans: positions are the fold of their events",
        "facilities: drawn is principal owed and payouts under way",
    }


def test_other_books_can_be_proved_by_name_or_url(tally, database):
    assert tally("verify", "--database", database.database)[0] == 0
    assert tally("verify", "--database", database.url)[0] == 0
    status, _, message = tally("verify", "--database", "nowhere")
    assert status == 2
    assert "no database nowhere" in message


def test_there_must_be_a_legal_entity_to_close(tally):
    status, _, message = tally("close", "--entity", "OTHER")

    assert status == 2
    assert "There is no legal entity 'OTHER'" in message
