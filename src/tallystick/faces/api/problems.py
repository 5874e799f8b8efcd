"""Every answer that is not what was asked for, as problem details (RFC 9457), from one place."""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import HttpError, ValidationError

from tallystick.book.access.clients import KeyRefused
from tallystick.book.access.permissions import NotAllowed
from tallystick.book.access.rate_limits import Allowance, TooManyRequests
from tallystick.book.access.reach import NotThere
from tallystick.book.access.scopes import NotInScope
from tallystick.book.acts.once import KeyConflict, KeyUnusable
from tallystick.book.parties.two_people import (
    AlreadyDecided,
    CheckedByMaker,
    NothingProposed,
    NotItsMaker,
    RoleMissing,
)
from tallystick.book.proposals.decide import KeyMadeByMaker
from tallystick.book.proposals.propose import ProposedAlready
from tallystick.book.servicing.receipts import ReceiptConflict
from tallystick.book.trade.record_documents import NumberTaken, RecordedMeanwhile
from tallystick.rules.refusal import Refusal

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:tallystick:problem:"
KEY_HEADER = "Idempotency-Key"
RETRY_SECONDS = 5

logger = logging.getLogger("tallystick.api")

_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "request_id", "refused_as"})


class NotJson(Refusal):
    """The body of the request is of another media type than JSON."""

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type
        super().__init__(
            f"The body was sent as {media_type[:80] or 'nothing'!r}. "
            "Send JSON, with the header 'Content-Type: application/json'."
        )


class BodyTooLarge(Refusal):
    """The body of the request is larger than is read."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        super().__init__(
            f"The body is larger than {max_bytes:,} bytes. Send its items in several requests, "
            "each under a key of its own."
        )


class CursorUnusable(Refusal):
    """The cursor was not given out by this list, or with other filters."""

    def __init__(self) -> None:
        super().__init__(
            "This cursor was not given out by this list with these filters. "
            "Use 'next_cursor' of the page before as it is, or begin without a cursor."
        )


_STATUS: tuple[tuple[type[Refusal], int], ...] = (
    (KeyRefused, 401),
    (NotAllowed, 403),
    (NotInScope, 403),
    (NotThere, 404),
    (RoleMissing, 403),
    (CheckedByMaker, 403),
    (NotItsMaker, 403),
    (KeyMadeByMaker, 403),
    (NothingProposed, 404),
    (AlreadyDecided, 409),
    (ProposedAlready, 409),
    (KeyConflict, 409),
    (ReceiptConflict, 409),
    (NumberTaken, 409),
    (RecordedMeanwhile, 409),
    (BodyTooLarge, 413),
    (NotJson, 415),
    (TooManyRequests, 429),
    (KeyUnusable, 400),
    (CursorUnusable, 400),
)

_NAMES = {
    400: ("malformed-request", "The request cannot be read"),
    403: ("not-allowed", "This is not permitted"),
    404: ("not-there", "There is nothing here"),
    405: ("method-not-allowed", "The address does not know this method"),
    413: ("body-too-large", "The body of the request is larger than is read"),
    422: ("invalid-request", "The request does not hold what is asked for"),
    500: ("fault", "A fault in tallystick"),
    503: ("unavailable", "The database cannot be reached"),
}


def problem_of(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and members of the problem that an exception is."""
    match error:
        case Refusal():
            return refusal_problem(error)
        case ValidationError():
            return _invalid(error)
        case HttpError():
            return _plain(error.status_code, str(error))
        case Http404():
            return _plain(404, "There is no such address in this API. See /api/v1/openapi.json.")
        case RequestDataTooBig():
            return _plain(413, "Send less at a time.")
        case OperationalError() | InterfaceError():
            # It may have been lost while it committed: only the same key is safe.
            return _plain(
                503,
                "Whether the request was carried out is not known. Repeat it with the same key "
                f"in {RETRY_SECONDS} seconds: it acts only once.",
            )
        case _:
            return _plain(
                500,
                "This is a fault in tallystick, not in what was asked for. Repeat the request "
                "with the same key, or tell an operator the request_id.",
            )


