"""Everything that waits for a second person, on one page, and the decision on acts on loans.

Journals and facts are decided on their own pages, with all that belongs to them.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.access.viewer import Viewer
from tallystick.book.acts.once import Caller
from tallystick.book.impairment.models import Fact
from tallystick.book.ledger.models import ManualJournal
from tallystick.book.parties.models import LegalEntity
from tallystick.book.proposals.decide import approve_proposal, reject_proposal, withdraw_proposal
from tallystick.book.proposals.models import Proposal
from tallystick.book.proposals.propose import preview, preview_refund
from tallystick.book.proposals.terms import ChargeOff, Refund, terms_of
from tallystick.book.sales_credit.charge_off import approve_loss, reject_loss
from tallystick.book.sales_credit.models import LossProposal
from tallystick.faces.portal.drawdown_words import amount
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Changed, Told, act_page
from tallystick.faces.portal.house.entity_asked import entity_asked, entity_choice
from tallystick.faces.portal.house.loan_changes import changes_of, changes_of_credit
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.proposal_words import proposal_told, terms_told
from tallystick.faces.portal.refusals import told
from tallystick.faces.portal.templatetags.figures import day
from tallystick.faces.portal.words import named
from tallystick.rules.journal import Side
from tallystick.rules.refusal import Refusal

MOST_SHOWN = 200
GRAVE = ("charge_off", "event_reversal", "share_reversal", "charge_back", "refund")

Facts = list[tuple[str, str]]


class Waiting(NamedTuple):
    """One thing that waits: its kind and terms in words, and where it is decided."""

    kind: str
    number: int
    told: str
    about: str
    about_url: str
    maker: str
    reason: str
    proposed_at: datetime
    act: May
    approve_url: str
    reject_url: str
    withdraw_url: str = ""

    @property
    def days(self) -> int:
        return (timezone.now() - self.proposed_at).days


class ApproveForm(ActForm):
    """An approval needs no words: what was proposed has its reason."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["reason"].required = False


@page(May.SEE_HOUSE)
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, of every kind, the oldest first."""
    entity = entity_asked(request)
    viewer = request.viewer
    rows = sorted(_all_waiting(viewer, entity), key=lambda each: each.proposed_at)
    return render(
        request,
        "portal/house/approvals.html",
        {
            "rows": [
                {
                    "each": each,
                    "is_own": each.maker == viewer.name,
                    "may_decide": each.maker != viewer.name and viewer.may(each.act),
                }
                for each in rows
            ],
            **entity_choice(request, entity),
        },
    )


@page(May.DECIDE_RELIEF)
def approve(request: HttpRequest, number: int) -> HttpResponse:
    """Carry a proposal out; the page shows what it changes as the loan stands now."""
    proposal = _proposal(request, number)
    changes, warning = _changes(request, proposal)
    return _approval(
        request,
        proposal,
        approve_proposal,
        _now("Approve proposal %(number)s") % {"number": proposal.pk},
        _facts(proposal),
        is_grave=proposal.kind in GRAVE,
        changes=changes,
        warning=warning,
    )


@page(May.DECIDE_RELIEF)
def reject(request: HttpRequest, number: int) -> HttpResponse:
    """Decline a proposal."""
    proposal = _proposal(request, number)
    title = _now("Reject proposal %(number)s") % {"number": proposal.pk}
    return _rejection(request, proposal, reject_proposal, title, _facts(proposal))


@page(May.WITHDRAW)
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Take back what one has proposed oneself."""
    proposal = _proposal(request, number)
    back = reverse("house-approvals")

    def withdrawn(asked: dict[str, Any], caller: Caller) -> Told:
        withdraw_proposal(proposal.pk, caller=caller, key=asked["key"], maker=request.user)
        return Told(back, _now("Proposal %(number)s is withdrawn.") % {"number": proposal.pk})

    words = ActPage(
        title=_now("Withdraw proposal %(number)s") % {"number": proposal.pk},
        lead=_now("Nothing changes, and nobody decides on it any more."),
        button=_now("Withdraw it"),
        back=back,
        facts=_facts(proposal),
    )
    return act_page(request, ApproveForm(request.POST or None), words, withdrawn)


@page(May.DECIDE_RELIEF)
def approve_loss_of(request: HttpRequest, number: int) -> HttpResponse:
    """Charge an advance out of sales off."""
    proposal = _loss(request, number)
    title = _now("Approve the charge-off of an advance")
    facts = _facts_of_loss(proposal)
    return _approval(request, proposal, approve_loss, title, facts, is_grave=True)


