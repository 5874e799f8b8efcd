"""What a facility offers its supplier today: how much, why, since when, and at what price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tallystick.book.collateral import bases
from tallystick.book.financing import standing
from tallystick.book.financing.draw_down import due_date_of
from tallystick.book.financing.refusals import UnknownFacility, binding_limit
from tallystick.book.financing.standing import Standing
from tallystick.rules.availability_steps import Step, steps_to_available
from tallystick.rules.calendars import AdjustedDate
from tallystick.rules.limits import (
    Decision,
    DrawdownInputs,
    DrawdownRequest,
    Verdict,
    decide_drawdown,
)
from tallystick.rules.pricing import Price, cost_per_day_minor, price_of

BLOCKS = frozenset(
    {"facility_is_not_frozen", "facility_has_not_expired", "security_interest_is_in_force"}
)
"""Rules whose failure keeps anything from being drawn, whatever the amount."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a facility offers on its open business day. Amounts are minor units of its currency.

    ``drawable_minor`` is what a drawdown would be granted now, zero where something blocks it or
    where less is available than the smallest draw. ``base``: the amounts of
    ``rules.receivables.borrowing_base`` by name. ``inputs`` is what a drawdown would read.
    """

    facility_id: int
    facility: str
    pool_id: int
    currency: str
    business_date: date
    annual_rate_ppb: int
    base: Mapping[str, int]
    inputs: DrawdownInputs
    blocks: tuple[Verdict, ...]
    steps: tuple[Step, ...]

    @property
    def available_minor(self) -> int:
        """What base and limits leave, as far as nothing blocks it."""
        return self.steps[-1].level_minor

    @property
    def drawable_minor(self) -> int:
        enough = self.available_minor >= max(1, self.inputs.min_draw_minor)
        return self.available_minor if enough else 0

    @property
    def binding(self) -> str:
        return binding_limit(self.inputs)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a draw would come to, and whether it would be granted at this moment.

    ``price`` and ``due`` are None where the term asked for is not offered.
    """

    facility: str
    currency: str
    tenor_days: int
    decision: Decision
    due: AdjustedDate | None
    price: Price | None


def offers(facilities: Sequence[str]) -> list[Offer]:
    """What the facilities with these codes offer now, in the order given.

    The figures of one offer agree with each other: they are computed from one base, which is made
    current and kept where it was not. They hold for this moment: whoever draws takes from them.

    Raises UnknownFacility, BeyondExactArithmetic.
    """
    standings = standing.read(sorted(set(facilities)))
    found = []
    for code in facilities:
        if code not in standings.by_facility:
            raise UnknownFacility(code)
        held = standings.by_facility[code]
        found.append(_offer(held, standings.inputs(held)))
    return found


def quote(facility: str, *, amount_minor: int, tenor_days: int) -> Quote:
    """What drawing ``amount_minor`` for ``tenor_days`` on the open business day would come to.

    Nothing is written or held. The price is that of a payout on the same day.

    Raises UnknownFacility.
    """
    standings = standing.read([facility])
    if facility not in standings.by_facility:
        raise UnknownFacility(facility)
    held = standings.by_facility[facility]
    inputs = standings.inputs(held)
    decision = decide_drawdown(
        DrawdownRequest(amount_minor, held.currency, tenor_days, held.business_date), inputs
    )
    due = price = None
    if amount_minor > 0 and inputs.min_tenor_days <= tenor_days <= inputs.max_tenor_days:
        due = due_date_of(held, held.business_date, tenor_days=tenor_days)
        price = price_of(
            amount_minor,
            annual_rate_ppb=held.annual_rate_ppb,
            day_count=held.terms.price.day_count,
            drawn_date=held.business_date,
            due_date=due.date,
        )
    return Quote(facility, held.currency, tenor_days, decision, due, price)


def day_price_minor(facility: str, amount_minor: int) -> Decimal:
    """What one day of ``amount_minor`` costs on a facility, in minor units with two decimals.

    Raises UnknownFacility.
    """
    held = standing.read([facility]).by_facility.get(facility)
    if held is None:
        raise UnknownFacility(facility)
    return cost_per_day_minor(
        amount_minor,
        annual_rate_ppb=held.annual_rate_ppb,
        day_count=held.terms.price.day_count,
    )


def _offer(held: Standing, inputs: DrawdownInputs) -> Offer:
    base = _base(held)
    inputs = replace(inputs, base_minor=base["base_minor"], cover_minor=base["cover_minor"])
    # Asked for something, so that the rules say what stands against drawing anything at all.
    asked = DrawdownRequest(
        max(1, inputs.min_draw_minor), held.currency, inputs.min_tenor_days, held.business_date
    )
    blocks = tuple(
        verdict
        for verdict in decide_drawdown(asked, inputs).verdicts
        if verdict.rule in BLOCKS and not verdict.passed
    )
    return Offer(
        facility_id=held.facility_id,
        facility=held.facility,
        pool_id=held.pool_id,
        currency=held.currency,
        business_date=held.business_date,
        annual_rate_ppb=held.annual_rate_ppb,
        base=base,
        inputs=inputs,
        blocks=blocks,
        steps=steps_to_available(base, inputs, blocked=bool(blocks)),
    )


def _base(held: Standing) -> Mapping[str, int]:
    """The parts of the pool's base; computed again where it has changed since it was stored."""
    found = bases.current([held.pool_id], on=held.business_date)
    if held.pool_id not in found:
        found = bases.recompute([held.pool_id], on=held.business_date)
    return found[held.pool_id].result