def refusal_problem(refusal: Refusal) -> tuple[int, dict[str, Any]]:
    """A refusal: its class is the type, its docstring the title, its fields members."""
    kind = type(refusal)
    status = next((status for known, status in _STATUS if isinstance(refusal, known)), 422)
    fields = {
        name: plain(value)
        for name, value in vars(refusal).items()
        if not name.startswith("_") and name not in _RESERVED
    }
    return status, {
        # A refusal told again keeps the name that it had the first time.
        "type": type_of(getattr(refusal, "refused_as", kind.__name__)),
        "title": title_of(kind),
        "status": status,
        "detail": str(refusal),
        **fields,
    }


def type_of(name: str) -> str:
    """The stable name of a class of refusals: ``urn:tallystick:problem:facility-frozen``."""
    return TYPE + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def title_of(kind: type[Refusal]) -> str:
    return (kind.__doc__ or kind.__name__).strip().split("\n\n")[0].replace("\n    ", " ")


def problem_response(request: HttpRequest, error: Exception) -> HttpResponse:
    """The problem as an answer; a fault of ours is logged with its traceback."""
    status, problem = problem_of(error)
    if status >= 500:
        logger.error("request %s failed", request_id(request), exc_info=error)
    response = answer(request, status, problem)
    if isinstance(error, KeyRefused):
        response["WWW-Authenticate"] = 'Bearer realm="tallystick"'
    if isinstance(error, TooManyRequests):
        tell_allowance(response, error.allowance)
        response["Retry-After"] = str(error.allowance.reset_seconds)
    if status == 503:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def plain_problem(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """A problem that is no exception of ours, such as a method that an address does not know."""
    return answer(request, *_plain(status, detail))


def answer(request: HttpRequest, status: int, problem: Mapping[str, Any]) -> HttpResponse:
    content = json.dumps({**problem, "request_id": request_id(request)}, ensure_ascii=True)
    return HttpResponse(content, status=status, content_type=MEDIA_TYPE)


def tell_allowance(response: HttpResponse, allowance: Allowance) -> None:
    """How many requests are left, on every answer to a client."""
    response["RateLimit-Limit"] = str(allowance.limit)
    response["RateLimit-Remaining"] = str(allowance.remaining)
    response["RateLimit-Reset"] = str(allowance.reset_seconds)


def request_id(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))


def plain(value: Any) -> Any:
    """A refusal's field as JSON can hold it."""
    match value:
        case None | bool() | int() | str():
            return value
        case date() | datetime():
            return value.isoformat()
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return {name: plain(item) for name, item in value._asdict().items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _ if hasattr(value, "as_json"):
            return plain(value.as_json())
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value))
        case _:
            return str(value)


def _plain(status: int, detail: str) -> tuple[int, dict[str, Any]]:
    name, title = _NAMES.get(status, ("refused", "The request was refused"))
    return status, {"type": TYPE + name, "title": title, "status": status, "detail": detail}


def _invalid(error: ValidationError) -> tuple[int, dict[str, Any]]:
    """What does not fit the schema, place by place; 400 where it is the request's key."""
    errors = [
        {"where": _where(each["loc"]), "problem": str(each["msg"])[:500]} for each in error.errors
    ]
    if any(each["where"] == f"header.{KEY_HEADER}" for each in errors):
        return 400, {
            "type": TYPE + "key-missing",
            "title": "Every request that changes something has a key",
            "status": 400,
            "detail": f"Send the header '{KEY_HEADER}' with 1 to 200 characters of your choice; "
            "repeat the request with the same key to see its answer again.",
        }
    status, problem = _plain(
        422, "; ".join(f"{each['where']}: {each['problem']}" for each in errors)
    )
    return status, {**problem, "detail": problem["detail"][:2000], "errors": errors}


def _where(location: tuple[Any, ...]) -> str:
    """``body.documents.3.amount_minor``: the name that ninja gives the whole body is left out."""
    first, *others = (str(part) for part in location)
    if first == "body" and others:
        others = others[1:]
    return ".".join((first, *others))
