"""What every answer carries for the browser's guard, and what no page may contain."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client
from tests.faces.portal.two_firms import SIGNED_IN, person, two_firms

from tallystick.book.parties.models import Role, User
from tallystick.faces import portal

TEMPLATES = sorted(Path(portal.__file__).parent.rglob("*.html"))
PAGES = {
    None: ("/account/login/", "/account/inactive/"),
    "supplier": ("/my/", "/my/loans/", "/my/claims/", "/my/dues/", "/my/statement/"),
    "operator": (
        "/house/",
        "/house/worklist/",
        "/house/claims/",
        "/house/facilities/",
        "/house/loans/",
        "/house/cash/",
        "/house/close/",
        "/house/ledger/",
        "/house/programmes/",
        "/house/users/",
        "/account/second-factor/",
        "/account/password/",
        "/account/sessions/",
        "/account/passkeys/",
        "/account/reauthenticate/",
    ),
}


class Inline(HTMLParser):
    """Gathers what a strict policy forbids: scripts, styles and handlers within the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        # A block of data is no script: no browser runs it.
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.found.append("an inline script")
        if tag == "style":
            self.found.append("an inline style sheet")
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")):
                self.found.append(f"{tag} {name}")
            if name in ("src", "href", "action", "srcset") and re.match(
                r"(?i)\s*(javascript|data|https?|//)", value or ""
            ):
                self.found.append(f"{tag} {name}={value}")


@pytest.fixture(scope="module")
def people(shared_database) -> dict[str, User]:
    _, ours, _ = two_firms()
    return {
        "supplier": person(Role.SUPPLIER, ours.facility.supplier),
        "operator": person(Role.OPERATOR),
    }


@pytest.fixture(autouse=True)
def nobody_is_too_quick() -> None:
    cache.clear()


def opened(people: dict[str, User], who: str | None) -> Client:
    client = Client(HTTP_HOST="localhost")
    if who is not None:
        client.force_login(people[who], backend=SIGNED_IN)
    return client


@pytest.mark.parametrize(
    ("who", "path"), [(who, path) for who, paths in PAGES.items() for path in paths]
)
def test_a_page_has_the_strict_policy_and_nothing_that_it_forbids(people, who, path):
    answer = opened(people, who).get(path)
    page = Inline()
    page.feed(answer.content.decode())

    assert answer.status_code == 200
    assert page.found == []
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "data:" not in policy
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'"):
        assert rule in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("who", ["supplier", "operator"])
def test_what_was_shown_to_somebody_is_kept_in_no_cache(people, who):
    for path in PAGES[who]:
        assert "no-store" in opened(people, who).get(path)["Cache-Control"], path


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_template_holds_a_style_a_handler_or_a_script(file):
    page = Inline()
    page.feed(re.sub(r"{[%#].*?[%#]}", "", file.read_text(), flags=re.DOTALL))

    assert page.found == []


def test_answers_that_refuse_are_guarded_too(people):
    refused = opened(people, "supplier").get("/house/")
    missing = opened(people, None).get("/nowhere/")

    for answer, status in ((refused, 403), (missing, 404)):
        assert answer.status_code == status
        assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_cookies_are_for_the_server_alone(people):
    client = opened(people, None)
    client.get("/account/login/")
    signed_in = opened(people, "operator")
    signed_in.get("/house/")

    for cookie in (client.cookies["csrf"], signed_in.cookies["session"]):
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


BEHIND_A_PROXY = """
import django
django.setup()
from django.conf import settings
from django.test import RequestFactory
from django.middleware.security import SecurityMiddleware
from django.http import HttpResponse
assert settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE
assert settings.LANGUAGE_COOKIE_SECURE
assert settings.SESSION_COOKIE_NAME == "__Host-session", settings.SESSION_COOKIE_NAME
assert settings.CSRF_COOKIE_NAME == "__Host-csrf"
assert settings.CSRF_TRUSTED_ORIGINS == ["https://finance.example"]
assert not settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN
request = RequestFactory().get("/", HTTP_X_FORWARDED_PROTO="https")
answer = SecurityMiddleware(lambda _: HttpResponse())(request)
assert answer["Strict-Transport-Security"] == "max-age=31536000", answer.headers
"""


def test_behind_a_proxy_cookies_are_bound_to_https_and_to_the_host():
    subprocess.run(
        [sys.executable, "-c", BEHIND_A_PROXY],
        check=True,
        env={
            **os.environ,
            "TALLY_ORIGIN": "https://finance.example",
            "TALLY_HOSTS": "finance.example,testserver",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
    )
