"""The time value of money: spreadsheet functions, and what they owe each other."""

from datetime import date
from decimal import Decimal

import pytest
import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.daycount import DayCount
from tallystick.rules.timevalue import (
    CashFlow,
    DayCountHasNoReturns,
    NoValue,
    PeriodOutsideLife,
    annual_cost_estimate,
    future_value,
    interest_payment,
    irr_estimate,
    mirr_estimate,
    nper_estimate,
    npv_estimate,
    payment,
    present_value,
    principal_payment,
    rate_estimate,
    xfv_estimate,
    xirr_estimate,
    xnfv_estimate,
    xnpv_estimate,
)

CENT = Decimal("0.01")

rates = st.decimals(min_value=0, max_value=Decimal("0.5"), places=4)
amounts = st.decimals(min_value=1, max_value=10**7, places=2)
periods = st.integers(1, 120).map(Decimal)

# The worked example that spreadsheets print in the help of XIRR and XNPV.
INVESTMENT = [
    CashFlow(date(2008, 1, 1), -10_000),
    CashFlow(date(2008, 3, 1), 2_750),
    CashFlow(date(2008, 10, 30), 4_250),
    CashFlow(date(2009, 2, 15), 3_250),
    CashFlow(date(2009, 4, 1), 2_750),
]


class TestEqualPayments:
    """FV, PV, PMT, IPMT and PPMT, exact to fifty digits."""

    def test_the_instalment_of_a_thirty_year_loan(self):
        level = payment(Decimal("0.049") / 12, Decimal(360), Decimal(1_000_000))

        assert level.quantize(CENT) == Decimal("-5307.27")

    def test_a_loan_without_interest_is_divided(self):
        assert payment(Decimal(0), Decimal(60), Decimal(15_000)) == -250

    @given(rate=rates, n=periods, present=amounts, at_beginning=st.booleans())
    def test_the_payment_leaves_nothing_at_the_end(self, rate, n, present, at_beginning):
        level = payment(rate, n, present, at_beginning=at_beginning)

        left = future_value(rate, n, level, present, at_beginning=at_beginning)
        worth = present_value(rate, n, level, at_beginning=at_beginning)
        assert abs(left) < Decimal("1e-15")
        assert abs(worth - present) < Decimal("1e-15")

    @settings(max_examples=40)
    @given(rate=rates, n=periods, present=amounts, at_beginning=st.booleans())
    def test_the_principal_in_all_payments_is_the_loan(self, rate, n, present, at_beginning):
        terms = {"at_beginning": at_beginning}
        level = payment(rate, n, present, **terms)
        split = [
            (
                interest_payment(rate, k, n, present, **terms),
                principal_payment(rate, k, n, present, **terms),
            )
            for k in range(1, int(n) + 1)
        ]

        assert abs(sum(principal for _, principal in split) + present) < Decimal("1e-15")
        assert all(
            abs(interest + principal - level) < Decimal("1e-15") for interest, principal in split
        )

    @given(
        rate=rates,
        n=periods,
        present=amounts,
        future=amounts,
        k=st.integers(1, 120),
        at_beginning=st.booleans(),
    )
    def test_an_independent_implementation_agrees(self, rate, n, present, future, k, at_beginning):
        k = min(k, int(n))
        ours = interest_payment(rate, k, n, present, future, at_beginning=at_beginning)

        theirs = pyxirr.ipmt(
            float(rate), k, int(n), float(present), float(future), pmt_at_beginning=at_beginning
        )
        assert float(ours) == pytest.approx(theirs, rel=1e-6, abs=1e-4)

    def test_a_payment_outside_the_life_is_refused(self):
        with pytest.raises(PeriodOutsideLife, match="Ask for 1 to 12"):
            interest_payment(Decimal("0.01"), 13, Decimal(12), Decimal(100))

    @pytest.mark.parametrize(
        ("rate", "n"), [("-1", "12"), ("-2", "12"), ("0.1", "0"), ("9", "1e9")]
    )
    def test_what_has_no_finite_value_is_refused(self, rate, n):
        with pytest.raises(NoValue):
            payment(Decimal(rate), Decimal(n), Decimal(100))