@page(May.DECIDE_RELIEF)
def reject_loss_of(request: HttpRequest, number: int) -> HttpResponse:
    """Decline the charge-off of an advance."""
    proposal = _loss(request, number)
    title = _now("Reject the charge-off of an advance")
    return _rejection(request, proposal, reject_loss, title, _facts_of_loss(proposal))


def _approval(
    request: HttpRequest,
    proposal: Proposal | LossProposal,
    carry_out: Callable[..., object],
    title: str,
    facts: Facts,
    *,
    is_grave: bool,
    changes: Sequence[Changed] = (),
    warning: str = "",
) -> HttpResponse:
    """The page on which somebody else than its maker lets a proposal be carried out."""

    def approved(asked: dict[str, Any], caller: Caller) -> Told:
        carry_out(proposal.pk, caller=caller, key=asked["key"], checker=request.user)
        message = _now("Proposal %(number)s is carried out.") % {"number": proposal.pk}
        return Told(reverse("house-approvals"), message)

    words = ActPage(
        title=title,
        lead=_now("It is carried out in the open business day, at once."),
        button=_now("Approve it"),
        back=reverse("house-approvals"),
        facts=facts,
        is_grave=is_grave,
        changes=changes,
        warning=warning,
    )
    return act_page(request, ApproveForm(request.POST or None), words, approved)


def _rejection(
    request: HttpRequest,
    proposal: Proposal | LossProposal,
    decline: Callable[..., object],
    title: str,
    facts: Facts,
) -> HttpResponse:
    def rejected(asked: dict[str, Any], caller: Caller) -> Told:
        decline(proposal.pk, caller=caller, key=asked["key"], checker=request.user)
        message = _now("Proposal %(number)s is rejected.") % {"number": proposal.pk}
        return Told(reverse("house-approvals"), message)

    words = ActPage(
        title=title,
        lead=_now("Nothing changes. Whoever proposed it reads your reason."),
        button=_now("Reject it"),
        back=reverse("house-approvals"),
        facts=facts,
    )
    return act_page(request, ActForm(request.POST or None), words, rejected)


def things_to_approve(viewer: Viewer) -> int:
    """How many things wait for a second person."""
    reached = (
        reach.proposals(viewer),
        reach.loss_proposals(viewer),
        reach.facts(viewer),
        reach.manual_journals(viewer),
    )
    return sum(rows.filter(approved=None).count() for rows in reached)


def _all_waiting(viewer: Viewer, entity: LegalEntity) -> Iterator[Waiting]:
    rows = {"legal_entity": entity, "approved": None}
    for proposal in (
        reach.proposals(viewer)
        .filter(**rows)
        .select_related("loan", "supplier", "maker")
        .order_by("pk")[:MOST_SHOWN]
    ):
        yield _of_loan(proposal)
    for loss in (
        reach.loss_proposals(viewer)
        .filter(advance__line__legal_entity=entity, approved=None)
        .select_related("advance__line__merchant", "maker")
        .order_by("pk")[:MOST_SHOWN]
    ):
        yield _of_advance(loss)
    for fact in (
        reach.facts(viewer)
        .filter(**rows)
        .select_related("loan", "advance", "party", "maker")
        .order_by("pk")[:MOST_SHOWN]
    ):
        yield _of_fact(fact)
    for journal in (
        reach.manual_journals(viewer)
        .filter(**rows)
        .select_related("maker")
        .order_by("pk")[:MOST_SHOWN]
    ):
        yield _of_journal(journal)


def _of_loan(proposal: Proposal) -> Waiting:
    return Waiting(
        kind=proposal.kind,
        number=proposal.pk,
        told=proposal_told(proposal),
        about=f"{proposal.about} · {proposal.supplier.name}",
        about_url=reverse(
            "house-loans-one" if proposal.loan else "house-parties-one", args=[proposal.about]
        ),
        maker=proposal.maker.email,
        reason=proposal.reason,
        proposed_at=proposal.proposed_at,
        act=May.DECIDE_RELIEF,
        approve_url=reverse("house-approvals-approve", args=[proposal.pk]),
        reject_url=reverse("house-approvals-reject", args=[proposal.pk]),
        withdraw_url=reverse("house-approvals-withdraw", args=[proposal.pk]),
    )


