"""Legal ceilings: which is in force when, for whom, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest

from tallystick.rules.daycount import DayCount
from tallystick.rules.rate_ceilings import (
    LateChargeTooHigh,
    Lender,
    RateAboveCeiling,
    ceiling_on,
    refuse_above_ceiling,
)
from tallystick.rules.rule_pack import Standing


@pytest.mark.parametrize(
    ("lender", "on", "rate"),
    [
        pytest.param(Lender.PRIVATE_LENDER, date(2020, 8, 20), "0.154", id="4 × 3.85 %"),
        pytest.param(Lender.PRIVATE_LENDER, date(2022, 8, 21), "0.148", id="4 × 3.70 %"),
        pytest.param(Lender.PRIVATE_LENDER, date(2022, 8, 22), "0.146", id="4 × 3.65 %"),
        pytest.param(Lender.PRIVATE_LENDER, date(2026, 11, 1), "0.12", id="4 × 3.00 %"),
        pytest.param(Lender.MICRO_LOAN_COMPANY, date(2026, 11, 1), "0.24", id="24 % until then"),
        pytest.param(Lender.MICRO_LOAN_COMPANY, date(2027, 12, 31), "0.12", id="from end-2027"),
        pytest.param(Lender.BANK, date(2025, 10, 1), "0.24", id="assisted lending"),
    ],
)
def test_the_ceiling_of_a_day(lender, on, rate):
    ceiling = ceiling_on(lender, on)

    assert ceiling is not None
    assert ceiling.rate_on(on) == Decimal(rate)


def test_only_the_courts_rule_on_private_lending_was_seen_in_its_text():
    on = date(2026, 11, 1)

    assert ceiling_on(Lender.PRIVATE_LENDER, on).standing is Standing.SOURCED
    assert all(
        ceiling_on(lender, on).standing is Standing.TO_VERIFY
        for lender in Lender
        if lender is not Lender.PRIVATE_LENDER
    )


def test_before_a_law_is_in_force_it_holds_nobody():
    assert ceiling_on(Lender.BANK, date(2025, 9, 30)) is None
    refuse_above_ceiling(lender=Lender.BANK, on=date(2025, 9, 30), annual_rate=Decimal("0.60"))


@pytest.mark.parametrize(
    ("lender", "annual_rate", "day_count", "penalty_rate"),
    [
        pytest.param("commercial_factor", "0.24", DayCount.ACT_365F, "0.12", id="at the ceiling"),
        pytest.param("commercial_factor", "0.2367", DayCount.ACT_360, "0", id="on a short year"),
        pytest.param("private_lender", "0.08", DayCount.ACT_365F, "0.04", id="late charges too"),
        pytest.param("bank", "0.06", DayCount.ACT_365F, "0.03", id="half the rate again"),
    ],
)
def test_what_is_not_above_the_ceiling_is_accepted(lender, annual_rate, day_count, penalty_rate):
    refuse_above_ceiling(
        lender=Lender(lender),
        on=date(2026, 11, 1),
        annual_rate=Decimal(annual_rate),
        day_count=day_count,
        penalty_rate=Decimal(penalty_rate),
    )


@pytest.mark.parametrize(
    ("lender", "annual_rate", "day_count", "penalty_rate", "refusal", "says"),
    [
        pytest.param(
            "commercial_factor",
            "0.24",
            DayCount.ACT_360,
            "0",
            RateAboveCeiling,
            "come to 24.33 % .* above the 24.00 %",
            id="24 % on 360 days is more on 365",
        ),
        pytest.param(
            "private_lender",
            "0.10",
            DayCount.ACT_365F,
            "0.05",
            RateAboveCeiling,
            "late charges and fees come to 15.00 %",
            id="the late charge counts for private money",
        ),
        pytest.param(
            "bank",
            "0.06",
            DayCount.ACT_365F,
            "0.0301",
            LateChargeTooHigh,
            "Lower it to 3.00 %",
            id="more than half the rate again",
        ),
    ],
)
def test_what_is_above_the_ceiling_is_refused_with_what_would_be_accepted(
    lender, annual_rate, day_count, penalty_rate, refusal, says
):
    with pytest.raises(refusal, match=says):
        refuse_above_ceiling(
            lender=Lender(lender),
            on=date(2026, 11, 1),
            annual_rate=Decimal(annual_rate),
            day_count=day_count,
            penalty_rate=Decimal(penalty_rate),
        )
