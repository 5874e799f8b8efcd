"""Who is let in, to what, and how often; and that nobody learns of another firm's objects."""

import json

import pytest
from django.test import Client
from tests.faces.api.world import (
    FIRM_SCOPES,
    OPERATOR,
    World,
    a_client,
    a_world,
    drawdown,
    invoice,
    with_a_late_payer,
    with_an_advance,
)

from tallystick.book.access.clients import revoke_client
from tallystick.book.access.models import RequestWindow
from tallystick.book.access.rate_limits import MAX_FAILURES_A_MINUTE
from tallystick.book.access.scopes import SCOPES
from tallystick.book.acts.models import Act
from tallystick.book.collections.models import Message
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import User
from tallystick.faces.api.v1 import api
from tallystick.site.server import Server

SCHEMA = api.get_openapi_schema(path_prefix="/api/v1/")
OPERATIONS = [
    (method, path.removeprefix("/api/v1"), operation)
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]


@pytest.fixture(scope="module")
def lent(shared_database: Server) -> tuple[World, dict[str, str]]:
    """A world in which ANNA has a loan; and what stands in the addresses of her objects."""
    world = a_world()
    loan, case = with_a_late_payer(world)
    (decision,) = world.get("/decisions").json()["items"]
    extension = {"loan": loan, "asks": {"kind": "extension", "days": 30}, "reason": "a fire"}
    proposed = world.post("/proposals", extension, key="proposed").json()
    parts = {
        "facility": "F-ANNA",
        "loan": loan,
        "claim": "ANNA:invoice:INV-1",
        "decision": str(decision["decision"]),
        "case": str(case.pk),
        "letter": str(Message.objects.get(case=case).pk),
        "proposal": str(proposed["proposal"]),
        "line": "SL-ANNA",
        "advance": with_an_advance(world),
    }
    return world, parts


@pytest.fixture(autouse=True)
def no_failures_counted(request) -> None:
    if "lent" in request.fixturenames or "world" in request.fixturenames:
        request.getfixturevalue("lent" if "lent" in request.fixturenames else "world")
        RequestWindow.objects.all().delete()


def named(operations) -> list[str]:
    return [operation["operationId"] for _, _, operation in operations]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=named(OPERATIONS))
def test_without_a_key_nobody_is_let_in(lent, method, path, operation):
    _, parts = lent
    answer = getattr(Client(HTTP_HOST="localhost"), method)(f"/api/v1{path.format(**parts)}")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["type"] == "urn:tallystick:problem:key-refused"


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=named(OPERATIONS))
def test_each_operation_needs_its_scope_and_no_other(lent, method, path, operation):
    _, parts = lent
    scope = operation["x-scope"]
    if not scope:
        assert path == "/client"
        return
    others = [name for name in SCOPES if name != scope]
    without = a_client(f"without-{operation['operationId']}", *others)
    asked = Client(HTTP_HOST="localhost")
    headers = {"Authorization": f"Bearer {without}"}

    answer = getattr(asked, method)(f"/api/v1{path.format(**parts)}", headers=headers)

    assert answer.status_code == 403
    assert answer.json()["scope"] == scope


OF_ONE = [each for each in OPERATIONS if "{" in each[1] and each[2]["x-scope"] in FIRM_SCOPES]


@pytest.mark.parametrize(("method", "path", "operation"), OF_ONE, ids=named(OF_ONE))
def test_another_firms_object_is_answered_like_one_that_is_not(lent, method, path, operation):
    world, parts = lent
    assert world.get(path.format(**parts), who="anna").status_code == 200

    theirs = world.get(path.format(**parts), who="boris")
    missing = world.get(
        path.format(
            facility="F-NOBODY",
            loan="L-0",
            claim="X:invoice:1",
            decision="999999999",
            line="SL-NOBODY",
            advance="SL-NOBODY-1",
        ),
        who="boris",
    )

    assert theirs.status_code == missing.status_code == 404
    assert without_names(theirs.json()) == without_names(missing.json())


