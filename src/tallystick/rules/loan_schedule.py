"""What a loan is to be paid when: as it was agreed, and as it stands."""

from dataclasses import replace
from datetime import date
from typing import NamedTuple

from tallystick.rules.daycount import accrual_denominator
from tallystick.rules.loan_balances import balances
from tallystick.rules.loan_events import RATE_UNITS, EventKind, LoanEvent, rate_in_ppb
from tallystick.rules.loan_position import Position, accrual_days_to
from tallystick.rules.loan_steps import advance
from tallystick.rules.loan_terms import LoanTerms, plan_of
from tallystick.rules.loan_turns import due_date_to_meet, pass_dues
from tallystick.rules.money import rounded
from tallystick.rules.schedule import Instalment, schedule

_NOT_RECORDED = 2**62


class Expected(NamedTuple):
    """What is to be paid on a day; minor units."""

    due_date: date
    principal_minor: int
    interest_minor: int
    penalty_minor: int
    fees_minor: int

    @property
    def extra_minor(self) -> int:
        """Penalty and fees."""
        return self.penalty_minor + self.fees_minor

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.extra_minor


def agreed_schedule(terms: LoanTerms) -> list[Instalment]:
    """What falls due when if the loan is paid out whole on its first day and runs as agreed."""
    if terms.agreed_plan is None:
        return schedule(plan_of(terms))
    rows = []
    denominator = RATE_UNITS * accrual_denominator(terms.day_count)
    rate_ppb = rate_in_ppb(terms.annual_rate)
    balance_minor = terms.principal_minor
    numerator = charged_minor = days = 0
    for n, due in enumerate(terms.agreed_plan.dues, start=1):
        days_to = accrual_days_to(terms, due.due_date)
        numerator += balance_minor * rate_ppb * (days_to - days)
        days = days_to
        running_minor = rounded(numerator, denominator, terms.rounding)
        left_minor = terms.principal_minor - due.planned_minor
        rows.append(
            Instalment(
                n,
                due.due_date,
                balance_minor - left_minor,
                running_minor - charged_minor,
                0,
                left_minor,
            )
        )
        balance_minor, charged_minor = left_minor, running_minor
    return rows


def expected_payments(position: Position, on: date) -> list[Expected]:
    """What is to come, if nothing else happens and everything is paid on the day it falls due.

    What is past due already is expected ``on`` that day.
    """
    expected = []
    for due_date in due_dates_to_come(position, on):
        position, payment = paid_when_due(position, due_date)
        if payment is not None:
            expected.append(payment)
    return expected


def due_dates_to_come(position: Position, on: date) -> list[date]:
    """The due dates after ``on``, and ``on`` itself where something is due by then."""
    position = replace(position)
    pass_dues(position, on)
    ahead = [due.due_date for due in position.dues if due.due_date > on]
    is_due = not ahead or due_date_to_meet(position) <= on
    return [on, *ahead] if is_due else ahead


def paid_when_due(position: Position, on: date) -> tuple[Position, Expected | None]:
    """The position once everything due ``on`` a day has been paid on it, and what that is."""
    owed = balances(position, on)
    is_last = on >= position.dues[-1].due_date
    payment = Expected(
        on,
        owed.principal_minor if is_last else owed.principal_due_minor,
        owed.interest_due_minor,
        owed.penalty_due_minor,
        owed.fees_due_minor,
    )
    if payment.total_minor <= 0:
        return position, None
    receipt = LoanEvent(_NOT_RECORDED, EventKind.RECEIVED, on, on, payment.total_minor)
    if on == position.last_value_date:
        # It may come after an event of a kind that receipts precede: what is owed is the same.
        position = replace(position, last_kind=EventKind.RECEIVED)
    return advance(position, receipt), payment
