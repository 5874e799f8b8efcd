"""What every request of a portal passes: who asks, since when, and how a refusal is told."""

from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import resolve
from django.urls.exceptions import Resolver404
from django.utils import timezone
from django.utils.translation import gettext as _

from tallystick.book.access.permissions import May, NotAllowed
from tallystick.book.access.sessions import has_expired, note_use
from tallystick.book.access.viewer import viewer_of
from tallystick.faces.portal.refusals import refusal_page
from tallystick.rules.refusal import Refusal

# Where somebody may go whose password has to be changed first.
_OPEN_BEFORE_CHANGE = {"account_change_password", "account_logout", "set_language"}


class ViewerMiddleware:
    """Puts ``viewer`` on each request: who signed in, else None; a refusal becomes a page.

    A session that was not used for long, or is too old, ends here. Who signed in with a password
    that somebody else has seen goes nowhere but to change it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.viewer = None
        user = request.user
        if user.is_authenticated and not _has_ended(request):
            request.viewer = viewer_of(user)
            if user.must_change_password and _name_of(request) not in _OPEN_BEFORE_CHANGE:
                messages.warning(
                    request,
                    _("Somebody else has seen your password. Choose one that only you know."),
                )
                return redirect("account_change_password")
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """The house's pages are the house's, and a firm's are a firm's, whatever both may do."""
        viewer, name = request.viewer, request.resolver_match.url_name or ""
        if viewer is not None and name.startswith("house-") and viewer.party_id is not None:
            return refusal_page(request, NotAllowed(May.SEE_HOUSE, role=viewer.role))
        if viewer is not None and name.startswith("supplier-") and viewer.party_id is None:
            return refusal_page(request, NotAllowed(May.SEE_OWN, role=viewer.role))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refusal_page(request, error) if isinstance(error, Refusal) else None


def _has_ended(request: HttpRequest) -> bool:
    now = timezone.now()
    if has_expired(request.session, at=now):
        logout(request)
        messages.info(request, _("Your session has ended. Sign in to go on where you were."))
        return True
    if note_use(request.session, at=now):
        UserSession.objects.create_from_request(request)
    return False


def _name_of(request: HttpRequest) -> str | None:
    try:
        return resolve(request.path_info).url_name
    except Resolver404:
        return None
