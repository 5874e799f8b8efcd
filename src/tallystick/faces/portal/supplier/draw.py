"""Draw: how much and for how long, then look and confirm, then done.

The request key is the facility's state as the form saw it: the draw that came before. So a double
click, the back button and a second tab all ask for the same draw, and only one is made; the next
draw is one of a form opened after it. What was typed travels in the address, so that somebody who
has to sign in again comes back to it, and nothing is drawn by signing in.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.once import KeyConflict
from tallystick.book.financing.draw_down import DrawRequest, draw_down
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.financing.offers import Offer, Quote, offers, quote
from tallystick.faces.portal.drawdown_words import Said, said_of
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.refusals import refusal_status, told
from tallystick.rules.money import text_from_minor
from tallystick.rules.refusal import Refusal
from tallystick.rules.typed_amounts import UnreadableTypedAmount, minor_from_typed

MAX_TENOR_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, and what it means; None where it means nothing that can be drawn."""

    amount: str
    tenor: str
    amount_minor: int | None
    tenor_days: int | None
    amount_said: tuple[Said, ...]
    tenor_said: tuple[Said, ...]

    @property
    def is_clear(self) -> bool:
        return self.amount_minor is not None and self.tenor_days is not None


@page(May.DRAW)
def draw(request: HttpRequest, code: str) -> HttpResponse:
    """The form, with what was typed or what could be drawn at most."""
    facility = reach.facility(request.viewer, code)
    (offer,) = offers([facility.code])
    typed = _typed(request.GET, offer) if "amount" in request.GET else _at_most(offer)
    return _form(request, facility, offer, typed)


@page(May.DRAW)
def draw_quote(request: HttpRequest, code: str) -> HttpResponse:
    """What the draw would come to, as a part of the page: asked for while somebody types."""
    facility = reach.facility(request.viewer, code)
    (offer,) = offers([facility.code])
    typed = _typed(request.GET, offer)
    # On the whole page, what is wrong with a field stands beside it.
    quoted = _quoted(facility, offer, typed) | {"is_part": True}
    return render(request, "portal/supplier/quote.html", quoted)


@page(May.DRAW)
def draw_confirm(request: HttpRequest, code: str) -> HttpResponse:
    """What is about to be drawn, and what it costs; or, confirmed, the draw."""
    facility = reach.facility(request.viewer, code)
    (offer,) = offers([facility.code])
    given = request.POST if request.method == "POST" else request.GET
    typed = _typed(given, offer)
    quoted = _quoted(facility, offer, typed)
    if request.method == "POST":
        return _drawn(request, facility, offer, typed, given)
    if quoted["said"] or not typed.is_clear:
        return _form(request, facility, offer, typed)
    return _confirm(request, facility, quoted, key=given.get("key") or _key(facility))


def _drawn(
    request: HttpRequest, facility: Facility, offer: Offer, typed: Typed, given: QueryDict
) -> HttpResponse:
    if typed.amount_minor is None or typed.tenor_days is None:
        return _form(request, facility, offer, typed, status=422)
    try:
        drawdown = draw_down(
            DrawRequest(
                facility=facility.code,
                amount_minor=typed.amount_minor,
                tenor_days=typed.tenor_days,
                on=_day(given.get("on", ""), offer.business_date),
                caller=request.viewer.caller("portal"),
                key=given.get("key", ""),
            )
        )
    except Refusal as refusal:
        if isinstance(refusal, KeyConflict):
            return _used(request, facility)
        status = refusal_status(refusal)
        return _form(request, facility, offer, typed, status=status, said=told(refusal))
    return redirect("supplier-home-drawn", code=drawdown.loan)


@page(May.SEE_OWN)
def drawn(request: HttpRequest, code: str) -> HttpResponse:
    """A draw that was made: its loan, what happens next."""
    loan = reach.loan(request.viewer, code)
    return render(request, "portal/supplier/drawn.html", {"loan": loan})


