"""Cash that names a loan is never turned away: it pays, is recovered, or waits in suspense."""

from datetime import timedelta

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER

from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Loan
from tallystick.book.payments.models import CashReceipt
from tallystick.book.servicing.charge_off import charge_off
from tallystick.book.servicing.receipts import InvalidReceipt, Receipt, ReceiptConflict
from tallystick.book.servicing.receive import LoanTakesNothing, apply_to_loan, receive
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.watch.models import WorkItem


def lent_loan(supplier: str = "S1"):
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, supplier), 1_000_000, rate_ppb=0)
    return scene, Loan.objects.get(pk=loan_id)


def cash(scene, amount_minor: int, reference: str = "R-1", currency: str = "CNY") -> Receipt:
    return Receipt(reference, "S1", currency, amount_minor, scene.today)


def take(scene, receipt: Receipt, loan: str):
    return receive(receipt, loan, legal_entity_id=scene.legal_entity_id, caller=CALLER)


def test_cash_for_a_live_loan_pays_it_and_the_rest_is_the_suppliers_credit(database):
    scene, loan = lent_loan()

    settled = take(scene, cash(scene, 1_200_000), loan.code)

    assert [(line.loan, line.bucket, line.amount_minor) for line in settled.lines] == [
        (loan.code, "principal_not_due", 1_000_000),
        ("", "credit", 200_000),
    ]
    assert Loan.objects.get(pk=loan.pk).status == "settled"
    assert findings() == []


def test_cash_for_an_unknown_loan_waits_in_suspense_with_a_work_item(database):
    scene, _ = lent_loan()

    settled = take(scene, cash(scene, 500_000), "L-NOBODY-KNOWS")

    assert (settled.suspense_minor, settled.lines) == (500_000, ())
    assert net_minor(scene, "settlement_suspense") == -500_000
    item = WorkItem.objects.get(kind="unapplied_cash")
    assert item.subject == "receipt:R-1"
    assert item.details["because"] == ["there is no loan or advance 'L-NOBODY-KNOWS' of ours"]
    assert findings() == []


@pytest.mark.parametrize(
    ("currency", "settled_before", "why"),
    [
        pytest.param("USD", False, "is in CNY", id="another currency"),
        pytest.param("CNY", True, "is settled", id="a loan that is repaid"),
    ],
)
def test_cash_that_its_loan_cannot_take_waits_in_suspense(database, currency, settled_before, why):
    scene, loan = lent_loan()
    if settled_before:
        repay(loan.code, 1_000_000, value_date=None, caller=CALLER, key="before")

    settled = take(scene, cash(scene, 500_000, currency=currency), loan.code)

    assert settled.suspense_minor == 500_000
    assert why in WorkItem.objects.get(kind="unapplied_cash").details["because"][0]
    assert findings() == []


def test_the_same_receipt_told_again_is_taken_once_and_another_content_is_a_conflict(database):
    scene, loan = lent_loan()
    first = take(scene, cash(scene, 300_000), loan.code)

    assert take(scene, cash(scene, 300_000), loan.code) == first
    assert CashReceipt.objects.count() == 1
    with pytest.raises(ReceiptConflict):
        take(scene, cash(scene, 300_001), loan.code)
    with pytest.raises(ReceiptConflict):
        take(scene, cash(scene, 300_000), "ANOTHER")
    late = Receipt("R-2", "S1", "CNY", 1, scene.today + timedelta(days=1))
    with pytest.raises(InvalidReceipt, match="after the open business day"):
        take(scene, late, loan.code)


def test_cash_from_suspense_pays_the_loan_that_was_meant_and_the_item_is_closed(database):
    scene, loan = lent_loan()
    take(scene, cash(scene, 500_000), "MISSPELT")
    applied = {"legal_entity_id": scene.legal_entity_id, "caller": CALLER}

    apply_to_loan("R-1", loan.code, 200_000, key="first", **applied)
    assert WorkItem.objects.get(kind="unapplied_cash").closed_at is None
    apply_to_loan("R-1", loan.code, 300_000, key="second", **applied)
    apply_to_loan("R-1", loan.code, 300_000, key="second", **applied)

    assert net_minor(scene, "settlement_suspense") == 0
    assert net_minor(scene, "loan_principal") == 500_000
    assert WorkItem.objects.get(kind="unapplied_cash").closed_at is not None
    with pytest.raises(LoanTakesNothing, match="has 0 CNY"):
        apply_to_loan("R-1", loan.code, 1, key="third", **applied)
    assert findings() == []
    reverse_receipt("R-1", legal_entity_id=scene.legal_entity_id, caller=CALLER, key="back")
    assert net_minor(scene, "loan_principal") == 1_000_000
    assert findings() == []


def test_what_cannot_be_applied_to_a_loan_is_refused_and_stays_where_it_is(database):
    scene, _ = lent_loan()
    take(scene, cash(scene, 500_000), "MISSPELT")

    with pytest.raises(LoanTakesNothing, match="no loan or advance 'NEITHER'"):
        apply_to_loan(
            "R-1",
            "NEITHER",
            1,
            legal_entity_id=scene.legal_entity_id,
            caller=CALLER,
            key="wrong",
        )
    assert net_minor(scene, "settlement_suspense") == -500_000


def test_cash_for_a_loan_that_was_charged_off_is_recovery_income(database):
    scene, loan = lent_loan()
    why = Caller("system", "tests", "internal", "gone for good")
    charge_off(loan.code, caller=why, key="off")

    settled = take(scene, cash(scene, 1_200_000), loan.code)

    assert [(line.bucket, line.amount_minor) for line in settled.lines] == [
        ("recovery", 1_000_000),
        ("credit", 200_000),
    ]
    assert net_minor(scene, "recovery_income") == -1_000_000
    assert findings() == []


def test_cash_dated_before_the_payout_is_the_suppliers_credit(database):
    scene, loan = lent_loan()
    early = Receipt("R-1", "S1", "CNY", 300_000, loan.drawn_date - timedelta(days=5))

    settled = take(scene, early, loan.code)

    assert [(line.loan, line.bucket, line.amount_minor) for line in settled.lines] == [
        ("", "credit", 300_000)
    ]
    assert net_minor(scene, "loan_principal") == 1_000_000
    assert findings() == []
