"""A form sent after its session ended: nothing was done, and the way back is shown."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in, and from there to the page: of a form, the page that showed it."""
    if request.method in ("GET", "HEAD"):
        back = request.get_full_path()
    else:
        messages.warning(
            request,
            _(
                "You were signed out before the form arrived. Nothing was done: sign in, "
                "look at the page again, and send it once more."
            ),
        )
        back = page_before(request)
    address = f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': back}, safe='/')}"
    if request.headers.get("HX-Request"):
        # htmx would put the sign-in into a part of the page: the whole page goes there instead.
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def page_before(request: HttpRequest) -> str:
    """The page of ours that the form was on; the first page where that is not known."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(
        referer, {request.get_host()}, require_https=request.is_secure()
    ):
        return reverse("home")
    parts = urlsplit(referer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or reverse("home")


def form_not_ours(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - as Django calls it
    """A form without a valid token: sent from a page older than the session, or not from ours."""
    user = getattr(request, "user", None)
    signing_in = request.path_info == reverse(settings.LOGIN_URL)
    if (user is None or not user.is_authenticated) and not signing_in:
        return to_sign_in(request)
    return render(
        request,
        "account/form_expired.html",
        {"back": request.path if signing_in else page_before(request)},
        status=403,
    )
