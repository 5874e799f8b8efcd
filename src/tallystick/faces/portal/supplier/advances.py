"""A merchant's advances out of sales: one as it stands, and drawing a new one.

The request key of a draw is the line's state as the form saw it, the advance before: a double
click and a second tab draw once.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.once import KeyConflict
from tallystick.book.sales_credit.draw import (
    AdvanceOffer,
    available_on,
    draw_advance,
    offer_of,
)
from tallystick.book.sales_credit.models import Advance, AdvanceEvent, SalesLine
from tallystick.book.sales_credit.overview import advance_on
from tallystick.faces.portal.drawdown_words import Said
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.refusals import refusal_status, told
from tallystick.rules.refusal import Refusal
from tallystick.rules.typed_amounts import minor_from_typed

EVENTS_SHOWN = 200


@page(May.SEE_OWN)
def advance(request: HttpRequest, code: str) -> HttpResponse:
    """One advance: what is outstanding, how it keeps its pace, and everything that came in."""
    found = reach.advance(request.viewer, code)
    stands = advance_on(code)
    return render(
        request,
        "portal/supplier/advance.html",
        {
            "advance": found,
            "state": stands.state,
            "pace": stands.pace,
            "events": AdvanceEvent.objects.filter(advance=found.pk)
            .select_related("reverses")
            .order_by("-value_date", "-pk")[:EVENTS_SHOWN],
        },
    )


@page(May.DRAW)
def draw(request: HttpRequest, code: str) -> HttpResponse:
    """How much, what it costs in all, and, confirmed, the draw."""
    line = reach.sales_line(request.viewer, code)
    given = request.POST if request.method == "POST" else request.GET
    typed = given.get("amount", "")[:40]
    offer: AdvanceOffer | None = None
    said: list[Said] = []
    status = 200
    try:
        if request.method == "POST":
            granted = draw_advance(
                line.code,
                minor_from_typed(typed, line.currency),
                caller=request.viewer.caller("portal"),
                key=given.get("key", ""),
            )
            messages.success(request, _("The advance is granted; the payout is ordered."))
            return redirect("supplier-advances-one", code=granted.advance)
        if typed:
            offer = offer_of(line.code, minor_from_typed(typed, line.currency))
    except KeyConflict:
        return redirect("supplier-home")
    except Refusal as refusal:
        said = told(refusal)
        status = refusal_status(refusal) if request.method == "POST" else 200
    return render(
        request,
        "portal/supplier/advance_draw.html",
        {
            "line": line,
            "inputs": available_on(line.code),
            "typed": typed,
            "offer": offer,
            "said": said,
            "key": given.get("key") or _key(line),
        },
        status=status,
    )


def _key(line: SalesLine) -> str:
    """The draw that a form opened now asks for: the one after the last."""
    last = Advance.objects.filter(line=line).order_by("-pk").values_list("pk", flat=True).first()
    return f"portal-advance:{line.code}:{last or 0}"
