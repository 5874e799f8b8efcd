"""A settlement across a supplier's facilities: caps, hold-backs and turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.cross_sweep import Parted, Turn, parted, turns
from tallystick.rules.loan_terms import RECEIPT_ORDER
from tallystick.rules.settlement_terms import Others, SettlementTerms, Sweep


def terms(**choices) -> SettlementTerms:
    return SettlementTerms(Sweep.ALL, RECEIPT_ORDER, **choices)


@pytest.mark.parametrize(
    ("choices", "parts"),
    [
        pytest.param({}, Parted(1_001, 0, 0), id="nothing said: all of it is swept"),
        pytest.param({"swept_bps": 5_000}, Parted(500, 0, 501), id="a cap of half"),
        pytest.param(
            {"swept_bps": 5_000, "held_back_bps": 1_000}, Parted(500, 100, 401), id="a tenth held"
        ),
        pytest.param(
            {"swept_bps": 9_000, "held_back_bps": 1_000}, Parted(901, 100, 0), id="nothing free"
        ),
    ],
)
def test_a_settlement_is_parted_by_cap_and_hold_back(choices, parts):
    assert parted(1_001, terms(**choices)) == parts


@given(
    amount_minor=st.integers(0, 10**15),
    swept_bps=st.integers(1, 10_000),
    held_back_bps=st.integers(0, 9_999),
)
def test_the_parts_sum_to_the_settlement_and_none_is_below_nothing(
    amount_minor, swept_bps, held_back_bps
):
    held_back_bps = min(held_back_bps, 10_000 - swept_bps)

    parts = parted(amount_minor, terms(swept_bps=swept_bps, held_back_bps=held_back_bps))

    assert sum(parts) == amount_minor
    assert min(parts) >= 0


def test_facilities_that_let_it_come_by_priority_and_then_the_older_first():
    facilities = [
        Turn(1, terms(others=Others.ALL)),
        Turn(2, terms(others=Others.DUE)),
        Turn(3, terms()),
        Turn(4, terms(others=Others.DUE, others_priority=10)),
        Turn(5, terms(others=Others.ALL)),
    ]

    assert [turn.facility_id for turn in turns(5, facilities)] == [4, 1, 2]
