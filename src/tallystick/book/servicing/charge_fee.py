"""Charge a fee on a loan."""

from datetime import date

from tallystick.book.acts.once import Caller, once
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.book.servicing.events import NewLoanEvent, record_events
from tallystick.book.servicing.live_loan import legal_entity_of, locked_live_loan
from tallystick.rules.accounting import Booking, fee_charged
from tallystick.rules.loan_events import MAX_AMOUNT_MINOR, EventKind
from tallystick.rules.refusal import Refusal


class NotAFee(Refusal):
    """A fee is an amount above zero."""

    def __init__(self, amount_minor: int) -> None:
        self.amount_minor = amount_minor
        super().__init__(
            f"{amount_minor} minor units is no fee. Give an amount between 1 and "
            f"{MAX_AMOUNT_MINOR}; a fee charged in error is reversed."
        )


def charge_fee(
    loan: str, amount_minor: int, *, value_date: date, why: str, caller: Caller, key: str
) -> None:
    """A fee is due on ``loan`` (its code) from ``value_date``, which may lie in the past.

    ``why`` names the fee. Repeating ``key`` changes nothing.

    Raises NotALiveLoan, NotAFee, EventInFuture, EventBeforeStart, KeyConflict.
    """
    if not 0 < amount_minor <= MAX_AMOUNT_MINOR:
        raise NotAFee(amount_minor)
    legal_entity_id = legal_entity_of(loan)
    request = {"loan": loan, "amount_minor": amount_minor, "value_date": value_date, "why": why}
    with once(caller, key=key, kind="charge_fee", request=request) as act:
        if act.earlier is not None:
            return
        business_date = open_day(legal_entity_id)
        charged = locked_live_loan(loan, legal_entity_id)
        record_events(
            [
                NewLoanEvent(
                    loan_id=charged.loan_id,
                    kind=EventKind.FEE_CHARGED,
                    value_date=value_date,
                    reference=f"fee:{why}"[:100],
                    act_id=act.act_id,
                    amount_minor=amount_minor,
                )
            ],
            booking_date=business_date,
        )
        post(
            fee_charged(
                Booking(
                    legal_entity_id, charged.currency, f"loan:{loan}", value_date, business_date
                ),
                book=charged.book_id,
                amount_minor=amount_minor,
            ),
            act_id=act.act_id,
        )
        act.answer({})
