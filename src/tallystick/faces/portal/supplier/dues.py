"""What is to be paid, and when."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.parties.models import LegalEntity
from tallystick.book.servicing.dues import dues_of, open_loans
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import sliced


@page(May.SEE_OWN)
def dues(request: HttpRequest) -> HttpResponse:
    """Open loans by due date, each with what it is to be paid then."""
    found = open_loans(reach.loans(request.viewer)).select_related("facility")
    part = sliced(found, by=("due_date", "pk"), cursor=request.GET.get("cursor", ""))
    on_of = dict(LegalEntity.objects.values_list("id", "business_date"))
    rows = []
    for entity_id, on in on_of.items():
        own = [loan for loan in part.rows if loan.facility.legal_entity_id == entity_id]
        rows += dues_of(own, on=on)
    rows.sort(key=lambda due: due.due_date)
    return render(request, "portal/supplier/dues.html", {"part": part, "rows": rows})
