"""The supplier's first page: how much it can draw now, at what price, and why."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.access.viewer import Viewer
from tallystick.book.financing.models import Facility, LoanStatus
from tallystick.book.financing.offers import Offer, offers
from tallystick.book.financing.since import since_day_before
from tallystick.book.sales_credit.draw import available_on
from tallystick.book.sales_credit.models import AdvanceStatus
from tallystick.book.sales_credit.overview import AdvanceOn, advances_on
from tallystick.book.servicing.dues import dues_of, open_loans
from tallystick.faces.portal.drawdown_words import said_of
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.supplier.prices import price_told
from tallystick.faces.portal.supplier.waterfall import bars, shown

NEXT_DUES = 3


@page(May.SEE_OWN)
def supplier_home(request: HttpRequest) -> HttpResponse:
    facilities = list(reach.facilities(request.viewer).order_by("code"))
    found = offers([facility.code for facility in facilities])
    told = [
        _told(request.viewer, facility, offer)
        for facility, offer in zip(facilities, found, strict=True)
    ]
    return render(
        request,
        "portal/supplier/home.html",
        {
            "told": told,
            "single": len(told) == 1,
            "advances": _advances(request.viewer),
            "lines": _lines_to_draw(request.viewer),
        },
    )


def _advances(viewer: Viewer) -> list[AdvanceOn]:
    """The firm's advances out of sales that are not repaid, each as it stands today."""
    advances = list(
        reach.advances(viewer)
        .filter(status__in=[AdvanceStatus.PENDING, AdvanceStatus.LIVE])
        .select_related("line__legal_entity")
        .order_by("pk")
    )
    return [
        found
        for advance in advances
        for found in advances_on([advance], on=advance.line.legal_entity.business_date)
    ]


def _lines_to_draw(viewer: Viewer) -> list[dict[str, Any]]:
    """The lines out of sales on which an advance could be drawn now, with what bounds it."""
    if not viewer.may(May.DRAW):
        return []
    return [
        {"line": line, "inputs": inputs}
        for line in reach.sales_lines(viewer).filter(frozen_reason="").order_by("code")
        for inputs in [available_on(line.code)]
        if not inputs.open_advances and inputs.available_minor >= inputs.min_draw_minor
    ]


def _told(viewer: Viewer, facility: Facility, offer: Offer) -> dict[str, Any]:
    loans = reach.loans(viewer).filter(facility=facility).select_related("facility")
    due_next = open_loans(loans).order_by("due_date", "pk")[:NEXT_DUES]
    since = since_day_before(offer)
    return {
        "facility": facility,
        "offer": offer,
        "price": price_told(offer),
        "bars": bars(offer),
        "said": [said_of(block.rule, block.value, offer.inputs) for block in offer.blocks],
        "since": since,
        "changes": shown(since.changes) if since else [],
        "dues": dues_of(due_next, on=offer.business_date),
        "under_way": loans.filter(status=LoanStatus.PENDING).order_by("-pk")[:NEXT_DUES],
    }
