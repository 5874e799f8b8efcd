"""An act on one loan: once per request key, in the open business day, the facility locked."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.business_date import open_day
from tallystick.book.servicing.changes import Change, NewLoanEvent
from tallystick.book.servicing.corrections import credited
from tallystick.book.servicing.events import EventInFuture, record_events
from tallystick.book.servicing.live_loan import legal_entity_of, locked_live_loan
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.accounting import Booking
from tallystick.rules.loan_events import LoanEvent, rate_from_ppb
from tallystick.rules.loan_position import Position
from tallystick.rules.loan_steps import take

_NOT_NUMBERED_YET = 2**62


def on_live_loan(
    loan: str,
    kind: str,
    request: Mapping[str, Any],
    carry_out: Callable[[LoanPosition, date, int], dict[str, Any]],
    *,
    caller: Caller,
    key: str,
) -> dict[str, Any]:
    """Carry out an act on a live loan (its code); returns its answer, also when repeated.

    ``carry_out`` is given the loan under lock, the open business day and the act's id.

    Raises NotALiveLoan, KeyConflict, and what ``carry_out`` raises.
    """
    legal_entity_id = legal_entity_of(loan)
    with once(caller, key=key, kind=kind, request={"loan": loan, **request}) as act:
        if act.earlier is None:
            business_date = open_day(legal_entity_id)
            held = locked_live_loan(loan, legal_entity_id)
            act.answer(carry_out(held, business_date, act.act_id))
        return act.earlier or act.given or {}


def record_one(event: NewLoanEvent, booking_date: date) -> Change:
    """Record one event of one loan."""
    return record_events([event], booking_date=booking_date)[event.loan_id]


def effect_now(loan: LoanPosition, event: NewLoanEvent, booking_date: date) -> dict[str, int]:
    """What the event credits to each account (``corrections.credited``) as the loan now stands.

    It is what the act's own entry books. Where the event is back-dated, the refold may find
    another effect, and books the difference.

    Raises EventInFuture, and what ``rules.loan_steps.take`` raises.
    """
    position = loan.position
    assert position is not None
    if event.value_date > booking_date:
        raise EventInFuture(code=loan.code, value_date=event.value_date, booking_date=booking_date)
    after = replace(position)
    take(after, _as_if_last(event, position))
    before = credited(position)
    return {
        account: minor - before[account]
        for account, minor in credited(after).items()
        if minor != before[account]
    }


def booking_of(loan: LoanPosition, value_date: date, booking_date: date) -> Booking:
    """What every entry of the loan says besides its postings."""
    return Booking(
        loan.legal_entity_id, loan.currency, f"loan:{loan.code}", value_date, booking_date
    )


def _as_if_last(event: NewLoanEvent, position: Position) -> LoanEvent:
    value_date = max(event.value_date, position.stands_from_date)
    return LoanEvent(
        _NOT_NUMBERED_YET,
        event.kind,
        value_date,
        value_date,
        amount_minor=event.amount_minor,
        annual_rate=(
            None if event.annual_rate_ppb is None else rate_from_ppb(event.annual_rate_ppb)
        ),
        days=event.days,
        due_date=event.due_date,
        to_date=event.to_date,
        waives=event.waives,
    )
