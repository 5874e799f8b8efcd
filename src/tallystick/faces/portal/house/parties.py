"""Firms, and one of them: its lines, what it is owed and owes, its people and open items."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.collateral.concentration import Owed, owed_by_obligor
from tallystick.book.financing.models import Facility
from tallystick.book.parties.models import Party, RelatedParty
from tallystick.book.patience import for_at_most
from tallystick.faces.portal.filters import FilterForm
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import Slice, cheap_count, sliced

PATIENCE_MS = 3_000
FACILITIES_SHOWN = 50
ITEMS_SHOWN = 10


class PartiesForm(FilterForm):
    """What firms are looked for by."""

    code = forms.CharField(label=_("Code begins with"), required=False, max_length=64)
    name = forms.CharField(label=_("Name begins with"), required=False, max_length=200)


@page(May.SEE_HOUSE)
def house_parties(request: HttpRequest) -> HttpResponse:
    form = PartiesForm(request.GET, viewer=request.viewer)
    found = Slice([], "", "")
    if form.is_valid():
        rows = reach.parties(request.viewer)
        if form.cleaned_data["code"]:
            rows = rows.filter(code__startswith=form.cleaned_data["code"])
        if form.cleaned_data["name"]:
            rows = rows.filter(name__istartswith=form.cleaned_data["name"])
        with for_at_most(PATIENCE_MS):
            found = sliced(rows, by=("code",), cursor=request.GET.get("cursor", ""))
    lines = _facilities_of(request, found.rows)
    return render(
        request,
        "portal/house/parties.html",
        {
            "form": form,
            "found": found,
            "rows": [{"party": party, "lines": lines.get(party.pk, [])} for party in found.rows],
        },
        status=200 if form.is_valid() else 422,
    )


def _facilities_of(request: HttpRequest, parties: list[Party]) -> dict[int, list[Facility]]:
    lines: dict[int, list[Facility]] = {}
    held = reach.facilities(request.viewer).filter(supplier__in=[party.pk for party in parties])
    for facility in held.order_by("code")[:500]:
        lines.setdefault(facility.supplier_id, []).append(facility)
    return lines


@page(May.SEE_HOUSE)
def house_party(request: HttpRequest, code: str) -> HttpResponse:
    party = reach.party(request.viewer, code)
    claims = reach.claims(request.viewer)
    facilities = list(
        reach.facilities(request.viewer)
        .filter(supplier=party)
        .select_related("programme", "pool")
        .order_by("code")[:FACILITIES_SHOWN]
    )
    return render(
        request,
        "portal/house/party.html",
        {
            "party": party,
            "facilities": facilities,
            "exposure": _exposure(facilities),
            "sold": cheap_count(claims.filter(supplier=party)),
            "owes": cheap_count(claims.filter(obligor=party)),
            "concentration": _with_shares(owed_by_obligor(party.pk)),
            "related": RelatedParty.objects.filter(supplier=party)
            .select_related("obligor")
            .order_by("-pk")[:50],
            "users": reach.users(request.viewer).filter(party=party).order_by("email")[:50],
            "items": _open_items(request, party),
            "acts": reach.acts(request.viewer)
            .filter(owner=f"firm:{party.code}")
            .order_by("-pk")[:20]
            if request.viewer.may(May.SEE_AUDIT)
            else None,
        },
    )


def _exposure(facilities: list[Facility]) -> list[dict[str, Any]]:
    """What the firm has drawn and may draw at most, by currency."""
    totals: dict[str, dict[str, Any]] = {}
    for facility in facilities:
        total = totals.setdefault(
            facility.currency,
            {"currency": facility.currency, "drawn_minor": 0, "limit_minor": 0, "base_minor": 0},
        )
        total["drawn_minor"] += facility.drawn_minor
        total["limit_minor"] += facility.limit_minor
        total["base_minor"] += facility.pool.base_minor
    return list(totals.values())


def _with_shares(owed: list[Owed]) -> list[dict[str, Any]]:
    """Each obligor with its share of what all of them owe in the currency, in basis points."""
    totals_minor: dict[str, int] = {}
    for each in owed:
        totals_minor[each.currency] = totals_minor.get(each.currency, 0) + each.outstanding_minor
    return [
        {
            "owed": each,
            "share_bps": each.outstanding_minor * 10_000 // max(1, totals_minor[each.currency]),
        }
        for each in owed
    ]


def _open_items(request: HttpRequest, party: Party) -> QuerySet[Any]:
    return (
        reach.work_items(request.viewer)
        .filter(closed_at=None, subject__startswith=f"supplier:{party.code}:")
        .order_by("-pk")[:ITEMS_SHOWN]
    )
