"""The supplier's claims: the list, and one claim with why it counts or does not."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.collateral.models import Pool
from tallystick.book.collateral.reasons import reason_of_claim, reasons_of_supplier
from tallystick.book.collateral.terms import terms_by_id
from tallystick.book.financing.models import Facility
from tallystick.book.parties.models import LegalEntity
from tallystick.book.trade.explore import COUNTED, ClaimsWanted, claims_wanted
from tallystick.book.trade.models import ClaimEvent, ClaimStatus, Document, Stage
from tallystick.faces.portal import words
from tallystick.faces.portal.filters import DateField, FilterForm, WordField
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import Slice, sliced
from tallystick.faces.portal.supplier.left_out import LISTED
from tallystick.rules.pool_terms import Terms


class ClaimsForm(FilterForm):
    """Filters of the list of claims."""

    code = forms.CharField(label=_("Code begins with"), required=False, max_length=200)
    obligor = forms.CharField(label=_("Customer's code"), required=False, max_length=64)
    status = WordField(_("State"), "claim_status", tuple(ClaimStatus.values))
    stage = WordField(_("Stage"), "stage", tuple(Stage.values))
    reason = forms.ChoiceField(
        label=_("Counts"),
        required=False,
        choices=[
            ("", _("Any")),
            (COUNTED, words.WORDS["reason"][""]),
            *((reason, words.WORDS["reason"][reason]) for reason in LISTED),
        ],
    )
    due_from = DateField(_("Due from"))
    due_to = DateField(_("Due to"))

    ranges: ClassVar[Mapping[str, str]] = {"due_from": "due_to"}


@page(May.SEE_OWN)
def claims(request: HttpRequest) -> HttpResponse:
    """The claims, newest first, as far as the filters let them through."""
    form = ClaimsForm(request.GET, viewer=request.viewer)
    part = Slice([], before="", after="")
    if form.is_valid():
        asked = form.cleaned_data
        wanted = ClaimsWanted(
            supplier_id=request.viewer.party_id,
            stage=asked["stage"],
            status=asked["status"],
            reason=asked["reason"],
            due_from_date=asked["due_from"],
            due_to_date=asked["due_to"],
            code_prefix=asked["code"].strip(),
        )
        on = _today(request)
        reasons = (
            reasons_of_supplier(request.viewer.party_id, on=on) if asked["reason"] and on else {}
        )
        found = claims_wanted(reach.claims(request.viewer), wanted, reasons=reasons)
        if asked["obligor"]:
            found = found.filter(obligor__code=asked["obligor"].strip())
        cursor = request.GET.get("cursor", "")
        part = sliced(found.select_related("obligor"), by=("-pk",), cursor=cursor)
    rows = [
        (claim, claim.face_minor - claim.paid_minor - claim.diluted_minor) for claim in part.rows
    ]
    return render(
        request, "portal/supplier/claims.html", {"form": form, "part": part, "rows": rows}
    )


@page(May.SEE_OWN)
def claim(request: HttpRequest, number: int) -> HttpResponse:
    """One claim: its figures, its documents, what happened to it, and why it counts or not."""
    found = reach.by_number(
        reach.claims(request.viewer).select_related("obligor", "document"), "claim", number
    )
    pool = Pool.objects.filter(pk=found.pool_id).select_related("legal_entity").first()
    on = pool.legal_entity.business_date if pool else _today(request)
    reason = reason_of_claim(found.pk, on=on)
    root_id = found.document.root_id
    unit = reach.documents(request.viewer).filter(
        **({"root": root_id} if root_id else {"pk": found.pk})
    )
    events = ClaimEvent.objects.filter(claim=found).select_related("document")
    return render(
        request,
        "portal/supplier/claim.html",
        {
            "claim": found,
            "outstanding_minor": found.face_minor - found.paid_minor - found.diluted_minor,
            "reason": reason,
            "remedy": words.remedy_for(reason, _terms_of(pool)) if reason else "",
            "facility": Facility.objects.filter(pool=pool).first() if pool else None,
            "documents": _in_order(list(unit.select_related("issuer"))),
            "events": events.order_by("value_date", "pk"),
        },
    )


def _in_order(documents: list[Document]) -> list[Document]:
    return sorted(documents, key=lambda document: (document.issue_date, document.pk))


def _terms_of(pool: Pool | None) -> Terms | None:
    return terms_by_id(pool.terms_id).terms if pool else None


def _today(request: HttpRequest) -> date | None:
    """The open business day of the firm's lender."""
    entity = reach.facilities(request.viewer).values_list("legal_entity__business_date", flat=True)
    return entity.first() or LegalEntity.objects.values_list("business_date", flat=True).first()
