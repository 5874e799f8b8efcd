"""Django settings of one installation, read once from the environment.

TALLY_HOME        where the installation keeps its files (default ``./var``)
DATABASE_URL      a PostgreSQL 18 server and database; without it the embedded cluster is used
TALLY_SECRET_KEY  the signing key; without it one is made at first use and kept in TALLY_HOME
TALLY_HOSTS       comma-separated host names the server answers to (default: this machine only)
"""

import os
import secrets
from typing import Any

from tallystick.site.cluster import home
from tallystick.site.server import APPLICATION_ROLE, Server


def database_entry(url: str | None) -> dict[str, Any]:
    """Django's entry for the database at ``url``, as the application's role.

    Without a URL the entry names no database: ``databases.use`` fills it in once one is opened,
    and a query before that is refused by Django.
    """
    if not url:
        return {"ENGINE": "django.db.backends.postgresql", "NAME": ""}
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
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "tallystick.book.acts",
    "tallystick.book.parties",
    "tallystick.book.ledger",
    "tallystick.book.trade",
    "tallystick.book.collateral",
    "tallystick.book.financing",
    "tallystick.book.funding",
    "tallystick.book.payments",
    "tallystick.book.servicing",
    "tallystick.book.watch",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING_CONFIG = None  # the command line decides: sentences for a person, JSON lines for a server
