"""Programmes: their terms with the source of each, and their limits with what is drawn."""

from collections import defaultdict
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
from tallystick.book.financing.models import Programme, ProgrammeLimit
from tallystick.book.financing.programmes import presets
from tallystick.book.financing.set_limits import set_funding_limit, set_programme_limit
from tallystick.book.funding.models import FundingLine
from tallystick.book.sales_credit.programmes import sales_presets
from tallystick.faces.portal.filters import minor_typed
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.pages import page
from tallystick.faces.programme_terms import Term, told_terms
from tallystick.rules.money import text_from_minor
from tallystick.rules.programme import ProgrammeTerms, stored_programme
from tallystick.rules.sales_programme import (
    SalesProduct,
    SalesProgrammeTerms,
    stored_sales_programme,
)

MOST_PROGRAMMES = 200


class LimitForm(ActForm):
    amount = forms.CharField(
        label=_("New limit"),
        max_length=60,
        widget=forms.TextInput(attrs={"class": "amount", "inputmode": "decimal"}),
        help_text=_("In the limit's currency. Below what is drawn, it stops new drawdowns only."),
    )
    currency: str = "CNY"

    def clean_amount(self) -> int | None:
        return minor_typed(self.cleaned_data["amount"], self.currency)


@page(May.SEE_HOUSE)
def listed(request: HttpRequest) -> HttpResponse:
    limits: dict[str, list[ProgrammeLimit]] = defaultdict(list)
    for limit in reach.programme_limits(request.viewer).order_by("programme", "currency"):
        limits[limit.programme].append(limit)
    return render(
        request,
        "portal/house/programmes.html",
        {"programmes": [(terms, limits.get(terms.code, [])) for terms in _programmes().values()]},
    )


@page(May.SEE_HOUSE)
def one(request: HttpRequest, code: str) -> HttpResponse:
    terms = _programmes().get(code)
    if terms is None:
        raise reach.NotThere("programme", code[:80])
    limits = reach.programme_limits(request.viewer).filter(programme=code)
    lines = reach.funding_lines(request.viewer).filter(programme=code)
    told: list[Term] = told_terms(terms.content["terms"])
    return render(
        request,
        "portal/house/programme.html",
        {
            "programme": terms,
            "terms": told,
            "illustrative": sum(term.is_illustrative for term in told),
            "sources": terms.content["sources"].items(),
            "limits": _with_room(limits.select_related("legal_entity").order_by("currency")),
            "lines": _with_room(lines.select_related("funder").order_by("currency", "rank", "id")),
            "may_set": request.viewer.may(May.CHANGE_TERMS),
        },
    )


@page(May.CHANGE_TERMS)
def set_limit(request: HttpRequest, limit: int) -> HttpResponse:
    """How much a programme may have drawn in all, in a currency."""
    found: ProgrammeLimit = reach.by_number(
        reach.programme_limits(request.viewer), "programme limit", limit
    )

    def set_to(amount_minor: int, caller: Caller, key: str) -> None:
        set_programme_limit(
            found.legal_entity_id,
            found.programme,
            found.currency,
            amount_minor,
            caller=caller,
            key=key,
        )

    return _limit_page(request, found, _now("Set the programme's limit"), set_to)


@page(May.CHANGE_TERMS)
def set_line(request: HttpRequest, line: int) -> HttpResponse:
    """How much of a funder's money a programme may have drawn."""
    found: FundingLine = reach.by_number(
        reach.funding_lines(request.viewer).select_related("funder"), "funding line", line
    )

    def set_to(amount_minor: int, caller: Caller, key: str) -> None:
        set_funding_limit(
            found.legal_entity_id,
            found.programme,
            found.currency,
            found.funder_id,
            amount_minor,
            caller=caller,
            key=key,
        )

    return _limit_page(
        request, found, _now("Set the limit of %(funder)s") % {"funder": found.funder.code}, set_to
    )


def _limit_page(
    request: HttpRequest, held: ProgrammeLimit | FundingLine, title: str, set_to: Any
) -> HttpResponse:
    here = reverse("house-programmes-one", args=[held.programme])
    form = LimitForm(request.POST or None)
    form.currency = held.currency
    words = ActPage(
        title=title,
        lead=_now("It holds from now on, for new drawdowns; loans that are out are not touched."),
        button=_now("Set the limit"),
        back=here,
        facts=[
            (_now("Programme"), held.programme),
            (_now("Limit now"), _amount(held.limit_minor, held.currency)),
            (_now("Drawn"), _amount(held.drawn_minor, held.currency)),
        ],
    )

    def done(asked: dict[str, Any], caller: Caller) -> Told:
        amount_minor = asked["amount"]
        set_to(amount_minor, caller, asked["key"])
        return Told(
            here,
            _now("The limit is now %(amount)s.") % {"amount": _amount(amount_minor, held.currency)},
        )

    return act_page(request, form, words, done)


def _programmes() -> dict[str, ProgrammeTerms | SalesProgrammeTerms]:
    """Those of the package, and those that were loaded from files, as they were loaded last."""
    loaded = Programme.objects.order_by("code", "-id").distinct("code")[:MOST_PROGRAMMES]
    own = {each.code: _stored(each) for each in loaded}
    return dict(sorted({**presets(), **sales_presets(), **own}.items()))


def _stored(programme: Programme) -> ProgrammeTerms | SalesProgrammeTerms:
    is_of_sales = programme.terms["terms"].get("product") == SalesProduct.SALES_SHARE
    read = stored_sales_programme if is_of_sales else stored_programme
    return read(programme.code, programme.terms)


def _with_room(rows: Any) -> list[Any]:
    """Limits with what is left of each; none where more is drawn than it allows now."""
    return [(row, max(0, row.limit_minor - row.drawn_minor)) for row in rows]


def _amount(amount_minor: int, currency: str) -> str:
    return f"{text_from_minor(amount_minor, currency, thousands=True)} {currency}"
