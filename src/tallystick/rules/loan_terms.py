"""What was agreed about a loan before any money moved."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.daycount import DayCount, accrual_denominator
from tallystick.rules.loan_events import MAX_AMOUNT_MINOR, rate_in_ppb
from tallystick.rules.money import Rounding, minor_digits
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import Method, ScheduleTerms

MAX_GRACE_DAYS = 365

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


class InvalidLoanTerms(Refusal):
    """The terms contradict themselves or cannot be calculated with."""


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """One loan as agreed. ``principal_minor`` is what was committed, not what was paid out.

    ``maturity`` is the last due date, already adjusted to a business day where the contract asks
    for it. ``annual_rate`` is a fraction (0.10 is ten per cent a year), in force until an event
    changes it. ``frequency`` is the time between instalments, where the method has any.
    ``penalty_rate`` is charged on principal past due, on top of the annual rate, from
    ``penalty_grace_days`` after the due date (that day included); the days of grace stay free.
    ``rounding`` turns the exact running totals of interest and penalty into minor units.
    ``receipt_order`` says what a receipt pays first: every bucket once, principal that is due
    before principal that is not.

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
        order = self.receipt_order
        if sorted(order) != sorted(Bucket) or (
            # What is repaid counts against the oldest instalment: it pays what is due first.
            order.index(Bucket.PRINCIPAL_NOT_DUE) < order.index(Bucket.PRINCIPAL_DUE)
        ):
            raise InvalidLoanTerms(
                f"receipt_order is {', '.join(order) or 'empty'}: name each of "
                f"{', '.join(Bucket)} once, principal_due before principal_not_due."
            )


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
    )
