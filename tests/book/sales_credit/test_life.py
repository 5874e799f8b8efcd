"""An advance out of sales, from the line to the last share: what is decided, booked and proved."""

import pytest
from tests.book.sales_credit import scene as scenes
from tests.book.sales_credit.scene import CALLER, DAILY, DAY, START
from tests.book.servicing.books import findings, net_minor

from tallystick.book.financing.models import ProgrammeLimit
from tallystick.book.funding.models import FundingLine
from tallystick.book.ledger.models import Entry
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.sales_credit.draw import AdvanceRefused, offer_of
from tallystick.book.sales_credit.models import Advance, SalesDecision, SalesLine
from tallystick.book.sales_credit.open_line import SalesGiveNoLimit
from tallystick.book.sales_credit.repay import repay_advance
from tallystick.book.servicing.close import close_through


@pytest.fixture
def scene(database):
    scene = scenes.opened()
    scenes.has_sold_for_three_months(scene)
    return scene


def test_a_line_gets_the_limit_that_settled_sales_give_and_keeps_why(scene):
    line = scenes.a_line(scene)

    # Thirteen weeks of 77,000.00 are 1,001,000.00, of which 30 % may be advanced.
    assert line.limit_minor == 30_030_000
    decision = SalesDecision.objects.get(kind="limit")
    assert decision.inputs["sales"]["settled_minor"] == 100_100_000
    assert decision.inputs["sales"]["documents"] == 13
    assert [verdict["passed"] for verdict in decision.verdicts] == [True, True]
    assert findings() == []


def test_a_merchant_without_a_history_of_sales_gets_no_line(scene):
    scenes.sold(scene, "NEW", 1_000_000)

    with pytest.raises(SalesGiveNoLimit, match="first settled on 2026-03-02: 0 days"):
        scenes.a_line(scene, merchant="NEW")
    assert not SalesLine.objects.exists()


def test_an_advance_is_granted_with_its_fee_committed_and_ordered(scene):
    scenes.a_line(scene)

    granted = scenes.asked(20_000_000)

    # 5 % of 200,000.00; sales of 4,004,000.00 a year bring 10 %, 1,112.22 a day, in 189 days.
    assert (granted.fee_minor, granted.share_bps) == (1_000_000, 1_000)
    assert granted.expected_end_date == START + 189 * DAY
    assert net_minor(scene, "committed_drawdowns") == 20_000_000
    assert SalesLine.objects.get().drawn_minor == 20_000_000
    assert ProgrammeLimit.objects.get().drawn_minor == 20_000_000
    assert FundingLine.objects.get().drawn_minor == 20_000_000
    order = PaymentOrder.objects.get()
    assert (order.kind, order.amount_minor, order.status) == ("payout", 20_000_000, "ordered")
    decision = SalesDecision.objects.get(kind="draw")
    assert all(verdict["passed"] for verdict in decision.verdicts)
    assert findings() == []


def test_what_was_paid_out_is_principal_and_a_fee_to_be_earned(scene):
    scenes.a_line(scene)
    code = scenes.paid_out(scene, 20_000_000)

    assert scenes.status_of(code) == "live"
    assert net_minor(scene, "committed_drawdowns") == 0
    assert net_minor(scene, "advance_principal") == 20_000_000
    assert net_minor(scene, "advance_fee_receivable") == 1_000_000
    assert net_minor(scene, "deferred_advance_fee") == -1_000_000
    assert findings() == []


def test_a_payout_that_the_bank_rejects_frees_the_limits(scene):
    scenes.a_line(scene)
    granted = scenes.asked(20_000_000)

    scenes.bank_says(scene, granted, "rejected")

    assert scenes.status_of(granted.advance) == "rejected"
    assert SalesLine.objects.get().drawn_minor == 0
    assert FundingLine.objects.get().drawn_minor == 0
    assert findings() == []
    assert scenes.asked(20_000_000).advance != granted.advance


@pytest.mark.parametrize(
    ("amount_minor", "why"),
    [
        pytest.param(30_030_001, "30030000 is available", id="more than the limit"),
        pytest.param(99_999, "the smallest draw is 100000", id="less than the smallest draw"),
        pytest.param(10_000_000, "in 95 days", id="repaid faster than its fee allows"),
    ],
)
def test_what_the_terms_do_not_allow_is_refused_and_nothing_written(scene, amount_minor, why):
    scenes.a_line(scene)

    with pytest.raises(AdvanceRefused, match=why):
        scenes.asked(amount_minor)
    assert not Advance.objects.exists()
    assert findings() == []


def test_one_share_of_sales_serves_one_advance_at_a_time(scene):
    scenes.a_line(scene)
    scenes.asked(20_000_000)

    with pytest.raises(AdvanceRefused, match="1 advances of the line are not repaid"):
        scenes.asked(200_000)


