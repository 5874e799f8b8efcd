"""Requests that cannot be: malformed, too large, without a key, to addresses that are not.

They change nothing, so that all of them ask one world.
"""

import pytest
from django.test import Client
from tests.faces.api.test_requests import WRITES
from tests.faces.api.world import World, a_world, drawdown

from tallystick.site.server import Server


@pytest.fixture(scope="module")
def world(shared_database: Server) -> World:
    return a_world()


@pytest.mark.parametrize("path", WRITES)
def test_a_write_without_a_key_is_refused(world: World, path: str):
    refused = world.post(path, WRITES[path][0])

    assert refused.status_code == 400
    assert refused.json()["type"] == "urn:tallystick:problem:key-missing"


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_that_cannot_be_kept_is_refused(world: World, key: str):
    assert world.post("/drawdowns", drawdown(), key=key).status_code == 400


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param(drawdown(amount_minor=0), "body.amount_minor", id="nothing"),
        pytest.param(drawdown(amount_minor=-5), "body.amount_minor", id="less than nothing"),
        pytest.param(drawdown(amount_minor=2**63), "body.amount_minor", id="beyond 64 bits"),
        pytest.param(drawdown(amount_minor=10.5), "body.amount_minor", id="a fraction"),
        pytest.param(drawdown(amount_minor="100"), "body.amount_minor", id="text"),
        pytest.param(drawdown(amount_minor=True), "body.amount_minor", id="a truth value"),
        pytest.param(drawdown(currency="yuan"), "body.currency", id="no currency code"),
        pytest.param(drawdown(on="02.03.2026"), "body.on", id="a day written otherwise"),
        pytest.param(drawdown(on=1772409600), "body.on", id="a day as a number"),
        pytest.param(drawdown(on="2026-02-30"), "body.on", id="a day that is not"),
        pytest.param(drawdown(facility="F\x00"), "body.facility", id="a null character"),
        pytest.param(drawdown(facility="F\ud800"), "body.facility", id="half a character"),
        pytest.param(drawdown(facility=""), "body.facility", id="empty"),
        pytest.param(drawdown(amout_minor=5), "body.amout_minor", id="a misspelt name"),
        pytest.param([1], "body", id="a list"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(world: World, body, where: str):
    refused = world.post("/drawdowns", body, key="k")

    problem = refused.json()
    assert refused.status_code == 422
    assert problem["type"] == "urn:tallystick:problem:invalid-request"
    assert where in [error["where"] for error in problem["errors"]]


@pytest.mark.parametrize(
    "body",
    ["{", "{'a': 1}", b"\xff\xfe", "[" * 100_000, "NaN"],
    ids=lambda body: repr(body)[:9],
)
def test_a_body_that_is_no_json_is_told_so(world: World, body):
    refused = world.post("/drawdowns", body, key="k")

    assert refused.status_code in (400, 422)
    assert refused["Content-Type"] == "application/problem+json"


def test_a_body_of_another_kind_is_told_so(world: World):
    refused = Client(HTTP_HOST="localhost").post(
        "/api/v1/drawdowns",
        {"facility": "F-ANNA"},
        headers={"Authorization": f"Bearer {world.keys['house']}", "Idempotency-Key": "k"},
    )

    assert refused.status_code == 415
    assert refused.json()["type"] == "urn:tallystick:problem:not-json"


def test_ten_megabytes_are_not_read(world: World):
    refused = world.post("/drawdowns", drawdown(reason="x" * 10_000_000), key="k")

    assert refused.status_code == 413
    assert refused.json()["type"] == "urn:tallystick:problem:body-too-large"


@pytest.mark.parametrize("path", ["/nowhere", "/", "/facilities/", "/../x", "/loans/L/nothing"])
def test_an_address_that_is_not_is_told_as_a_problem(world: World, path: str):
    missing = world.get(path)

    assert missing.status_code == 404
    assert missing["Content-Type"] == "application/problem+json"
    assert missing.json()["request_id"] == missing["X-Request-ID"]


def test_unknown_versions_are_told_as_a_problem(world: World):
    missing = Client(HTTP_HOST="localhost").get("/api/v2/facilities")

    assert missing["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_method_that_the_address_does_not_know_is_told_which_it_knows(world: World, method: str):
    refused = getattr(Client(HTTP_HOST="localhost"), method)("/api/v1/facilities")

    assert refused.status_code == 405
    assert refused["Allow"] == "GET"
    assert refused["Content-Type"] == "application/problem+json"


def test_a_request_id_is_kept_where_it_is_harmless(world: World):
    assert world.get("/client", **{"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"
    forged = world.get("/client", **{"X-Request-ID": 'x"y'})["X-Request-ID"]

    assert forged != 'x"y'
    assert len(forged) == 16


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "status=lost"])
def test_a_page_has_bounds(world: World, query: str):
    assert world.get(f"/claims?{query}").status_code == 422
