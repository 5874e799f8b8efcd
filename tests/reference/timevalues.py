"""Reference cases about the time value of money, in the functions of spreadsheets."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from outcome import (
    PASSED,
    Case,
    MalformedCaseError,
    Outcome,
    all_of,
    day,
    decimal,
    failed,
    field,
    is_off,
    number,
    unsupported,
    whole,
)

from tallystick.rules import timevalue
from tallystick.rules.daycount import DayCount
from tallystick.rules.refusal import Refusal
from tallystick.rules.timevalue import CashFlow

DEFAULT_TOLERANCE = "1e-9"
SAME_ROOT_TOLERANCE = "1e-10"

SPREADSHEET_DAY_COUNTS = {
    "30/360 sia": DayCount.THIRTY_360_US,
    "30/360 us": DayCount.THIRTY_360_US,
    "30/360 isda": DayCount.THIRTY_360_BOND_BASIS,
    "30e/360": DayCount.THIRTY_E_360,
    "act/360": DayCount.ACT_360,
    "act/365f": DayCount.ACT_365F,
    "act/365.25": DayCount.ACT_365_25,
    "act/act isda": DayCount.ACT_ACT_ISDA,
}

Value = Decimal | float | None


def time_value_case(case: Case) -> Outcome:
    """One function called with the inputs of the case; null means that no solution exists."""
    name = str(field(case, "function")).upper()
    if name not in FUNCTIONS:
        return unsupported(f"function {name}")
    inputs = Inputs(field(case, "inputs"))
    expected = field(case, "expected")
    try:
        value = FUNCTIONS[name](inputs)
    except UnknownDayCountError as unknown:
        return unsupported(str(unknown))
    except Refusal as refusal:
        if expected is None:
            return Outcome(PASSED.result, f"refused: {refusal}")
        return failed(f"refused: {refusal}")
    if inputs.unread:
        return unsupported(f"inputs {', '.join(sorted(inputs.unread))}")
    if expected is None:
        return PASSED if value is None else failed(f"{value}, expected no solution")
    if value is None:
        return failed(f"no solution, expected {expected}")
    tolerance = case.get("tolerance") or DEFAULT_TOLERANCE
    fault = is_off(name, Fraction(value), expected, tolerance)
    if fault and name == "RATE" and _is_nearer_to_the_root(inputs, value, expected):
        return Outcome(PASSED.result, f"{fault}; the published figure misses the root by more")
    return all_of([fault])


def _is_nearer_to_the_root(inputs: "Inputs", value: Decimal | float, expected: object) -> bool:
    """True where both figures are the same root of the same equation, the published one less so.

    An iteration that stops early can publish more digits than it has found. Told by exact
    arithmetic: what the payments at each rate still leave open.
    """
    if is_off("rate", Fraction(value), expected, SAME_ROOT_TOLERANCE):
        return False

    def left_open(rate: Decimal) -> Decimal:
        reached = timevalue.future_value(
            rate,
            inputs.amount("nper"),
            inputs.amount("pmt"),
            inputs.amount("pv"),
            at_beginning=inputs.at_beginning(),
        )
        return abs(reached - inputs.amount("fv", 0))

    return left_open(Decimal(value)) < left_open(decimal(expected))


class UnknownDayCountError(Exception):
    """A spreadsheet's name for a day count that has no counterpart here."""


class Inputs:
    """The inputs of a case; remembers which of them nobody asked for."""

    def __init__(self, inputs: Case) -> None:
        if not isinstance(inputs, dict):
            raise MalformedCaseError("'inputs' is not an object")
        self._inputs = inputs
        self.unread = set(inputs)

    def amount(self, name: str, default: int | None = None) -> Decimal:
        self.unread.discard(name)
        if default is not None and self._inputs.get(name) is None:
            return Decimal(default)
        return decimal(field(self._inputs, name))

    def period(self, name: str) -> int:
        self.unread.discard(name)
        return whole(field(self._inputs, name))

    def flag(self, *names: str, default: bool = False) -> bool:
        for name in names:
            if name in self._inputs:
                self.unread.discard(name)
                value = self._inputs[name]
                return value in (True, 1, "1", "true", "begin", "beginning", "start")
        return default

    def at_beginning(self) -> bool:
        return self.flag("pmt_at_beginning", "pmt_at_begining", "at_beginning", "when", "type")

    def amounts(self) -> list[float]:
        """Amounts one by one, or as runs of [amount, how many times]."""
        if "amounts_run_length" in self._inputs:
            self.unread.discard("amounts_run_length")
            runs = self._inputs["amounts_run_length"]
            return [float(number(amount)) for amount, times in runs for _ in range(whole(times))]
        self.unread.discard("amounts")
        return [float(number(amount)) for amount in field(self._inputs, "amounts")]

    def cash_flows(self) -> list[CashFlow]:
        self.unread.discard("dates")
        dates, amounts = field(self._inputs, "dates"), self.amounts()
        if len(dates) != len(amounts):
            raise MalformedCaseError(f"{len(dates)} dates and {len(amounts)} amounts")
        return [CashFlow(day(on), amount) for on, amount in zip(dates, amounts, strict=True)]

    def cash_flow(self) -> CashFlow:
        self.unread.discard("cash_flow_date")
        on = day(field(self._inputs, "cash_flow_date"))
        return CashFlow(on, self.amount("cash_flow"))

    def dated(self, name: str) -> object:
        self.unread.discard(name)
        return field(self._inputs, name)

    def day_count(self) -> DayCount:
        self.unread.discard("day_count")
        name = str(self._inputs.get("day_count") or "act/365F")
        if name.lower() not in SPREADSHEET_DAY_COUNTS:
            raise UnknownDayCountError(f"day count {name!r}")
        return SPREADSHEET_DAY_COUNTS[name.lower()]


