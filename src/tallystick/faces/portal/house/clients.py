"""Machine clients: programs that may use the API; a key is shown once, when it is made."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access.clients import (
    DEFAULT_REQUESTS_A_MINUTE,
    MAX_CODE_LENGTH,
    MAX_REQUESTS_A_MINUTE,
    NewClient,
    add_client,
    clients,
    revoke_client,
)
from tallystick.book.access.models import MachineClient
from tallystick.book.access.permissions import May
from tallystick.book.access.reach import NotThere
from tallystick.book.access.scopes import SCOPES
from tallystick.book.acts.once import Caller
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.pages import page


class ClientForm(ActForm):
    code = forms.SlugField(label=_("What it is called"), max_length=MAX_CODE_LENGTH)
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[(scope, scope) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    firm = forms.CharField(
        label=_("Firm's code"),
        required=False,
        max_length=64,
        help_text=_("It reaches this firm's objects only. Empty: a client of the house."),
    )
    user = forms.EmailField(
        label=_("Speaks for"),
        required=False,
        help_text=_("Address of the user whose proposals or decisions it makes. Empty: nobody."),
    )
    days = forms.IntegerField(
        label=_("Days until it expires"), required=False, min_value=1, max_value=3_650
    )
    requests = forms.IntegerField(
        label=_("Requests a minute"),
        initial=DEFAULT_REQUESTS_A_MINUTE,
        min_value=1,
        max_value=MAX_REQUESTS_A_MINUTE,
    )


@page(May.MANAGE_CLIENTS)
def listed(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/house/clients.html", {"clients": clients()})


@page(May.MANAGE_CLIENTS)
def add(request: HttpRequest) -> HttpResponse:
    """Make a client; its key is on the answer to this form and nowhere else."""
    words = ActPage(
        title=_now("Add a machine client"),
        lead=_now("A key is made and shown to you once. Whoever holds it acts as the client."),
        button=_now("Add the client"),
        back=reverse("house-clients"),
    )

    def added(asked: dict[str, Any], caller: Caller) -> HttpResponse:
        days = asked["days"]
        key = add_client(
            NewClient(
                code=asked["code"],
                scopes=tuple(asked["scopes"]),
                party_code=asked["firm"] or None,
                user_email=asked["user"] or None,
                expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
                max_requests_a_minute=asked["requests"],
            ),
            caller=caller,
        )
        return render(
            request, "portal/house/client_key.html", {"client": asked["code"], "key": key}
        )

    return act_page(request, ClientForm(request.POST or None), words, added)


@page(May.MANAGE_CLIENTS)
def revoke(request: HttpRequest, code: str) -> HttpResponse:
    """Let a client in no more."""
    found = MachineClient.objects.filter(code=code).first()
    if found is None:
        raise NotThere("machine client", code)
    words = ActPage(
        title=_now("Revoke the client"),
        lead=_now("Its key is refused from this moment on, and cannot be given back."),
        button=_now("Revoke"),
        back=reverse("house-clients"),
        facts=[
            (_now("Client"), found.code),
            (_now("What it may do"), ", ".join(found.scopes)),
        ],
        is_grave=True,
    )

    def revoked(_asked: dict[str, Any], caller: Caller) -> Told:
        revoke_client(found.code, caller=caller)
        return Told(
            reverse("house-clients"), _now("%(client)s is revoked.") % {"client": found.code}
        )

    return act_page(request, ActForm(request.POST or None), words, revoked)
