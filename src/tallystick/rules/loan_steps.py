"""What an event does to a loan's position: receipts, payouts, fees, new rates, losses, new plans.

Events are taken in the order of their value dates and, within a day, of ``EventKind``. A receipt
pays what is owed at its value date, in the order of the terms (``receipt_orders``); what finds no
debt is the supplier's credit, also before anything was paid out. Credit meets the next debt, a
fee or a payout, on the day it arises. So either nothing is owed or no credit is left.

Money that goes back (a receipt charged back, credit refunded) is taken from the credit first, then
from what was repaid of principal, interest, penalty and fees, which is owed again. A charge-off
takes everything that is owed off the books; after it, money can only be recovered.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from tallystick.rules import loan_losses, loan_plan
from tallystick.rules.loan_events import (
    PLACE_IN_DAY,
    EventKind,
    LoanEvent,
    events_in_force,
)
from tallystick.rules.loan_moves import Movement, Trace, amount_of, close_days
from tallystick.rules.loan_position import (
    Position,
    accrual_to,
    opened,
)
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.loan_turns import pass_dues
from tallystick.rules.receipt_orders import paid_by_receipt
from tallystick.rules.refusal import Refusal


class EventOutOfOrder(Refusal):
    """A position cannot take an event that counts from before, or from beside, its last one."""


class DisbursedAboveCommitment(Refusal):
    """More would have been paid out than the loan was agreed for."""


class EventAfterChargeOff(Refusal):
    """Something other than a recovery would count from after the charge-off."""


def position_of(
    terms: LoanTerms, events: Sequence[LoanEvent], *, on: date, known_on: date
) -> Position:
    """The position after all events that count ``on`` a day, as ``known_on`` a day.

    Raises what ``events_in_force`` and ``advance`` raise.
    """
    return position_after(
        terms, events_in_force(events, start=terms.start, on=on, known_on=known_on)
    )


def position_after(terms: LoanTerms, in_force: Iterable[LoanEvent]) -> Position:
    """The position after events that are in force, in their order. Raises what ``take`` raises."""
    position = opened(terms)
    for event in in_force:
        take(position, event)
    return position


def advance(position: Position, event: LoanEvent) -> Position:
    """The position after one more event, which must not count from before those it holds.

    Of one value date, kinds come in the order of ``EventKind``; a second rate change of one day
    and a reversal always need a fold of all events.

    Raises EventOutOfOrder, and what ``take`` raises.
    """
    _refuse_out_of_order(position, event)
    moved = replace(position)
    take(moved, event)
    return moved


def take(position: Position, event: LoanEvent, trace: Trace | None = None) -> Movement | None:
    """Move ``position`` in place past an event that is next in order.

    Returns what it did with money; a change of rate or plan does nothing. ``trace`` keeps the days
    that the event closes.

    Raises DisbursedAboveCommitment, EventAfterChargeOff, TakenBackAboveReceived,
    ExtensionTooShort and DueNotMovable.
    """
    pass_dues(position, event.value_date, trace)
    if position.charged_off_date is not None and event.kind is not EventKind.RECOVERED:
        raise EventAfterChargeOff(
            f"Event {event.event_id} ({event.kind}) has value date {event.value_date}, and the "
            f"loan was charged off on {position.charged_off_date}: record money that comes in as "
            "recovered, or reverse the charge-off first."
        )
    movement = _TAKEN[event.kind](position, event, trace)
    position.last_value_date = event.value_date
    position.last_kind = event.kind
    return movement


def _refuse_out_of_order(position: Position, event: LoanEvent) -> None:
    if event.kind is EventKind.REVERSED:
        raise EventOutOfOrder(
            f"Event {event.event_id} reverses an earlier one: fold the loan's events anew."
        )
    if event.value_date > position.last_value_date and event.value_date >= position.accrued_to:
        return
    place = PLACE_IN_DAY[event.kind]
    last_place = -1 if position.last_kind is None else PLACE_IN_DAY[position.last_kind]
    comes_later_in_day = event.value_date == position.stands_from_date and (
        place > last_place or (place == last_place and event.kind is not EventKind.RATE_CHANGED)
    )
    if not comes_later_in_day:
        raise EventOutOfOrder(
            f"Event {event.event_id} ({event.kind}, value date {event.value_date}) does not come "
            f"after the position's last ({position.last_kind or 'start'}, "
            f"{position.stands_from_date}): fold the loan's events anew."
        )


def _receive(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    amount_minor = amount_of(event)
    accrual = accrual_to(position, event.value_date)
    paid, remaining_minor = paid_by_receipt(position, accrual, amount_minor, event.kind)
    fees_minor, penalty_minor, interest_minor, due_minor, not_due_minor = paid
    principal_minor = due_minor + not_due_minor
    if principal_minor:
        close_days(position, accrual, trace)
        position.principal_repaid_minor += principal_minor
        position.principal_minor -= principal_minor
    position.fees_received_minor += fees_minor
    position.penalty_received_minor += penalty_minor
    position.interest_received_minor += interest_minor
    position.credit_minor += remaining_minor
    keeps = position.terms.prepaid_keeps if not_due_minor else None
    if event.keeps is not None:
        keeps = event.keeps
        close_days(position, accrual, trace)
    if keeps is not None:
        loan_plan.spread_after_prepayment(position, event.value_date, keeps)
    return Movement(
        event.event_id,
        event.kind,
        event.value_date,
        amount_minor,
        fees_minor,
        penalty_minor,
        interest_minor,
        principal_minor,
        remaining_minor,
    )


def _disburse(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    amount_minor = amount_of(event)
    _refuse_above_commitment(position, event, amount_minor)
    accrual = accrual_to(position, event.value_date)
    close_days(position, accrual, trace)
    from_credit_minor = min(position.credit_minor, amount_minor)
    position.disbursed_minor += amount_minor
    position.principal_repaid_minor += from_credit_minor
    position.principal_minor += amount_minor - from_credit_minor
    position.credit_minor -= from_credit_minor
    return Movement(
        event.event_id,
        event.kind,
        event.value_date,
        amount_minor,
        principal_minor=from_credit_minor,
        credit_minor=-from_credit_minor,
    )


def _charge_fee(position: Position, event: LoanEvent, _trace: Trace | None) -> Movement | None:
    amount_minor = amount_of(event)
    from_credit_minor = min(position.credit_minor, amount_minor)
    position.fees_charged_minor += amount_minor
    position.fees_received_minor += from_credit_minor
    position.credit_minor -= from_credit_minor
    return Movement(
        event.event_id,
        event.kind,
        event.value_date,
        amount_minor,
        fees_minor=from_credit_minor,
        credit_minor=-from_credit_minor,
    )


def _refuse_above_commitment(position: Position, event: LoanEvent, amount_minor: int) -> None:
    """All payouts count against the commitment; of a revolving loan, what is outstanding."""
    terms = position.terms
    used_minor = position.disbursed_minor
    if terms.revolving:
        used_minor = position.principal_minor - position.credit_minor
    if used_minor + amount_minor > terms.principal_minor:
        raise DisbursedAboveCommitment(
            f"Event {event.event_id} pays out {amount_minor}, {used_minor + amount_minor} in all; "
            f"the loan was agreed for {terms.principal_minor} ({terms.currency} minor units). "
            "Reverse the payout that did not happen, or agree a larger loan."
        )


def _recover(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    """Money for what was charged off; above it, it is the supplier's credit.

    Where a back-dated event has left nothing to charge off, it is money like any other.
    """
    if position.charged_off_date is None:
        return _receive(position, event, trace)
    amount_minor = amount_of(event)
    recovered_minor = min(amount_minor, position.charged_off_minor - position.recovered_minor)
    position.recovered_minor += recovered_minor
    position.credit_minor += amount_minor - recovered_minor
    return Movement(
        event.event_id,
        event.kind,
        event.value_date,
        amount_minor,
        credit_minor=amount_minor - recovered_minor,
    )


def _change_rate(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    if loan_plan.is_other_rate(position, event):
        close_days(position, accrual_to(position, event.value_date), trace)
        loan_plan.change_rate(position, event)
        loan_plan.even_anew(position, event.value_date)
    return None


def _extend(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    return _planned_anew(position, event, trace, loan_plan.extend)


def _move_due(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    return _planned_anew(position, event, trace, loan_plan.move_due)


def _re_age(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    return _planned_anew(position, event, trace, loan_plan.begin_anew)


def _restructure(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    accrual = accrual_to(position, event.value_date)
    close_days(position, accrual, trace)
    loan_plan.change_rate(position, event)
    loan_plan.begin_anew(position, event)
    return None


def _pause(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    """No interest runs from the value date to ``to_date``, both included."""
    assert event.to_date is not None
    accrual = accrual_to(position, event.value_date)
    close_days(position, accrual, trace)
    position.interest_from = max(position.interest_from, event.to_date + timedelta(days=1))
    return None


def _planned_anew(
    position: Position,
    event: LoanEvent,
    trace: Trace | None,
    plan: Callable[[Position, LoanEvent], None],
) -> Movement | None:
    """Penalty has run by the old plan up to the value date, and runs by the new one from it."""
    accrual = accrual_to(position, event.value_date)
    close_days(position, accrual, trace)
    plan(position, event)
    return None


_TAKEN: dict[EventKind, Callable[[Position, LoanEvent, Trace | None], Movement | None]] = {
    EventKind.RATE_CHANGED: _change_rate,
    EventKind.RESTRUCTURED: _restructure,
    EventKind.RE_AGED: _re_age,
    EventKind.EXTENDED: _extend,
    EventKind.DUE_MOVED: _move_due,
    EventKind.INTEREST_PAUSED: _pause,
    EventKind.FEE_CHARGED: _charge_fee,
    EventKind.DISBURSED: _disburse,
    EventKind.RECEIVED: _receive,
    EventKind.REMITTED: _receive,
    EventKind.REPAID: _receive,
    EventKind.PREPAID: _receive,
    EventKind.CHARGED_BACK: loan_losses.give_back,
    EventKind.REFUNDED: loan_losses.give_back,
    EventKind.WAIVED: loan_losses.waive,
    EventKind.CHARGED_OFF: loan_losses.charge_off,
    EventKind.RECOVERED: _recover,
}
"""What each kind does; a reversal is never in force: it takes another event away."""
