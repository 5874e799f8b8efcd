"""Where a loan stands after its last event, and what that comes to on any later day.

A position is a loan's history folded into a few numbers. Until the next event everything the loan
owes is a closed form of the day, so that positions can be kept in a table and a whole book be
accrued by one statement.

Interest is simple and daily, on what was actually paid out, from a value date (included) to the
next (excluded). It runs as an exact whole number over a fixed denominator:

    numerator(on) = accrued_numerator + principal_minor × rate_ppb × accrual days(accrued_to, on)
    denominator   = 10⁹ × the day count's denominator
    accrued(on)   = (2 × numerator + denominator) div (2 × denominator)      where half-up

Only this running total is rounded, never a day or a period, so that it does not depend on how
often anybody looked. Penalty is a second running total over the same denominator, on principal
past due, from so many days of grace after its due date (included). With one due date:

    penalty numerator(on) = penalty_numerator
        + principal_minor × penalty_rate_ppb × accrual days(max(accrued_to, due date + grace), on)

Where a loan has several due dates, principal falls due by the plan for the committed principal;
principal repaid, early or late, counts against the oldest instalment.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from operator import attrgetter
from typing import NamedTuple

from tallystick.rules.daycount import accrual_days, accrual_denominator
from tallystick.rules.loan_events import RATE_UNITS, EventKind, rate_in_ppb
from tallystick.rules.loan_terms import Bucket, LoanTerms, plan_of
from tallystick.rules.money import rounded
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import schedule

# Names of their own: looking up a member of an enumeration costs more than the sums it stands in.
FEES, PENALTY, INTEREST, PRINCIPAL_DUE, PRINCIPAL_NOT_DUE = Bucket


class Due(NamedTuple):
    """A due date, and the principal that the plan wants repaid by then in all."""

    due_date: date
    planned_minor: int


_due_date = attrgetter("due_date")


@dataclass(slots=True)
class Position:
    """A loan up to its last event. Amounts are minor units, totals since the first payout.

    ``accrued_days`` are the accrual days from the loan's start to ``accrued_to``. Days are always
    counted from the start, as the schedule does, so that the days of a period are those of its
    parts: some day counts with months of thirty days do not give that by themselves.

    Treat it as a value: ``advance`` gives another one. It is not frozen, because a refold moves
    one position of its own through all events in place, in half the time of making one for each.
    """

    terms: LoanTerms
    dues: tuple[Due, ...]
    denominator: int
    principal_minor: int
    rate_ppb: int
    accrued_to: date
    accrued_days: int
    accrued_numerator: int
    penalty_rate_ppb: int
    penalty_numerator: int
    disbursed_minor: int
    principal_repaid_minor: int
    interest_received_minor: int
    penalty_received_minor: int
    fees_charged_minor: int
    fees_received_minor: int
    credit_minor: int
    interest_at_due_minor: tuple[int, ...]
    """Interest accrued by each due date that had come by the last event."""
    last_value_date: date
    last_kind: EventKind | None


class Segment(NamedTuple):
    """Days, first included and last excluded, on which one principal bore one rate.

    ``numerator`` is their interest or penalty in minor units, times the loan's denominator.
    """

    start_date: date
    end_date: date
    principal_minor: int
    rate_ppb: int
    numerator: int


class Accrual(NamedTuple):
    """Where the two running totals stand on a day, and what has come to them since the position.

    ``days`` are the accrual days from the loan's start to ``on``.
    """

    on: date
    days: int
    interest_numerator: int
    penalty_numerator: int
    interest: Sequence[Segment]
    penalty: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class Balances:
    """What a loan owes on a day, and how it came to that. Amounts are minor units.

    ``interest_accrued_minor`` is the rounded running total since the first payout, and
    ``interest_due_minor`` the part of it not yet received: what a receipt of that day would pay
    as interest. ``principal_due_minor`` is the part of the principal whose due date has come.
    ``past_due_since_date`` is the oldest due date before ``on`` of which anything is unpaid; of an
    instalment, its principal by plan and the interest accrued by its due date; from the last due
    date on, anything owed at all.
    """

    on: date
    disbursed_minor: int
    principal_repaid_minor: int
    principal_minor: int
    principal_due_minor: int
    interest_accrued_minor: int
    interest_received_minor: int
    interest_due_minor: int
    penalty_accrued_minor: int
    penalty_received_minor: int
    penalty_due_minor: int
    fees_charged_minor: int
    fees_received_minor: int
    fees_due_minor: int
    credit_minor: int
    past_due_since_date: date | None

    @property
    def days_past_due(self) -> int:
        """Days since the oldest unpaid due date; zero where nothing is past due."""
        return (self.on - self.past_due_since_date).days if self.past_due_since_date else 0

    @property
    def owed_minor(self) -> int:
        """Everything that would have to be paid to settle the loan on that day."""
        return (
            self.fees_due_minor
            + self.penalty_due_minor
            + self.interest_due_minor
            + self.principal_minor
        )


class AskedTooEarly(Refusal):
    """The day asked about lies before the loan's start, or before the position's last event."""


def opened(terms: LoanTerms) -> Position:
    """The position of a loan that has been agreed and not yet paid out."""
    dues = []
    planned_minor = 0
    for instalment in schedule(plan_of(terms)):
        planned_minor += instalment.principal_minor
        dues.append(Due(instalment.due_date, planned_minor))
    return Position(
        terms=terms,
        dues=tuple(dues),
        denominator=RATE_UNITS * accrual_denominator(terms.day_count),
        principal_minor=0,
        rate_ppb=rate_in_ppb(terms.annual_rate),
        accrued_to=terms.start,
        accrued_days=0,
        accrued_numerator=0,
        penalty_rate_ppb=rate_in_ppb(terms.penalty_rate),
        penalty_numerator=0,
        disbursed_minor=0,
        principal_repaid_minor=0,
        interest_received_minor=0,
        penalty_received_minor=0,
        fees_charged_minor=0,
        fees_received_minor=0,
        credit_minor=0,
        interest_at_due_minor=(),
        last_value_date=terms.start,
        last_kind=None,
    )


def accrual_to(position: Position, on: date) -> Accrual:
    """The running totals ``on`` a day, to that day (excluded), with nothing else happening."""
    days = accrual_days_to(position.terms, on)
    interest_numerator = (
        position.principal_minor * position.rate_ppb * (days - position.accrued_days)
    )
    interest = []
    if position.principal_minor and position.accrued_to < on:
        interest.append(
            Segment(
                position.accrued_to,
                on,
                position.principal_minor,
                position.rate_ppb,
                interest_numerator,
            )
        )
    penalty = _penalty_segments(position, on, end_days=days)
    return Accrual(
        on,
        days,
        position.accrued_numerator + interest_numerator,
        position.penalty_numerator + sum(segment.numerator for segment in penalty),
        interest,
        penalty,
    )


def accrual_days_to(terms: LoanTerms, day: date) -> int:
    """Days from the loan's start to ``day``, in units of the day count's denominator."""
    return accrual_days(terms.day_count, terms.start, day, termination_date=terms.maturity)


def running_interest(position: Position, on: date) -> int:
    """Interest accrued from the first payout to ``on`` (excluded), rounded."""
    return _rounded(position, accrual_to(position, on).interest_numerator)


def running_penalty(position: Position, on: date) -> int:
    """Penalty accrued to ``on`` (excluded), rounded."""
    return _rounded(position, accrual_to(position, on).penalty_numerator)


def owed_by_bucket(position: Position, accrual: Accrual) -> dict[Bucket, int]:
    """What is owed on the accrual's day, by bucket; dues up to that day have been passed."""
    passed = len(position.interest_at_due_minor)
    due_minor = _past_due_minor(position, by=passed - 1) if passed else 0
    interest_minor = _rounded(position, accrual.interest_numerator)
    penalty_minor = _rounded(position, accrual.penalty_numerator)
    return {
        FEES: position.fees_charged_minor - position.fees_received_minor,
        PENALTY: penalty_minor - position.penalty_received_minor,
        INTEREST: interest_minor - position.interest_received_minor,
        PRINCIPAL_DUE: due_minor,
        PRINCIPAL_NOT_DUE: position.principal_minor - due_minor,
    }


