"""A supplier's credit is paid out."""

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Party
from tallystick.book.payments.models import PaymentKind
from tallystick.book.payments.orders import NewPayment, order_payments
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.supplier_accounts import held_minor
from tallystick.book.watch.worklist import close_items
from tallystick.rules.accounting import Booking, credit_refunded
from tallystick.rules.refusal import Refusal


class RefundAboveCredit(Refusal):
    """The supplier has less credit with us than is to be refunded."""

    def __init__(self, *, supplier: str, asked_minor: int, credit_minor: int, currency: str):
        self.asked_minor = asked_minor
        self.credit_minor = credit_minor
        super().__init__(
            f"{asked_minor} minor units cannot be refunded to {supplier!r}: its credit is "
            f"{credit_minor} ({currency} minor units). Ask for an amount above zero and no more."
        )


def refund_credit(
    supplier: str,
    amount_minor: int,
    *,
    currency: str,
    legal_entity_id: int,
    caller: Caller,
    key: str,
) -> str:
    """Order the bank to pay out credit of a supplier (a firm's code); returns the end-to-end id.

    Raises RefundAboveCredit, KeyConflict.
    """
    request = {
        "supplier": supplier,
        "amount_minor": amount_minor,
        "currency": currency,
        "legal_entity_id": legal_entity_id,
    }
    with once(caller, key=key, kind="refund_credit", request=request) as act:
        if act.earlier is None:
            end_to_end_id = _ordered(
                supplier, amount_minor, currency, legal_entity_id, caller, act.act_id
            )
            act.answer({"end_to_end_id": end_to_end_id})
        return str((act.earlier or act.given)["end_to_end_id"])


def credit_of(supplier: str, currency: str, *, legal_entity_id: int) -> int:
    """What ``supplier`` (a firm's code) has with us, in minor units; zero where there is none."""
    party_id = Party.objects.filter(code=supplier).values_list("id", flat=True).first() or 0
    return -held_minor(legal_entity_id, "supplier_credit", [(party_id, currency)]).get(
        (party_id, currency), 0
    )


def _ordered(
    supplier: str,
    amount_minor: int,
    currency: str,
    legal_entity_id: int,
    caller: Caller,
    act_id: int,
) -> str:
    business_date = open_day(legal_entity_id)
    party_id = Party.objects.filter(code=supplier).values_list("id", flat=True).first() or 0
    # Everything that changes a supplier's credit holds its facilities, or the supplier itself.
    lock_facilities(legal_entity_id, supplier_ids=[party_id])
    hold_suppliers([party_id])
    credit_minor = credit_of(supplier, currency, legal_entity_id=legal_entity_id)
    if not 0 < amount_minor <= credit_minor:
        raise RefundAboveCredit(
            supplier=supplier,
            asked_minor=amount_minor,
            credit_minor=credit_minor,
            currency=currency,
        )
    post(
        credit_refunded(
            Booking(
                legal_entity_id,
                currency,
                f"supplier:{supplier}",
                business_date,
                business_date,
            ),
            party=party_id,
            amount_minor=amount_minor,
        ),
        act_id=act_id,
    )
    if amount_minor == credit_minor:
        close_items(
            legal_entity_id,
            "supplier_credit",
            f"supplier:{supplier}:{currency}",
            who=caller.actor,
            resolution="refunded",
        )
    (end_to_end_id,) = order_payments(
        [NewPayment(PaymentKind.REFUND, party_id, currency, amount_minor)],
        legal_entity_id=legal_entity_id,
        ordered_date=business_date,
        act_id=act_id,
    )
    return end_to_end_id
