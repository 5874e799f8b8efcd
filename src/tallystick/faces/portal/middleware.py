"""What every request of a portal passes: who asks, and how a refusal is told."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tallystick.book.access.viewer import viewer_of
from tallystick.faces.portal.refusals import refusal_page
from tallystick.rules.refusal import Refusal


class ViewerMiddleware:
    """Puts ``viewer`` on each request: who signed in, else None; a refusal becomes a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        request.viewer = viewer_of(user) if user.is_authenticated else None
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refusal_page(request, error) if isinstance(error, Refusal) else None
