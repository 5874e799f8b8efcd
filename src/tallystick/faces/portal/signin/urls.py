"""Signing in and out, second factors, sessions: the addresses of allauth that we let in.

Nobody signs up here, no address is confirmed by mail and no password is reset by it: operators
add users and give new passwords.
"""

from allauth.account import views
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from tallystick.faces.portal.signin import password, sessions

urlpatterns = [
    path("login/", never_cache(views.login), name="account_login"),
    path("logout/", require_POST(views.logout), name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", never_cache(views.reauthenticate), name="account_reauthenticate"),
    path("password/", password.ChangePassword.as_view(), name="account_change_password"),
    path("sessions/", sessions.session_list, name="usersessions_list"),
    path("sessions/<int:number>/end/", sessions.end_one, name="usersessions_end"),
    path("sessions/end-others/", sessions.end_others, name="usersessions_end_others"),
    path("second-factor/", never_cache(factors.index), name="mfa_index"),
    path("second-factor/ask/", never_cache(factors.authenticate), name="mfa_authenticate"),
    path("second-factor/again/", never_cache(factors.reauthenticate), name="mfa_reauthenticate"),
    path("second-factor/app/", never_cache(totp.activate_totp), name="mfa_activate_totp"),
    path("second-factor/app/off/", never_cache(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "second-factor/recovery/",
        never_cache(recovery.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "second-factor/recovery/new/",
        never_cache(recovery.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "second-factor/recovery/download/",
        never_cache(recovery.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path("passkeys/", never_cache(passkeys.list_webauthn), name="mfa_list_webauthn"),
    path("passkeys/add/", never_cache(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("passkeys/login/", never_cache(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path(
        "passkeys/again/",
        never_cache(passkeys.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path("passkeys/<int:pk>/", never_cache(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
    path(
        "passkeys/<int:pk>/remove/",
        never_cache(passkeys.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
]
