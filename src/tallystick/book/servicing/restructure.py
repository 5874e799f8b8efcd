"""Give way on price: another rate with a new plan, or days without interest."""

from datetime import date
from decimal import Decimal
from typing import Any

from tallystick.book.acts.once import Caller
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.servicing.changes import NewLoanEvent
from tallystick.book.servicing.one_loan import on_live_loan, record_one
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.loan_events import EventKind, rate_in_ppb


def restructure(
    loan: str,
    annual_rate: Decimal,
    to_date: date,
    *,
    caller: Caller,
    key: str,
    value_date: date | None = None,
) -> None:
    """Let all that is outstanding of ``loan`` bear ``annual_rate`` and fall due by ``to_date``.

    ``annual_rate`` is a fraction: 0.06 is six per cent a year. From ``value_date`` (the open
    business day where None) on nothing is past due any more. Repeating ``key`` changes nothing.

    Raises ReasonMissing, NotALiveLoan, InvalidRate, InvalidLoanEvent, EventInFuture,
    EventBeforeStart, KeyConflict.
    """
    refuse_unreasoned(caller, "restructure a loan")
    annual_rate_ppb = rate_in_ppb(annual_rate)

    def carry_out(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        event = NewLoanEvent(
            loan_id=held.loan_id,
            kind=EventKind.RESTRUCTURED,
            value_date=value_date or business_date,
            reference=f"restructured:{to_date}",
            act_id=act_id,
            annual_rate_ppb=annual_rate_ppb,
            to_date=to_date,
        )
        record_one(event, business_date)
        return {}

    request = {
        "annual_rate_ppb": annual_rate_ppb,
        "to_date": to_date,
        "value_date": value_date,
        "reason": caller.reason,
    }
    on_live_loan(loan, "restructure", request, carry_out, caller=caller, key=key)


def pause_interest(loan: str, from_date: date, to_date: date, *, caller: Caller, key: str) -> None:
    """Let no interest run on ``loan`` (its code) from ``from_date`` to ``to_date``, both included.

    The first day may lie in the past, the last in the future. Penalty is not paused. Repeating
    ``key`` changes nothing.

    Raises ReasonMissing, NotALiveLoan, InvalidLoanEvent, EventInFuture, EventBeforeStart,
    KeyConflict.
    """
    refuse_unreasoned(caller, "pause interest")

    def carry_out(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        event = NewLoanEvent(
            loan_id=held.loan_id,
            kind=EventKind.INTEREST_PAUSED,
            value_date=from_date,
            reference=f"pause:{from_date}:{to_date}",
            act_id=act_id,
            to_date=to_date,
        )
        record_one(event, business_date)
        return {}

    request = {"from_date": from_date, "to_date": to_date, "reason": caller.reason}
    on_live_loan(loan, "pause_interest", request, carry_out, caller=caller, key=key)
