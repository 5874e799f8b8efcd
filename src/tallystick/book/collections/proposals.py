"""Relief for a firm in difficulty, and the end of a debt: one person proposes, another decides.

An extension lets a loan fall due later; a write-off takes all that it owes off the books as a loss.
Both are carried out by the acts of servicing, in the transaction of the approval.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.db.models.functions import Now

from tallystick.book.acts.once import Caller, once
from tallystick.book.collections.cases import entity_of, open_case
from tallystick.book.collections.models import Case, Proposal, ProposalKind
from tallystick.book.financing.models import Loan, LoanStatus
from tallystick.book.ledger.manual_journals import ReasonMissing, RoleMissing
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Role, User
from tallystick.book.servicing.charge_off import charge_off
from tallystick.book.servicing.extend import extend
from tallystick.rules.refusal import Refusal

MAX_DAYS_EXTENDED = 365
MAKERS = (Role.OPERATOR, Role.RISK_OFFICER)
CHECKERS = (Role.APPROVER,)


class NotALoanOfTheCase(Refusal):
    """The loan is not the firm's, or is not live."""

    def __init__(self, loan: str) -> None:
        self.loan = loan
        super().__init__(
            f"{loan[:80]!r} is no live loan of this case. Name one of the loans that it lists."
        )


class ExtensionUnusable(Refusal):
    """So many days would move the due date nowhere, or too far."""

    def __init__(self, days: int, *, min_days: int) -> None:
        self.days = days
        self.min_days = min_days
        super().__init__(
            f"An extension by {days} days cannot be agreed: the loan has to fall due after today. "
            f"Give {min_days} to {max(min_days, MAX_DAYS_EXTENDED)} days."
        )


class ProposedAlready(Refusal):
    """The same was proposed for the loan, and nobody has decided on it yet."""

    def __init__(self, proposal_id: int) -> None:
        self.proposal_id = proposal_id
        super().__init__(
            f"Proposal {proposal_id} asks for the same and is not decided yet. "
            "Have it approved or rejected first."
        )


class NoSuchProposal(Refusal):
    """There is no proposal of that number."""

    def __init__(self, proposal_id: int) -> None:
        self.proposal_id = proposal_id
        super().__init__(f"There is no proposal {proposal_id}. See the case for its proposals.")


