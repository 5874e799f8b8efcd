"""The terms of a reference loan, in the product's own words."""

from calendar import isleap
from datetime import date
from decimal import Decimal
from typing import Any

from outcome import (
    Case,
    MalformedCaseError,
    day,
    decimal,
    field,
    number,
    optional_day,
    stated,
    whole,
)

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.daycount import DayCount
from tallystick.rules.instalment_terms import (
    Advance,
    Ahead,
    AllocationOrder,
    Begins,
    ChargeDue,
    InstalmentTerms,
    Joining,
    Part,
    Reach,
    Recalculation,
    ReceiptKind,
    Rest,
)
from tallystick.rules.money import Rounding
from tallystick.rules.schedule import (
    Accrual,
    InstalmentFormula,
    InterestOn,
    InterestRounding,
    Method,
    MonthEnd,
    ScheduleTerms,
)

CURRENCY = "EUR"
DECIMALS = 2

UNITS = {
    "DAYS": PeriodUnit.DAYS,
    "WEEKS": PeriodUnit.WEEKS,
    "MONTHS": PeriodUnit.MONTHS,
    "YEARS": PeriodUnit.YEARS,
}
METHODS = {
    "EQUAL_INSTALLMENTS": Method.EQUAL_INSTALMENTS,
    "EQUAL_PRINCIPAL": Method.EQUAL_PRINCIPAL,
    "EQUAL_PRINCIPAL_PAYMENTS": Method.EQUAL_PRINCIPAL,
    "INTEREST_ONLY": Method.INTEREST_ONLY,
    "INTEREST_FIRST": Method.INTEREST_ONLY,
    "BULLET": Method.INTEREST_ONLY,
}
INTEREST_ON = {
    "FLAT": InterestOn.ORIGINAL,
    "DECLINING_BALANCE": InterestOn.OUTSTANDING,
}
YEARS = {
    "360": DayCount.ACT_360,
    "364": DayCount.ACT_364,
    "365": DayCount.ACT_365F,
    "366": DayCount.ACT_366,
}
MONTH_ENDS = {
    "LAST_DAY_OF_MONTH": MonthEnd.LAST_DAY,
    "FIRST_DAY_OF_NEXT_MONTH": MonthEnd.FIRST_OF_NEXT,
}

_P, _F, _I, _C = Part.PENALTY, Part.FEE, Part.INTEREST, Part.PRINCIPAL


def _own_date(due: tuple[Part, ...], in_advance: tuple[Part, ...]) -> AllocationOrder:
    return AllocationOrder(due, due, in_advance, charge_due=ChargeDue.OWN_DATE)


def _one_order(*parts: Part) -> AllocationOrder:
    return AllocationOrder(parts, parts, parts)


ORDERS = {
    "PENALTIES_FEES_INTEREST_PRINCIPAL_ORDER": _one_order(_P, _F, _I, _C),
    "DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST": _own_date(
        (_P, _F, _I, _C), (_C, _P, _F, _I)
    ),
    "DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE": _own_date(
        (_P, _I, _C, _F), (_P, _I, _C, _F)
    ),
    "ADVANCED_PAYMENT_ALLOCATION": _one_order(_P, _F, _C, _I),
    "INTEREST_PRINCIPAL_PENALTIES_FEES_ORDER": _one_order(_I, _C, _P, _F),
    "PRINCIPAL_INTEREST_PENALTIES_FEES_ORDER": _one_order(_C, _I, _P, _F),
}
AHEAD = {
    "NEXT_INSTALLMENT": Ahead.NEXT,
    "NEXT_LAST_INSTALLMENT": Ahead.NEXT,
    "LAST_INSTALLMENT": Ahead.LAST,
    "REAMORTIZATION": Ahead.ALL_EQUALLY,
}


class UnknownVocabularyError(Exception):
    """A case says something that has no counterpart here yet."""


