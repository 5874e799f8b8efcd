"""What an event does to a loan's position: allocation of receipts, payouts, fees, new rates.

Events are taken in the order of their value dates and, within a day, of ``EventKind``. A receipt
pays what is owed at its value date, bucket by bucket in the order of the terms; what finds no
debt is the supplier's credit, also before anything was paid out. Credit meets the next debt, a
fee or a payout, on the day it arises. So either nothing is owed or no credit is left.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from tallystick.rules.loan_events import (
    PLACE_IN_DAY,
    EventKind,
    LoanEvent,
    events_in_force,
    rate_in_ppb,
)
from tallystick.rules.loan_position import (
    FEES,
    INTEREST,
    PENALTY,
    PRINCIPAL_DUE,
    PRINCIPAL_NOT_DUE,
    Accrual,
    Position,
    accrual_to,
    opened,
    owed_by_bucket,
    pass_dues,
)
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.refusal import Refusal


class Movement(NamedTuple):
    """What one event did with money: its own amount, and which debts were paid because of it.

    A receipt pays with its amount. A payout or a fee is paid, as far as there is any, with the
    credit left from before: ``credit_minor`` is then below zero, and what it paid above.
    """

    event_id: int
    kind: EventKind
    value_date: date
    amount_minor: int
    fees_minor: int
    penalty_minor: int
    interest_minor: int
    principal_minor: int
    credit_minor: int


class Step(NamedTuple):
    """What taking one event did: the money it moved, and the accrual that its day closed.

    A change of the rate moves no money; an event that changes neither principal nor rate leaves
    the running totals as they were.
    """

    movement: Movement | None
    accrual: Accrual | None


class EventOutOfOrder(Refusal):
    """A position cannot take an event that counts from before, or from beside, its last one."""


class DisbursedAboveCommitment(Refusal):
    """More would have been paid out than the loan was agreed for."""


def position_of(
    terms: LoanTerms, events: Sequence[LoanEvent], *, on: date, known_on: date
) -> Position:
    """The position after all events that count ``on`` a day, as ``known_on`` a day.

    Raises what ``events_in_force`` and ``advance`` raise.
    """
    position = opened(terms)
    for event in events_in_force(events, start=terms.start, on=on, known_on=known_on):
        take(position, event)
    return position


def advance(position: Position, event: LoanEvent) -> Position:
    """The position after one more event, which must not count from before those it holds.

    Of one value date, kinds come in the order of ``EventKind``; a second rate change of one day
    and a reversal always need a fold of all events.

    Raises EventOutOfOrder and DisbursedAboveCommitment.
    """
    _refuse_out_of_order(position, event)
    moved = replace(position)
    take(moved, event)
    return moved


def take(position: Position, event: LoanEvent) -> Step:
    """Move ``position`` in place past an event that is next in order.

    Raises DisbursedAboveCommitment.
    """
    pass_dues(position, event.value_date)
    match event.kind:
        case EventKind.RECEIVED:
            step = _receive(position, event)
        case EventKind.DISBURSED:
            step = _disburse(position, event)
        case EventKind.FEE_CHARGED:
            step = _charge_fee(position, event)
        case EventKind.RATE_CHANGED:
            step = _change_rate(position, event)
        case EventKind.REVERSED:
            raise AssertionError("a reversal is not in force: it takes another event away")
    position.last_value_date = event.value_date
    position.last_kind = event.kind
    return step


def _refuse_out_of_order(position: Position, event: LoanEvent) -> None:
    if event.kind is EventKind.REVERSED:
        raise EventOutOfOrder(
            f"Event {event.event_id} reverses an earlier one: fold the loan's events anew."
        )
    if event.value_date > position.last_value_date:
        return
    comes_later_in_day = event.value_date == position.last_value_date and (
        position.last_kind is None
        or PLACE_IN_DAY[event.kind] > PLACE_IN_DAY[position.last_kind]
        or event.kind is position.last_kind is not EventKind.RATE_CHANGED
    )
    if not comes_later_in_day:
        raise EventOutOfOrder(
            f"Event {event.event_id} ({event.kind}, value date {event.value_date}) does not come "
            f"after the position's last ({position.last_kind or 'start'}, "
            f"{position.last_value_date}): fold the loan's events anew."
        )


def _receive(position: Position, event: LoanEvent) -> Step:
    amount_minor = _amount_minor(event)
    accrual = accrual_to(position, event.value_date)
    owed = owed_by_bucket(position, accrual)
    paid = {}
    remaining_minor = amount_minor
    for bucket in position.terms.receipt_order:
        paid[bucket] = min(owed[bucket], remaining_minor)
        remaining_minor -= paid[bucket]

    principal_minor = paid[PRINCIPAL_DUE] + paid[PRINCIPAL_NOT_DUE]
    if principal_minor:
        _accrue(position, accrual)
    position.fees_received_minor += paid[FEES]
    position.penalty_received_minor += paid[PENALTY]
    position.interest_received_minor += paid[INTEREST]
    position.principal_repaid_minor += principal_minor
    position.principal_minor -= principal_minor
    position.credit_minor += remaining_minor
    movement = Movement(
        event.event_id,
        event.kind,
        event.value_date,
        amount_minor,
        fees_minor=paid[FEES],
        penalty_minor=paid[PENALTY],
        interest_minor=paid[INTEREST],
        principal_minor=principal_minor,
        credit_minor=remaining_minor,
    )
    return Step(movement, accrual if principal_minor else None)


def _disburse(position: Position, event: LoanEvent) -> Step:
    amount_minor = _amount_minor(event)
    disbursed_minor = position.disbursed_minor + amount_minor
    committed_minor = position.terms.principal_minor
    if disbursed_minor > committed_minor:
        raise DisbursedAboveCommitment(
            f"Event {event.event_id} pays out {amount_minor}, {disbursed_minor} in all; the loan "
            f"was agreed for {committed_minor} ({position.terms.currency} minor units). "
            "Reverse the payout that did not happen, or agree a larger loan."
        )
    accrual = accrual_to(position, event.value_date)
    _accrue(position, accrual)
    from_credit_minor = min(position.credit_minor, amount_minor)
    position.disbursed_minor = disbursed_minor
    position.principal_repaid_minor += from_credit_minor
    position.principal_minor += amount_minor - from_credit_minor
    position.credit_minor -= from_credit_minor
    movement = Movement(
        event.event_id,
        event.kind,
        event.value_date,
        amount_minor,
        fees_minor=0,
        penalty_minor=0,
        interest_minor=0,
        principal_minor=from_credit_minor,
        credit_minor=-from_credit_minor,
    )
    return Step(movement, accrual)


def _charge_fee(position: Position, event: LoanEvent) -> Step:
    amount_minor = _amount_minor(event)
    from_credit_minor = min(position.credit_minor, amount_minor)
    position.fees_charged_minor += amount_minor
    position.fees_received_minor += from_credit_minor
    position.credit_minor -= from_credit_minor
    movement = Movement(
        event.event_id,
        event.kind,
        event.value_date,
        amount_minor,
        fees_minor=from_credit_minor,
        penalty_minor=0,
        interest_minor=0,
        principal_minor=0,
        credit_minor=-from_credit_minor,
    )
    return Step(movement, None)


def _change_rate(position: Position, event: LoanEvent) -> Step:
    assert event.annual_rate is not None
    rate_ppb = rate_in_ppb(event.annual_rate)
    if rate_ppb == position.rate_ppb:
        return Step(None, None)
    accrual = accrual_to(position, event.value_date)
    _accrue(position, accrual)
    position.rate_ppb = rate_ppb
    return Step(None, accrual)


def _accrue(position: Position, accrual: Accrual) -> None:
    """Close the running totals on a day, because principal or rate change on it."""
    position.accrued_to = accrual.on
    position.accrued_days = accrual.days
    position.accrued_numerator = accrual.interest_numerator
    position.penalty_numerator = accrual.penalty_numerator


def _amount_minor(event: LoanEvent) -> int:
    assert event.amount_minor is not None
    return event.amount_minor