def without_names(problem: dict[str, object]) -> set[str]:
    assert problem["type"] == "urn:tallystick:problem:not-there"
    return set(problem) - {"request_id"}


LISTS = (
    "/facilities",
    "/claims",
    "/loans",
    "/decisions",
    "/payment-orders",
    "/sales-lines",
    "/advances",
)


@pytest.mark.parametrize("path", LISTS)
def test_lists_hold_the_own_firms_objects_only(lent, path):
    world, _ = lent

    annas = json.dumps(world.get(path, who="anna").json())
    boriss = world.get(path, who="boris").json()

    assert "ANNA" in annas
    assert "ANNA" not in json.dumps(boriss)
    assert "BORIS" in json.dumps(boriss) or boriss["items"] == []


@pytest.mark.parametrize(
    "path", ["/claims?supplier=ANNA", "/loans?facility=F-ANNA", "/advances?line=SL-ANNA"]
)
def test_filters_do_not_reach_further_than_addresses(lent, path):
    world, _ = lent

    assert world.get(path, who="anna").status_code == 200
    assert world.get(path, who="boris").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/drawdowns", drawdown()),
        ("/disputes", {"claims": ["ANNA:invoice:INV-1"], "reason": "mine"}),
        ("/advances", {"line": "SL-ANNA", "amount_minor": 1, "currency": "CNY"}),
    ],
)
def test_nobody_acts_on_another_firms_objects(lent, path, body):
    world, _ = lent
    before = Act.objects.count()

    assert world.post(path, body, who="boris", key="theirs").status_code == 404
    assert Act.objects.count() == before


OF_THE_HOUSE = [
    each for each in OPERATIONS if each[2]["x-scope"] and each[2]["x-scope"] not in FIRM_SCOPES
]


@pytest.mark.parametrize(("method", "path", "_"), OF_THE_HOUSE, ids=named(OF_THE_HOUSE))
def test_what_is_the_houses_is_not_for_firms(lent, method, path, _):
    world, parts = lent
    address = path.format(**parts)
    told = (
        world.get(address, who="anna") if method == "get" else world.post(address, {}, who="anna")
    )

    assert told.status_code == 403


def test_a_session_of_the_portal_opens_nothing_here(world: World):
    user = User.objects.create(email="operator@factor.example", role="operator")
    signed_in = Client(HTTP_HOST="localhost")
    signed_in.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    answer = signed_in.get("/api/v1/facilities")

    assert answer.status_code == 401
    assert not answer.cookies


def test_a_revoked_key_is_refused_at_once(world: World):
    assert world.get("/client", who="anna").status_code == 200
    revoke_client("anna", caller=OPERATOR)

    assert world.get("/client", who="anna").status_code == 401


def test_above_its_limit_a_client_has_to_wait_and_is_told_how_long(world: World):
    world.keys["slow"] = a_client("slow", *FIRM_SCOPES, max_requests_a_minute=2)

    first = world.get("/client", who="slow")
    world.get("/client", who="slow")
    refused = world.get("/client", who="slow")

    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("2", "1")
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["RateLimit-Remaining"] == "0"
    assert world.get("/client", who="anna").status_code == 200


def test_whoever_guesses_keys_is_held_up_and_whoever_has_one_is_not(world: World):
    world.keys["guess"] = "tk_000000000000_" + "A" * 43
    answers = [world.get("/client", who="guess") for _ in range(MAX_FAILURES_A_MINUTE + 1)]

    assert {answer.status_code for answer in answers[:-1]} == {401}
    assert answers[-1].status_code == 429
    assert world.get("/client", who="anna").status_code == 200


def test_a_machines_acts_are_its_own_in_the_audit_trail(world: World):
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="k")
    world.post("/drawdowns", drawdown(reason="stock for May"), who="anna", key="k")

    act = Act.objects.get(kind="draw_down")
    assert (act.owner, act.actor, act.channel, act.reason) == (
        "client:anna",
        "client:anna",
        "api",
        "stock for May",
    )
    assert Loan.objects.count() == 1