def known(choices: dict[str, Any], value: object, what: str) -> Any:
    if not isinstance(value, str) or value not in choices:
        raise UnknownVocabularyError(f"{what} {value!r}")
    return choices[value]


def minor(value: object) -> int:
    exact = number(value) * 10**DECIMALS
    if exact.denominator != 1:
        raise MalformedCaseError(f"{value!r} has more than {DECIMALS} decimals")
    return exact.numerator


def rate(value: object) -> Decimal:
    """A fraction a year from per cent a year."""
    return decimal(value) / 100


class CaseTerms:
    """Reads the inputs of one case; a case of either family says the same things its own way."""

    def __init__(self, inputs: Case) -> None:
        self.inputs = stated(inputs)
        self.settings = stated(inputs.get("product_settings") or {})
        self.product = str(inputs.get("product") or "")

    def _setting(self, name: str) -> Any:
        value = self.inputs.get(name)
        return self.settings.get(name) if value is None else value

    def is_progressive(self) -> bool:
        """The newer engine: instalments from real periods, corrected, rounded to minor units."""
        family = str(self.settings.get("family") or "")
        if family in ("progressive", "cumulative"):
            return family == "progressive"
        return "progressive" in self.product.lower()

    def frequency(self) -> Period:
        unit = known(UNITS, str(field(self.inputs, "repay_unit")).upper(), "unit")
        return Period(whole(self.inputs.get("repay_every", 1)), unit)

    def accrual(self) -> Accrual:
        if self.is_progressive():
            months = self.frequency().unit in (PeriodUnit.MONTHS, PeriodUnit.YEARS)
            in_thirties = str(self._setting("days_in_month")) == "30"
            return Accrual.WHOLE_PERIODS if in_thirties and months else Accrual.DAILY
        same = self.inputs.get("interest_calculation_period") == "SAME_AS_REPAYMENT_PERIOD"
        return Accrual.WHOLE_PERIODS if same else Accrual.DAILY

    def day_count(self, start: date) -> DayCount:
        year = str(self._setting("days_in_year") or "365").split()[0]
        if year != "ACTUAL":
            return known(YEARS, year, "days in year")
        if self.is_progressive():
            return DayCount.ACT_ACT_LAST_DAY
        return DayCount.ACT_366 if isleap(start.year) else DayCount.ACT_365F

    def multiple_minor(self) -> int:
        written = self._setting("installment_amount_in_multiples_of")
        if written is None or "PROGRESSIVE" in self.product:
            return 1
        return whole(str(written).split()[0]) * 10**DECIMALS

    def interest_rounding(self) -> InterestRounding:
        """The newer engine rounds the sum of a period's parts; its first version each part."""
        first_version = "calculator" in self.product
        if self.is_progressive() and not first_version:
            return InterestRounding.EACH_PERIOD
        return InterestRounding.EACH_PART

    def rounding(self) -> Rounding:
        """``HALF_EVEN to 2 decimals`` and the like: the mode is the first word."""
        modes = {mode.name: mode for mode in Rounding}
        return known(modes, str(self._setting("rounding") or "HALF_EVEN").split()[0], "rounding")

    def schedule(self, *, start: date, principal_minor: int) -> ScheduleTerms:
        progressive = self.is_progressive()
        rounded_each = self.rounding()
        month_end = self.inputs.get("month_end_due_date_strategy") or "LAST_DAY_OF_MONTH"
        down_pct = self._setting("down_payment_pct") or "0"
        interest_on = known(
            INTEREST_ON, self.inputs.get("interest_type", "DECLINING_BALANCE"), "interest type"
        )
        return ScheduleTerms(
            principal_minor=principal_minor,
            annual_rate=rate(field(self.inputs, "annual_rate_pct")),
            day_count=self.day_count(start),
            method=known(METHODS, field(self.inputs, "amortization"), "amortization"),
            start=start,
            number_of_periods=whole(field(self.inputs, "number_of_repayments")),
            frequency=self.frequency(),
            rounding=rounded_each,
            first_due_date=optional_day(self.inputs, "first_due_date"),
            month_end=known(MONTH_ENDS, month_end, "month end"),
            interest_on=interest_on,
            accrual=self.accrual(),
            interest_rounding=self.interest_rounding(),
            instalment_formula=(
                InstalmentFormula.ACTUAL_PERIODS if progressive else InstalmentFormula.EVEN_PERIODS
            ),
            instalment_multiple_minor=self.multiple_minor(),
            evened=progressive and interest_on is InterestOn.OUTSTANDING,
            principal_grace_periods=whole(self.inputs.get("grace_on_principal_periods") or 0),
            interest_grace_periods=whole(self.inputs.get("grace_on_interest_payment_periods") or 0),
            interest_free_periods=whole(self.inputs.get("interest_free_periods") or 0),
            down_payment_bps=int(number(down_pct) * 100),
        )

    def recalculation(self) -> Recalculation | None:
        if not self.settings.get("interest_recalculation"):
            return None
        rest = self.settings.get("recalculation_rest", "DAILY")
        compounding = str(self.settings.get("compounding") or "NONE")
        if self.is_progressive():
            in_periods = rest == "SAME_AS_REPAYMENT_PERIOD"
            return Recalculation(
                rest=Rest.PERIOD if in_periods else Rest.DAY, reach=Reach.EVERY_PERIOD
            )
        lowers = self.settings.get("advance_payment") == "REDUCE_EMI_AMOUNT"
        return Recalculation(
            rest=Rest.DAY,
            reach=Reach.RUNNING_PERIOD,
            advance=Advance.LOWER_INSTALMENT if lowers else Advance.LESS_INTEREST,
            interest_on_interest=compounding.startswith("INTEREST"),
        )

    def order(self) -> AllocationOrder:
        strategy = self.inputs.get("payment_strategy")
        if strategy is None:
            strategy = (
                "ADVANCED_PAYMENT_ALLOCATION"
                if self.is_progressive()
                else "PENALTIES_FEES_INTEREST_PRINCIPAL_ORDER"
            )
        return known(ORDERS, strategy, "payment strategy")

    def loan(self, *, start: date, principal_minor: int) -> InstalmentTerms:
        order = self.order()
        advanced = order == ORDERS["ADVANCED_PAYMENT_ALLOCATION"]
        return InstalmentTerms(
            currency=CURRENCY,
            plan=self.schedule(start=start, principal_minor=principal_minor),
            order=order,
            orders=_refund_orders(order) if advanced else {},
            recalculation=self.recalculation(),
            joining=Joining.NEXT if self.is_progressive() else Joining.WHOLE_LIFE,
            begins=Begins.AGREED_DAY if self.inputs.get("periods") else Begins.PAYOUT,
            pays_down_at_once="_AUTO" in self.product,
        )


def _refund_orders(order: AllocationOrder) -> dict[ReceiptKind, AllocationOrder]:
    """The products of the newer allocation treat what is not the borrower's money apart."""
    return {
        ReceiptKind.GOODWILL: with_ahead(order, Ahead.LAST),
        ReceiptKind.MERCHANT_REFUND: with_ahead(order, Ahead.ALL_EQUALLY),
    }


def with_ahead(order: AllocationOrder, ahead: Ahead) -> AllocationOrder:
    return AllocationOrder(
        order.past_due, order.due, order.in_advance, order.axis, ahead, order.charge_due
    )


def agreed(inputs: Case) -> tuple[date, int]:
    """The day and the principal that were agreed, where a case states them."""
    periods = inputs.get("periods")
    submitted = periods[0]["from_date"] if periods else inputs.get("submitted_on")
    principal = inputs.get("principal")
    return (
        day(submitted) if submitted is not None else date(2000, 1, 1),
        minor(principal) if principal is not None else 1,
    )
