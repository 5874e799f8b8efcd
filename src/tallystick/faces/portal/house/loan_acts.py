"""Acts on a loan: all but a fee are proposed, and each is looked at before.

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
from tallystick.book.servicing.charge_fee import charge_fee
from tallystick.book.servicing.rehearse import rehearsed
from tallystick.faces.portal.drawdown_words import amount
from tallystick.faces.portal.house import loan_act_forms as typed
from tallystick.faces.portal.house.act_pages import ActPage, Preview, Told, act_page
from tallystick.faces.portal.house.loan_changes import changes_of
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.proposal_words import terms_told
from tallystick.faces.portal.words import named
from tallystick.rules.typed_amounts import minor_from_typed


class ProposalPage(NamedTuple):
    """An act that another person has to approve; ``name`` is the end of its address."""

    name: str
    form: type[typed.ProposalForm]
    title: Any
    lead: Any
    act: May = May.PROPOSE_RELIEF
    is_grave: bool = False
    is_after_the_end: bool = False

    @property
    def view(self) -> str:
        return f"house-loans-{self.name}"


PROPOSED = (
    ProposalPage(
        "extend",
        typed.ExtensionForm,
        _("Extend the term"),
        _("The loan falls due later. Penalty interest that has accrued stays owed."),
    ),
    ProposalPage(
        "move-due",
        typed.DueMoveForm,
        _("Move the due date"),
        _("A loan that has not fallen due falls due on another day."),
    ),
    ProposalPage(
        "re-age",
        typed.ReAgingForm,
        _("Plan it anew"),
        _("All that is outstanding gets a new plan, and nothing is past due any more."),
    ),
    ProposalPage(
        "pause",
        typed.PauseForm,
        _("Pause interest"),
        _("No interest runs on these days, the first and the last included; penalty does."),
    ),
    ProposalPage(
        "rate",
        typed.RateForm,
        _("Change the rate"),
        _(
            "The loan bears another rate, within what the law allows. One that follows a "
            "reference rate changes with it alone."
        ),
    ),
    ProposalPage(
        "waive",
        typed.WaiverForm,
        _("Waive a charge"),
        _("A part of what is owed is asked for no more. Principal is charged off instead."),
    ),
    ProposalPage(
        "restructure",
        typed.RestructuringForm,
        _("Restructure"),
        _("All that is outstanding bears another rate under a new plan."),
    ),
    ProposalPage(
        "sell",
        typed.ShareSaleForm,
        _("Sell a share"),
        _(
            "A funder takes a share of what comes in from its day on, and owes the price. Nothing "
            "changes for the borrower."
        ),
    ),
    ProposalPage(
        "buy-back",
        typed.ShareBuyBackForm,
        _("Buy a share back"),
        _(
            "A share that a funder holds comes back, in full or in part, and the price is owed to "
            "the funder. Nothing changes for the borrower."
        ),
    ),
    ProposalPage(
        "reverse-share",
        typed.ShareReversalForm,
        _("Take a share's transfer back"),
        _(
            "The share is held as if the transfer had never been, on any day, and the ledger gets "
            "the difference. Nothing changes for the borrower."
        ),
        is_grave=True,
        is_after_the_end=True,
    ),
    ProposalPage(
        "charge-off",
        typed.ChargeOffForm,
        _("Charge it off"),
        _(
            "All that the loan owes leaves the books as a loss, and its facility is frozen. The "
            "firm still owes it: what comes in later is recovered."
        ),
        is_grave=True,
    ),
    ProposalPage(
        "reverse",
        typed.EventReversalForm,
        _("Take an event back"),
        _(
            "The loan is as if the event had never been, on any day, and the ledger gets the "
            "difference. A reversal stands: what was taken back in error is recorded anew."
        ),
        is_grave=True,
        is_after_the_end=True,
    ),
    ProposalPage(
        "charge-back",
        typed.ChargeBackForm,
        _("Charge a payment back"),
        _(
            "The payer's bank has taken money back that the loan had received: what it had met "
            "is owed again from that day on."
        ),
        act=May.MOVE_CASH,
        is_grave=True,
    ),
)


def menu_of(loan: Loan, viewer: Viewer) -> list[dict[str, Any]]:
    """The acts that the viewer may do on a loan as it stands: addresses and labels."""
    if loan.status not in PAID_OUT:
        return []
    is_live = loan.status == LoanStatus.LIVE
    menu = [
        _entry(each.title, reverse(each.view, args=[loan.code]), is_proposed=True)
        for each in PROPOSED
        if viewer.may(each.act) and (is_live or each.is_after_the_end)
    ]
    if viewer.may(May.SERVICE_LOANS) and is_live:
        fee_page = reverse("house-loans-fee", args=[loan.code])
        menu.append(_entry(_("Charge a fee"), fee_page, is_proposed=False))
    supplier = loan.facility.supplier.code
    if viewer.may(May.TAKE_RECEIPTS):
        asked = {"loan": loan.code, "payer": supplier, "currency": loan.currency}
        take_page = f"{reverse('house-cash-take')}?{urlencode(asked)}"
        menu.append(_entry(_("Take cash for it"), take_page, is_proposed=False))
    if viewer.may(May.MOVE_CASH):
        asked = {"supplier": supplier, "currency": loan.currency}
        refund_page = f"{reverse('house-cash-refund')}?{urlencode(asked)}"
        menu.append(_entry(_("Refund the supplier's credit"), refund_page, is_proposed=True))
    return menu


def _entry(label: Any, url: str, *, is_proposed: bool) -> dict[str, Any]:
    return {"label": label, "url": url, "is_proposed": is_proposed}


def view_of(shown: ProposalPage) -> Callable[..., HttpResponse]:
    """The page on which this act is proposed, for those who may."""

    @page(shown.act)
    def view(request: HttpRequest, code: str) -> HttpResponse:
        return _propose(request, code, shown)

    return view


def _propose(request: HttpRequest, code: str, shown: ProposalPage) -> HttpResponse:
    loan = reach.loan(request.viewer, code)
    form = shown.form(request.POST or None, loan=loan)
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
        title=shown.title,
        lead=f"{shown.lead} {waits}",
        button=_now("Propose it"),
        back=back,
        facts=_facts(loan),
        is_grave=shown.is_grave,
    )
    return act_page(request, form, words, proposed, preview=looked_at)


@page(May.SERVICE_LOANS)
def fee(request: HttpRequest, code: str) -> HttpResponse:
    """Charge a fee, which one person does: taking it back takes two."""
    loan = reach.loan(request.viewer, code)
    back = _back(request, loan)

    def act(asked: dict[str, Any], caller: Caller, key: str) -> None:
        charge_fee(
            code,
            minor_from_typed(asked["amount"], loan.currency),
            value_date=asked["value_date"],
            why=asked["what"],
            caller=caller,
            key=key,
        )

    def looked_at(asked: dict[str, Any], caller: Caller) -> Preview:
        rehearsal = rehearsed(loan.code, lambda: act(asked, caller, f"rehearsal:{uuid4()}"))
        return Preview(_now("A fee for %(what)s") % {"what": asked["what"]}, changes_of(rehearsal))

    def charged(asked: dict[str, Any], caller: Caller) -> Told:
        act(asked, caller, asked["key"])
        return Told(back, _now("The fee is charged."))

    words = ActPage(
        title=_now("Charge a fee"),
        lead=_now("The fee is owed from its day on, which may lie in the past."),
        button=_now("Charge it"),
        back=back,
        facts=_facts(loan),
    )
    form = typed.FeeForm(
        request.POST or None, initial={"value_date": loan.facility.legal_entity.business_date}
    )
    return act_page(request, form, words, charged, preview=looked_at)


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
