"""The price of a draw: in money to its due date, and as a rate a year of all charges."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.daycount import DayCount
from tallystick.rules.loan import fold
from tallystick.rules.loan_events import EventKind, LoanEvent, rate_from_ppb
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.pricing import (
    NoTimeToCost,
    apr_percent_estimate,
    cost_per_day_minor,
    price_of,
)
from tallystick.rules.schedule import Method
from tallystick.rules.timevalue import CashFlow

START = date(2026, 3, 2)
TEN_PER_CENT_PPB = 100_000_000


@given(
    amount_minor=st.integers(1, 10**13),
    annual_rate_ppb=st.integers(0, 400_000_000),
    days=st.integers(1, 400),
    day_count=st.sampled_from([DayCount.ACT_360, DayCount.ACT_365F]),
)
def test_the_interest_quoted_is_what_the_loan_accrues_by_its_due_date(
    amount_minor, annual_rate_ppb, days, day_count
):
    due_date = START + timedelta(days=days)
    price = price_of(
        amount_minor,
        annual_rate_ppb=annual_rate_ppb,
        day_count=day_count,
        drawn_date=START,
        due_date=due_date,
    )
    terms = LoanTerms(
        currency="CNY",
        principal_minor=amount_minor,
        annual_rate=rate_from_ppb(annual_rate_ppb),
        day_count=day_count,
        method=Method.BULLET,
        start=START,
        maturity=due_date,
    )
    payout = LoanEvent(1, EventKind.DISBURSED, START, START, amount_minor, None, None)
    owed = fold(terms, [payout], on=due_date, known_on=due_date).balances
    assert price.interest_minor == owed.interest_due_minor
    assert price.total_minor == owed.owed_minor


def test_a_year_of_ten_per_cent_simple_is_ten_per_cent_a_year():
    price = price_of(
        1_000_000_00,
        annual_rate_ppb=TEN_PER_CENT_PPB,
        day_count=DayCount.ACT_365F,
        drawn_date=START,
        due_date=START + timedelta(days=365),
    )
    assert price.apr_percent_estimate == Decimal("10.00")


def test_the_rate_of_all_charges_compounds_what_is_paid_within_a_year():
    """A fifth of a year at 10 % simple costs 2 %; five times in a year is 1.02⁵ − 1 = 10.408 %."""
    price = price_of(
        1_000_000_00,
        annual_rate_ppb=TEN_PER_CENT_PPB,
        day_count=DayCount.ACT_365F,
        drawn_date=START,
        due_date=START + timedelta(days=73),
    )
    assert price.apr_percent_estimate == Decimal("10.41")


def test_fees_count_in_the_rate_of_all_charges():
    """100 received and 106 paid a year later is 6 % a year."""
    price = price_of(
        100_00,
        annual_rate_ppb=0,
        day_count=DayCount.ACT_365F,
        drawn_date=START,
        due_date=START + timedelta(days=365),
        fees_minor=6_00,
    )
    assert price.total_minor == 106_00
    assert price.apr_percent_estimate == Decimal("6.00")


def test_what_is_due_at_once_has_no_price():
    with pytest.raises(NoTimeToCost):
        price_of(
            100,
            annual_rate_ppb=TEN_PER_CENT_PPB,
            day_count=DayCount.ACT_360,
            drawn_date=START,
            due_date=START,
        )


def test_a_day_of_a_hundred_thousand_at_ten_per_cent_costs_a_360th_of_the_year():
    # 100,000.00 × 10 % / 360 = 27.777…, rounded half-up.
    assert (
        cost_per_day_minor(100_000_00, annual_rate_ppb=TEN_PER_CENT_PPB, day_count=DayCount.ACT_360)
        == 27_78
    )


@pytest.mark.parametrize(
    ("received", "payments", "apr_percent"),
    [
        # Directive 98/7/EC, annex II (a year of 365 days): examples 1 and 2 and 3.
        pytest.param(1_000_00, [(547, 1_200_00)], "12.94", id="1,200 after a year and a half"),
        pytest.param(950_00, [(547, 1_200_00)], "16.87", id="of 1,000, 50 kept back as expenses"),
        pytest.param(
            1_000_00, [(365, 600_00), (730, 600_00)], "13.07", id="600 after one and two years"
        ),
    ],
)
def test_the_rate_of_all_charges_of_the_directives_examples(received, payments, apr_percent):
    """The directive gives 12.96 %, 16.9 % and 13.07 %: of the first two within a day's rounding."""
    flows = [CashFlow(START, received)]
    flows += [CashFlow(START + timedelta(days=days), -amount) for days, amount in payments]

    assert apr_percent_estimate(flows) == Decimal(apr_percent)


def test_what_is_only_received_has_no_rate():
    assert apr_percent_estimate([CashFlow(START, 100)]) is None
