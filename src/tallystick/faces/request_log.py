"""One line in the log for each request, and its id on every other line that it caused."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
API = "/api/"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


class WithRequestId(logging.Filter):
    """Puts the id of the request under way on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _current.get()
        return True


class RequestLog:
    """Stands before everything: gives the request its id, the caller's own if it sent one.

    The line tells method, path, status, time and who asked, by number or code. Never a query, a
    header or a body: they may hold what nobody should read in a log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.headers.get(HEADER, "")
        request.request_id = asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        token = _current.set(request.request_id)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            response[HEADER] = request.request_id
            _log(request, response.status_code, (time.perf_counter() - began) * 1000)
        finally:
            _current.reset(token)
        return response


def _log(request: HttpRequest, status: int, dt_ms: float) -> None:
    who = _who(request)
    fields = {
        "method": request.method,
        "path": request.path_info,
        "status": status,
        "dt_ms": round(dt_ms, 1),
        "who": who,
    }
    face = "api" if request.path_info.startswith(API) else "portal"
    logging.getLogger(f"tallystick.{face}").info(
        "request %s %s %s %d %.1f ms %s",
        request.request_id,
        request.method,
        request.path_info,
        status,
        dt_ms,
        who,
        extra={"request_fields": fields},
    )


def _who(request: HttpRequest) -> str:
    """A machine client's code, a person's number; a dash for nobody we know."""
    if machine := getattr(request, "machine", None):
        return str(machine.viewer.client_code)
    if getattr(request, "viewer", None):
        return f"user:{request.user.pk}"
    return "-"
