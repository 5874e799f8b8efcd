"""The answer when a request failed for no reason of its own: the database is away, or a fault.

Django calls this last, whatever layer failed, so it asks the database nothing.
"""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from tallystick.faces.api.middleware import PREFIX
from tallystick.faces.api.problems import RETRY_SECONDS, problem_response


def fault(request: HttpRequest) -> HttpResponse:
    """503 while the database cannot be reached, else 500: a problem for machines, else a page."""
    error = sys.exc_info()[1]
    is_away = isinstance(error, (OperationalError, InterfaceError))
    if request.path_info.startswith(PREFIX) and isinstance(error, Exception):
        return problem_response(request, error)
    response = HttpResponse(
        render_to_string("portal/fault.html", {"is_away": is_away}), status=503 if is_away else 500
    )
    if is_away:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response
