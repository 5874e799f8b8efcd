"""Propose what gives money or time away, or takes back what was booked: another decides on it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from django.db.models import QuerySet

from tallystick.book.acts.once import Act, Caller, once
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.financing.models import PAID_OUT, Loan
from tallystick.book.financing.programmes import terms_with
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Party, Role, User
from tallystick.book.parties.two_people import refuse_unless
from tallystick.book.proposals.carry_out import carry_out
from tallystick.book.proposals.models import Proposal, ProposalKind
from tallystick.book.proposals.terms import (
    KIND_OF,
    Extension,
    RateChange,
    Refund,
    Restructuring,
    Terms,
    as_content,
)
from tallystick.book.servicing.live_loan import legal_entity_of, locked_loan
from tallystick.book.servicing.refund import credit_of
from tallystick.book.servicing.rehearse import Rehearsal, before_and_after, rehearsed
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import rate_from_ppb
from tallystick.rules.rate_ceilings import refuse_above_ceiling
from tallystick.rules.refusal import Refusal

MAX_DAYS_EXTENDED = 365
MAKERS = (Role.OPERATOR, Role.RISK_OFFICER)
MAKERS_OF_CASH = (Role.TREASURY,)
"""Who proposes that money leaves the bank, or that it has."""

_OF_CASH = (ProposalKind.CHARGE_BACK, ProposalKind.REFUND)


class ExtensionUnusable(Refusal):
    """So many days would move the due date nowhere, or too far."""

    def __init__(self, days: int, *, min_days: int) -> None:
        self.days = days
        self.min_days = min_days
        super().__init__(
            f"An extension by {days} days cannot be agreed: the loan has to fall due after today. "
            f"Give {min_days} to {max(min_days, MAX_DAYS_EXTENDED)} days."
        )


class RateFollowsReference(Refusal):
    """The loan's rate is that of a reference rate, and changes with it alone."""

    def __init__(self, loan: str, reference_rate: str) -> None:
        self.reference_rate = reference_rate
        super().__init__(
            f"Loan {loan} follows {reference_rate}, which sets its rate anew on its reset dates. "
            "Restructure the loan if another rate was agreed."
        )


class ProposedAlready(Refusal):
    """The like was proposed, and nobody has decided on it yet."""

    def __init__(self, proposal_id: int) -> None:
        self.proposal_id = proposal_id
        super().__init__(
            f"Proposal {proposal_id} asks for the same and is not decided yet. "
            "Have it approved, rejected or withdrawn first."
        )


def propose(loan: str, terms: Terms, *, caller: Caller, key: str, maker: User) -> int:
    """Put an act on ``loan`` (its code) up for approval; returns the proposal's number.

    What could not be carried out now is refused now. ``caller.reason`` says why it is asked for.
    Repeating ``key`` returns the first answer.

    Raises RoleMissing, ReasonMissing, NotALiveLoan, ProposedAlready, ExtensionUnusable,
    RateFollowsReference, RateAboveCeiling, LateChargeTooHigh, KeyConflict, and what the act of
    servicing raises.
    """
    kind = _refuse_unfit(terms, caller, maker)
    legal_entity_id = legal_entity_of(loan)
    asked = _asked(terms, caller, maker)
    with once(caller, key=key, kind=f"propose_{kind}", request={"loan": loan, **asked}) as act:
        if act.earlier is None:
            on = open_day(legal_entity_id)
            held = locked_loan(loan, legal_entity_id, statuses=PAID_OUT)
            _refuse_second(Proposal.objects.filter(loan=held.loan_id, kind=kind))
            preview(loan, terms, caller=caller)
            made = Proposal(supplier_id=held.supplier_id, loan_id=held.loan_id)
            _keep(made, act, terms, legal_entity_id, on, caller=caller, maker=maker)
    return int((act.earlier or act.given or {})["proposal"])


def propose_refund(
    supplier: str, terms: Refund, *, legal_entity_id: int, caller: Caller, key: str, maker: User
) -> int:
    """Put a refund of credit of ``supplier`` (a firm's code) up for approval; as ``propose``.

    Raises RoleMissing, ReasonMissing, RefundAboveCredit, ProposedAlready, KeyConflict.
    """
    kind = _refuse_unfit(terms, caller, maker)
    asked = _asked(terms, caller, maker)
    request = {"supplier": supplier, "legal_entity_id": legal_entity_id, **asked}
    with once(caller, key=key, kind=f"propose_{kind}", request=request) as act:
        if act.earlier is None:
            on = open_day(legal_entity_id)
            preview_refund(supplier, terms, legal_entity_id=legal_entity_id, caller=caller)
            _refuse_second(
                Proposal.objects.filter(
                    legal_entity=legal_entity_id, supplier__code=supplier, kind=kind
                )
            )
            made = Proposal(supplier=Party.objects.get(code=supplier))
            _keep(made, act, terms, legal_entity_id, on, caller=caller, maker=maker)
    return int((act.earlier or act.given or {})["proposal"])


