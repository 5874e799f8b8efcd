"""A page of the portal: who may open it, by what role permits."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from tallystick.book.access.permissions import May

View = Callable[..., HttpResponse]


def page(*acts: May) -> Callable[[View], View]:
    """A view for those who signed in and may do any of ``acts``; never kept in a cache."""

    def opened(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, **parts: object) -> HttpResponse:
            if not any(request.viewer.may(act) for act in acts):
                request.viewer.refuse_unless(acts[0])
            return view(request, **parts)

        return login_required(never_cache(checked))

    return opened
