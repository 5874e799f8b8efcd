"""A refusal as a page, in the reader's language, with the status that says what kind it is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.book.access.permissions import NotAllowed
from tallystick.book.access.reach import NotThere
from tallystick.book.acts.once import KeyConflict
from tallystick.rules.refusal import Refusal


def refusal_status(refusal: Refusal) -> int:
    """403 what the role does not permit, 404 what is not there, 409 a used key, else 422."""
    if isinstance(refusal, NotAllowed):
        return 403
    if isinstance(refusal, NotThere):
        return 404
    if isinstance(refusal, KeyConflict):
        return 409
    return 422


def refusal_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return render(
        request, "portal/refusal.html", {"refusal": refusal}, status=refusal_status(refusal)
    )
