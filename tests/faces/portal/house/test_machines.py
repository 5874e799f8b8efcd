"""The pages on which an operator lets machines in, and tells servers what happens."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from tests.faces.webhooks.test_deliveries import told

from tallystick.book.access.clients import KeyRefused, let_in
from tallystick.book.access.models import MachineClient
from tallystick.book.acts.models import Act
from tallystick.book.parties.models import User
from tallystick.book.webhooks import deliveries
from tallystick.book.webhooks.models import Delivery, Endpoint

WHY = {"key": "k", "reason": "the marketplace asked for it"}


@pytest.fixture
def operator(database) -> Client:
    user = User.objects.create(email="operator@factor.example", role="operator")
    client = Client(HTTP_HOST="localhost")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def add_client(operator: Client, **changes: object) -> str:
    form = {**WHY, "code": "mall", "scopes": ["documents:write"], "requests": "60", **changes}
    return operator.post(reverse("house-clients-add"), form).content.decode()


def add_endpoint(operator: Client, **changes: object) -> str:
    form = {**WHY, "code": "hook", "url": "https://hooks.mall.example/in", **changes}
    return operator.post(reverse("house-webhooks-add"), form).content.decode()


def test_a_client_is_added_its_key_shown_once_and_revoked(operator):
    page = add_client(operator)
    (key,) = re.findall(r"tk_[a-z0-9]+_[A-Za-z0-9_-]+", page)
    assert let_in(key).scopes == {"documents:write"}

    listed = operator.get(reverse("house-clients")).content.decode()
    assert "mall" in listed
    assert key.split("_", 2)[2] not in listed

    answer = operator.post(reverse("house-clients-revoke", args=["mall"]), WHY)
    assert answer.status_code == 302
    with pytest.raises(KeyRefused):
        let_in(key)
    act = Act.objects.get(kind="revoke_client")
    assert (act.actor, act.channel, act.reason) == (
        "operator@factor.example",
        "portal",
        WHY["reason"],
    )


def test_a_double_click_makes_one_client(operator):
    add_client(operator)
    again = add_client(operator)

    assert "already" in again
    assert MachineClient.objects.count() == 1


def test_a_client_that_cannot_be_is_refused_beside_the_form(operator):
    page = add_client(operator, scopes=["receipts:write"], firm="NOBODY")

    assert "receipts:write" in page
    assert not MachineClient.objects.exists()


def test_an_endpoint_is_added_its_secret_changed_and_switched_off(operator):
    first = re.findall(r"whsec_[A-Za-z0-9+/=]+", add_endpoint(operator))
    rotated = operator.post(reverse("house-webhooks-rotate", args=["hook"]), WHY).content.decode()
    second = re.findall(r"whsec_[A-Za-z0-9+/=]+", rotated)
    listed = operator.get(reverse("house-webhooks")).content.decode()

    assert len(first) == len(second) == 1
    assert first != second
    assert "https://hooks.mall.example/in" in listed
    assert "whsec_" not in listed
    operator.post(reverse("house-webhooks-disable", args=["hook"]), WHY)
    assert Endpoint.objects.get().disabled_at is not None
    assert operator.get(reverse("house-webhooks-rotate", args=["hook"])).status_code == 404


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://10.0.0.1/", "javascript:alert(1)"])
def test_an_address_inside_is_refused_beside_the_form(operator, url):
    page = add_endpoint(operator, url=url)

    assert "cannot be sent" in page
    assert not Endpoint.objects.exists()


def test_what_was_given_up_is_listed_and_sent_again(operator, monkeypatch):
    monkeypatch.setattr(settings, "WEBHOOK_ALLOW_LOOPBACK", True)
    add_endpoint(operator, url="http://127.0.0.1:9/")
    told("facility:F", 1)
    deliveries.fan_out()
    Delivery.objects.update(attempts=deliveries.MAX_ATTEMPTS - 1)
    deliveries.record_failed(deliveries.claim(), status=None, error="nobody there", jitter=0)
    listed = operator.get(reverse("house-webhooks")).content.decode()
    assert "nobody there" in listed

    number = Delivery.objects.get().pk
    answer = operator.post(reverse("house-webhooks-replay", args=[number]), WHY)

    assert answer.status_code == 302
    assert Delivery.objects.get().state == "waiting"
