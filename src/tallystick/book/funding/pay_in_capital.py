"""The owner pays capital in: the first source of money for loans."""

from datetime import date

from tallystick.book.acts.once import Caller, once
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import DayNotOpen, open_day
from tallystick.rules.accounting import Booking, capital_paid_in
from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal


class NotACapitalAmount(Refusal):
    """The amount is not above zero, or more than the book can hold."""

    def __init__(self, amount_minor: int) -> None:
        super().__init__(
            f"{amount_minor} minor units cannot be paid in. Give an amount between 1 and 2⁶³ − 1."
        )


def pay_in_capital(
    legal_entity_id: int,
    *,
    amount_minor: int,
    currency: str,
    on: date,
    caller: Caller,
    key: str,
) -> int:
    """Book capital that has arrived in the bank account; returns the entry's id.

    ``on`` is the open business day.

    Raises NotACapitalAmount, UnknownCurrency, DayNotOpen, KeyConflict.
    """
    minor_digits(currency)
    if not 0 < amount_minor < 2**63:
        raise NotACapitalAmount(amount_minor)
    request = {
        "legal_entity_id": legal_entity_id,
        "amount_minor": amount_minor,
        "currency": currency,
        "on": on,
    }
    with once(caller, key=key, kind="pay_in_capital", request=request) as act:
        if act.earlier is None:
            business_date = open_day(legal_entity_id)
            if on != business_date:
                raise DayNotOpen(asked_date=on, business_date=business_date)
            booking = Booking(
                legal_entity_id=legal_entity_id,
                currency=currency,
                reference=f"capital:{key}"[:100],
                value_date=on,
                booking_date=on,
            )
            entry_id = post(capital_paid_in(booking, amount_minor=amount_minor), act_id=act.act_id)
            act.answer({"entry_id": entry_id})
    return int((act.earlier or act.given)["entry_id"])
