"""Changing the password; with it every other session ends."""

from typing import Any

from allauth.account.views import PasswordChangeView
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from tallystick.book.access.sessions import end_sessions
from tallystick.book.parties.set_password import set_password


@method_decorator([login_required, never_cache], name="dispatch")
class ChangePassword(PasswordChangeView):
    """The present password, and a new one twice."""

    def form_valid(self, form: Any) -> HttpResponse:
        request, chosen = self.request, form.cleaned_data["password1"]
        if chosen == form.cleaned_data["oldpassword"]:
            form.add_error("password1", _("The new password is the old one. Choose another."))
            return self.form_invalid(form)
        user = set_password(
            email=request.user.email, password=chosen, caller=request.viewer.caller("portal")
        )
        update_session_auth_hash(request, user)
        UserSession.objects.create_from_request(request)
        end_sessions(user, except_key=request.session.session_key)
        messages.success(request, _("Your password is changed. You are signed in here only."))
        return redirect("home")
