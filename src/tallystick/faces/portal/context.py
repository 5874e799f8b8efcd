"""What every page of the portal shows: who looks, and where they can go."""

from django.http import HttpRequest
from django.urls import reverse

from tallystick.faces.portal.house.places import HOUSE_PLACES
from tallystick.faces.portal.supplier.places import SUPPLIER_PLACES


def portal(request: HttpRequest) -> dict[str, object]:
    viewer = getattr(request, "viewer", None)
    if viewer is None:
        return {"viewer": None, "places": []}
    places = HOUSE_PLACES if viewer.party_id is None else SUPPLIER_PLACES
    here = request.resolver_match.view_name if request.resolver_match else ""
    return {
        "viewer": viewer,
        "places": [
            {
                "label": place.label,
                "url": reverse(place.view),
                "is_here": here.startswith(place.view),
            }
            for place in places
            if viewer.may(place.act)
        ],
    }
