"""Who asks: a machine client with its key, and the scope that an operation needs."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja.security import HttpBearer

from tallystick.book.access.clients import KeyRefused, Machine, let_in
from tallystick.book.access.rate_limits import count_failure
from tallystick.faces.api.problems import BodyTooLarge, NotJson
from tallystick.faces.portal.signin.address import address_of


class ClientKey(HttpBearer):
    """``Authorization: Bearer tk_…``, of a client that was given ``scope``; None: any client.

    In this order: the key, the limit of requests, the scope, and whether the body can be read.
    """

    openapi_bearerFormat = "tk_<prefix>_<secret>"  # noqa: N815 - as ninja calls it

    def __init__(self, scope: str | None) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Machine:
        machine = _let_in(request)
        request.machine = machine
        request.allowance = machine.allowance
        machine.allowance.refuse_used_up()
        if self.scope is not None:
            machine.refuse_without(self.scope)
        if request.method == "POST":
            _refuse_unreadable(request)
        return machine

    def authenticate(self, request: HttpRequest, token: str) -> Machine:
        """Not called: the above stands in for what the base class does with the header."""
        raise NotImplementedError


def _let_in(request: HttpRequest) -> Machine:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    try:
        return let_in(key if scheme.lower() == "bearer" else "")
    except KeyRefused:
        count_failure(address_of(request))
        raise


def _refuse_unreadable(request: HttpRequest) -> None:
    if request.content_type != "application/json":
        raise NotJson(str(request.content_type))
    try:
        _ = request.body
    except RequestDataTooBig:
        raise BodyTooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) from None
