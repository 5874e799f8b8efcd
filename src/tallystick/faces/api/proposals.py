"""What takes two people: proposed by one client, approved or rejected by another's person."""

from datetime import date
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from tallystick.book.access import reach
from tallystick.book.parties.entities import entity_called
from tallystick.book.proposals.decide import approve_proposal, reject_proposal, withdraw_proposal
from tallystick.book.proposals.models import Proposal, ProposalKind, ProposalState
from tallystick.book.proposals.propose import propose, propose_refund
from tallystick.book.proposals.terms import Refund
from tallystick.book.proposals.waiting import in_state
from tallystick.faces.api.operations import (
    IdempotencyKey,
    caller_of,
    person_of,
    reads,
    viewer_of,
    writes,
)
from tallystick.faces.api.paging import DEFAULT_ITEMS, Cursor, Limit, NextCursor, page
from tallystick.faces.api.payments import EntityCode
from tallystick.faces.api.proposal_terms import OnLoan
from tallystick.faces.api.values import AmountMinor, Code, Currency, Text

router = Router(tags=["proposals"])

ProposalNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="The proposal's number.")]
Reason = Annotated[
    Text, Field(min_length=1, max_length=500, description="Why; kept for those who read the books.")
]


class ProposalIn(BaseModel):
    """An act on a loan that another person decides on."""

    model_config = ConfigDict(extra="forbid")

    loan: Code
    asks: OnLoan
    reason: Reason


class RefundProposalIn(BaseModel):
    """Credit of a supplier that shall be paid out to it."""

    model_config = ConfigDict(extra="forbid")

    supplier: Code
    currency: Currency
    amount_minor: AmountMinor
    reason: Reason
    legal_entity: EntityCode = None


class DecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Text, Field(max_length=500)] = ""


class RejectionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class ProposalOut(BaseModel):
    """What was proposed, by whom, and what became of it."""

    proposal: int
    kind: str
    legal_entity: str
    supplier: str
    loan: str = Field(description="Empty where it is about the supplier's credit.")
    state: ProposalState
    terms: dict[str, int | str] = Field(description="What is asked for; amounts in minor units.")
    reason: str
    maker: str = Field(description="The user who proposed it, or whose client did.")
    proposed_date: date
    checker: str | None
    decided_date: date | None
    decision_reason: str
    figures: dict[str, int | str] | None = Field(description="What carrying it out came to.")


class ProposedOut(BaseModel):
    """The number of what now waits for another person."""

    proposal: int


class ProposalsOut(BaseModel):
    items: list[ProposalOut]
    next_cursor: NextCursor


PROPOSAL: dict[str, Any] = {
    "proposal": 12,
    "kind": "extension",
    "legal_entity": "FACTOR",
    "supplier": "HUAMEI",
    "loan": "F-HUAMEI-48",
    "state": "waiting",
    "terms": {"days": 30},
    "reason": "The warehouse burnt down.",
    "maker": "li@factor.example",
    "proposed_date": "2026-05-20",
    "checker": None,
    "decided_date": None,
    "decision_reason": "",
    "figures": None,
}
_DECIDED = {**PROPOSAL, "checker": "wang@factor.example", "decided_date": "2026-05-21"}


