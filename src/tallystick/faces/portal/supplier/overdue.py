"""What is overdue, what to pay where, and a promise to pay on a day."""

import secrets
from collections import defaultdict
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.access.viewer import Viewer
from tallystick.book.collections.ladders import accounts_of
from tallystick.book.collections.models import Case, PromiseToPay
from tallystick.book.collections.past_due import LateLoan, late_loans
from tallystick.book.collections.promise import promise
from tallystick.book.parties.models import LegalEntity
from tallystick.faces.portal.drawdown_words import Said
from tallystick.faces.portal.filters import DateField
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.refusals import refusal_status, told
from tallystick.rules.money import text_from_minor
from tallystick.rules.refusal import Refusal
from tallystick.rules.typed_amounts import MAX_TYPED_CHARACTERS, minor_from_typed


class PromiseForm(forms.Form):
    """How much the firm pays, and by which day; the key makes one promise of a double click."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=100)
    currency = forms.ChoiceField(label=_("Currency"))
    amount = forms.CharField(
        label=_("I will pay"),
        max_length=MAX_TYPED_CHARACTERS,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    promised_date = DateField(_("by"), required=True)

    def __init__(self, *args: Any, currencies: list[str], **given: Any) -> None:
        super().__init__(*args, label_suffix="", **given)
        self.fields["currency"].choices = [(code, code) for code in currencies]
        if len(currencies) == 1:
            self.fields["currency"].widget = forms.HiddenInput()
        self.fields["key"].initial = secrets.token_urlsafe(24)


@page(May.SEE_OWN)
def overdue(request: HttpRequest) -> HttpResponse:
    """What is overdue with each of our companies: how much, since when, and where to pay it."""
    entities = LegalEntity.objects.filter(
        pk__in=reach.facilities(request.viewer).values("legal_entity")
    ).select_related("party")
    told_of = [_told(request.viewer, entity) for entity in entities.order_by("code")]
    return render(
        request,
        "portal/supplier/overdue.html",
        {"told": [each for each in told_of if each["totals"]]},
    )


@page(May.PROMISE)
def promise_one(request: HttpRequest, number: int) -> HttpResponse:
    """Promise to pay an amount by a day; the promise holds further letters back."""
    case: Case = reach.by_number(
        reach.late_payers(request.viewer).select_related("legal_entity"), "case", number
    )
    late = _late(request.viewer, case.legal_entity)
    totals = _totals(late)
    first = min(totals, default="")
    form = PromiseForm(
        request.POST or None,
        currencies=sorted(totals),
        initial={
            "currency": first,
            "amount": text_from_minor(totals[first], first) if first else "",
            "promised_date": case.legal_entity.business_date,
        },
    )
    said: list[Said] = []
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            asked = form.cleaned_data
            try:
                promise(
                    case.pk,
                    currency=asked["currency"],
                    amount_minor=minor_from_typed(asked["amount"], asked["currency"]),
                    promised_date=asked["promised_date"],
                    by_firm=True,
                    caller=request.viewer.caller("portal"),
                    key=asked["key"],
                )
            except Refusal as refusal:
                said, status = told(refusal), refusal_status(refusal)
            else:
                messages.success(
                    request, _now("Your promise is noted. No further letter goes out until then.")
                )
                return redirect("supplier-overdue")
    return render(
        request,
        "portal/supplier/promise.html",
        {"form": form, "said": said, "totals": sorted(totals.items())},
        status=status,
    )


def _told(viewer: Viewer, entity: LegalEntity) -> dict[str, Any]:
    late = _late(viewer, entity)
    case = reach.late_payers(viewer).filter(legal_entity=entity, closed_date=None).first()
    running = PromiseToPay.objects.filter(case=case, outcome="running") if case else []
    accounts = accounts_of(entity.pk)
    promised = {row.currency: row for row in running}
    return {
        "payee": entity.party.name,
        "case": case,
        "late": late,
        "totals": [
            {
                "currency": currency,
                "amount_minor": minor,
                "account": accounts.get(currency),
                "promise": promised.get(currency),
            }
            for currency, minor in sorted(_totals(late).items())
        ],
        "may_promise": case is not None and viewer.may(May.PROMISE),
    }


def _late(viewer: Viewer, entity: LegalEntity) -> list[LateLoan]:
    assert viewer.party_id is not None
    found = late_loans(entity.pk, [viewer.party_id], on=entity.business_date)
    return found.get(viewer.party_id, [])


def _totals(late: list[LateLoan]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for loan in late:
        totals[loan.currency] += loan.amount_minor
    return dict(totals)
