"""Classes and provisions of a closed day, and the facts that two people record about loans."""

from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.once import Caller
from tallystick.book.impairment.facts import (
    NewFact,
    approve_fact,
    kind_called,
    open_facts,
    propose_end,
    propose_fact,
    reject_fact,
)
from tallystick.book.impairment.models import Fact, FactKind
from tallystick.book.impairment.overview import (
    ClassLine,
    Overview,
    allowance_by_day,
    latest_day,
    overview,
)
from tallystick.faces import charts
from tallystick.faces.portal.filters import DateField, FilterForm
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.house.entity_asked import entity_asked, entity_choice
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.templatetags.figures import day as shown_day
from tallystick.faces.portal.words import named
from tallystick.rules.money import minor_digits


class DayForm(FilterForm):
    """Which closed day is shown."""

    on = DateField(_("Closed day"))


class FactForm(ActForm):
    """A fact as it is typed."""

    kind = forms.ChoiceField(label=_("What is so"))
    loan = forms.CharField(label=_("Loan"), required=False, max_length=80)
    advance = forms.CharField(label=_("Or advance out of sales"), required=False, max_length=80)
    debtor = forms.CharField(
        label=_("Or debtor"),
        required=False,
        max_length=64,
        help_text=_("The code of a firm: the fact then counts for all of its debts."),
    )
    from_date = DateField(_("From"), required=True)
    to_date = DateField(_("To, excluded"))
    share = forms.DecimalField(
        label=_("Share, in per cent"),
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
        help_text=_("What is expected to be lost, or is overdue at all banks, of what is owed."),
    )

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["kind"].choices = [(kind, named("fact", kind)) for kind in FactKind.values]

    def fact(self) -> NewFact:
        asked = self.cleaned_data
        share = asked["share"]
        return NewFact(
            kind=kind_called(asked["kind"]),
            loan=asked["loan"].strip() or None,
            advance=asked["advance"].strip() or None,
            debtor=asked["debtor"].strip() or None,
            from_date=asked["from_date"],
            to_date=asked["to_date"],
            share_bps=None if share is None else int(share * 100),
        )


class EndForm(ActForm):
    from_date = DateField(_("Holds no more from"), required=True)


class DecideForm(ActForm):
    """Whether a fact counts, and why."""


@page(May.SEE_HOUSE)
def house_classes(request: HttpRequest) -> HttpResponse:
    entity = entity_asked(request)
    form = DayForm(request.GET, viewer=request.viewer)
    asked: date | None = form.cleaned_data["on"] if form.is_valid() else None
    day = asked or latest_day(entity.pk)
    found = overview(entity.pk, day) if day else None
    return render(
        request,
        "portal/house/classes.html",
        {
            "form": form,
            "day": day,
            "found": found,
            "currencies": _by_currency(entity.pk, found) if found else [],
            "facts": open_facts(entity.pk),
            "may_propose": request.viewer.may(May.PROPOSE_FACT),
            "may_decide": request.viewer.may(May.DECIDE_FACT),
            **entity_choice(request, entity),
        },
        status=200 if form.is_valid() else 422,
    )


@page(May.PROPOSE_FACT)
def propose(request: HttpRequest) -> HttpResponse:
    """Put a fact up for approval; it counts for nothing yet."""
    entity = entity_asked(request)
    here = reverse("house-classes")
    form = FactForm(
        request.POST or None,
        initial={
            "from_date": entity.business_date,
            "loan": request.GET.get("loan", "")[:80],
            "advance": request.GET.get("advance", "")[:80],
        },
    )
    words = ActPage(
        title=_now("Propose a fact"),
        lead=_now(
            "It counts once an approver, somebody else than you, has approved it: from the close "
            "of that day on. Days that are closed stay as they were classed."
        ),
        button=_now("Propose it"),
        back=here,
        facts=[(_now("Legal entity"), entity.code)],
    )

    def proposed(asked: dict[str, Any], caller: Caller) -> Told:
        number = propose_fact(
            form.fact(),
            legal_entity_id=entity.pk,
            maker=request.user,
            caller=caller,
            key=asked["key"],
        )
        return Told(here, _now("Fact %(number)s waits for an approver.") % {"number": number})

    return act_page(request, form, words, proposed)


