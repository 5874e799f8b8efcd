"""The supplier's first page: how much it can draw now."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.financing.availability import availability
from tallystick.faces.portal.pages import page


@page(May.SEE_OWN)
def supplier_home(request: HttpRequest) -> HttpResponse:
    facilities = list(
        reach.facilities(request.viewer).select_related("legal_entity", "supplier").order_by("code")
    )
    standings = [
        availability([facility.pk], on=facility.legal_entity.business_date)[facility.pk]
        for facility in facilities
    ]
    return render(
        request,
        "portal/supplier/home.html",
        {"standings": list(zip(facilities, standings, strict=True))},
    )
