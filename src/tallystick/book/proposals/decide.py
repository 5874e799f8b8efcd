"""End a proposal, once: somebody else than its maker approves or rejects it, or he withdraws it."""

from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models.functions import Now

from tallystick.book.access.models import MachineClient
from tallystick.book.acts.once import Caller, once
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Role, User
from tallystick.book.parties.two_people import NothingProposed, to_decide, to_withdraw
from tallystick.book.proposals.carry_out import carry_out
from tallystick.book.proposals.models import Proposal
from tallystick.book.proposals.terms import terms_of
from tallystick.rules.refusal import Refusal

CHECKERS = (Role.APPROVER,)


class KeyMadeByMaker(Refusal):
    """Who proposed it has made the machine client that would decide on it, and may hold its key."""

    def __init__(self, proposal: Proposal, client: str) -> None:
        self.client = client
        super().__init__(
            f"Proposal {proposal.pk} was made by {proposal.maker.email}, who also made the client "
            f"{client}. Decide on the portal, or by a client that somebody else has made."
        )


def approve_proposal(proposal_id: int, *, caller: Caller, key: str, checker: User) -> Proposal:
    """Carry out what was proposed, in the open business day; the proposal with its figures.

    Repeating ``key`` returns the first answer.

    Raises NothingProposed, RoleMissing, CheckedByMaker, KeyMadeByMaker, AlreadyDecided,
    KeyConflict, and what the act of servicing raises where the loan has changed since it was
    proposed.
    """
    request = {"proposal": proposal_id, "checker": checker.pk, "reason": caller.reason}
    with once(caller, key=key, kind="approve_proposal", request=request) as act:
        if act.earlier is None:
            proposal, on = _to_decide(proposal_id, checker, caller)
            figures = carry_out(
                proposal.about,
                terms_of(proposal.kind, proposal.terms),
                legal_entity_id=proposal.legal_entity_id,
                business_date=on,
                caller=replace(caller, reason=proposal.reason),
                key=f"proposal:{proposal_id}",
            )
            _decide(proposal, checker, on, approved=True, reason=caller.reason, figures=figures)
            act.answer({"proposal": proposal_id})
    return Proposal.objects.select_related("loan", "supplier").get(pk=proposal_id)


def reject_proposal(proposal_id: int, *, caller: Caller, key: str, checker: User) -> None:
    """Decline what was proposed; ``caller.reason`` says why. Nothing changes.

    Raises ReasonMissing, NothingProposed, RoleMissing, CheckedByMaker, KeyMadeByMaker,
    AlreadyDecided, KeyConflict.
    """
    refuse_unreasoned(caller, "reject a proposal")
    request = {"proposal": proposal_id, "checker": checker.pk, "reason": caller.reason}
    with once(caller, key=key, kind="reject_proposal", request=request) as act:
        if act.earlier is None:
            proposal, on = _to_decide(proposal_id, checker, caller)
            _decide(proposal, checker, on, approved=False, reason=caller.reason, figures=None)
            act.answer({"rejected": proposal_id})


def withdraw_proposal(proposal_id: int, *, caller: Caller, key: str, maker: User) -> None:
    """Take back what ``maker`` has proposed, before anybody decides on it. Nothing changes.

    Repeating ``key`` changes nothing. Raises NothingProposed, NotItsMaker, AlreadyDecided,
    KeyConflict.
    """
    request = {"proposal": proposal_id, "maker": maker.pk, "reason": caller.reason}
    with once(caller, key=key, kind="withdraw_proposal", request=request) as act:
        if act.earlier is None:
            on = _day_of(proposal_id)
            proposal = to_withdraw(
                Proposal.objects.all(), proposal_id, what="proposal", maker=maker
            )
            _decide(proposal, None, on, approved=False, reason=caller.reason, figures=None)
            act.answer({"withdrawn": proposal_id})


def _to_decide(proposal_id: int, checker: User, caller: Caller) -> tuple[Proposal, date]:
    """The proposal, locked, and the open business day, which acts take first."""
    on = _day_of(proposal_id)
    proposal = to_decide(
        Proposal.objects.select_related("loan", "supplier"),
        proposal_id,
        what="proposal",
        checker=checker,
        roles=CHECKERS,
    )
    kind, _, code = caller.owner.partition(":")
    made_by = {"code": code, "created_by": proposal.maker.email}
    if kind == "client" and MachineClient.objects.filter(**made_by).exists():
        raise KeyMadeByMaker(proposal, code)
    return proposal, on


def _day_of(proposal_id: int) -> date:
    """The open business day of whose proposal it is."""
    found = Proposal.objects.filter(pk=proposal_id)
    legal_entity_id = found.values_list("legal_entity_id", flat=True).first()
    if legal_entity_id is None:
        raise NothingProposed("proposal", proposal_id)
    return open_day(legal_entity_id)


def _decide(
    proposal: Proposal,
    checker: User | None,
    on: date,
    *,
    approved: bool,
    reason: str,
    figures: dict[str, Any] | None,
) -> None:
    Proposal.objects.filter(pk=proposal.pk).update(
        checker=checker,
        decided_at=Now(),
        decided_date=on,
        approved=approved,
        decision_reason=reason,
        figures=figures,
    )
