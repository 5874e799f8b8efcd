"""Django settings of one installation, read once from the environment.

TALLY_HOME        where the installation keeps its files (default ``./var``)
DATABASE_URL      a PostgreSQL 18 server and database; without it the embedded cluster is used
TALLY_SECRET_KEY  the signing key; without it one is made at first use and kept in TALLY_HOME
TALLY_HOSTS       comma-separated host names the server answers to (default: this machine only)
TALLY_ORIGIN      the address that people see, such as https://finance.example, when a proxy stands
                  before the server: cookies are then for https only
TALLY_MAIL_HOST … the mail server for letters, as ``site.mail`` reads it; without it they are files
TALLY_WEBHOOK_ALLOW_LOOPBACK  1: webhooks may be sent to this machine itself, over http too
"""

import os
import secrets
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from tallystick.site.cluster import home
from tallystick.site.mail import SECONDS_TO_ANSWER, mail_in
from tallystick.site.server import APPLICATION_ROLE, ENGINE, Server


def database_entry(url: str | None) -> dict[str, Any]:
    """Django's entry for the database at ``url``, as the application's role.

    Without a URL the entry names no database: ``databases.use`` fills it in once one is opened,
    and a query before that is refused by Django.
    """
    if not url:
        return {"ENGINE": ENGINE, "NAME": ""}
    return Server.from_url(url).django_entry(role=APPLICATION_ROLE)


def signing_key() -> str:
    """The installation's key, made at first use and readable by its owner only."""
    if key := os.environ.get("TALLY_SECRET_KEY"):
        return key
    file = home() / "secret-key"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".secret-key-{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            # A link, not a rename: of two first users, the first one's key stays.
            file.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text()


SECRET_KEY = signing_key()
DEBUG = False
ALLOWED_HOSTS = [
    name for name in os.environ.get("TALLY_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if name
]

INSTALLED_APPS = [
    "tallystick.faces.portal",  # first: its pages stand in for those of the others
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_htmx",
    "tallystick.book.acts",
    "tallystick.book.parties",
    "tallystick.book.ledger",
    "tallystick.book.trade",
    "tallystick.book.collateral",
    "tallystick.book.financing",
    "tallystick.book.funding",
    "tallystick.book.sales_credit",
    "tallystick.book.payments",
    "tallystick.book.servicing",
    "tallystick.book.proposals",
    "tallystick.book.collections",
    "tallystick.book.impairment",
    "tallystick.book.watch",
    "tallystick.book.access",
    "tallystick.book.wall",
    "tallystick.book.webhooks",
]
MIDDLEWARE = [
    "tallystick.faces.request_log.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tallystick.faces.api.middleware.ApiMiddleware",  # answers the API; the others are for people
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tallystick.faces.portal.middleware.ViewerMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "tallystick.faces.urls"

DATABASES = {"default": database_entry(os.environ.get("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "parties.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

AUTHENTICATION_BACKENDS = [
    # Asked first: who has failed too often is not asked for a password any more.
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an operator adds users: nobody signs up
ACCOUNT_ADAPTER = "tallystick.faces.portal.signin.adapters.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = False  # a session ends with the browser
MFA_ADAPTER = "tallystick.faces.portal.signin.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = "Tallystick"
MFA_TOTP_TOLERANCE = 1  # the code before, and the one after: clocks differ
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses come from operators
MFA_PASSKEY_LOGIN_ENABLED = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "tallystick.faces.portal.context.portal",
            ],
        },
    }
]
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

# Failed attempts to sign in, by account and address: the database counts for all workers.
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = "tallystick.faces.portal.signin.lockout.wait"
AXES_USE_ATTEMPT_EXPIRATION = True
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "tallystick.faces.portal.signin.lockout.account_of"
AXES_CLIENT_IP_CALLABLE = "tallystick.faces.portal.signin.address.address_of"
AXES_LOCKOUT_CALLABLE = "tallystick.faces.portal.signin.lockout.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken", "code", "credential"]
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# The address that people see. Behind a proxy it is https, and cookies are for https only.
ORIGIN = os.environ.get("TALLY_ORIGIN", "")
IS_HTTPS = urlsplit(ORIGIN).scheme == "https"
CSRF_TRUSTED_ORIGINS = [ORIGIN] if ORIGIN else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
# A browser takes a cookie of such a name only over https and from this very host.
_COOKIE_PREFIX = "__Host-" if IS_HTTPS else ""
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}session"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrf"
CSRF_FAILURE_VIEW = "tallystick.faces.portal.signin.expired.form_not_ours"
# Passkeys belong to https; on this machine itself browsers make an exception.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # at most; book.access.sessions ends it earlier when idle
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# No form of ours is larger: a field of ten megabytes is refused before it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# For trying webhooks out; a receiver must otherwise be https and have a public address.
WEBHOOK_ALLOW_LOOPBACK = os.environ.get("TALLY_WEBHOOK_ALLOW_LOOPBACK") == "1"

MAIL = mail_in(os.environ, folder=home() / "mail")
EMAIL_BACKEND = MAIL.backend
EMAIL_FILE_PATH = str(MAIL.folder)
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS = MAIL.security == "starttls"
EMAIL_USE_SSL = MAIL.security == "tls"
EMAIL_TIMEOUT = SECONDS_TO_ANSWER
DEFAULT_FROM_EMAIL = MAIL.sender

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING_CONFIG = None  # the command line decides: sentences for a person, JSON lines for a server
