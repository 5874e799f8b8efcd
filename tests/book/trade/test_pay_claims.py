"""Cash meets claims, and leaves them again."""

import pytest
from tests.book.trade.market import Market, amounts, claim_id, day, paper

from tallystick.book.collateral.models import Pool
from tallystick.book.trade.checks import trade_checks
from tallystick.book.trade.models import Claim
from tallystick.book.trade.pay_claims import (
    ClaimPayment,
    NotPaidThatMuch,
    pay_claims,
)
from tallystick.book.trade.reductions import UnknownClaim


@pytest.fixture
def market(database) -> Market:
    return Market.opened()


INVOICE = paper("invoice", "INV-1", 100)
INV_1 = "ACME:invoice:INV-1"


def status(code: str) -> str:
    return Claim.objects.get(code=code).status


def nothing_wrong() -> bool:
    return [finding for check in trade_checks() for finding in check.run()] == []


def test_a_claim_is_paid_up_to_its_outstanding_and_closed_with_it(market):
    market.records(INVOICE)

    assert market.pays(INV_1, 30) == 0
    assert status(INV_1) == "open"
    assert market.pays(INV_1, 90) == 20
    assert status(INV_1) == "closed"
    assert amounts() == {"INV-1": (100, 100, 0)}


def test_lines_that_name_one_claim_are_paid_one_after_the_other(market):
    market.records(INVOICE)
    with market.act() as act:
        excess_minor = pay_claims(
            [ClaimPayment(claim_id(INV_1), minor) for minor in (60, 60, 10)],
            value_date=day(0),
            booking_date=day(0),
            act_id=act.act_id,
        )

    assert excess_minor == [0, 20, 10]


def test_paying_a_claim_changes_its_pools_version(market):
    pool_id = market.pool()
    market.records(INVOICE)
    before = Pool.objects.get(pk=pool_id).version

    market.pays(INV_1, 30)

    assert Pool.objects.get(pk=pool_id).version > before


def test_an_unknown_claim_is_refused(market):
    with pytest.raises(UnknownClaim), market.act() as act:
        pay_claims([ClaimPayment(77, 1)], value_date=day(0), booking_date=day(0), act_id=act.act_id)


def test_a_payment_taken_back_has_never_been(market):
    market.records(INVOICE)
    market.pays(INV_1, 100, on=1)
    market.takes_back(INV_1, 100, on=1)

    assert amounts() == {"INV-1": (100, 0, 0)}
    assert status(INV_1) == "open"


@pytest.mark.parametrize(
    ("amount_minor", "on"),
    [
        pytest.param(31, 1, id="more than was paid"),
        pytest.param(30, 2, id="with another value date"),
    ],
)
def test_no_more_is_taken_back_than_was_paid_that_day(market, amount_minor, on):
    market.records(INVOICE)
    market.pays(INV_1, 30, on=1)

    with pytest.raises(NotPaidThatMuch):
        market.takes_back(INV_1, amount_minor, on=on)

    assert amounts() == {"INV-1": (100, 30, 0)}


def test_a_prepayment_of_an_order_moves_along_with_the_goods(market):
    market.records(paper("order", "PO-1", 100))
    market.pays("MALL:order:PO-1", 50)
    market.records(paper("receipt", "GR-1", 70, of="order:PO-1", on=3))
    market.records(paper("invoice", "INV-1", 70, of="receipt:GR-1", on=4))

    assert amounts() == {"PO-1": (30, 30, 0), "GR-1": (0, 0, 0), "INV-1": (70, 20, 0)}
    assert nothing_wrong()


def test_a_payment_dated_before_a_later_document_moves_along_too(market):
    market.records(
        paper("order", "PO-1", 100),
        paper("receipt", "GR-1", 100, of="order:PO-1", on=1),
        paper("invoice", "INV-1", 60, of="receipt:GR-1", on=5),
    )
    market.pays("MALL:receipt:GR-1", 40, on=2)

    assert amounts() == {"PO-1": (0, 0, 0), "GR-1": (40, 40, 0), "INV-1": (60, 0, 0)}
    assert nothing_wrong()


def test_a_prepayment_that_moved_along_can_be_taken_back(market):
    market.records(paper("order", "PO-1", 100))
    market.pays("MALL:order:PO-1", 80)
    market.records(paper("receipt", "GR-1", 70, of="order:PO-1", on=3))
    assert amounts() == {"PO-1": (30, 30, 0), "GR-1": (70, 50, 0)}

    market.takes_back("MALL:order:PO-1", 80)

    assert amounts() == {"PO-1": (30, 0, 0), "GR-1": (70, 0, 0)}
    assert nothing_wrong()
