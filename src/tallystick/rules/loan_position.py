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

Further penalty bands add (or take off) the difference of their rates after more days past due, by
the same formula with their own grace. In an interest pause interest, not penalty, stands still:
``accrued_to`` above is then the day on which it runs again, if that is later.

Where a loan has several due dates, principal falls due by the plan for the committed principal;
principal repaid, early or late, counts against the oldest instalment. An event that changes the
plan changes it from its value date on.

Of each kind of debt, what is owed is what has arisen less what was received, waived and charged
off; so principal repaid, outstanding and charged off sum to what was disbursed.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from tallystick.rules.daycount import DayCount, accrual_days, accrual_denominator
from tallystick.rules.loan_events import RATE_UNITS, EventKind, rate_in_ppb
from tallystick.rules.loan_terms import AgreedPlan, Bucket, Due, LoanTerms, plan_of
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.schedule import Instalment, Method, schedule

# Names of their own: looking up a member of an enumeration costs more than the sums it stands in.
FEES, PENALTY, INTEREST, PRINCIPAL_DUE, PRINCIPAL_NOT_DUE = Bucket
_ACT_360, _ACT_365F, _HALF_UP = DayCount.ACT_360, DayCount.ACT_365F, Rounding.HALF_UP

ANY_AMOUNT_MINOR = 2**127
"""More than any loan comes to: what a revolving loan wants repaid by its end."""


due_date_of = attrgetter("due_date")
"""Of a due: what dues are searched by."""


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
    interest_from: date
    """The day from which interest runs again after a pause; the start where there was none."""
    pays_in_order: tuple[int, ...]
    """The places in ``Bucket`` of what a receipt pays first, second and so on."""
    level_minor: int
    """What each instalment but the last comes to by the plan; with its interest, if equal."""
    evened_minor: int | None
    """Principal that a new rate evens the instalments over; None: they stay as high as they are."""
    agreed_dates: tuple[date, ...]
    """Of each of ``dues``, when the first of its principal was to be repaid as agreed at first."""
    penalty_steps: tuple[tuple[int, int], ...]
    """Days past due, and what the penalty rate grows by from then on, in parts per billion."""
    penalty_numerator: int
    disbursed_minor: int
    principal_repaid_minor: int
    interest_received_minor: int
    penalty_received_minor: int
    fees_charged_minor: int
    fees_received_minor: int
    credit_minor: int
    interest_waived_minor: int
    penalty_waived_minor: int
    fees_waived_minor: int
    principal_charged_off_minor: int
    interest_charged_off_minor: int
    penalty_charged_off_minor: int
    fees_charged_off_minor: int
    recovered_minor: int
    charged_off_date: date | None
    interest_at_due_minor: tuple[int, ...]
    """Interest accrued by each due date that had come by the last event."""
    last_value_date: date
    last_kind: EventKind | None

    @property
    def stands_from_date(self) -> date:
        """The first day that can be asked about without folding the events up to it."""
        return max(self.last_value_date, self.accrued_to)

    @property
    def charged_off_minor(self) -> int:
        """Everything that was charged off, of whatever kind of debt."""
        return (
            self.principal_charged_off_minor
            + self.interest_charged_off_minor
            + self.penalty_charged_off_minor
            + self.fees_charged_off_minor
        )


class Segment(NamedTuple):
    """Days, first included and last excluded, on which one principal bore one rate.

    In an interest pause the rate is zero; of penalty it is that of one step (``penalty_steps``).

    ``numerator`` is their interest or penalty in minor units, times the loan's denominator.
    """

    start_date: date
    end_date: date
    principal_minor: int
    rate_ppb: int
    numerator: int


class Accrual(NamedTuple):
    """Where the two running totals stand on a day, exact.

    ``days`` are the accrual days from the loan's start to ``on``.
    """

    on: date
    days: int
    interest_numerator: int
    penalty_numerator: int


def opened(terms: LoanTerms) -> Position:
    """The position of a loan that has been agreed and not yet paid out."""
    dues, level_minor = _agreed_plan(terms)
    return Position(
        terms=terms,
        dues=dues,
        denominator=RATE_UNITS * accrual_denominator(terms.day_count),
        principal_minor=0,
        rate_ppb=rate_in_ppb(terms.annual_rate),
        accrued_to=terms.start,
        accrued_days=0,
        accrued_numerator=0,
        interest_from=terms.start,
        pays_in_order=pays_in_order(terms.receipt_order),
        level_minor=level_minor,
        evened_minor=everything_minor(terms),
        agreed_dates=tuple(map(due_date_of, dues)),
        penalty_steps=penalty_steps_of(terms),
        penalty_numerator=0,
        disbursed_minor=0,
        principal_repaid_minor=0,
        interest_received_minor=0,
        penalty_received_minor=0,
        fees_charged_minor=0,
        fees_received_minor=0,
        credit_minor=0,
        interest_waived_minor=0,
        penalty_waived_minor=0,
        fees_waived_minor=0,
        principal_charged_off_minor=0,
        interest_charged_off_minor=0,
        penalty_charged_off_minor=0,
        fees_charged_off_minor=0,
        recovered_minor=0,
        charged_off_date=None,
        interest_at_due_minor=(),
        last_value_date=terms.start,
        last_kind=None,
    )


