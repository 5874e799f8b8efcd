"""A base belongs to a pool, and is current until something it depends on changes."""

from dataclasses import replace

import pytest
from django.db import connection
from tests.book.trade.market import CALLER, DAY, EVERYTHING, Market, day, paper

from tallystick.book.collateral import bases
from tallystick.book.collateral.checks import collateral_checks
from tallystick.book.collateral.models import Pool, PoolBase
from tallystick.book.collateral.related import RelationUnchanged, relate, unrelate
from tallystick.book.collateral.terms import TermsOfPool, change_terms, keep_terms
from tallystick.book.trade.models import Claim
from tallystick.rules.pool_terms import TermOutOfBounds
from tallystick.site import databases


@pytest.fixture
def market(database) -> Market:
    return Market.opened()


def worth(pool_id: int, *, on: int = 0) -> int:
    return bases.recompute([pool_id], on=day(on))[pool_id].base_minor


def is_current(pool_id: int, *, on: int = 0) -> bool:
    return pool_id in bases.current([pool_id], on=day(on))


HALF = TermsOfPool(
    replace(
        EVERYTHING.terms, advance_rate_bps=dict.fromkeys(EVERYTHING.terms.advance_rate_bps, 5_000)
    ),
    {},
)


def test_an_empty_pool_is_worth_nothing(market):
    pool_id = market.pool()

    assert bases.recompute([pool_id], on=DAY)[pool_id].result["outstanding_minor"] == 0
    assert is_current(pool_id)


def test_a_pool_is_worth_its_live_claims_once_whatever_their_stage(market):
    pool_id = market.pool()
    market.records(
        paper("order", "PO-1", 100),
        paper("receipt", "GR-1", 60, of="order:PO-1"),
        paper("invoice", "INV-9", 40, of="receipt:LOST"),
    )

    assert worth(pool_id) == 100


def test_claims_recorded_before_the_pool_join_it_when_it_opens(market):
    market.records(paper("invoice", "INV-1", 100), paper("invoice", "INV-9", 40, of="receipt:LOST"))
    pool_id = market.pool()

    assert worth(pool_id) == 100


def test_a_new_claim_joins_the_pool_opened_first(market):
    first, second = market.pool("FIRST"), market.pool("SECOND")
    market.records(paper("invoice", "INV-1", 100))

    assert worth(first) == 100
    assert worth(second) == 0


def test_a_claim_issued_later_does_not_count_yet(market):
    pool_id = market.pool()
    market.records(paper("invoice", "INV-1", 100, on=3))

    assert worth(pool_id, on=2) == 0
    assert worth(pool_id, on=3) == 100


def test_closed_claims_count_for_dilution_while_they_are_in_the_window(market):
    stressed = TermsOfPool(replace(EVERYTHING.terms, dilution_stress_bps=10_000), {})
    pool_id = market.pool(terms=stressed)
    market.records(paper("invoice", "INV-1", 100, on=0), paper("credit_note", "CN-1", 100, on=1))
    market.records(paper("invoice", "INV-2", 100, on=80, due=120))

    # On the 89th day both are in the window of ninety days: half of what was issued was diluted.
    assert worth(pool_id, on=89) == 50
    assert worth(pool_id, on=90) == 100


# --- what makes a stored base old ---------------------------------------------------------------


def test_a_base_is_current_on_its_day_only(market):
    pool_id = market.pool()
    worth(pool_id, on=0)

    assert is_current(pool_id, on=0)
    assert not is_current(pool_id, on=1)


def test_looking_back_on_a_day_leaves_the_base_of_the_next_current(market):
    pool_id = market.pool()
    worth(pool_id, on=1)
    worth(pool_id, on=0)

    assert is_current(pool_id, on=1)
    assert PoolBase.objects.filter(pool=pool_id, date=day(0)).exists()


def changes():
    def pay(market):
        market.pays("ACME:invoice:INV-1", 10)

    def credit(market):
        market.records(paper("credit_note", "CN-1", 10, on=1))

    def record(market):
        market.records(paper("invoice", "INV-2", 10))

    def fulfil(market):
        market.records(paper("statement", "ST-1", 10, of="invoice:INV-1"))

    def cancel(market):
        market.records(paper("cancellation", "C-1", 10, of="invoice:INV-1"))

    def move(market):
        from tallystick.book.collateral.assign import move_claim

        market.pool("SECOND")
        move_claim("ACME:invoice:INV-1", to_pool="SECOND", caller=CALLER, key="move")

    def terms(market):
        change_terms("POOL", HALF, caller=CALLER, key="terms")

    def relation(market):
        relate(
            "ACME",
            "MALL",
            reason="one group",
            legal_entity_id=market.legal_entity_id,
            caller=CALLER,
            key="relate",
        )

    return [pay, credit, record, fulfil, cancel, move, terms, relation]


def test_whatever_changes_a_base_makes_the_stored_one_old(market):
    pool_id = market.pool()
    market.records(paper("invoice", "INV-1", 100))
    for change in changes():
        worth(pool_id)
        assert is_current(pool_id)
        change(market)
        assert not is_current(pool_id), change.__name__


def test_a_repeat_leaves_the_stored_base_current(market):
    pool_id = market.pool()
    market.records(paper("invoice", "INV-1", 100))
    worth(pool_id)
    market.records(paper("invoice", "INV-1", 100))

    assert is_current(pool_id)


