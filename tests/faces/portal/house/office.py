"""The house's people at the door: somebody of each role, signed in, and what they open."""

from html import unescape
from re import findall, search

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.faces.portal.two_firms import SIGNED_IN

from tallystick.book.parties.models import Party, Role, User

STAFF = (Role.OPERATOR, Role.RISK_OFFICER, Role.APPROVER, Role.TREASURY, Role.AUDITOR)
LANGUAGES = ("en", "zh-hans")


def user(role: Role, name: str = "") -> User:
    """Somebody of that role, the same each time; a supplier's is of the first firm."""
    found, _ = User.objects.get_or_create(
        email=f"{name or role}@house.example",
        defaults={
            "password": "!",
            "role": role,
            "party": Party.objects.order_by("id").first() if role == Role.SUPPLIER else None,
        },
    )
    return found


def signed_in(role: Role, name: str = "", language: str = "en") -> Client:
    client = Client(HTTP_HOST="localhost", headers={"accept-language": language})
    client.force_login(user(role, name), backend=SIGNED_IN)
    return client


def text_of(answer: HttpResponse) -> str:
    """What a page says, without its tags."""
    content = answer.content.decode()
    return " ".join(unescape(part) for part in findall(r">([^<]+)<", content))


def key_in(answer: HttpResponse) -> str:
    """The request key of the form that was shown."""
    found = search(r'name="key" value="([^"]+)"', answer.content.decode())
    assert found, text_of(answer)
    return unescape(found[1])


def queries_for(client: Client, url: str) -> int:
    """How many statements a page takes, once everything it caches is there."""
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)
