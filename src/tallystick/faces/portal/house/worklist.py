"""What the platform could not settle by itself: the list, and an item with what can be done."""

from typing import Any

from django import forms
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.access.viewer import Viewer
from tallystick.book.acts.once import Caller
from tallystick.book.payments.models import CashReceipt, PaymentKind, PaymentOrder
from tallystick.book.watch.models import WorkItem
from tallystick.book.watch.worklist import settle_item
from tallystick.faces.portal import words
from tallystick.faces.portal.filters import ANY, FilterForm
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import Slice, sliced


class WorklistForm(FilterForm):
    """Filters of the worklist. Any kind may be asked for: others come with later code."""

    kind = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    subject = forms.CharField(label=_("About, begins with"), required=False, max_length=200)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Open")), ("closed", _("Closed")), ("all", ANY[1])],
    )


@page(May.SEE_HOUSE)
def house_worklist(request: HttpRequest) -> HttpResponse:
    form = WorklistForm(request.GET, viewer=request.viewer)
    found = Slice([], "", "")
    every = reach.work_items(request.viewer)
    if form.is_valid():
        asked = form.cleaned_data
        rows = every
        if asked["state"] != "all":
            rows = rows.filter(closed_at__isnull=asked["state"] != "closed")
        if asked["kind"]:
            rows = rows.filter(kind=asked["kind"])
        if asked["subject"]:
            rows = rows.filter(subject__startswith=asked["subject"])
        found = sliced(
            rows.select_related("legal_entity"),
            by=("-pk",),
            cursor=request.GET.get("cursor", ""),
        )
    return render(
        request,
        "portal/house/worklist.html",
        {
            "form": form,
            "found": found,
            "kind": request.GET.get("kind", ""),
            "kinds": every.filter(closed_at=None)
            .values("kind")
            .annotate(items=Count("pk"))
            .order_by("kind"),
        },
        status=200 if form.is_valid() else 422,
    )


@page(May.SEE_HOUSE)
def house_work_item(request: HttpRequest, number: int) -> HttpResponse:
    item = reach.work_item(request.viewer, number)
    is_open = item.closed_at is None
    return render(
        request,
        "portal/house/work_item.html",
        {
            "item": item,
            "details": _details(item),
            "remedy": words.remedy_of_item(item.kind, item.details),
            "link": link_of(item),
            "may_close": is_open and request.viewer.may(May.WORK),
            "order_again": _order_to_repeat(request.viewer, item) if is_open else None,
        },
    )


def _details(item: WorkItem) -> list[tuple[str, Any, str]]:
    """What is known of it: name, value, and currency where the value is an amount."""
    currency = item.details.get("currency", "")
    return [
        (
            name,
            ", ".join(map(str, value)) if isinstance(value, list) else value,
            currency if name.endswith("_minor") and isinstance(value, int) else "",
        )
        for name, value in item.details.items()
        if name not in ("remedy", "currency") and value not in ("", None, [])
    ]


def link_of(item: WorkItem) -> str:
    """Where the object is shown that an item is about; empty where no page shows it."""
    kind, _colon, code = item.subject.partition(":")
    pages = {
        "loan": ("house-loans-one", code),
        "claim": ("house-claims-one", code),
        "facility": ("house-facilities-one", code),
        # supplier:CODE:CUR, and a code may have colons itself
        "supplier": ("house-parties-one", code.rpartition(":")[0] or code),
    }
    if kind == "payment":
        order = PaymentOrder.objects.filter(end_to_end_id=code.partition(":")[0])
        loan = order.values_list("loan__code", flat=True).first()
        return (
            reverse("house-loans-one", kwargs={"code": loan})
            if loan
            else reverse("house-cash-orders")
        )
    if kind == "case":
        number = code.partition(":")[0]
        is_number = number.isdecimal()
        return reverse("house-collections-one", args=[int(number)]) if is_number else ""
    if kind == "receipt":
        receipt = CashReceipt.objects.filter(
            legal_entity=item.legal_entity_id, bank_reference=code
        ).first()
        return reverse("house-cash-receipt", args=[receipt.pk]) if receipt else ""
    view, named = pages.get(kind, ("", ""))
    return reverse(view, kwargs={"code": named}) if named else ""


def _order_to_repeat(viewer: Viewer, item: WorkItem) -> PaymentOrder | None:
    """The rejected order that an item is about, where the viewer can order it anew."""
    if item.kind != "failed_payout" or not viewer.may(May.MOVE_CASH):
        return None
    return (
        reach.payment_orders(viewer)
        .filter(end_to_end_id=item.subject.removeprefix("payment:"), status="rejected")
        .exclude(kind=PaymentKind.PAYOUT)
        .select_related("beneficiary")
        .first()
    )


@page(May.WORK)
def house_work_item_close(request: HttpRequest, number: int) -> HttpResponse:
    item = reach.work_item(request.viewer, number)

    def act(typed: dict[str, Any], caller: Caller) -> Told:
        request.viewer.refuse_unless(May.WORK)
        settle_item(item.pk, caller=caller, key=typed["key"])
        return Told(reverse("house-worklist"), _now("The item is off the list."))

    form = ActForm(request.POST or None)
    form.fields["reason"].label = _now("What was done")
    form.fields["reason"].help_text = _now("Kept with the item, under your name.")
    return act_page(
        request,
        form,
        ActPage(
            title=_now("Take the item off the list"),
            lead=_now("Somebody will read later what was done about it."),
            button=_now("Take off the list"),
            back=_url(item),
            facts=_facts(item),
        ),
        act,
    )


def _url(item: WorkItem) -> str:
    return reverse("house-worklist-item", kwargs={"number": item.pk})


def _facts(item: WorkItem) -> list[tuple[str, str]]:
    return [
        (_now("Item"), str(item.pk)),
        (_now("Kind"), words.named("work_item", item.kind)),
        (_now("About"), item.subject),
    ]
