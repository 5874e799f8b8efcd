"""Repayment schedules: what falls due when, in whole minor units.

Interest is exact inside. Unless the product says otherwise only its running total is rounded, so
that the interest of all instalments is the interest of the whole life, rounded once. It runs on
the balance actually outstanding, from each due date (included) to the next (excluded), its days
counted from the start of the loan; a loan that is paid as scheduled therefore accrues exactly what
its schedule says. The last instalment takes whatever principal remains.

When instalments fall due stands in ``schedule_dates``, for what part of a year each period bears
interest in ``schedule_growth``, and how the amounts come about in ``amortisation``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate, count, repeat
from operator import sub
from typing import NamedTuple

from tallystick.rules.amortisation import (
    InterestOn,
    InterestRounding,
    Level,
    Method,
    Rule,
    instalment_minor,
    level_of,
    portions,
)
from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment, Calendar, Period
from tallystick.rules.daycount import DayCount
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.schedule_dates import (
    MAX_PERIODS,
    DatePlan,
    MonthEnd,
    ScheduleImpossible,
)
from tallystick.rules.schedule_growth import Accrual, even_part, growth

__all__ = [
    "MAX_PERIODS",
    "Accrual",
    "Instalment",
    "InstalmentFormula",
    "InterestOn",
    "InterestRounding",
    "Method",
    "MonthEnd",
    "ScheduleImpossible",
    "ScheduleTerms",
    "instalment_minor",
    "schedule",
]

_BPS = 10_000


class InstalmentFormula(StrEnum):
    """The periods from which the equal instalment is calculated."""

    ACTUAL_PERIODS = "actual_periods"
    """Those that interest is charged for."""
    EVEN_PERIODS = "even_periods"
    """Periods of equal length; what their days change is in the last instalment."""


@dataclass(frozen=True, slots=True)
class ScheduleTerms:
    """What a schedule is made from.

    ``annual_rate`` is a fraction: 0.10 is ten per cent a year. A bullet needs ``maturity`` only.
    The other methods need ``frequency``, the time between instalments, and either ``maturity``
    (the last period may be shorter) or ``number_of_periods``. Due dates keep the day of the month
    of the start, or of ``first_due_date``, and are adjusted on ``calendar``; interest runs to the
    adjusted date. ``fee_minor`` is due with every instalment.

    The product's decisions: ``interest_on``, ``accrual``, ``interest_rounding``, ``rounding`` of
    amounts; ``instalment_rounding`` (``rounding`` unless given) to a multiple of
    ``instalment_multiple_minor``; ``instalment_formula`` and ``evened`` as in ``amortisation``;
    an ``agreed_instalment_minor`` instead of one that is calculated. For the first
    ``principal_grace_periods`` no principal is due; the interest of the first
    ``interest_grace_periods`` falls due with the period after; the first
    ``interest_free_periods`` bear none. ``down_payment_bps`` of the principal is due on the first
    day, as a row of its own.
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
    first_due_date: date | None = None
    month_end: MonthEnd = MonthEnd.LAST_DAY
    interest_on: InterestOn = InterestOn.OUTSTANDING
    accrual: Accrual = Accrual.DAILY
    interest_rounding: InterestRounding = InterestRounding.RUNNING_TOTAL
    instalment_formula: InstalmentFormula = InstalmentFormula.ACTUAL_PERIODS
    instalment_rounding: Rounding | None = None
    instalment_multiple_minor: int = 1
    evened: bool = False
    agreed_instalment_minor: int | None = None
    principal_grace_periods: int = 0
    interest_grace_periods: int = 0
    interest_free_periods: int = 0
    down_payment_bps: int = 0


class Instalment(NamedTuple):
    """One row of a schedule: what falls due on a date, and the principal left after it."""

    n: int
    due_date: date
    principal_minor: int
    interest_minor: int
    fee_minor: int
    balance_minor: int


def schedule(terms: ScheduleTerms) -> list[Instalment]:
    """The instalments of a loan, in order; their principal sums to the loan's.

    Raises ScheduleImpossible, and NoFixedDenominator or DayCountNeeds where the day count cannot
    carry daily interest.
    """
    _refuse_impossible(terms)
    dates, parts, denominator = growth(date_plan(terms), terms.day_count, terms.accrual)
    refuse_grace_beyond(terms, len(dates))
    rate_numerator, rate_denominator = terms.annual_rate.as_integer_ratio()
    denominator *= rate_denominator
    # Interest of a period is balance × bearing / denominator.
    bearing = [rate_numerator * part for part in parts]
    if terms.interest_free_periods:
        bearing[: terms.interest_free_periods] = [0] * terms.interest_free_periods
    rule = rule_of(terms)
    down_minor = down_payment_minor(terms)
    principal_minor = terms.principal_minor - down_minor
    level = _level(terms, rule, principal_minor, bearing, denominator)

    owed = portions(
        rule,
        principal_minor,
        bearing,
        denominator,
        level,
        interest_principal_minor=terms.principal_minor,
    )
    down = [Instalment(1, terms.start, down_minor, 0, 0, principal_minor)] if down_minor else []
    balances_minor = accumulate(owed.principals_minor, sub, initial=principal_minor)
    next(balances_minor)
    columns = zip(
        count(len(down) + 1),
        dates,
        owed.principals_minor,
        owed.interests_minor,
        repeat(terms.fee_minor),
        balances_minor,
        strict=False,
    )
    return [*down, *map(Instalment._make, columns)]


