"""What the bank turned down is ordered again as far as the supplier is still owed it."""

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_settle import receipt, take

from tallystick.book.financing.models import Facility
from tallystick.book.payments.bank_answers import BankMessage, take_answers
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.payments.order_again import NotToBeOrderedAgain, order_again
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.reverse import reverse_receipt


def answered(scene, order: PaymentOrder, outcome: str) -> None:
    message = BankMessage(
        f"BK-{order.end_to_end_id}",
        order.end_to_end_id,
        outcome,
        order.amount_minor,
        order.currency,
        START,
    )
    take_answers(
        [message],
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key=f"{order.end_to_end_id} {outcome}",
    )


def ordered_again(scene, order: PaymentOrder) -> PaymentOrder:
    end_to_end_id = order_again(
        order.end_to_end_id, legal_entity_id=scene.legal_entity_id, caller=CALLER
    )
    return PaymentOrder.objects.get(end_to_end_id=end_to_end_id)


def took_back(scene, reference: str) -> None:
    reverse_receipt(
        reference, legal_entity_id=scene.legal_entity_id, caller=CALLER, key=f"reverse {reference}"
    )


@pytest.fixture
def scene(database):
    """A supplier without loans, so that whatever its payers pay is ordered to it."""
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    for reference, amount_minor in (("R1", 1_000), ("R2", 600)):
        claim = scenes.owes(facility, amount_minor)
        take(scene, receipt(reference, (claim, amount_minor)))
    return scene


def orders() -> list[PaymentOrder]:
    return list(PaymentOrder.objects.order_by("id"))


def test_what_was_rejected_is_ordered_again_whole_while_it_is_owed(scene):
    first, _ = orders()
    answered(scene, first, "rejected")

    again = ordered_again(scene, first)

    assert (again.amount_minor, again.status) == (1_000, "ordered")
    assert ordered_again(scene, first) == again
    assert findings() == []


def test_nothing_is_ordered_again_of_a_receipt_that_was_taken_back_meanwhile(scene):
    first, _ = orders()
    answered(scene, first, "rejected")
    took_back(scene, "R1")

    with pytest.raises(NotToBeOrderedAgain, match="nothing of it is owed"):
        ordered_again(scene, first)

    assert len(orders()) == 2
    assert net_minor(scene, "due_from_supplier", party="S1") == 0
    assert findings() == []


def test_no_more_is_ordered_again_than_what_taking_another_receipt_back_has_left(scene):
    first, second = orders()
    answered(scene, second, "paid")
    answered(scene, first, "rejected")
    took_back(scene, "R2")

    again = ordered_again(scene, first)

    # 1,000 was payable; 600 that had left turned out not to be the supplier's.
    assert again.amount_minor == 400
    answered(scene, again, "paid")
    assert net_minor(scene, "payable_to_supplier", party="S1") == 0
    close_through(scene.legal_entity_id, START)
    assert findings() == []


def test_nothing_is_ordered_again_for_a_supplier_that_owes_us_until_it_has_met_that(scene):
    first, second = orders()
    answered(scene, second, "paid")
    # The bank may still pay it when the receipt goes: so the supplier owes as much ...
    took_back(scene, "R1")
    answered(scene, first, "rejected")
    assert net_minor(scene, "due_from_supplier", party="S1") == 1_000

    with pytest.raises(NotToBeOrderedAgain, match="owes 1000 CNY"):
        ordered_again(scene, first)
    claim = scenes.owes(Facility.objects.get(), 1_000)
    take(scene, receipt("R3", (claim, 1_000)))

    # ... until the next settlement has met it, which leaves it the money that was rejected.
    assert net_minor(scene, "due_from_supplier", party="S1") == 0
    assert ordered_again(scene, first).amount_minor == 1_000
    assert findings() == []