def makers_of(kind: ProposalKind) -> Sequence[Role]:
    """The roles that propose this kind."""
    return MAKERS_OF_CASH if kind in _OF_CASH else MAKERS


def preview(loan: str, terms: Terms, *, caller: Caller) -> Rehearsal:
    """The loan as it stands, and as it would be were the terms agreed now. Nothing is kept.

    Raises what ``propose`` raises of a loan and its terms.
    """
    agreed = (
        Loan.objects.select_related("facility__programme", "facility__legal_entity")
        .filter(code=loan)
        .first()
    )
    if agreed is not None:
        _refuse_unusable(agreed, terms, agreed.facility.legal_entity.business_date)

    return rehearsed(loan, lambda: _do(loan, terms, legal_entity_of(loan), caller))


def preview_refund(
    supplier: str, terms: Refund, *, legal_entity_id: int, caller: Caller
) -> tuple[int, int]:
    """Credit of ``supplier`` as it stands, and were the refund agreed now. Nothing is kept.

    Raises RefundAboveCredit.
    """
    return before_and_after(
        lambda: credit_of(supplier, terms.currency, legal_entity_id=legal_entity_id),
        lambda: _do(supplier, terms, legal_entity_id, caller),
    )


def _do(about: str, terms: Terms, legal_entity_id: int, caller: Caller) -> None:
    carry_out(
        about,
        terms,
        legal_entity_id=legal_entity_id,
        business_date=open_day(legal_entity_id),
        caller=caller,
        key=f"rehearsal:{uuid4()}",
    )


def _refuse_unfit(terms: Terms, caller: Caller, maker: User) -> ProposalKind:
    """The kind, where ``maker`` may propose it and says why."""
    kind = KIND_OF[type(terms)]
    what = f"propose a {kind.label}"
    refuse_unless(maker, makers_of(kind), what)
    refuse_unreasoned(caller, what)
    return kind


def _asked(terms: Terms, caller: Caller, maker: User) -> Mapping[str, Any]:
    return {"terms": as_content(terms), "maker": maker.pk, "reason": caller.reason}


def _keep(
    made: Proposal,
    act: Act,
    terms: Terms,
    legal_entity_id: int,
    on: date,
    *,
    caller: Caller,
    maker: User,
) -> None:
    made.legal_entity_id = legal_entity_id
    made.kind = KIND_OF[type(terms)]
    made.terms = as_content(terms)
    made.reason = caller.reason
    made.maker = maker
    made.proposed_date = on
    made.act_id = act.act_id
    made.save()
    act.answer({"proposal": made.pk})


def _refuse_second(alike: QuerySet[Proposal]) -> None:
    waiting = alike.filter(approved=None).first()
    if waiting is not None:
        raise ProposedAlready(waiting.pk)


def _refuse_unusable(loan: Loan, terms: Terms, on: date) -> None:
    """Raise where the terms are beyond what the house agrees to, or the law allows."""
    match terms:
        case Extension(days):
            min_days = max(1, (on - loan.due_date).days + 1)
            if not min_days <= days <= max(min_days, MAX_DAYS_EXTENDED):
                raise ExtensionUnusable(days, min_days=min_days)
        case RateChange(annual_rate_ppb):
            price = terms_with(bytes(loan.facility.programme.sha256)).price
            if price.floating is not None:
                raise RateFollowsReference(loan.code, price.floating.reference_rate)
            _refuse_above_ceiling(loan, annual_rate_ppb, terms.value_date or on)
        case Restructuring(annual_rate_ppb):
            _refuse_above_ceiling(loan, annual_rate_ppb, terms.value_date or on)


def _refuse_above_ceiling(loan: Loan, annual_rate_ppb: int, on: date) -> None:
    refuse_above_ceiling(
        lender=terms_with(bytes(loan.facility.programme.sha256)).lender,
        on=on,
        annual_rate=rate_from_ppb(annual_rate_ppb),
        day_count=DayCount(loan.day_count),
        penalty_rate=rate_from_ppb(loan.penalty_rate_ppb),
    )
