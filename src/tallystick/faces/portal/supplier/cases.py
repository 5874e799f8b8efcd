"""Disputing a figure: say what is wrong; it becomes a case that a person answers."""

import secrets
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.collateral.models import Pool
from tallystick.book.collateral.reasons import reason_of_claim
from tallystick.book.financing.models import PAID_OUT, Loan
from tallystick.book.servicing.loans import loan_on
from tallystick.book.trade.models import Claim
from tallystick.book.watch.raise_case import (
    MAX_SAYS_LENGTH,
    CaseOpenAlready,
    ClaimFigure,
    Dispute,
    LoanFigure,
    dispute_claim,
    dispute_loan,
)
from tallystick.faces.portal.drawdown_words import Said, amount
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import sliced
from tallystick.faces.portal.refusals import refusal_status, told
from tallystick.faces.portal.templatetags.figures import day
from tallystick.faces.portal.words import named
from tallystick.rules.refusal import Refusal
from tallystick.rules.typed_amounts import MAX_TYPED_CHARACTERS, minor_from_typed

CLAIM_FIGURES: Mapping[ClaimFigure, Promise] = {
    ClaimFigure.FACE: _("Face of the claim"),
    ClaimFigure.PAID: _("What has been paid"),
    ClaimFigure.DILUTED: _("What has been reduced"),
    ClaimFigure.DUE_DATE: _("Due date"),
    ClaimFigure.STANDING: _("Whether it counts"),
}
LOAN_FIGURES: Mapping[LoanFigure, Promise] = {
    LoanFigure.PRINCIPAL: _("Principal"),
    LoanFigure.INTEREST: _("Interest"),
    LoanFigure.PENALTY: _("Penalty interest"),
    LoanFigure.FEES: _("Fees"),
    LoanFigure.REPAYMENTS: _("What has been repaid"),
    LoanFigure.DUE_DATE: _("Due date"),
}
WITH_AMOUNT = frozenset({*ClaimFigure, *LoanFigure}) - {
    ClaimFigure.DUE_DATE,
    ClaimFigure.STANDING,
    LoanFigure.DUE_DATE,
}
Standing = int | date | str


