"""A request that is refused before any page reads it, told in the reader's language."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from tallystick.faces.portal.drawdown_words import Said


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Too much text in a form, or something that no browser of ours sends. Nothing was done."""
    if isinstance(exception, RequestDataTooBig):
        said = Said(
            _("What was sent is too long for this form. Nothing was done."),
            _("Go back, shorten the text, and send it again."),
        )
    else:
        said = Said(
            _("What was sent cannot be read. Nothing was done."),
            _("Open the page again and send the form once more."),
        )
    return render(request, "portal/refusal.html", {"said": [said]}, status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - as Django calls it
    """No page has this address."""
    said = Said(_("There is no such page."), _("Check the address, or begin at the first page."))
    return render(request, "portal/refusal.html", {"said": [said]}, status=404)
