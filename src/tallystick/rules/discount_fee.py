"""A fixed fee earned at the effective rate: what of it each payment of an advance earns.

An advance pays out A and takes back A + F in equal daily payments d, the last one the remainder.
The effective daily rate r is the one at which those payments are worth what was paid out:

    A = d × (1 − (1 + r)⁻ᵐ) / r + last × (1 + r)⁻⁽ᵐ⁺¹⁾        m payments of d, then the last

With it the balance and the fee earned after k whole payments have a closed form:

    balance(k) = A × (1 + r)ᵏ − d × ((1 + r)ᵏ − 1) / r
    earned(k)  = k × d − (A − balance(k)),   and F once everything is paid

The fee is earned by payments, not by days: between two whole payments it grows in proportion to
the cash, and a day without a payment earns nothing. So what is earned is a function of the cash
received, however it came in parts and on whatever days. The running total is what is rounded; the
last payment earns the rest of the fee.

The rate is found by bisection in decimals of fifty digits, to twenty-four decimals: nothing here
is floating point.

Source: the working-capital loan of Apache Fineract (amortisation at the effective interest rate),
whose published tables this reproduces to the minor unit.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

from tallystick.rules.money import Rounding, rounded_decimal
from tallystick.rules.refusal import Refusal

MAX_PAYMENTS = 3_660
"""Ten years of days: an advance that takes longer is a mistake in the pace."""

RATE_DECIMALS = 24
_RATE_STEP = Decimal(1).scaleb(-RATE_DECIMALS)
_PRECISION = 50


class NoRepaymentPlan(Refusal):
    """The amounts make no plan by which the advance and its fee come back."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(f"The advance cannot be repaid as asked: {fault}. {remedy}")


@dataclass(frozen=True, slots=True)
class FeePlan:
    """How an advance and its fee come back. Amounts are minor units.

    ``balance_minor`` is what was paid out and is outstanding without the fee, ``fee_minor`` the
    fee still to be earned, ``daily_minor`` the payment expected a day, ``rate`` the effective
    daily rate as a fraction.
    """

    balance_minor: int
    fee_minor: int
    daily_minor: int
    rate: Decimal

    @property
    def payable_minor(self) -> int:
        return self.balance_minor + self.fee_minor

    @property
    def payments(self) -> int:
        """Number of payments, the last included."""
        return -(-self.payable_minor // self.daily_minor)

    def earned(self, cash_minor: int) -> Decimal:
        """Fee earned once ``cash_minor`` has been received under this plan, before rounding."""
        if cash_minor >= self.payable_minor:
            return Decimal(self.fee_minor)
        whole, part_minor = divmod(cash_minor, self.daily_minor)
        with localcontext() as context:
            context.prec = _PRECISION
            before = self._earned_after(whole)
            if not part_minor:
                return before
            following_minor = min(self.daily_minor, self.payable_minor - whole * self.daily_minor)
            following = self._earned_after(whole + 1)
            return before + (following - before) * part_minor / following_minor

    def earned_minor(self, cash_minor: int, rounding: Rounding) -> int:
        """The running total of the fee earned, rounded."""
        return int(rounded_decimal(self.earned(cash_minor), rounding))

    def _earned_after(self, whole: int) -> Decimal:
        if whole >= self.payments:
            return Decimal(self.fee_minor)
        if not self.rate:
            return Decimal(0)
        growth = (1 + self.rate) ** whole
        balance = self.balance_minor * growth - self.daily_minor * (growth - 1) / self.rate
        return whole * self.daily_minor - (self.balance_minor - balance)


def fee_plan(*, balance_minor: int, fee_minor: int, daily_minor: int) -> FeePlan:
    """The plan by which ``balance_minor`` and ``fee_minor`` come back at ``daily_minor`` a day.

    Raises NoRepaymentPlan.
    """
    if balance_minor <= 0 or fee_minor < 0:
        raise NoRepaymentPlan(
            f"{balance_minor} minor units are outstanding and the fee is {fee_minor}",
            "Give an amount above zero and a fee of zero or more.",
        )
    if daily_minor <= 0:
        raise NoRepaymentPlan(
            f"the payment expected a day comes to {daily_minor} minor units",
            "Expect more sales, or take a larger share of them.",
        )
    payments = -(-(balance_minor + fee_minor) // daily_minor)
    if payments > MAX_PAYMENTS:
        raise NoRepaymentPlan(
            f"at {daily_minor} minor units a day it would take {payments} days",
            f"Take a larger share, or advance less: {MAX_PAYMENTS} days is the longest.",
        )
    return FeePlan(
        balance_minor,
        fee_minor,
        daily_minor,
        _effective_daily_rate(balance_minor, fee_minor, daily_minor),
    )


@lru_cache(maxsize=4_096)  # an advance is folded again with each of its events
def _effective_daily_rate(balance_minor: int, fee_minor: int, daily_minor: int) -> Decimal:
    """The root of the equation of value, rounded down to twenty-four decimals.

    It lies between nothing and fee / balance, the rate if all came back after one day.
    """
    if not fee_minor:
        return Decimal(0)
    full_payments, last_minor = divmod(balance_minor + fee_minor, daily_minor)
    if not last_minor:
        full_payments, last_minor = full_payments - 1, daily_minor
    with localcontext() as context:
        context.prec = _PRECISION
        low, high = Decimal(0), Decimal(fee_minor) / balance_minor + _RATE_STEP
        while high - low > _RATE_STEP:
            rate = (low + high) / 2
            discount = (1 + rate) ** -full_payments
            worth = daily_minor * (1 - discount) / rate + last_minor * discount / (1 + rate)
            if worth > balance_minor:
                low = rate
            else:
                high = rate
        return low.quantize(_RATE_STEP)
