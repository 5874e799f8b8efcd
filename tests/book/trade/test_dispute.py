"""Disputes: nothing is lent against a claim that its obligor contests."""

import pytest
from tests.book.trade.market import CALLER, Market, paper

from tallystick.book.collateral.models import Pool
from tallystick.book.trade.checks import trade_checks
from tallystick.book.trade.dispute import ReasonMissing, dispute_claims, resolve_disputes
from tallystick.book.trade.models import Claim
from tallystick.book.trade.reductions import UnknownClaim

INV_1 = "ACME:invoice:INV-1"


@pytest.fixture
def market(database) -> Market:
    market = Market.opened()
    market.pool()
    market.records(paper("invoice", "INV-1", 100))
    return market


def ask(market: Market, key: str) -> dict:
    return {"legal_entity_id": market.legal_entity_id, "caller": CALLER, "key": key}


def status() -> str:
    return Claim.objects.get(code=INV_1).status


def test_a_disputed_claim_stays_so_until_it_is_resolved(market):
    before = Pool.objects.get().version

    assert dispute_claims([INV_1], reason="short delivery", **ask(market, "1")) == [True]
    assert status() == "disputed"
    assert Pool.objects.get().version > before

    assert dispute_claims([INV_1], reason="again", **ask(market, "2")) == [False]
    assert resolve_disputes([INV_1], reason="agreed", **ask(market, "3")) == [True]
    assert status() == "open"
    assert [finding for check in trade_checks() for finding in check.run()] == []


def test_repeating_a_dispute_under_its_key_returns_the_first_answer(market):
    dispute_claims([INV_1], reason="short delivery", **ask(market, "1"))
    resolve_disputes([INV_1], reason="agreed", **ask(market, "2"))

    assert dispute_claims([INV_1], reason="short delivery", **ask(market, "1")) == [True]
    assert status() == "open"


def test_a_paid_claim_is_closed_even_when_disputed(market):
    dispute_claims([INV_1], reason="short delivery", **ask(market, "1"))
    market.pays(INV_1, 100)
    assert status() == "closed"

    market.takes_back(INV_1, 100)
    assert status() == "disputed"


def test_an_unknown_claim_is_refused_and_nothing_is_disputed(market):
    with pytest.raises(UnknownClaim):
        dispute_claims([INV_1, "nobody:invoice:1"], reason="x", **ask(market, "1"))

    assert status() == "open"


def test_a_dispute_needs_a_reason(market):
    with pytest.raises(ReasonMissing):
        dispute_claims([INV_1], reason=" ", **ask(market, "1"))