def _fv(i: Inputs) -> Value:
    return timevalue.future_value(
        i.amount("rate"),
        i.amount("nper"),
        i.amount("pmt"),
        i.amount("pv", 0),
        at_beginning=i.at_beginning(),
    )


def _pv(i: Inputs) -> Value:
    return timevalue.present_value(
        i.amount("rate"),
        i.amount("nper"),
        i.amount("pmt"),
        i.amount("fv", 0),
        at_beginning=i.at_beginning(),
    )


def _pmt(i: Inputs) -> Value:
    return timevalue.payment(
        i.amount("rate"),
        i.amount("nper"),
        i.amount("pv"),
        i.amount("fv", 0),
        at_beginning=i.at_beginning(),
    )


def _ipmt(i: Inputs) -> Value:
    return timevalue.interest_payment(
        i.amount("rate"),
        i.period("per"),
        i.amount("nper"),
        i.amount("pv"),
        i.amount("fv", 0),
        at_beginning=i.at_beginning(),
    )


def _ppmt(i: Inputs) -> Value:
    return timevalue.principal_payment(
        i.amount("rate"),
        i.period("per"),
        i.amount("nper"),
        i.amount("pv"),
        i.amount("fv", 0),
        at_beginning=i.at_beginning(),
    )


def _nper(i: Inputs) -> Value:
    return timevalue.nper_estimate(
        i.amount("rate"),
        i.amount("pmt"),
        i.amount("pv"),
        i.amount("fv", 0),
        at_beginning=i.at_beginning(),
    )


def _rate(i: Inputs) -> Value:
    i.amount("guess", 0)  # a hint for a search; ours needs none
    return timevalue.rate_estimate(
        i.amount("nper"),
        i.amount("pmt"),
        i.amount("pv"),
        i.amount("fv", 0),
        at_beginning=i.at_beginning(),
    )


def _mirr(i: Inputs) -> Value:
    return timevalue.mirr_estimate(
        i.amounts(),
        finance_rate=i.amount("finance_rate"),
        reinvestment_rate=i.amount("reinvest_rate"),
    )


def _npv(i: Inputs) -> Value:
    return timevalue.npv_estimate(
        i.amount("rate"), i.amounts(), first_is_now=i.flag("start_from_zero", default=True)
    )


def _xfv(i: Inputs) -> Value:
    return timevalue.xfv_estimate(
        i.cash_flow(),
        start=day(i.dated("start_date")),
        end=day(i.dated("end_date")),
        rate_to_date=i.amount("cash_flow_rate"),
        rate_to_end=i.amount("end_rate"),
    )


def _irr(i: Inputs) -> Value:
    i.amount("guess", 0)
    return timevalue.irr_estimate(i.amounts())


def _xirr(i: Inputs) -> Value:
    i.amount("guess", 0)
    return timevalue.xirr_estimate(i.cash_flows(), i.day_count())


FUNCTIONS: dict[str, Callable[[Inputs], Value]] = {
    "FV": _fv,
    "PV": _pv,
    "PMT": _pmt,
    "IPMT": _ipmt,
    "PPMT": _ppmt,
    "NPER": _nper,
    "RATE": _rate,
    "IRR": _irr,
    "MIRR": _mirr,
    "NPV": _npv,
    "XIRR": _xirr,
    "XNPV": lambda i: timevalue.xnpv_estimate(i.amount("rate"), i.cash_flows(), i.day_count()),
    "XNFV": lambda i: timevalue.xnfv_estimate(i.amount("rate"), i.cash_flows(), i.day_count()),
    "XFV": _xfv,
}
