"""The payer's bank takes money back that a loan had received."""

from datetime import date
from typing import Any

from tallystick.book.acts.once import Caller
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.ledger.post import post
from tallystick.book.servicing.changes import NewLoanEvent
from tallystick.book.servicing.one_loan import (
    booking_of,
    effect_now,
    on_live_loan,
    record_one,
)
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.accounting import charged_back
from tallystick.rules.loan_events import EventKind


def charge_back(
    loan: str,
    amount_minor: int,
    *,
    caller: Caller,
    key: str,
    value_date: date | None = None,
) -> None:
    """Money that ``loan`` (its code) had received left the bank again on ``value_date``.

    The open business day where None. Unlike a receipt that is taken back as if it had never been,
    it had met debts until then; they are owed again from that day on: credit first, then
    principal, interest, penalty and fees. ``caller.reason`` says why. Repeating ``key`` changes
    nothing.

    Raises ReasonMissing, TakenBackAboveReceived, InvalidLoanEvent, NotALiveLoan, EventInFuture,
    EventBeforeStart, KeyConflict.
    """
    refuse_unreasoned(caller, "charge a payment back")

    def carry_out(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        on = value_date or business_date
        event = NewLoanEvent(
            loan_id=held.loan_id,
            kind=EventKind.CHARGED_BACK,
            value_date=on,
            reference=f"chargeback:{act_id}",
            act_id=act_id,
            amount_minor=amount_minor,
        )
        booked = effect_now(held, event, business_date)
        post(
            charged_back(
                booking_of(held, on, business_date),
                book=held.book_id,
                party=held.supplier_id,
                taken_minor={kind: -minor for kind, minor in booked.items()},
            ),
            act_id=act_id,
        )
        record_one(event._replace(booked=booked), business_date)
        return {}

    request = {"amount_minor": amount_minor, "value_date": value_date, "reason": caller.reason}
    on_live_loan(loan, "charge_back", request, carry_out, caller=caller, key=key)
