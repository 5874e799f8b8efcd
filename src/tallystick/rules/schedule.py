"""Repayment schedules: what falls due when, in whole minor units.

Interest is exact inside and only its running total is rounded, so that the interest of all
instalments is the interest of the whole life, rounded once. It runs on the balance actually
outstanding, from each due date (included) to the next (excluded), its days counted from the start
of the loan; a loan that is paid as scheduled therefore accrues exactly what its schedule says.
The last instalment takes whatever principal remains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from tallystick.rules.calendars import (
    WEEKENDS_ONLY,
    Adjustment,
    Calendar,
    Period,
    adjusted,
    shifted,
)
from tallystick.rules.daycount import DayCount, accrual_days, accrual_denominator
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.refusal import Refusal

MAX_PERIODS = 1_200
"""A hundred years of months: beyond it a schedule is a mistake of typing."""


class Method(StrEnum):
    """How principal comes back."""

    BULLET = "bullet"
    """Principal and all interest in one payment at maturity."""
    INTEREST_ONLY = "interest_only"
    """Interest every period, principal in one payment with the last."""
    EQUAL_INSTALMENTS = "equal_instalments"
    """Principal and interest together are the same every period."""
    EQUAL_PRINCIPAL = "equal_principal"
    """Principal is the same every period, interest on what is left."""


@dataclass(frozen=True, slots=True)
class ScheduleTerms:
    """What a schedule is made from.

    ``annual_rate`` is a fraction: 0.10 is ten per cent a year. A bullet needs ``maturity`` only.
    The other methods need ``frequency``, the time between instalments, and either ``maturity``
    (the last period may be shorter) or ``number_of_periods``. Due dates keep the start's day of the
    month and are adjusted on ``calendar``; interest runs to the adjusted date. ``fee_minor`` is
    due with every instalment.
    """

    principal_minor: int
    annual_rate: Decimal
    day_count: DayCount
    method: Method
    start: date
    maturity: date | None = None
    number_of_periods: int | None = None
    frequency: Period | None = None
    rounding: Rounding = Rounding.HALF_UP
    calendar: Calendar = WEEKENDS_ONLY
    adjustment: Adjustment = Adjustment.UNADJUSTED
    fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class Instalment:
    """One row of a schedule: what falls due on a date, and the principal left after it."""

    n: int
    due_date: date
    principal_minor: int
    interest_minor: int
    fee_minor: int
    balance_minor: int


class ScheduleImpossible(Refusal):
    """The terms describe no schedule."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(f"No schedule can be made: {fault}. {remedy}")


def schedule(terms: ScheduleTerms) -> list[Instalment]:
    """The instalments of a loan, in order; their principal sums to the loan's.

    Raises ScheduleImpossible, and NoFixedDenominator or DayCountNeeds where the day count cannot
    carry daily interest.
    """
    _refuse_impossible(terms)
    due_dates = _due_dates(terms)
    rate_numerator, rate_denominator = terms.annual_rate.as_integer_ratio()
    denominator = rate_denominator * accrual_denominator(terms.day_count)
    # Interest of a period is balance × growth / denominator.
    growth = [rate_numerator * days for days in _days_of_periods(terms, due_dates)]
    level_minor = _level_minor(terms, growth, denominator)

    rows: list[Instalment] = []
    balance_minor = terms.principal_minor
    numerator = 0
    charged_minor = 0
    for n, due_date in enumerate(due_dates, start=1):
        numerator += balance_minor * growth[n - 1]
        interest_minor = rounded(numerator, denominator, terms.rounding) - charged_minor
        charged_minor += interest_minor

        if n == len(due_dates):
            principal_minor = balance_minor
        elif terms.method is Method.EQUAL_INSTALMENTS:
            principal_minor = min(max(level_minor - interest_minor, 0), balance_minor)
        else:
            principal_minor = min(level_minor, balance_minor)
        balance_minor -= principal_minor
        rows.append(
            Instalment(n, due_date, principal_minor, interest_minor, terms.fee_minor, balance_minor)
        )
    return rows


def instalment_minor(
    principal_minor: int, growth: Sequence[int], denominator: int, rounding: Rounding
) -> int:
    """The equal instalment that repays a loan with interest, rounded.

    Interest of period i is balance × growth[i] / denominator. With f = 1 + growth / denominator,
    instalment = principal × f₁⋯fₙ / Σᵢ fᵢ₊₁⋯fₙ; for equal periods this is the annuity formula
    principal × r / (1 − (1 + r)⁻ⁿ).
    """
    # Both products are kept over the same power of the denominator, which then cancels.
    grown, paid_in, scale = 1, 0, 1
    for interest_share in growth:
        factor = denominator + interest_share
        scale *= denominator
        grown *= factor
        paid_in = paid_in * factor + scale
    return rounded(principal_minor * grown, paid_in, rounding)