def test_a_share_of_each_settlement_repays_before_the_rest_is_paid_out(scene):
    scenes.a_line(scene)
    code = scenes.paid_out(scene, 20_000_000)

    settled = scenes.sells_and_is_settled(scene, 7_700_000)

    assert settled.to_advances_minor == 770_000
    assert settled.to_supplier_minor == 6_930_000
    assert PaymentOrder.objects.get(kind="residual").amount_minor == 6_930_000
    state = scenes.state_of(code, on=START)
    assert state.collected_minor == 770_000
    assert net_minor(scene, "advance_principal") == state.principal_minor
    assert net_minor(scene, "advance_fee_receivable") == state.fee_left_minor
    assert SalesLine.objects.get().drawn_minor == state.principal_minor
    assert findings() == []


def test_a_settlement_in_parts_brings_the_same_as_the_whole(scene):
    scenes.a_line(scene)
    code = scenes.paid_out(scene, 20_000_000)
    claim = scenes.sold(scene, "M1", 1_000_005)

    kept = [scenes.settled(scene, claim, part).to_advances_minor for part in (3, 4, 999_998)]

    # 10 % of 0.03, then of 0.07 and of 10,000.05, half a cent up.
    assert kept == [0, 1, 100_000]
    assert scenes.state_of(code, on=START).collected_minor == 100_001
    assert findings() == []


def test_the_night_books_what_cash_has_earned_of_the_fee(scene):
    scenes.a_line(scene)
    code = scenes.paid_out(scene, 20_000_000)
    scenes.sells_and_is_settled(scene, 7_700_000)

    (closed,) = close_through(scene.legal_entity_id, START)

    earned_minor = scenes.state_of(code, on=START).fee_earned_minor
    assert 0 < earned_minor < 1_000_000
    assert closed.figures["sales"]["earned_minor"] == {"CNY": earned_minor}
    assert net_minor(scene, "advance_fee_income") == -earned_minor
    assert net_minor(scene, "deferred_advance_fee") == earned_minor - 1_000_000
    assert findings() == []


def test_a_daily_rate_earns_every_night_on_what_is_left_of_the_principal(scene):
    scenes.a_line(scene, programme=DAILY)
    code = scenes.paid_out(scene, 20_000_000)

    close_through(scene.legal_entity_id, START + 9 * DAY)

    # 0.05 % of 200,000.00 a day.
    assert net_minor(scene, "advance_fee_income") == -100_000
    assert net_minor(scene, "advance_fee_receivable") == 100_000
    settled = scenes.sells_and_is_settled(scene, 7_700_000)
    # 15 % of 77,000.00 pay ten days of interest first, then principal.
    assert [(line.bucket, line.amount_minor) for line in settled.lines if line.advance] == [
        ("fee", 100_000),
        ("principal", 1_055_000),
    ]
    close_through(scene.legal_entity_id, scene.today)
    assert net_minor(scene, "advance_principal") == 18_945_000
    assert net_minor(scene, "advance_fee_receivable") == 9_473  # half a cent up
    assert scenes.state_of(code, on=scene.today).fee_minor == 109_473
    assert findings() == []


def test_the_last_settlement_keeps_no_more_than_is_owed(scene):
    scenes.a_line(scene)
    code = scenes.paid_out(scene, 20_000_000)
    repay_advance(code, 20_900_000, value_date=None, caller=CALLER, key="most")

    settled = scenes.sells_and_is_settled(scene, 7_700_000)

    assert settled.to_advances_minor == 100_000
    assert scenes.status_of(code) == "settled"
    close_through(scene.legal_entity_id, START)
    assert net_minor(scene, "advance_fee_income") == -1_000_000
    assert net_minor(scene, "advance_principal") == 0
    assert SalesLine.objects.get().drawn_minor == 0
    assert scenes.sells_and_is_settled(scene, 7_700_000).to_advances_minor == 0
    assert findings() == []


def test_what_is_paid_above_what_is_owed_is_the_merchants_credit(scene):
    scenes.a_line(scene)
    code = scenes.paid_out(scene, 20_000_000)

    paid = repay_advance(code, 21_500_000, value_date=None, caller=CALLER, key="all")

    assert paid.to_advances_minor == 21_000_000
    assert net_minor(scene, "supplier_credit") == -500_000
    assert repay_advance(code, 21_500_000, value_date=None, caller=CALLER, key="all") == paid
    assert findings() == []


def test_repeating_a_request_is_answered_as_the_first_time(scene):
    from tallystick.book.sales_credit.draw import draw_advance

    scenes.a_line(scene)
    first = draw_advance("SL-1", 20_000_000, caller=CALLER, key="k")
    again = draw_advance("SL-1", 20_000_000, caller=CALLER, key="k")

    assert again == first
    assert again.repeated
    assert Entry.objects.filter(event="drawdown_committed").count() == 1


def test_an_offer_says_what_an_advance_would_cost_in_all(scene):
    scenes.a_line(scene)

    offer = offer_of("SL-1", 20_000_000)

    assert (offer.charges_minor, offer.expected_days) == (1_000_000, 189)
    # A fee of 5 % on money that comes back evenly over 189 days, 95 days on average.
    assert 20 < offer.apr_percent < 24
