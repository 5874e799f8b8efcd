"""Advances out of sales, one of them on any day, and the proposal to charge it off."""

from datetime import date
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
from tallystick.book.impairment.overview import advance_classed
from tallystick.book.patience import for_at_most
from tallystick.book.sales_credit.charge_off import propose_loss
from tallystick.book.sales_credit.models import Advance, AdvanceEvent, AdvanceStatus
from tallystick.book.sales_credit.overview import AdvanceOn, advance_on
from tallystick.book.sales_credit.portfolio import (
    DAYS_BEHIND,
    AdvancesWanted,
    advances_wanted,
    positions_now,
    totals_of,
)
from tallystick.faces import charts
from tallystick.faces.portal.drawdown_words import amount
from tallystick.faces.portal.filters import ANY, FilterForm, FirmField, WordField
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.house.decisions import verdicts_of
from tallystick.faces.portal.house.entity_asked import entity_asked
from tallystick.faces.portal.house.loans import ENTRIES_SHOWN, PATIENCE_MS, AsOfForm
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import Slice, sliced
from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_explanation import explained_advance

ORDERS: dict[str, tuple[str, ...]] = {
    "": ("-pk",),
    "behind": ("behind_since_date", "pk"),
    "largest": ("-advance_minor", "-pk"),
}


class AdvancesForm(FilterForm):
    """Filters of the advances."""

    code = forms.CharField(label=_("Code begins with"), required=False, max_length=80)
    merchant = FirmField(_("Merchant"))
    line = forms.CharField(label=_("Line"), required=False, max_length=60)
    status = WordField(_("State"), "loan_status", tuple(AdvanceStatus.values))
    behind = forms.ChoiceField(
        label=_("Days behind the pace"),
        required=False,
        choices=[ANY, *((days, days.replace("-", "–")) for days in DAYS_BEHIND)],
    )
    order = forms.ChoiceField(
        label=_("Sorted by"),
        required=False,
        choices=[
            ("", _("Newest first")),
            ("behind", _("Behind its pace, longest first")),
            ("largest", _("Largest first")),
        ],
    )

    def wanted(self) -> AdvancesWanted:
        asked = self.cleaned_data
        return AdvancesWanted(
            merchant_id=asked["merchant"].pk if asked["merchant"] else None,
            line=asked["line"].strip(),
            status=asked["status"],
            behind=asked["behind"],
            code_prefix=asked["code"],
        )


@page(May.SEE_HOUSE)
def house_advances(request: HttpRequest) -> HttpResponse:
    form = AdvancesForm(request.GET, viewer=request.viewer)
    on = entity_asked(request).business_date
    found, totals = Slice([], "", ""), []
    if form.is_valid():
        rows = advances_wanted(reach.advances(request.viewer), form.wanted(), on=on)
        order = form.cleaned_data["order"]
        if order == "behind":
            rows = rows.filter(behind_since_date__isnull=False)
        with for_at_most(PATIENCE_MS):
            totals = totals_of(rows)
            found = sliced(
                rows.select_related("line__merchant"),
                by=ORDERS[order],
                cursor=request.GET.get("cursor", ""),
            )
    positions = positions_now([advance.pk for advance in found.rows])
    return render(
        request,
        "portal/house/advances.html",
        {
            "form": form,
            "found": found,
            "on": on,
            "totals": totals,
            "rows": [
                {
                    "advance": advance,
                    "position": positions.get(advance.pk),
                    "days_behind": _days_behind(advance, on),
                }
                for advance in found.rows
            ],
        },
        status=200 if form.is_valid() else 422,
    )


@page(May.SEE_HOUSE)
def house_advance(request: HttpRequest, code: str) -> HttpResponse:
    advance = reach.advance(request.viewer, code)
    form = AsOfForm(request.GET, viewer=request.viewer)
    found: AdvanceOn | None = None
    problem = ""
    if form.is_valid():
        try:
            found = advance_on(
                code, on=form.cleaned_data["on"], known_on=form.cleaned_data["known_on"]
            )
        except Refusal as refusal:
            problem = str(refusal)
    state = found.state if found else None
    may_propose = request.viewer.may(May.PROPOSE_RELIEF) and advance.status == AdvanceStatus.LIVE
    return render(
        request,
        "portal/house/advance.html",
        {
            "advance": advance,
            "form": form,
            "problem": problem,
            "state": state,
            "pace": found.pace if found else None,
            "figures": explained_advance(state) if state else (),
            "picture": _picture(found) if found else "",
            "events": AdvanceEvent.objects.filter(advance=advance.pk)
            .select_related("reverses")
            .order_by("value_date", "pk")[:200],
            "losses": reach.loss_proposals(request.viewer)
            .filter(advance=advance, approved=None)
            .select_related("maker"),
            "may_propose": may_propose,
            "payment": reach.payment_orders(request.viewer).filter(advance=advance).first(),
            "entries": reach.entries(request.viewer)
            .filter(reference=f"advance:{advance.code}")
            .order_by("pk")[:ENTRIES_SHOWN],
            "classed": advance_classed(advance),
            "verdicts": verdicts_of(advance.decision),
        },
        status=200 if form.is_valid() and not problem else 422,
    )


@page(May.PROPOSE_RELIEF)
def charge_off(request: HttpRequest, code: str) -> HttpResponse:
    """Propose that an advance leaves the books as a loss."""
    advance = reach.advance(request.viewer, code)
    back = reverse("house-advances-one", args=[code])
    state = advance_on(code).state
    words = ActPage(
        title=_now("Charge the advance off"),
        lead=_now(
            "Principal, and interest that was not paid, leave the books as a loss; of a fixed fee "
            "the rest is never earned, and the line is frozen. The merchant still owes it: what "
            "comes in later is recovered. Nothing changes until an approver, somebody else than "
            "you, agrees."
        ),
        button=_now("Propose it"),
        back=back,
        facts=[
            (_now("Advance"), f"{advance.code} · {advance.line.merchant.name}"),
            *(
                [(_now("Outstanding"), amount(state.outstanding_minor, advance.currency))]
                if state
                else []
            ),
        ],
        is_grave=True,
    )

    def proposed(asked: dict[str, Any], caller: Caller) -> Told:
        number = propose_loss(code, caller=caller, key=asked["key"], maker=request.user)
        return Told(back, _now("Proposal %(number)s waits for an approver.") % {"number": number})

    return act_page(request, ActForm(request.POST or None), words, proposed)


def _days_behind(advance: Advance, on: date) -> int:
    since = advance.behind_since_date
    return 0 if since is None else max(0, (on - since).days)


def _picture(found: AdvanceOn) -> str:
    """What has come in, day by day, beside the minimum that each period asked for."""
    state = found.state
    if state is None or not state.movements:
        return ""
    unit = 10 ** minor_digits(found.advance.currency)
    days, came_in, total_minor = [state.terms.start], [0.0], 0
    for movement in state.movements:
        total_minor += movement.applied_minor
        if movement.value_date == days[-1]:
            came_in[-1] = total_minor / unit
        else:
            days.append(movement.value_date)
            came_in.append(total_minor / unit)
    if state.on > days[-1]:
        days.append(state.on)
        came_in.append(total_minor / unit)
    if len(days) < 2:
        return ""
    return charts.cached(charts.lines, days, {_now("Repaid so far"): came_in}, unit="")