def _form(
    request: HttpRequest,
    facility: Facility,
    offer: Offer,
    typed: Typed,
    *,
    status: int = 200,
    said: list[Said] | None = None,
) -> HttpResponse:
    quoted = _quoted(facility, offer, typed)
    given = {"said": said, "quote": None} if said is not None else {}
    return render(
        request,
        "portal/supplier/draw.html",
        quoted | given | {"blocks": _blocks(offer), "key": _key(facility)},
        status=status,
    )


def _confirm(
    request: HttpRequest, facility: Facility, quoted: dict[str, Any], *, key: str
) -> HttpResponse:
    today = (
        reach.loans(request.viewer)
        .filter(facility=facility, drawn_date=quoted["offer"].business_date)
        .order_by("-pk")
        .first()
    )
    return render(
        request,
        "portal/supplier/draw_confirm.html",
        quoted | {"key": key, "drawn_today": today, "address": request.get_full_path()},
    )


def _used(request: HttpRequest, facility: Facility) -> HttpResponse:
    """The form was used for another draw meanwhile: that one stands, and this one was not made."""
    last = reach.loans(request.viewer).filter(facility=facility).order_by("-pk").first()
    return render(
        request, "portal/supplier/draw_used.html", {"facility": facility, "loan": last}, status=409
    )


def _quoted(facility: Facility, offer: Offer, typed: Typed) -> dict[str, Any]:
    """What the templates of a draw show: what was typed, its price, and what stands against it."""
    asked: Quote | None = None
    said: list[Said] = []
    if typed.amount_minor is not None and typed.tenor_days is not None:
        asked = quote(facility.code, amount_minor=typed.amount_minor, tenor_days=typed.tenor_days)
        refused = [verdict for verdict in asked.decision.verdicts if not verdict.passed]
        said = [said_of(each.rule, each.value, asked.decision.inputs) for each in refused]
    return {
        "facility": facility,
        "offer": offer,
        "typed": typed,
        "quote": asked,
        "said": list(dict.fromkeys(said)),
    }


def _blocks(offer: Offer) -> list[Said]:
    return [said_of(block.rule, block.value, offer.inputs) for block in offer.blocks]


def _key(facility: Facility) -> str:
    """The draw that a form opened now asks for: the one after the last."""
    last = Loan.objects.filter(facility=facility).order_by("-pk").values_list("pk", flat=True)
    return f"portal-draw:{facility.code}:{last.first() or 0}"


def _at_most(offer: Offer) -> Typed:
    tenor_days = offer.usual_tenor_days
    return Typed(
        amount=text_from_minor(offer.drawable_minor, offer.currency, thousands=True),
        tenor=str(tenor_days),
        amount_minor=offer.drawable_minor or None,
        tenor_days=tenor_days,
        amount_said=(),
        tenor_said=(),
    )


def _typed(given: QueryDict, offer: Offer) -> Typed:
    amount, tenor = given.get("amount", ""), given.get("tenor", "")
    amount_minor = tenor_days = None
    amount_said: tuple[Said, ...] = ()
    tenor_said: tuple[Said, ...] = ()
    try:
        amount_minor = minor_from_typed(amount, offer.currency)
    except UnreadableTypedAmount as refusal:
        amount_said = tuple(told(refusal))
        amount = refusal.text
    digits = unicodedata.normalize("NFKC", tenor).strip().removesuffix("天").strip()
    if digits.isdecimal() and len(digits) <= MAX_TENOR_DIGITS:
        tenor_days = int(digits)
    else:
        tenor = tenor[:20]
        tenor_said = (
            Said(
                _("This is not a number of days."),
                _("Type %(shortest)s to %(longest)s in digits.")
                % {
                    "shortest": offer.inputs.min_tenor_days,
                    "longest": offer.inputs.max_tenor_days,
                },
            ),
        )
    return Typed(amount, tenor, amount_minor, tenor_days, amount_said, tenor_said)


def _day(text: str, business_date: date) -> date:
    """The day that was confirmed; a text that is none stands for today."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return business_date
