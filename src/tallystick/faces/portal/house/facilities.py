"""Facilities, and one of them: what it may draw and why, its loans and decisions, its freeze."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.once import Caller
from tallystick.book.collateral.models import PoolBase, SecurityInterest
from tallystick.book.collateral.terms import TermsOfPool, terms_by_id
from tallystick.book.financing.freeze import freeze, unfreeze
from tallystick.book.financing.models import Facility
from tallystick.book.financing.offers import Offer, offers
from tallystick.book.patience import for_at_most
from tallystick.book.servicing.portfolio import principal_of
from tallystick.faces import charts
from tallystick.faces.portal.filters import ANY, FilterForm, FirmField
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import Slice, sliced
from tallystick.faces.portal.supplier.waterfall import bars
from tallystick.rules.money import minor_digits

PATIENCE_MS = 3_000
DAYS_OF_BASES = 60
LOANS_SHOWN = 20
DECISIONS_SHOWN = 10


class FacilitiesForm(FilterForm):
    """Filters of the facilities."""

    code = forms.CharField(label=_("Code begins with"), required=False, max_length=60)
    supplier = FirmField(_("Supplier"))
    frozen = forms.ChoiceField(
        label=_("Frozen"),
        required=False,
        choices=[ANY, ("yes", _("Frozen")), ("no", _("Not frozen"))],
    )


@page(May.SEE_HOUSE)
def house_facilities(request: HttpRequest) -> HttpResponse:
    form = FacilitiesForm(request.GET, viewer=request.viewer)
    found = Slice([], "", "")
    if form.is_valid():
        asked = form.cleaned_data
        rows = reach.facilities(request.viewer).select_related("supplier", "programme", "pool")
        if asked["code"]:
            rows = rows.filter(code__startswith=asked["code"])
        if asked["supplier"]:
            rows = rows.filter(supplier=asked["supplier"])
        if asked["frozen"] == "yes":
            rows = rows.exclude(frozen_reason="")
        elif asked["frozen"] == "no":
            rows = rows.filter(frozen_reason="")
        with for_at_most(PATIENCE_MS):
            found = sliced(rows, by=("code",), cursor=request.GET.get("cursor", ""))
    return render(
        request,
        "portal/house/facilities.html",
        {"form": form, "found": found},
        status=200 if form.is_valid() else 422,
    )


@page(May.SEE_HOUSE)
def house_facility(request: HttpRequest, code: str) -> HttpResponse:
    facility = reach.facility(request.viewer, code)
    (offer,) = offers([facility.code])
    loans = list(
        reach.loans(request.viewer)
        .filter(facility=facility, status__in=["pending", "live"])
        .order_by("due_date", "pk")[: LOANS_SHOWN + 1]
    )
    principal = principal_of([loan.pk for loan in loans])
    history = _history(facility.pool_id, on=facility.legal_entity.business_date)
    return render(
        request,
        "portal/house/facility.html",
        {
            "facility": facility,
            "offer": offer,
            "bars": bars(offer),
            "limits": _limits(offer),
            "terms": _terms(terms_by_id(facility.pool.terms_id)),
            "interest": SecurityInterest.objects.filter(pool=facility.pool_id)
            .select_related("secured_party")
            .order_by("-pk")
            .first(),
            "history": history[::-1],
            "chart": _chart(history, facility.currency),
            "loans": [
                {"loan": loan, "principal_minor": principal.get(loan.pk, 0)}
                for loan in loans[:LOANS_SHOWN]
            ],
            "more_loans": len(loans) > LOANS_SHOWN,
            "decisions": reach.decisions(request.viewer)
            .filter(facility=facility)
            .select_related("loan")
            .order_by("-pk")[:DECISIONS_SHOWN],
            "may_freeze": request.viewer.may(May.FREEZE),
        },
    )


def _limits(offer: Offer) -> list[dict[str, object]]:
    """Every limit with what is used of it: what the facility has drawn, and what is left."""
    held = offer.inputs
    rows = [
        ("base", held.base_minor),
        ("facility limit", held.facility_limit_minor),
        ("programme cap per supplier", held.programme_cap_per_supplier_minor),
        ("programme headroom", held.drawn_minor + held.programme_headroom_minor),
        ("funder headroom", held.drawn_minor + held.funder_headroom_minor),
    ]
    return [
        {
            "name": name,
            "limit_minor": limit_minor,
            "headroom_minor": limit_minor - held.drawn_minor,
            "used_percent": _percent(held.drawn_minor, limit_minor),
            "is_binding": name == offer.binding,
        }
        for name, limit_minor in rows
    ]


def _percent(part_minor: int, whole_minor: int) -> int:
    """For the length of a bar: 0 to 100."""
    if whole_minor <= 0:
        return 100 if part_minor else 0
    return max(0, min(100, part_minor * 100 // whole_minor))


def _terms(held: TermsOfPool) -> Mapping[str, Any]:
    return {
        "terms": held.terms,
        "rates": list(held.terms.advance_rate_bps.items()),
        "overrides": sorted(held.concentration_override_bps.items()),
    }


def _history(pool_id: int, *, on: date) -> list[dict[str, Any]]:
    """The last base of each day, oldest first; of a day without one there is none."""
    # Of several on one day the last one stays.
    by_day: dict[date, Any] = dict(
        PoolBase.objects.filter(pool=pool_id, date__gt=on - timedelta(days=DAYS_OF_BASES))
        .order_by("date", "version")
        .values_list("date", "result")
    )
    return [
        {"day": day, "base_minor": result["base_minor"], "cover_minor": result["cover_minor"]}
        for day, result in by_day.items()
    ]


def _chart(history: list[dict[str, Any]], currency: str) -> str:
    if len(history) < 2:
        return ""
    unit = 10 ** minor_digits(currency)
    return charts.cached(
        charts.lines,
        [each["day"] for each in history],
        {
            _now("Borrowing base"): [each["base_minor"] / unit for each in history],
            _now("Cover"): [each["cover_minor"] / unit for each in history],
        },
        unit="",  # stands beside the heading: amounts in full leave no room for it
    )


@page(May.FREEZE)
def house_freeze(request: HttpRequest, code: str) -> HttpResponse:
    facility = reach.facility(request.viewer, code)
    return _act(
        request,
        facility,
        freeze,
        ActPage(
            title=_now("Freeze the facility"),
            lead=_now(
                "Nothing new can be drawn on it from this moment. Loans that are out go on as "
                "they are, and so do payouts under way."
            ),
            button=_now("Freeze"),
            back=_url(facility),
            facts=_facts(facility),
            is_grave=True,
        ),
        done=_now("The facility is frozen."),
    )


@page(May.FREEZE)
def house_unfreeze(request: HttpRequest, code: str) -> HttpResponse:
    facility = reach.facility(request.viewer, code)
    return _act(
        request,
        facility,
        unfreeze,
        ActPage(
            title=_now("Lift the freeze"),
            lead=_now("The supplier can draw again, as far as base and limits go."),
            button=_now("Lift the freeze"),
            back=_url(facility),
            facts=[*_facts(facility), (_now("Frozen because"), facility.frozen_reason)],
        ),
        done=_now("The freeze is lifted."),
    )


def _act(
    request: HttpRequest, facility: Facility, change: Any, words: ActPage, *, done: str
) -> HttpResponse:
    def act(typed: dict[str, Any], caller: Caller) -> Told:
        request.viewer.refuse_unless(May.FREEZE)
        change(facility.code, caller=caller, key=typed["key"])
        return Told(_url(facility), done)

    return act_page(request, ActForm(request.POST or None), words, act)


def _url(facility: Facility) -> str:
    return reverse("house-facilities-one", kwargs={"code": facility.code})


def _facts(facility: Facility) -> list[tuple[str, str]]:
    return [(_now("Facility"), facility.code), (_now("Supplier"), facility.supplier.name)]
