"""Charge an advance off: one person proposes, another approves, and then it is done."""

from dataclasses import asdict, dataclass
from datetime import date

from django.db.models.functions import Now

from tallystick.book.acts.once import Caller, once
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import User
from tallystick.book.parties.two_people import refuse_unless, to_decide
from tallystick.book.proposals.decide import CHECKERS
from tallystick.book.proposals.propose import MAKERS
from tallystick.book.sales_credit.events import NewAdvanceEvent, record_events
from tallystick.book.sales_credit.freeze import freeze_line_unless_frozen
from tallystick.book.sales_credit.models import LossProposal
from tallystick.book.sales_credit.positions import AdvanceRow
from tallystick.book.sales_credit.repay import AdvanceTakesNoPayment, known_advance, locked_advance
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_events import SalesEventKind


class LossProposedAlready(Refusal):
    """A charge-off of the advance waits for a decision."""

    def __init__(self, proposal: LossProposal) -> None:
        super().__init__(
            f"Charge-off {proposal.pk} of the advance is proposed and not decided yet. Have it "
            "approved or rejected first."
        )


@dataclass(frozen=True, slots=True)
class AdvanceLost:
    """What left the books as a loss, and the fee that will never be earned; minor units."""

    advance: str
    currency: str
    principal_minor: int
    interest_minor: int
    fee_cancelled_minor: int


def propose_loss(advance: str, *, caller: Caller, key: str, maker: User) -> int:
    """Propose to charge ``advance`` (its code) off; returns the proposal's number.

    ``caller.reason`` says why. Repeating ``key`` returns the first answer.

    Raises RoleMissing, ReasonMissing, UnknownAdvance, AdvanceTakesNoPayment, LossProposedAlready,
    KeyConflict.
    """
    refuse_unless(maker, MAKERS, "propose a charge-off")
    refuse_unreasoned(caller, "propose a charge-off")
    found = known_advance(advance)
    request = {"advance": advance, "maker": maker.pk, "reason": caller.reason}
    with once(caller, key=key, kind="propose_loss", request=request) as act:
        if act.earlier is None:
            open_day(found.legal_entity_id)
            _locked_live(found)
            waiting = LossProposal.objects.filter(advance=found.advance_id, approved=None).first()
            if waiting is not None:
                raise LossProposedAlready(waiting)
            proposal = LossProposal.objects.create(
                advance_id=found.advance_id, reason=caller.reason, maker=maker
            )
            act.answer({"proposal": proposal.pk})
    return int((act.earlier or act.given or {})["proposal"])


def approve_loss(proposal_id: int, *, caller: Caller, key: str, checker: User) -> AdvanceLost:
    """Charge the advance off, in the open business day. Repeating ``key`` answers again.

    Principal, and interest earned and not paid, leave the books as a loss; of a fixed fee the rest
    is not earned any more. The line is frozen. Money that still comes in is recovered.

    Raises NothingProposed, RoleMissing, CheckedByMaker, AlreadyDecided, AdvanceTakesNoPayment,
    KeyConflict.
    """
    request = {"proposal": proposal_id, "checker": checker.pk}
    with once(caller, key=key, kind="approve_loss", request=request) as act:
        if act.earlier is None:
            proposal = _to_decide(proposal_id, checker)
            _decide(proposal, checker, approved=True, reason=caller.reason)
            lost = _carried_out(known_advance(proposal.advance.code), act.act_id)
            act.answer(asdict(lost))
    return AdvanceLost(**(act.earlier or act.given or {}))


def reject_loss(proposal_id: int, *, caller: Caller, key: str, checker: User) -> None:
    """Decline a proposed charge-off; ``caller.reason`` says why. Nothing changes.

    Raises ReasonMissing, NothingProposed, RoleMissing, CheckedByMaker, AlreadyDecided,
    KeyConflict.
    """
    refuse_unreasoned(caller, "reject a charge-off")
    request = {"proposal": proposal_id, "checker": checker.pk}
    with once(caller, key=key, kind="reject_loss", request=request) as act:
        if act.earlier is None:
            proposal = _to_decide(proposal_id, checker)
            _decide(proposal, checker, approved=False, reason=caller.reason)
            act.answer({})


def _to_decide(proposal_id: int, checker: User) -> LossProposal:
    return to_decide(
        LossProposal.objects.select_related("advance"),
        proposal_id,
        what="charge-off",
        checker=checker,
        roles=CHECKERS,
    )


def _decide(proposal: LossProposal, checker: User, *, approved: bool, reason: str) -> None:
    LossProposal.objects.filter(pk=proposal.pk).update(
        checker=checker, decided_at=Now(), approved=approved, decision_reason=reason
    )


def _locked_live(found: AdvanceRow) -> AdvanceRow:
    advance = locked_advance(found)
    if advance.status != "live":
        raise AdvanceTakesNoPayment(
            advance.code, advance.status, "only one that is live can be charged off"
        )
    return advance


def _carried_out(found: AdvanceRow, act_id: int) -> AdvanceLost:
    on: date = open_day(found.legal_entity_id)
    advance = _locked_live(found)
    event = NewAdvanceEvent(
        advance_id=advance.advance_id,
        kind=SalesEventKind.CHARGED_OFF,
        value_date=on,
        reference="charge-off",
        act_id=act_id,
    )
    change = record_events(
        {advance.advance_id: advance}, [event], booking_date=on, told_as="advance_charged_off"
    )[advance.advance_id]
    freeze_line_unless_frozen(
        advance.line_id, f"advance {advance.code} was charged off", act_id=act_id
    )
    return AdvanceLost(
        advance.code,
        advance.currency,
        change.after.principal_lost_minor,
        change.after.interest_lost_minor,
        change.after.fee_cancelled_minor,
    )
