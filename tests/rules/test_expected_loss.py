"""Expected credit loss: worked examples, and what always holds."""

from fractions import Fraction

import narwhals as nw
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.rules import oracle_expected_loss as oracle
from tests.rules.oracle_expected_loss import (
    Exposure,
    expected_loss_minor,
    instalments_allowance_minor,
)

from tallystick.rules.expected_loss import (
    PPB,
    LossTerms,
    MatrixRate,
    PdPoint,
    allowance_minor,
    cumulative_pd,
    loss_rates_ppb,
    matrix_rate_ppb,
    principal_lost,
    reserve_above_loss_minor,
    reserve_needed_minor,
)


def staged(*curve: tuple[int, int], lgd_bps: int = 10_000, min_horizon_days: int = 30) -> LossTerms:
    points = tuple(PdPoint(days, ppm) for days, ppm in curve)
    return LossTerms(lgd_bps, min_horizon_days, points, ())


def loss_rate_ppb(terms: LossTerms, *, days_to_due: int, **rate: int) -> int:
    return loss_rates_ppb(terms, [days_to_due], **rate)[days_to_due]


def due_dates_of(
    planned_minor: list[int], rates_ppb: list[int], *, repaid_minor: int, principal_minor: int
) -> nw.DataFrame[pl.DataFrame]:
    return nw.from_native(
        pl.DataFrame(
            {
                "planned_before_minor": [0, *planned_minor[:-1]],
                "planned_minor": [*planned_minor[:-1], None],
                "loss_ppb": rates_ppb,
            }
        ).with_columns(
            # Of 64 bits as in the book: Polars would take a small literal for 32.
            loan_id=1,
            repaid_minor=pl.lit(repaid_minor, dtype=pl.Int64),
            principal_minor=pl.lit(principal_minor, dtype=pl.Int64),
        )
    )


def lost_ppb(dues: nw.DataFrame[pl.DataFrame]) -> int:
    """In billionths of a minor unit."""
    [(_, lost_minor, rest_ppb)] = principal_lost(dues).rows()
    return lost_minor * PPB + rest_ppb


def test_twelve_month_loss_of_ifrs_9_example_8():
    """CU 1,000,000, probability of default in twelve months 0.5 %, LGD 25 %: CU 1,250.

    Source: IFRS 9, illustrative example 8, IE60.
    """
    terms = staged((365, 5_000), lgd_bps=2_500)

    rate_ppb = loss_rate_ppb(terms, stage=1, days_to_due=3_650, annual_rate_ppb=0, days_a_year=365)

    assert allowance_minor(1_000_000_00, rate_ppb) == 1_250_00


@pytest.mark.parametrize(
    ("days_past_due", "gross", "allowance"),
    [
        pytest.param(0, 15_000_000, 45_000, id="current: 0.3 %"),
        pytest.param(30, 7_500_000, 120_000, id="1-30 days: 1.6 %"),
        pytest.param(31, 4_000_000, 144_000, id="31-60 days: 3.6 %"),
        pytest.param(90, 2_500_000, 165_000, id="61-90 days: 6.6 %"),
        pytest.param(91, 1_000_000, 106_000, id="more than 90 days: 10.6 %"),
    ],
)
def test_the_provision_matrix_of_ifrs_9_example_12(days_past_due, gross, allowance):
    """Source: IFRS 9, illustrative example 12, IE75 to IE77; CU 580,000 in all."""
    rates = ((-1, 3_000), (0, 16_000), (30, 36_000), (60, 66_000), (90, 106_000))
    terms = LossTerms(10_000, 30, (), tuple(MatrixRate(over, ppm) for over, ppm in rates))

    rate_ppb = matrix_rate_ppb(terms, days_past_due=days_past_due)

    assert allowance_minor(gross * 100, rate_ppb) == allowance * 100


def test_a_loss_in_a_year_is_discounted_at_the_loans_rate():
    """1 % × 40 % of 1,000,000.00 lost in a year, at 10 %: 4,000.00 / 1.1 = 3,636.3636…"""
    terms = staged((365, 10_000), lgd_bps=4_000)

    loss_minor = expected_loss_minor(
        terms,
        [Exposure(365, 1_000_000_00)],
        horizon_days=365,
        annual_rate_ppb=100_000_000,
        days_a_year=365,
    )

    assert loss_minor == 3_636_36


def test_a_lifetime_loss_sums_its_periods_each_with_its_own_exposure():
    """Year 1: 1 % × 1,000.00 / 1.1 = 9.0909…; year 2: 2 % × 500.00 / 1.2 = 8.3333…;
    LGD 50 % of 17.4242… is 8.7121…
    """
    terms = staged((365, 10_000), (730, 30_000), lgd_bps=5_000)
    plan = [Exposure(365, 1_000_00), Exposure(730, 500_00)]
    rate = {"annual_rate_ppb": 100_000_000, "days_a_year": 365}

    assert expected_loss_minor(terms, plan, horizon_days=730, **rate) == 8_71
    # Of defaults within twelve months only the first year's: 4.5454…
    assert expected_loss_minor(terms, plan, horizon_days=365, **rate) == 4_55


