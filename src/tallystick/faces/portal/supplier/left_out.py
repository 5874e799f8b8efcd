"""Every claim that does not count towards the base, with its reason and what helps."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.collateral.reasons import AWAITS_PREDECESSOR, UNASSIGNED, reasons_of_supplier
from tallystick.book.collateral.terms import terms_by_id
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.words import remedy_for
from tallystick.rules.eligibility import REASONS

ROWS_A_PAGE = 50
LISTED = (*REASONS[1:], AWAITS_PREDECESSOR, UNASSIGNED)
"""In the order of the rules; what is closed is no claim any more."""


@page(May.SEE_OWN)
def left_out(request: HttpRequest, code: str) -> HttpResponse:
    """The claims of one facility that are left out, largest first; of one ``reason`` if asked."""
    facility = reach.facility(request.viewer, code)
    reasons = reasons_of_supplier(facility.supplier_id, on=facility.legal_entity.business_date)
    rows = (
        reach.claims(request.viewer)
        .filter(pk__in=[claim_id for claim_id, why in reasons.items() if why])
        .filter(currency=facility.currency)
        .values_list("pk", "pool_id", "face_minor", "paid_minor", "diluted_minor")
    )
    outstanding_of = {
        claim_id: face_minor - paid_minor - diluted_minor
        for claim_id, pool_id, face_minor, paid_minor, diluted_minor in rows
        if pool_id in (None, facility.pool_id)
    }
    sums: dict[str, int] = {}
    for claim_id, outstanding_minor in outstanding_of.items():
        why = reasons[claim_id]
        sums[why] = sums.get(why, 0) + outstanding_minor
    asked = request.GET.get("reason", "")
    wanted = sorted(
        (claim_id for claim_id in outstanding_of if not asked or reasons[claim_id] == asked),
        key=lambda claim_id: (-outstanding_of[claim_id], claim_id),
    )
    shown = Paginator(wanted, ROWS_A_PAGE).get_page(request.GET.get("page"))
    claims = reach.claims(request.viewer).select_related("obligor").in_bulk(list(shown))
    terms = terms_by_id(facility.pool.terms_id).terms
    return render(
        request,
        "portal/supplier/left_out.html",
        {
            "facility": facility,
            "asked": asked,
            "sums": [(why, sums[why], remedy_for(why, terms)) for why in LISTED if why in sums],
            "page": shown,
            "rows": [
                (claims[claim_id], reasons[claim_id], outstanding_of[claim_id])
                for claim_id in shown
            ],
        },
    )
