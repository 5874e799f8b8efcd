"""A programme's arrangement fee: told before the draw, charged when the bank has paid."""

import pytest
from tests.book.financing.market import MILLION, OPERATOR, TODAY, Market, open_market
from tests.book.servicing.scene import programme

from tallystick.book.financing.checks import financing_checks
from tallystick.book.financing.draw_down import draw_down
from tallystick.book.financing.models import Loan
from tallystick.book.financing.offers import offers, quote
from tallystick.book.ledger.models import Posting
from tallystick.book.payments.bank_answers import BankMessage, take_answers
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.servicing.checks import servicing_checks
from tallystick.book.servicing.dues import dues_of
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.reverse_event import reverse_event

FEE_MINOR = 3 * MILLION // 200
"""Fifty basis points of three million."""


@pytest.fixture
def market(database: object) -> Market:
    market = open_market()
    market.facility("F1", programme=programme(fees={"arrangement_bps": 50, "late_minor": 5_000}))
    return market


def answer(market: Market, outcome: str, *loans: str) -> None:
    messages = []
    for loan in loans:
        order = PaymentOrder.objects.get(loan__code=loan)
        messages.append(
            BankMessage(
                f"BK-{loan}",
                order.end_to_end_id,
                outcome,
                order.amount_minor,
                "CNY",
                TODAY,
                "" if outcome == "paid" else "account closed",
            )
        )
    take_answers(messages, legal_entity_id=market.entity.pk, caller=OPERATOR, key=f"{loans}")


def findings() -> list[object]:
    checks = (*financing_checks(), *servicing_checks())
    return [finding for check in checks for finding in check.run()]


def test_the_offer_tells_it_in_money_and_in_the_rate_of_all_charges(market):
    price = quote("F1", amount_minor=3 * MILLION, tenor_days=30).price

    # 30 days at 10 % on a year of 360 days are 2,500,000; with the fee, 4,000,000 on 300 million.
    assert (price.interest_minor, price.fees_minor) == (2_500_000, FEE_MINOR)
    assert price.total_minor == 3 * MILLION + 4_000_000
    assert float(price.apr_percent_estimate) == pytest.approx(
        ((304 / 300) ** (365 / price.days) - 1) * 100, abs=0.005
    )
    assert offers(["F1"])[0].fees.late_minor == 5_000


def test_it_is_charged_with_the_payout_which_is_whole(market):
    loan = draw_down(market.request("F1", 3 * MILLION)).loan
    (expected,) = dues_of(list(Loan.objects.filter(code=loan)), on=TODAY)

    answer(market, "paid", loan)

    owed = loan_on(loan).state.balances
    assert expected.fees_minor == owed.fees_due_minor == FEE_MINOR
    assert PaymentOrder.objects.get(loan__code=loan).amount_minor == 3 * MILLION
    assert owed.disbursed_minor == owed.principal_minor == 3 * MILLION
    (income,) = Posting.objects.filter(account__name="fee_income")
    assert (income.side, income.amount_minor) == (-1, FEE_MINOR)
    assert findings() == []


def test_a_payout_that_the_bank_turns_down_costs_nothing(market):
    loan = draw_down(market.request("F1", 3 * MILLION)).loan

    answer(market, "rejected", loan)

    assert not LoanEvent.objects.filter(kind="fee_charged").exists()
    assert findings() == []


def test_of_two_loans_paid_out_by_one_message_each_fee_can_be_taken_back_by_itself(market):
    loans = [draw_down(market.request("F1", 3 * MILLION)).loan for _ in range(2)]
    answer(market, "paid", *loans)
    first = LoanEvent.objects.get(loan__code=loans[0], kind="fee_charged")

    reverse_event(loans[0], first.pk, caller=OPERATOR, key="waived by the desk")

    assert [loan_on(loan).state.balances.fees_due_minor for loan in loans] == [0, FEE_MINOR]
    assert findings() == []
