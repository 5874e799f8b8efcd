"""The time value of money: what amounts at different times are worth, and at what rate.

Signs are those of a spreadsheet: money paid out is negative, money received positive. Values that
have a closed form are ``Decimal``, calculated to fifty digits, because instalments are made from
them. Rates of return, and values over many dates, are estimates in floating point, named so, and
never posted; where no rate solves the equation, the answer is None.

Sources: the definitions of the functions of the same name in spreadsheets (OpenDocument Format 1.2,
part 2, section 6.12); rates are found by pyxirr.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from math import isfinite

import pyxirr

from tallystick.rules.daycount import DayCount
from tallystick.rules.refusal import Refusal

Amount = int | float | Decimal

_PRECISION = 50

_PYXIRR_DAY_COUNTS = {
    DayCount.ACT_360: pyxirr.DayCount.ACT_360,
    DayCount.ACT_365F: pyxirr.DayCount.ACT_365F,
    DayCount.ACT_365_NO_LEAP: pyxirr.DayCount.NL_365,
    DayCount.ACT_365_25: pyxirr.DayCount.ACT_365_25,
    DayCount.ACT_ACT_ISDA: pyxirr.DayCount.ACT_ACT_ISDA,
    DayCount.THIRTY_360_US: pyxirr.DayCount.THIRTY_U_360,
    DayCount.THIRTY_360_BOND_BASIS: pyxirr.DayCount.THIRTY_360_ISDA,
    DayCount.THIRTY_E_360: pyxirr.DayCount.THIRTY_E_360,
}


@dataclass(frozen=True, slots=True)
class CashFlow:
    """An amount on a date; negative when it is paid out."""

    date: date
    amount: Amount


class DayCountHasNoReturns(Refusal):
    """Returns cannot be measured with this day count."""

    def __init__(self, day_count: DayCount) -> None:
        self.day_count = day_count
        possible = "; ".join(known.value for known in _PYXIRR_DAY_COUNTS)
        super().__init__(
            f"Returns cannot be measured with {day_count.value}. Use one of: {possible}."
        )


class PeriodOutsideLife(Refusal):
    """The payment asked for is not one of the payments there are."""

    def __init__(self, period: int, periods: Decimal) -> None:
        self.period = period
        self.periods = periods
        super().__init__(
            f"Period {period} is not one of the {periods} periods. Ask for 1 to {periods}."
        )


class NoValue(Refusal):
    """The equation of value has no finite solution for what was asked."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}. Give a rate above -1 and a number of periods above zero.")


def future_value(
    rate: Decimal,
    periods: Decimal,
    payment: Decimal,
    present: Decimal,
    *,
    at_beginning: bool = False,
) -> Decimal:
    """FV: the balance after ``periods`` equal payments; ``rate`` is per period.

    present × (1 + r)ⁿ + payment × (1 + r if at the beginning) × ((1 + r)ⁿ − 1) / r + future = 0
    """
    with _fifty_digits():
        growth, annuity = _growth_and_annuity(rate, periods, at_beginning=at_beginning)
        return -(present * growth + payment * annuity)


def present_value(
    rate: Decimal,
    periods: Decimal,
    payment: Decimal,
    future: Decimal = Decimal(0),
    *,
    at_beginning: bool = False,
) -> Decimal:
    """PV: what ``periods`` equal payments and a final ``future`` amount are worth now."""
    with _fifty_digits():
        growth, annuity = _growth_and_annuity(rate, periods, at_beginning=at_beginning)
        return -(future + payment * annuity) / growth


def payment(
    rate: Decimal,
    periods: Decimal,
    present: Decimal,
    future: Decimal = Decimal(0),
    *,
    at_beginning: bool = False,
) -> Decimal:
    """PMT: the equal payment that turns ``present`` into ``future`` over ``periods``."""
    with _fifty_digits():
        growth, annuity = _growth_and_annuity(rate, periods, at_beginning=at_beginning)
        return -(future + present * growth) / annuity


def interest_payment(
    rate: Decimal,
    period: int,
    periods: Decimal,
    present: Decimal,
    future: Decimal = Decimal(0),
    *,
    at_beginning: bool = False,
) -> Decimal:
    """IPMT: the interest in the payment of ``period``, counted from 1.

    The interest is that of the balance before the payment; a payment at the beginning of the first
    period holds none. Raises PeriodOutsideLife.
    """
    if not 1 <= period <= periods:
        raise PeriodOutsideLife(period, periods)
    with _fifty_digits():
        if at_beginning and period == 1:
            return Decimal(0)
        level = payment(rate, periods, present, future, at_beginning=at_beginning)
        balance = future_value(rate, Decimal(period - 1), level, present, at_beginning=at_beginning)
        interest = balance * rate
        return interest / (1 + rate) if at_beginning else interest


def principal_payment(
    rate: Decimal,
    period: int,
    periods: Decimal,
    present: Decimal,
    future: Decimal = Decimal(0),
    *,
    at_beginning: bool = False,
) -> Decimal:
    """PPMT: the principal in the payment of ``period``. Raises PeriodOutsideLife."""
    with _fifty_digits():
        level = payment(rate, periods, present, future, at_beginning=at_beginning)
        return level - interest_payment(
            rate, period, periods, present, future, at_beginning=at_beginning
        )


def irr_estimate(amounts: Sequence[Amount]) -> float | None:
    """IRR: the rate per period at which equally spaced amounts, the first now, are worth nothing.

    None where no rate does that, for example when all amounts have one sign.
    """
    if not _both_signs(amounts):
        return None
    return _finite(pyxirr.irr([float(amount) for amount in amounts]))


