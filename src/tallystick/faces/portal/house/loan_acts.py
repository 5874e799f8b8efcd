"""Acts on a loan: what gives money or time away is proposed, and each is looked at before.

What would change is not computed beside the act: the act is done, looked at, and taken back
(``book.servicing.rehearse``).
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.access.viewer import Viewer
from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import PAID_OUT, Loan, LoanStatus
from tallystick.book.proposals.propose import preview, propose
from tallystick.book.servicing.charge_back import charge_back
from tallystick.book.servicing.charge_fee import charge_fee
from tallystick.book.servicing.rehearse import rehearsed
from tallystick.book.servicing.reverse_event import reverse_event, reversible_events
from tallystick.faces.portal.drawdown_words import amount
from tallystick.faces.portal.house import loan_act_forms as typed
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Preview, Told, act_page
from tallystick.faces.portal.house.loan_changes import changes_of
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.proposal_words import terms_told
from tallystick.faces.portal.words import named
from tallystick.rules.typed_amounts import minor_from_typed

Act = Callable[[dict[str, Any], Caller, str], None]
"""Does it with what was typed, for a caller, under a request key."""


class Entry(NamedTuple):
    """An act in a loan's menu."""

    label: Any
    view: str
    act: May
    is_after_the_end: bool = False


MENU = (
    Entry(_("Extend the term"), "house-loans-extend", May.PROPOSE_RELIEF),
    Entry(_("Move the due date"), "house-loans-move-due", May.PROPOSE_RELIEF),
    Entry(_("Plan it anew"), "house-loans-re-age", May.PROPOSE_RELIEF),
    Entry(_("Pause interest"), "house-loans-pause", May.PROPOSE_RELIEF),
    Entry(_("Change the rate"), "house-loans-rate", May.PROPOSE_RELIEF),
    Entry(_("Waive a charge"), "house-loans-waive", May.PROPOSE_RELIEF),
    Entry(_("Restructure"), "house-loans-restructure", May.PROPOSE_RELIEF),
    Entry(_("Sell a share"), "house-loans-sell", May.PROPOSE_RELIEF),
    Entry(_("Buy a share back"), "house-loans-buy-back", May.PROPOSE_RELIEF),
    Entry(_("Charge it off"), "house-loans-charge-off", May.PROPOSE_RELIEF),
    Entry(_("Charge a fee"), "house-loans-fee", May.SERVICE_LOANS),
    Entry(_("Take an event back"), "house-loans-reverse", May.SERVICE_LOANS, is_after_the_end=True),
    Entry(_("Charge a payment back"), "house-loans-charge-back", May.MOVE_CASH),
)


def menu_of(loan: Loan, viewer: Viewer) -> list[dict[str, Any]]:
    """The acts that the viewer may do on a loan as it stands: addresses and labels."""
    if loan.status not in PAID_OUT:
        return []
    menu = [
        {
            "label": each.label,
            "url": reverse(each.view, args=[loan.code]),
            "is_proposed": each.act is May.PROPOSE_RELIEF,
        }
        for each in MENU
        if viewer.may(each.act) and (loan.status == LoanStatus.LIVE or each.is_after_the_end)
    ]
    if viewer.may(May.MOVE_CASH):
        asked = urlencode({"supplier": loan.facility.supplier.code, "currency": loan.currency})
        menu.append(
            {
                "label": _now("Refund the supplier's credit"),
                "url": f"{reverse('house-cash-refund')}?{asked}",
                "is_proposed": False,
            }
        )
    return menu


@page(May.PROPOSE_RELIEF)
def extend(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.ExtensionForm,
        _now("Extend the term"),
        _now("The loan falls due later. Penalty interest that has accrued stays owed."),
    )


@page(May.PROPOSE_RELIEF)
def move_due(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.DueMoveForm,
        _now("Move the due date"),
        _now("A loan that has not fallen due falls due on another day."),
    )


@page(May.PROPOSE_RELIEF)
def re_age(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.ReAgingForm,
        _now("Plan it anew"),
        _now("All that is outstanding gets a new plan, and nothing is past due any more."),
    )


@page(May.PROPOSE_RELIEF)
def pause(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.PauseForm,
        _now("Pause interest"),
        _now("No interest runs on these days, the first and the last included; penalty does."),
    )


@page(May.PROPOSE_RELIEF)
def rate(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.RateForm,
        _now("Change the rate"),
        _now(
            "The loan bears another rate, within what the law allows. One that follows a "
            "reference rate changes with it alone."
        ),
    )


@page(May.PROPOSE_RELIEF)
def waive(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.WaiverForm,
        _now("Waive a charge"),
        _now("A part of what is owed is asked for no more. Principal is charged off instead."),
    )


@page(May.PROPOSE_RELIEF)
def restructure(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.RestructuringForm,
        _now("Restructure"),
        _now("All that is outstanding bears another rate under a new plan."),
    )


@page(May.PROPOSE_RELIEF)
def charge_off(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.ChargeOffForm,
        _now("Charge it off"),
        _now(
            "All that the loan owes leaves the books as a loss, and its facility is frozen. The "
            "firm still owes it: what comes in later is recovered."
        ),
        is_grave=True,
    )


@page(May.PROPOSE_RELIEF)
def sell(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.ShareSaleForm,
        _now("Sell a share"),
        _now(
            "A funder takes a share of what comes in from its day on, and owes the price. Nothing "
            "changes for the borrower."
        ),
    )


@page(May.PROPOSE_RELIEF)
def buy_back(request: HttpRequest, code: str) -> HttpResponse:
    return _propose(
        request,
        code,
        typed.ShareBuyBackForm,
        _now("Buy a share back"),
        _now(
            "A share that a funder holds comes back, in full or in part, and the price is owed to "
            "the funder. Nothing changes for the borrower."
        ),
    )


