"""Losses: charge a loan off, or waive a charge."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from tallystick.book.acts.once import Caller
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.financing.freeze import freeze_unless_frozen
from tallystick.book.ledger.post import post
from tallystick.book.servicing.changes import NewLoanEvent
from tallystick.book.servicing.one_loan import (
    booking_of,
    effect_now,
    on_live_loan,
    record_one,
)
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.accounting import RECEIVABLE_OF, charge_waived, loan_charged_off
from tallystick.rules.loan_events import MAX_AMOUNT_MINOR, Charge, EventKind
from tallystick.rules.refusal import Refusal


@dataclass(frozen=True, slots=True)
class ChargedOff:
    """What left the books, in minor units of ``currency``."""

    loan: str
    currency: str
    principal_minor: int
    interest_minor: int
    penalty_minor: int
    fees_minor: int

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.penalty_minor + self.fees_minor


def charge_off(
    loan: str, *, caller: Caller, key: str, value_date: date | None = None
) -> ChargedOff:
    """Take everything that ``loan`` (its code) owes off the books as a loss.

    As of ``value_date`` (the open business day where None), after which nothing may have happened
    to the loan. Nothing accrues on it any more; money that still comes in is recovered
    (``recover``). Its facility is frozen. ``caller.reason`` says why. Repeating ``key`` returns
    the first answer.

    Raises ReasonMissing, NotALiveLoan, EventAfterChargeOff, EventInFuture, EventBeforeStart,
    KeyConflict.
    """
    refuse_unreasoned(caller, "charge a loan off")

    def carry_out(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        on = value_date or business_date
        event = NewLoanEvent(
            loan_id=held.loan_id,
            kind=EventKind.CHARGED_OFF,
            value_date=on,
            reference="charge-off",
            act_id=act_id,
        )
        booked = effect_now(held, event, business_date)
        owed_minor = {kind: booked.get(kind, 0) for kind in RECEIVABLE_OF if kind != "recovery"}
        post(
            loan_charged_off(
                booking_of(held, on, business_date), book=held.book_id, owed_minor=owed_minor
            ),
            act_id=act_id,
        )
        record_one(event._replace(booked=booked), business_date)
        freeze_unless_frozen(held.facility_id, f"loan {loan} was charged off", act_id=act_id)
        charged_off = ChargedOff(
            loan,
            held.currency,
            **{f"{kind}_minor": minor for kind, minor in owed_minor.items()},
        )
        return asdict(charged_off)

    request = {"value_date": value_date, "reason": caller.reason}
    return ChargedOff(
        **on_live_loan(loan, "charge_off", request, carry_out, caller=caller, key=key)
    )


class WaiverAboveOwed(Refusal):
    """More would be waived than is owed of the charge, or nothing at all."""

    def __init__(self, loan: str, waives: Charge, asked_minor: int, owed_minor: int) -> None:
        self.asked_minor = asked_minor
        self.owed_minor = owed_minor
        super().__init__(
            f"{asked_minor} minor units of {waives} cannot be waived on loan {loan}: it owes "
            f"{owed_minor} of them. Give 1 to {owed_minor}, or charge the loan off."
            if owed_minor
            else f"Loan {loan} owes no {waives} on that day: there is nothing to waive."
        )


def waive(
    loan: str,
    waives: Charge,
    amount_minor: int,
    *,
    caller: Caller,
    key: str,
    value_date: date | None = None,
) -> None:
    """Ask no more for a part of the fees, penalty or interest that ``loan`` (its code) owes.

    As of ``value_date`` (the open business day where None). Principal is not waived but charged
    off. ``caller.reason`` says why. Repeating ``key`` changes nothing.

    Raises ReasonMissing, WaiverAboveOwed, NotALiveLoan, EventInFuture, EventBeforeStart,
    KeyConflict.
    """
    refuse_unreasoned(caller, "waive a charge")

    def carry_out(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        on = value_date or business_date
        event = NewLoanEvent(
            loan_id=held.loan_id,
            kind=EventKind.WAIVED,
            value_date=on,
            reference=f"waiver:{waives}",
            act_id=act_id,
            amount_minor=amount_minor,
            waives=waives,
        )
        everything = event._replace(amount_minor=MAX_AMOUNT_MINOR)
        owed_minor = effect_now(held, everything, business_date).get(waives, 0)
        if not 0 < amount_minor <= owed_minor:
            raise WaiverAboveOwed(loan, waives, amount_minor, owed_minor)
        post(
            charge_waived(
                booking_of(held, on, business_date),
                kind=waives,
                book=held.book_id,
                amount_minor=amount_minor,
            ),
            act_id=act_id,
        )
        booked = {waives: amount_minor, "waiver": -amount_minor}
        record_one(event._replace(booked=booked), business_date)
        return {}

    request = {
        "waives": waives,
        "amount_minor": amount_minor,
        "value_date": value_date,
        "reason": caller.reason,
    }
    on_live_loan(loan, "waive", request, carry_out, caller=caller, key=key)
