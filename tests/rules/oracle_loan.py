"""A loan read aloud, one night at a time, in fractions: slow, obvious, and never rounded inside.

Restates the clauses of ``rules.loan`` without their closed forms: every night adds its interest
and its penalty to a running total, every day its events, one by one.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from tallystick.rules.daycount import accrual_days, accrual_denominator
from tallystick.rules.loan_events import EventKind, LoanEvent
from tallystick.rules.loan_terms import LoanTerms, plan_of
from tallystick.rules.money import rounded
from tallystick.rules.schedule import schedule

PLACES = ["rate_changed", "fee_charged", "disbursed", "received"]


@dataclass
class Loan:
    """Everything that is known of the loan on the day that has been reached."""

    rate: Fraction
    principal: int = 0
    repaid: int = 0
    interest: Fraction = Fraction(0)
    interest_paid: int = 0
    penalty: Fraction = Fraction(0)
    penalty_paid: int = 0
    fees: int = 0
    fees_paid: int = 0
    credit: int = 0
    interest_by_due_date: dict[date, int] = field(default_factory=dict)


def state(terms: LoanTerms, events: list[LoanEvent], *, on: date, known_on: date) -> dict[str, int]:
    """The figures that ``rules.loan_position.Balances`` holds, by the same names."""
    happened = [event for event in remaining(events, known_on) if event.value_date <= on]
    dues = [(row.due_date, row.principal_minor) for row in schedule(plan_of(terms))]
    loan = Loan(rate=Fraction(terms.annual_rate))
    day = terms.start
    while True:
        if day in [due_date for due_date, _ in dues]:
            loan.interest_by_due_date[day] = whole(loan.interest, terms)
        for event in in_order_of_the_day(happened, day):
            happen(loan, event, terms, planned(dues, day))
        if day == on:
            break
        year_part = night(terms, day)
        loan.interest += loan.principal * loan.rate * year_part
        bearing = planned(dues, day - timedelta(days=terms.penalty_grace_days))
        loan.penalty += past_due(loan, bearing) * Fraction(terms.penalty_rate) * year_part
        day += timedelta(days=1)
    return figures(loan, terms, dues, on)


def remaining(events: list[LoanEvent], known_on: date) -> list[LoanEvent]:
    """What was known and not taken back."""
    known = [event for event in events if event.booking_date <= known_on]

    taken_back = {event.reverses for event in known}
    return [
        event
        for event in known
        if event.kind is not EventKind.REVERSED and event.event_id not in taken_back
    ]


def in_order_of_the_day(events: list[LoanEvent], day: date) -> list[LoanEvent]:
    return sorted(
        (event for event in events if event.value_date == day),
        key=lambda event: (PLACES.index(event.kind), event.booking_date, event.event_id),
    )


def happen(loan: Loan, event: LoanEvent, terms: LoanTerms, planned_by_now: int) -> None:
    amount = event.amount_minor or 0
    if event.kind == "rate_changed":
        loan.rate = Fraction(event.annual_rate)
    elif event.kind == "fee_charged":
        loan.fees += amount
        used = min(loan.credit, amount)
        loan.fees_paid += used
        loan.credit -= used
    elif event.kind == "disbursed":
        loan.principal += amount
        used = min(loan.credit, amount)
        loan.principal -= used
        loan.repaid += used
        loan.credit -= used
    else:
        receive(loan, amount, terms, planned_by_now)


def receive(loan: Loan, amount: int, terms: LoanTerms, planned_by_now: int) -> None:
    for bucket in terms.receipt_order:
        if bucket == "fees":
            paid = min(amount, loan.fees - loan.fees_paid)
            loan.fees_paid += paid
        elif bucket == "penalty":
            paid = min(amount, whole(loan.penalty, terms) - loan.penalty_paid)
            loan.penalty_paid += paid
        elif bucket == "interest":
            paid = min(amount, whole(loan.interest, terms) - loan.interest_paid)
            loan.interest_paid += paid
        else:
            due = past_due(loan, planned_by_now)
            if bucket == "principal_not_due":
                due = loan.principal - due
            paid = min(amount, due)
            loan.principal -= paid
            loan.repaid += paid
        amount -= paid
    loan.credit += amount


def planned(dues: list[tuple[date, int]], day: date) -> int:
    """Principal that the plan wants repaid by the end of ``day``."""
    return sum(principal for due_date, principal in dues if due_date <= day)


def past_due(loan: Loan, planned_by_now: int) -> int:
    return min(loan.principal, max(0, planned_by_now - loan.repaid))


def night(terms: LoanTerms, day: date) -> Fraction:
    """The part of a year that the night after ``day`` is, days counted from the loan's start."""
    until, since = (
        accrual_days(terms.day_count, terms.start, end, termination_date=terms.maturity)
        for end in (day + timedelta(days=1), day)
    )
    return Fraction(until - since, accrual_denominator(terms.day_count))


def whole(exact: Fraction, terms: LoanTerms) -> int:
    return rounded(exact.numerator, exact.denominator, terms.rounding)


def figures(loan: Loan, terms: LoanTerms, dues: list[tuple[date, int]], on: date) -> dict[str, int]:
    interest = whole(loan.interest, terms)
    penalty = whole(loan.penalty, terms)
    owed = {
        "principal_minor": loan.principal,
        "interest_due_minor": interest - loan.interest_paid,
        "penalty_due_minor": penalty - loan.penalty_paid,
        "fees_due_minor": loan.fees - loan.fees_paid,
    }
    unpaid = [
        due_date
        for due_date, _ in dues
        if due_date < on
        and (
            past_due(loan, planned(dues, due_date)) > 0
            or loan.interest_by_due_date[due_date] > loan.interest_paid
            or (due_date == dues[-1][0] and sum(owed.values()) > 0)
        )
    ]
    return {
        **owed,
        "owed_minor": sum(owed.values()),
        "principal_due_minor": past_due(loan, planned(dues, on)),
        "principal_repaid_minor": loan.repaid,
        "interest_accrued_minor": interest,
        "interest_received_minor": loan.interest_paid,
        "penalty_accrued_minor": penalty,
        "penalty_received_minor": loan.penalty_paid,
        "fees_charged_minor": loan.fees,
        "fees_received_minor": loan.fees_paid,
        "credit_minor": loan.credit,
        "days_past_due": (on - min(unpaid)).days if unpaid else 0,
    }
