"""A page on which somebody of the house acts: what it does, a form, and what was answered.

The form carries a request key that was made when it was shown: a double click, the back button
and a second tab act once. A refusal is told beside what was typed. Where an act can be looked at
first, the form is sent twice: once to see what would change, and once to confirm it.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from tallystick.book.access.permissions import NotAllowed
from tallystick.book.access.reach import NotThere
from tallystick.book.acts.once import Caller
from tallystick.faces.portal.refusals import refusal_status, told
from tallystick.rules.refusal import Refusal

MAX_REASON_LENGTH = 500
CONFIRMED, CHANGED_MIND = "confirm", "change"
"""Steps of a form that is looked at before it is confirmed."""


class ActForm(forms.Form):
    """What every act is asked with: a request key, and why."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=100)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON_LENGTH,
        help_text=_("Kept with the act, for those who read the books later."),
    )

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.order_fields([name for name in self.fields if name != "reason"])
        self.fields["key"].initial = secrets.token_urlsafe(24)


class Told(NamedTuple):
    """Where to go once the act is done, and what to say there."""

    url: str
    message: str


class Changed(NamedTuple):
    """One figure before and after an act."""

    label: str
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


class Preview(NamedTuple):
    """What would be done, in words, and what it would change."""

    told: str
    changes: Sequence[Changed]


class ActPage(NamedTuple):
    """The words of the page. ``facts``: label and text of what the act is about.

    ``changes`` are known without anything typed; ``warning``: why it may be refused.
    """

    title: str
    lead: str
    button: str
    back: str
    facts: Sequence[tuple[str, str]] = ()
    is_grave: bool = False
    changes: Sequence[Changed] = ()
    warning: str = ""


def act_page(
    request: HttpRequest,
    form: ActForm,
    page: ActPage,
    act: Callable[[dict[str, Any], Caller], Told | HttpResponse],
    *,
    preview: Callable[[dict[str, Any], Caller], Preview] | None = None,
    template: str = "portal/house/act.html",
) -> HttpResponse:
    """Show the form, or act on it; ``act`` is given what was typed and the caller.

    With a ``preview``, which is given the same, what would change is shown before it is confirmed.
    ``template`` lays out a form that is more than a column of fields.
    """
    status = 200
    shown: Preview | None = None
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                caller = request.viewer.caller("portal", form.cleaned_data["reason"])
                if preview is not None and request.POST.get("step") != CONFIRMED:
                    shown = preview(form.cleaned_data, caller)
                else:
                    done = act(form.cleaned_data, caller)
            except (NotAllowed, NotThere):
                raise
            except Refusal as refusal:
                for said in told(refusal):
                    form.add_error(None, " ".join(part for part in said if part))
                status = refusal_status(refusal)
            else:
                if shown is None:
                    return _answered(request, done)
                status = 200
    if request.POST.get("step") == CHANGED_MIND:
        shown = None
    context = {"form": form, "act": page, "preview": shown, "is_previewed": preview is not None}
    return render(request, template, context, status=status)


def _answered(request: HttpRequest, done: Told | HttpResponse) -> HttpResponse:
    if isinstance(done, HttpResponse):
        return done
    messages.success(request, done.message)
    return redirect(done.url)