# A statement and a day's settlements fold the same loans again, and making the schedule is half of
# folding a short life.
@lru_cache(maxsize=10_000)
def _agreed_plan(terms: LoanTerms) -> AgreedPlan:
    if terms.agreed_plan is not None:
        return terms.agreed_plan
    rows = schedule(plan_of(terms))
    return planned(rows, terms.method, whole_minor=everything_minor(terms))


def planned(
    rows: Sequence[Instalment], method: Method, *, whole_minor: int, repaid_minor: int = 0
) -> AgreedPlan:
    """The dues of a schedule, and the level of its instalments.

    ``repaid_minor`` is the principal repaid before the schedule begins, and ``whole_minor`` what
    is to be repaid by the last due date.
    """
    dues = []
    planned_minor = repaid_minor
    for row in rows[:-1]:
        planned_minor += row.principal_minor
        dues.append(Due(row.due_date, planned_minor))
    dues.append(Due(rows[-1].due_date, whole_minor))
    level_minor = 0
    first = next((row for row in rows[:-1] if row.principal_minor), None)
    if first is not None:
        level_minor = first.principal_minor
        if method is Method.EQUAL_INSTALMENTS:
            level_minor += first.interest_minor
    return AgreedPlan(tuple(dues), level_minor)


@lru_cache(maxsize=256)
def pays_in_order(receipt_order: tuple[Bucket, ...]) -> tuple[int, ...]:
    """The places in ``Bucket`` of the buckets, in their order."""
    return tuple(list(Bucket).index(bucket) for bucket in receipt_order)


def everything_minor(terms: LoanTerms) -> int:
    """What the plan wants repaid by its end: never less than all that may have been paid out."""
    return ANY_AMOUNT_MINOR if terms.revolving else terms.principal_minor


def penalty_steps_of(terms: LoanTerms) -> tuple[tuple[int, int], ...]:
    """Penalty bands as steps: days past due, and by how much the rate changes there."""
    steps = []
    before_ppb = 0
    bands = [(terms.penalty_grace_days, terms.penalty_rate)]
    bands += [(band.days_past_due, band.rate) for band in terms.penalty_bands]
    for from_days, rate in bands:
        rate_ppb = rate_in_ppb(rate)
        if rate_ppb != before_ppb:
            steps.append((from_days, rate_ppb - before_ppb))
        before_ppb = rate_ppb
    return tuple(steps)


def accrual_to(position: Position, on: date) -> Accrual:
    """The running totals ``on`` a day, to that day (excluded), with nothing else happening."""
    days = accrual_days_to(position.terms, on)
    interest_numerator = position.accrued_numerator
    if position.principal_minor:
        from_days = position.accrued_days
        if position.interest_from > position.accrued_to:
            from_days = accrual_days_to(position.terms, min(position.interest_from, on))
        interest_numerator += position.principal_minor * position.rate_ppb * (days - from_days)
    penalty_numerator = position.penalty_numerator
    if position.penalty_steps and position.dues[0].due_date < on:
        for segment in _penalty_segments(position, on, end_days=days):
            penalty_numerator += segment.numerator
    return Accrual(on, days, interest_numerator, penalty_numerator)


def interest_segments(position: Position, on: date) -> list[Segment]:
    """The days since ``accrued_to``: those of a pause without interest, then those with it."""
    start, principal_minor = position.accrued_to, position.principal_minor
    if not principal_minor or start >= on:
        return []
    segments = []
    if position.interest_from > start:
        paused_to = min(position.interest_from, on)
        segments.append(Segment(start, paused_to, principal_minor, 0, 0))
        start = paused_to
    if start < on:
        numerator = accrual_to(position, on).interest_numerator - position.accrued_numerator
        segments.append(Segment(start, on, principal_minor, position.rate_ppb, numerator))
    return segments


