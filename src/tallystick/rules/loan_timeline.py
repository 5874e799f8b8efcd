"""A loan over time: what stood on which day, which money moved, and what is still to come.

What is to come supposes that nothing else happens and that everything is paid on the day it falls
due; what is past due already, on the day asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tallystick.rules.loan_balances import balances
from tallystick.rules.loan_events import EventKind, LoanEvent, events_in_force
from tallystick.rules.loan_moves import Movement
from tallystick.rules.loan_position import Position, opened
from tallystick.rules.loan_schedule import due_dates_to_come, paid_when_due
from tallystick.rules.loan_steps import take
from tallystick.rules.loan_terms import LoanTerms

MAX_POINTS = 120
"""Days at most that a timeline shows besides those on which something happens."""

_COMES_IN = {
    EventKind.DISBURSED: -1,
    EventKind.RECEIVED: 1,
    EventKind.REMITTED: 1,
    EventKind.REPAID: 1,
    EventKind.PREPAID: 1,
    EventKind.RECOVERED: 1,
    EventKind.CHARGED_BACK: 1,
    EventKind.REFUNDED: 1,
}
"""Events that move cash, and on which side; what goes back is below zero by itself."""


@dataclass(frozen=True, slots=True)
class Point:
    """What stood at the end of a day, in minor units; ``charges_minor``: all but principal."""

    on: date
    principal_minor: int
    charges_minor: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Cash of a day: above zero it comes in, below it leaves. ``is_projected``: expected."""

    value_date: date
    kind: EventKind
    amount_minor: int
    is_projected: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Points in order of their days, one a day, and flows in the order they happen."""

    points: tuple[Point, ...]
    flows: tuple[Flow, ...]


def timeline(
    terms: LoanTerms, events: Sequence[LoanEvent], *, on: date, known_on: date
) -> Timeline:
    """The loan from its first day to its last due date, as ``known_on`` a day; ``on`` is today.

    Raises what ``loan.fold`` raises.
    """
    position = opened(terms)
    flows: list[Flow] = []
    stood: dict[date, Point] = {}
    day = terms.start
    step = timedelta(days=max(1, (on - terms.start).days // MAX_POINTS))
    for event in events_in_force(events, start=terms.start, on=on, known_on=known_on):
        while day < event.value_date:
            stood[day] = _point(position, day)
            day += step
        movement = take(position, event)
        if movement is not None and (flow := _flow(movement)):
            flows.append(flow)
        stood[event.value_date] = _point(position, event.value_date)
    while day < on:
        stood[day] = _point(position, max(day, position.last_value_date))
        day += step
    stood[on] = _point(position, on)
    for due_date in due_dates_to_come(position, on):
        for between in _between(max(stood), due_date):
            stood[between] = _point(position, between)
        position, payment = paid_when_due(position, due_date)
        if payment is not None:
            flows.append(Flow(due_date, EventKind.RECEIVED, payment.total_minor, True))
        stood[due_date] = _point(position, due_date)
    return Timeline(tuple(stood[day] for day in sorted(stood)), tuple(flows))


def _point(position: Position, on: date) -> Point:
    owed = balances(position, on)
    return Point(on, owed.principal_minor, owed.owed_minor - owed.principal_minor)


def _flow(movement: Movement) -> Flow | None:
    side = _COMES_IN.get(movement.kind)
    if side is None:
        return None
    return Flow(movement.value_date, movement.kind, side * movement.amount_minor, False)


def _between(start: date, end: date) -> list[date]:
    step = max(1, (end - start).days // 12)
    return [start + timedelta(days=n) for n in range(step, (end - start).days, step)]
