"""The API keeps to its own description, whatever it is asked."""

import re

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.faces.api.world import a_world, with_a_late_payer

from tallystick.faces.api.problems import MEDIA_TYPE
from tallystick.faces.api.v1 import api
from tallystick.site.server import Server
from tallystick.site.wsgi import application

EXAMPLES = 12
"""Requests for each operation: enough to meet most of its answers within seconds."""

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)

SCHEMA = api.get_openapi_schema(path_prefix="/api/v1/")
OPERATIONS = [
    (path, method, operation)
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]


@pytest.fixture(scope="module")
def keys(shared_database: Server) -> dict[str, str]:
    world = a_world()
    loan, _ = with_a_late_payer(world)
    extension = {"loan": loan, "asks": {"kind": "extension", "days": 30}, "reason": "a fire"}
    assert world.post("/proposals", extension, key="proposed").status_code == 201
    return world.keys


@pytest.fixture(scope="module")
def described():
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


def ids() -> list[str]:
    return [operation["operationId"] for _, _, operation in OPERATIONS]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=ids())
def test_nothing_undeclared_and_no_fault_is_answered(keys, described, path, method, operation):
    asked = described[path][method.upper()]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=asked.as_strategy())
    def ask(case) -> None:
        headers = {"Authorization": f"Bearer {keys['house']}", "Host": "localhost"}
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    ask()


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=ids())
def test_every_operation_declares_all_its_problems_and_shows_examples(path, method, operation):
    declared = {int(status) for status in operation["responses"]}
    needed = {401, 403, 422, 429, 500, 503}
    if method == "post":
        needed |= {400, 409, 413, 415}
        assert operation["requestBody"]["content"]["application/json"]["example"]
    if "{" in path:
        needed |= {404}
    assert needed <= declared
    for status, response in operation["responses"].items():
        media_type = MEDIA_TYPE if int(status) >= 400 else "application/json"
        assert list(response["content"]) == [media_type]
        assert response["content"][media_type]["example"]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=ids())
def test_the_examples_are_what_the_schema_says(path, method, operation):
    from jsonschema import Draft202012Validator

    def checked(content: dict[str, object]) -> None:
        schema = {**content["schema"], "components": SCHEMA["components"]}
        Draft202012Validator(schema).validate(content["example"])

    for response in operation["responses"].values():
        for content in response["content"].values():
            checked(content)
    if "requestBody" in operation:
        checked(operation["requestBody"]["content"]["application/json"])


def test_it_is_a_description_of_openapi_3_1():
    assert SCHEMA["openapi"] == "3.1.0"
    assert SCHEMA["components"]["securitySchemes"]["ClientKey"]["scheme"] == "bearer"
    summaries = [operation["summary"] for _, _, operation in OPERATIONS]
    assert len(set(summaries)) == len(summaries)


def test_the_page_of_the_description_needs_no_script_and_nothing_from_elsewhere(database: Server):
    page = Client(HTTP_HOST="localhost").get("/api/v1/docs")
    html = page.content.decode()

    assert page.status_code == 200
    assert all(operation["operationId"] in html for _, _, operation in OPERATIONS)
    assert "<script" not in html
    assert "style=" not in html
    assert re.findall(r'(?:src|href)="(?!/|#)', html) == []
    assert "script-src 'self'" in page["Content-Security-Policy"]
