"""Money given up on a loan takes two people: one proposes, another approves, and then it is done.

A waiver, a restructuring and a charge-off are carried out by their own acts, in the transaction of
the approval.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models.functions import Now

from tallystick.book.acts.once import Caller, once
from tallystick.book.ledger.manual_journals import RoleMissing
from tallystick.book.parties.models import Role, User
from tallystick.book.servicing.charge_off import charge_off, waive
from tallystick.book.servicing.live_loan import legal_entity_of, locked_live_loan
from tallystick.book.servicing.models import Concession, ConcessionKind
from tallystick.book.servicing.one_loan import refuse_unreasoned
from tallystick.book.servicing.restructure import restructure
from tallystick.rules.loan_events import Charge, rate_from_ppb, rate_in_ppb
from tallystick.rules.refusal import Refusal

MAKERS = (Role.OPERATOR, Role.RISK_OFFICER)
CHECKERS = (Role.APPROVER,)


class NoSuchConcession(Refusal):
    """There is no concession of that number."""

    def __init__(self, concession_id: int) -> None:
        self.concession_id = concession_id
        super().__init__(
            f"There is no proposed concession {concession_id}. Name one by the number that its "
            "proposal got."
        )


class ConcessionProposedAlready(Refusal):
    """The like was proposed for the loan, and nobody has decided on it yet."""

    def __init__(self, concession: Concession) -> None:
        super().__init__(
            f"Concession {concession.pk} proposes a {concession.get_kind_display()} for the loan "
            "and is not decided yet. Have it approved or rejected first."
        )


class ConcessionCheckedByMaker(Refusal):
    """Who proposed it cannot decide on it."""

    def __init__(self, concession: Concession) -> None:
        super().__init__(
            f"Concession {concession.pk} was proposed by {concession.maker.email}, who cannot "
            "decide on it. Another approver has to."
        )


class ConcessionDecided(Refusal):
    """A concession is decided on once."""

    def __init__(self, concession: Concession) -> None:
        decision = "approved" if concession.approved else "rejected"
        super().__init__(
            f"Concession {concession.pk} was {decision} on {concession.decided_at:%Y-%m-%d}. "
            "Propose another one, or take back the event that it made."
        )


def propose_waiver(
    loan: str, waives: Charge, amount_minor: int, *, caller: Caller, key: str, maker: User
) -> int:
    """Propose to waive a charge of ``loan`` (its code); returns the concession's number.

    ``caller.reason`` says why. Repeating ``key`` returns the first answer.

    Raises RoleMissing, ReasonMissing, NotALiveLoan, ConcessionProposedAlready, KeyConflict.
    """
    terms = {"waives": str(waives), "amount_minor": amount_minor}
    return _propose(loan, ConcessionKind.WAIVER, terms, caller=caller, key=key, maker=maker)


def propose_restructuring(
    loan: str, annual_rate: Decimal, to_date: date, *, caller: Caller, key: str, maker: User
) -> int:
    """Propose another rate and due date for ``loan``; as ``propose_waiver``, and InvalidRate."""
    terms = {"annual_rate_ppb": rate_in_ppb(annual_rate), "to_date": to_date.isoformat()}
    return _propose(loan, ConcessionKind.RESTRUCTURE, terms, caller=caller, key=key, maker=maker)


def propose_charge_off(loan: str, *, caller: Caller, key: str, maker: User) -> int:
    """Propose to charge ``loan`` (its code) off; as ``propose_waiver``."""
    return _propose(loan, ConcessionKind.CHARGE_OFF, {}, caller=caller, key=key, maker=maker)


def approve_concession(concession_id: int, *, caller: Caller, key: str, checker: User) -> None:
    """Carry out what was proposed, in the open business day. Repeating ``key`` changes nothing.

    Raises NoSuchConcession, RoleMissing, ConcessionCheckedByMaker, ConcessionDecided, KeyConflict,
    and what ``waive``, ``restructure`` and ``charge_off`` raise.
    """
    request = {"concession": concession_id, "checker": checker.pk}
    with once(caller, key=key, kind="approve_concession", request=request) as act:
        if act.earlier is None:
            concession = _to_decide(concession_id, checker)
            _decide(concession, checker, approved=True, reason=caller.reason)
            _carry_out(concession, replace(caller, reason=concession.reason))
            act.answer({})


def reject_concession(concession_id: int, *, caller: Caller, key: str, checker: User) -> None:
    """Decline what was proposed; ``caller.reason`` says why. Nothing changes.

    Raises ReasonMissing, NoSuchConcession, RoleMissing, ConcessionCheckedByMaker,
    ConcessionDecided, KeyConflict.
    """
    refuse_unreasoned(caller, "reject a concession")
    request = {"concession": concession_id, "checker": checker.pk}
    with once(caller, key=key, kind="reject_concession", request=request) as act:
        if act.earlier is None:
            concession = _to_decide(concession_id, checker)
            _decide(concession, checker, approved=False, reason=caller.reason)
            act.answer({})


def _propose(
    loan: str,
    kind: ConcessionKind,
    terms: dict[str, Any],
    *,
    caller: Caller,
    key: str,
    maker: User,
) -> int:
    if not maker.is_active or maker.role not in MAKERS:
        raise RoleMissing(maker, what=f"propose a {kind.label}", roles=MAKERS)
    refuse_unreasoned(caller, f"propose a {kind.label}")
    legal_entity_id = legal_entity_of(loan)
    request = {"loan": loan, "terms": terms, "maker": maker.pk, "reason": caller.reason}
    with once(caller, key=key, kind=f"propose_{kind}", request=request) as act:
        if act.earlier is None:
            held = locked_live_loan(loan, legal_entity_id)
            waiting = Concession.objects.filter(loan=held.loan_id, kind=kind, approved=None).first()
            if waiting is not None:
                raise ConcessionProposedAlready(waiting)
            concession = Concession.objects.create(
                loan_id=held.loan_id, kind=kind, terms=terms, reason=caller.reason, maker=maker
            )
            act.answer({"concession": concession.pk})
    return int((act.earlier or act.given or {})["concession"])


def _to_decide(concession_id: int, checker: User) -> Concession:
    """The concession, locked: two people must not both carry it out."""
    if not checker.is_active or checker.role not in CHECKERS:
        raise RoleMissing(checker, what="decide on a concession", roles=CHECKERS)
    concession = (
        Concession.objects.select_for_update(no_key=True, of=("self",))
        .select_related("maker", "loan")
        .filter(pk=concession_id)
        .first()
    )
    if concession is None:
        raise NoSuchConcession(concession_id)
    if concession.maker_id == checker.pk:
        raise ConcessionCheckedByMaker(concession)
    if concession.approved is not None:
        raise ConcessionDecided(concession)
    return concession


def _decide(concession: Concession, checker: User, *, approved: bool, reason: str) -> None:
    Concession.objects.filter(pk=concession.pk).update(
        checker=checker, decided_at=Now(), approved=approved, decision_reason=reason
    )


def _carry_out(concession: Concession, caller: Caller) -> None:
    loan, terms, key = concession.loan.code, concession.terms, f"concession:{concession.pk}"
    match concession.kind:
        case ConcessionKind.WAIVER:
            waive(loan, Charge(terms["waives"]), terms["amount_minor"], caller=caller, key=key)
        case ConcessionKind.RESTRUCTURE:
            restructure(
                loan,
                rate_from_ppb(terms["annual_rate_ppb"]),
                date.fromisoformat(terms["to_date"]),
                caller=caller,
                key=key,
            )
        case ConcessionKind.CHARGE_OFF:
            charge_off(loan, caller=caller, key=key)
