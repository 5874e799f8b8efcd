"""Requests as they come: repeated, raced, malformed, too large, to addresses that are not."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection
from tests.faces.api.world import World, drawdown, invoice, with_a_loan

from tallystick.book.acts.models import Act
from tallystick.book.financing.models import Facility, Loan
from tallystick.faces.api import facilities

BANK = {
    "bank_reference": "BK-9",
    "end_to_end_id": "L999",
    "outcome": "paid",
    "amount_minor": 1,
    "currency": "CNY",
    "value_date": "2026-03-02",
}
RECEIPT = {
    "bank_reference": "R-1",
    "payer": "MALL",
    "currency": "CNY",
    "amount_minor": 700,
    "value_date": "2026-03-02",
    "lines": [{"claim": "ANNA:invoice:INV-1", "amount_minor": 700}],
}
DISPUTE = {"claims": ["ANNA:invoice:INV-1"], "reason": "damaged"}
WRITES = {
    "/documents": (
        {"documents": [invoice("INV-7"), invoice("INV-8", obligor="ANNA")]},
        {"documents": [invoice("INV-7", amount_minor=8)]},
    ),
    "/drawdowns": (drawdown(), drawdown(amount_minor=2_000_000)),
    "/receipts": (RECEIPT, {**RECEIPT, "amount_minor": 800}),
    "/bank-answers": ({"messages": [BANK]}, {"messages": [{**BANK, "amount_minor": 2}]}),
    "/disputes": (DISPUTE, {**DISPUTE, "reason": "late"}),
    "/dispute-resolutions": (DISPUTE, {**DISPUTE, "reason": "settled"}),
}


@pytest.mark.parametrize("path", WRITES)
def test_a_write_repeated_gets_the_first_answer_and_another_a_conflict(world: World, path: str):
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="claims to write about")
    body, other = WRITES[path]

    first = world.post(path, body, key="key")
    acts = Act.objects.count()
    again = world.post(path, body, key="key")
    conflict = world.post(path, other, key="key")

    assert first.status_code in (200, 201)
    assert "Idempotency-Replayed" not in first
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again["Idempotency-Replayed"] == "true"
    assert conflict.status_code == 409
    assert conflict.json()["type"] == "urn:tallystick:problem:key-conflict"
    assert Act.objects.count() == acts


def test_keys_belong_to_the_client(world: World):
    batch = [invoice("A-1"), invoice("B-1", supplier="BORIS")]
    world.post("/documents", {"documents": batch}, key="same")

    anna = world.post("/drawdowns", drawdown(), who="anna", key="same")
    boris = world.post("/drawdowns", drawdown(facility="F-BORIS"), who="boris", key="same")

    assert (anna.status_code, boris.status_code) == (201, 201)
    assert Loan.objects.count() == 2


def test_a_refused_write_leaves_its_key_free(world: World):
    assert world.post("/drawdowns", drawdown(), key="k").status_code == 422
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="d")

    assert world.post("/drawdowns", drawdown(), key="k").status_code == 201


def test_of_many_that_race_with_one_key_all_get_the_one_answer(world: World):
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="d")

    def asked(_: int) -> tuple[int, str]:
        try:
            answer = world.post("/drawdowns", drawdown(), who="anna", key="race")
            return answer.status_code, json.dumps(answer.json(), sort_keys=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(asked, range(16)))

    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert Loan.objects.count() == 1
    assert Facility.objects.get(code="F-ANNA").drawn_minor == 1_000_000


def test_each_request_is_logged_with_its_id_and_never_its_key(world: World, caplog):
    with caplog.at_level(logging.INFO, logger="tallystick.api"):
        world.get("/client", who="anna", **{"X-Request-ID": "abc-2"})

    assert "abc-2 GET /api/v1/client 200" in caplog.text
    assert "anna" in caplog.text
    assert world.keys["anna"].split("_")[2] not in caplog.text


def test_a_fault_is_told_without_a_traceback_and_logged_with_one(world: World, monkeypatch, caplog):
    def broken(_facility: object) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(facilities, "_shown", broken)

    fault = world.get("/facilities/F-ANNA")

    assert fault.status_code == 500
    assert fault["Content-Type"] == "application/problem+json"
    assert "secret" not in fault.content.decode()
    assert fault.json()["request_id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_without_its_database_the_api_asks_to_come_again(world: World, monkeypatch, caplog):
    def unreachable(_facility: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(facilities, "_shown", unreachable)

    away = world.get("/facilities/F-ANNA")

    assert away.status_code == 503
    assert int(away["Retry-After"]) > 0
    assert away.json()["type"] == "urn:tallystick:problem:unavailable"


def test_many_claims_of_a_page_are_bounded_by_its_limit(world: World):
    with_a_loan(world)

    assert len(world.get("/claims?limit=1").json()["items"]) == 1