@page(May.SERVICE_LOANS)
def fee(request: HttpRequest, code: str) -> HttpResponse:
    loan = reach.loan(request.viewer, code)

    def act(asked: dict[str, Any], caller: Caller, key: str) -> None:
        charge_fee(
            code,
            minor_from_typed(asked["amount"], loan.currency),
            value_date=asked["value_date"],
            why=asked["what"],
            caller=caller,
            key=key,
        )

    return _do(
        request,
        loan,
        typed.FeeForm(
            request.POST or None,
            initial={"value_date": loan.facility.legal_entity.business_date},
        ),
        title=_now("Charge a fee"),
        lead=_now("The fee is owed from its day on, which may lie in the past."),
        button=_now("Charge it"),
        done=_now("The fee is charged."),
        told=lambda asked: _now("A fee for %(what)s") % {"what": asked["what"]},
        act=act,
    )


@page(May.MOVE_CASH)
def charge_back_one(request: HttpRequest, code: str) -> HttpResponse:
    loan = reach.loan(request.viewer, code)

    def act(asked: dict[str, Any], caller: Caller, key: str) -> None:
        charge_back(
            code,
            minor_from_typed(asked["amount"], loan.currency),
            value_date=asked["value_date"],
            caller=caller,
            key=key,
        )

    return _do(
        request,
        loan,
        typed.ChargeBackForm(
            request.POST or None,
            initial={"value_date": loan.facility.legal_entity.business_date},
        ),
        title=_now("Charge a payment back"),
        lead=_now(
            "The payer's bank has taken money back that the loan had received: what it had met "
            "is owed again from that day on."
        ),
        button=_now("Charge it back"),
        done=_now("The payment is charged back."),
        told=lambda _asked: _now("What the money had met is owed again"),
        act=act,
        is_grave=True,
    )


@page(May.SERVICE_LOANS)
def reverse_one(request: HttpRequest, code: str) -> HttpResponse:
    loan = reach.loan(request.viewer, code)
    events = {str(each.pk): each for each in reversible_events(loan.pk)}

    def act(asked: dict[str, Any], caller: Caller, key: str) -> None:
        reverse_event(code, int(asked["event"]), caller=caller, key=key)

    return _do(
        request,
        loan,
        typed.EventForm(request.POST or None, events=list(events.values()), currency=loan.currency),
        title=_now("Take an event back"),
        lead=_now(
            "The loan is as if the event had never been, on any day, and the ledger gets the "
            "difference. A reversal stands: what was taken back in error is recorded anew."
        ),
        button=_now("Take it back"),
        done=_now("The event is taken back."),
        told=lambda asked: typed.event_told(events[asked["event"]], loan.currency),
        act=act,
        is_grave=True,
    )


def _propose(
    request: HttpRequest,
    code: str,
    form_class: type[typed.ProposalForm],
    title: str,
    lead: str,
    *,
    is_grave: bool = False,
) -> HttpResponse:
    """The page of an act that another person has to approve."""
    loan = reach.loan(request.viewer, code)
    form = form_class(request.POST or None, currency=loan.currency)
    back = _back(request, loan)

    def looked_at(_asked: dict[str, Any], caller: Caller) -> Preview:
        terms = form.terms()
        rehearsal = preview(code, terms, caller=caller)
        return Preview(terms_told(terms, loan.currency), changes_of(rehearsal))

    def proposed(asked: dict[str, Any], caller: Caller) -> Told:
        number = propose(code, form.terms(), caller=caller, key=asked["key"], maker=request.user)
        return Told(back, _now("Proposal %(number)s waits for an approver.") % {"number": number})

    waits = _now("Nothing changes until an approver, somebody else than you, agrees.")
    words = ActPage(
        title=title,
        lead=f"{lead} {waits}",
        button=_now("Propose it"),
        back=back,
        facts=_facts(loan),
        is_grave=is_grave,
    )
    return act_page(request, form, words, proposed, preview=looked_at)


def _do(
    request: HttpRequest,
    loan: Loan,
    form: ActForm,
    *,
    title: str,
    lead: str,
    button: str,
    done: str,
    told: Callable[[dict[str, Any]], str],
    act: Act,
    is_grave: bool = False,
) -> HttpResponse:
    """The page of an act that one person does."""
    back = _back(request, loan)

    def looked_at(asked: dict[str, Any], caller: Caller) -> Preview:
        rehearsal = rehearsed(loan.code, lambda: act(asked, caller, f"rehearsal:{uuid4()}"))
        return Preview(told(asked), changes_of(rehearsal))

    def carried_out(asked: dict[str, Any], caller: Caller) -> Told:
        act(asked, caller, asked["key"])
        return Told(back, done)

    words = ActPage(
        title=title, lead=lead, button=button, back=back, facts=_facts(loan), is_grave=is_grave
    )
    return act_page(request, form, words, carried_out, preview=looked_at)


def _back(request: HttpRequest, loan: Loan) -> str:
    """To the case that the act was opened from, or to the loan."""
    case = request.GET.get("case", "")
    if case.isdecimal() and reach.late_payers(request.viewer).filter(pk=int(case[:18])).exists():
        return reverse("house-collections-one", args=[int(case[:18])])
    return reverse("house-loans-one", args=[loan.code])


def _facts(loan: Loan) -> list[tuple[str, str]]:
    return [
        (_now("Loan"), loan.code),
        (_now("Supplier"), loan.facility.supplier.name),
        (_now("Agreed"), amount(loan.principal_minor, loan.currency)),
        (_now("State"), named("loan_status", loan.status)),
    ]
