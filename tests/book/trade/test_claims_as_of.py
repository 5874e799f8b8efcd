"""Any day, as known on any day."""

from datetime import timedelta

import pytest
from tests.book.trade.market import CALLER, DAY, Market, day, paper

from tallystick.book.collateral.assign import move_claim
from tallystick.book.trade.claims import KNOWN_NOW, claims_of_pools, claims_of_suppliers
from tallystick.book.trade.dispute import dispute_claims
from tallystick.book.trade.models import Claim
from tallystick.rules.frames import claims_frame, faulty


@pytest.fixture
def market(database) -> Market:
    return Market.opened()


def told(*, on: int, known_on=KNOWN_NOW) -> dict[str, tuple]:
    """Number to face, paid, diluted and status."""
    supplier_id = Claim.objects.first().supplier_id
    frame = claims_of_suppliers([supplier_id], on=day(on), known_on=known_on)
    return {
        row["claim_id"].rpartition(":")[2]: (
            row["face_minor"],
            row["paid_minor"],
            row["diluted_minor"],
            row["status"],
        )
        for row in frame.iter_rows(named=True)
    }


def test_a_claim_is_told_of_any_day_as_known_on_any_day(market):
    market.records(paper("invoice", "INV-1", 100, on=0))
    market.on_day(5)
    market.pays("ACME:invoice:INV-1", 40, on=3)
    market.on_day(8)
    market.records(paper("credit_note", "CN-1", 60, on=7))

    assert told(on=2) == {"INV-1": (100, 0, 0, "open")}
    assert told(on=3) == {"INV-1": (100, 40, 0, "open")}
    assert told(on=3, known_on=day(4)) == {"INV-1": (100, 0, 0, "open")}
    assert told(on=9) == {"INV-1": (100, 40, 60, "closed")}
    assert told(on=9, known_on=day(7)) == {"INV-1": (100, 40, 0, "open")}


def test_a_late_document_changes_the_past_only_for_those_who_know_it(market):
    market.records(
        paper("order", "PO-1", 100, on=0), paper("invoice", "INV-1", 80, of="order:PO-1", on=20)
    )
    market.on_day(30)
    market.records(paper("receipt", "GR-1", 70, of="order:PO-1", on=10))

    assert told(on=15, known_on=day(29)) == {"PO-1": (100, 0, 0, "open")}
    assert told(on=15) == {"PO-1": (30, 0, 0, "open"), "GR-1": (70, 0, 0, "open")}
    assert told(on=25) == {
        "PO-1": (0, 0, 0, "closed"),
        "INV-1": (80, 0, 0, "open"),
        "GR-1": (20, 0, 0, "open"),
    }


def test_a_document_of_a_later_day_is_not_told_before(market):
    market.records(paper("invoice", "INV-1", 100, on=4))

    assert told(on=3) == {}


def test_a_dispute_is_told_from_its_day_on(market):
    market.records(paper("invoice", "INV-1", 100))
    market.on_day(6)
    dispute_claims(
        ["ACME:invoice:INV-1"],
        reason="short delivery",
        legal_entity_id=market.legal_entity_id,
        caller=CALLER,
        key="1",
        value_date=day(4),
    )

    assert told(on=3)["INV-1"][3] == "open"
    assert told(on=4)["INV-1"][3] == "disputed"
    assert told(on=4, known_on=day(5))["INV-1"][3] == "open"


def test_what_is_told_is_a_valid_claims_frame(market):
    market.pool()
    market.records(paper("order", "PO-1", 100), paper("receipt", "GR-1", 60, of="order:PO-1"))
    supplier_id = Claim.objects.first().supplier_id
    frame = claims_of_suppliers([supplier_id], on=DAY).drop("pool_id")

    assert len(faulty(claims_frame(frame), on=DAY)) == 0


def test_to_one_pool_the_claims_of_another_are_assigned_elsewhere(market):
    first = market.pool("FIRST")
    market.records(paper("invoice", "INV-1", 100), paper("invoice", "INV-2", 50))
    second = market.pool("SECOND")
    market.on_day(3)

    move_claim("ACME:invoice:INV-2", to_pool="SECOND", caller=CALLER, key="move")
    statuses = {
        (row["pool_id"], row["claim_id"].rpartition(":")[2]): row["status"]
        for row in claims_of_pools([first, second], on=day(3)).iter_rows(named=True)
    }

    assert statuses == {
        (first, "INV-1"): "open",
        (first, "INV-2"): "assigned_elsewhere",
        (second, "INV-1"): "assigned_elsewhere",
        (second, "INV-2"): "open",
    }
    before = claims_of_pools([first], on=day(3) - timedelta(days=1)).iter_rows(named=True)
    assert {row["status"] for row in before} == {"open"}
