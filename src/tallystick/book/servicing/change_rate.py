"""Change the interest rate of a loan."""

from datetime import date
from decimal import Decimal

from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.business_date import open_day
from tallystick.book.servicing.events import NewLoanEvent, record_events
from tallystick.book.servicing.live_loan import legal_entity_of, locked_live_loan
from tallystick.rules.loan_events import EventKind, rate_in_ppb


def change_rate(
    loan: str, annual_rate: Decimal, *, value_date: date, caller: Caller, key: str
) -> None:
    """``annual_rate`` (a fraction) holds for ``loan`` (its code) from ``value_date`` on.

    The value date may lie in the past: cash received since may then meet other debts, and the
    next close books what the interest has come to. Repeating ``key`` changes nothing.

    Raises NotALiveLoan, InvalidRate, EventInFuture, EventBeforeStart, KeyConflict.
    """
    annual_rate_ppb = rate_in_ppb(annual_rate)
    legal_entity_id = legal_entity_of(loan)
    request = {"loan": loan, "annual_rate_ppb": annual_rate_ppb, "value_date": value_date}
    with once(caller, key=key, kind="change_rate", request=request) as act:
        if act.earlier is not None:
            return
        business_date = open_day(legal_entity_id)
        repriced = locked_live_loan(loan, legal_entity_id)
        record_events(
            [
                NewLoanEvent(
                    loan_id=repriced.loan_id,
                    kind=EventKind.RATE_CHANGED,
                    value_date=value_date,
                    reference=f"rate:{annual_rate}"[:100],
                    act_id=act.act_id,
                    annual_rate_ppb=annual_rate_ppb,
                )
            ],
            booking_date=business_date,
        )
        act.answer({})
