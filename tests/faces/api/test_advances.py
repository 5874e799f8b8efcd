"""Advances out of sales over the API: a line, what an advance costs, drawing it, how it stands."""

import pytest
from tests.book.sales_credit import scene as scenes
from tests.book.sales_credit.scene import START
from tests.faces.api.world import FIRM_SCOPES, World, a_client

from tallystick.book.access.scopes import SCOPES
from tallystick.book.sales_credit.models import Advance

ASKED = {"line": "SL-1", "amount_minor": 20_000_000, "currency": "CNY"}


@pytest.fixture
def world(database) -> World:
    """``M1`` has a line and ``M2`` has none; both have keys with every scope of firms."""
    scene = scenes.opened()
    scenes.has_sold_for_three_months(scene)
    scenes.has_sold_for_three_months(scene, "M2")
    scenes.a_line(scene)
    keys = {
        "house": a_client("house", *SCOPES, party_code=None),
        "m1": a_client("m1", *FIRM_SCOPES, party_code="M1"),
        "m2": a_client("m2", *FIRM_SCOPES, party_code="M2"),
    }
    return World(None, keys)


def test_a_line_tells_what_may_be_drawn_and_what_it_would_cost(world: World):
    for who in ("house", "m1"):
        assert [each["code"] for each in world.get("/sales-lines", who=who).json()["items"]] == [
            "SL-1"
        ]
        available = world.get("/sales-lines/SL-1/availability", who=who).json()
        # 30 % of thirteen weeks of 77,000.00.
        assert (available["available_minor"], available["open_advances"]) == (30_030_000, 0)
        offer = world.get("/sales-lines/SL-1/offer?amount_minor=20000000", who=who).json()
        assert (offer["fee_minor"], offer["charges_minor"]) == (1_000_000, 1_000_000)
        assert offer["expected_days"] == 189
        assert 20 < float(offer["apr_percent"]) < 24
        assert offer["would_be_granted"]
    above = world.get("/sales-lines/SL-1/offer?amount_minor=40000000").json()
    assert [each["rule"] for each in above["refused"]] == [
        "amount_is_available",
        "sales_keep_the_least_pace",
    ]


def test_an_advance_is_drawn_once_however_often_its_key_is_sent(world: World):
    first = world.post("/advances", ASKED, who="m1", key="k")
    again = world.post("/advances", ASKED, who="m1", key="k")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Advance.objects.count() == 1
    other = world.post("/advances", {**ASKED, "amount_minor": 1}, who="m1", key="k")
    assert other.status_code == 409


def test_an_advance_tells_how_it_stands_with_every_figures_terms(world: World):
    code = world.post("/advances", ASKED, who="m1", key="k").json()["advance"]
    before = world.get(f"/advances/{code}/state", who="m1").json()
    assert (before["status"], before["outstanding_minor"]) == ("pending", None)
    paid = {
        "bank_reference": "BK-1",
        "end_to_end_id": f"S{Advance.objects.get().pk}",
        "outcome": "paid",
        "amount_minor": 20_000_000,
        "currency": "CNY",
        "value_date": START.isoformat(),
    }
    world.post("/bank-answers", {"messages": [paid]}, key="bank")

    state = world.get(f"/advances/{code}/state", who="m1").json()

    assert state["outstanding_minor"] == 21_000_000
    assert state["pace"][0]["minimum_minor"] == 3_500_000
    for figure in state["figures"]:
        assert sum(int(term["amount"]) for term in figure["terms"]) == figure["value"]
    assert world.get(f"/advances/{code}", who="m1").json()["disbursed_date"] == START.isoformat()
    assert world.get(f"/advances/{code}/state?on=2026-01-01", who="m1").status_code == 422


def test_what_the_rules_do_not_allow_is_a_problem_with_its_reasons(world: World):
    refused = world.post("/advances", {**ASKED, "amount_minor": 40_000_000}, who="m1", key="k")

    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:tallystick:problem:advance-refused"
    assert "is available" in refused.json()["detail"]
    assert (
        world.post("/advances", {**ASKED, "currency": "USD"}, who="m1", key="u")
        .json()["type"]
        .endswith("another-currency")
    )
    assert not Advance.objects.exists()


def test_another_merchants_line_and_advance_are_answered_like_none(world: World):
    code = world.post("/advances", ASKED, who="m1", key="k").json()["advance"]

    assert world.get("/sales-lines", who="m2").json()["items"] == []
    assert world.get("/advances", who="m2").json()["items"] == []
    for path in ("/sales-lines/SL-1", "/sales-lines/SL-1/availability", f"/advances/{code}/state"):
        assert world.get(path, who="m2").status_code == 404
    assert world.post("/advances", ASKED, who="m2", key="k").status_code == 404
    assert [each["code"] for each in world.get("/advances?line=SL-1").json()["items"]] == [code]
