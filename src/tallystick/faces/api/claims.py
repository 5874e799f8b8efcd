"""Trade documents in, claims out, and disputes."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from tallystick.book.access import reach
from tallystick.book.access.viewer import Viewer
from tallystick.book.acts.once import Caller
from tallystick.book.parties.entities import entity_called
from tallystick.book.trade.dispute import dispute_claims, resolve_disputes
from tallystick.book.trade.models import Claim
from tallystick.book.trade.record_documents import Recorded, record_documents
from tallystick.faces.api.operations import IdempotencyKey, caller_of, reads, viewer_of, writes
from tallystick.faces.api.paging import DEFAULT_ITEMS, Cursor, Limit, NextCursor, page
from tallystick.faces.api.problems import refusal_problem
from tallystick.faces.api.values import AmountMinor, Code, Currency, Day, Minor, Text
from tallystick.rules.refusal import Refusal
from tallystick.rules.trade_documents import TradeDocument, usual_issuer

router = Router(tags=["documents and claims"])

MAX_DOCUMENTS = 2_000
MAX_CLAIMS = 1_000

ClaimCode = Annotated[Code, Path(description="The claim's code, ``ISSUER:kind:number``.")]
EntityCode = Annotated[
    Code | None, Field(description="Our legal entity; needed where there are several.")
]


class DocumentIn(BaseModel):
    """One trade document, as it was issued."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["order", "receipt", "invoice", "statement", "credit_note", "cancellation"]
    supplier: Code
    obligor: Code
    number: Code
    issue_date: Day
    currency: Currency
    amount_minor: AmountMinor
    due_date: Day | None = Field(None, description="Needed of what opens a claim.")
    issuer: Code | None = Field(
        None, description="Left out: the supplier of an invoice or credit note, else the obligor."
    )
    fulfils_kind: Literal["", "order", "receipt", "invoice", "statement"] = ""
    fulfils_number: Annotated[Text, Field(max_length=100)] = ""


class DocumentsIn(BaseModel):
    """A batch of documents. Each is taken or refused by itself."""

    model_config = ConfigDict(extra="forbid")

    documents: Annotated[list[DocumentIn], Field(min_length=1, max_length=MAX_DOCUMENTS)]
    legal_entity: EntityCode = None


class DocumentProblem(BaseModel):
    """Why a document was refused."""

    type: str
    detail: str
    field: str | None = None


class DocumentOut(BaseModel):
    """What became of one document of the batch.

    ``recorded``: it is new; ``repeated``: it was on record already, and nothing was written;
    ``refused``: see ``problem``, the other documents stand.
    """

    place: int = Field(description="Its place in the batch, from 0.")
    number: str
    outcome: Literal["recorded", "repeated", "refused"]
    document: int | None = None
    awaits_predecessor: bool = False
    effect_minor: Minor = Field(
        0, description="What a credit note or cancellation has taken off claims so far."
    )
    problem: DocumentProblem | None = None


class DocumentsOut(BaseModel):
    recorded: int
    repeated: int
    refused: int
    items: list[DocumentOut]


class ClaimOut(BaseModel):
    """What an obligor owes a supplier for one document's part of a unit of trade."""

    code: str
    supplier: str
    obligor: str
    currency: str
    stage: str
    status: str
    face_minor: Minor
    paid_minor: Minor
    diluted_minor: Minor
    outstanding_minor: Minor
    issue_date: date
    due_date: date
    disputed: bool
    awaits_predecessor: bool


class ClaimsOut(BaseModel):
    items: list[ClaimOut]
    next_cursor: NextCursor


class DisputeIn(BaseModel):
    """Claims that the obligor contests, or of which the dispute has ended."""

    model_config = ConfigDict(extra="forbid")

    claims: Annotated[list[Code], Field(min_length=1, max_length=MAX_CLAIMS)]
    reason: Annotated[Text, Field(min_length=1, max_length=500)]
    value_date: Day | None = None
    legal_entity: EntityCode = None


