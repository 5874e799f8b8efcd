"""How allauth signs our people in: nobody signs up, and what is wrong is said with its remedy."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tallystick.book.parties.models import User
from tallystick.faces.portal.signin.address import address_of


class AccountAdapter(DefaultAccountAdapter):
    """Passwords. Failures are counted by axes, for all workers of the server together."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "Address and password do not belong together. Check both; an operator can give you "
            "a new password."
        ),
        "enter_current_password": _("This is not your present password."),
        "incorrect_password": _("This is not your password."),
        "too_many_login_attempts": _("Too many wrong codes. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: object) -> None:
        """Nothing: axes has been asked first."""

    def reauthenticate(self, user: User, password: str) -> bool:
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk


class SecondFactorAdapter(DefaultMFAAdapter):
    """Codes from an app, recovery codes, passkeys."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _(
            "This code is not right. Type the one that the app shows now; the clock of the phone "
            "has to be right. A recovery code works once."
        ),
        "rate_limited": _("Too many wrong codes. Wait five minutes, then try again."),
    }
