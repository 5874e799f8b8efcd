"""The preset repaid in instalments is offered, drawn, priced and repaid by the ordinary acts."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tallystick.book.acts.once import Caller
from tallystick.book.financing.draw_down import DrawRequest, draw_down
from tallystick.book.financing.models import Loan
from tallystick.book.financing.offers import offers, quote
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.dues import dues_of
from tallystick.book.servicing.loans import instalments_of
from tallystick.book.servicing.refold import refolded
from tallystick.book.servicing.settle import Receipt, settle
from tallystick.book.trade.record_documents import record_document
from tallystick.lab.stage import Stage, StageTerms, set_stage
from tallystick.rules.bank_answers import BankMessage
from tallystick.rules.loan_instalments import Paid
from tallystick.rules.trade_documents import TradeDocument

CALLER = Caller(owner="system", actor="tests", channel="internal")
DRAWN = date(2026, 1, 12)
FEBRUARY = date(2026, 2, 12)
LEVEL_MINOR = 20_818_33
"""Of 120,000.00 in six months: docs/products/instalment-credit/notes.md."""


@pytest.fixture
def stage(database) -> Stage:
    """A merchant to whom the platform owes 80,000.00 in each of three statements."""
    stage = set_stage(
        StageTerms("jd.jingxiaodai", "CNY", facility_limit_minor=10**9),
        suppliers=["SHOP"],
        start=DRAWN,
        end=DRAWN + timedelta(days=300),
        caller=CALLER,
    )
    for number in ("1", "2", "3"):
        record_document(
            TradeDocument(
                "statement",
                issuer="MALL",
                supplier="SHOP",
                obligor="MALL",
                number=number,
                issue_date=DRAWN,
                currency="CNY",
                amount_minor=8_000_000,
                due_date=DRAWN + timedelta(days=90),
            ),
            caller=CALLER,
            key=f"statement {number}",
            legal_entity_id=stage.legal_entity_id,
        )
    return stage


def drawn(stage: Stage) -> Loan:
    drawdown = draw_down(DrawRequest("F-SHOP", 12_000_000, 180, DRAWN, CALLER, "draw"))
    order = PaymentOrder.objects.get()
    take_answers(
        [BankMessage("B1", order.end_to_end_id, "paid", 12_000_000, "CNY", DRAWN)],
        legal_entity_id=stage.legal_entity_id,
        caller=CALLER,
        key="bank",
    )
    return Loan.objects.get(code=drawdown.loan)


def test_the_offer_says_what_is_available_and_the_quote_every_instalment_and_the_rate(stage):
    (offer,) = offers(["F-SHOP"])
    told = quote("F-SHOP", amount_minor=12_000_000, tenor_days=180)

    assert offer.available_minor == 21_600_000  # 90 % of what the platform has reconciled
    assert offer.repayment.in_instalments
    assert told.decision.granted
    assert [
        payment.principal_minor + payment.interest_minor for payment in told.price.payments
    ] == [
        *[LEVEL_MINOR] * 5,
        LEVEL_MINOR + 2,
    ]
    assert told.price.interest_minor == 4_910_00
    assert told.price.apr_percent_estimate == Decimal("14.93")


def test_a_settlement_pays_the_instalment_that_is_due_and_leaves_the_rest_to_the_merchant(stage):
    loan = drawn(stage)
    close_through(stage.legal_entity_id, FEBRUARY - timedelta(days=1))
    (due,) = dues_of([Loan.objects.get()], on=FEBRUARY)
    assert (due.due_date, due.total_minor) == (FEBRUARY, LEVEL_MINOR)

    settled = settle(
        Receipt("R1", "MALL", "CNY", 8_000_000, FEBRUARY, (("MALL:statement:1", 8_000_000),)),
        legal_entity_id=stage.legal_entity_id,
        caller=CALLER,
    )

    assert settled.to_loans_minor == LEVEL_MINOR
    assert settled.to_supplier_minor == 8_000_000 - LEVEL_MINOR
    paid = [row.paid for row in instalments_of(loan.code)]
    assert paid == [Paid.PAID] + [Paid.TO_COME] * 5
    assert list(refolded()) == []


def test_an_instalment_that_nobody_pays_is_late_from_the_next_day_on(stage):
    loan = drawn(stage)

    close_through(stage.legal_entity_id, FEBRUARY)

    late, *others = instalments_of(loan.code)
    assert (late.paid, late.unpaid_minor) == (Paid.LATE, LEVEL_MINOR)
    assert {row.paid for row in others} == {Paid.TO_COME}
    assert instalments_of(loan.code, on=FEBRUARY)[0].paid is Paid.DUE
    (due,) = dues_of([Loan.objects.get()], on=FEBRUARY + timedelta(days=1))
    assert (due.days_past_due, due.due_date) == (1, FEBRUARY)
    assert due.penalty_minor == 372  # 7 % of 19,391.48 for a night: 3.7189…