def _of_advance(loss: LossProposal) -> Waiting:
    merchant = loss.advance.line.merchant
    return Waiting(
        kind="charge_off",
        number=loss.pk,
        told=terms_told(ChargeOff(), loss.advance.currency),
        about=f"{loss.advance.code} · {merchant.name}",
        about_url=reverse("house-advances-one", args=[loss.advance.code]),
        maker=loss.maker.email,
        reason=loss.reason,
        proposed_at=loss.proposed_at,
        act=May.DECIDE_RELIEF,
        approve_url=reverse("house-approvals-approve-loss", args=[loss.pk]),
        reject_url=reverse("house-approvals-reject-loss", args=[loss.pk]),
    )


def _of_fact(fact: Fact) -> Waiting:
    told_of = _now("%(fact)s, from %(day)s") % {
        "fact": named("fact", fact.kind),
        "day": day(fact.from_date),
    }
    view = "house-parties-one"
    if fact.loan:
        view = "house-loans-one"
    elif fact.advance:
        view = "house-advances-one"
    return Waiting(
        kind="fact_end" if fact.ends_id else "fact",
        number=fact.pk,
        told=told_of,
        about=fact.about,
        about_url=reverse(view, kwargs={"code": fact.about}),
        maker=fact.maker.email,
        reason=fact.reason,
        proposed_at=fact.proposed_at,
        act=May.DECIDE_FACT,
        approve_url=reverse("house-classes-approve", args=[fact.pk]),
        reject_url=reverse("house-classes-reject", args=[fact.pk]),
    )


def _of_journal(journal: ManualJournal) -> Waiting:
    entry = journal.proposal
    debits_minor = sum(
        line["amount_minor"] for line in entry["postings"] if line["side"] == Side.DEBIT
    )
    return Waiting(
        kind="manual_journal",
        number=journal.pk,
        told=_now("%(amount)s about %(reference)s")
        % {
            "amount": amount(debits_minor, entry["currency"]),
            "reference": entry["reference"],
        },
        about=_now("Manual journal %(number)s") % {"number": journal.pk},
        about_url=reverse("house-journals-one", args=[journal.pk]),
        maker=journal.maker.email,
        reason=journal.reason,
        proposed_at=journal.proposed_at,
        act=May.DECIDE_JOURNAL,
        approve_url=reverse("house-journals-approve", args=[journal.pk]),
        reject_url=reverse("house-journals-reject", args=[journal.pk]),
    )


def _changes(request: HttpRequest, proposal: Proposal) -> tuple[list[Changed], str]:
    """What it would change, or why it cannot be carried out as the loan stands now."""
    if request.method == "POST" or proposal.approved is not None:
        return [], ""
    terms = terms_of(proposal.kind, proposal.terms)
    caller = request.viewer.caller("portal", proposal.reason)
    try:
        if isinstance(terms, Refund):
            credit = preview_refund(
                proposal.about, terms, legal_entity_id=proposal.legal_entity_id, caller=caller
            )
            return changes_of_credit(*credit, terms.currency), ""
        return changes_of(preview(proposal.about, terms, caller=caller)), ""
    except Refusal as refusal:
        return [], " ".join(part for said in told(refusal) for part in said if part)


def _proposal(request: HttpRequest, number: int) -> Proposal:
    rows = reach.proposals(request.viewer).select_related("loan", "supplier", "maker")
    found: Proposal = reach.by_number(rows, "proposal", number)
    return found


def _facts(proposal: Proposal) -> Facts:
    return [
        (
            _now("Loan") if proposal.loan else _now("Supplier"),
            f"{proposal.about} · {proposal.supplier.name}",
        ),
        (_now("What is proposed"), proposal_told(proposal)),
        (_now("Proposed by"), f"{proposal.maker.email}, {day(proposal.proposed_date)}"),
        (_now("Why"), proposal.reason),
    ]


def _loss(request: HttpRequest, number: int) -> LossProposal:
    rows = reach.loss_proposals(request.viewer)
    found: LossProposal = reach.by_number(
        rows.select_related("advance__line__merchant", "maker"), "proposal", number
    )
    return found


def _facts_of_loss(proposal: LossProposal) -> Facts:
    advance = proposal.advance
    return [
        (_now("Advance"), f"{advance.code} · {advance.line.merchant.name}"),
        (_now("What is proposed"), terms_told(ChargeOff(), advance.currency)),
        (_now("Proposed by"), proposal.maker.email),
        (_now("Why"), proposal.reason),
    ]
