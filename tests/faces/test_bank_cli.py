"""What the bank tells, typed in: what it changes, what is printed, how it ends."""

import json
import sys
from datetime import date

import pytest

from tallystick.book.acts.once import Caller
from tallystick.book.financing.draw_down import DrawRequest, draw_down
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.financing.open_facility import NewFacility, open_facilities
from tallystick.book.financing.programmes import preset
from tallystick.book.parties.models import User
from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
from tallystick.book.trade.record_documents import TradeDocument, record_document
from tallystick.book.watch.worklist import items_open
from tallystick.faces.cli import main
from tallystick.site import databases

TODAY = date(2026, 3, 2)
CALLER = Caller(owner="system", actor="tests", channel="internal")


@pytest.fixture
def entity_id(database, monkeypatch):
    """A factor; SELLER, owed CNY 200,000.00 by MALL, has drawn 100,000.00 that the bank shall pay.

    The claim is SELLER:invoice:1, the facility F, the order L1.
    """
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
    draw_down(DrawRequest("F", 100_000_00, 60, TODAY, CALLER, "draw"))
    return entity_id


@pytest.fixture
def tally(entity_id, database, monkeypatch, capsys):
    """Run a command; returns exit status, output and message."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tally", *arguments])
        with pytest.raises(SystemExit) as end:
            main.main()
        databases.use(database)  # the command has left it
        return end.value.code or 0, *capsys.readouterr()

    return run


def drawn_minor():
    return Facility.objects.get().drawn_minor


def waiting(tally):
    _, out, _ = tally("bank", "orders", "--json")
    return [(order["end_to_end_id"], order["amount_minor"]) for order in json.loads(out)]


def test_an_order_that_is_paid_makes_its_loan_live_and_no_longer_waits(tally):
    assert waiting(tally) == [("L1", 100_000_00)]

    status, out, _ = tally("bank", "paid", "L1", "100000.00", "--reference", "BK-1")

    assert (status, out) == (0, "Order L1 is paid, value date 2026-03-02.\n")
    assert Loan.objects.get().status == "live"
    assert waiting(tally) == []


def test_an_order_that_is_rejected_frees_what_was_reserved_for_it(tally):
    assert drawn_minor() == 100_000_00

    asked = ("bank", "rejected", "L1", "100000.00", "--reference", "BK-1")
    status, _, _ = tally(*asked, "--reason", "account closed")

    assert status == 0
    assert Loan.objects.get().status == "rejected"
    assert drawn_minor() == 0


def test_an_answer_of_another_amount_changes_nothing_and_says_where_it_waits(tally, entity_id):
    status, out, _ = tally("bank", "paid", "L1", "10000.00", "--reference", "BK-1")

    assert status == 0
    assert out.startswith("contradictory: ")
    assert out.endswith("it is on the worklist.\n")
    assert Loan.objects.get().status == "pending"
    assert [item.kind for item in items_open(entity_id)] == ["bank_answer_contradictory"]


def test_a_settlement_pays_its_claim_sweeps_the_loan_and_sends_on_the_rest(tally):
    tally("bank", "paid", "L1", "100000.00", "--reference", "BK-1")
    asked = ("settle", "R-1", "210000.00", "--payer", "MALL", "--json")

    status, out, _ = tally(*asked, "--claim", "SELLER:invoice:1=200000.00")

    settled = json.loads(out)
    assert status == 0
    assert [(line["bucket"], line["amount_minor"]) for line in settled["lines"]] == [
        ("principal_not_due", 100_000_00),
        ("residual", 100_000_00),
    ]
    assert settled["suspense_minor"] == 10_000_00
    assert [amount_minor for _, amount_minor in waiting(tally)] == [100_000_00]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("SELLER:invoice:1", id="no amount"),
        pytest.param("=12.00", id="no claim"),
        pytest.param("SELLER:invoice:1=much", id="no number"),
        pytest.param("SELLER:invoice:1=200000.01", id="more than the cash"),
    ],
)
def test_a_settlement_that_cannot_be_read_is_refused_and_books_nothing(tally, line):
    status, out, told = tally("settle", "R-1", "200000.00", "--payer", "MALL", "--claim", line)

    assert (status, out) == (2, "")
    assert "Traceback" not in told
    assert waiting(tally) == [("L1", 100_000_00)]


def test_cash_that_waits_is_applied_taken_back_and_refunded(tally, entity_id):
    """NAMELESS brings 60,000.00 that name nothing; then they pay claim 1 after all."""
    tally("bank", "paid", "L1", "100000.00", "--reference", "BK-1")
    tally("settle", "R-1", "60000.00", "--payer", "NAMELESS")
    assert [item.subject for item in items_open(entity_id)] == ["receipt:R-1"]

    status, out, _ = tally("receipt", "apply", "R-1", "--claim", "SELLER:invoice:1=60000.00")

    assert status == 0
    assert "60,000.00  loan F-" in out
    assert drawn_minor() == 40_000_00
    assert items_open(entity_id) == []

    status, out, _ = tally("receipt", "reverse", "R-1", "--reason", "credited in error")

    assert status == 0
    assert out.startswith("Receipt R-1 is taken back by entries ")
    assert drawn_minor() == 100_000_00

    tally("repay", "F", "150000.00", "--key", "repay")
    assert [item.kind for item in items_open(entity_id)] == ["supplier_credit"]
    User.objects.create(email="cash@factor.example", role="treasury")
    User.objects.create(email="head@factor.example", role="approver")
    refund = ("refund", "SELLER", "50000.00", "--maker", "cash@factor.example")
    status, out, _ = tally(*refund, "--reason", "asked for")
    assert (status, "loan approve 1" in out) == (0, True)
    assert len(items_open(entity_id)) == 1, "nothing leaves before another agrees"

    assert tally("loan", "approve", "1", "--checker", "head@factor.example")[0] == 0

    assert waiting(tally)[-1][1] == 50_000_00
    assert items_open(entity_id) == []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("receipt", "apply", "R-9", "--claim", "X=1.00"), id="no such receipt"),
        pytest.param(("receipt", "apply", "R-9"), id="no claim named"),
        pytest.param(("receipt", "reverse", "R-9", "--reason", "error"), id="nothing to take back"),
        pytest.param(
            ("refund", "SELLER", "1.00", "--maker", "cash@factor.example", "--reason", "asked"),
            id="no credit to refund",
        ),
    ],
)
def test_what_cannot_be_done_with_cash_is_refused(tally, arguments):
    User.objects.create(email="cash@factor.example", role="treasury")
    status, out, told = tally(*arguments)

    assert (status, out) == (2, "")
    assert "Traceback" not in told


def test_a_rejected_payment_to_a_supplier_is_ordered_again_once(tally, entity_id):
    tally("bank", "paid", "L1", "100000.00", "--reference", "BK-1")
    tally("settle", "RC-1", "200000.00", "--payer", "MALL", "--claim", "SELLER:invoice:1=200000.00")
    [residual] = json.loads(tally("bank", "orders", "--json")[1])
    order, amount = residual["end_to_end_id"], f"{residual['amount_minor'] // 100}.00"
    tally("bank", "rejected", order, amount, "--reference", "BK-2", "--reason", "account closed")
    assert [item.subject for item in items_open(entity_id)] == [f"payment:{order}"]

    first = tally("bank", "again", order)
    second = tally("bank", "again", order)

    assert first == second
    [anew] = json.loads(tally("bank", "orders", "--json")[1])
    assert (anew["amount_minor"], anew["beneficiary"]) == (residual["amount_minor"], "SELLER")
    assert items_open(entity_id) == []
    assert tally("bank", "paid", anew["end_to_end_id"], amount, "--reference", "BK-3")[0] == 0
    assert tally("verify")[0] == 0


def test_the_payout_of_a_loan_is_drawn_again_not_ordered_again(tally):
    tally("bank", "rejected", "L1", "100000.00", "--reference", "BK-1", "--reason", "closed")

    status, _, message = tally("bank", "again", "L1")

    assert status == 2
    assert "Draw again" in message
