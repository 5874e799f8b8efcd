"""How much a supplier may draw, and whether one request may be paid: the drawdown decision.

    limit     = min(facility limit, programme cap per supplier,
                    drawn + programme headroom, drawn + funder headroom)
    available = max(0, min(base, limit) − drawn)
    shortfall = max(0, drawn − cover)

The facility limit and the programme's cap bound what the supplier has drawn in all. A headroom is
what the programme or the funder has left for everybody, so it bounds what may be added to it.
Base and cover come from the pool: the base counts for new draws, the cover for old ones.

All amounts are minor units of the facility's currency, unless a name says otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

RULES_VERSION = "drawdown-1"
"""Changes with every change of what is decided here, and is stored with each decision."""


@dataclass(frozen=True, slots=True)
class DrawdownRequest:
    """What the supplier asks for. ``draw_date`` is the day the request is dated."""

    amount_minor: int
    currency: str
    tenor_days: int
    draw_date: date


@dataclass(frozen=True, slots=True)
class DrawdownInputs:
    """Everything the decision reads, as it stood under lock; stored with the decision.

    ``drawn_minor`` is principal outstanding plus payouts under way. ``frozen_reason`` is empty
    when the facility is not frozen; ``expiry_date`` is the last day on which it may be drawn.
    Headrooms are below zero where a limit was lowered under what is drawn.
    """

    currency: str
    business_date: date
    frozen_reason: str
    expiry_date: date
    min_tenor_days: int
    max_tenor_days: int
    min_draw_minor: int
    facility_limit_minor: int
    programme_cap_per_supplier_minor: int
    programme_headroom_minor: int
    funder_headroom_minor: int
    drawn_minor: int
    base_minor: int
    cover_minor: int
    security_interest_in_force: bool

    @property
    def limit_minor(self) -> int:
        return min(
            self.facility_limit_minor,
            self.programme_cap_per_supplier_minor,
            self.drawn_minor + self.programme_headroom_minor,
            self.drawn_minor + self.funder_headroom_minor,
        )

    @property
    def available_minor(self) -> int:
        return max(0, min(self.base_minor, self.limit_minor) - self.drawn_minor)

    @property
    def shortfall_minor(self) -> int:
        return max(0, self.drawn_minor - self.cover_minor)


Value = int | str | bool | date
"""What a rule reads and compares with; dates are written as text in JSON."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule read, what it would have accepted, and what to do where it did not pass."""

    rule: str
    value: Value
    threshold: Value
    passed: bool
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Every rule's verdict on one request, with what was read: enough to decide it again."""

    request: DrawdownRequest
    inputs: DrawdownInputs
    verdicts: tuple[Verdict, ...]
    rules_version: str

    @property
    def granted(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the request is declined, each reason with its remedy; empty when it is granted."""
        return tuple(
            f"{verdict.reason} {verdict.remedy}" for verdict in self.verdicts if not verdict.passed
        )

    def as_json(self) -> dict[str, object]:
        """The decision in plain JSON values: dates as ISO text, amounts as integers."""
        return {
            "rules_version": self.rules_version,
            "granted": self.granted,
            "request": _plain(self.request),
            "inputs": _plain(self.inputs),
            "limit_minor": self.inputs.limit_minor,
            "available_minor": self.inputs.available_minor,
            "shortfall_minor": self.inputs.shortfall_minor,
            "verdicts": [_plain(verdict) for verdict in self.verdicts],
            "reasons": list(self.reasons),
        }


def _plain(value: DrawdownRequest | DrawdownInputs | Verdict) -> dict[str, Value]:
    # Not ``asdict``, which copies deeply: this is written with every drawdown, under its locks.
    fields = {name: getattr(value, name) for name in value.__slots__}
    return {
        name: field.isoformat() if isinstance(field, date) else field
        for name, field in fields.items()
    }


def decide_drawdown(request: DrawdownRequest, inputs: DrawdownInputs) -> Decision:
    """Judge ``request`` by every rule, so that a supplier learns all reasons at once.

    Granted when every rule passes. Nothing is raised: a decline is a decision like any other.
    """
    return Decision(
        request=request,
        inputs=inputs,
        verdicts=tuple(rule(request, inputs) for rule in RULES),
        rules_version=RULES_VERSION,
    )


def amount_is_positive(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="amount_is_positive",
        value=request.amount_minor,
        threshold=1,
        passed=request.amount_minor >= 1,
        reason=f"The amount asked for is {request.amount_minor} minor units.",
        remedy=f"Ask for an amount above zero, in {inputs.currency} minor units.",
    )


def currency_is_the_facilitys(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="currency_is_the_facilitys",
        value=request.currency,
        threshold=inputs.currency,
        passed=request.currency == inputs.currency,
        reason=f"The request is in {request.currency}, the facility in {inputs.currency}.",
        remedy=f"Ask in {inputs.currency}, or draw on a facility in the other currency.",
    )


def facility_is_not_frozen(_: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    frozen = inputs.frozen_reason != ""
    return Verdict(
        rule="facility_is_not_frozen",
        value=inputs.frozen_reason,
        threshold="",
        passed=not frozen,
        reason=(
            f"The facility is frozen: {inputs.frozen_reason.rstrip('.')}."
            if frozen
            else "The facility is not frozen."
        ),
        remedy="Settle the reason with the lender, who can lift the freeze.",
    )


def facility_has_not_expired(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="facility_has_not_expired",
        value=request.draw_date,
        threshold=inputs.expiry_date,
        passed=request.draw_date <= inputs.expiry_date,
        reason=(
            f"The draw is dated {request.draw_date}; the facility may be drawn up to and "
            f"including {inputs.expiry_date}."
        ),
        remedy="Have the facility renewed before drawing on it again.",
    )


def dated_on_the_open_business_date(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="dated_on_the_open_business_date",
        value=request.draw_date,
        threshold=inputs.business_date,
        passed=request.draw_date == inputs.business_date,
        reason=(
            f"The draw is dated {request.draw_date}; the open business date is "
            f"{inputs.business_date}."
        ),
        remedy=f"Date the draw {inputs.business_date}.",
    )


def tenor_is_long_enough(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="tenor_is_long_enough",
        value=request.tenor_days,
        threshold=inputs.min_tenor_days,
        passed=request.tenor_days >= inputs.min_tenor_days,
        reason=(
            f"The tenor asked for is {request.tenor_days} days; "
            f"the shortest is {inputs.min_tenor_days}."
        ),
        remedy=f"Ask for {inputs.min_tenor_days} to {inputs.max_tenor_days} days.",
    )


def tenor_is_short_enough(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="tenor_is_short_enough",
        value=request.tenor_days,
        threshold=inputs.max_tenor_days,
        passed=request.tenor_days <= inputs.max_tenor_days,
        reason=(
            f"The tenor asked for is {request.tenor_days} days; "
            f"the longest is {inputs.max_tenor_days}."
        ),
        remedy=f"Ask for {inputs.min_tenor_days} to {inputs.max_tenor_days} days.",
    )


def amount_reaches_the_minimum(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="amount_reaches_the_minimum",
        value=request.amount_minor,
        threshold=inputs.min_draw_minor,
        passed=request.amount_minor >= inputs.min_draw_minor,
        reason=(
            f"The amount asked for is {request.amount_minor}; the smallest draw is "
            f"{inputs.min_draw_minor} ({inputs.currency} minor units)."
        ),
        remedy=f"Ask for {inputs.min_draw_minor} or more.",
    )


def amount_is_available(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="amount_is_available",
        value=request.amount_minor,
        threshold=inputs.available_minor,
        passed=request.amount_minor <= inputs.available_minor,
        reason=(
            f"The amount asked for is {request.amount_minor}; {inputs.available_minor} is "
            f"available on {request.draw_date} ({inputs.currency} minor units): the smaller of "
            f"base {inputs.base_minor} and limit {inputs.limit_minor}, less {inputs.drawn_minor} "
            "drawn."
        ),
        remedy=_less_or_more_room(
            inputs, inputs.available_minor, "add eligible receivables to the pool, or repay"
        ),
    )


def programme_has_headroom(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="programme_has_headroom",
        value=request.amount_minor,
        threshold=inputs.programme_headroom_minor,
        passed=request.amount_minor <= inputs.programme_headroom_minor,
        reason=(
            f"The amount asked for is {request.amount_minor}; the programme has "
            f"{inputs.programme_headroom_minor} left ({inputs.currency} minor units)."
        ),
        remedy=_less_or_more_room(
            inputs, inputs.programme_headroom_minor, "wait until others have repaid"
        ),
    )


def funder_has_headroom(request: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    return Verdict(
        rule="funder_has_headroom",
        value=request.amount_minor,
        threshold=inputs.funder_headroom_minor,
        passed=request.amount_minor <= inputs.funder_headroom_minor,
        reason=(
            f"The amount asked for is {request.amount_minor}; the funder has "
            f"{inputs.funder_headroom_minor} left ({inputs.currency} minor units)."
        ),
        remedy=_less_or_more_room(
            inputs, inputs.funder_headroom_minor, "wait until others have repaid"
        ),
    )


def security_interest_is_in_force(_: DrawdownRequest, inputs: DrawdownInputs) -> Verdict:
    in_force = inputs.security_interest_in_force
    return Verdict(
        rule="security_interest_is_in_force",
        value=in_force,
        threshold=True,
        passed=in_force,
        reason=(
            "A registered security interest covers the pool."
            if in_force
            else "No registered security interest covers the pool."
        ),
        remedy="Have the security interest registered, or its registration renewed, first.",
    )


def _less_or_more_room(inputs: DrawdownInputs, room_minor: int, way_to_more: str) -> str:
    """Ask for less only where a smaller draw would still reach the minimum."""
    smallest_minor = max(1, inputs.min_draw_minor)
    if room_minor < smallest_minor:
        return f"{way_to_more[0].upper()}{way_to_more[1:]}; no draw is possible until then."
    return f"Ask for {room_minor} or less, or {way_to_more}."


RULES: tuple[Callable[[DrawdownRequest, DrawdownInputs], Verdict], ...] = (
    amount_is_positive,
    currency_is_the_facilitys,
    facility_is_not_frozen,
    facility_has_not_expired,
    dated_on_the_open_business_date,
    tenor_is_long_enough,
    tenor_is_short_enough,
    amount_reaches_the_minimum,
    amount_is_available,
    programme_has_headroom,
    funder_has_headroom,
    security_interest_is_in_force,
)
"""In the order in which their verdicts are listed; every one is always asked."""
