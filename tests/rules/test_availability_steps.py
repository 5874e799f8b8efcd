"""The waterfall from claims to the available amount adds up, whatever the figures are."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.availability_steps import (
    AVAILABLE,
    BASE,
    BLOCKED,
    CLAIMS,
    DRAWN,
    LEFT_OUT,
    LIMITS,
    SHORTFALL,
    Facts,
    changes_between,
    steps_to_available,
)
from tallystick.rules.eligibility import REASONS
from tallystick.rules.limits import DrawdownInputs
from tallystick.rules.receivables import ineligible_minor

AMOUNTS = st.integers(0, 10**12)


@st.composite
def bases(draw: st.DrawFn) -> dict[str, int]:
    """Amounts as ``borrowing_base`` could give them: each part is taken off the one before."""
    ineligible = {reason: draw(AMOUNTS) for reason in REASONS}
    eligible_minor = draw(AMOUNTS)
    lendable_minor = draw(st.integers(0, eligible_minor))
    excess_minor = draw(st.integers(0, lendable_minor))
    gross_minor = lendable_minor - excess_minor
    reserve_minor = draw(AMOUNTS)
    return {
        "outstanding_minor": eligible_minor + sum(ineligible.values()),
        **{ineligible_minor(reason): minor for reason, minor in ineligible.items()},
        "eligible_minor": eligible_minor,
        "lendable_minor": lendable_minor,
        "excess_concentration_minor": excess_minor,
        "gross_base_minor": gross_minor,
        "dilution_reserve_minor": reserve_minor,
        "base_minor": max(0, gross_minor - reserve_minor),
    }


@st.composite
def inputs_on(draw: st.DrawFn, base: dict[str, int]) -> DrawdownInputs:
    headroom = st.integers(-(10**12), 10**12)
    return DrawdownInputs(
        currency="CNY",
        business_date=date(2026, 3, 2),
        frozen_reason="",
        expiry_date=date(2027, 3, 2),
        min_tenor_days=1,
        max_tenor_days=90,
        min_draw_minor=1,
        facility_limit_minor=draw(AMOUNTS),
        programme_cap_per_supplier_minor=draw(headroom),
        programme_headroom_minor=draw(headroom),
        funder_headroom_minor=draw(headroom),
        drawn_minor=draw(AMOUNTS),
        base_minor=base["base_minor"],
        cover_minor=base["base_minor"],
        security_interest_in_force=True,
    )


@given(data=st.data(), base=bases())
def test_the_steps_add_up_to_what_a_drawdown_would_read(data, base):
    inputs = data.draw(inputs_on(base))
    steps = steps_to_available(base, inputs, blocked=False)
    assert sum(step.change_minor for step in steps) == inputs.available_minor
    assert steps[-1].name == AVAILABLE
    assert steps[-1].level_minor == inputs.available_minor


@given(data=st.data(), base=bases())
def test_each_step_starts_where_the_one_before_ended(data, base):
    steps = steps_to_available(base, data.draw(inputs_on(base)), blocked=False)
    level_minor = 0
    for step in steps:
        level_minor += step.change_minor
        assert step.level_minor == level_minor


@given(data=st.data(), base=bases())
def test_after_the_dilution_reserve_stands_the_borrowing_base(data, base):
    steps = steps_to_available(base, data.draw(inputs_on(base)), blocked=False)
    (stand,) = [step for step in steps if step.name == BASE]
    assert stand.level_minor == base["base_minor"]


@given(data=st.data(), base=bases())
def test_every_reason_that_leaves_claims_out_is_a_step_of_its_own(data, base):
    steps = steps_to_available(base, data.draw(inputs_on(base)), blocked=False)
    told = {step.reason: -step.change_minor for step in steps if step.name == LEFT_OUT}
    assert told == {
        reason: base[ineligible_minor(reason)]
        for reason in REASONS
        if base[ineligible_minor(reason)]
    }


@given(data=st.data(), base=bases())
def test_what_is_blocked_leaves_nothing_and_says_how_much_it_keeps(data, base):
    inputs = data.draw(inputs_on(base))
    steps = steps_to_available(base, inputs, blocked=True)
    assert steps[-1].level_minor == 0
    kept = [-step.change_minor for step in steps if step.name == BLOCKED]
    assert kept == ([inputs.available_minor] if inputs.available_minor else [])


def test_a_pool_of_which_too_much_is_drawn_ends_at_nothing_and_says_by_how_much():
    base = _plain_base(1_000)
    inputs = _inputs(base, drawn_minor=1_500, facility_limit_minor=1_200)
    steps = steps_to_available(base, inputs, blocked=False)
    assert [(step.name, step.change_minor) for step in steps] == [
        (CLAIMS, 1_000),
        (BASE, 0),
        (DRAWN, -1_500),
        (SHORTFALL, 500),
        (AVAILABLE, 0),
    ]


def test_what_lies_above_the_limits_is_a_step():
    base = _plain_base(1_000)
    steps = steps_to_available(
        base, _inputs(base, drawn_minor=100, facility_limit_minor=700), blocked=False
    )
    assert [(step.name, step.change_minor) for step in steps][2:] == [
        (LIMITS, -300),
        (DRAWN, -100),
        (AVAILABLE, 0),
    ]
    assert steps[-1].level_minor == 600


@given(
    data=st.data(),
    before=bases(),
    after=bases(),
    facts=st.builds(Facts, *[AMOUNTS] * 6),
    limit_minor=AMOUNTS,
)
def test_the_changes_since_a_day_sum_to_the_difference_of_what_is_left(
    data, before, after, facts, limit_minor
):
    inputs = replace(
        data.draw(inputs_on(after)),
        facility_limit_minor=limit_minor,
        programme_cap_per_supplier_minor=limit_minor,
    )
    changes = changes_between(before, after, facts=facts, inputs=inputs)
    room_before_minor = min(before["base_minor"], limit_minor)
    room_after_minor = min(after["base_minor"], limit_minor)
    assert sum(change.amount_minor for change in changes) == (
        room_after_minor - room_before_minor - facts.drawn_minor + facts.repaid_minor
    )


def _plain_base(amount_minor: int) -> dict[str, int]:
    """Claims of which everything is lent."""
    return {
        "outstanding_minor": amount_minor,
        **{ineligible_minor(reason): 0 for reason in REASONS},
        "eligible_minor": amount_minor,
        "lendable_minor": amount_minor,
        "excess_concentration_minor": 0,
        "gross_base_minor": amount_minor,
        "dilution_reserve_minor": 0,
        "base_minor": amount_minor,
    }


def _inputs(base: dict[str, int], *, drawn_minor: int, facility_limit_minor: int) -> DrawdownInputs:
    return DrawdownInputs(
        currency="CNY",
        business_date=date(2026, 3, 2),
        frozen_reason="",
        expiry_date=date(2027, 3, 2),
        min_tenor_days=1,
        max_tenor_days=90,
        min_draw_minor=1,
        facility_limit_minor=facility_limit_minor,
        programme_cap_per_supplier_minor=10**12,
        programme_headroom_minor=10**12,
        funder_headroom_minor=10**12,
        drawn_minor=drawn_minor,
        base_minor=base["base_minor"],
        cover_minor=base["base_minor"],
        security_interest_in_force=True,
    )
