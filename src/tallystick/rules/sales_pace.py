"""The least pace at which an advance is to be repaid out of sales, and how it is kept.

Time is cut into periods of equal length, the first beginning so many days of grace after the
payout. Each period has an amount that must have come in by its end. Two rules are in use:

* of each period, only what came in during it counts (Fineract's breach periods):
  required(k) = minimum
* milestones, to which everything counts that came in since the payout (Shopify's sixth of the
  debt every sixty days): required(k) = min(k × minimum, what is to be repaid)

A period that ends short is a breach, and by how much is what has to be caught up. Within a period
checkpoints warn earlier: at the i-th of them (from 1), i × threshold × minimum must have come in;
the first that finds less makes a near breach.

Sources: apache/fineract, fineract-doc, "Working Capital Breach Management and Near Breach";
Shopify's help pages on its capital's milestones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import count
from typing import NamedTuple

from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment, Period, PeriodUnit, shifted
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.refusal import Refusal

MAX_PACE_GRACE_DAYS = 365

_SHORTEST_UNIT_DAYS = {
    PeriodUnit.DAYS: 1,
    PeriodUnit.WEEKS: 7,
    PeriodUnit.MONTHS: 28,
    PeriodUnit.YEARS: 365,
}
_LONGEST_UNIT_DAYS = {
    PeriodUnit.DAYS: 1,
    PeriodUnit.WEEKS: 7,
    PeriodUnit.MONTHS: 31,
    PeriodUnit.YEARS: 366,
}

_USUAL_UNIT_DAYS = {**_SHORTEST_UNIT_DAYS, PeriodUnit.MONTHS: 30}


class PaceCounts(StrEnum):
    """Which cash counts towards a period's minimum."""

    WITHIN_PERIOD = "within_period"
    """What came in during the period."""
    SINCE_PAYOUT = "since_payout"
    """Everything so far: the periods' ends are milestones."""


class InvalidPace(Refusal):
    """The terms of a pace contradict themselves."""


@dataclass(frozen=True, slots=True)
class PaceTerms:
    """A least pace. ``minimum_share`` is a part of what is to be repaid: 1/6 per ``period``.

    With ``check_every``, shorter than the period, checkpoints warn where less than
    ``check_share`` of the minimum has come in at the first, twice that at the second, and so on.

    Raises InvalidPace.
    """

    period: Period
    minimum_share: Fraction
    counts: PaceCounts = PaceCounts.WITHIN_PERIOD
    grace_days: int = 0
    check_every: Period | None = None
    check_share: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.period.unit not in _SHORTEST_UNIT_DAYS or self.period.count <= 0:
            raise InvalidPace(
                f"A pace is measured every {self.period.count} {self.period.unit}: give a number "
                "above zero of days, weeks, months or years."
            )
        if not 0 < self.minimum_share <= 1:
            raise InvalidPace(
                f"The minimum of a period is {self.minimum_share} of what is to be repaid: "
                "give a part above 0 and up to 1, such as 1/6."
            )
        if not 0 <= self.grace_days <= MAX_PACE_GRACE_DAYS:
            raise InvalidPace(
                f"The pace begins {self.grace_days} days after the payout: "
                f"give 0 to {MAX_PACE_GRACE_DAYS}."
            )
        if self.check_every is None:
            return
        if self.check_every.unit not in _SHORTEST_UNIT_DAYS or self.check_every.count <= 0:
            raise InvalidPace(
                f"Checkpoints every {self.check_every.count} {self.check_every.unit}: give a "
                "number above zero of days, weeks, months or years."
            )
        if _longest_days(self.check_every) >= _shortest_days(self.period):
            raise InvalidPace(
                f"Checkpoints every {self.check_every.count} {self.check_every.unit} do not lie "
                f"within a period of {self.period.count} {self.period.unit}: let them come more "
                "often than the periods."
            )
        if not 0 < self.check_share <= 1:
            raise InvalidPace(
                f"A checkpoint asks for {self.check_share} of the minimum: "
                "give a part above 0 and up to 1, such as 0.5."
            )


class Cash(NamedTuple):
    """What came in on a day towards what is to be repaid; negative where it was given back."""

    value_date: date
    amount_minor: int


class PaceState(StrEnum):
    """How a period stands."""

    OPEN = "open"
    """It runs, and nothing is amiss."""
    NEAR_BREACH = "near_breach"
    """It runs, and a checkpoint found too little."""
    KEPT = "kept"
    """The minimum has come in, whether or not the period has ended."""
    BREACHED = "breached"
    """It ended short."""


@dataclass(frozen=True, slots=True)
class PacePeriod:
    """One period, both ends included. ``near_breach_date``: the checkpoint that found too little.

    ``short_minor`` is what is missing towards the minimum: after a breach, the catch-up.
    """

    number: int
    start_date: date
    end_date: date
    minimum_minor: int
    paid_minor: int
    state: PaceState
    near_breach_date: date | None

    @property
    def short_minor(self) -> int:
        return max(0, self.minimum_minor - self.paid_minor)


def pace_periods(
    terms: PaceTerms, *, payable_minor: int, payout_date: date, cash: Iterable[Cash], on: date
) -> tuple[PacePeriod, ...]:
    """The periods begun by ``on``, with that day's cash, until everything has been repaid.

    What comes in on the last day of a period counts, and the period is judged on that day.
    """
    received = sorted(cash)
    periods: list[PacePeriod] = []
    first_date = payout_date + timedelta(days=terms.grace_days)
    for number in count(1):
        start_date = _after(first_date, terms.period, number - 1)
        if start_date > on or _sum(received, before=start_date) >= payable_minor:
            return tuple(periods)
        end_date = _after(first_date, terms.period, number) - timedelta(days=1)
        periods.append(
            _period(terms, number, start_date, end_date, payable_minor, payout_date, received, on)
        )
    raise AssertionError("counting does not end")