def test_a_base_overtaken_while_it_was_computed_is_not_stored(market):
    pool_id = market.pool()
    overtaken = bases.computed([pool_id], on=DAY)
    market.records(paper("invoice", "INV-1", 100))
    bases._store(overtaken, on=DAY)

    assert not is_current(pool_id)
    assert not PoolBase.objects.exists()


# --- terms, overrides and related parties -------------------------------------------------------


def test_terms_changed_hold_from_the_open_day_and_past_bases_are_told_by_the_old_ones(market):
    pool_id = market.pool()
    market.records(paper("invoice", "INV-1", 100))
    market.on_day(5)

    assert change_terms("POOL", HALF, caller=CALLER, key="1")
    assert not change_terms("POOL", HALF, caller=CALLER, key="2")
    assert worth(pool_id, on=5) == 50
    assert bases.base_as_of(pool_id, on=day(5))["base_minor"] == 50
    assert bases.base_as_of(pool_id, on=day(5), known_on=day(4))["base_minor"] == 100


def test_an_obligors_own_limit_replaces_the_common_one(market):
    limited = TermsOfPool(replace(EVERYTHING.terms, concentration_limit_bps=5_000), {"SHOP": 2_500})
    pool_id = market.pool(terms=limited)
    market.records(paper("invoice", "INV-1", 100), paper("invoice", "INV-2", 100, obligor="SHOP"))

    assert worth(pool_id) == 150


def test_a_limit_of_more_than_the_whole_is_refused():
    with pytest.raises(TermOutOfBounds):
        TermsOfPool(EVERYTHING.terms, {"SHOP": 10_001})


def test_a_related_obligor_counts_for_nothing_from_its_day_on(market):
    pool_id = market.pool()
    market.records(paper("invoice", "INV-1", 100))
    ask = {"legal_entity_id": market.legal_entity_id, "caller": CALLER, "reason": "one group"}
    market.on_day(2)
    relate("ACME", "MALL", key="1", **ask)
    assert worth(pool_id, on=2) == 0
    with pytest.raises(RelationUnchanged):
        relate("ACME", "MALL", key="2", **ask)

    market.on_day(4)
    assert unrelate("ACME", "MALL", key="3", **ask) == day(4)
    assert worth(pool_id, on=4) == 100
    assert bases.base_as_of(pool_id, on=day(3))["base_minor"] == 0


# --- as of --------------------------------------------------------------------------------------


def test_a_base_is_told_of_any_day_as_known_on_any_day(market):
    pool_id = market.pool()
    market.records(paper("invoice", "INV-1", 100))
    market.on_day(5)
    market.pays("ACME:invoice:INV-1", 40, on=3)

    assert bases.base_as_of(pool_id, on=day(2))["base_minor"] == 100
    assert bases.base_as_of(pool_id, on=day(3))["base_minor"] == 60
    assert bases.base_as_of(pool_id, on=day(3), known_on=day(4))["base_minor"] == 100


# --- many at once, and the checks ---------------------------------------------------------------


def test_a_batch_gives_each_pool_what_it_is_worth_alone(market):
    pool_ids = []
    for number in range(6):
        supplier = f"S{number}"
        terms = HALF if number % 2 else EVERYTHING
        pool_ids.append(market.pool(f"POOL-{number}", supplier=supplier, terms=terms))
        market.records(paper("invoice", "INV-1", 100 + number, supplier=supplier))
    # The same supplier, another pool: its claims are not the first one's.
    pool_ids.append(market.pool("POOL-AGAIN", supplier="S0"))

    batch = bases.recompute(pool_ids, on=DAY)

    assert [batch[pool_id].base_minor for pool_id in pool_ids] == [100, 50, 102, 51, 104, 52, 0]
    for pool_id in pool_ids:
        assert bases.computed([pool_id], on=DAY)[pool_id] == batch[pool_id]


def test_the_check_finds_a_current_base_that_is_wrong(market, database):
    pool_id = market.pool()
    market.records(paper("invoice", "INV-1", 100))
    worth(pool_id)
    assert [finding for check in collateral_checks() for finding in check.run()] == []

    Pool.objects.update(base_minor=101)

    (finding,) = [finding for check in collateral_checks() for finding in check.run()]
    assert finding.check == "bases equal their recomputation"


def test_the_checks_find_a_claim_in_two_pools_and_in_a_strangers(market, database):
    market.pool()
    other = market.pool("OTHER", supplier="OTHER")
    market.records(paper("invoice", "INV-1", 100))
    databases.use(database, as_owner=True)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trade_claim DISABLE TRIGGER ALL")
        cursor.execute(
            "INSERT INTO collateral_assignment (claim_id, pool_id, from_date, to_date, act_id)"
            " SELECT id, pool_id, pool_from_date, pool_from_date + 9, 1 FROM trade_claim"
        )
    Claim.objects.update(pool=other)

    found = {finding.check for check in collateral_checks() for finding in check.run()}
    assert found == {"a claim is in one pool at a time", "claims are in pools of their supplier"}


def test_the_check_finds_terms_that_were_not_put_in_force(market, database):
    market.pool()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE collateral_pool SET terms_id = %s", [keep_terms(HALF)])

    (finding,) = [finding for check in collateral_checks() for finding in check.run()]
    assert finding.check == "pools have the terms put in force last"
