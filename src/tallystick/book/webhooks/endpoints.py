"""Endpoints: added, given another secret, switched off."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from django.conf import settings
from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.add_user import FirmMissing
from tallystick.book.parties.models import Party
from tallystick.book.webhooks.addresses import target_of
from tallystick.book.webhooks.models import Endpoint
from tallystick.book.webhooks.secrets import shown_secret
from tallystick.rules.refusal import Refusal

TOPICS: Mapping[str, str] = {
    "payment_ordered": "a payment was ordered from the bank",
    "payment_paid": "the bank has paid one",
    "payment_rejected": "the bank has turned one down",
    "facility_freeze": "a facility was frozen, or may be drawn again",
    "sales_line_freeze": "a line out of sales was frozen, or may be drawn again",
    "due_date_moved": "a loan's due date moved, the year's holidays having been published",
    "dunning_due": "a firm that pays late has reached a step of the dunning ladder",
}
"""What is told of. An endpoint without topics hears of all, and of those that come to be."""

_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


class EndpointUnusable(Refusal):
    """What was said of a new endpoint cannot be."""


class EndpointExists(Refusal):
    """The code is taken; an endpoint switched off keeps its code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"There is an endpoint {code} already. Choose another code.")


class UnknownEndpoint(Refusal):
    """No endpoint has this code, or it is switched off."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"There is no endpoint {code[:80]!r} in use. List them and name one.")


class UnknownTopic(Refusal):
    """Nothing is told of under this topic."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        super().__init__(f"There is no topic {topic[:80]!r}. There is: {', '.join(TOPICS)}.")


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint to be added. ``topics``: what it hears of; none: everything.

    ``party_code``: the firm whose objects it hears of only; None: the house's own endpoint.
    """

    code: str
    url: str
    topics: tuple[str, ...] = ()
    party_code: str | None = None


class AddedEndpoint(NamedTuple):
    code: str
    secret: str


def add_endpoint(new: NewEndpoint, *, caller: Caller) -> AddedEndpoint:
    """Add an endpoint; it hears of what happens from now on.

    Raises EndpointUnusable, UnusableUrl, UnknownTopic, EndpointExists, FirmMissing.
    """
    if not _CODE.fullmatch(new.code):
        raise EndpointUnusable(
            f"{new.code[:80]!r} cannot be an endpoint's code. Use 1 to 40 small letters, digits, "
            "dots, dashes and underscores, a letter or digit first."
        )
    target_of(new.url, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
    for topic in new.topics:
        if topic not in TOPICS:
            raise UnknownTopic(topic)
    request = {
        "code": new.code,
        "url": new.url,
        "topics": list(new.topics),
        "firm": new.party_code,
    }
    with once(caller, key=f"endpoint:{uuid4()}", kind="add_endpoint", request=request) as act:
        if Endpoint.objects.filter(code=new.code).exists():
            raise EndpointExists(new.code)
        party = None
        if new.party_code is not None:
            party = Party.objects.filter(code=new.party_code).first()
            if party is None:
                raise FirmMissing(new.party_code)
        endpoint = Endpoint.objects.create(
            code=new.code,
            url=new.url,
            party=party,
            topics=sorted(set(new.topics)),
            created_by=caller.actor,
        )
        act.answer({"endpoint": new.code})
    return AddedEndpoint(endpoint.code, shown_secret(endpoint))


def rotate_secret(code: str, *, caller: Caller) -> AddedEndpoint:
    """Sign with another secret from now on, and for a day with the old one too.

    Raises UnknownEndpoint.
    """
    with once(caller, key=f"rotate:{uuid4()}", kind="rotate_secret", request={"code": code}) as act:
        _changed(
            "UPDATE webhooks_endpoint SET rotation = rotation + 1, rotated_at = now()"
            " WHERE code = %s AND disabled_at IS NULL",
            code,
        )
        act.answer({"endpoint": code})
    return AddedEndpoint(code, shown_secret(Endpoint.objects.get(code=code)))


def disable_endpoint(code: str, *, caller: Caller) -> None:
    """Send it nothing any more. What still waits for it stays as it is.

    Raises UnknownEndpoint.
    """
    with once(
        caller, key=f"disable:{uuid4()}", kind="disable_endpoint", request={"code": code}
    ) as act:
        _changed(
            "UPDATE webhooks_endpoint SET disabled_at = now()"
            " WHERE code = %s AND disabled_at IS NULL",
            code,
        )
        act.answer({"endpoint": code})


def endpoints() -> Sequence[Endpoint]:
    """All endpoints, those in use first, by code."""
    return Endpoint.objects.select_related("party").order_by("-disabled_at", "code")


def _changed(statement: str, code: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [code.replace("\x00", "")])
        if not cursor.rowcount:
            raise UnknownEndpoint(code)
