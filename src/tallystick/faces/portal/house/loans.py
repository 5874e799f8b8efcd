"""Loans, and one of them on any day, as known on any day, with every figure's terms."""

from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.financing.models import Loan, LoanStatus
from tallystick.book.impairment.overview import loan_classed
from tallystick.book.patience import for_at_most
from tallystick.book.servicing.loans import LoanOn, instalments_of, loan_on, timeline_of
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.portfolio import (
    PAST_DUE_BUCKETS,
    LoansWanted,
    loans_wanted,
    principal_of,
)
from tallystick.book.servicing.share_holders import held_shares, transfers_made
from tallystick.faces.portal.filters import (
    ANY,
    DateField,
    FilterForm,
    FirmField,
    WordField,
)
from tallystick.faces.portal.house.decisions import verdicts_of
from tallystick.faces.portal.house.entity_asked import entity_asked
from tallystick.faces.portal.house.loan_acts import menu_of
from tallystick.faces.portal.loan_picture import balances_picture
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import Slice, sliced
from tallystick.faces.portal.proposal_words import proposal_told
from tallystick.rules.loan import segments_as_json
from tallystick.rules.loan_explanation import explained
from tallystick.rules.loan_instalments import InstalmentOn
from tallystick.rules.loan_schedule import agreed_schedule
from tallystick.rules.loan_timeline import Timeline
from tallystick.rules.refusal import Refusal

PATIENCE_MS = 3_000
ENTRIES_SHOWN = 100


class LoansForm(FilterForm):
    """Filters of the loans."""

    code = forms.CharField(label=_("Code begins with"), required=False, max_length=80)
    supplier = FirmField(_("Supplier"))
    facility = forms.CharField(label=_("Facility"), required=False, max_length=60)
    status = WordField(_("State"), "loan_status", tuple(LoanStatus.values))
    past_due = forms.ChoiceField(
        label=_("Days past due"),
        required=False,
        choices=[ANY, *((bucket, bucket.replace("-", "–")) for bucket in PAST_DUE_BUCKETS)],
    )
    due_from = DateField(_("Due from"))
    due_to = DateField(_("Due to"))
    order = forms.ChoiceField(
        label=_("Sorted by"),
        required=False,
        choices=[("", _("Newest first")), ("due", _("Open loans, due first"))],
    )

    ranges = {"due_from": "due_to"}  # noqa: RUF012 - never changed

    def clean_facility(self) -> Any:
        code = self.cleaned_data["facility"].strip()
        if not code:
            return None
        found = reach.facilities(self.viewer).filter(code=code).first()
        if found is None:
            raise forms.ValidationError(_("No facility has this code."))
        return found

    def wanted(self) -> LoansWanted:
        asked = self.cleaned_data
        return LoansWanted(
            facility_id=asked["facility"].pk if asked["facility"] else None,
            supplier_id=asked["supplier"].pk if asked["supplier"] else None,
            status=asked["status"],
            past_due=asked["past_due"],
            due_from_date=asked["due_from"],
            due_to_date=asked["due_to"],
            code_prefix=asked["code"],
        )


@page(May.SEE_HOUSE)
def house_loans(request: HttpRequest) -> HttpResponse:
    form = LoansForm(request.GET, viewer=request.viewer)
    on = entity_asked(request).business_date
    found = Slice([], "", "")
    if form.is_valid():
        rows = loans_wanted(reach.loans(request.viewer), form.wanted(), on=on)
        by: tuple[str, ...] = ("-pk",)
        if form.cleaned_data["order"] == "due" or form.cleaned_data["past_due"]:
            rows = rows.filter(status__in=["pending", "live"])
            by = ("due_date", "pk")
        with for_at_most(PATIENCE_MS):
            found = sliced(
                rows.select_related("facility__supplier"),
                by=by,
                cursor=request.GET.get("cursor", ""),
            )
    principal = principal_of([loan.pk for loan in found.rows])
    return render(
        request,
        "portal/house/loans.html",
        {
            "form": form,
            "found": found,
            "on": on,
            "rows": [
                {
                    "loan": loan,
                    "principal_minor": principal.get(loan.pk, 0),
                    "days_past_due": max(0, (on - loan.due_date).days)
                    if loan.status == "live"
                    else 0,
                }
                for loan in found.rows
            ],
        },
        status=200 if form.is_valid() else 422,
    )


class AsOfForm(FilterForm):
    """The day a loan is looked at, and the day on which it would have been asked."""

    on = DateField(_("State on"))
    known_on = DateField(_("As known on"))


@page(May.SEE_HOUSE)
def house_loan(request: HttpRequest, code: str) -> HttpResponse:
    loan = reach.loan(request.viewer, code)
    form = AsOfForm(request.GET, viewer=request.viewer)
    found: LoanOn | None = None
    over_time: Timeline | None = None
    instalments: list[InstalmentOn] = []
    problem = ""
    if form.is_valid():
        on, known_on = form.cleaned_data["on"], form.cleaned_data["known_on"] or date.max
        try:
            found = loan_on(code, on=on, known_on=known_on)
            over_time = timeline_of(code, on=on, known_on=known_on)
            if loan.maturity_date is not None:
                instalments = instalments_of(code, on=on, known_on=known_on)
        except Refusal as refusal:
            problem = str(refusal)
    decision = loan.decision
    proposed = reach.proposals(request.viewer).filter(loan=loan, approved=None)
    return render(
        request,
        "portal/house/loan.html",
        {
            "loan": loan,
            "acts": menu_of(loan, request.viewer),
            "proposals": [
                {
                    "kind": row.kind,
                    "told": proposal_told(row),
                    "maker": row.maker.email,
                    "reason": row.reason,
                }
                for row in proposed.select_related("loan", "maker").order_by("pk")
            ],
            "form": form,
            "problem": problem,
            "found": found,
            "owed": found.state.balances if found else None,
            "figures": explained(found.state) if found else (),
            "segments": segments_as_json(found.state.terms, found.state.segments) if found else (),
            "penalty_segments": segments_as_json(found.state.terms, found.state.penalty_segments)
            if found
            else (),
            "picture": balances_picture(over_time, loan.currency) if over_time else "",
            "flows": over_time.flows if over_time else (),
            "instalments": instalments,
            "schedule": agreed_schedule(found.state.terms) if found else (),
            "events": LoanEvent.objects.filter(loan=loan.pk)
            .select_related("act", "reverses")
            .order_by("value_date", "pk")[:200],
            "payment": reach.payment_orders(request.viewer).filter(loan=loan).first(),
            "shares": held_shares(loan.code),
            "transfers": transfers_made(loan.code),
            "entries": _entries(request, loan),
            "classed": loan_classed(loan),
            "decision": decision,
            "verdicts": verdicts_of(decision),
        },
        status=200 if form.is_valid() and not problem else 422,
    )


def _entries(request: HttpRequest, loan: Loan) -> list[Any]:
    """Entries booked for the loan itself; cash that paid it is booked under its receipt."""
    return list(
        reach.entries(request.viewer)
        .filter(reference=f"loan:{loan.code}")
        .order_by("pk")[:ENTRIES_SHOWN]
    )
