"""The accounts of funders who hold shares of loans: what they are owed, and what they owe.

One account each, in each currency. What came in for a funder's shares and the price of what was
bought back stand on its credit side, the price of what it bought on its debit side, until money
has settled them.
"""

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Party
from tallystick.book.parties.register import party_ids
from tallystick.book.payments.bank_answers import hold_bank
from tallystick.book.payments.models import PaymentKind
from tallystick.book.payments.orders import NewPayment, order_payments
from tallystick.book.servicing.supplier_accounts import held_minor
from tallystick.rules.accounting import Booking, funder_paid_in
from tallystick.rules.refusal import Refusal

ACCOUNT = "payable_to_funder"


class NothingPayableToFunder(Refusal):
    """The funder is owed nothing, or what it is owed is ordered already."""

    def __init__(self, funder: str, currency: str, payable_minor: int) -> None:
        self.payable_minor = payable_minor
        what = (
            f"owes us {-payable_minor}"
            if payable_minor < 0
            else "is owed nothing that is not ordered already"
        )
        super().__init__(
            f"Nothing can be paid to {funder!r} in {currency}: it {what} (minor units). Wait "
            "until more has come in for its shares."
        )


class NothingDueFromFunder(Refusal):
    """The funder owes less than has arrived, or nothing."""

    def __init__(self, funder: str, currency: str, *, asked_minor: int, due_minor: int) -> None:
        self.due_minor = due_minor
        super().__init__(
            f"{asked_minor} minor units cannot be taken from {funder!r}: it owes {due_minor} in "
            f"{currency}. Give an amount above zero and no more; what is above it is not ours."
        )


def payable_minor(legal_entity_id: int, funder_id: int, currency: str) -> int:
    """What a funder is owed beyond what is ordered; below zero: what it owes. By its party id."""
    party = (funder_id, currency)
    held = held_minor(legal_entity_id, ACCOUNT, [party]).get(party, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(amount_minor), 0)::bigint FROM payments_paymentorder"
            " WHERE legal_entity_id = %s AND beneficiary_id = %s AND currency = %s"
            " AND kind = %s AND status = 'ordered'",
            [legal_entity_id, funder_id, currency, PaymentKind.FUNDER],
        )
        (ordered_minor,) = cursor.fetchone()
    return -held - int(ordered_minor)


def payable_to(funder: str, *, currency: str, legal_entity_id: int) -> int:
    """As ``payable_minor``, by the funder's code; nothing is owed to a firm that is unknown."""
    party_id = Party.objects.filter(code=funder).values_list("id", flat=True).first()
    return payable_minor(legal_entity_id, party_id, currency) if party_id else 0


def register_funder(funder: str, name: str, *, caller: Caller, key: str) -> None:
    """Enter a firm, by code and name, that will buy shares; one already known keeps its name.

    Raises NotAName, KeyConflict.
    """
    request = {"funder": funder, "name": name}
    with once(caller, key=key, kind="register_funder", request=request) as act:
        if act.earlier is None:
            party_ids([funder], {funder: name})
            act.answer({})


def pay_funder(
    funder: str, *, currency: str, legal_entity_id: int, caller: Caller, key: str
) -> tuple[str, int]:
    """Order the bank to pay ``funder`` (a firm's code) all that it is owed.

    Returns the order's end-to-end id and its amount. Repeating ``key`` returns the first answer.

    Raises NothingPayableToFunder, KeyConflict.
    """
    request = {"funder": funder, "currency": currency, "legal_entity_id": legal_entity_id}
    with once(caller, key=key, kind="pay_funder", request=request) as act:
        if act.earlier is None:
            business_date = open_day(legal_entity_id)
            funder_id = _held_funder(legal_entity_id, funder)
            amount_minor = payable_minor(legal_entity_id, funder_id, currency)
            if amount_minor <= 0:
                raise NothingPayableToFunder(funder, currency, amount_minor)
            (end_to_end_id,) = order_payments(
                [NewPayment(PaymentKind.FUNDER, funder_id, currency, amount_minor)],
                legal_entity_id=legal_entity_id,
                ordered_date=business_date,
                act_id=act.act_id,
            )
            act.answer({"end_to_end_id": end_to_end_id, "amount_minor": amount_minor})
    answer = act.earlier or act.given or {}
    return str(answer["end_to_end_id"]), int(answer["amount_minor"])


def take_from_funder(
    funder: str,
    amount_minor: int,
    *,
    currency: str,
    legal_entity_id: int,
    caller: Caller,
    key: str,
) -> int:
    """Book money that has arrived from ``funder`` for what it bought; what it then still owes.

    As of the open business day. Repeating ``key`` returns the first answer.

    Raises NothingDueFromFunder, KeyConflict.
    """
    request = {
        "funder": funder,
        "amount_minor": amount_minor,
        "currency": currency,
        "legal_entity_id": legal_entity_id,
    }
    with once(caller, key=key, kind="take_from_funder", request=request) as act:
        if act.earlier is None:
            business_date = open_day(legal_entity_id)
            funder_id = _held_funder(legal_entity_id, funder)
            due_minor = -payable_minor(legal_entity_id, funder_id, currency)
            if not 0 < amount_minor <= due_minor:
                raise NothingDueFromFunder(
                    funder, currency, asked_minor=amount_minor, due_minor=max(0, due_minor)
                )
            booking = Booking(
                legal_entity_id, currency, f"funder:{funder}", business_date, business_date
            )
            post(
                funder_paid_in(booking, party=funder_id, amount_minor=amount_minor),
                act_id=act.act_id,
            )
            act.answer({"still_due_minor": due_minor - amount_minor})
    return int((act.earlier or act.given or {})["still_due_minor"])


def _held_funder(legal_entity_id: int, funder: str) -> int:
    """The funder's party id, held: two orders must not pay the same money, nor one while the bank
    tells of another."""
    hold_bank(legal_entity_id)
    party_id = Party.objects.filter(code=funder).values_list("id", flat=True).first() or 0
    hold_suppliers([party_id])
    return int(party_id)