class DisputeForm(forms.Form):
    """What is wrong, what it should be, and why; the key makes one case of a double click."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=100)
    figure = forms.ChoiceField(label=_("Which figure is wrong"))
    should_be = forms.CharField(
        label=_("What it should be, if you know"),
        required=False,
        max_length=MAX_TYPED_CHARACTERS,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    says = forms.CharField(
        label=_("What is wrong"),
        max_length=MAX_SAYS_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, *args: Any, figures: Mapping[Any, Promise], **given: Any) -> None:
        super().__init__(*args, label_suffix="", **given)
        self.fields["figure"].choices = [(str(code), label) for code, label in figures.items()]
        self.fields["key"].initial = secrets.token_urlsafe(24)


@page(May.SEE_OWN)
def cases(request: HttpRequest) -> HttpResponse:
    """What the firm has disputed, newest first, and what became of it."""
    found = reach.cases(request.viewer).only(
        "id", "subject", "details", "opened_date", "opened_at", "closed_at", "resolution"
    )
    part = sliced(found, by=("-pk",), cursor=request.GET.get("cursor", ""))
    return render(
        request,
        "portal/supplier/cases.html",
        {"part": part, "rows": [(case, _about(case.details)) for case in part.rows]},
    )


@page(May.SEE_OWN)
def case(request: HttpRequest, number: int) -> HttpResponse:
    """One case: what was said, and our answer."""
    found = reach.by_number(
        reach.cases(request.viewer).only(
            "id", "subject", "details", "opened_date", "opened_at", "closed_at", "resolution"
        ),
        "case",
        number,
    )
    return render(
        request,
        "portal/supplier/case.html",
        {"case": found, "about": _about(found.details), "details": found.details},
    )


@page(May.DISPUTE)
def dispute_claim_figure(request: HttpRequest, number: int) -> HttpResponse:
    """Dispute a figure of a claim."""
    found: Claim = reach.by_number(reach.claims(request.viewer), "claim", number)
    stands: Mapping[Any, Standing] = {
        ClaimFigure.FACE: found.face_minor,
        ClaimFigure.PAID: found.paid_minor,
        ClaimFigure.DILUTED: found.diluted_minor,
        ClaimFigure.DUE_DATE: found.due_date,
        ClaimFigure.STANDING: _standing_of(found),
    }

    def raised(dispute: Dispute, key: str) -> int:
        return dispute_claim(found, dispute, caller=request.viewer.caller("portal"), key=key)

    return _dispute(
        request, found.code, found.currency, CLAIM_FIGURES, stands, raised, "supplier-claims-one"
    )


@page(May.DISPUTE)
def dispute_loan_figure(request: HttpRequest, code: str) -> HttpResponse:
    """Dispute a figure of a loan."""
    found: Loan = reach.loan(request.viewer, code)

    def raised(dispute: Dispute, key: str) -> int:
        return dispute_loan(found, dispute, caller=request.viewer.caller("portal"), key=key)

    return _dispute(
        request,
        found.code,
        found.currency,
        LOAN_FIGURES,
        _loan_stands(found),
        raised,
        "supplier-loans-one",
    )


def _standing_of(claim: Claim) -> str:
    """Why the claim does not count, "" where it does."""
    pool = Pool.objects.filter(pk=claim.pool_id).select_related("legal_entity").first()
    # A claim in no pool is left out on whatever day.
    return reason_of_claim(claim.pk, on=pool.legal_entity.business_date if pool else date.max)


def _loan_stands(loan: Loan) -> Mapping[Any, Standing]:
    stands: dict[Any, Standing] = {
        LoanFigure.PRINCIPAL: loan.principal_minor,
        LoanFigure.DUE_DATE: loan.due_date,
    }
    if loan.status in PAID_OUT:
        owed = loan_on(loan.code).state.balances
        stands |= {
            LoanFigure.PRINCIPAL: owed.principal_minor,
            LoanFigure.INTEREST: owed.interest_accrued_minor,
            LoanFigure.PENALTY: owed.penalty_accrued_minor,
            LoanFigure.FEES: owed.fees_charged_minor,
            LoanFigure.REPAYMENTS: owed.principal_repaid_minor,
        }
    return stands


def _dispute(
    request: HttpRequest,
    code: str,
    currency: str,
    labels: Mapping[Any, Promise],
    stands: Mapping[Any, Standing],
    raised: Callable[[Dispute, str], int],
    back: str,
) -> HttpResponse:
    figures = {figure: label for figure, label in labels.items() if figure in stands}
    form = DisputeForm(
        request.POST or None, figures=figures, initial={"figure": request.GET.get("figure", "")}
    )
    status = 200
    said: list[Said] = []
    open_case = None
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                case_id = raised(
                    _disputed(form.cleaned_data, figures, stands, currency), _key(form)
                )
            except Refusal as refusal:
                said, status = told(refusal), refusal_status(refusal)
                open_case = refusal.case_id if isinstance(refusal, CaseOpenAlready) else None
            else:
                messages.success(request, _now("Your case is raised. We answer it here."))
                return redirect("supplier-cases-one", number=case_id)
    return render(
        request,
        "portal/supplier/dispute.html",
        {
            "form": form,
            "code": code,
            "said": said,
            "open_case": open_case,
            "stands": [(figures[figure], _shown(stands[figure], currency)) for figure in figures],
            "parts": request.resolver_match.kwargs,
            "back": back,
        },
        status=status,
    )


def _key(form: DisputeForm) -> str:
    return str(form.cleaned_data["key"])


def _disputed(
    typed: Mapping[str, Any],
    figures: Mapping[Any, Promise],
    stands: Mapping[Any, Standing],
    currency: str,
) -> Dispute:
    """What was typed as a dispute. Raises UnreadableTypedAmount."""
    figure = next(each for each in figures if str(each) == typed["figure"])
    should_be = typed["should_be"] if figure in WITH_AMOUNT else ""
    return Dispute(
        figure=figure,
        stands=stands[figure],
        should_be_minor=minor_from_typed(should_be, currency) if should_be else None,
        says=typed["says"],
    )


def _shown(standing: Standing, currency: str) -> str:
    match standing:
        case int():
            return amount(standing, currency)
        case date():
            return day(standing)
        case _:
            return named("reason", standing)


def _about(details: Mapping[str, Any]) -> dict[str, Any]:
    """A case in words: what it is about, the figure, and what was said to be right."""
    is_claim = "claim" in details
    labels: Mapping[Any, Promise] = CLAIM_FIGURES if is_claim else LOAN_FIGURES
    kind: Any = ClaimFigure if is_claim else LoanFigure
    stands = details["stands"]
    should_be_minor = details["should_be_minor"]
    if isinstance(stands, str) and details["figure"] == "due_date":
        stands = date.fromisoformat(stands)
    return {
        "code": details["claim"] if is_claim else details["loan"],
        "claim_number": details.get("claim_number"),
        "figure": labels[kind(details["figure"])],
        "stands": _shown(stands, details["currency"]),
        "should_be": (
            "" if should_be_minor is None else amount(should_be_minor, details["currency"])
        ),
    }