def penalty_segments(position: Position, on: date) -> list[Segment]:
    """The days since ``accrued_to`` on which principal past due bears penalty, step by step."""
    return list(_penalty_segments(position, on, end_days=accrual_days_to(position.terms, on)))


def accrual_days_to(terms: LoanTerms, day: date) -> int:
    """Days from the loan's start to ``day``, in units of the day count's denominator."""
    # By far the most loans count actual days, and a refold asks for them thousands of times.
    if terms.day_count is _ACT_360 or terms.day_count is _ACT_365F:
        return (day - terms.start).days
    return accrual_days(terms.day_count, terms.start, day, termination_date=terms.maturity)


def running_interest(position: Position, on: date) -> int:
    """Interest accrued from the first payout to ``on`` (excluded), rounded."""
    return rounded_total(position, accrual_to(position, on).interest_numerator)


def running_penalty(position: Position, on: date) -> int:
    """Penalty accrued to ``on`` (excluded), rounded."""
    return rounded_total(position, accrual_to(position, on).penalty_numerator)


def owed_by_bucket(position: Position, accrual: Accrual) -> dict[Bucket, int]:
    """What is owed on the accrual's day, by bucket; dues up to it are passed (``loan_turns``)."""
    return dict(zip(Bucket, owed_in_order(position, accrual), strict=True))


def owed_in_order(position: Position, accrual: Accrual) -> tuple[int, int, int, int, int]:
    """As ``owed_by_bucket``, in the order of ``Bucket``."""
    passed = len(position.interest_at_due_minor)
    due_minor = past_due_minor(position, by=passed - 1) if passed else 0
    return (
        position.fees_charged_minor - fees_met(position),
        rounded_total(position, accrual.penalty_numerator) - penalty_met(position),
        rounded_total(position, accrual.interest_numerator) - interest_met(position),
        due_minor,
        position.principal_minor - due_minor,
    )


def interest_met(position: Position) -> int:
    """Interest that is owed no more: received, waived or charged off."""
    return (
        position.interest_received_minor
        + position.interest_waived_minor
        + position.interest_charged_off_minor
    )


def penalty_met(position: Position) -> int:
    """Likewise penalty."""
    return (
        position.penalty_received_minor
        + position.penalty_waived_minor
        + position.penalty_charged_off_minor
    )


def fees_met(position: Position) -> int:
    """Likewise fees."""
    return (
        position.fees_received_minor + position.fees_waived_minor + position.fees_charged_off_minor
    )


def _penalty_segments(position: Position, end: date, *, end_days: int) -> Sequence[Segment]:
    """As ``penalty_segments``; ``end_days`` are the accrual days from the start to ``end``."""
    if not position.penalty_steps or position.dues[0].due_date >= end:
        return ()
    return [
        segment
        for from_days, rate_ppb in position.penalty_steps
        for segment in _step_segments(position, end, end_days, timedelta(days=from_days), rate_ppb)
    ]


def _step_segments(
    position: Position, end: date, end_days: int, grace: timedelta, rate_ppb: int
) -> Iterator[Segment]:
    """Days on which principal that has been past due for ``grace`` bears ``rate_ppb``."""
    terms, dues = position.terms, position.dues
    last = bisect_right(dues, end - grace, key=due_date_of)
    # Nothing past due by the last due date is nothing by any: the plan only grows.
    if not last or not past_due_minor(position, by=last - 1):
        return
    first = max(0, bisect_right(dues, position.accrued_to - grace, key=due_date_of) - 1)
    start, start_days = position.accrued_to, position.accrued_days
    for index in range(first, last):
        if index > first or dues[index].due_date + grace > start:
            start = dues[index].due_date + grace
            start_days = accrual_days_to(terms, start)
        following, following_days = end, end_days
        if index + 1 < last:
            following = dues[index + 1].due_date + grace
            following_days = accrual_days_to(terms, following)
        principal_minor = past_due_minor(position, by=index)
        if principal_minor and start < following:
            numerator = principal_minor * rate_ppb * (following_days - start_days)
            yield Segment(start, following, principal_minor, rate_ppb, numerator)


def past_due_minor(position: Position, *, by: int) -> int:
    """Principal outstanding of what was planned to be repaid by the due date of index ``by``."""
    unpaid_minor = position.dues[by].planned_minor - position.principal_repaid_minor
    return min(position.principal_minor, max(0, unpaid_minor))


def rounded_total(position: Position, numerator: int) -> int:
    """A running total of the loan in minor units."""
    if not numerator:
        return 0
    if position.terms.rounding is _HALF_UP:
        return (2 * numerator + position.denominator) // (2 * position.denominator)
    return rounded(numerator, position.denominator, position.terms.rounding)
