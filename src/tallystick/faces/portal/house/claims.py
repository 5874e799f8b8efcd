"""The claims explorer, and a claim: what it is, what happened to it, why it counts or not."""

import csv
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.once import Caller
from tallystick.book.collateral.models import Assignment
from tallystick.book.collateral.reasons import reason_of_claim, reasons_of_supplier
from tallystick.book.collateral.terms import terms_by_id
from tallystick.book.patience import for_at_most
from tallystick.book.trade.dispute import dispute_claims, resolve_disputes
from tallystick.book.trade.explore import COUNTED, ClaimsWanted, claims_wanted
from tallystick.book.trade.models import Claim, ClaimEvent, ClaimStatus, Stage
from tallystick.faces.files.csv_cells import inert
from tallystick.faces.portal import words
from tallystick.faces.portal.filters import (
    ANY,
    DateField,
    FilterForm,
    FirmField,
    WordField,
    minor_typed,
)
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.house.entity_asked import entity_asked
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import Slice, cheap_count, sliced
from tallystick.rules.eligibility import REASONS
from tallystick.rules.money import text_from_minor

PATIENCE_MS = 3_000
ROWS_A_READ = 2_000
"""Of an export, which goes on reading while it is sent."""

ORDERS: Mapping[str, tuple[str, ...]] = {
    "newest": ("-pk",),
    "oldest": ("pk",),
    "due_first": ("due_date", "pk"),
    "due_last": ("-due_date", "-pk"),
}


class ClaimsForm(FilterForm):
    """Filters of the explorer."""

    code = forms.CharField(label=_("Code begins with"), required=False, max_length=200)
    supplier = FirmField(_("Supplier"))
    obligor = FirmField(_("Customer"))
    stage = WordField(_("Stage"), "stage", tuple(Stage.values))
    status = WordField(_("State"), "claim_status", tuple(ClaimStatus.values))
    reason = forms.ChoiceField(
        label=_("Counts or left out"),
        required=False,
        choices=[
            ANY,
            (COUNTED, _("Counted")),
            *(
                (code, words.WORDS["reason"][code])
                for code in (*REASONS, "unassigned", "awaits_predecessor")
                if code != "assigned_elsewhere"
            ),
        ],
    )
    due_from = DateField(_("Due from"))
    due_to = DateField(_("Due to"))
    at_least = forms.CharField(label=_("Amount from"), required=False, max_length=60)
    at_most = forms.CharField(label=_("Amount to"), required=False, max_length=60)
    order = forms.ChoiceField(
        label=_("Sorted by"),
        required=False,
        choices=[
            ("", _("Newest first")),
            ("oldest", _("Oldest first")),
            ("due_first", _("Due first")),
            ("due_last", _("Due last")),
        ],
    )

    ranges = {"due_from": "due_to", "at_least": "at_most"}  # noqa: RUF012 - never changed

    def __init__(self, *asked: Any, currency: str, **given: Any) -> None:
        super().__init__(*asked, **given)
        self.currency = currency

    def clean_at_least(self) -> int | None:
        return minor_typed(self.cleaned_data["at_least"], self.currency)

    def clean_at_most(self) -> int | None:
        return minor_typed(self.cleaned_data["at_most"], self.currency)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("reason") not in ("", None, "closed") and not self.data.get("supplier"):
            self.add_error(
                "supplier",
                _("Name a supplier: why a claim is left out depends on its other claims."),
            )
        return cleaned

    def wanted(self) -> ClaimsWanted:
        asked = self.cleaned_data
        bounded = asked["at_least"] is not None or asked["at_most"] is not None
        return ClaimsWanted(
            supplier_id=asked["supplier"].pk if asked["supplier"] else None,
            obligor_id=asked["obligor"].pk if asked["obligor"] else None,
            currency=self.currency if bounded else "",
            stage=asked["stage"],
            status=asked["status"],
            reason=asked["reason"],
            due_from_date=asked["due_from"],
            due_to_date=asked["due_to"],
            min_face_minor=asked["at_least"],
            max_face_minor=asked["at_most"],
            code_prefix=asked["code"],
        )


