"""The house's first page: where it stands today."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.book.access.permissions import May
from tallystick.book.parties.models import LegalEntity
from tallystick.faces.portal.pages import page


@page(May.SEE_HOUSE)
def house_today(request: HttpRequest) -> HttpResponse:
    entities = LegalEntity.objects.order_by("code")
    return render(request, "portal/house/today.html", {"entities": entities})
