"""Where one is signed in, and ending that."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tallystick.book.access.sessions import (
    MAX_AGE,
    MAX_IDLE,
    end_session,
    end_sessions,
    sessions_of,
)


@require_safe
@never_cache
@login_required
def session_list(request: HttpRequest) -> HttpResponse:
    open_sessions = sessions_of(
        request.user, current_key=request.session.session_key, at=timezone.now()
    )
    return render(
        request,
        "usersessions/list.html",
        {
            "sessions": open_sessions,
            "max_hours": int(MAX_AGE.total_seconds() // 3600),
            "max_idle_minutes": int(MAX_IDLE.total_seconds() // 60),
        },
    )


@require_POST
@login_required
def end_one(request: HttpRequest, number: int) -> HttpResponse:
    end_session(request.user, number)
    messages.success(request, _("That session has ended."))
    return redirect("usersessions_list")


@require_POST
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    end_sessions(request.user, except_key=request.session.session_key)
    messages.success(request, _("You are signed in here only."))
    return redirect("usersessions_list")