class TestReturns:
    """Rates of return are estimates; None says that there is none."""

    def test_the_worked_example_of_spreadsheets(self):
        assert xirr_estimate(INVESTMENT) == pytest.approx(0.373362535, abs=1e-8)
        assert xnpv_estimate(Decimal("0.09"), INVESTMENT) == pytest.approx(2086.647602, abs=1e-6)

    def test_the_order_of_cash_flows_does_not_matter(self):
        assert xirr_estimate(INVESTMENT[::-1]) == pytest.approx(0.373362535, abs=1e-8)

    def test_net_future_value_is_net_present_value_carried_forward(self):
        days = (INVESTMENT[-1].date - INVESTMENT[0].date).days

        carried = xnpv_estimate(0.09, INVESTMENT) * 1.09 ** (days / 365)
        assert xnfv_estimate(0.09, INVESTMENT) == pytest.approx(carried, rel=1e-12)

    def test_a_year_at_ten_per_cent_of_an_act_360_year_costs_more_than_ten(self):
        flows = [CashFlow(date(2025, 1, 1), -100), CashFlow(date(2026, 1, 1), 110)]

        assert xirr_estimate(flows) == pytest.approx(0.10, abs=1e-12)
        assert xirr_estimate(flows, DayCount.ACT_360) == pytest.approx(
            1.10 ** (360 / 365) - 1, abs=1e-12
        )

    def test_the_annual_cost_of_a_loan_includes_its_charges(self):
        repaid = CashFlow(date(2026, 1, 1), -110)
        without_charge = [CashFlow(date(2025, 1, 1), 100), repaid]
        charge_kept_back = [CashFlow(date(2025, 1, 1), 98), repaid]

        assert annual_cost_estimate(without_charge) == pytest.approx(0.10, abs=1e-12)
        assert annual_cost_estimate(charge_kept_back) == pytest.approx(110 / 98 - 1, abs=1e-12)

    def test_periodic_returns(self):
        assert irr_estimate([-100, 0, 0, 74]) == pytest.approx(0.74 ** (1 / 3) - 1, abs=1e-12)
        assert npv_estimate(0.1, [-100, 110]) == pytest.approx(0, abs=1e-12)
        assert npv_estimate(0.1, [-100, 110], first_is_now=False) == pytest.approx(0, abs=1e-12)
        assert mirr_estimate(
            [-100, 60, 60], finance_rate=0.1, reinvestment_rate=0.2
        ) == pytest.approx(1.32**0.5 - 1, abs=1e-12)

    def test_the_rate_and_the_number_of_payments_solve_the_same_equation(self):
        level = payment(Decimal("0.01"), Decimal(24), Decimal(1000))

        assert rate_estimate(24, level, 1000) == pytest.approx(0.01, abs=1e-12)
        assert nper_estimate(0.01, level, 1000) == pytest.approx(24, abs=1e-9)

    def test_an_amount_is_carried_along_a_curve_of_two_points(self):
        start, middle, end = date(2025, 1, 1), date(2025, 7, 2), date(2026, 1, 1)
        half_a_year = (middle - start).days / 365

        carried = xfv_estimate(
            CashFlow(middle, 100), start=start, end=end, rate_to_date=0.04, rate_to_end=0.05
        )

        assert carried == pytest.approx(100 * 1.05 / 1.04**half_a_year, rel=1e-12)

    @pytest.mark.parametrize(
        "estimate",
        [
            pytest.param(lambda: irr_estimate([-1, -2, -3]), id="all paid out"),
            pytest.param(lambda: irr_estimate([]), id="nothing at all"),
            pytest.param(
                lambda: xirr_estimate(
                    [CashFlow(date(2026, 1, 1), -1), CashFlow(date(2026, 1, 1), 2)]
                ),
                id="on one single day",
            ),
            pytest.param(
                lambda: annual_cost_estimate([CashFlow(date(2026, 1, 1), 1)]), id="never repaid"
            ),
            pytest.param(
                lambda: mirr_estimate([1, 2], finance_rate=0.1, reinvestment_rate=0.1),
                id="no loss to finance",
            ),
            pytest.param(lambda: rate_estimate(2, 0, -13.65, -329.67), id="no such growth"),
            pytest.param(lambda: nper_estimate(0.5, -10, 100), id="interest is never covered"),
            pytest.param(lambda: xnpv_estimate(-1, INVESTMENT), id="everything is lost"),
        ],
    )
    def test_where_there_is_no_solution_none_is_given(self, estimate):
        assert estimate() is None

    def test_nothing_is_worth_nothing(self):
        assert xnpv_estimate(0.1, []) == 0
        assert xnfv_estimate(0.1, []) == 0

    def test_a_day_count_without_returns_is_refused(self):
        with pytest.raises(DayCountHasNoReturns, match="Use one of: ACT/360"):
            xirr_estimate(INVESTMENT, DayCount.ACT_ACT_ICMA)
