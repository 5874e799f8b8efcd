"""Every figure of a loan as a sum of named terms.

A figure's terms add up to it exactly. Where a running total was rounded, the rounding is a term
of its own, so that nothing is left for the reader to guess.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tallystick.rules.loan import LoanState, days_of, interest_of
from tallystick.rules.loan_balances import Balances
from tallystick.rules.loan_events import EventKind, rate_from_ppb
from tallystick.rules.loan_moves import Movement, recovered_by
from tallystick.rules.loan_position import Segment
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.money import Rounding, rounded

SHOWN_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a figure, exact and signed, in the figure's unit."""

    name: str
    amount: Fraction

    @property
    def shown(self) -> str:
        """The amount for reading: a whole number, or six decimals rounded half-up."""
        if self.amount.denominator == 1:
            return str(self.amount)
        scaled = rounded(
            self.amount.numerator * 10**SHOWN_DECIMALS, self.amount.denominator, Rounding.HALF_UP
        )
        return f"{Decimal(scaled).scaleb(-SHOWN_DECIMALS):f}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the loan's state, in minor units or days, and the terms it is the sum of."""

    name: str
    value: int
    terms: tuple[Term, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "value": self.value,
            "terms": [{"name": term.name, "amount": term.shown} for term in self.terms],
        }


def explained(state: LoanState) -> tuple[Figure, ...]:
    """The figures of ``state``, from what was paid out to what is owed, each as its terms."""
    owed = state.balances
    moved = state.movements
    return (
        Figure(
            "principal_minor",
            owed.principal_minor,
            (
                *_charged(moved, EventKind.DISBURSED, "paid out"),
                *_met(moved, "principal_minor", "repaid"),
            ),
        ),
        Figure(
            "interest_accrued_minor",
            owed.interest_accrued_minor,
            tuple(_accrued(state.terms, state.segments, owed.interest_accrued_minor)),
        ),
        Figure(
            "interest_due_minor",
            owed.interest_due_minor,
            (
                Term("interest accrued", Fraction(owed.interest_accrued_minor)),
                *_met(moved, "interest_minor", "received"),
            ),
        ),
        Figure(
            "penalty_accrued_minor",
            owed.penalty_accrued_minor,
            tuple(_accrued(state.terms, state.penalty_segments, owed.penalty_accrued_minor)),
        ),
        Figure(
            "penalty_due_minor",
            owed.penalty_due_minor,
            (
                Term("penalty accrued", Fraction(owed.penalty_accrued_minor)),
                *_met(moved, "penalty_minor", "received"),
            ),
        ),
        Figure(
            "fees_due_minor",
            owed.fees_due_minor,
            (
                *_charged(moved, EventKind.FEE_CHARGED, "charged"),
                *_met(moved, "fees_minor", "received"),
            ),
        ),
        Figure(
            "owed_minor",
            owed.owed_minor,
            (
                Term("fees due", Fraction(owed.fees_due_minor)),
                Term("penalty due", Fraction(owed.penalty_due_minor)),
                Term("interest due", Fraction(owed.interest_due_minor)),
                Term("principal", Fraction(owed.principal_minor)),
            ),
        ),
        Figure("credit_minor", owed.credit_minor, tuple(_credit(moved))),
        Figure("charged_off_minor", owed.charged_off_minor, tuple(_charged_off(owed))),
        Figure("recovered_minor", owed.recovered_minor, tuple(_recovered(moved))),
        Figure("days_past_due", owed.days_past_due, tuple(_days_past_due(state))),
    )


def _charged(movements: Iterable[Movement], kind: EventKind, verb: str) -> Iterator[Term]:
    for movement in movements:
        if movement.kind is kind:
            yield Term(_dated(verb, movement), Fraction(movement.amount_minor))


_FROM_CREDIT = (EventKind.DISBURSED, EventKind.FEE_CHARGED)

_VERBS = {
    EventKind.CHARGED_BACK: "charged back",
    EventKind.REFUNDED: "refunded",
    EventKind.WAIVED: "waived",
    EventKind.CHARGED_OFF: "charged off",
}
"""What an event other than a receipt does to the debts it meets."""


def _met(movements: Iterable[Movement], part: str, verb: str) -> Iterator[Term]:
    for movement in movements:
        met_minor = getattr(movement, part)
        if met_minor:
            source = " from credit" if movement.kind in _FROM_CREDIT else ""
            yield Term(
                _dated(_VERBS.get(movement.kind, verb) + source, movement), Fraction(-met_minor)
            )


def _charged_off(owed: Balances) -> Iterator[Term]:
    for name in ("principal", "interest", "penalty", "fees"):
        minor = getattr(owed, f"{name}_charged_off_minor")
        if minor:
            yield Term(f"{name} charged off {owed.charged_off_date}", Fraction(minor))


def _recovered(movements: Iterable[Movement]) -> Iterator[Term]:
    for movement in movements:
        minor = recovered_by(movement)
        if minor:
            yield Term(_dated("recovered", movement), Fraction(minor))


def _credit(movements: Iterable[Movement]) -> Iterator[Term]:
    for movement in movements:
        if movement.credit_minor:
            verb = "left over" if movement.credit_minor > 0 else "used"
            verb = _VERBS.get(movement.kind, verb)
            yield Term(_dated(verb, movement), Fraction(movement.credit_minor))


def _accrued(terms: LoanTerms, segments: Iterable[Segment], accrued_minor: int) -> Iterator[Term]:
    exact = Fraction(0)
    for segment in segments:
        interest = interest_of(terms, segment)
        exact += interest
        yield Term(
            f"{segment.start_date} to {segment.end_date}: {days_of(terms, segment)} days × "
            f"{segment.principal_minor} × {rate_from_ppb(segment.rate_ppb):f} ({terms.day_count})",
            interest,
        )
    if exact != accrued_minor:
        yield Term(f"rounding ({terms.rounding})", accrued_minor - exact)


def _days_past_due(state: LoanState) -> Iterator[Term]:
    owed = state.balances
    if owed.past_due_since_date is not None:
        yield Term(
            f"days from {owed.past_due_since_date} to {owed.on}", Fraction(owed.days_past_due)
        )


def _dated(verb: str, movement: Movement) -> str:
    return f"{verb} {movement.value_date} (event {movement.event_id})"
