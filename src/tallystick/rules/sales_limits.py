"""How much a merchant may have advanced out of its sales, and whether one request may be paid.

    limit by sales = min(floor(settled sales of the window × limit_bps / 10,000), cap per merchant)
    available      = max(0, min(limit of the line, limit by sales, cap per merchant − other lines,
                                drawn + programme headroom, drawn + funder headroom) − drawn)

The limit is decided when a line is opened, from the settlement documents in the book; at each
request the sales are looked at again. Amounts are minor units of the line's currency.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tallystick.rules.limits import Verdict

RULES_VERSION = "sales-share-1"
"""Changes with every change of what is decided here, and is stored with each decision."""


@dataclass(frozen=True, slots=True)
class SettledSales:
    """What was settled to a merchant from ``from_date`` (excluded) to ``to_date`` (included).

    ``first_date`` is the day of its first settlement ever, None where there is none.
    """

    from_date: date
    to_date: date
    documents: int
    settled_minor: int
    first_date: date | None

    @property
    def history_days(self) -> int:
        return 0 if self.first_date is None else (self.to_date - self.first_date).days


@dataclass(frozen=True, slots=True)
class LimitInputs:
    """What the limit of a line is decided by."""

    currency: str
    sales: SettledSales
    limit_bps: int
    min_history_days: int
    per_merchant_minor: int

    @property
    def limit_minor(self) -> int:
        by_sales_minor = self.sales.settled_minor * self.limit_bps // 10_000
        return max(0, min(by_sales_minor, self.per_merchant_minor))


@dataclass(frozen=True, slots=True)
class AdvanceInputs:
    """Everything a request for an advance is decided by, as it stood under lock.

    ``drawn_minor``: principal outstanding and payouts under way on the line, ``others_drawn_minor``
    on the merchant's other lines of the programme. ``open_advances``: of the line, those pending,
    live or charged off. ``expected_days``: in which sales as they run would bring the advance
    back; None where they never would. ``apr_percent``: what the advance then costs a year.
    """

    currency: str
    business_date: date
    frozen_reason: str
    expiry_date: date
    open_advances: int
    min_draw_minor: int
    line_limit_minor: int
    sales_limit_minor: int
    per_merchant_minor: int
    programme_headroom_minor: int
    funder_headroom_minor: int
    drawn_minor: int
    others_drawn_minor: int
    settled_minor: int
    min_expected_days: int
    max_expected_days: int
    expected_days: int | None
    fee_minor: int | None
    apr_percent: Decimal | None

    @property
    def available_minor(self) -> int:
        limit_minor = min(
            self.line_limit_minor,
            self.sales_limit_minor,
            self.per_merchant_minor - self.others_drawn_minor,
            self.drawn_minor + self.programme_headroom_minor,
            self.drawn_minor + self.funder_headroom_minor,
        )
        return max(0, limit_minor - self.drawn_minor)


@dataclass(frozen=True, slots=True)
class SalesDecision:
    """Every rule's verdict, with what was read: enough to decide it again."""

    amount_minor: int
    inputs: LimitInputs | AdvanceInputs
    verdicts: tuple[Verdict, ...]

    @property
    def granted(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is declined, each reason with its remedy; empty when it is granted."""
        return tuple(
            f"{verdict.reason} {verdict.remedy}" for verdict in self.verdicts if not verdict.passed
        )

    def inputs_as_json(self) -> dict[str, Any]:
        """What was read, in plain JSON values."""
        return {str(key): _plain(value) for key, value in _fields(self.inputs).items()}

    def verdicts_as_json(self) -> list[dict[str, Any]]:
        """Every rule's verdict, in plain JSON values."""
        return [
            {key: _plain(value) for key, value in _fields(verdict).items() if key != "remedy"}
            for verdict in self.verdicts
        ]


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _plain(value: Any) -> Any:
    if isinstance(value, SettledSales):
        return {name: _plain(field) for name, field in _fields(value).items()}
    return str(value) if isinstance(value, date | Decimal) else value


def decide_limit(inputs: LimitInputs) -> SalesDecision:
    """The limit of a line, or why the merchant gets none. Nothing is raised."""
    sales = inputs.sales
    first = "never" if sales.first_date is None else f"on {sales.first_date}"
    return SalesDecision(
        inputs.limit_minor,
        inputs,
        (
            Verdict(
                rule="history_is_long_enough",
                value=sales.history_days,
                threshold=inputs.min_history_days,
                passed=sales.first_date is not None
                and sales.history_days >= inputs.min_history_days,
                reason=f"The merchant was first settled {first}: {sales.history_days} days of "
                f"sales are known, and {inputs.min_history_days} are asked for.",
                remedy="Import older settlement statements, or wait until the days have passed.",
            ),
            Verdict(
                rule="sales_give_a_limit",
                value=inputs.limit_minor,
                threshold=1,
                passed=inputs.limit_minor >= 1,
                reason=f"{sales.documents} settlement statements from {sales.from_date} (excluded) "
                f"to {sales.to_date} come to {sales.settled_minor}; {inputs.limit_bps} basis "
                f"points of them, and at most {inputs.per_merchant_minor}, are a limit of "
                f"{inputs.limit_minor} ({inputs.currency} minor units).",
                remedy="Import the merchant's settlement statements of that time first.",
            ),
        ),
    )


def decide_advance(amount_minor: int, *, draw_date: date, inputs: AdvanceInputs) -> SalesDecision:
    """Judge a request by every rule, so that a merchant learns all reasons at once."""
    return SalesDecision(
        amount_minor,
        inputs,
        (
            _least_amount(amount_minor, inputs),
            _not_frozen(inputs),
            Verdict(
                rule="line_has_not_expired",
                value=draw_date,
                threshold=inputs.expiry_date,
                passed=draw_date <= inputs.expiry_date,
                reason=f"The line may be drawn up to and including {inputs.expiry_date}.",
                remedy="Have the line renewed before drawing on it again.",
            ),
            Verdict(
                rule="dated_on_the_open_business_date",
                value=draw_date,
                threshold=inputs.business_date,
                passed=draw_date == inputs.business_date,
                reason=f"The draw is dated {draw_date}; the open business date is "
                f"{inputs.business_date}.",
                remedy=f"Date the draw {inputs.business_date}.",
            ),
            Verdict(
                rule="one_advance_at_a_time",
                value=inputs.open_advances,
                threshold=0,
                passed=inputs.open_advances == 0,
                reason=f"{inputs.open_advances} advances of the line are not repaid.",
                remedy="Repay what is out first: one share of sales serves one advance.",
            ),
            Verdict(
                rule="amount_is_available",
                value=amount_minor,
                threshold=inputs.available_minor,
                passed=amount_minor <= inputs.available_minor,
                reason=f"The amount asked for is {amount_minor}; {inputs.available_minor} is "
                f"available ({inputs.currency} minor units): the smallest of the line's limit "
                f"{inputs.line_limit_minor}, the limit by sales {inputs.sales_limit_minor}, the "
                f"cap per merchant {inputs.per_merchant_minor} and what programme and funder have "
                f"left, less {inputs.drawn_minor} drawn.",
                remedy=f"Ask for {inputs.available_minor} or less, or repay first.",
            ),
            _not_too_fast(inputs),
            _not_too_slow(inputs),
        ),
    )


def _least_amount(amount_minor: int, inputs: AdvanceInputs) -> Verdict:
    return Verdict(
        rule="amount_reaches_the_minimum",
        value=amount_minor,
        threshold=inputs.min_draw_minor,
        passed=amount_minor >= inputs.min_draw_minor,
        reason=f"The amount asked for is {amount_minor}; the smallest draw is "
        f"{inputs.min_draw_minor} ({inputs.currency} minor units).",
        remedy=f"Ask for {inputs.min_draw_minor} or more.",
    )


def _not_frozen(inputs: AdvanceInputs) -> Verdict:
    is_frozen = inputs.frozen_reason != ""
    return Verdict(
        rule="line_is_not_frozen",
        value=inputs.frozen_reason,
        threshold="",
        passed=not is_frozen,
        reason=f"The line is frozen: {inputs.frozen_reason.rstrip('.')}."
        if is_frozen
        else "The line is not frozen.",
        remedy="Settle the reason with the lender, who can lift the freeze.",
    )


def _not_too_fast(inputs: AdvanceInputs) -> Verdict:
    """A fixed fee costs more a year the faster sales repay it; see ``sales_programme``."""
    days = inputs.expected_days
    return Verdict(
        rule="not_repaid_too_fast_for_its_price",
        value=days or 0,
        threshold=inputs.min_expected_days,
        passed=days is None or days >= inputs.min_expected_days,
        reason=f"Sales as they run would bring the advance back in {days} days; the price is made "
        f"for {inputs.min_expected_days} or more.",
        remedy="Ask for a larger amount, which takes longer, or none at this price.",
    )


def _not_too_slow(inputs: AdvanceInputs) -> Verdict:
    days = inputs.expected_days
    return Verdict(
        rule="sales_keep_the_least_pace",
        value=-1 if days is None else days,
        threshold=inputs.max_expected_days,
        passed=days is not None and days <= inputs.max_expected_days,
        reason="Sales as they run would never bring the advance back."
        if days is None
        else f"Sales as they run would bring the advance back in {days} days; the least pace "
        f"allows {inputs.max_expected_days}.",
        remedy="Ask for a smaller amount, or wait until sales run faster.",
    )