def test_a_loan_of_two_instalments_loses_what_two_loans_of_one_would():
    """500.00 due in a year: 1 % / 1.1 = 0.90909… %, so 4.5454…; 500.00 due in two years:
    1 % / 1.1 + 2 % / 1.2 = 2.57575… %, so 12.8787…; LGD 50 % of 17.4242… is 8.71 as above.
    """
    terms = staged((365, 10_000), (730, 30_000), lgd_bps=5_000)
    parts = [Exposure(365, 500_00), Exposure(730, 500_00)]
    rate = {"annual_rate_ppb": 100_000_000, "days_a_year": 365}

    assert instalments_allowance_minor(terms, parts, stage=2, **rate) == 8_71
    # Defaults within twelve months: 1 % of both / 1.1 × 50 %.
    assert instalments_allowance_minor(terms, parts, stage=1, **rate) == 4_55
    assert instalments_allowance_minor(terms, parts, stage=3, **rate) == 500_00


@pytest.mark.parametrize(
    ("repaid", "principal", "to_come"),
    [
        pytest.param(0, 1_000, [300, 300, 400], id="nothing repaid: as planned"),
        pytest.param(400, 600, [0, 200, 400], id="repaid: the oldest first"),
        pytest.param(0, 500, [300, 200, 0], id="half paid out: the oldest first"),
        pytest.param(100, 700, [200, 300, 200], id="200 charged off: the last is smaller"),
        pytest.param(1_000, 0, [0, 0, 0], id="all repaid"),
    ],
)
def test_principal_still_to_come_follows_the_plan(repaid, principal, to_come):
    """Of each due date alone, as if all of it were lost."""
    for place, amount_minor in enumerate(to_come):
        dues = due_dates_of(
            [300, 600, 1_000],
            [PPB if place == each else 0 for each in range(3)],
            repaid_minor=repaid,
            principal_minor=principal,
        )

        assert lost_ppb(dues) == amount_minor * PPB


@given(
    instalments=st.lists(st.integers(0, 2**61), min_size=1, max_size=12).filter(
        lambda parts: 0 < sum(parts) < 2**62
    ),
    rates_ppb=st.lists(st.integers(0, PPB), min_size=12, max_size=12),
    repaid=st.integers(0, 2**62),
    charged_off=st.integers(0, 2**62),
)
def test_what_is_lost_of_principal_agrees_with_the_clause_read_aloud(
    instalments, rates_ppb, repaid, charged_off
):
    """Also of amounts whose products leave 64 bits."""
    planned_minor = [sum(instalments[: place + 1]) for place in range(len(instalments))]
    repaid_minor = min(repaid, planned_minor[-1])
    principal_minor = max(0, planned_minor[-1] - repaid_minor - charged_off)
    asked = {"repaid_minor": repaid_minor, "principal_minor": principal_minor}
    rates_ppb = rates_ppb[: len(instalments)]

    parts_minor = oracle.principal_to_come_minor(planned_minor, **asked)

    assert lost_ppb(due_dates_of(planned_minor, rates_ppb, **asked)) == sum(
        minor * ppb for minor, ppb in zip(parts_minor, rates_ppb, strict=True)
    )