class DisputedClaim(BaseModel):
    claim: str
    changed: bool = Field(description="False: it was so already.")


class DisputeOut(BaseModel):
    items: list[DisputedClaim]


CLAIM = {
    "code": "HUAMEI:invoice:INV-1001",
    "supplier": "HUAMEI",
    "obligor": "MALL",
    "currency": "CNY",
    "stage": "invoice",
    "status": "open",
    "face_minor": 12000000,
    "paid_minor": 0,
    "diluted_minor": 0,
    "outstanding_minor": 12000000,
    "issue_date": "2026-03-02",
    "due_date": "2026-05-01",
    "disputed": False,
    "awaits_predecessor": False,
}

DISPUTE = {"claims": ["HUAMEI:invoice:INV-1001"], "reason": "goods arrived damaged"}
DISPUTED = {"items": [{"claim": "HUAMEI:invoice:INV-1001", "changed": True}]}


@writes(
    router,
    "/documents",
    scope="documents:write",
    status=200,
    answer=DocumentsOut,
    body_example={
        "documents": [
            {
                "kind": "invoice",
                "supplier": "HUAMEI",
                "obligor": "MALL",
                "number": "INV-1001",
                "issue_date": "2026-03-02",
                "due_date": "2026-05-01",
                "currency": "CNY",
                "amount_minor": 12000000,
            }
        ]
    },
    example={
        "recorded": 1,
        "repeated": 0,
        "refused": 0,
        "items": [{"place": 0, "number": "INV-1001", "outcome": "recorded", "document": 17}],
    },
)
def send_documents(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, batch: DocumentsIn
) -> dict[str, Any]:
    """Send trade documents in bulk; each is answered by itself, in the order sent.

    A document on record already is recognised whatever the batch it comes in. Where every document
    was refused, nothing was written and the key stays free.
    """
    outcomes = record_documents(
        [_document(each) for each in batch.documents],
        caller=caller_of(request, response, key=key),
        key=key,
        legal_entity_id=entity_called(batch.legal_entity).entity_id,
    )
    items = [
        _became(place, each.number, outcome)
        for place, (each, outcome) in enumerate(zip(batch.documents, outcomes, strict=True))
    ]
    return {
        **{
            outcome: sum(item["outcome"] == outcome for item in items)
            for outcome in ("recorded", "repeated", "refused")
        },
        "items": items,
    }


