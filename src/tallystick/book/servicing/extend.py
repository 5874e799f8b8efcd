"""Give a borrower more time: extend a loan, move its due date, or plan it anew."""

from datetime import date
from typing import Any

from tallystick.book.acts.once import Caller
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.servicing.changes import NewLoanEvent
from tallystick.book.servicing.one_loan import on_live_loan, record_one
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.loan_events import EventKind


def extend(
    loan: str, days: int, *, caller: Caller, key: str, value_date: date | None = None
) -> date:
    """Let ``loan`` (its code) fall due so many days later; returns the new due date.

    From ``value_date`` (the open business day where None) on. A loan that is past due by then is
    past due no more; what had accrued of penalty is owed still. ``caller.reason`` says why.
    Repeating ``key`` returns the first answer.

    Raises ReasonMissing, NotALiveLoan, InvalidLoanEvent, ExtensionTooShort, EventInFuture,
    EventBeforeStart, KeyConflict.
    """
    refuse_unreasoned(caller, "extend a loan")

    def carry_out(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        event = NewLoanEvent(
            loan_id=held.loan_id,
            kind=EventKind.EXTENDED,
            value_date=value_date or business_date,
            reference=f"extension:{days} days",
            act_id=act_id,
            days=days,
        )
        return _due_date(event, business_date)

    request = {"days": days, "value_date": value_date, "reason": caller.reason}
    answer = on_live_loan(loan, "extend", request, carry_out, caller=caller, key=key)
    return date.fromisoformat(answer["due_date"])


def move_due_date(
    loan: str, to_date: date, *, caller: Caller, key: str, value_date: date | None = None
) -> date:
    """Let ``loan`` (its code) fall due on ``to_date`` instead; returns it.

    From ``value_date`` (the open business day where None) on, by which the loan may not have
    fallen due. Repeating ``key`` returns the first answer.

    Raises ReasonMissing, NotALiveLoan, InvalidLoanEvent, DueNotMovable, EventInFuture,
    EventBeforeStart, KeyConflict.
    """
    refuse_unreasoned(caller, "move a due date")

    def carry_out(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        assert held.position is not None
        event = NewLoanEvent(
            loan_id=held.loan_id,
            kind=EventKind.DUE_MOVED,
            value_date=value_date or business_date,
            reference=f"due:{to_date}",
            act_id=act_id,
            due_date=held.position.dues[-1].due_date,
            to_date=to_date,
        )
        return _due_date(event, business_date)

    request = {"to_date": to_date, "value_date": value_date, "reason": caller.reason}
    answer = on_live_loan(loan, "move_due_date", request, carry_out, caller=caller, key=key)
    return date.fromisoformat(answer["due_date"])


def re_age(
    loan: str, to_date: date, *, caller: Caller, key: str, value_date: date | None = None
) -> date:
    """Plan all that is outstanding of ``loan`` (its code) anew, to fall due by ``to_date``.

    Nothing is past due any more from ``value_date`` (the open business day where None) on.
    Repeating ``key`` returns the first answer.

    Raises ReasonMissing, NotALiveLoan, InvalidLoanEvent, EventInFuture, EventBeforeStart,
    KeyConflict.
    """
    refuse_unreasoned(caller, "re-age a loan")

    def carry_out(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        event = NewLoanEvent(
            loan_id=held.loan_id,
            kind=EventKind.RE_AGED,
            value_date=value_date or business_date,
            reference=f"re-aged:{to_date}",
            act_id=act_id,
            to_date=to_date,
        )
        return _due_date(event, business_date)

    request = {"to_date": to_date, "value_date": value_date, "reason": caller.reason}
    answer = on_live_loan(loan, "re_age", request, carry_out, caller=caller, key=key)
    return date.fromisoformat(answer["due_date"])


def _due_date(event: NewLoanEvent, business_date: date) -> dict[str, Any]:
    after = record_one(event, business_date).after.position
    assert after is not None
    return {"due_date": after.dues[-1].due_date.isoformat()}