def balances(position: Position, on: date) -> Balances:
    """What the loan owes ``on`` a day when nothing has happened since the position's last event.

    Raises AskedTooEarly for a day before that event.
    """
    if on < position.last_value_date:
        raise AskedTooEarly(
            f"The position holds events up to {position.last_value_date} and cannot say what "
            f"stood on {on}: ask for that day or a later one, or fold the events up to {on}."
        )
    position = replace(position)
    pass_dues(position, on)
    owed = owed_by_bucket(position, accrual_to(position, on))
    interest_due_minor = owed[INTEREST]
    penalty_due_minor = owed[PENALTY]
    return Balances(
        on=on,
        disbursed_minor=position.disbursed_minor,
        principal_repaid_minor=position.principal_repaid_minor,
        principal_minor=position.principal_minor,
        principal_due_minor=owed[PRINCIPAL_DUE],
        interest_accrued_minor=position.interest_received_minor + interest_due_minor,
        interest_received_minor=position.interest_received_minor,
        interest_due_minor=interest_due_minor,
        penalty_accrued_minor=position.penalty_received_minor + penalty_due_minor,
        penalty_received_minor=position.penalty_received_minor,
        penalty_due_minor=penalty_due_minor,
        fees_charged_minor=position.fees_charged_minor,
        fees_received_minor=position.fees_received_minor,
        fees_due_minor=owed[FEES],
        credit_minor=position.credit_minor,
        past_due_since_date=_past_due_since(position, on, owed_minor=sum(owed.values())),
    )


