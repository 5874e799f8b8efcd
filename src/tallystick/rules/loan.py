"""A loan is a fold over its events: what it owes on a day, and where every figure comes from.

``fold`` takes all events of a loan in any order. Back-dated events need nothing more than the
next fold, which says where all the money went: money that now finds no debt is the supplier's
credit, and a debt that lost its money is owed again. Nothing that was paid out is asked back.

Which events are in force, and in what order, stands in ``loan_events``; how a receipt is
allocated in ``loan_steps``; how interest and penalty run in ``loan_position``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tallystick.rules.daycount import accrual_denominator, day_count_days
from tallystick.rules.loan_balances import AskedTooEarly, Balances, balances
from tallystick.rules.loan_events import RATE_UNITS, LoanEvent, events_in_force, rate_from_ppb
from tallystick.rules.loan_moves import Movement, Trace
from tallystick.rules.loan_position import (
    Segment,
    opened,
)
from tallystick.rules.loan_steps import take
from tallystick.rules.loan_terms import LoanTerms

INTEREST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class LoanState:
    """What a loan owes on a day, with the sums behind it.

    The exact interest of ``segments`` adds up to the running total that
    ``balances.interest_accrued_minor`` rounds; ``penalty_segments`` likewise.
    """

    terms: LoanTerms
    balances: Balances
    segments: tuple[Segment, ...]
    penalty_segments: tuple[Segment, ...]
    movements: tuple[Movement, ...]

    def as_json(self) -> dict[str, object]:
        """The state in plain JSON values: dates as ISO text, amounts as integers.

        For the interest of segments see ``segments_as_json``.
        """
        owed = self.balances
        return {
            "on": owed.on.isoformat(),
            "currency": self.terms.currency,
            "disbursed_minor": owed.disbursed_minor,
            "principal_repaid_minor": owed.principal_repaid_minor,
            "principal_charged_off_minor": owed.principal_charged_off_minor,
            "principal_minor": owed.principal_minor,
            "principal_due_minor": owed.principal_due_minor,
            "interest_accrued_minor": owed.interest_accrued_minor,
            "interest_received_minor": owed.interest_received_minor,
            "interest_waived_minor": owed.interest_waived_minor,
            "interest_charged_off_minor": owed.interest_charged_off_minor,
            "interest_due_minor": owed.interest_due_minor,
            "penalty_accrued_minor": owed.penalty_accrued_minor,
            "penalty_received_minor": owed.penalty_received_minor,
            "penalty_waived_minor": owed.penalty_waived_minor,
            "penalty_charged_off_minor": owed.penalty_charged_off_minor,
            "penalty_due_minor": owed.penalty_due_minor,
            "fees_charged_minor": owed.fees_charged_minor,
            "fees_received_minor": owed.fees_received_minor,
            "fees_waived_minor": owed.fees_waived_minor,
            "fees_charged_off_minor": owed.fees_charged_off_minor,
            "fees_due_minor": owed.fees_due_minor,
            "recovered_minor": owed.recovered_minor,
            "principal_recovered_minor": owed.principal_recovered_minor,
            "interest_recovered_minor": owed.interest_recovered_minor,
            "penalty_recovered_minor": owed.penalty_recovered_minor,
            "fees_recovered_minor": owed.fees_recovered_minor,
            "credit_minor": owed.credit_minor,
            "owed_minor": owed.owed_minor,
            "days_past_due": owed.days_past_due,
            "due_date": owed.due_date.isoformat(),
            "charged_off_date": owed.charged_off_date and owed.charged_off_date.isoformat(),
            "segments": segments_as_json(self.terms, self.segments),
            "penalty_segments": segments_as_json(self.terms, self.penalty_segments),
        }


def fold(terms: LoanTerms, events: Sequence[LoanEvent], *, on: date, known_on: date) -> LoanState:
    """The state of the loan ``on`` a day, after that day's events, as ``known_on`` a day.

    Interest runs to ``on`` (excluded): what a receipt of that day would find.

    Raises AskedTooEarly for a day before the loan's start, ContradictoryEvents where the events
    cannot all be true, and what ``loan_steps.take`` raises.
    """
    if on < terms.start:
        raise AskedTooEarly(
            f"The loan starts on {terms.start} and has no state on {on}: "
            "ask for its first day or a later one."
        )
    trace = Trace()
    movements: list[Movement] = []
    position = opened(terms)
    for event in events_in_force(events, start=terms.start, on=on, known_on=known_on):
        movement = take(position, event, trace)
        if movement is not None:
            movements.append(movement)
    trace.close(position, on)
    return LoanState(
        terms=terms,
        balances=balances(position, on),
        segments=tuple(trace.interest),
        penalty_segments=tuple(trace.penalty),
        movements=tuple(movements),
    )


def days_of(terms: LoanTerms, segment: Segment) -> int:
    """Days of a segment as the day count counts them, from the loan's start."""
    to_start, to_end = (
        day_count_days(terms.day_count, terms.start, day, termination_date=terms.maturity)
        for day in (segment.start_date, segment.end_date)
    )
    return to_end - to_start


def interest_of(terms: LoanTerms, segment: Segment) -> Fraction:
    """Interest, or penalty, of a segment in minor units, exactly."""
    return Fraction(segment.numerator, RATE_UNITS * accrual_denominator(terms.day_count))


def segments_as_json(terms: LoanTerms, segments: Iterable[Segment]) -> list[dict[str, object]]:
    """Segments in plain JSON values, in order.

    Their interest is text with six decimals of a minor unit: what the exact running total, cut
    after the sixth decimal, has grown by. So the texts add up, and their sum rounded half-up is
    the exact running total rounded half-up.
    """
    written: list[dict[str, object]] = []
    denominator = RATE_UNITS * accrual_denominator(terms.day_count)
    numerator = 0
    cut_before = 0
    for segment in segments:
        numerator += segment.numerator
        cut = numerator * 10**INTEREST_DECIMALS // denominator
        written.append(
            {
                "from": segment.start_date.isoformat(),
                "to": segment.end_date.isoformat(),
                "principal_minor": segment.principal_minor,
                "rate": f"{rate_from_ppb(segment.rate_ppb):f}",
                "days": days_of(terms, segment),
                "interest": f"{Decimal(cut - cut_before).scaleb(-INTEREST_DECIMALS):f}",
            }
        )
        cut_before = cut
    return written
