"""What a draw costs: its interest to its due dates, and all charges as one rate a year.

The annual percentage rate X is the effective annual rate at which what the borrower pays back is
worth what it received:

    received = Σ paid × (1 + X) ^ (−days / 365), days from the payout to each payment

All charges known when the draw is asked for count: interest and fees; what may be charged for
paying late does not. Source: Directive 2008/48/EC, annex I (intervals counted in days, a year of
365 days); announcement 3 (2021) of the People's Bank of China asks for the same annual rate of
all costs over the principal in use, by compound interest unless said otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tallystick.rules.daycount import DayCount, accrual_days, accrual_denominator
from tallystick.rules.loan_events import RATE_UNITS
from tallystick.rules.money import Rounding, rounded, rounded_decimal
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import Instalment
from tallystick.rules.timevalue import CashFlow, annual_cost_estimate

APR_DECIMALS = 2
"""A rate of all charges is shown in per cent with so many decimals, rounded half-up."""


class NoTimeToCost(Refusal):
    """A draw that is due on the day it is drawn costs nothing that could be told."""

    def __init__(self, drawn_date: date, due_date: date) -> None:
        self.drawn_date = drawn_date
        self.due_date = due_date
        super().__init__(
            f"A draw of {drawn_date} due {due_date} has no days to run. Ask for a longer term."
        )


class Payment(NamedTuple):
    """What is to be paid on a due date; minor units."""

    due_date: date
    principal_minor: int
    interest_minor: int
    fees_minor: int

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.fees_minor


@dataclass(frozen=True, slots=True)
class Price:
    """What one draw costs if it is repaid when it falls due. Amounts are minor units.

    ``due_date`` is the last of the due dates of ``payments``.

    ``apr_percent_estimate`` is the annual percentage rate of all charges (see the module), in per
    cent; None where no rate can be found.
    """

    amount_minor: int
    drawn_date: date
    due_date: date
    interest_minor: int
    fees_minor: int
    apr_percent_estimate: Decimal | None
    payments: tuple[Payment, ...]

    @property
    def total_minor(self) -> int:
        """All that is to be repaid."""
        return self.amount_minor + self.interest_minor + self.fees_minor

    @property
    def days(self) -> int:
        """Calendar days from the payout to the last due date."""
        return (self.due_date - self.drawn_date).days


def price_of(
    amount_minor: int,
    *,
    annual_rate_ppb: int,
    day_count: DayCount,
    drawn_date: date,
    due_date: date,
    fees_minor: int = 0,
) -> Price:
    """The price of a draw paid out on ``drawn_date`` and repaid whole on ``due_date``.

    interest = principal × rate × accrual days / denominator of the day count, rounded half-up:
    what the loan's running total will have come to on its due date.

    Raises NoTimeToCost.
    """
    if due_date <= drawn_date:
        raise NoTimeToCost(drawn_date, due_date)
    interest_minor = _interest_minor(
        amount_minor, annual_rate_ppb, day_count, start=drawn_date, end=due_date
    )
    return _price(
        amount_minor, drawn_date, (Payment(due_date, amount_minor, interest_minor, fees_minor),)
    )


def price_of_instalments(
    amount_minor: int,
    instalments: Sequence[Instalment],
    *,
    drawn_date: date,
    fees_minor: int = 0,
) -> Price:
    """The price of a draw paid out on ``drawn_date`` and repaid by these instalments.

    ``fees_minor`` are due with the first of them.
    """
    first, *others = (
        Payment(each.due_date, each.principal_minor, each.interest_minor, each.fee_minor)
        for each in instalments
    )
    first = first._replace(fees_minor=first.fees_minor + fees_minor)
    return _price(amount_minor, drawn_date, (first, *others))


def _price(amount_minor: int, drawn_date: date, payments: tuple[Payment, ...]) -> Price:
    paid = [CashFlow(each.due_date, -each.total_minor) for each in payments]
    return Price(
        amount_minor=amount_minor,
        drawn_date=drawn_date,
        due_date=payments[-1].due_date,
        interest_minor=sum(each.interest_minor for each in payments),
        fees_minor=sum(each.fees_minor for each in payments),
        apr_percent_estimate=apr_percent_estimate([CashFlow(drawn_date, amount_minor), *paid]),
        payments=payments,
    )


def apr_percent_estimate(cash_flows: Sequence[CashFlow]) -> Decimal | None:
    """The rate of all charges (see the module) of any credit, in per cent, or None.

    ``cash_flows`` are the borrower's: positive what it received, less charges kept back; negative
    every payment, whatever it is for. Several payouts and payments may lie on any days.
    """
    rate_estimate = annual_cost_estimate(cash_flows)
    if rate_estimate is None:
        return None
    return rounded_decimal(
        Decimal(repr(rate_estimate)) * 100, Rounding.HALF_UP, digits=APR_DECIMALS
    )


def cost_per_day_minor(amount_minor: int, *, annual_rate_ppb: int, day_count: DayCount) -> int:
    """Interest of one day on an amount, in minor units, rounded half-up.

    Raises NoFixedDenominator for a day count whose days differ.
    """
    return rounded(
        amount_minor * annual_rate_ppb * _days_a_day(day_count),
        RATE_UNITS * accrual_denominator(day_count),
        Rounding.HALF_UP,
    )


def _days_a_day(day_count: DayCount) -> int:
    """A day in units of the denominator: some conventions scale both."""
    return accrual_days(day_count, date(2001, 1, 1), date(2001, 1, 2))


def _interest_minor(
    amount_minor: int, annual_rate_ppb: int, day_count: DayCount, *, start: date, end: date
) -> int:
    days = accrual_days(day_count, start, end, termination_date=end)
    return rounded(
        amount_minor * annual_rate_ppb * days,
        RATE_UNITS * accrual_denominator(day_count),
        Rounding.HALF_UP,
    )
