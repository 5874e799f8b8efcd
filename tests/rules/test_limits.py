"""The drawdown decision, clause by clause."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.limits import (
    RULES,
    RULES_VERSION,
    DrawdownInputs,
    DrawdownRequest,
    decide_drawdown,
)

TODAY = date(2026, 3, 2)

REQUEST = DrawdownRequest(amount_minor=500, currency="CNY", tenor_days=60, draw_date=TODAY)

INPUTS = DrawdownInputs(
    currency="CNY",
    business_date=TODAY,
    frozen_reason="",
    expiry_date=TODAY + timedelta(days=200),
    min_tenor_days=15,
    max_tenor_days=90,
    min_draw_minor=100,
    facility_limit_minor=10_000,
    programme_cap_per_supplier_minor=8_000,
    programme_headroom_minor=50_000,
    funder_headroom_minor=40_000,
    drawn_minor=2_000,
    base_minor=6_000,
    cover_minor=7_000,
    security_interest_in_force=True,
)


def failed_rules(decision):
    return [verdict.rule for verdict in decision.verdicts if not verdict.passed]


def test_a_request_within_every_bound_is_granted_without_reasons():
    decision = decide_drawdown(REQUEST, INPUTS)

    assert decision.granted
    assert decision.reasons == ()
    assert decision.rules_version == RULES_VERSION


@pytest.mark.parametrize(
    ("changed", "limit_minor"),
    [
        pytest.param({"facility_limit_minor": 5_000}, 5_000, id="the facility's own limit"),
        pytest.param({}, 8_000, id="the programme's cap per supplier"),
        pytest.param(
            {"programme_headroom_minor": 1_500}, 3_500, id="what the programme has left, on top"
        ),
        pytest.param({"funder_headroom_minor": 700}, 2_700, id="what the funder has left, on top"),
        pytest.param(
            {"funder_headroom_minor": -300}, 1_700, id="a headroom lowered under what is drawn"
        ),
    ],
)
def test_the_limit_is_the_smallest_of_the_four(changed, limit_minor):
    assert replace(INPUTS, **changed).limit_minor == limit_minor


@pytest.mark.parametrize(
    ("changed", "available_minor"),
    [
        pytest.param({}, 4_000, id="base 6,000 less 2,000 drawn"),
        pytest.param({"base_minor": 20_000}, 6_000, id="limit 8,000 less 2,000 drawn"),
        pytest.param({"base_minor": 1_999}, 0, id="a base under what is drawn: nothing, not less"),
        pytest.param({"funder_headroom_minor": -300}, 0, id="a headroom below zero: nothing"),
    ],
)
def test_available_is_the_smaller_of_base_and_limit_less_what_is_drawn(changed, available_minor):
    assert replace(INPUTS, **changed).available_minor == available_minor


@pytest.mark.parametrize(
    ("cover_minor", "shortfall_minor"),
    [
        pytest.param(2_001, 0, id="cover above drawn"),
        pytest.param(2_000, 0, id="cover equal to drawn"),
        pytest.param(1_900, 100, id="cover under drawn"),
    ],
)
def test_a_shortfall_is_what_the_cover_lacks(cover_minor, shortfall_minor):
    assert replace(INPUTS, cover_minor=cover_minor).shortfall_minor == shortfall_minor


@pytest.mark.parametrize(
    ("request_change", "input_change", "rules"),
    [
        pytest.param({"amount_minor": 4_000}, {}, [], id="all that is available: granted"),
        pytest.param({"amount_minor": 4_001}, {}, ["amount_is_available"], id="one more"),
        pytest.param({"amount_minor": 100}, {}, [], id="the smallest draw: granted"),
        pytest.param(
            {"amount_minor": 99}, {}, ["amount_reaches_the_minimum"], id="under the smallest draw"
        ),
        pytest.param(
            {"amount_minor": 0},
            {"min_draw_minor": 0},
            ["amount_is_positive"],
            id="nothing, even where no minimum is set",
        ),
        pytest.param(
            {"amount_minor": -500},
            {},
            ["amount_is_positive", "amount_reaches_the_minimum"],
            id="less than nothing",
        ),
        pytest.param({"currency": "USD"}, {}, ["currency_is_the_facilitys"], id="another currency"),
        pytest.param({}, {"frozen_reason": "court order"}, ["facility_is_not_frozen"], id="frozen"),
        pytest.param({}, {"expiry_date": TODAY}, [], id="on the facility's last day: granted"),
        pytest.param(
            {},
            {"expiry_date": TODAY - timedelta(days=1)},
            ["facility_has_not_expired"],
            id="the day after the facility's last",
        ),
        pytest.param(
            {"draw_date": TODAY - timedelta(days=1)},
            {},
            ["dated_on_the_open_business_date"],
            id="dated yesterday",
        ),
        pytest.param(
            {"draw_date": TODAY + timedelta(days=1)},
            {},
            ["dated_on_the_open_business_date"],
            id="dated tomorrow",
        ),
        pytest.param({"tenor_days": 15}, {}, [], id="shortest tenor: granted"),
        pytest.param({"tenor_days": 14}, {}, ["tenor_is_long_enough"], id="one day shorter"),
        pytest.param({"tenor_days": 90}, {}, [], id="longest tenor: granted"),
        pytest.param({"tenor_days": 91}, {}, ["tenor_is_short_enough"], id="one day longer"),
        pytest.param(
            {},
            {"programme_headroom_minor": 499},
            ["amount_is_available", "programme_has_headroom"],
            id="the programme has less left",
        ),
        pytest.param(
            {},
            {"funder_headroom_minor": 499},
            ["amount_is_available", "funder_has_headroom"],
            id="the funder has less left",
        ),
        pytest.param(
            {},
            {"security_interest_in_force": False},
            ["security_interest_is_in_force"],
            id="no security interest",
        ),
    ],
)
def test_a_request_is_declined_by_exactly_the_rules_it_breaks(request_change, input_change, rules):
    decision = decide_drawdown(replace(REQUEST, **request_change), replace(INPUTS, **input_change))

    assert failed_rules(decision) == rules
    assert decision.granted is (rules == [])


def test_all_reasons_are_given_at_once():
    request = DrawdownRequest(
        amount_minor=-1, currency="USD", tenor_days=0, draw_date=TODAY + timedelta(days=900)
    )
    inputs = replace(INPUTS, frozen_reason="fraud alert", security_interest_in_force=False)

    decision = decide_drawdown(request, inputs)

    assert len(decision.reasons) == len(failed_rules(decision)) == 8
    assert any("fraud alert" in reason for reason in decision.reasons)


def test_a_verdict_names_the_value_read_what_is_accepted_and_the_remedy():
    decision = decide_drawdown(replace(REQUEST, amount_minor=5_000), INPUTS)

    (verdict,) = [verdict for verdict in decision.verdicts if not verdict.passed]
    assert (verdict.value, verdict.threshold) == (5_000, 4_000)
    assert "5000" in verdict.reason
    assert "4000 is available" in verdict.reason
    assert "Ask for 4000 or less" in verdict.remedy


def test_no_smaller_draw_is_proposed_where_none_would_reach_the_minimum():
    decision = decide_drawdown(REQUEST, replace(INPUTS, base_minor=2_050))

    assert "Ask for" not in decision.reasons[0]
    assert "no draw is possible until then" in decision.reasons[0]


def test_a_decision_is_written_in_plain_json_with_every_rule_and_input():
    written = json.loads(json.dumps(decide_drawdown(REQUEST, INPUTS).as_json()))

    assert written["granted"] is True
    assert written["inputs"]["expiry_date"] == "2026-09-18"
    assert written["inputs"]["base_minor"] == 6_000
    assert (written["limit_minor"], written["available_minor"]) == (8_000, 4_000)
    assert written["shortfall_minor"] == 0
    assert [verdict["rule"] for verdict in written["verdicts"]] == [rule.__name__ for rule in RULES]


amounts = st.integers(min_value=-20_000, max_value=20_000)


@given(
    amount_minor=amounts,
    drawn_minor=st.integers(min_value=0, max_value=20_000),
    base_minor=st.integers(min_value=0, max_value=20_000),
    facility_limit_minor=st.integers(min_value=0, max_value=20_000),
    programme_headroom_minor=amounts,
    funder_headroom_minor=amounts,
)
def test_a_granted_draw_never_exceeds_base_limit_or_any_headroom(amount_minor, **figures):
    inputs = replace(INPUTS, **figures)

    decision = decide_drawdown(replace(REQUEST, amount_minor=amount_minor), inputs)

    drawn_after_minor = inputs.drawn_minor + amount_minor
    bounds_hold = (
        amount_minor >= inputs.min_draw_minor
        and drawn_after_minor <= inputs.base_minor
        and drawn_after_minor <= inputs.facility_limit_minor
        and drawn_after_minor <= inputs.programme_cap_per_supplier_minor
        and amount_minor <= inputs.programme_headroom_minor
        and amount_minor <= inputs.funder_headroom_minor
    )
    assert decision.granted is bounds_hold
