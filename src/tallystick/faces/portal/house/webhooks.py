"""Webhooks: servers that hear what happens, and what could not be delivered to them."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.access.reach import NotThere
from tallystick.book.acts.once import Caller
from tallystick.book.webhooks.addresses import MAX_URL_LENGTH
from tallystick.book.webhooks.deliveries import replay as replay_delivery
from tallystick.book.webhooks.endpoints import (
    TOPICS,
    AddedEndpoint,
    NewEndpoint,
    add_endpoint,
    disable_endpoint,
    endpoints,
    rotate_secret,
)
from tallystick.book.webhooks.models import Delivery, DeliveryState, Endpoint
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import sliced


class EndpointForm(ActForm):
    code = forms.SlugField(label=_("What it is called"), max_length=40)
    url = forms.CharField(
        label=_("Address"),
        max_length=MAX_URL_LENGTH,
        help_text=_("It begins with https:// and is reached over the internet."),
    )
    topics = forms.MultipleChoiceField(
        label=_("What it hears of"),
        required=False,
        choices=[(topic, topic) for topic in TOPICS],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None: everything."),
    )
    firm = forms.CharField(
        label=_("Firm's code"),
        required=False,
        max_length=64,
        help_text=_("It hears of this firm's objects only. Empty: of everybody's."),
    )


@page(May.MANAGE_CLIENTS)
def listed(request: HttpRequest) -> HttpResponse:
    """The endpoints, and what was given up."""
    dead = Delivery.objects.filter(state=DeliveryState.DEAD).select_related("endpoint", "message")
    return render(
        request,
        "portal/house/webhooks.html",
        {
            "endpoints": endpoints(),
            "part": sliced(dead, by=["-id"], cursor=request.GET.get("cursor", "")),
        },
    )


@page(May.MANAGE_CLIENTS)
def add(request: HttpRequest) -> HttpResponse:
    """Add an endpoint and show the secret by which its messages are signed."""
    words = ActPage(
        title=_now("Add an endpoint"),
        lead=_now("It is told what happens from now on, signed with a secret that you are shown."),
        button=_now("Add the endpoint"),
        back=reverse("house-webhooks"),
    )

    def added(asked: dict[str, Any], caller: Caller) -> HttpResponse:
        return _shown(
            request,
            add_endpoint(
                NewEndpoint(
                    code=asked["code"],
                    url=asked["url"],
                    topics=tuple(asked["topics"]),
                    party_code=asked["firm"] or None,
                ),
                caller=caller,
            ),
        )

    return act_page(request, EndpointForm(request.POST or None), words, added)


@page(May.MANAGE_CLIENTS)
def rotate(request: HttpRequest, code: str) -> HttpResponse:
    """Sign with another secret."""
    found = _endpoint(code)
    words = _words(
        found,
        _now("Change the secret"),
        _now("Messages are signed with a new secret, and for a day with the old one as well."),
        _now("Change the secret"),
    )

    def rotated(_asked: dict[str, Any], caller: Caller) -> HttpResponse:
        return _shown(request, rotate_secret(found.code, caller=caller))

    return act_page(request, ActForm(request.POST or None), words, rotated)


@page(May.MANAGE_CLIENTS)
def disable(request: HttpRequest, code: str) -> HttpResponse:
    """Send an endpoint nothing any more."""
    found = _endpoint(code)
    words = _words(
        found,
        _now("Switch the endpoint off"),
        _now("It is sent nothing any more. What still waits for it stays where it is."),
        _now("Switch off"),
        is_grave=True,
    )

    def disabled(_asked: dict[str, Any], caller: Caller) -> Told:
        disable_endpoint(found.code, caller=caller)
        return Told(
            reverse("house-webhooks"),
            _now("%(endpoint)s is switched off.") % {"endpoint": found.code},
        )

    return act_page(request, ActForm(request.POST or None), words, disabled)


@page(May.MANAGE_CLIENTS)
def replay(request: HttpRequest, number: int) -> HttpResponse:
    """Send again what was given up."""
    rows = Delivery.objects.select_related("endpoint", "message")
    found: Delivery = reach.by_number(rows, "delivery", number)
    words = ActPage(
        title=_now("Send it again"),
        lead=_now("It goes out under the same number. It may arrive after later messages."),
        button=_now("Send again"),
        back=reverse("house-webhooks"),
        facts=[
            (_now("Endpoint"), found.endpoint.code),
            (_now("Message"), f"{found.message.topic}, {found.subject}"),
            (_now("Last error"), found.last_error),
        ],
    )

    def replayed(_asked: dict[str, Any], caller: Caller) -> Told:
        replay_delivery(found.pk, caller=caller)
        return Told(reverse("house-webhooks"), _now("It is about to be sent again."))

    return act_page(request, ActForm(request.POST or None), words, replayed)


def _shown(request: HttpRequest, added: AddedEndpoint) -> HttpResponse:
    return render(request, "portal/house/webhook_secret.html", {"added": added})


def _endpoint(code: str) -> Endpoint:
    found = Endpoint.objects.filter(code=code, disabled_at=None).first()
    if found is None:
        raise NotThere("endpoint", code)
    return found


def _words(
    endpoint: Endpoint, title: str, lead: str, button: str, *, is_grave: bool = False
) -> ActPage:
    facts = [(_now("Endpoint"), endpoint.code), (_now("Address"), endpoint.url)]
    return ActPage(title, lead, button, reverse("house-webhooks"), facts, is_grave)
