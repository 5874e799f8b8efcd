"""What is agreed of a percent-of-sales advance, and how it comes back if sales run as expected.

The advance costs either a fixed fee, earned at the effective rate (``discount_fee``), or a daily
rate on the principal outstanding. Sales that were expected give an expected payment a day:

    daily = expected sales a year × share / days of the year, rounded
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tallystick.rules.discount_fee import MAX_PAYMENTS, NoRepaymentPlan, fee_plan
from tallystick.rules.loan_events import MAX_AMOUNT_MINOR, rate_in_ppb
from tallystick.rules.loan_terms import EARLIEST_START, InvalidLoanTerms
from tallystick.rules.money import Rounding, minor_digits, rounded
from tallystick.rules.sales_balance import DailyRateBalance, FixedFeeBalance
from tallystick.rules.sales_events import BASIS_POINTS, refuse_share
from tallystick.rules.sales_pace import PaceTerms

YEAR_DAYS = (360, 365)


@dataclass(frozen=True, slots=True)
class SalesShareTerms:
    """A percent-of-sales advance as agreed. Amounts are minor units of ``currency``.

    ``advance_minor`` is paid out on ``start``. Exactly one of ``fee_minor``, a fixed fee, and
    ``daily_rate``, a fraction a day of the principal outstanding, is given. ``share_bps`` of every
    settlement is kept. ``yearly_sales_minor`` are the sales expected in a year of ``year_days``.
    ``rounding`` makes minor units of the running totals and of the payment expected a day.

    Raises InvalidLoanTerms, InvalidRate, InvalidShare, UnknownCurrency, NoRepaymentPlan.
    """

    currency: str
    advance_minor: int
    start: date
    share_bps: int
    yearly_sales_minor: int
    fee_minor: int | None = None
    daily_rate: Decimal | None = None
    year_days: int = 360
    pace: PaceTerms | None = None
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        minor_digits(self.currency)
        for name in ("advance_minor", "yearly_sales_minor"):
            amount_minor = getattr(self, name)
            if not 0 < amount_minor <= MAX_AMOUNT_MINOR:
                raise InvalidLoanTerms(f"{name} is {amount_minor}: give 1 to {MAX_AMOUNT_MINOR}.")
        if (self.fee_minor is None) == (self.daily_rate is None):
            raise InvalidLoanTerms(
                f"fee_minor is {self.fee_minor} and daily_rate {self.daily_rate}: an advance has "
                "exactly one of the two."
            )
        if self.fee_minor is not None and not 0 <= self.fee_minor <= MAX_AMOUNT_MINOR:
            raise InvalidLoanTerms(f"fee_minor is {self.fee_minor}: give 0 to {MAX_AMOUNT_MINOR}.")
        if self.daily_rate is not None:
            rate_in_ppb(self.daily_rate, name="Daily rate")
        if self.year_days not in YEAR_DAYS:
            raise InvalidLoanTerms(f"year_days is {self.year_days}: give 360 or 365.")
        if self.start < EARLIEST_START:
            raise InvalidLoanTerms(
                f"start {self.start} is before {EARLIEST_START}: correct the date."
            )
        refuse_share(self.share_bps)
        # Terms by which the advance never comes back are refused here, not by the first day.
        planned_payments(self)

    def daily_minor(self, share_bps: int) -> int:
        """The payment expected a day when ``share_bps`` of sales are kept."""
        return rounded(
            self.yearly_sales_minor * share_bps, BASIS_POINTS * self.year_days, self.rounding
        )


@dataclass(frozen=True, slots=True)
class ExpectedPayment:
    """One day of a plan: what is paid, what of it the fee earns, and what is left after it.

    ``balance_minor`` is what is outstanding of the advance, ``fee_left_minor`` of a fixed fee.
    """

    n: int
    date: date
    payment_minor: int
    fee_earned_minor: int
    balance_minor: int
    fee_left_minor: int


def planned_payments(terms: SalesShareTerms) -> list[ExpectedPayment]:
    """The days of an advance whose sales run as expected.

    Raises NoRepaymentPlan.
    """
    daily_minor = terms.daily_minor(terms.share_bps)
    balance = opened(terms, fee_minor=terms.fee_minor or 0)
    rows: list[ExpectedPayment] = []
    day = terms.start
    earned_minor = 0
    while balance.owed_minor(day):
        if len(rows) == MAX_PAYMENTS:
            raise NoRepaymentPlan(
                f"at {daily_minor} minor units a day more than {MAX_PAYMENTS} days would go by",
                "Take a larger share, or advance less.",
            )
        day += timedelta(days=1)
        payment_minor = min(daily_minor, balance.owed_minor(day))
        balance.pay(payment_minor, day)
        now_earned_minor = balance.fee_earned_minor(day)
        rows.append(
            ExpectedPayment(
                n=len(rows) + 1,
                date=day,
                payment_minor=payment_minor,
                fee_earned_minor=now_earned_minor - earned_minor,
                balance_minor=terms.advance_minor - balance.principal_repaid_minor(day),
                fee_left_minor=balance.fee_minor(day) - now_earned_minor,
            )
        )
        earned_minor = now_earned_minor
    return rows


def opened(terms: SalesShareTerms, *, fee_minor: int) -> FixedFeeBalance | DailyRateBalance:
    """What an advance has to bring when it is paid out. Raises NoRepaymentPlan."""
    daily_minor = terms.daily_minor(terms.share_bps)
    if terms.daily_rate is None:
        plan = fee_plan(
            balance_minor=terms.advance_minor, fee_minor=fee_minor, daily_minor=daily_minor
        )
        return FixedFeeBalance(plan, terms.rounding)
    balance = DailyRateBalance(
        terms.advance_minor, rate_in_ppb(terms.daily_rate), terms.start, terms.rounding
    )
    balance.expect(daily_minor, terms.start)
    return balance
