"""Pay in capital: the owner funds the legal entity, the first source of money for loans."""

from datetime import date

from tallystick.book.acts.once import Caller, once
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.rules.accounting import Booking, capital_paid_in
from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal


class NoCapital(Refusal):
    """Capital is paid in by an amount above zero."""

    def __init__(self, amount_minor: int, currency: str) -> None:
        super().__init__(
            f"{amount_minor} {currency} minor units cannot be paid in: give an amount above zero."
        )


def pay_in_capital(
    *, legal_entity_id: int, currency: str, amount_minor: int, caller: Caller, key: str
) -> date:
    """Book cash from the owner on the open business day; returns that day.

    Raises NoCapital, UnknownCurrency, KeyConflict.
    """
    minor_digits(currency)
    if amount_minor <= 0:
        raise NoCapital(amount_minor, currency)
    request = {
        "legal_entity_id": legal_entity_id,
        "currency": currency,
        "amount_minor": amount_minor,
    }
    with once(caller, key=key, kind="pay_in_capital", request=request) as act:
        if act.earlier is None:
            on = open_day(legal_entity_id)
            booking = Booking(legal_entity_id, currency, f"capital:{key}", on, on)
            post(capital_paid_in(booking, amount_minor=amount_minor), act_id=act.act_id)
            act.answer({"booking_date": on.isoformat()})
    answer = act.earlier or act.given
    assert answer is not None
    return date.fromisoformat(answer["booking_date"])