@page(May.SEE_HOUSE)
def house_claims(request: HttpRequest) -> HttpResponse:
    form = _form(request)
    found = Slice([], "", "")
    reasons: Mapping[int, str] | None = None
    count = None
    if form.is_valid():
        with for_at_most(PATIENCE_MS):
            rows, reasons = _asked(request, form)
            found = sliced(
                rows.select_related("supplier", "obligor"),
                by=_order(form),
                cursor=request.GET.get("cursor", ""),
            )
        count = cheap_count(rows) if form.is_used else None
    return render(
        request,
        "portal/house/claims.html",
        {
            "form": form,
            "found": found,
            "count": count,
            "rows": [
                {"claim": claim, "outstanding_minor": _outstanding_minor(claim)}
                | ({"reason": _reason(claim, reasons)} if reasons is not None else {})
                for claim in found.rows
            ],
            "with_reasons": reasons is not None,
            "query": _query(request),
        },
        status=200 if form.is_valid() else 422,
    )


def _form(request: HttpRequest) -> ClaimsForm:
    return ClaimsForm(request.GET, viewer=request.viewer, currency=_currency(request))


def _currency(request: HttpRequest) -> str:
    """In which amounts are typed: that of the first facility there is."""
    first = reach.facilities(request.viewer).order_by("pk").values_list("currency", flat=True)
    return first.first() or "CNY"


def _asked(
    request: HttpRequest, form: ClaimsForm
) -> tuple[QuerySet[Claim], Mapping[int, str] | None]:
    wanted = form.wanted()
    reasons = None
    if wanted.supplier_id is not None:
        on = entity_asked(request).business_date
        reasons = reasons_of_supplier(wanted.supplier_id, on=on)
    return claims_wanted(reach.claims(request.viewer), wanted, reasons=reasons), reasons


def _order(form: ClaimsForm) -> tuple[str, ...]:
    return ORDERS[form.cleaned_data["order"] or "newest"]


def _reason(claim: Claim, reasons: Mapping[int, str] | None) -> str:
    return (reasons or {}).get(claim.pk, "closed" if claim.status == "closed" else "")


def _outstanding_minor(claim: Claim) -> int:
    return claim.face_minor - claim.paid_minor - claim.diluted_minor


def _query(request: HttpRequest) -> str:
    """The filters as they stand in the address, without the place in the list."""
    asked = request.GET.copy()
    asked.pop("cursor", None)
    return asked.urlencode()


