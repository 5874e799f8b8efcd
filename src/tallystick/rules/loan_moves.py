"""What events leave behind: the money they moved, and the days of interest that they closed."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tallystick.rules.loan_events import EventKind, LoanEvent
from tallystick.rules.loan_position import (
    Accrual,
    Position,
    Segment,
    interest_segments,
    penalty_segments,
)


class Movement(NamedTuple):
    """What one event did with money: its own amount, and which debts it met.

    A receipt pays with its amount. A payout or a fee is paid, as far as there is any, with the
    credit left from before: ``credit_minor`` is then below zero, and what it paid above. What is
    waived or charged off meets debts without money. Money that goes back is below zero throughout.
    A recovery meets debts that are charged off already: only what is above them is credit.
    """

    event_id: int
    kind: EventKind
    value_date: date
    amount_minor: int
    fees_minor: int = 0
    penalty_minor: int = 0
    interest_minor: int = 0
    principal_minor: int = 0
    credit_minor: int = 0


def recovered_by(movement: Movement) -> int:
    """What of a recovery met debts that were charged off; nothing of any other event."""
    if movement.kind is not EventKind.RECOVERED:
        return 0
    met_minor = (
        movement.fees_minor
        + movement.penalty_minor
        + movement.interest_minor
        + movement.principal_minor
    )
    return movement.amount_minor - met_minor - movement.credit_minor


@dataclass(frozen=True, slots=True)
class Trace:
    """The days of interest and of penalty that events have closed, as they are taken.

    They are closed by events that change principal, rate or plan; the others leave the running
    totals as they were.
    """

    interest: list[Segment] = field(default_factory=list)
    penalty: list[Segment] = field(default_factory=list)

    def close(self, position: Position, on: date) -> None:
        self.interest.extend(interest_segments(position, on))
        self.penalty.extend(penalty_segments(position, on))


def close_days(position: Position, accrual: Accrual, trace: Trace | None) -> None:
    """Close the running totals on a day, because principal, rate or plan change on it."""
    if trace is not None:
        trace.close(position, accrual.on)
    position.accrued_to = accrual.on
    position.accrued_days = accrual.days
    position.accrued_numerator = accrual.interest_numerator
    position.penalty_numerator = accrual.penalty_numerator


def amount_of(event: LoanEvent) -> int:
    """The amount of an event whose kind carries one."""
    assert event.amount_minor is not None
    return event.amount_minor
