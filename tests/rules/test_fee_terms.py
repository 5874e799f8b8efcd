"""Fees of a programme: what they come to, and what the law lets them cost."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.test_programme import JD, jingbaobei

from tallystick.rules.fee_terms import NO_FEES, FeeTerms, arrangement_fee_minor
from tallystick.rules.programme import InvalidProgramme, read_programmes, stored_programme

ON = date(2026, 3, 2)
AFTER = "\n[jd.jingbaobei.pool]\n"


def with_fees(fees: str, *, lender: str = "", min_draw_minor: int = 1_000_000) -> str:
    """The JD file with such fees, a smallest draw of CNY 10,000, and 15 days at least."""
    keys = [line.split(" = ")[0] for line in fees.strip().splitlines()]
    sources = "".join(f'{key} = "illustrative"\n' for key in keys)
    text = Path(JD).read_text(encoding="utf-8")
    assert text.count(AFTER) == 1
    text = text.replace("min_draw_minor = 10_000", f"min_draw_minor = {min_draw_minor}")
    if lender:
        text = text.replace('currency = "CNY"\n', f'currency = "CNY"\nlender = "{lender}"\n')
        text = text.replace(
            'currency = "[14, C]: settlement in RMB"\n',
            'currency = "[14, C]: settlement in RMB"\nlender = "illustrative"\n',
        )
    return text.replace(
        AFTER,
        f"\n[jd.jingbaobei.fees]\n{fees}\n[jd.jingbaobei.fees.sources]\n{sources}{AFTER}",
    )


def defined(text: str):
    (programme,) = read_programmes(text, file="jd.toml", defined_on=ON)
    return programme


def test_jingbaobei_charges_no_fee() -> None:
    assert jingbaobei().fees == NO_FEES
    assert arrangement_fee_minor(10**9, NO_FEES) == 0


@pytest.mark.parametrize(
    ("amount_minor", "fee_minor"),
    [
        pytest.param(1_000_000, 5_000, id="half a per cent"),
        pytest.param(1_000_100, 5_001, id="half a minor unit is rounded up"),
        pytest.param(100_000, 2_000, id="the minimum"),
        pytest.param(100_000_000, 80_000, id="the maximum"),
    ],
)
def test_an_arrangement_fee_is_a_share_between_its_bounds(amount_minor, fee_minor):
    terms = FeeTerms(arrangement_bps=50, arrangement_min_minor=2_000, arrangement_max_minor=80_000)

    assert arrangement_fee_minor(amount_minor, terms) == fee_minor


@given(
    amounts=st.tuples(st.integers(1, 10**12), st.integers(1, 10**12)),
    bps=st.integers(0, 10_000),
    bounds=st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)),
)
def test_a_larger_loan_never_costs_less_to_arrange(amounts, bps, bounds):
    terms = FeeTerms(bps, min(bounds), max(bounds))
    smaller, larger = (
        arrangement_fee_minor(amount_minor, terms) for amount_minor in sorted(amounts)
    )

    assert min(bounds) <= smaller <= larger <= max(bounds)


def test_a_programme_may_charge_fees_and_is_stored_with_them() -> None:
    programme = defined(
        with_fees("arrangement_bps = 50\nlate_minor = 5_000\nlate_after_days = 3\n")
    )

    assert programme.fees == FeeTerms(arrangement_bps=50, late_minor=5_000, late_after_days=3)
    assert programme.source_of("fees.late_minor") == "illustrative"
    assert stored_programme(programme.code, json.loads(json.dumps(programme.content))) == programme


@pytest.mark.parametrize(
    ("fees", "says"),
    [
        ("arrangement_bps = -1", "fees.arrangement_bps = -1: .*from 0 to 10000"),
        ('late_minor = "5"', "fees.late_minor = '5': .*whole number"),
        ("late_after_days = 3", "fees.late_after_days = 3: .*Give late_minor"),
        (
            "arrangement_min_minor = 9\narrangement_max_minor = 8",
            "fees.arrangement_max_minor = 8: .*Give 9",
        ),
        ("origination_bps = 3", "fees.origination_bps = 3: .*unknown"),
    ],
)
def test_a_fee_that_cannot_be_is_refused_with_line_value_and_remedy(fees: str, says: str) -> None:
    with pytest.raises(InvalidProgramme, match=says):
        defined(with_fees(f"{fees}\n"))


# Interest at 10 % on a year of 360 days costs 10.14 %; of 15 days, 50 bps are 12.17 % a year.
@pytest.mark.parametrize(
    ("fees", "lender", "cost"),
    [
        pytest.param("arrangement_bps = 50\n", "", None, id="22.31 %: below a factor's 24 %"),
        pytest.param("arrangement_bps = 60\n", "", "24.74", id="60 bps for 15 days: above it"),
        pytest.param("arrangement_min_minor = 6_000\n", "", "24.74", id="so is the minimum"),
        pytest.param(
            "arrangement_bps = 60\narrangement_max_minor = 5_000\n",
            "",
            None,
            id="the maximum helps",
        ),
        pytest.param("late_minor = 900_000\n", "", None, id="late charges do not count for it"),
    ],
)
def test_interest_and_fees_together_are_held_to_the_ceiling(fees, lender, cost):
    text = with_fees(fees, lender=lender)

    if cost is None:
        assert defined(text).fees != NO_FEES
    else:
        with pytest.raises(InvalidProgramme, match=f"fees.*come to {cost} % in a year"):
            defined(text)


def test_where_the_law_counts_late_charges_the_late_fee_is_one_of_them() -> None:
    # 4 × 3 % = 12 % on 3 % of interest and as much of penalty: 6.08 %, and 3,000 are 7.30 %.
    def private(fees: str) -> str:
        text = with_fees(fees, lender="private_lender").replace('"0.10"', '"0.03"')
        return text.replace('penalty_rate = "0.05"', 'penalty_rate = "0.03"')

    assert defined(private("late_minor = 2_000\n")).fees.late_minor == 2_000
    with pytest.raises(InvalidProgramme, match=r"come to 13\.38 % in a year"):
        defined(private("late_minor = 3_000\n"))


def test_a_programme_that_was_defined_before_stays_readable() -> None:
    text = with_fees("arrangement_bps = 500\n")

    (programme,) = read_programmes(text, file="jd.toml")

    assert programme.fees.arrangement_bps == 500
    assert programme.price.annual_rate == Decimal("0.10")
