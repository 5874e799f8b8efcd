"""What was agreed about a loan before any money moved."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tallystick.rules.calendars import (
    WEEKENDS_ONLY,
    Adjustment,
    Calendar,
    Period,
    PeriodUnit,
)
from tallystick.rules.daycount import DayCount, accrual_denominator
from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan_events import MAX_AMOUNT_MINOR, EventKind, Keeps, rate_in_ppb
from tallystick.rules.money import Rounding, minor_digits
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import Method, ScheduleTerms

MAX_GRACE_DAYS = 365
MAX_BAND_DAYS = 3_660

_DAYS_OF_YEAR = {DayCount.ACT_360: 360, DayCount.ACT_365F: 365, DayCount.ACT_366: 366}

MONTHLY = Period(1, PeriodUnit.MONTHS)

EARLIEST_START = date(1900, 1, 1)


class Bucket(StrEnum):
    """What a receipt can pay, in the order in which it does unless the terms say otherwise."""

    FEES = "fees"
    """Fees due."""
    PENALTY = "penalty"
    """Penalty accrued to the value date."""
    INTEREST = "interest"
    """Interest accrued to the value date."""
    PRINCIPAL_DUE = "principal_due"
    """Principal whose due date has come."""
    PRINCIPAL_NOT_DUE = "principal_not_due"
    """The rest of the principal: prepayment."""


RECEIPT_ORDER = tuple(Bucket)


class Debt(StrEnum):
    """What a loan can owe, by kind: principal is one, whether it has fallen due or not."""

    FEES = "fees"
    PENALTY = "penalty"
    INTEREST = "interest"
    PRINCIPAL = "principal"


BACKWARDS = tuple(reversed(Debt))

_BUCKETS_OF: dict[Debt, tuple[Bucket, ...]] = {
    Debt.FEES: (Bucket.FEES,),
    Debt.PENALTY: (Bucket.PENALTY,),
    Debt.INTEREST: (Bucket.INTEREST,),
    Debt.PRINCIPAL: (Bucket.PRINCIPAL_DUE, Bucket.PRINCIPAL_NOT_DUE),
}


class InvalidLoanTerms(Refusal):
    """The terms contradict themselves or cannot be calculated with."""


@dataclass(frozen=True, slots=True)
class KindOrders:
    """Orders of single kinds of transaction, named as the loan's events are; None: the usual one.

    ``remitted``: cash that names the loan. ``repaid``: the borrower's own cash, early or late.
    ``recovered``: which of the debts that were charged off is recovered first. ``charged_back``:
    which of the debts that were paid is owed again first, when money goes back that is no credit.

    Raises InvalidLoanTerms.
    """

    remitted: tuple[Bucket, ...] | None = None
    repaid: tuple[Bucket, ...] | None = None
    recovered: tuple[Debt, ...] | None = None
    charged_back: tuple[Debt, ...] = BACKWARDS

    def __post_init__(self) -> None:
        for name, buckets in (("remitted", self.remitted), ("repaid", self.repaid)):
            if buckets is not None:
                refuse_order(name, buckets)
        for name, debts in (("recovered", self.recovered), ("charged_back", self.charged_back)):
            if debts is not None and sorted(debts) != sorted(Debt):
                raise InvalidLoanTerms(
                    f"{name} is {', '.join(debts) or 'empty'}: name each of {', '.join(Debt)} once."
                )

    def of(self, kind: EventKind, *, usual: tuple[Bucket, ...]) -> tuple[Bucket, ...]:
        """In which order money that comes in by an event of ``kind`` meets what is owed."""
        match kind:
            case EventKind.REMITTED:
                return self.remitted or usual
            case EventKind.REPAID | EventKind.PREPAID:
                return self.repaid or usual
            case EventKind.RECOVERED if self.recovered is not None:
                return tuple(bucket for debt in self.recovered for bucket in _BUCKETS_OF[debt])
            case _:
                return usual


USUAL_ORDERS = KindOrders()


def refuse_order(name: str, order: tuple[Bucket, ...]) -> None:
    """Raise InvalidLoanTerms unless ``order`` names each bucket once, what is due before the rest.

    What is repaid counts against the oldest instalment, so that it pays what is due first.
    """
    if sorted(order) != sorted(Bucket) or (
        order.index(Bucket.PRINCIPAL_NOT_DUE) < order.index(Bucket.PRINCIPAL_DUE)
    ):
        raise InvalidLoanTerms(
            f"{name} is {', '.join(order) or 'empty'}: name each of "
            f"{', '.join(Bucket)} once, principal_due before principal_not_due."
        )


@dataclass(frozen=True, slots=True)
class PenaltyBand:
    """The penalty rate, a fraction a year, from so many days past due on."""

    days_past_due: int
    rate: Decimal


class Due(NamedTuple):
    """A due date, and the principal that the plan wants repaid by then in all."""

    due_date: date
    planned_minor: int


class AgreedPlan(NamedTuple):
    """What falls due when, as it stands in the contract.

    ``level_minor`` is what each instalment but the last comes to; with its interest, if equal.
    """

    dues: tuple[Due, ...]
    level_minor: int


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """One loan as agreed. ``principal_minor`` is what was committed, not what was paid out.

    ``maturity`` is the last due date, already adjusted to a business day where the contract asks
    for it. ``annual_rate`` is a fraction (0.10 is ten per cent a year), in force until an event
    changes it. ``frequency`` is the time between instalments, where the method has any.
    ``penalty_rate`` is charged on principal past due, on top of the annual rate, from
    ``penalty_grace_days`` after the due date (that day included); the days of grace stay free.
    ``penalty_bands`` hold in its place once an instalment has been past due for so many days, each
    until the next; ``penalty_of_a_day`` and ``penalty_of_multiple`` give the rates that contracts
    write otherwise. ``revolving``: what was repaid may be borrowed again, up to the commitment.
    ``rounding`` turns the exact running totals of interest and penalty into minor units.
    ``receipt_order`` says what a receipt pays first: every bucket once, principal that is due
    before principal that is not; ``kind_orders`` where it is not the same for every kind of
    receipt. ``axis``: a bucket of all instalments before the next bucket, or all buckets of the
    oldest instalment before the next instalment; fees and penalty belong to the oldest.
    ``agreed_plan`` holds the due dates where they are not all whole periods from the start, because
    each was moved to a business day. ``calendar`` and ``adjustment`` say how: due dates that events
    make later are moved alike. ``prepaid_keeps``: what stays as it was when a receipt repays
    principal before it is due; None: it meets the next instalments.

    Raises InvalidLoanTerms, InvalidRate, UnknownCurrency and NoFixedDenominator.
    """

    currency: str
    principal_minor: int
    annual_rate: Decimal
    day_count: DayCount
    method: Method
    start: date
    maturity: date
    frequency: Period = MONTHLY
    rounding: Rounding = Rounding.HALF_UP
    penalty_rate: Decimal = Decimal(0)
    penalty_grace_days: int = 0
    receipt_order: tuple[Bucket, ...] = RECEIPT_ORDER
    penalty_bands: tuple[PenaltyBand, ...] = ()
    revolving: bool = False
    axis: Axis = Axis.BY_PART
    kind_orders: KindOrders = USUAL_ORDERS
    agreed_plan: AgreedPlan | None = None
    prepaid_keeps: Keeps | None = None
    calendar: Calendar = WEEKENDS_ONLY
    adjustment: Adjustment = Adjustment.UNADJUSTED

    def __post_init__(self) -> None:
        minor_digits(self.currency)
        accrual_denominator(self.day_count)
        rate_in_ppb(self.annual_rate)
        rate_in_ppb(self.penalty_rate, name="Penalty rate")
        if self.day_count is DayCount.BUS_252:
            raise InvalidLoanTerms(
                f"day_count {self.day_count} counts business days, and the daily interest of a "
                "loan runs on every day: choose a day count of calendar days."
            )
        if not 0 < self.principal_minor <= MAX_AMOUNT_MINOR:
            raise InvalidLoanTerms(
                f"principal_minor is {self.principal_minor}: give 1 to {MAX_AMOUNT_MINOR}."
            )
        if self.start < EARLIEST_START:
            raise InvalidLoanTerms(
                f"start {self.start} is before {EARLIEST_START}: correct the date."
            )
        if self.maturity <= self.start:
            raise InvalidLoanTerms(
                f"maturity {self.maturity} is not after start {self.start}: give a later maturity."
            )
        if not 0 <= self.penalty_grace_days <= MAX_GRACE_DAYS:
            raise InvalidLoanTerms(
                f"penalty_grace_days is {self.penalty_grace_days}: give 0 to {MAX_GRACE_DAYS}."
            )
        self._refuse_bands()
        if self.revolving and self.method not in (Method.BULLET, Method.INTEREST_ONLY):
            raise InvalidLoanTerms(
                f"method {self.method} plans when each part comes back, and a revolving loan is "
                f"repaid on any day: choose {Method.BULLET} or {Method.INTEREST_ONLY}."
            )
        refuse_order("receipt_order", self.receipt_order)
        if self.agreed_plan and self.agreed_plan.dues[-1].due_date != self.maturity:
            raise InvalidLoanTerms(
                f"maturity {self.maturity} is not the last due date agreed, "
                f"{self.agreed_plan.dues[-1].due_date}: give that."
            )

    def _refuse_bands(self) -> None:
        from_days = self.penalty_grace_days
        for band in self.penalty_bands:
            rate_in_ppb(band.rate, name="Penalty rate")
            if not from_days < band.days_past_due <= MAX_BAND_DAYS:
                raise InvalidLoanTerms(
                    f"A penalty band begins at {band.days_past_due} days past due, after "
                    f"{from_days}: give bands in order, each of {from_days + 1} to "
                    f"{MAX_BAND_DAYS} days."
                )
            from_days = band.days_past_due


def penalty_of_a_day(daily_rate: Decimal, day_count: DayCount) -> Decimal:
    """The rate a year of a penalty agreed by the day: ``daily_rate`` × the day count's year.

    Raises InvalidLoanTerms where a day is not always the same part of the day count's year.
    """
    if day_count not in _DAYS_OF_YEAR:
        raise InvalidLoanTerms(
            f"A penalty by the day needs days of one length, and {day_count} has none: give the "
            f"rate a year, or one of {', '.join(_DAYS_OF_YEAR)}."
        )
    return daily_rate * _DAYS_OF_YEAR[day_count]


def penalty_of_multiple(multiple: Decimal, annual_rate: Decimal) -> Decimal:
    """What a penalty of ``multiple`` × the agreed rate, in its place, adds to it.

    1.5 times a rate of 0.10 is 0.15, of which 0.10 runs as interest and 0.05 as penalty.

    Raises InvalidLoanTerms for a multiple below one.
    """
    if not multiple.is_finite() or multiple < 1:
        raise InvalidLoanTerms(
            f"A penalty of {multiple} times the rate is less than the rate: give 1 or more."
        )
    return (multiple - 1) * annual_rate


def plan_of(terms: LoanTerms) -> ScheduleTerms:
    """What the loan's schedule is made from: the whole principal, paid out on the first day."""
    return ScheduleTerms(
        principal_minor=terms.principal_minor,
        annual_rate=terms.annual_rate,
        day_count=terms.day_count,
        method=terms.method,
        start=terms.start,
        maturity=terms.maturity,
        frequency=terms.frequency,
        rounding=terms.rounding,
        calendar=terms.calendar,
        adjustment=terms.adjustment,
    )
