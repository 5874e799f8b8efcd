"""Taking back, giving back, and moving loans: the books follow, and money that left is due."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_settle import code_of, parts, receipt, take

from tallystick.book.acts.once import KeyConflict
from tallystick.book.financing.models import Loan
from tallystick.book.ledger.models import Book, Entry
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.servicing.apply_unapplied import apply_unapplied
from tallystick.book.servicing.change_book import NotABookOfTheLoan, change_book
from tallystick.book.servicing.change_rate import change_rate
from tallystick.book.servicing.charge_fee import NotAFee, charge_fee
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.live_loan import NotALiveLoan
from tallystick.book.servicing.positions import positions_of
from tallystick.book.servicing.receipts import InvalidReceipt, UnknownReceipt
from tallystick.book.servicing.refund import RefundAboveCredit, refund_credit
from tallystick.book.servicing.repay import NothingToRepay, repay
from tallystick.book.servicing.reverse import ReceiptReversedAlready, reverse_receipt
from tallystick.book.servicing.settle import settle_many
from tallystick.book.trade.models import Claim
from tallystick.book.watch.models import WorkItem


def take_back(scene, reference: str, key: str = "reverse") -> list[int]:
    return reverse_receipt(
        reference, legal_entity_id=scene.legal_entity_id, caller=CALLER, key=f"{key}-{reference}"
    )


def owed(loan_id: int):
    return positions_of([loan_id])[loan_id].position


def test_a_receipt_taken_back_leaves_loans_claims_and_ledger_as_if_it_had_never_been(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    claim = scenes.owes(facility, 300_000)
    loan_id = scenes.lent(facility, 3_600_000)
    close_through(scene.legal_entity_id, START + timedelta(days=9))
    before = owed(loan_id)
    take(scene, receipt("R1", (claim, 300_000), value_date=START + timedelta(days=10)))
    close_through(scene.legal_entity_id, START + timedelta(days=19))

    entry_ids = take_back(scene, "R1")

    assert owed(loan_id) == before
    assert Claim.objects.get(code=claim).status == "open"
    assert net_minor(scene, "loan_principal") == 3_600_000
    assert [Entry.objects.get(pk=key).reverses_id is not None for key in entry_ids] == [True] * 2
    facility.refresh_from_db()
    assert facility.drawn_minor == 3_600_000
    close_through(scene.legal_entity_id, START + timedelta(days=20))
    # Twenty-one nights at 10.00.
    assert net_minor(scene, "interest_receivable") == 21_000
    assert findings() == []


def test_a_receipt_is_taken_back_once_and_must_be_known(database):
    scene = scenes.opened()
    take(scene, receipt("R1", amount_minor=1_000))

    assert take_back(scene, "R1") == take_back(scene, "R1")
    with pytest.raises(ReceiptReversedAlready, match="2026-03-02"):
        take_back(scene, "R1", key="again")
    with pytest.raises(UnknownReceipt, match="no receipt 'R2'"):
        take_back(scene, "R2")
    assert net_minor(scene, "settlement_suspense") == 0
    assert not WorkItem.objects.filter(closed_at=None).exists()


def test_what_had_been_ordered_to_the_supplier_is_due_from_it_and_its_next_settlement_meets_it(
    database,
):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    first, second = scenes.owes(facility, 1_000), scenes.owes(facility, 1_500)
    take(scene, receipt("R1", (first, 1_000)))

    take_back(scene, "R1")

    # The bank may still pay the order, so it stays payable, and the supplier owes as much.
    assert net_minor(scene, "due_from_supplier", party="S1") == 1_000
    assert net_minor(scene, "payable_to_supplier", party="S1") == -1_000
    assert WorkItem.objects.get(kind="due_from_supplier").subject == "supplier:S1:CNY"
    assert findings() == []
    (settled,) = take(scene, receipt("R2", (second, 1_500)))
    assert parts(settled) == [("", "recovered", 1_000), ("", "residual", 500)]
    assert net_minor(scene, "due_from_supplier", party="S1") == 0
    close_through(scene.legal_entity_id, START)
    assert findings() == []


def test_repaying_early_is_free_and_what_finds_no_debt_is_the_suppliers_credit(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    loans = scenes.lent(facility, 360_000, days=20), scenes.lent(facility, 720_000, days=30)
    close_through(scene.legal_entity_id, START + timedelta(days=9))
    today = START + timedelta(days=10)

    one = repay(code_of(loans[1]), 100_000, value_date=None, caller=CALLER, key="one")
    rest = repay("F-S1", 1_000_000, value_date=today, caller=CALLER, key="rest")

    # Ten days of 1.00 and 2.00.
    assert parts(one) == [
        (code_of(loans[1]), "interest", 2_000),
        (code_of(loans[1]), "principal_not_due", 98_000),
    ]
    assert parts(rest) == [
        (code_of(loans[0]), "interest", 1_000),
        (code_of(loans[0]), "principal_not_due", 360_000),
        (code_of(loans[1]), "principal_not_due", 622_000),
        ("", "credit", 17_000),
    ]
    assert repay("F-S1", 1_000_000, value_date=today, caller=CALLER, key="rest") == rest
    with pytest.raises(KeyConflict):
        repay("F-S1", 1_000_001, value_date=today, caller=CALLER, key="rest")
    assert net_minor(scene, "supplier_credit", party="S1") == -17_000
    assert WorkItem.objects.get(kind="supplier_credit").subject == "supplier:S1:CNY"
    close_through(scene.legal_entity_id, today)
    assert findings() == []


def test_credit_can_be_refunded_as_far_as_it_goes(database):
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "S1"), 1_000)
    repay("F-S1", 1_500, value_date=None, caller=CALLER, key="repay")

    def refund(amount_minor: int, key: str) -> str:
        return refund_credit(
            "S1",
            amount_minor,
            currency="CNY",
            legal_entity_id=scene.legal_entity_id,
            caller=CALLER,
            key=key,
        )

    with pytest.raises(RefundAboveCredit, match="its credit is 500"):
        refund(501, "too much")
    end_to_end_id = refund(500, "right")

    order = PaymentOrder.objects.get(end_to_end_id=end_to_end_id)
    assert (order.kind, order.amount_minor) == ("refund", 500)
    assert net_minor(scene, "supplier_credit", party="S1") == 0
    assert not WorkItem.objects.filter(closed_at=None).exists()
    assert findings() == []


@pytest.mark.parametrize(
    ("target", "amount_minor", "refusal"),
    [
        ("F-S2", 100, NothingToRepay),
        ("NOBODY", 100, NothingToRepay),
        ("F-S1", 0, InvalidReceipt),
        ("F-S1", -5, InvalidReceipt),
    ],
)
def test_a_repayment_that_makes_no_sense_is_refused(database, target, amount_minor, refusal):
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "S1"), 1_000)
    scenes.facility(scene, "S2")

    with pytest.raises(refusal):
        repay(target, amount_minor, value_date=None, caller=CALLER, key="wrong")


def test_a_loan_that_changes_book_takes_its_balances_along_in_one_entry(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    moving, staying = scenes.lent(facility, 3_600_000), scenes.lent(facility, 7_200_000)
    old = Book.objects.get()
    new = Book.objects.create(
        legal_entity=old.legal_entity,
        programme=old.programme,
        funder=old.funder,
        currency="CNY",
        asset_class="special_mention",
    )
    close_through(scene.legal_entity_id, START + timedelta(days=9))

    change_book(code_of(moving), new.pk, caller=CALLER, key="move")

    assert balance(scene, "loan_principal", old) == 7_200_000
    assert balance(scene, "loan_principal", new) == 3_600_000
    assert balance(scene, "interest_receivable", new) == 10_000
    assert Entry.objects.filter(event="book_changed").count() == 1
    close_through(scene.legal_entity_id, START + timedelta(days=10))
    assert balance(scene, "interest_receivable", old) == 22_000
    assert balance(scene, "interest_receivable", new) == 11_000
    assert findings() == []
    with pytest.raises(NotABookOfTheLoan, match="another book of the same legal entity"):
        change_book(code_of(moving), new.pk, caller=CALLER, key="again")
    assert Loan.objects.get(pk=staying).book == old


def test_a_receipt_taken_back_after_its_loan_changed_book_is_owed_in_the_new_book(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    claim = scenes.owes(facility, 300_000)
    loans = [scenes.lent(facility, 3_600_000, days=days) for days in (30, 60)]
    old = Book.objects.get()
    new = Book.objects.create(
        legal_entity=old.legal_entity,
        programme=old.programme,
        funder=old.funder,
        currency="CNY",
        asset_class="special_mention",
    )
    close_through(scene.legal_entity_id, START + timedelta(days=9))
    take(scene, receipt("R1", (claim, 300_000), value_date=scene.today))
    change_book(code_of(loans[0]), new.pk, caller=CALLER, key="move")

    take_back(scene, "R1")

    assert balance(scene, "loan_principal", old) == 3_600_000
    assert balance(scene, "loan_principal", new) == 3_600_000
    close_through(scene.legal_entity_id, scene.today)
    assert balance(scene, "interest_receivable", old) == 11_000
    assert balance(scene, "interest_receivable", new) == 11_000
    assert findings() == []


def test_cash_applied_out_of_suspense_is_taken_back_with_its_receipt(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    loan_id = scenes.lent(facility, 500_000)
    claims = [scenes.owes(facility, 200_000) for _ in range(2)]
    take(scene, receipt("R1", (claims[0], 200_000), amount_minor=600_000))
    apply_unapplied(
        "R1",
        [(claims[1], 150_000)],
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key="apply",
    )
    assert owed(loan_id).principal_minor == 150_000

    take_back(scene, "R1")

    assert owed(loan_id).principal_minor == 500_000
    assert net_minor(scene, "settlement_suspense") == 0
    assert net_minor(scene, "bank") == net_minor(scene, "capital") * -1 - 500_000
    close_through(scene.legal_entity_id, scene.today)
    assert findings() == []


def balance(scene, name: str, book: Book) -> int:
    return net_minor(scene, name, book=book.pk)


def test_a_rate_changed_in_the_past_is_made_up_for_by_the_next_close(database):
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, "S1"), 3_600_000)
    close_through(scene.legal_entity_id, START + timedelta(days=9))

    change_rate(
        code_of(loan_id),
        Decimal("0.08"),
        value_date=START + timedelta(days=5),
        caller=CALLER,
        key="rate",
    )
    close_through(scene.legal_entity_id, START + timedelta(days=10))

    # Five nights at 10.00 and six at 8.00.
    assert net_minor(scene, "interest_receivable") == 9_800
    assert findings() == []


def test_a_fee_is_due_from_its_day_and_credit_meets_it_first(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    loan_id, other = scenes.lent(facility, 1_000), scenes.lent(facility, 1_000)

    charge_fee(code_of(loan_id), 70, value_date=START, why="notice", caller=CALLER, key="fee")
    charge_fee(code_of(loan_id), 70, value_date=START, why="notice", caller=CALLER, key="fee")

    assert net_minor(scene, "fee_receivable") == 70
    assert net_minor(scene, "fee_income") == -70
    with pytest.raises(NotAFee, match="between 1"):
        charge_fee(code_of(other), 0, value_date=START, why="no", caller=CALLER, key="none")
    repay(code_of(other), 1_000, value_date=None, caller=CALLER, key="settle")
    with pytest.raises(NotALiveLoan, match="is settled"):
        charge_fee(code_of(other), 1, value_date=START, why="late", caller=CALLER, key="late")
    assert findings() == []


days_of_receipts = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, 25), st.integers(1, 250_000)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(told=days_of_receipts, taken_back=st.integers(0, 3))
def test_whatever_is_settled_backdated_and_taken_back_the_books_hold_after_the_close(
    database, told, taken_back
):
    with transaction.atomic():
        scene = scenes.opened()
        facility = scenes.facility(scene, "S1")
        for days in (10, 20):
            scenes.lent(facility, 180_000, days=days)
        claims = [scenes.owes(facility, 250_000) for _ in told]
        for n, (day, days_back, amount_minor) in enumerate(sorted(told)):
            on = START + timedelta(days=day)
            if scene.today < on:
                close_through(scene.legal_entity_id, on - timedelta(days=1))
            value_date = max(START, scene.today - timedelta(days=days_back))
            told_now = receipt(f"R{n}", (claims[n], amount_minor), value_date=value_date)
            settle_many([told_now], legal_entity_id=scene.legal_entity_id, caller=CALLER)
        if taken_back < len(told):
            take_back(scene, f"R{taken_back}")
        close_through(scene.legal_entity_id, scene.today)

        assert findings() == []
        transaction.set_rollback(True)
