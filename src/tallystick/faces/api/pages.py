"""The description of the API as one page to read: no script, nothing from elsewhere."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from tallystick.faces.api.v1 import api

PREFIX = "/api/v1/"


@require_safe
def docs(_request: HttpRequest) -> HttpResponse:
    """Every operation with its scope, its parameters, examples and problems."""
    return HttpResponse(_page())


@cache
def _page() -> SafeString:
    schema = api.get_openapi_schema(path_prefix=PREFIX)
    operations = [
        (method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return format_html(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>API · Tallystick</title><link rel="stylesheet" href="{}"></head>'
        '<body><main id="content"><h1>API {}</h1><p>{}</p>'
        '<p><a href="{}openapi.json">openapi.json</a></p>{}</main></body></html>',
        static("portal/tally.css"),
        schema["info"]["version"],
        schema["info"]["description"],
        PREFIX,
        format_html_join("", "{}", ((_operation(*each),) for each in operations)),
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> SafeString:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return format_html(
        '<section class="card" id="{}"><h2>{}</h2><p><code>{} {}</code></p><p>{}</p>'
        "<p>{}</p>{}{}{}</section>",
        operation["operationId"],
        operation["summary"],
        method.upper(),
        path,
        operation["description"],
        f"Scope: {operation['x-scope']}" if operation["x-scope"] else "Any client.",
        _parameters(operation["parameters"]),
        _example("Request", body),
        _answers(operation["responses"]),
    )


def _answers(responses: Mapping[int, Mapping[str, Any]]) -> SafeString:
    """The answer that was asked for, and the problems together."""
    told = [
        (status, _example(f"{status} {response['description']}", content))
        for status, response in responses.items()
        for content in response["content"].values()
    ]
    problems = [(status, shown) for status, shown in told if status >= 400]
    return format_html(
        "{}<details><summary>Problems: {}</summary>{}</details>",
        format_html_join("", "{}", ((shown,) for status, shown in told if status < 400)),
        ", ".join(str(status) for status, _ in problems),
        format_html_join("", "{}", ((shown,) for _, shown in problems)),
    )


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> SafeString:
    return format_html(
        '<dl class="facts">{}</dl>',
        format_html_join(
            "",
            "<dt><code>{}</code> ({}{})</dt><dd>{}</dd>",
            (
                (
                    each["name"],
                    each["in"],
                    ", required" if each["required"] else "",
                    each.get("description", ""),
                )
                for each in parameters
            ),
        ),
    )


def _example(title: str, content: Mapping[str, Any]) -> SafeString:
    if "example" not in content:
        return SafeString("")
    return format_html(
        "<details><summary>{}</summary><pre>{}</pre></details>",
        title,
        json.dumps(content["example"], indent=2, ensure_ascii=False),
    )
