"""What a facility offers its supplier today: how much, why, since when, and at what price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tallystick.book.collateral import bases
from tallystick.book.financing.draw_down import agreed_instalments, due_date_of
from tallystick.book.financing.refusals import UnknownFacility, binding_limit
from tallystick.book.financing.standing import Standing, Standings
from tallystick.book.statements import fetched
from tallystick.rules.availability_steps import Step, steps_to_available
from tallystick.rules.calendars import AdjustedDate
from tallystick.rules.daycount import DayCount
from tallystick.rules.fee_terms import FeeTerms, arrangement_fee_minor
from tallystick.rules.limits import (
    Decision,
    DrawdownInputs,
    DrawdownRequest,
    Verdict,
    decide_drawdown,
)
from tallystick.rules.loan_events import rate_from_ppb, rate_in_ppb
from tallystick.rules.pricing import Price, price_of, price_of_instalments
from tallystick.rules.reference_rates import FloatingTerms
from tallystick.rules.repayment import RepaymentTerms

BLOCKS = frozenset(
    {"facility_is_not_frozen", "facility_has_not_expired", "security_interest_is_in_force"}
)
"""Rules whose failure keeps anything from being drawn, whatever the amount."""


USUAL_TENOR_DAYS = 30


@dataclass(frozen=True, slots=True)
class Offer:
    """What a facility offers on its open business day. Amounts are minor units of its currency.

    ``drawable_minor`` is what a drawdown would be granted now, zero where something blocks it or
    where less is available than the smallest draw. ``base``: the amounts of
    ``rules.receivables.borrowing_base`` by name. ``inputs`` is what a drawdown would read.
    ``floating``: what the annual rate follows, None where it is fixed. ``fees``: what it costs
    besides.
    """

    facility_id: int
    facility: str
    pool_id: int
    currency: str
    business_date: date
    annual_rate_ppb: int
    floating: FloatingTerms | None
    penalty_rate_ppb: int
    fees: FeeTerms
    repayment: RepaymentTerms
    day_count: DayCount
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

    @property
    def usual_tenor_days(self) -> int:
        """The term for which a price is told unless another is asked: a month, or the nearest."""
        return min(self.inputs.max_tenor_days, max(self.inputs.min_tenor_days, USUAL_TENOR_DAYS))


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

    The figures of one offer agree with each other: they are computed from one base. Nothing is
    written, nor held: whoever draws meanwhile takes from them.

    Raises UnknownFacility, BeyondExactArithmetic.
    """
    standings, base_of = _looked_at(facilities)
    return [
        _offer(held, standings.inputs(held), base_of[held.pool_id])
        for held in (standings.by_facility[code] for code in facilities)
    ]


def quote(facility: str, *, amount_minor: int, tenor_days: int) -> Quote:
    """What drawing ``amount_minor`` for ``tenor_days`` on the open business day would come to.

    Nothing is written or held. The price is that of a payout on the same day.

    Raises UnknownFacility, BeyondExactArithmetic.
    """
    standings, _ = _looked_at([facility])
    held = standings.by_facility[facility]
    inputs = standings.inputs(held)
    decision = decide_drawdown(
        DrawdownRequest(amount_minor, held.currency, tenor_days, held.business_date), inputs
    )
    due = price = None
    if amount_minor > 0 and inputs.min_tenor_days <= tenor_days <= inputs.max_tenor_days:
        due, price = _priced(held, amount_minor, tenor_days)
    return Quote(facility, held.currency, tenor_days, decision, due, price)


def _priced(held: Standing, amount_minor: int, tenor_days: int) -> tuple[AdjustedDate, Price]:
    """The last due date of a draw of today, and what it costs."""
    on = held.business_date
    fees_minor = arrangement_fee_minor(amount_minor, held.terms.fees)
    if held.terms.repayment.in_instalments:
        agreed = agreed_instalments(held, on, amount_minor=amount_minor, tenor_days=tenor_days)
        price = price_of_instalments(
            amount_minor, agreed.rows, drawn_date=on, fees_minor=fees_minor
        )
        return AdjustedDate(price.due_date, agreed.provisional), price
    due = due_date_of(held, on, tenor_days=tenor_days)
    price = price_of(
        amount_minor,
        annual_rate_ppb=held.annual_rate_ppb,
        day_count=held.terms.price.day_count,
        drawn_date=on,
        due_date=due.date,
        fees_minor=fees_minor,
    )
    return due, price


def _looked_at(facilities: Sequence[str]) -> tuple[Standings, dict[int, Mapping[str, int]]]:
    """The facilities as they stand, and the parts of their pools' bases by pool.

    A base that is not current is computed, and left for the next act to keep: who only looks may
    not write.
    """
    rows = fetched("SELECT * FROM financing_standing(%s)", [sorted(set(facilities))])
    held = {standing.facility: standing for standing in (Standing(*row) for row in rows)}
    for code in facilities:
        if code not in held:
            raise UnknownFacility(code)
    found: dict[int, bases.PoolBaseValue] = {}
    for on in sorted({each.business_date for each in held.values()}):
        pool_ids = [each.pool_id for each in held.values() if each.business_date == on]
        found |= bases.current(pool_ids, on=on)
        if old := [pool_id for pool_id in pool_ids if pool_id not in found]:
            found |= bases.computed(old, on=on)
    by_facility = {
        code: each._replace(
            base_is_current=True,
            base_minor=found[each.pool_id].base_minor,
            cover_minor=found[each.pool_id].cover_minor,
        )
        for code, each in held.items()
    }
    return Standings(by_facility), {pool_id: base.result for pool_id, base in found.items()}


def _offer(held: Standing, inputs: DrawdownInputs, base: Mapping[str, int]) -> Offer:
    # Asked for something, so that the rules say what stands against drawing anything at all.
    asked = DrawdownRequest(
        max(1, inputs.min_draw_minor), held.currency, inputs.min_tenor_days, held.business_date
    )
    blocks = tuple(
        verdict
        for verdict in decide_drawdown(asked, inputs).verdicts
        if verdict.rule in BLOCKS and not verdict.passed
    )
    terms = held.terms
    return Offer(
        facility_id=held.facility_id,
        facility=held.facility,
        pool_id=held.pool_id,
        currency=held.currency,
        business_date=held.business_date,
        annual_rate_ppb=held.annual_rate_ppb,
        floating=terms.price.floating,
        penalty_rate_ppb=rate_in_ppb(
            terms.price.penalty.rate_on_top(rate_from_ppb(held.annual_rate_ppb))
        ),
        fees=terms.fees,
        repayment=terms.repayment,
        day_count=terms.price.day_count,
        base=base,
        inputs=inputs,
        blocks=blocks,
        steps=steps_to_available(base, inputs, blocked=bool(blocks)),
    )
