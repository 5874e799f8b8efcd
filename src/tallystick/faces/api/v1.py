"""Version 1 of the API: its operations, its one handler of problems, and its description."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.operation import Operation

from tallystick import __version__
from tallystick.faces.api import (
    advances,
    claims,
    collection_acts,
    collection_cases,
    facilities,
    house,
    letters,
    loans,
    offers,
    payments,
    proposals,
)
from tallystick.faces.api.description import described
from tallystick.faces.api.problems import problem_response

DESCRIPTION = """\
Trade documents in, limits and money out. Amounts are whole minor units with their currency; days
are YYYY-MM-DD. Every failure is a problem (RFC 9457) whose type is a stable name. Every POST
carries an Idempotency-Key: the same key with the same body acts once and gets the first answer."""


class Api(NinjaAPI):
    """Ninja's, with the description completed, and short names for its operations."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **arguments: Any) -> Any:
        return described(super().get_openapi_schema(**arguments))


api = Api(
    title="Tallystick",
    version=__version__,
    description=DESCRIPTION,
    urls_namespace="api-v1",
    docs_url=None,
)

for router in (
    house.router,
    facilities.router,
    offers.router,
    claims.router,
    loans.router,
    advances.router,
    payments.router,
    collection_cases.router,
    collection_acts.router,
    letters.router,
    proposals.router,
):
    api.add_router("", router)


@api.exception_handler(Exception)
def as_problem(request: HttpRequest, error: Exception) -> HttpResponse:
    """Whatever goes wrong in an operation."""
    return problem_response(request, error)


for handled in list(api._exception_handlers):
    api.add_exception_handler(handled, as_problem)