@page(May.PROPOSE_FACT)
def end(request: HttpRequest, fact: int) -> HttpResponse:
    """Propose that a fact no longer holds."""
    found = _fact(request, fact)
    here = reverse("house-classes")
    form = EndForm(request.POST or None, initial={"from_date": found.legal_entity.business_date})
    words = ActPage(
        title=_now("End fact %(number)s") % {"number": found.pk},
        lead=_now("The fact counts until an approver has approved its end."),
        button=_now("Propose its end"),
        back=here,
        facts=_facts(found),
    )

    def proposed(asked: dict[str, Any], caller: Caller) -> Told:
        number = propose_end(
            found.pk,
            from_date=asked["from_date"],
            maker=request.user,
            caller=caller,
            key=asked["key"],
        )
        return Told(here, _now("Fact %(number)s waits for an approver.") % {"number": number})

    return act_page(request, form, words, proposed)


@page(May.DECIDE_FACT)
def approve(request: HttpRequest, fact: int) -> HttpResponse:
    """Let a proposed fact count."""
    found = _fact(request, fact)
    here = reverse("house-classes")
    words = ActPage(
        title=_now("Approve fact %(number)s") % {"number": found.pk},
        lead=_now("It counts from the close of the open business day on."),
        button=_now("Approve"),
        back=here,
        facts=_facts(found),
    )

    def approved(asked: dict[str, Any], caller: Caller) -> Told:
        day = approve_fact(found.pk, checker=request.user, caller=caller, key=asked["key"])
        return Told(
            here,
            _now("Fact %(number)s counts from the close of %(day)s on.")
            % {"number": found.pk, "day": shown_day(day)},
        )

    return act_page(request, DecideForm(request.POST or None), words, approved)


@page(May.DECIDE_FACT)
def reject(request: HttpRequest, fact: int) -> HttpResponse:
    """Decline a proposed fact."""
    found = _fact(request, fact)
    here = reverse("house-classes")
    words = ActPage(
        title=_now("Reject fact %(number)s") % {"number": found.pk},
        lead=_now("It counts for nothing. Whoever proposed it reads your reason."),
        button=_now("Reject it"),
        back=here,
        facts=_facts(found),
        is_grave=True,
    )

    def rejected(asked: dict[str, Any], caller: Caller) -> Told:
        reject_fact(found.pk, checker=request.user, caller=caller, key=asked["key"])
        return Told(here, _now("Fact %(number)s is rejected.") % {"number": found.pk})

    return act_page(request, DecideForm(request.POST or None), words, rejected)


def _fact(request: HttpRequest, number: int) -> Fact:
    rows = reach.facts(request.viewer).select_related(
        "legal_entity", "loan", "advance", "party", "maker"
    )
    found: Fact = reach.by_number(rows, "fact", number)
    return found


def _facts(fact: Fact) -> list[tuple[str, str]]:
    return [
        (_now("What is so"), named("fact", fact.kind)),
        (_now("About"), fact.about),
        (_now("From"), shown_day(fact.from_date)),
        (_now("Proposed by"), fact.maker.email),
        (_now("Why"), fact.reason),
    ]


def _by_currency(legal_entity_id: int, found: Overview) -> list[dict[str, Any]]:
    """The table, the reserve and the picture of each currency."""
    reserves = {row.currency: row for row in found.reserves}
    return [
        {
            "currency": currency,
            "lines": lines,
            "total": _total(lines),
            "reserve": reserves.get(currency),
            "picture": _picture(legal_entity_id, currency, found.date),
        }
        for currency in sorted({line.currency for line in found.lines})
        for lines in [[line for line in found.lines if line.currency == currency]]
    ]


def _total(lines: list[ClassLine]) -> ClassLine:
    return ClassLine(
        lines[0].currency,
        "",
        0,
        *(sum(line[place] for line in lines) for place in range(3, len(ClassLine._fields))),
    )


def _picture(legal_entity_id: int, currency: str, to_date: date) -> str:
    """What has been provided for each class, day by day; empty where there is nothing to see."""
    days, series = allowance_by_day(legal_entity_id, currency, to_date)
    if len(days) < 2 or not any(any(values) for values in series.values()):
        return ""
    is_chinese = (get_language() or "").startswith("zh")
    step, step_named = (10_000, "万") if is_chinese else (1_000, "k")
    unit = 10 ** minor_digits(currency) * step
    return charts.cached(
        charts.stacked_areas,
        days,
        {
            named("asset_class", name): [minor / unit for minor in values]
            for name, values in series.items()
        },
        unit=f"{currency} {step_named}",
    )
