"""A refusal as a page, in the reader's language, with the status that says what kind it is."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tallystick.book.access.permissions import NotAllowed
from tallystick.book.access.reach import NotThere
from tallystick.book.acts.once import KeyConflict
from tallystick.book.financing.refusals import DrawdownRefused
from tallystick.book.sales_credit.draw import AdvanceRefused
from tallystick.book.servicing.dues import DayOutOfReach
from tallystick.book.servicing.live_loan import NotALiveLoan
from tallystick.book.servicing.supplier_statement import MAX_DAYS, PeriodOutOfReach
from tallystick.book.watch.raise_case import (
    MAX_SAYS_LENGTH,
    CaseOpenAlready,
    CaseUnsaid,
    NotACaseSubject,
)
from tallystick.faces.portal.advance_refusals import refusal_told
from tallystick.faces.portal.drawdown_words import Said, said_of
from tallystick.faces.portal.refusal_words import BROADLY, EXACTLY
from tallystick.faces.portal.templatetags.figures import day
from tallystick.rules.hidden_characters import NotAName
from tallystick.rules.money import text_from_minor
from tallystick.rules.refusal import Refusal
from tallystick.rules.typed_amounts import UnreadableTypedAmount


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
        request,
        "portal/refusal.html",
        {"refusal": refusal, "said": told(refusal)},
        status=refusal_status(refusal),
    )


def told(refusal: Refusal) -> list[Said]:
    """Why, and what to do, in the reader's language; in the book's words where none were found."""
    is_english = (get_language() or "en").startswith("en")
    for kind in type(refusal).__mro__:
        if kind in _TOLD:
            return _TOLD[kind](refusal)
        if kind in EXACTLY and not is_english:
            return [EXACTLY[kind](refusal)]
        if kind in BROADLY and not is_english:
            reason, remedy = BROADLY[kind]
            return [Said(str(reason), str(remedy))]
    if is_english:
        return [Said(str(refusal))]
    return [Said(_("This is not possible; why is known in English only:"), str(refusal))]


def _drawdown_refused(refusal: DrawdownRefused) -> list[Said]:
    decision = refusal.decision
    said = [
        said_of(verdict.rule, verdict.value, decision.inputs)
        for verdict in decision.verdicts
        if not verdict.passed
    ]
    # Several rules may say the same of one amount: it is told once.
    return list(dict.fromkeys(said))


def _unreadable_amount(refusal: UnreadableTypedAmount) -> list[Said]:
    example = {"example": text_from_minor(123_456, refusal.currency)}
    reasons = {
        "empty": _("No amount was typed."),
        "overlong": _("This is too long for an amount."),
        "hidden_character": _("The amount holds a character that cannot be seen."),
        "negative": _("The amount is below zero."),
        "other_currency": _("This is the sign of another currency."),
        "ambiguous": _("This can be read in more than one way."),
        "too_many_decimals": _("This has more decimals than the currency."),
        "too_large": _("This is more than any amount here."),
        "not_a_number": _("This is not an amount."),
    }
    remedy = _("Type the amount in digits, for example %(example)s; 万 and 亿 are understood.")
    return [Said(reasons[refusal.reason], remedy % example)]


def _not_a_name(refusal: NotAName) -> list[Said]:
    return [
        Said(
            _("The text holds a character that cannot be seen (U+%(code)s).")
            % {"code": f"{ord(refusal.character):04X}"},
            _("Take it out, or type the text anew instead of pasting it."),
        )
    ]


def _day_out_of_reach(refusal: DayOutOfReach) -> list[Said]:
    return [
        Said(
            _("%(day)s cannot be told.") % {"day": day(refusal.asked_date)},
            _("Choose a day from %(first)s to %(last)s.")
            % {"first": day(refusal.first_date), "last": day(refusal.last_date)},
        )
    ]


_TOLD: Mapping[type[Refusal], Callable[[Any], list[Said]]] = {
    NotThere: lambda _refusal: [
        Said(_("There is nothing of that name here."), _("Look for it in its list."))
    ],
    NotAllowed: lambda _refusal: [
        Said(
            _("Your role does not permit this."),
            _("Ask somebody who has it, or an operator to change your role."),
        )
    ],
    KeyConflict: lambda _refusal: [
        Said(
            _("This form was used before, for another request; that one stands as it was."),
            _("Open the form anew for a new request."),
        )
    ],
    DrawdownRefused: _drawdown_refused,
    AdvanceRefused: refusal_told,
    UnreadableTypedAmount: _unreadable_amount,
    NotAName: _not_a_name,
    DayOutOfReach: _day_out_of_reach,
    NotALiveLoan: lambda _refusal: [
        Said(_("This loan owes nothing: it has not been paid out, or it has been repaid."))
    ],
    PeriodOutOfReach: lambda _refusal: [
        Said(
            _("A statement covers 1 to %(most)s days, the first day first.") % {"most": MAX_DAYS},
        )
    ],
    CaseUnsaid: lambda _refusal: [
        Said(_("Say what is wrong in 1 to %(most)s characters.") % {"most": f"{MAX_SAYS_LENGTH:,}"})
    ],
    CaseOpenAlready: lambda refusal: [
        Said(
            _("Case %(number)s about this figure is open already.") % {"number": refusal.case_id},
            _("Our answer will stand with that case."),
        )
    ],
    NotACaseSubject: lambda _refusal: [
        Said(
            _("The claim belongs to no facility yet, so that nobody would see the case."),
            _("Ask us to assign the claim first."),
        )
    ],
}
"""By the class that is refused, or one it derives from."""
