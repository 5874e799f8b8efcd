"""Users: who may sign in, in what role; every change is an act in the book."""

import secrets
from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.access.users import (
    change_role,
    disable_user,
    enable_user,
    failed_attempts,
    reset_second_factor,
    unlock_user,
)
from tallystick.book.acts.once import Caller
from tallystick.book.parties.add_user import add_user
from tallystick.book.parties.models import Role, User
from tallystick.book.parties.set_password import set_password
from tallystick.faces.portal.filters import ANY
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import sliced
from tallystick.faces.portal.words import WORDS

PASSWORD_BYTES = 18  # 24 characters, beyond guessing

PEOPLE = [role for role in Role if role is not Role.MACHINE]
STAFF = [role for role in PEOPLE if role is not Role.SUPPLIER]


def _roles(roles: list[Role]) -> list[tuple[str, Any]]:
    return [(role.value, WORDS["role"][role.value]) for role in roles]


class UsersForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[ANY, *_roles(PEOPLE)])
    address = forms.CharField(label=_("Part of the address"), required=False, max_length=100)


class AddForm(ActForm):
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=_roles(PEOPLE))
    firm = forms.CharField(
        label=_("Firm's code"),
        required=False,
        max_length=64,
        help_text=_("For a supplier's user only."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("firm")) != (cleaned.get("role") == Role.SUPPLIER):
            self.add_error(
                "firm", _now("A supplier's user belongs to a firm, and nobody else's does.")
            )
        return cleaned


class RoleForm(ActForm):
    role = forms.ChoiceField(label=_("New role"), choices=_roles(STAFF))


@page(May.MANAGE_USERS)
def listed(request: HttpRequest) -> HttpResponse:
    form = UsersForm(request.GET)
    rows = reach.users(request.viewer).select_related("party")
    asked = form.cleaned_data if form.is_valid() else {}
    if asked.get("role"):
        rows = rows.filter(role=asked["role"])
    if asked.get("address"):
        rows = rows.filter(email__icontains=asked["address"])
    return render(
        request,
        "portal/house/users.html",
        {"form": form, "part": sliced(rows, by=["id"], cursor=request.GET.get("cursor", ""))},
    )


@page(May.MANAGE_USERS)
def one(request: HttpRequest, user: int) -> HttpResponse:
    found = _user(request, user)
    return render(
        request,
        "portal/house/user.html",
        {
            "user_shown": found,
            "is_oneself": found.email == request.viewer.name,
            "is_staff": found.party_id is None,
            "has_second_factor": Authenticator.objects.filter(user_id=found.pk).exists(),
            "failed_attempts": sum(
                failed_attempts(found).values_list("failures_since_start", flat=True)
            ),
        },
    )


@page(May.MANAGE_USERS)
def add(request: HttpRequest) -> HttpResponse:
    """Add somebody; the password that was made for them is shown this once."""
    words = ActPage(
        title=_now("Add a user"),
        lead=_now(
            "A password is made and shown to you once. It lets in once, to choose another one."
        ),
        button=_now("Add the user"),
        back=reverse("house-users"),
    )

    def added(asked: dict[str, Any], caller: Caller) -> HttpResponse:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        user = add_user(
            email=asked["email"],
            role=asked["role"],
            password=password,
            party_code=asked["firm"] or None,
            caller=caller,
            must_change_password=True,
        )
        return _shown_once(request, user, password)

    return act_page(request, AddForm(request.POST or None), words, added)


@page(May.MANAGE_USERS)
def new_password(request: HttpRequest, user: int) -> HttpResponse:
    """Make another password for somebody who has lost theirs."""
    found = _user(request, user)
    words = _words(
        found,
        _now("Make a new password"),
        _now("The old one no longer lets in, and every session ends. Make sure of who asks."),
        _now("Make a new password"),
    )

    def made(_asked: dict[str, Any], caller: Caller) -> HttpResponse:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        set_password(email=found.email, password=password, caller=caller, must_change_password=True)
        return _shown_once(request, found, password)

    return act_page(request, ActForm(request.POST or None), words, made)


@page(May.MANAGE_USERS)
def role(request: HttpRequest, user: int) -> HttpResponse:
    """Give somebody of the house another role."""
    found = _user(request, user)
    words = _words(
        found,
        _now("Change the role"),
        _now("Every session of the user ends. Nobody changes their own role."),
        _now("Change the role"),
    )
    form = RoleForm(request.POST or None, initial={"role": found.role})

    def changed(asked: dict[str, Any], caller: Caller) -> Told:
        change_role(found.email, Role(asked["role"]), caller=caller, key=asked["key"])
        return Told(
            _page_of(found),
            _now("%(user)s has another role now.") % {"user": found.email},
        )

    return act_page(request, form, words, changed)


@page(May.MANAGE_USERS)
def shut_out(request: HttpRequest, user: int) -> HttpResponse:
    """Let somebody sign in no more; what they did stays."""
    found = _user(request, user)
    words = _words(
        found,
        _now("Shut the user out"),
        _now("Every session ends and signing in is refused. What the user did stays as it is."),
        _now("Shut out"),
        is_grave=True,
    )
    return _simple(request, found, words, disable_user, _now("%(user)s can no longer sign in."))


@page(May.MANAGE_USERS)
def let_in(request: HttpRequest, user: int) -> HttpResponse:
    """Let somebody sign in again."""
    found = _user(request, user)
    words = _words(
        found,
        _now("Let the user in again"),
        _now("The user can sign in again, with the password and role as before."),
        _now("Let in"),
    )
    return _simple(request, found, words, enable_user, _now("%(user)s can sign in again."))


@page(May.MANAGE_USERS)
def unlock(request: HttpRequest, user: int) -> HttpResponse:
    """Forget failed attempts to sign in."""
    found = _user(request, user)
    words = _words(
        found,
        _now("Unlock the user"),
        _now("Failed attempts to sign in are forgotten, so that the next one counts as the first."),
        _now("Unlock"),
    )
    return _simple(request, found, words, unlock_user, _now("%(user)s is unlocked."))


@page(May.MANAGE_USERS)
def second_factor(request: HttpRequest, user: int) -> HttpResponse:
    """Take the second factor off somebody who has lost it."""
    found = _user(request, user)
    words = _words(
        found,
        _now("Reset the second factor"),
        _now("The password alone lets in afterwards, and every session ends. Make sure who asks."),
        _now("Reset the second factor"),
        is_grave=True,
    )
    return _simple(
        request,
        found,
        words,
        reset_second_factor,
        _now("The second factor of %(user)s is taken off."),
    )


def _simple(
    request: HttpRequest,
    user: User,
    words: ActPage,
    act: Callable[..., object],
    done: str,
) -> HttpResponse:
    def acted(asked: dict[str, Any], caller: Caller) -> Told:
        act(user.email, caller=caller, key=asked["key"])
        return Told(_page_of(user), done % {"user": user.email})

    return act_page(request, ActForm(request.POST or None), words, acted)


def _user(request: HttpRequest, number: int) -> User:
    rows = reach.users(request.viewer).select_related("party")
    found: User = reach.by_number(rows, "user", number)
    return found


def _words(user: User, title: str, lead: str, button: str, *, is_grave: bool = False) -> ActPage:
    facts = [(_now("User"), user.email), (_now("Role"), str(WORDS["role"][user.role]))]
    return ActPage(title, lead, button, _page_of(user), facts, is_grave)


def _page_of(user: User) -> str:
    return reverse("house-users-one", args=[user.pk])


def _shown_once(request: HttpRequest, user: User, password: str) -> HttpResponse:
    """Not kept for a next page: a password stands in no cookie and in no session."""
    return render(
        request, "portal/house/user_password.html", {"user_shown": user, "password": password}
    )
