"""The audit trail: every act, who asked for it, when, by which channel, and why."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.models import Act
from tallystick.book.ledger.browse import posted_lines
from tallystick.book.watch.audit import acts_about, entries_of, messages_of
from tallystick.faces.files.tables import csv_bytes
from tallystick.faces.portal.filters import DateField
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import sliced
from tallystick.faces.portal.words import WORDS

MOST_EXPORTED = 20_000
MOST_SHOWN = 100


class AuditForm(forms.Form):
    """What the trail is narrowed down to; all of it is optional."""

    actor = forms.CharField(label=_("Who"), required=False, max_length=254)
    kind = forms.ChoiceField(label=_("What"), required=False)
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    from_date = DateField(_("From"))
    to_date = DateField(_("To"))
    about = forms.CharField(label=_("Code of an object"), required=False, max_length=100)

    def __init__(self, *args: object, **given: object) -> None:
        super().__init__(*args, **given)
        kinds = sorted(WORDS["act"].items(), key=lambda item: str(item[1]))
        self.fields["kind"].choices = [("", _("Everything")), *kinds]
        self.fields["channel"].choices = [("", _("All")), *WORDS["channel"].items()]


@page(May.SEE_AUDIT)
def trail(request: HttpRequest) -> HttpResponse:
    form = AuditForm(request.GET)
    rows = _narrowed(reach.acts(request.viewer), form)
    part = sliced(rows, by=["-at", "-id"], cursor=request.GET.get("cursor", ""))
    return render(
        request,
        "portal/house/audit.html",
        {
            "form": form,
            "part": part,
            "most_exported": MOST_EXPORTED,
            "asked": request.GET.urlencode(),
        },
        status=200 if form.is_valid() else 422,
    )


@page(May.SEE_AUDIT)
def trail_csv(request: HttpRequest) -> HttpResponse:
    """The latest acts of the same choice, as a file whose texts are inert."""
    rows = _narrowed(reach.acts(request.viewer), AuditForm(request.GET))
    answer = HttpResponse(
        csv_bytes(_COLUMNS, _table(rows.order_by("-at", "-id")[:MOST_EXPORTED])),
        content_type="text/csv; charset=utf-8",
    )
    answer["Content-Disposition"] = 'attachment; filename="audit-trail.csv"'
    return answer


@page(May.SEE_AUDIT)
def act(request: HttpRequest, act: int) -> HttpResponse:
    """One act: what was asked and answered, and what it caused."""
    found: Act = reach.by_number(reach.acts(request.viewer), "act", act)
    entries = entries_of(found.pk, limit=MOST_SHOWN + 1)
    lines = posted_lines([entry.pk for entry in entries[:MOST_SHOWN]])
    messages = messages_of(found.pk, limit=MOST_SHOWN + 1)
    return render(
        request,
        "portal/house/audit_act.html",
        {
            "act": found,
            "hash": bytes(found.request_sha256).hex(),
            "answer": json.dumps(found.answer, ensure_ascii=False, indent=2),
            "entries": [(entry, lines[entry.pk]) for entry in entries[:MOST_SHOWN]],
            "messages_sent": [
                (message, json.dumps(message.payload, ensure_ascii=False))
                for message in messages[:MOST_SHOWN]
            ],
            "most_shown": MOST_SHOWN,
            "is_cut": max(len(entries), len(messages)) > MOST_SHOWN,
        },
    )


def _narrowed(rows: QuerySet[Act], form: AuditForm) -> QuerySet[Act]:
    """Those that the form asks for; none where it cannot be read."""
    if not form.is_valid():
        return rows.none()
    asked = form.cleaned_data
    for field in ("actor", "kind", "channel"):
        if asked[field]:
            rows = rows.filter(**{field: asked[field]})
    if asked["from_date"]:
        rows = rows.filter(at__gte=datetime.combine(asked["from_date"], time.min, UTC))
    if asked["to_date"]:
        rows = rows.filter(at__lte=datetime.combine(asked["to_date"], time.max, UTC))
    if asked["about"]:
        rows = rows.filter(pk__in=acts_about(asked["about"]))
    return rows


_COLUMNS = (
    "act",
    "at",
    "actor",
    "owner",
    "channel",
    "kind",
    "key",
    "reason",
    "request_sha256",
    "answer",
)


def _table(rows: QuerySet[Act]) -> Iterator[tuple[str | int, ...]]:
    for each in rows.iterator(chunk_size=1_000):
        yield (
            each.pk,
            each.at.isoformat(),
            each.actor,
            each.owner,
            each.channel,
            each.kind,
            each.key,
            each.reason,
            bytes(each.request_sha256).hex(),
            json.dumps(each.answer, ensure_ascii=False),
        )
