"""Terms are possible or refused, each by its key; a file of them is read with line numbers."""

from dataclasses import asdict, replace

import pytest

from tallystick.rules.pool_terms import (
    TERM_BOUNDS,
    AdvanceRatesIncomplete,
    InvalidPoolTerms,
    TermOutOfBounds,
    Terms,
    read_pool_terms,
)

TERMS = Terms(
    advance_rate_bps={"order": 5_000, "receipt": 6_000, "invoice": 7_000, "settlement": 8_000},
    max_days_past_due=60,
    max_tenor_days=120,
    min_days_to_due=5,
    cross_ageing_share_bps=5_000,
    concentration_limit_bps=10_000,
    dilution_window_days=90,
    dilution_stress_bps=15_000,
)
FILE = """\
# Terms of a pool.
advance_rate_bps = { order = 5_000, receipt = 6_000, invoice = 7_000, settlement = 8_000 }
max_days_past_due = 60
max_tenor_days = 120
min_days_to_due = 5
cross_ageing_share_bps = 5_000
concentration_limit_bps = 10_000
dilution_window_days = 90
dilution_stress_bps = 15_000

[related]
S1 = ["O1", "O2"]

[concentration_override_bps]
O1 = 2_500
"""


@pytest.mark.parametrize("key", TERM_BOUNDS)
def test_a_term_may_be_at_its_bounds_and_not_beyond(key):
    bounds = TERM_BOUNDS[key]

    for possible in (bounds.lowest, bounds.highest):
        assert getattr(replace(TERMS, **{key: possible}), key) == possible
    for impossible in (bounds.lowest - 1, bounds.highest + 1, 1.5, True, "5", None):
        with pytest.raises(TermOutOfBounds, match=f"^{key} = .* from {bounds.lowest} to"):
            replace(TERMS, **{key: impossible})


@pytest.mark.parametrize("rate_bps", [-1, 10_001, 0.5])
def test_an_advance_rate_is_a_part_of_the_claim(rate_bps):
    with pytest.raises(TermOutOfBounds, match=r"^advance_rate_bps\.order = "):
        replace(TERMS, advance_rate_bps={**TERMS.advance_rate_bps, "order": rate_bps})


@pytest.mark.parametrize("stages", [[], ["order"], [*TERMS.advance_rate_bps, "other"]])
def test_every_stage_has_one_advance_rate(stages):
    with pytest.raises(AdvanceRatesIncomplete, match="one rate each for order, receipt"):
        replace(TERMS, advance_rate_bps=dict.fromkeys(stages, 1))


def test_a_file_of_terms_is_read_whole():
    read = read_pool_terms(FILE, file="terms.toml")

    assert asdict(read.terms) == asdict(TERMS)
    assert read.related == {"S1": ("O1", "O2")}
    assert read.concentration_override_bps == {"O1": 2_500}


def test_related_parties_and_overrides_may_be_left_out():
    read = read_pool_terms(FILE.partition("[related]")[0], file="terms.toml")

    assert (read.related, read.concentration_override_bps) == ({}, {})


def test_everything_wrong_in_a_file_of_terms_is_told_at_once_in_its_order():
    wrong = FILE.replace("= 90", "= -90").replace("= 60", '= "60"').replace("= 2_500", "= 10_001")

    with pytest.raises(InvalidPoolTerms) as refused:
        read_pool_terms(wrong + "\n[other]\n", file="terms.toml")

    assert [(error.line, error.key) for error in refused.value.errors] == [
        (3, "max_days_past_due"),
        (8, "dilution_window_days"),
        (15, "concentration_override_bps.O1"),
        (17, "other"),
    ]


def test_what_is_no_toml_is_refused_with_its_line():
    with pytest.raises(InvalidPoolTerms, match=r"^terms\.toml, line 4: "):
        read_pool_terms(
            FILE.replace("max_tenor_days = 120", "max_tenor_days 120"), file="terms.toml"
        )
