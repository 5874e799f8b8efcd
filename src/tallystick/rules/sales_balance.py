"""What a percent-of-sales advance still has to bring, at a fixed fee or at a daily rate.

Both kinds answer the same questions and are moved along by the fold of ``sales_share``, in the
order in which its events take effect. Amounts are minor units. A payment below zero takes cash
back, which is then owed again.
"""

from datetime import date, timedelta
from decimal import Decimal

from tallystick.rules.discount_fee import MAX_PAYMENTS, FeePlan, NoRepaymentPlan, fee_plan
from tallystick.rules.loan_events import RATE_UNITS
from tallystick.rules.money import Rounding, rounded


class FixedFeeBalance:
    """An advance with a fixed fee: everything is a function of the cash that came in.

    ``_plans`` are the plans one after the other, each with the cash and the fee earned at which
    it began; taking cash back may lead into an earlier one.
    """

    def __init__(self, plan: FeePlan, rounding: Rounding) -> None:
        self._payable_minor = plan.payable_minor
        self._fee_minor = plan.fee_minor
        self._rounding = rounding
        self._plans = [(0, 0, plan)]
        self._cash_minor = 0

    @property
    def effective_daily_rate(self) -> Decimal:
        return self._plans[-1][2].rate

    def owed_minor(self, _day: date) -> int:
        return self._payable_minor - self._cash_minor

    def pay(self, amount_minor: int, _day: date) -> None:
        self._cash_minor += amount_minor

    def expect(self, daily_minor: int, day: date) -> None:
        """Go on at another payment a day: what is left of the fee is earned by a new plan.

        Raises NoRepaymentPlan.
        """
        earned_minor = self.fee_earned_minor(day)
        fee_left_minor = self._fee_minor - earned_minor
        balance_minor = self.owed_minor(day) - fee_left_minor
        if balance_minor > 0:
            plan = fee_plan(
                balance_minor=balance_minor, fee_minor=fee_left_minor, daily_minor=daily_minor
            )
            self._plans.append((max(0, self._cash_minor), earned_minor, plan))

    def fee_minor(self, _day: date) -> int:
        return self._fee_minor

    def fee_earned_minor(self, _day: date) -> int:
        # Less than nothing has come in where a refund outlived the payment it gave back.
        cash_minor = max(0, self._cash_minor)
        began_minor, earned_minor, plan = next(
            each for each in reversed(self._plans) if each[0] <= cash_minor
        )
        return earned_minor + plan.earned_minor(cash_minor - began_minor, self._rounding)

    def principal_repaid_minor(self, day: date) -> int:
        return self._cash_minor - self.fee_earned_minor(day)

    def interest_numerator(self, _day: date) -> int:
        return 0

    def payments_left(self, daily_minor: int, day: date) -> int:
        return -(-self.owed_minor(day) // daily_minor)


class DailyRateBalance:
    """An advance at a daily rate: simple interest on the principal, paid before principal.

    running interest = Σ principal × rate × days, exact over a billion, rounded as one total.
    """

    effective_daily_rate: Decimal

    def __init__(
        self, advance_minor: int, rate_ppb: int, start_date: date, rounding: Rounding
    ) -> None:
        self.effective_daily_rate = Decimal(rate_ppb).scaleb(-9)
        self._advance_minor = advance_minor
        self._principal_minor = advance_minor
        self._rate_ppb = rate_ppb
        self._rounding = rounding
        self._accrued_to = start_date
        self._numerator = 0
        self._interest_paid_minor = 0

    def owed_minor(self, day: date) -> int:
        return self._principal_minor + self.fee_minor(day) - self._interest_paid_minor

    def pay(self, amount_minor: int, day: date) -> None:
        self._numerator = self.interest_numerator(day)
        self._accrued_to = day
        interest_due_minor = self.fee_minor(day) - self._interest_paid_minor
        to_interest_minor = min(amount_minor, interest_due_minor) if amount_minor > 0 else 0
        self._interest_paid_minor += to_interest_minor
        self._principal_minor -= amount_minor - to_interest_minor

    def expect(self, daily_minor: int, _day: date) -> None:
        """Raise NoRepaymentPlan where the payment a day does not even bring its interest."""
        interest_minor = rounded(self._principal_minor * self._rate_ppb, RATE_UNITS, self._rounding)
        if self._principal_minor and daily_minor <= interest_minor:
            raise NoRepaymentPlan(
                f"a day's interest is {interest_minor} minor units and the payment expected "
                f"{daily_minor}",
                "Take a larger share, or lower the rate.",
            )

    def fee_minor(self, day: date) -> int:
        """Interest from the payout to ``day`` (excluded)."""
        return rounded(self.interest_numerator(day), RATE_UNITS, self._rounding)

    def fee_earned_minor(self, day: date) -> int:
        return self.fee_minor(day)

    def principal_repaid_minor(self, _day: date) -> int:
        return self._advance_minor - self._principal_minor

    def payments_left(self, daily_minor: int, day: date) -> int | None:
        """Days until nothing is owed, or None for more than the longest."""
        ahead = DailyRateBalance(self._advance_minor, self._rate_ppb, day, self._rounding)
        ahead._principal_minor = self._principal_minor
        ahead._numerator = self.interest_numerator(day)
        ahead._interest_paid_minor = self._interest_paid_minor
        for payments in range(MAX_PAYMENTS + 1):
            if not ahead.owed_minor(day):
                return payments
            day += timedelta(days=1)
            ahead.pay(min(daily_minor, ahead.owed_minor(day)), day)
        return None

    def interest_numerator(self, day: date) -> int:
        """The same, exact: over a billion."""
        days = (day - self._accrued_to).days
        return self._numerator + self._principal_minor * self._rate_ppb * days