def _level_minor(terms: ScheduleTerms, growth: Sequence[int], denominator: int) -> int:
    """What every period but the last pays by the method: principal, or principal with interest."""
    match terms.method:
        case Method.BULLET | Method.INTEREST_ONLY:
            return 0
        case Method.EQUAL_INSTALMENTS:
            return instalment_minor(terms.principal_minor, growth, denominator, terms.rounding)
        case Method.EQUAL_PRINCIPAL:
            return rounded(terms.principal_minor, len(growth), terms.rounding)


def _refuse_impossible(terms: ScheduleTerms) -> None:
    if terms.principal_minor <= 0 or terms.fee_minor < 0:
        raise ScheduleImpossible(
            f"principal is {terms.principal_minor} and the fee {terms.fee_minor} minor units",
            "Give a principal above zero and a fee of zero or more.",
        )
    if not terms.annual_rate.is_finite() or terms.annual_rate < 0:
        raise ScheduleImpossible(
            f"the annual rate is {terms.annual_rate}",
            "Give a fraction of zero or more: 0.10 is ten per cent a year.",
        )
    if terms.maturity is not None and terms.maturity <= terms.start:
        raise ScheduleImpossible(
            f"maturity {terms.maturity} is not after the start {terms.start}",
            "Give a maturity after the start.",
        )
    if terms.number_of_periods is not None and not 0 < terms.number_of_periods <= MAX_PERIODS:
        raise ScheduleImpossible(
            f"{terms.number_of_periods} periods were asked for", f"Give 1 to {MAX_PERIODS} periods."
        )
    if terms.method is Method.BULLET:
        if terms.maturity is None:
            raise ScheduleImpossible("a bullet has no maturity", "Give its maturity.")
    elif (
        terms.frequency is None
        or terms.frequency.count <= 0
        or (terms.maturity is None) == (terms.number_of_periods is None)
    ):
        raise ScheduleImpossible(
            f"{terms.method} needs a frequency above zero and one of maturity and "
            "number_of_periods",
            "Give a frequency such as 1 month, and exactly one of the two.",
        )


def _due_dates(terms: ScheduleTerms) -> list[date]:
    """Adjusted due dates in order; instalments that meet on one business day become one."""
    try:
        nominal_dates = _nominal_dates(terms)
    except (OverflowError, ValueError):
        raise ScheduleImpossible(
            "its due dates lie beyond the year 9999", "Shorten the frequency or the life."
        ) from None
    due_dates = {adjusted(terms.calendar, day, terms.adjustment).date for day in nominal_dates}
    after_start = sorted(day for day in due_dates if day > terms.start)
    if not after_start:
        raise ScheduleImpossible(
            f"every due date is adjusted to the start {terms.start} or before",
            "Give a longer life or another adjustment.",
        )
    return after_start


def _nominal_dates(terms: ScheduleTerms) -> list[date]:
    """Due dates as agreed, before adjustment: whole periods from the start, then maturity."""
    if terms.method is Method.BULLET or terms.frequency is None:
        return [terms.maturity] if terms.maturity else []
    dates: list[date] = []
    for n in range(1, MAX_PERIODS + 1):
        day = _whole_periods_after(terms, terms.frequency, n)
        if terms.maturity is not None and day >= terms.maturity:
            return [*dates, terms.maturity]
        dates.append(day)
        if n == terms.number_of_periods:
            return dates
    raise ScheduleImpossible(
        f"it would have more than {MAX_PERIODS} instalments", "Lengthen the frequency."
    )


def _whole_periods_after(terms: ScheduleTerms, frequency: Period, n: int) -> date:
    # Always from the start, so that 31 January leads to 28 February and then 31 March.
    whole = Period(n * frequency.count, frequency.unit)
    return shifted(terms.calendar, terms.start, whole, Adjustment.UNADJUSTED).date


def _days_of_periods(terms: ScheduleTerms, due_dates: Sequence[date]) -> list[int]:
    """Accrual days of each period, as the difference of days counted from the start.

    Some conventions with months of thirty days do not add up over parts of a period; counted from
    the start they do, whatever happens in between.
    """
    days_to = [
        accrual_days(
            terms.day_count,
            terms.start,
            due_date,
            termination_date=due_dates[-1],
            calendar=terms.calendar,
        )
        for due_date in (terms.start, *due_dates)
    ]
    return [later - earlier for earlier, later in pairwise(days_to)]
