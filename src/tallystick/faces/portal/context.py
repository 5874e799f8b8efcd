"""What every page of the portal shows: who looks, and where they can go."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from tallystick.book.access.viewer import Viewer
from tallystick.faces.portal.house.places import HOUSE_GROUPS
from tallystick.faces.portal.places import Group, Place
from tallystick.faces.portal.supplier.places import SUPPLIER_PLACES


def portal(request: HttpRequest) -> dict[str, object]:
    """``groups``: where the viewer can go; ``near``: the places of the group that they are in.

    A firm's few places are all near, and in no group.
    """
    viewer = getattr(request, "viewer", None)
    if viewer is None:
        return {"viewer": None, "groups": [], "near": []}
    here = request.resolver_match.view_name if request.resolver_match else ""
    if viewer.party_id is not None:
        return {"viewer": viewer, "groups": [], "near": _shown(SUPPLIER_PLACES, viewer, here)}
    groups = [_group(each, viewer, here) for each in HOUSE_GROUPS]
    return {
        "viewer": viewer,
        "groups": [each for each in groups if each["places"]],
        "near": next((each["places"] for each in groups if each["is_here"]), []),
    }


def _group(group: Group, viewer: Viewer, here: str) -> dict[str, Any]:
    places = _shown(group.places, viewer, here)
    return {
        "label": group.label,
        "url": places[0]["url"] if places else "",
        "is_here": any(place["is_here"] for place in places),
        "places": places,
    }


def _shown(places: Sequence[Place], viewer: Viewer, here: str) -> list[dict[str, Any]]:
    return [
        {
            "label": place.label,
            "url": reverse(place.view),
            "is_here": here.startswith(place.view),
        }
        for place in places
        if viewer.may(place.act)
    ]