def next_judgement_date(terms: PaceTerms, *, payout_date: date, on: date) -> date:
    """The first day after ``on`` on which a checkpoint or the end of a period tells something."""
    first_date = payout_date + timedelta(days=terms.grace_days)
    for number in count(1):
        start_date = _after(first_date, terms.period, number - 1)
        end_date = _after(first_date, terms.period, number) - timedelta(days=1)
        if end_date <= on:
            continue
        for check in count(1):
            if terms.check_every is None:
                return end_date
            check_date = _after(start_date, terms.check_every, check)
            if check_date > on:
                return min(check_date, end_date)
    raise AssertionError("counting does not end")


class PaceStanding(NamedTuple):
    """How an advance stands to its pace. ``behind_since_date``: when the first of the periods that
    ended short one after the other did so; None where nothing is left to catch up.
    """

    state: PaceState
    behind_since_date: date | None
    short_minor: int


def pace_standing(
    terms: PaceTerms, periods: Sequence[PacePeriod], cash: Iterable[Cash], *, on: date
) -> PaceStanding:
    """What has to be caught up ``on`` a day, after that day's cash.

    What periods that ended short one after the other lack, less what came in since the last of
    them ended; of milestones only the last counts, for it contains those before.
    """
    ended = [period for period in periods if period.end_date <= on]
    run: list[PacePeriod] = []
    while ended and ended[-1].state is PaceState.BREACHED:
        run.append(ended.pop())
    if run:
        counted = run[:1] if terms.counts is PaceCounts.SINCE_PAYOUT else run
        short_minor = sum(period.short_minor for period in counted)
        since_minor = sum(
            each.amount_minor for each in cash if run[0].end_date < each.value_date <= on
        )
        if short_minor > since_minor:
            return PaceStanding(
                PaceState.BREACHED, run[-1].end_date, min(short_minor, short_minor - since_minor)
            )
    if periods and periods[-1].state is PaceState.NEAR_BREACH:
        return PaceStanding(PaceState.NEAR_BREACH, None, periods[-1].short_minor)
    return PaceStanding(PaceState.KEPT, None, 0)


def slowest_days(terms: PaceTerms) -> int:
    """Days in which everything has come back at the least pace, counting months as 30 days."""
    periods = -(-terms.minimum_share.denominator // terms.minimum_share.numerator)
    return terms.grace_days + periods * terms.period.count * _USUAL_UNIT_DAYS[terms.period.unit]


def _period(
    terms: PaceTerms,
    number: int,
    start_date: date,
    end_date: date,
    payable_minor: int,
    payout_date: date,
    received: Sequence[Cash],
    on: date,
) -> PacePeriod:
    since_payout = terms.counts is PaceCounts.SINCE_PAYOUT
    from_date = payout_date if since_payout else start_date
    parts = terms.minimum_share * (number if since_payout else 1)
    minimum_minor = min(payable_minor, _part(payable_minor, parts))
    if not since_payout:
        # Nobody has to pay more than is left to pay.
        left_minor = payable_minor - _sum(received, before=start_date)
        minimum_minor = min(minimum_minor, left_minor)
    until = min(on, end_date) + timedelta(days=1)
    paid_minor = _sum(received, before=until) - _sum(received, before=from_date)
    near_breach_date = _near_breach(
        terms, start_date, end_date, minimum_minor, from_date, received, on
    )
    if paid_minor >= minimum_minor:
        state = PaceState.KEPT
    elif on >= end_date:
        state = PaceState.BREACHED
    else:
        state = PaceState.OPEN if near_breach_date is None else PaceState.NEAR_BREACH
    return PacePeriod(
        number, start_date, end_date, minimum_minor, paid_minor, state, near_breach_date
    )


def _near_breach(
    terms: PaceTerms,
    start_date: date,
    end_date: date,
    minimum_minor: int,
    from_date: date,
    received: Sequence[Cash],
    on: date,
) -> date | None:
    """The first checkpoint, up to ``on``, that found less than its part of the minimum.

    Checkpoints lie before the period's last day. Of milestones a checkpoint measures the step
    from the one before, so that what was paid ahead counts.
    """
    if terms.check_every is None:
        return None
    ahead_minor = _sum(received, before=start_date) - _sum(received, before=from_date)
    step_minor = max(0, minimum_minor - ahead_minor)
    for number in count(1):
        check_date = _after(start_date, terms.check_every, number)
        if check_date >= end_date or check_date > on:
            return None
        required_minor = min(step_minor, _part(step_minor, terms.check_share * number))
        until = check_date + timedelta(days=1)
        if _sum(received, before=until) - _sum(received, before=start_date) < required_minor:
            return check_date
    raise AssertionError("counting does not end")


def _part(amount_minor: int, part: Fraction) -> int:
    return rounded(amount_minor * part.numerator, part.denominator, Rounding.HALF_UP)


def _sum(received: Sequence[Cash], *, before: date) -> int:
    return sum(each.amount_minor for each in received if each.value_date < before)


def _after(start: date, period: Period, times: int) -> date:
    """Whole periods from the start, so that 31 January leads to 28 February and then 31 March."""
    whole = Period(times * period.count, period.unit)
    return shifted(WEEKENDS_ONLY, start, whole, Adjustment.UNADJUSTED).date


def _shortest_days(period: Period) -> int:
    return period.count * _SHORTEST_UNIT_DAYS[period.unit]


def _longest_days(period: Period) -> int:
    return period.count * _LONGEST_UNIT_DAYS[period.unit]
