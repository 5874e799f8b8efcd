"""Order again what the bank has turned down and the supplier is still owed."""

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.parties.business_date import open_day
from tallystick.book.payments.bank_answers import hold_bank
from tallystick.book.payments.funders import payable_minor
from tallystick.book.payments.models import PaymentKind, PaymentOrder, PaymentStatus
from tallystick.book.payments.orders import NewPayment, order_payments
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.supplier_accounts import held_minor, payable_not_ordered
from tallystick.book.watch.worklist import close_items
from tallystick.rules.refusal import Refusal


class NotToBeOrderedAgain(Refusal):
    """The order is not there, was not rejected, is a loan's payout, or is no longer owed."""

    def __init__(self, end_to_end_id: str, why: str) -> None:
        self.end_to_end_id = end_to_end_id
        super().__init__(f"Payment order {end_to_end_id[:40]!r} cannot be ordered again: {why}")


def order_again(end_to_end_id: str, *, legal_entity_id: int, caller: Caller) -> str:
    """Order a rejected payment to a supplier anew, once; returns the new order's end-to-end id.

    The money has been payable to the supplier all along; only the order to the bank is new. Where
    a receipt was taken back meanwhile, less is payable, and no more than that is ordered; nothing
    is as long as the supplier owes us. An order has one successor: asking again, whoever asks, is
    answered with it.

    Raises NotToBeOrderedAgain.
    """
    order = PaymentOrder.objects.filter(
        legal_entity=legal_entity_id, end_to_end_id=end_to_end_id
    ).first()
    if order is None:
        raise NotToBeOrderedAgain(end_to_end_id, "there is none of that name.")
    if order.kind == PaymentKind.PAYOUT:
        raise NotToBeOrderedAgain(
            end_to_end_id, "it paid out a loan, which ended with it. Draw again."
        )
    if order.status != PaymentStatus.REJECTED:
        raise NotToBeOrderedAgain(end_to_end_id, f"it is {order.status}, not rejected.")
    natural = Caller("system", caller.actor, caller.channel, caller.reason)
    with once(
        natural,
        key=f"order_again/{end_to_end_id}",
        kind="order_again",
        request={"end_to_end_id": end_to_end_id},
    ) as act:
        if act.earlier is None:
            on = open_day(legal_entity_id)
            owed_minor = _owed_minor(order)
            payment = NewPayment(
                kind=PaymentKind(order.kind),
                beneficiary_id=order.beneficiary_id,
                currency=order.currency,
                amount_minor=min(order.amount_minor, owed_minor),
                facility_id=order.facility_id,
            )
            (new_id,) = order_payments(
                [payment], legal_entity_id=legal_entity_id, ordered_date=on, act_id=act.act_id
            )
            close_items(
                legal_entity_id,
                "failed_payout",
                f"payment:{end_to_end_id}",
                who=caller.actor,
                resolution=f"ordered again as {new_id}",
            )
            act.answer({"end_to_end_id": new_id})
    answer = act.earlier or act.given
    assert answer is not None
    return str(answer["end_to_end_id"])


def _owed_minor(order: PaymentOrder) -> int:
    """What is payable to the order's supplier and not ordered; nothing changes it meanwhile.

    Raises NotToBeOrderedAgain where that is nothing, or the supplier owes us.
    """
    party = order.beneficiary_id, order.currency
    hold_bank(order.legal_entity_id)
    if order.kind == PaymentKind.FUNDER:
        return _owed_to_funder(order)
    lock_facilities(order.legal_entity_id, supplier_ids=[order.beneficiary_id])
    hold_suppliers([order.beneficiary_id])
    due_minor = held_minor(order.legal_entity_id, "due_from_supplier", [party]).get(party, 0)
    if due_minor:
        raise NotToBeOrderedAgain(
            order.end_to_end_id,
            f"the supplier owes {due_minor} {order.currency} minor units, since a receipt was "
            "taken back. Its next settlements meet that first; order again afterwards.",
        )
    owed_minor = payable_not_ordered(order.legal_entity_id, party)
    if owed_minor <= 0:
        raise NotToBeOrderedAgain(
            order.end_to_end_id,
            "nothing of it is owed to the supplier any longer, since a receipt was taken back. "
            "Close its work item.",
        )
    return owed_minor


def _owed_to_funder(order: PaymentOrder) -> int:
    hold_suppliers([order.beneficiary_id])
    owed_minor = payable_minor(order.legal_entity_id, order.beneficiary_id, order.currency)
    if owed_minor <= 0:
        raise NotToBeOrderedAgain(
            order.end_to_end_id,
            "nothing of it is owed to the funder any longer. Close its work item.",
        )
    return owed_minor