@page(May.SEE_HOUSE)
def house_claims_csv(request: HttpRequest) -> HttpResponse:
    """All claims that the filters let through, as a file that is sent while it is read."""
    form = _form(request)
    if not form.is_valid():
        return house_claims(request)
    rows, reasons = _asked(request, form)
    response = StreamingHttpResponse(
        _lines(rows.select_related("supplier", "obligor", "pool"), reasons, _order(form)),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = 'attachment; filename="claims.csv"'
    return response


class _Echo:
    """What a CSV writer writes to: gives the line back."""

    def write(self, line: str) -> str:
        return line


COLUMNS = (
    "claim", "supplier", "obligor", "stage", "status", "reason", "currency", "face", "paid",
    "reduced", "outstanding", "issue_date", "due_date", "pool",
)  # fmt: skip


def _lines(
    rows: QuerySet[Claim], reasons: Mapping[int, str] | None, order: tuple[str, ...]
) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(COLUMNS)
    cursor = ""
    while True:
        found = sliced(rows, by=order, cursor=cursor, size=ROWS_A_READ)
        yield "".join(writer.writerow(map(inert, _cells(row, reasons))) for row in found.rows)
        cursor = found.after
        if not cursor:
            return


def _cells(claim: Claim, reasons: Mapping[int, str] | None) -> list[str]:
    amounts = (
        claim.face_minor,
        claim.paid_minor,
        claim.diluted_minor,
        _outstanding_minor(claim),
    )
    return [
        claim.code,
        claim.supplier.code,
        claim.obligor.code,
        claim.stage,
        claim.status,
        "" if reasons is None else _reason(claim, reasons),
        claim.currency,
        *(text_from_minor(amount_minor, claim.currency) for amount_minor in amounts),
        claim.issue_date.isoformat(),
        claim.due_date.isoformat(),
        claim.pool.code if claim.pool else "",
    ]


@page(May.SEE_HOUSE)
def house_claim(request: HttpRequest, code: str) -> HttpResponse:
    claim = reach.claim(request.viewer, code)
    reason = reason_of_claim(claim.pk, on=entity_asked(request).business_date)
    pool = claim.pool
    return render(
        request,
        "portal/house/claim.html",
        {
            "claim": claim,
            "outstanding_minor": _outstanding_minor(claim),
            "reason": reason,
            "remedy": _remedy(reason, pool),
            "documents": _documents(request, claim),
            "events": ClaimEvent.objects.filter(claim=claim.pk)
            .select_related("act", "document")
            .order_by("pk")[:200],
            "pool": pool,
            "facility": pool
            and reach.facilities(request.viewer)
            .filter(pool=pool)
            .select_related("supplier")
            .first(),
            "former": Assignment.objects.filter(claim=claim.pk)
            .select_related("pool")
            .order_by("from_date", "pk")[:50],
            "may_dispute": request.viewer.may(May.DISPUTE),
        },
    )


def _remedy(reason: str, pool: Any) -> str:
    """What can be done; without a pool there are no terms to name."""
    if reason in ("unassigned", "awaits_predecessor"):
        return {
            "unassigned": _now("Assign the claim to a pool of its supplier."),
            "awaits_predecessor": _now("Have the earlier document sent, such as the order."),
        }[reason]
    return words.remedy_for(reason, terms_by_id(pool.terms_id).terms) if pool and reason else ""


def _documents(request: HttpRequest, claim: Claim) -> list[Any]:
    """The unit of trade: every document of it, the claim's own included."""
    own = claim.document
    of_unit = Q(pk=own.pk) if own.root_id is None else Q(root=own.root_id) | Q(pk=own.root_id)
    return list(
        reach.documents(request.viewer)
        .filter(of_unit)
        .select_related("issuer")
        .order_by("issue_date", "pk")[:100]
    )


@page(May.DISPUTE)
def house_dispute(request: HttpRequest, code: str) -> HttpResponse:
    return _change_dispute(
        request,
        code,
        title=_now("Dispute this claim"),
        lead=_now("Nothing is lent against a disputed claim until the dispute is settled."),
        button=_now("Mark as disputed"),
        done=_now("The claim is disputed."),
        change=dispute_claims,
    )


@page(May.DISPUTE)
def house_resolve(request: HttpRequest, code: str) -> HttpResponse:
    return _change_dispute(
        request,
        code,
        title=_now("Settle the dispute"),
        lead=_now("The claim counts again, if nothing else leaves it out."),
        button=_now("Dispute is settled"),
        done=_now("The dispute is settled."),
        change=resolve_disputes,
    )


def _change_dispute(
    request: HttpRequest, code: str, *, title: str, lead: str, button: str, done: str, change: Any
) -> HttpResponse:
    claim = reach.claim(request.viewer, code)
    legal_entity_id = claim.pool.legal_entity_id if claim.pool else entity_asked(request).pk
    here = reverse("house-claims-one", kwargs={"code": code})

    def act(typed: dict[str, Any], caller: Caller) -> Told:
        request.viewer.refuse_unless(May.DISPUTE)
        change(
            [claim.code],
            reason=typed["reason"],
            legal_entity_id=legal_entity_id,
            caller=caller,
            key=typed["key"],
        )
        return Told(here, done)

    return act_page(
        request,
        ActForm(request.POST or None),
        ActPage(
            title=title,
            lead=lead,
            button=button,
            back=here,
            facts=[(_now("Claim"), claim.code), (_now("Supplier"), claim.supplier.name)],
        ),
        act,
    )