def pass_dues(position: Position, day: date) -> None:
    """Note what interest had accrued by each due date up to ``day``, once it has come."""
    passed = len(position.interest_at_due_minor)
    while passed < len(position.dues) and (due_date := position.dues[passed].due_date) <= day:
        position.interest_at_due_minor += (running_interest(position, due_date),)
        passed += 1


def _penalty_segments(position: Position, end: date, *, end_days: int) -> Sequence[Segment]:
    """The days since ``accrued_to`` on which principal past due bears penalty.

    ``end_days`` are the accrual days from the loan's start to ``end``.
    """
    terms, dues = position.terms, position.dues
    if not position.penalty_rate_ppb or dues[0].due_date >= end:
        return ()
    grace = timedelta(days=terms.penalty_grace_days)
    last = bisect_right(dues, end - grace, key=_due_date)
    # Nothing past due by the last due date is nothing by any: the plan only grows.
    if not last or not _past_due_minor(position, by=last - 1):
        return ()

    first = max(0, bisect_right(dues, position.accrued_to - grace, key=_due_date) - 1)
    segments = []
    start, start_days = position.accrued_to, position.accrued_days
    for index in range(first, last):
        if index > first or dues[index].due_date + grace > start:
            start = dues[index].due_date + grace
            start_days = accrual_days_to(terms, start)
        following, following_days = end, end_days
        if index + 1 < last:
            following = dues[index + 1].due_date + grace
            following_days = accrual_days_to(terms, following)
        principal_minor = _past_due_minor(position, by=index)
        if principal_minor and start < following:
            numerator = principal_minor * position.penalty_rate_ppb * (following_days - start_days)
            segments.append(
                Segment(start, following, principal_minor, position.penalty_rate_ppb, numerator)
            )
    return segments


def _past_due_minor(position: Position, *, by: int) -> int:
    """Principal outstanding of what was planned to be repaid by the due date of index ``by``."""
    unpaid_minor = position.dues[by].planned_minor - position.principal_repaid_minor
    return min(position.principal_minor, max(0, unpaid_minor))


def _past_due_since(position: Position, on: date, *, owed_minor: int) -> date | None:
    last = len(position.dues) - 1
    for index, interest_minor in enumerate(position.interest_at_due_minor):
        due_date = position.dues[index].due_date
        if due_date == on:
            break
        if (
            _past_due_minor(position, by=index)
            or interest_minor > position.interest_received_minor
            or (index == last and owed_minor)
        ):
            return due_date
    return None


def _rounded(position: Position, numerator: int) -> int:
    return rounded(numerator, position.denominator, position.terms.rounding)
