"""A loan's movements in the order of a statement: what was added to the debt, and what was paid.

Interest and penalty are stated when something else happens to the loan and at the days asked for,
as what their rounded running totals have grown by. So a loan's movements up to a day sum to what
it owes after the night of that day.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from tallystick.rules.loan_events import EventKind, LoanEvent, events_in_force
from tallystick.rules.loan_moves import Movement
from tallystick.rules.loan_position import Position, opened, running_interest, running_penalty
from tallystick.rules.loan_steps import take
from tallystick.rules.loan_terms import LoanTerms


class StatedKind(StrEnum):
    """What a line of a statement is about."""

    PAID_OUT = "paid_out"
    INTEREST = "interest"
    PENALTY = "penalty"
    FEE = "fee"
    REPAID = "repaid"
    MET_FROM_CREDIT = "met_from_credit"
    WAIVED = "waived"
    CHARGED_OFF = "charged_off"
    TAKEN_BACK = "taken_back"


class Stated(NamedTuple):
    """One movement: above zero it adds to the debt, below it takes off. Minor units."""

    value_date: date
    kind: StatedKind
    amount_minor: int
    event_id: int | None


def stated_movements(
    terms: LoanTerms,
    events: Sequence[LoanEvent],
    *,
    until: Sequence[date],
    known_on: date = date.max,
) -> list[Stated]:
    """The movements of a loan up to the last day of ``until``, that night's interest included.

    ``known_on``: what was booked after it does not count. ``until`` are the last days of the
    periods that a statement tells apart, in order: the interest of each stands in its own period.

    Raises what ``events_in_force`` and ``take`` raise.
    """
    stated: list[Stated] = []
    position = opened(terms)
    told = _Told()
    last_day = until[-1]
    in_force = events_in_force(events, start=terms.start, on=last_day, known_on=known_on)
    nights = [day for day in until if day >= terms.start]
    for event in in_force:
        while nights and nights[0] < event.value_date:
            stated += told.accrued(position, nights[0], to=nights[0] + timedelta(days=1))
            del nights[0]
        stated += told.accrued(position, event.value_date, to=event.value_date)
        movement = take(position, event)
        if movement is not None:
            stated += _moved(movement)
    for night in nights:
        stated += told.accrued(position, night, to=night + timedelta(days=1))
    return stated


class _Told:
    """How much of the running totals the statement has told so far."""

    def __init__(self) -> None:
        self.interest_minor = 0
        self.penalty_minor = 0

    def accrued(self, position: Position, on: date, *, to: date) -> Iterator[Stated]:
        """What interest and penalty have grown by up to ``to`` (excluded), stated ``on`` a day."""
        interest_minor = running_interest(position, to)
        penalty_minor = running_penalty(position, to)
        if interest_minor != self.interest_minor:
            yield Stated(on, StatedKind.INTEREST, interest_minor - self.interest_minor, None)
        if penalty_minor != self.penalty_minor:
            yield Stated(on, StatedKind.PENALTY, penalty_minor - self.penalty_minor, None)
        self.interest_minor, self.penalty_minor = interest_minor, penalty_minor


_ADDS = {EventKind.DISBURSED: StatedKind.PAID_OUT, EventKind.FEE_CHARGED: StatedKind.FEE}

_MEETS = {
    EventKind.DISBURSED: StatedKind.MET_FROM_CREDIT,
    EventKind.FEE_CHARGED: StatedKind.MET_FROM_CREDIT,
    EventKind.WAIVED: StatedKind.WAIVED,
    EventKind.CHARGED_OFF: StatedKind.CHARGED_OFF,
    EventKind.CHARGED_BACK: StatedKind.TAKEN_BACK,
    EventKind.REFUNDED: StatedKind.TAKEN_BACK,
}
"""How a debt was met, other than by money that came in."""


def _moved(movement: Movement) -> Iterator[Stated]:
    met_minor = (
        movement.fees_minor
        + movement.penalty_minor
        + movement.interest_minor
        + movement.principal_minor
    )
    adds = _ADDS.get(movement.kind)
    if adds is not None:
        yield Stated(movement.value_date, adds, movement.amount_minor, movement.event_id)
    if met_minor:
        kind = _MEETS.get(movement.kind, StatedKind.REPAID)
        yield Stated(movement.value_date, kind, -met_minor, movement.event_id)
