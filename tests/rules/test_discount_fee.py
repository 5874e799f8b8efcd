"""A fixed fee earned at the effective rate, held to the tables of Fineract's working-capital loan.

Figures: apache/fineract, fineract-e2e-tests-runner/src/test/resources/features,
WorkingCapitalAmortizationSchedule.feature (commit 00f9a45) and
WorkingCapitalAmortizationScheduleMatrixPt1/Pt2.feature. Its running totals are rounded half-even.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.discount_fee import MAX_PAYMENTS, FeePlan, NoRepaymentPlan, fee_plan
from tallystick.rules.money import Rounding

ADVANCE = fee_plan(balance_minor=900_000, fee_minor=100_000, daily_minor=5_000)
"""9,000.00 paid out for 10,000.00; 18 % of 100,000.00 a year of 360 days is 50.00 a day."""


def left_after(plan: FeePlan, cash_minor: int) -> tuple[int, int]:
    """Balance without the unearned fee, and the fee left to earn, once so much has been paid."""
    fee_left_minor = plan.fee_minor - plan.earned_minor(cash_minor, Rounding.HALF_EVEN)
    return plan.payable_minor - cash_minor - fee_left_minor, fee_left_minor


def test_the_effective_rate_of_fineracts_advance():
    assert ADVANCE.rate.quantize(Decimal("1e-13")) == Decimal("0.0010678144878")
    assert ADVANCE.payments == 200


@pytest.mark.parametrize(
    ("payments", "balance_minor", "fee_left_minor"),
    [
        (1, 895_961, 99_039),
        (2, 891_918, 98_082),
        (3, 887_870, 97_130),
        (11, 855_333, 89_667),
        (12, 851_247, 88_753),
        (28, 785_263, 74_737),
        (29, 781_102, 73_898),
        (43, 722_372, 62_628),
        (62, 641_251, 48_749),
        (63, 636_936, 48_064),
        (183, 84_189, 811),
        (199, 4_995, 5),
        (200, 0, 0),
    ],
)
def test_fineracts_advance_paid_as_expected(payments, balance_minor, fee_left_minor):
    assert left_after(ADVANCE, payments * 5_000) == (balance_minor, fee_left_minor)


@pytest.mark.parametrize(
    ("cash_minor", "balance_minor", "fee_left_minor"),
    [
        pytest.param(2_500, 897_981, 99_519, id="half a payment earns half of its fee"),
        pytest.param(123_400, 799_047, 77_553, id="one large payment: C102492"),
        pytest.param(128_400, 794_901, 76_699, id="and the expected one after it"),
        pytest.param(1_000_000, 0, 0, id="everything on the first day: C102494"),
    ],
)
def test_fineracts_advance_paid_otherwise(cash_minor, balance_minor, fee_left_minor):
    assert left_after(ADVANCE, cash_minor) == (balance_minor, fee_left_minor)


@pytest.mark.parametrize(
    ("plan", "payments", "paid_and_left"),
    [
        pytest.param(
            fee_plan(balance_minor=900_000, fee_minor=100_000, daily_minor=4_932),
            203,
            [(4_932, 896_016, 99_052), (9_864, 892_028, 98_108), (1_000_000, 0, 0)],
            id="a year of 365 days, the last payment 37.36: C102482",
        ),
        pytest.param(
            fee_plan(balance_minor=900_000, fee_minor=50_000, daily_minor=5_000),
            190,
            [(5_000, 895_514, 49_486), (10_000, 891_026, 48_974), (950_000, 0, 0)],
            id="half the fee: C102491",
        ),
        pytest.param(
            fee_plan(balance_minor=900_000, fee_minor=100_000, daily_minor=4_722),
            212,
            [(4_722, 896_186, 99_092), (9_444, 892_368, 98_188), (211 * 4_722, 3_654, 4)],
            id="17 % of sales, the last payment 36.58: C102495",
        ),
        pytest.param(
            fee_plan(balance_minor=9_000_000, fee_minor=1_000_000, daily_minor=46_575),
            215,
            [(9_907_994, 91_861, 145), (9_953_994, 45_951, 55), (9_999_994, 6, 0)],
            id="three decimals, nearly all paid at once: C102500",
        ),
        pytest.param(
            fee_plan(balance_minor=1_000_000, fee_minor=0, daily_minor=5_002),
            200,
            [(5_002, 994_998, 0), (10_004, 989_996, 0), (199 * 5_002, 4_602, 0)],
            id="no fee: C102499",
        ),
    ],
)
def test_fineracts_other_advances(plan, payments, paid_and_left):
    assert plan.payments == payments
    for cash_minor, balance_minor, fee_left_minor in paid_and_left:
        assert left_after(plan, cash_minor) == (balance_minor, fee_left_minor)


@pytest.mark.parametrize(
    ("balance_minor", "fee_minor", "daily_minor"),
    [
        pytest.param(0, 100, 10, id="nothing outstanding"),
        pytest.param(1_000, -1, 10, id="a negative fee"),
        pytest.param(1_000, 100, 0, id="no payment expected"),
        pytest.param(10_000, 1, 1, id="ten thousand payments"),
    ],
)
def test_amounts_that_make_no_plan_are_refused(balance_minor, fee_minor, daily_minor):
    with pytest.raises(NoRepaymentPlan, match="cannot be repaid"):
        fee_plan(balance_minor=balance_minor, fee_minor=fee_minor, daily_minor=daily_minor)


@st.composite
def plans(draw) -> FeePlan:
    balance_minor = draw(st.integers(1, 10**12))
    fee_minor = draw(st.integers(0, balance_minor))
    lowest = -(-(balance_minor + fee_minor) // MAX_PAYMENTS)
    daily_minor = draw(st.integers(lowest, balance_minor + fee_minor))
    return fee_plan(balance_minor=balance_minor, fee_minor=fee_minor, daily_minor=daily_minor)


@given(plan=plans(), data=st.data())
def test_the_fee_earned_grows_with_the_cash_and_ends_at_the_fee(plan, data):
    sums = sorted(data.draw(st.lists(st.integers(0, plan.payable_minor), max_size=6)))
    earned_minor = [plan.earned_minor(cash, Rounding.HALF_UP) for cash in (0, *sums)]

    assert earned_minor[0] == 0
    assert earned_minor == sorted(earned_minor)
    assert earned_minor[-1] <= plan.fee_minor
    assert plan.earned_minor(plan.payable_minor, Rounding.HALF_UP) == plan.fee_minor


@given(plan=plans())
def test_the_payments_discounted_at_the_effective_rate_are_worth_what_was_paid_out(plan):
    last_minor = plan.payable_minor - (plan.payments - 1) * plan.daily_minor
    # In fractions of a term, where the rate's last decimal is too small to be seen.
    worth = (
        sum(Decimal(plan.daily_minor) / (1 + plan.rate) ** k for k in range(1, plan.payments))
        + Decimal(last_minor) / (1 + plan.rate) ** plan.payments
    )

    assert abs(worth - plan.balance_minor) < Decimal("0.001")