def date_plan(terms: ScheduleTerms) -> DatePlan:
    """What the due dates of these terms are made from."""
    return DatePlan(
        terms.start,
        terms.first_due_date,
        terms.maturity,
        terms.number_of_periods,
        None if terms.method is Method.BULLET else terms.frequency,
        terms.month_end,
        terms.calendar,
        terms.adjustment,
    )


def rule_of(terms: ScheduleTerms) -> Rule:
    """The product's decisions about instalments, as ``amortisation`` reads them."""
    return Rule(
        method=terms.method,
        interest_on=terms.interest_on,
        interest_rounding=terms.interest_rounding,
        rounding=terms.rounding,
        instalment_rounding=terms.instalment_rounding or terms.rounding,
        instalment_multiple_minor=terms.instalment_multiple_minor,
        evened=terms.evened,
        principal_grace_periods=terms.principal_grace_periods,
        interest_grace_periods=terms.interest_grace_periods,
    )


def down_payment_minor(terms: ScheduleTerms) -> int:
    """What of the principal is due on the first day, rounded as instalments are."""
    if not terms.down_payment_bps:
        return 0
    multiple = terms.instalment_multiple_minor
    return multiple * rounded(
        terms.principal_minor * terms.down_payment_bps, _BPS * multiple, terms.rounding
    )


def _level(
    terms: ScheduleTerms,
    rule: Rule,
    principal_minor: int,
    bearing: Sequence[int],
    denominator: int,
) -> Level:
    """What every instalment is: agreed, or calculated from these periods or from even ones."""
    if terms.agreed_instalment_minor is not None:
        _refuse_growing_balance(terms, principal_minor, bearing, denominator)
        return Level(terms.agreed_instalment_minor, len(bearing) - terms.principal_grace_periods)
    if terms.instalment_formula is InstalmentFormula.EVEN_PERIODS and terms.frequency:
        rate_numerator, rate_denominator = terms.annual_rate.as_integer_ratio()
        even = even_part(terms.frequency, terms.day_count, terms.accrual, start=terms.start)
        denominator = rate_denominator * even.denominator
        # Periods that are free of interest stay free.
        bearing = [rate_numerator * even.numerator if part else 0 for part in bearing]
    return level_of(
        rule,
        principal_minor,
        bearing,
        denominator,
        interest_principal_minor=terms.principal_minor,
    )


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
    if terms.first_due_date is not None:
        _refuse_first_due_date(terms, terms.first_due_date)
    if terms.instalment_multiple_minor < 1 or not 0 <= terms.down_payment_bps < _BPS:
        raise ScheduleImpossible(
            f"instalments are multiples of {terms.instalment_multiple_minor} minor units and the "
            f"down payment is {terms.down_payment_bps} basis points",
            f"Give a multiple of 1 or more, and a down payment of 0 to {_BPS - 1}.",
        )


def _refuse_first_due_date(terms: ScheduleTerms, first_due_date: date) -> None:
    if terms.method is Method.BULLET:
        raise ScheduleImpossible(
            f"a bullet has no first due date, and {first_due_date} was given",
            "Give its maturity only.",
        )
    if first_due_date <= terms.start:
        raise ScheduleImpossible(
            f"first_due_date {first_due_date} is not after the start {terms.start}",
            "Give a later first due date, or none for whole periods from the start.",
        )
    if terms.maturity is not None and first_due_date > terms.maturity:
        raise ScheduleImpossible(
            f"first_due_date {first_due_date} is after the maturity {terms.maturity}",
            "Give an earlier first due date or a later maturity.",
        )


def refuse_grace_beyond(terms: ScheduleTerms, periods: int) -> None:
    """Grace must leave a period in which what it puts off falls due. Raises ScheduleImpossible."""
    for name in ("principal_grace_periods", "interest_grace_periods", "interest_free_periods"):
        # Free of interest can be the whole life; principal, and interest put off, must fall due.
        most = periods if name == "interest_free_periods" else periods - 1
        if not 0 <= getattr(terms, name) <= most:
            raise ScheduleImpossible(
                f"{name} is {getattr(terms, name)} and there are {periods} periods",
                f"Give 0 to {most}.",
            )


def _refuse_growing_balance(
    terms: ScheduleTerms, principal_minor: int, bearing: Sequence[int], denominator: int
) -> None:
    agreed_minor = terms.agreed_instalment_minor or 0
    interest_minor = rounded(principal_minor * max(bearing), denominator, Rounding.UP)
    if terms.method is not Method.EQUAL_INSTALMENTS:
        raise ScheduleImpossible(
            f"agreed_instalment_minor is {agreed_minor} and the method {terms.method}",
            f"Give the method {Method.EQUAL_INSTALMENTS}, or no agreed instalment.",
        )
    if agreed_minor <= interest_minor:
        raise ScheduleImpossible(
            f"the agreed instalment of {agreed_minor} minor units does not cover the interest of "
            f"{interest_minor} on the whole principal, so that the balance would never fall",
            f"Agree an instalment above {interest_minor}.",
        )