@reads(
    router,
    "/claims",
    scope="claims:read",
    answer=ClaimsOut,
    example={"items": [CLAIM], "next_cursor": None},
    statuses=(400, 404),
)
def list_claims(
    request: HttpRequest,
    status: Annotated[Literal["open", "disputed", "closed"] | None, Query()] = None,
    supplier: Annotated[Code | None, Query(description="The supplier's code.")] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The claims that the client reaches, in the order of their recording."""
    viewer = viewer_of(request)
    rows = reach.claims(viewer).select_related("supplier", "obligor")
    if status is not None:
        rows = rows.filter(status=status)
    if supplier is not None:
        rows = rows.filter(supplier=reach.party(viewer, supplier))
    return page(
        rows,
        of="claims",
        filters={"status": status, "supplier": supplier},
        cursor=cursor,
        limit=limit,
        shown=_shown,
    )


@reads(
    router,
    "/claims/{path:claim}",
    scope="claims:read",
    answer=ClaimOut,
    example=CLAIM,
    statuses=(404,),
)
def show_claim(request: HttpRequest, claim: ClaimCode) -> dict[str, Any]:
    """One claim as it stands."""
    return _shown(reach.claim(viewer_of(request), claim))


@writes(
    router,
    "/disputes",
    scope="disputes:write",
    answer=DisputeOut,
    body_example=DISPUTE,
    example=DISPUTED,
    statuses=(404,),
)
def dispute(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, asked: DisputeIn
) -> dict[str, Any]:
    """Mark claims as disputed: nothing is lent against them until that has ended."""
    entity_id = _entity_of(viewer_of(request), asked)
    caller = caller_of(request, response, key=key, reason=asked.reason)
    changed = dispute_claims(
        asked.claims,
        reason=asked.reason,
        legal_entity_id=entity_id,
        caller=caller,
        key=key,
        value_date=asked.value_date,
    )
    return _disputed(asked.claims, changed)


@writes(
    router,
    "/dispute-resolutions",
    scope="disputes:write",
    answer=DisputeOut,
    body_example={**DISPUTE, "reason": "replacement was delivered"},
    example=DISPUTED,
    statuses=(404,),
)
def resolve(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, asked: DisputeIn
) -> dict[str, Any]:
    """End the disputes of claims. For the house's clients: a firm does not judge its own claims."""
    viewer = viewer_of(request)
    if viewer.party_id is not None:
        raise ResolvedByTheHouse
    entity_id = _entity_of(viewer, asked)
    caller: Caller = caller_of(request, response, key=key, reason=asked.reason)
    changed = resolve_disputes(
        asked.claims,
        reason=asked.reason,
        legal_entity_id=entity_id,
        caller=caller,
        key=key,
        value_date=asked.value_date,
    )
    return _disputed(asked.claims, changed)


class ResolvedByTheHouse(Refusal):
    """A dispute is ended by the house, not by the firm whose claim it is."""

    def __init__(self) -> None:
        super().__init__(
            "A dispute is ended by the house once the obligor has accepted the claim. "
            "Tell an operator that it is settled."
        )


def _entity_of(viewer: Viewer, asked: DisputeIn) -> int:
    """The entity in whose day the dispute is booked, all claims being within reach."""
    rows = reach.claims(viewer).filter(code__in=asked.claims)
    found = dict(rows.values_list("code", "pool__legal_entity_id"))
    for code in asked.claims:
        if code not in found:
            raise reach.NotThere("claim", code)
    if asked.legal_entity is None:
        entities = {entity_id for entity_id in found.values() if entity_id is not None}
        if len(entities) == 1:
            return int(entities.pop())
    return entity_called(asked.legal_entity).entity_id


def _disputed(codes: Sequence[str], changed: Sequence[bool]) -> dict[str, Any]:
    return {
        "items": [
            {"claim": code, "changed": was_changed}
            for code, was_changed in zip(codes, changed, strict=True)
        ]
    }


def _document(document: DocumentIn) -> TradeDocument:
    return TradeDocument(
        kind=document.kind,
        issuer=document.issuer
        or usual_issuer(document.kind, supplier=document.supplier, obligor=document.obligor),
        supplier=document.supplier,
        obligor=document.obligor,
        number=document.number,
        issue_date=document.issue_date,
        currency=document.currency,
        amount_minor=document.amount_minor,
        due_date=document.due_date,
        fulfils_kind=document.fulfils_kind,
        fulfils_number=document.fulfils_number,
    )


def _became(place: int, number: str, outcome: Recorded | Refusal) -> dict[str, Any]:
    became: dict[str, Any] = {"place": place, "number": number}
    if isinstance(outcome, Recorded):
        return {
            **became,
            "outcome": "repeated" if outcome.repeated else "recorded",
            "document": outcome.document_id,
            "awaits_predecessor": outcome.awaits_predecessor,
            "effect_minor": outcome.effect_minor,
        }
    _, problem = refusal_problem(outcome)
    return {**became, "outcome": "refused", "problem": problem}


def _shown(claim: Claim) -> dict[str, Any]:
    return {
        "code": claim.code,
        "supplier": claim.supplier.code,
        "obligor": claim.obligor.code,
        "currency": claim.currency,
        "stage": claim.stage,
        "status": claim.status,
        "face_minor": claim.face_minor,
        "paid_minor": claim.paid_minor,
        "diluted_minor": claim.diluted_minor,
        "outstanding_minor": claim.face_minor - claim.paid_minor - claim.diluted_minor,
        "issue_date": claim.issue_date,
        "due_date": claim.due_date,
        "disputed": claim.disputed,
        "awaits_predecessor": claim.awaits_predecessor,
    }