def test_what_is_lost_is_summed_loan_by_loan():
    one = due_dates_of([300, 1_000], [0, PPB], repaid_minor=0, principal_minor=1_000)
    other = due_dates_of([50], [PPB // 4], repaid_minor=0, principal_minor=50)

    lost = principal_lost(nw.concat([one, other.with_columns(loan_id=nw.lit(2))]))

    assert sorted(lost.rows()) == [(1, 700, 0), (2, 12, PPB // 2)]


def test_the_term_structure_is_straight_between_its_points_and_goes_on_beyond_the_last():
    curve = (PdPoint(100, 10_000), PdPoint(300, 20_000))

    assert cumulative_pd(curve, 0) == 0
    assert cumulative_pd(curve, 50) == Fraction(1, 200)
    assert cumulative_pd(curve, 200) == Fraction(15, 1_000)
    assert cumulative_pd(curve, 500) == Fraction(3, 100)
    assert cumulative_pd(curve, 10**9) == 1


def test_an_impaired_loan_loses_what_is_not_recovered():
    terms = staged((365, 10_000), lgd_bps=4_500)

    assert loss_rate_ppb(
        terms, stage=3, days_to_due=-200, annual_rate_ppb=10**8, days_a_year=360
    ) == PPB * 45 // 100  # fmt: skip


def test_a_loan_past_its_due_date_is_still_looked_ahead_for():
    terms = staged((365, 10_000), min_horizon_days=30)
    rate = {"stage": 2, "annual_rate_ppb": 0, "days_a_year": 360}

    assert loss_rate_ppb(terms, days_to_due=-50, **rate) == loss_rate_ppb(
        terms, days_to_due=30, **rate
    )


# 银保监办发〔2019〕205号: not less than 1 % of the closing balance.
@pytest.mark.parametrize(
    ("balance_minor", "reserve_minor"),
    [(0, 0), (1, 1), (100, 1), (101, 2), (123_456_700, 1_234_567)],
)
def test_a_factors_reserve_is_never_less_than_a_hundredth_of_its_balance(
    balance_minor, reserve_minor
):
    assert reserve_needed_minor(balance_minor, 100) == reserve_minor


@given(reserve_minor=st.integers(0, 10**15), loss_minor=st.integers(0, 10**15))
def test_of_reserve_and_expected_loss_the_higher_is_booked(reserve_minor, loss_minor):
    above = reserve_above_loss_minor(reserve_minor=reserve_minor, expected_loss_minor=loss_minor)

    assert loss_minor + above == max(loss_minor, reserve_minor)


steps = st.lists(st.tuples(st.integers(1, 400), st.integers(0, 60_000)), min_size=1, max_size=4)


@st.composite
def terms_of(draw) -> LossTerms:
    days = ppm = 0
    points = []
    for more_days, more_ppm in draw(steps):
        days, ppm = days + more_days, ppm + more_ppm
        points.append((days, ppm))
    return staged(*points, lgd_bps=draw(st.integers(0, 10_000)))


@given(
    terms=terms_of(),
    days=st.integers(1, 2_000),
    rate_ppb=st.integers(0, 400_000_000),
    days_a_year=st.sampled_from([360, 365]),
)
@settings(max_examples=60)
def test_a_lifetime_loses_at_least_what_twelve_months_do_and_no_more_than_all(
    terms, days, rate_ppb, days_a_year
):
    rate = {"days_to_due": days, "annual_rate_ppb": rate_ppb, "days_a_year": days_a_year}
    first, second, third = (loss_rate_ppb(terms, stage=stage, **rate) for stage in (1, 2, 3))

    assert 0 <= first <= second <= third <= PPB


@given(
    terms=terms_of(),
    days=st.lists(st.integers(-400, 2_000), min_size=1, max_size=6),
    stage=st.integers(1, 3),
    rate_ppb=st.integers(0, 400_000_000),
    days_a_year=st.sampled_from([360, 365]),
)
@settings(max_examples=60)
def test_rates_of_loss_found_together_agree_with_the_clause_read_aloud(
    terms, days, stage, rate_ppb, days_a_year
):
    asked = {"stage": stage, "annual_rate_ppb": rate_ppb, "days_a_year": days_a_year}

    assert loss_rates_ppb(terms, days, **asked) == {
        each: oracle.loss_rate_ppb(terms, days_to_due=each, **asked) for each in days
    }


@given(terms=terms_of(), split=st.integers(1, 99), rate_ppb=st.integers(0, 400_000_000))
@settings(max_examples=60)
def test_a_higher_rate_never_raises_the_loss(terms, split, rate_ppb):
    assume(rate_ppb)
    plan = [Exposure(split * 7, 10**12), Exposure(split * 20, 10**11)]
    asked = {"horizon_days": 3_000, "days_a_year": 360}

    assert expected_loss_minor(terms, plan, annual_rate_ppb=rate_ppb, **asked) <= (
        expected_loss_minor(terms, plan, annual_rate_ppb=0, **asked)
    )


@given(
    terms=terms_of(),
    plan=st.lists(st.tuples(st.integers(1, 200), st.integers(0, 10**9)), min_size=1, max_size=8),
    rate_ppb=st.integers(0, 400_000_000),
)
@settings(max_examples=60)
def test_instalments_lose_what_the_sum_over_periods_of_all_that_is_outstanding_does(
    terms, plan, rate_ppb
):
    """Equal where nothing is discounted; else a little less, since a part waits for its own day."""
    to_day, parts = terms.min_horizon_days - 1, []
    for days, amount_minor in plan:
        to_day += days
        parts.append(Exposure(to_day, amount_minor))
    outstanding = [
        Exposure(part.to_day, sum(each.amount_minor for each in parts[place:]))
        for place, part in enumerate(parts)
    ]
    asked = {"days_a_year": 360}

    def in_all(annual_rate_ppb):
        return (
            instalments_allowance_minor(
                terms, parts, stage=2, annual_rate_ppb=annual_rate_ppb, **asked
            ),
            expected_loss_minor(
                terms,
                outstanding,
                horizon_days=to_day,
                annual_rate_ppb=annual_rate_ppb,
                **asked,
            ),
        )

    # A part's rate is rounded to parts per billion: half a part of 10⁹ at most, eight times.
    bundle, whole = in_all(0)
    assert abs(bundle - whole) <= 5
    bundle, whole = in_all(rate_ppb)
    assert bundle <= whole + 5