class ProposalCheckedByMaker(Refusal):
    """Who proposed it cannot decide on it."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(
            f"Proposal {proposal.pk} was made by {proposal.maker.email}, who cannot decide on it. "
            "Another approver has to."
        )


class ProposalDecided(Refusal):
    """A proposal is decided on once."""

    def __init__(self, proposal: Proposal) -> None:
        decision = "approved" if proposal.approved else "rejected"
        super().__init__(
            f"Proposal {proposal.pk} was {decision} on {proposal.decided_at:%Y-%m-%d}. "
            "Make another proposal to change what it did."
        )


def propose_extension(
    case_id: int, loan: str, days: int, *, caller: Caller, key: str, maker: User
) -> int:
    """Propose that ``loan`` (its code) falls due so many days later; the proposal's number.

    ``caller.reason`` says why. Repeating ``key`` returns the first answer.

    Raises RoleMissing, ReasonMissing, NoOpenCase, NotALoanOfTheCase, ExtensionUnusable,
    ProposedAlready, KeyConflict.
    """
    return _propose(
        case_id, ProposalKind.EXTENSION, loan, days=days, caller=caller, key=key, maker=maker
    )


def propose_write_off(case_id: int, loan: str, *, caller: Caller, key: str, maker: User) -> int:
    """Propose to write off all that ``loan`` (its code) owes; the proposal's number.

    ``caller.reason`` says why. Repeating ``key`` returns the first answer.

    Raises RoleMissing, ReasonMissing, NoOpenCase, NotALoanOfTheCase, ProposedAlready, KeyConflict.
    """
    return _propose(
        case_id, ProposalKind.WRITE_OFF, loan, days=None, caller=caller, key=key, maker=maker
    )


def approve_proposal(proposal_id: int, *, caller: Caller, key: str, checker: User) -> Proposal:
    """Carry out what was proposed, in the open business day; the proposal with its figures.

    Repeating ``key`` returns the first answer.

    Raises NoSuchProposal, RoleMissing, ProposalCheckedByMaker, ProposalDecided, KeyConflict, and
    what ``extend`` and ``charge_off`` raise where the loan has changed since it was proposed.
    """
    request = {"proposal": proposal_id, "checker": checker.pk}
    with once(caller, key=key, kind="approve_proposal", request=request) as act:
        if act.earlier is None:
            proposal, on = _to_decide(proposal_id, checker)
            figures = _carry_out(proposal, caller)
            _decide(proposal, checker, True, reason=caller.reason, on=on, figures=figures)
            act.answer({"proposal": proposal_id})
    return Proposal.objects.select_related("loan").get(pk=proposal_id)


def reject_proposal(proposal_id: int, *, caller: Caller, key: str, checker: User) -> None:
    """Decline what was proposed; ``caller.reason`` says why. Nothing changes.

    Raises ReasonMissing, NoSuchProposal, RoleMissing, ProposalCheckedByMaker, ProposalDecided,
    KeyConflict.
    """
    if not caller.reason.strip():
        raise ReasonMissing("reject a proposal")
    request = {"proposal": proposal_id, "checker": checker.pk}
    with once(caller, key=key, kind="reject_proposal", request=request) as act:
        if act.earlier is None:
            proposal, on = _to_decide(proposal_id, checker)
            _decide(proposal, checker, False, reason=caller.reason, on=on, figures=None)
            act.answer({"rejected": proposal_id})


def _propose(
    case_id: int,
    kind: ProposalKind,
    loan: str,
    *,
    days: int | None,
    caller: Caller,
    key: str,
    maker: User,
) -> int:
    what = f"propose {'an extension' if days is not None else 'a write-off'}"
    if not maker.is_active or maker.role not in MAKERS:
        raise RoleMissing(maker, what=what, roles=MAKERS)
    if not caller.reason.strip():
        raise ReasonMissing(what)
    legal_entity_id = entity_of(case_id)
    request = {
        "case": case_id,
        "kind": str(kind),
        "loan": loan,
        "days": days,
        "maker": maker.pk,
        "reason": caller.reason,
    }
    with once(caller, key=key, kind=f"propose_{kind}", request=request) as act:
        if act.earlier is None:
            on = open_day(legal_entity_id)
            case = open_case(case_id)
            meant = _loan_of(case, loan)
            if days is not None:
                _refuse_unusable(days, meant.due_date, on)
            waiting = Proposal.objects.filter(loan=meant, kind=kind, approved=None).first()
            if waiting is not None:
                raise ProposedAlready(waiting.pk)
            proposal = Proposal.objects.create(
                case=case,
                kind=kind,
                loan=meant,
                days=days,
                reason=caller.reason,
                maker=maker,
                proposed_date=on,
                act_id=act.act_id,
            )
            act.answer({"proposal": proposal.pk})
    return int((act.earlier or act.given or {})["proposal"])


def _loan_of(case: Case, code: str) -> Loan:
    loan = Loan.objects.filter(
        code=code,
        facility__supplier=case.party_id,
        facility__legal_entity=case.legal_entity_id,
        status=LoanStatus.LIVE,
    ).first()
    if loan is None:
        raise NotALoanOfTheCase(code)
    return loan


def _refuse_unusable(days: int, due_date: date, on: date) -> None:
    min_days = max(1, (on - due_date).days + 1)
    if not min_days <= days <= max(min_days, MAX_DAYS_EXTENDED):
        raise ExtensionUnusable(days, min_days=min_days)


def _to_decide(proposal_id: int, checker: User) -> tuple[Proposal, date]:
    """The proposal, locked, and the open business day: two people must not both carry it out."""
    if not checker.is_active or checker.role not in CHECKERS:
        raise RoleMissing(checker, what="decide on a proposal", roles=CHECKERS)
    case_id = Proposal.objects.filter(pk=proposal_id).values_list("case_id", flat=True).first()
    if case_id is None:
        raise NoSuchProposal(proposal_id)
    on = open_day(entity_of(case_id))
    proposal = Proposal.objects.select_for_update(no_key=True).get(pk=proposal_id)
    if proposal.maker_id == checker.pk:
        raise ProposalCheckedByMaker(proposal)
    if proposal.approved is not None:
        raise ProposalDecided(proposal)
    return proposal, on


def _carry_out(proposal: Proposal, caller: Caller) -> dict[str, Any]:
    asked = replace(caller, reason=proposal.reason)
    key = f"proposal:{proposal.pk}"
    code = proposal.loan.code
    if proposal.kind == ProposalKind.EXTENSION:
        assert proposal.days is not None
        due_date = extend(code, proposal.days, caller=asked, key=key)
        return {
            "from_date": (due_date - timedelta(days=proposal.days)).isoformat(),
            "to_date": due_date.isoformat(),
        }
    lost = charge_off(code, caller=asked, key=key)
    return {
        "currency": lost.currency,
        "principal_minor": lost.principal_minor,
        "interest_minor": lost.interest_minor,
        "penalty_minor": lost.penalty_minor,
        "fees_minor": lost.fees_minor,
    }


def _decide(
    proposal: Proposal,
    checker: User,
    approved: bool,
    *,
    reason: str,
    on: date,
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
