"""A claim is in one pool at a time, and leaves it only when the pool can do without."""

from datetime import timedelta

import pytest
from tests.book.trade.market import CALLER, Market, day, paper

from tallystick.book.collateral import bases
from tallystick.book.collateral.assign import (
    CoverWouldFallShort,
    NotAssignable,
    move_claim,
)
from tallystick.book.collateral.models import Assignment, Pool, SecurityInterest
from tallystick.book.collateral.pools import UnknownPool
from tallystick.book.collateral.security import StillDrawn, file_interest, release_interest
from tallystick.book.financing.models import Facility, ProgrammeLimit
from tallystick.book.financing.programmes import preset, stored
from tallystick.book.funding.models import FundingLine
from tallystick.book.parties.models import Party
from tallystick.book.trade.models import Claim
from tallystick.book.trade.reductions import UnknownClaim

INV_1 = "ACME:invoice:INV-1"


@pytest.fixture
def market(database) -> Market:
    market = Market.opened()
    market.pool("FIRST")
    market.records(paper("invoice", "INV-1", 100), paper("invoice", "INV-2", 60))
    return market


def draw_against(pool_code: str, drawn_minor: int) -> None:
    """A facility of the pool with so much drawn."""
    pool = Pool.objects.get(code=pool_code)
    line = {
        "legal_entity_id": pool.legal_entity_id,
        "programme": "jd.jingbaobei",
        "currency": "CNY",
        "limit_minor": 10_000,
        "drawn_minor": drawn_minor,
    }
    lender = Party.objects.get(code="LENDER")
    Facility.objects.create(
        code="F-1",
        legal_entity_id=pool.legal_entity_id,
        supplier_id=pool.supplier_id,
        programme=stored(preset("jd.jingbaobei")),
        pool=pool,
        programme_limit=ProgrammeLimit.objects.create(**line),
        funding_line=FundingLine.objects.create(**line, funder=lender),
        currency="CNY",
        limit_minor=10_000,
        drawn_minor=drawn_minor,
        annual_rate_ppb=100_000_000,
        opened_date=day(0),
        expiry_date=day(365),
    )


def pool_of(code: str) -> str:
    return Claim.objects.get(code=code).pool.code


def test_a_moved_claim_leaves_one_pool_and_joins_the_other(market):
    second = market.pool("SECOND")
    market.on_day(3)

    assert move_claim(INV_1, to_pool="SECOND", caller=CALLER, key="1") == "FIRST"

    former = Assignment.objects.get()
    assert (former.pool.code, former.from_date, former.to_date) == ("FIRST", day(0), day(3))
    assert pool_of(INV_1) == "SECOND"
    assert bases.recompute([second], on=day(3))[second].base_minor == 100


def test_repeating_a_move_returns_the_first_answer(market):
    market.pool("SECOND")
    for _ in range(2):
        assert move_claim(INV_1, to_pool="SECOND", caller=CALLER, key="1") == "FIRST"


@pytest.mark.parametrize(
    ("claim", "pool", "refusal"),
    [
        pytest.param("ACME:invoice:NONE", "FIRST", UnknownClaim, id="no such claim"),
        pytest.param(INV_1, "NONE", UnknownPool, id="no such pool"),
        pytest.param(INV_1, "FIRST", NotAssignable, id="it is there already"),
        pytest.param(INV_1, "STRANGER", NotAssignable, id="another supplier's pool"),
        pytest.param("ACME:invoice:LOST", "FIRST", NotAssignable, id="awaits its predecessor"),
    ],
)
def test_a_claim_that_cannot_move_is_refused(market, claim, pool, refusal):
    market.pool("STRANGER", supplier="OTHER")
    market.records(paper("invoice", "LOST", 5, of="receipt:GR-7"))

    with pytest.raises(refusal):
        move_claim(claim, to_pool=pool, caller=CALLER, key="1")


@pytest.fixture
def drawn(market) -> None:
    """100 is drawn against a pool of 100 and 60; another pool stands by."""
    market.pool("SECOND")
    draw_against("FIRST", 100)


def test_a_claim_stays_while_its_pool_would_not_cover_what_is_drawn_without_it(drawn):
    with pytest.raises(CoverWouldFallShort) as refused:
        move_claim(INV_1, to_pool="SECOND", caller=CALLER, key="1")

    assert (refused.value.cover_minor, refused.value.drawn_minor) == (60, 100)
    assert "0.40" in str(refused.value)
    assert pool_of(INV_1) == "FIRST"


def test_a_claim_moves_when_the_rest_covers_what_is_drawn(drawn):
    move_claim("ACME:invoice:INV-2", to_pool="SECOND", caller=CALLER, key="1")

    assert pool_of("ACME:invoice:INV-2") == "SECOND"


def test_a_security_interest_is_not_released_while_money_is_drawn(drawn):
    interest_id = file_interest(
        Pool.objects.get(code="FIRST").pk,
        secured_party_id=Party.objects.get(code="LENDER").pk,
        from_date=day(0),
        to_date=day(400),
    )

    with pytest.raises(StillDrawn):
        release_interest(interest_id, on=day(2))


def test_a_security_interest_is_released_on_a_day(market):
    interest_id = file_interest(
        Pool.objects.get(code="FIRST").pk,
        secured_party_id=Party.objects.get(code="LENDER").pk,
        from_date=day(0),
        to_date=day(400),
    )
    release_interest(interest_id, on=day(0))

    assert SecurityInterest.objects.get().to_date == day(0) + timedelta(days=1)
