"""The OpenAPI description, completed by what its generator cannot know."""

import re
from typing import Any

from tallystick.faces.api.problems import KEY_HEADER, MEDIA_TYPE

HTTP_METHODS = ("get", "post")

EXAMPLES = {
    400: ("malformed-request", "The request cannot be read", "Cannot parse request body."),
    401: (
        "key-refused",
        "No client, or none any more, is let in by this key. Which of the two is not told.",
        "This request carries no valid key.",
    ),
    403: (
        "not-in-scope",
        "The machine client was not given the scope.",
        "The client mall was not given the scope drawdowns:write.",
    ),
    404: (
        "not-there",
        "There is no such object, or none that the viewer reaches.",
        "There is no facility 'F-OTHER' here. Check its code.",
    ),
    409: (
        "key-conflict",
        "The request key was used before, for another request.",
        "The request key 'march-1' of client:mall was used for another request.",
    ),
    413: (
        "body-too-large",
        "The body of the request is larger than is read.",
        "The body is larger than 1,000,000 bytes.",
    ),
    415: (
        "not-json",
        "The body of the request is of another media type than JSON.",
        "The body was sent as 'text/plain'. Send JSON.",
    ),
    422: (
        "invalid-request",
        "The request does not hold what is asked for",
        "body.amount_minor: Input should be greater than or equal to 1",
    ),
    429: (
        "too-many-requests",
        "The limit of requests a minute is used up.",
        "More than 600 requests came within a minute. Ask again in 12 seconds.",
    ),
    500: ("fault", "A fault in tallystick", "This is a fault in tallystick."),
    503: (
        "unavailable",
        "The database cannot be reached",
        "Whether it was done is not known. Repeat it with the same key in 5 seconds: it acts once.",
    ),
}

_SECONDS = {"schema": {"type": "integer"}}
_TEXT = {"schema": {"type": "string"}}
_EVERY = {"X-Request-ID": _TEXT}
_COUNTED = {
    "RateLimit-Limit": _SECONDS,
    "RateLimit-Remaining": _SECONDS,
    "RateLimit-Reset": _SECONDS,
}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The description with problems as problems, their examples, and the headers of answers."""
    for operations in schema["paths"].values():
        for method in HTTP_METHODS:
            if method in operations:
                _complete(operations[method], writes=method == "post")
    return schema


def _complete(operation: dict[str, Any], *, writes: bool) -> None:
    operation["summary"] = re.split(r"[.:;,]\s", operation["description"] + " ")[0]
    scope = operation.get("x-scope")
    for security in operation.get("security", ()):
        for name in security:
            security[name] = [scope] if scope else []
    for status, response in operation["responses"].items():
        code = int(status)
        response["headers"] = {**_EVERY, **({} if code == 401 else _COUNTED)}
        if code >= 400:
            _as_problem(code, response)
        elif writes:
            response["headers"]["Idempotency-Replayed"] = {
                "description": f"true where the {KEY_HEADER} was asked for before.",
                **_TEXT,
            }


def _as_problem(status: int, response: dict[str, Any]) -> None:
    content = response["content"].pop("application/json")
    name, title, detail = EXAMPLES[status]
    content["example"] = {
        "type": f"urn:tallystick:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": "5f0c2a9be1d34c77",
    }
    response["content"][MEDIA_TYPE] = content
    if status in (429, 503):
        response["headers"]["Retry-After"] = _SECONDS
