"""What every request to the API passes: no cookies, a problem for every failure."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound
from django.urls import resolve

from tallystick.faces.api.problems import MEDIA_TYPE, plain_problem, tell_allowance

PREFIX = "/api/"

_DETAILS = {
    404: "There is no such address in this API. Its addresses are in /api/v1/openapi.json.",
    405: "Use one of the methods that the header Allow names.",
}


class ApiMiddleware:
    """Answers the API. What stands behind it in the settings is the portals' alone.

    Sessions, languages, forms and their tokens are for people: a cookie that comes with a request
    to the API is never read, and the request pays for none of them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        request.COOKIES = {}
        request.get_host()  # raises what a name that is not ours raises
        response = _answer(request)
        if response.status_code >= 400 and response["Content-Type"] != MEDIA_TYPE:
            response = _as_problem(request, response)
        response["Cache-Control"] = "no-store"
        response["Content-Length"] = str(len(response.content))
        if allowance := getattr(request, "allowance", None):
            tell_allowance(response, allowance)
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        match = resolve(request.path_info)
        request.resolver_match = match
        return match.func(request, *match.args, **match.kwargs)
    except Http404:
        return HttpResponseNotFound()


def _as_problem(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """What Django itself answered, such as an address that it does not know, told as a problem."""
    status = response.status_code
    problem = plain_problem(request, status, _DETAILS.get(status, "The request was refused."))
    if "Allow" in response:
        problem["Allow"] = response["Allow"]
    return problem