@reads(
    router,
    "/proposals",
    scope="proposals:read",
    answer=ProposalsOut,
    example={"items": [PROPOSAL], "next_cursor": None},
    statuses=(400, 404),
)
def list_proposals(
    request: HttpRequest,
    state: Annotated[ProposalState | None, Query()] = None,
    kind: Annotated[ProposalKind | None, Query()] = None,
    loan: Annotated[Code | None, Query(description="Only of this loan.")] = None,
    supplier: Annotated[Code | None, Query(description="Only of this firm.")] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """What was proposed, in the order of its making."""
    viewer = viewer_of(request)
    rows = _rows(request)
    if state is not None:
        rows = in_state(rows, state)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if loan is not None:
        rows = rows.filter(loan=reach.loan(viewer, loan))
    if supplier is not None:
        rows = rows.filter(supplier=reach.party(viewer, supplier))
    filters = {"state": state, "kind": kind, "loan": loan, "supplier": supplier}
    return page(rows, of="proposals", filters=filters, cursor=cursor, limit=limit, shown=_shown)


@reads(
    router,
    "/proposals/{proposal}",
    scope="proposals:read",
    answer=ProposalOut,
    example=PROPOSAL,
    statuses=(404,),
)
def show_proposal(request: HttpRequest, proposal: ProposalNumber) -> dict[str, Any]:
    """One proposal, and what became of it."""
    return _one(request, proposal)


@writes(
    router,
    "/proposals",
    scope="proposals:write",
    answer=ProposedOut,
    body_example={
        "loan": "F-HUAMEI-48",
        "asks": {"kind": "extension", "days": 30},
        "reason": "The warehouse burnt down.",
    },
    example={"proposal": 12},
    statuses=(404,),
)
def propose_on_loan(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, asked: ProposalIn
) -> dict[str, Any]:
    """Propose an act on a loan. What could not be carried out now is refused now."""
    number = propose(
        reach.loan(viewer_of(request), asked.loan).code,
        asked.asks.terms(),
        caller=caller_of(request, response, key=key, reason=asked.reason),
        key=key,
        maker=person_of(request),
    )
    return {"proposal": number}


@writes(
    router,
    "/refund-proposals",
    scope="proposals:write",
    answer=ProposedOut,
    body_example={
        "supplier": "HUAMEI",
        "currency": "CNY",
        "amount_minor": 120000,
        "reason": "Paid twice.",
    },
    example={"proposal": 13},
    statuses=(404,),
)
def propose_refund_of_credit(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, asked: RefundProposalIn
) -> dict[str, Any]:
    """Propose to pay out credit of a supplier."""
    number = propose_refund(
        reach.party(viewer_of(request), asked.supplier).code,
        Refund(asked.currency, asked.amount_minor),
        legal_entity_id=entity_called(asked.legal_entity).entity_id,
        caller=caller_of(request, response, key=key, reason=asked.reason),
        key=key,
        maker=person_of(request),
    )
    return {"proposal": number}


@writes(
    router,
    "/proposals/{proposal}/approval",
    scope="proposals:decide",
    answer=ProposalOut,
    body_example={"reason": "Seen with the insurer."},
    example={
        **_DECIDED,
        "state": "approved",
        "decision_reason": "Seen with the insurer.",
        "figures": {"from_date": "2026-05-18", "to_date": "2026-06-17"},
    },
    statuses=(404,),
)
def approve(
    request: HttpRequest,
    response: HttpResponse,
    key: IdempotencyKey,
    proposal: ProposalNumber,
    asked: DecisionIn,
) -> dict[str, Any]:
    """Carry out what somebody else has proposed, in the open business day."""
    caller = caller_of(request, response, key=key, reason=asked.reason)
    number = _reached(request, proposal).pk
    approve_proposal(number, caller=caller, key=key, checker=person_of(request))
    return _one(request, proposal)


@writes(
    router,
    "/proposals/{proposal}/rejection",
    scope="proposals:decide",
    answer=ProposalOut,
    body_example={"reason": "Ask again with the insurer's letter."},
    example={
        **_DECIDED,
        "state": "rejected",
        "decision_reason": "Ask again with the insurer's letter.",
    },
    statuses=(404,),
)
def reject(
    request: HttpRequest,
    response: HttpResponse,
    key: IdempotencyKey,
    proposal: ProposalNumber,
    asked: RejectionIn,
) -> dict[str, Any]:
    """Decline what somebody else has proposed. Nothing changes."""
    caller = caller_of(request, response, key=key, reason=asked.reason)
    number = _reached(request, proposal).pk
    reject_proposal(number, caller=caller, key=key, checker=person_of(request))
    return _one(request, proposal)


@writes(
    router,
    "/proposals/{proposal}/withdrawal",
    scope="proposals:write",
    answer=ProposalOut,
    body_example={"reason": "The firm has paid."},
    example={
        **_DECIDED,
        "state": "withdrawn",
        "checker": None,
        "decision_reason": "The firm has paid.",
    },
    statuses=(404,),
)
def withdraw(
    request: HttpRequest,
    response: HttpResponse,
    key: IdempotencyKey,
    proposal: ProposalNumber,
    asked: DecisionIn,
) -> dict[str, Any]:
    """Take back what one has proposed oneself, before anybody decides on it."""
    caller = caller_of(request, response, key=key, reason=asked.reason)
    number = _reached(request, proposal).pk
    withdraw_proposal(number, caller=caller, key=key, maker=person_of(request))
    return _one(request, proposal)


def _rows(request: HttpRequest) -> QuerySet[Proposal]:
    return reach.proposals(viewer_of(request)).select_related(
        "legal_entity", "supplier", "loan", "maker", "checker"
    )


def _reached(request: HttpRequest, number: int) -> Proposal:
    found: Proposal = reach.by_number(_rows(request), "proposal", number)
    return found


def _one(request: HttpRequest, number: int) -> dict[str, Any]:
    return _shown(_reached(request, number))


def _shown(proposal: Proposal) -> dict[str, Any]:
    return {
        "proposal": proposal.pk,
        "kind": proposal.kind,
        "legal_entity": proposal.legal_entity.code,
        "supplier": proposal.supplier.code,
        "loan": proposal.loan.code if proposal.loan else "",
        "state": proposal.state,
        "terms": proposal.terms,
        "reason": proposal.reason,
        "maker": proposal.maker.email,
        "proposed_date": proposal.proposed_date,
        "checker": proposal.checker.email if proposal.checker else None,
        "decided_date": proposal.decided_date,
        "decision_reason": proposal.decision_reason,
        "figures": proposal.figures,
    }
