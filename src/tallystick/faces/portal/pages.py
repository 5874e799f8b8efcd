"""A page of the portal: who may open it, by what role permits."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.cache import never_cache

from tallystick.book.access.permissions import May
from tallystick.book.access.viewer import Viewer
from tallystick.book.access.wall import behind_the_wall
from tallystick.faces.portal.signin.expired import to_sign_in

View = Callable[..., HttpResponse]
SAFE_METHODS = ("GET", "HEAD")


def page(*acts: May) -> Callable[[View], View]:
    """A view for those who signed in and may do any of ``acts``; never kept in a cache.

    What a firm's person only looks at is read behind the second wall.
    """

    def opened(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, **parts: object) -> HttpResponse:
            if request.viewer is None:
                return to_sign_in(request)
            if not any(request.viewer.may(act) for act in acts):
                request.viewer.refuse_unless(acts[0])
            if request.method in SAFE_METHODS:
                return _read(view, request, parts)
            if request.method != "POST":
                return HttpResponseNotAllowed([*SAFE_METHODS, "POST"])
            return view(request, **parts)

        return never_cache(checked)

    return opened


def _read(view: View, request: HttpRequest, parts: dict[str, object]) -> HttpResponse:
    with behind_the_wall(request.viewer):
        response = view(request, **parts)
        if hasattr(response, "render"):
            response.render()
    if response.streaming:
        # A stream is written after the view has returned: it enters by itself.
        response.streaming_content = _streamed(request.viewer, response.streaming_content)
    return response


def _streamed(viewer: Viewer, content: Any) -> Iterator[bytes]:
    with behind_the_wall(viewer):
        yield from content
