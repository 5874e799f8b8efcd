"""What every request to the API passes: no cookies, a request id, a problem for every failure."""

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tallystick.faces.api.problems import MEDIA_TYPE, plain_problem, tell_allowance

PREFIX = "/api/"

logger = logging.getLogger("tallystick.api")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_DETAILS = {
    404: "There is no such address in this API. Its addresses are in /api/v1/openapi.json.",
    405: "Use one of the methods that the header Allow names.",
}


class ApiMiddleware:
    """Stands before the sessions: a cookie that comes with a request to the API is never read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        began = time.perf_counter()
        request.COOKIES = {}
        asked = request.headers.get("X-Request-ID", "")
        request.request_id = asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        response = self.get_response(request)
        if response.status_code >= 400 and response["Content-Type"] != MEDIA_TYPE:
            response = _as_problem(request, response)
        response["X-Request-ID"] = request.request_id
        response["Cache-Control"] = "no-store"
        machine = getattr(request, "machine", None)
        if allowance := getattr(request, "allowance", None):
            tell_allowance(response, allowance)
        logger.info(
            "request %s %s %s %d %.1f ms %s",
            request.request_id,
            request.method,
            request.path_info,
            response.status_code,
            (time.perf_counter() - began) * 1000,
            machine.viewer.client_code if machine else "-",
        )
        return response


def _as_problem(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """What Django itself answered, such as an address that it does not know, told as a problem."""
    status = response.status_code
    problem = plain_problem(request, status, _DETAILS.get(status, "The request was refused."))
    if "Allow" in response:
        problem["Allow"] = response["Allow"]
    return problem