def xirr_estimate(
    cash_flows: Sequence[CashFlow], day_count: DayCount = DayCount.ACT_365F
) -> float | None:
    """XIRR: the effective annual rate at which dated amounts are worth nothing, or None.

    Time runs from the earliest date by ``day_count``. Raises DayCountHasNoReturns.
    """
    convention = _pyxirr_day_count(day_count)
    dates, amounts = _columns(cash_flows)
    # On one single date every rate gives the same value, and pyxirr does not return.
    if not _both_signs(amounts) or len(set(dates)) < 2:
        return None
    return _finite(pyxirr.xirr(dates, amounts, day_count=convention))


def annual_cost_estimate(cash_flows: Sequence[CashFlow]) -> float | None:
    """What credit costs a year, all charges included, as an effective annual rate.

    ``cash_flows`` are the borrower's: positive what it received, charges kept back already taken
    off; negative everything it pays: principal, interest, fees. None where it only receives or
    only pays. Actual days over 365, compounded yearly.
    """
    return xirr_estimate(cash_flows, DayCount.ACT_365F)


def mirr_estimate(
    amounts: Sequence[Amount], *, finance_rate: Amount, reinvestment_rate: Amount
) -> float | None:
    """MIRR: the rate per period when losses are financed and gains reinvested at given rates."""
    if not _both_signs(amounts):
        return None
    values = [float(amount) for amount in amounts]
    return _finite(pyxirr.mirr(values, float(finance_rate), float(reinvestment_rate)))


def npv_estimate(
    rate: Amount, amounts: Sequence[Amount], *, first_is_now: bool = True
) -> float | None:
    """NPV: equally spaced amounts discounted at ``rate`` per period.

    The first amount is worth its face, or with ``first_is_now`` False lies one period ahead.
    """
    values = [float(amount) for amount in amounts]
    return _finite(pyxirr.npv(float(rate), values, start_from_zero=first_is_now))


def xnpv_estimate(
    rate: Amount, cash_flows: Sequence[CashFlow], day_count: DayCount = DayCount.ACT_365F
) -> float | None:
    """XNPV: dated amounts discounted to the earliest date at an effective annual ``rate``.

    None where the rate is -1 or less. Raises DayCountHasNoReturns.
    """
    convention = _pyxirr_day_count(day_count)
    if not cash_flows:
        return 0.0
    dates, amounts = _columns(cash_flows)
    return _finite(pyxirr.xnpv(float(rate), dates, amounts, day_count=convention))


def xnfv_estimate(
    rate: Amount, cash_flows: Sequence[CashFlow], day_count: DayCount = DayCount.ACT_365F
) -> float | None:
    """XNFV: dated amounts carried to the latest date at an effective annual ``rate``.

    None where the rate is -1 or less. Raises DayCountHasNoReturns.
    """
    convention = _pyxirr_day_count(day_count)
    if not cash_flows:
        return 0.0
    dates, amounts = _columns(cash_flows)
    return _finite(pyxirr.xnfv(float(rate), dates, amounts, day_count=convention))


def xfv_estimate(
    cash_flow: CashFlow, *, start: date, end: date, rate_to_date: Amount, rate_to_end: Amount
) -> float | None:
    """XFV: a dated amount carried to ``end``, by a curve known at two points.

    ``rate_to_date`` is the annual rate from ``start`` to the date of the cash flow, and
    ``rate_to_end`` that from ``start`` to ``end``.
    """
    return _finite(
        pyxirr.xfv(
            start,
            cash_flow.date,
            end,
            float(rate_to_date),
            float(rate_to_end),
            float(cash_flow.amount),
        )
    )


def nper_estimate(
    rate: Amount,
    payment: Amount,
    present: Amount,
    future: Amount = 0,
    *,
    at_beginning: bool = False,
) -> float | None:
    """NPER: how many equal payments turn ``present`` into ``future``, or None."""
    return _finite(
        pyxirr.nper(
            float(rate),
            float(payment),
            float(present),
            float(future),
            pmt_at_beginning=at_beginning,
        )
    )


def rate_estimate(
    periods: Amount,
    payment: Amount,
    present: Amount,
    future: Amount = 0,
    *,
    at_beginning: bool = False,
) -> float | None:
    """RATE: the rate per period at which equal payments turn ``present`` into ``future``."""
    return _finite(
        pyxirr.rate(
            float(periods),
            float(payment),
            float(present),
            float(future),
            pmt_at_beginning=at_beginning,
        )
    )


def _growth_and_annuity(
    rate: Decimal, periods: Decimal, *, at_beginning: bool
) -> tuple[Decimal, Decimal]:
    """(1 + r)ⁿ, and what n payments of one have grown to by their end."""
    if rate <= -1:
        raise NoValue(f"Money cannot be valued at a rate of {rate} per period")
    if rate == 0:
        return Decimal(1), periods
    growth = (1 + rate) ** periods
    annuity = (growth - 1) / rate
    return growth, annuity * (1 + rate) if at_beginning else annuity


@contextmanager
def _fifty_digits() -> Iterator[None]:
    """Calculate to fifty digits, and refuse what has no finite value."""
    with localcontext() as context:
        context.prec = _PRECISION
        try:
            yield
        except ArithmeticError:
            raise NoValue("The amounts, rate and periods given have no finite value") from None


def _both_signs(amounts: Sequence[Amount]) -> bool:
    return any(amount > 0 for amount in amounts) and any(amount < 0 for amount in amounts)


def _columns(cash_flows: Sequence[CashFlow]) -> tuple[list[date], list[float]]:
    return [flow.date for flow in cash_flows], [float(flow.amount) for flow in cash_flows]


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _pyxirr_day_count(day_count: DayCount) -> pyxirr.DayCount:
    try:
        return _PYXIRR_DAY_COUNTS[day_count]
    except KeyError:
        raise DayCountHasNoReturns(day_count) from None
