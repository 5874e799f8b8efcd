"""Too many failed attempts to sign in: an account is locked for an address, for longer each time.

Failures are kept in the database (django-axes), so that all workers count together. Attempts
during a lock-out are not tried, but count: whoever goes on waits longer.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.faces.portal.signin.address import address_of

FIRST_WAIT = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=24)


def account_of(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str | None:
    """The account that somebody tries to get into, as an address in small letters."""
    given = credentials or {}
    named = given.get("email") or given.get("login") or request.POST.get("login")
    if not named:
        user = getattr(request, "user", None)
        named = user.email if user is not None and user.is_authenticated else ""
    # What cannot be stored is nobody's account.
    return str(named).strip().lower().replace("\0", "")[:254] or None


def wait(request: HttpRequest) -> timedelta:
    """How long the account stays locked for the address: doubled with each five more failures."""
    failures = (
        AccessAttempt.objects.filter(
            username=account_of(request), ip_address=address_of(request)
        ).aggregate(total=Sum("failures_since_start"))["total"]
        or 0
    )
    # More doublings than these would overflow a timedelta, and change nothing.
    doublings = min(max(failures // settings.AXES_FAILURE_LIMIT - 1, 0), 16)
    return min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)


def locked_out(
    request: HttpRequest,
    _answer: HttpResponse | None = None,
    _credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """429, for how long, and who can help sooner. It says nothing about whether they exist."""
    waiting = wait(request)
    answer = render(
        request,
        "account/locked.html",
        {
            "minutes": int(waiting.total_seconds() // 60),
            "max_failures": settings.AXES_FAILURE_LIMIT,
        },
        status=429,
    )
    answer["Retry-After"] = str(int(waiting.total_seconds()))
    return answer
