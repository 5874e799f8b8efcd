"""The instalments of a loan, each with what it comes to and how far it is paid."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from tallystick.rules.loan_position import Position, interest_met, past_due_minor
from tallystick.rules.loan_schedule import due_dates_to_come, paid_when_due
from tallystick.rules.loan_turns import pass_dues


class Paid(StrEnum):
    """How an instalment stands."""

    PAID = "paid"
    LATE = "late"
    DUE = "due"
    """Its due date is the day asked about."""
    TO_COME = "to_come"


class InstalmentOn(NamedTuple):
    """An instalment as it stands on a day; minor units.

    ``principal_minor`` as it is planned by then, ``interest_minor`` of the days since the due date
    before. ``unpaid_minor``: what is left of both. Where early repayment made a new plan, it is
    part of the next instalment, as paid.
    """

    number: int
    due_date: date
    principal_minor: int
    interest_minor: int
    unpaid_minor: int
    paid: Paid

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor


def instalments_on(position: Position, on: date) -> list[InstalmentOn]:
    """Every instalment of a loan ``on`` a day, if what is to come is paid on the days it falls due.

    What was repaid counts against the oldest, so that an instalment may be paid before its day.
    Penalty and fees belong to none. ``on`` is not before the position's last event.
    """
    interest_by_then = _interest_by_due_date(position, on)
    met_minor = interest_met(position)
    principal_minor = [
        0,
        *(min(due.planned_minor, position.disbursed_minor) for due in position.dues),
    ]
    unpaid_minor = [
        0,
        *(
            past_due_minor(position, by=n) + max(0, interest_minor - met_minor)
            for n, interest_minor in enumerate(interest_by_then)
        ),
    ]
    return [
        InstalmentOn(n, due.due_date, principal, interest, unpaid, _paid(due.due_date, unpaid, on))
        for n, (due, principal, interest, unpaid) in enumerate(
            zip(
                position.dues,
                _steps(principal_minor),
                _steps([0, *interest_by_then]),
                _steps(unpaid_minor),
                strict=True,
            ),
            start=1,
        )
    ]


def _interest_by_due_date(position: Position, on: date) -> Sequence[int]:
    """Interest accrued by each due date, those ahead as if everything is paid when it falls due."""
    for due_date in due_dates_to_come(position, on):
        position, _ = paid_when_due(position, due_date)
    position = replace(position)
    pass_dues(position, position.dues[-1].due_date)
    return position.interest_at_due_minor


def _steps(running_minor: Sequence[int]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(running_minor)]


def _paid(due_date: date, unpaid_minor: int, on: date) -> Paid:
    if not unpaid_minor:
        return Paid.PAID
    if due_date == on:
        return Paid.DUE
    return Paid.LATE if due_date < on else Paid.TO_COME
