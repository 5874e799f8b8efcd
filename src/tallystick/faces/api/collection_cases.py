"""Firms that pay late: their open cases, and one case with all that is in it."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from tallystick.book.access import reach
from tallystick.book.collections.models import (
    Case,
    Note,
    NoteKind,
    PromiseToPay,
)
from tallystick.book.collections.overview import CaseOn, case_on, cases_on, promises_made
from tallystick.book.parties.entities import entity_called
from tallystick.book.parties.models import LegalEntity
from tallystick.faces.api.operations import reads, viewer_of
from tallystick.faces.api.paging import (
    DEFAULT_ITEMS,
    Cursor,
    Limit,
    NextCursor,
    cursor_of,
    key_in,
)
from tallystick.faces.api.values import Code, Minor, Text
from tallystick.rules.dunning import Letter, Why
from tallystick.rules.promises import Outcome

router = Router(tags=["collections"])

READ = "collections:read"

CaseNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="The case's number.")]
Address = Annotated[Text, Field(max_length=254)]


class PastDueOut(BaseModel):
    currency: str
    amount_minor: Minor


class NextStepOut(BaseModel):
    """What the dunning ladder says is next; a letter that is due is made ready by the close."""

    why: Why
    step: str | None
    letter: Letter | None
    until_date: date | None = Field(description="Last day of what holds it back.")
    clause: str


class CaseOut(BaseModel):
    """A firm that pays late, as it stands in the open business day."""

    case: int
    legal_entity: str
    firm: str
    firm_name: str
    opened_date: date
    closed_date: date | None
    end: str = Field(description="``cured`` or ``written_off``; empty while it is open.")
    assignee: str | None
    paused_until_date: date | None = Field(description="First day of letters again.")
    days_past_due: int
    bucket: str
    past_due: list[PastDueOut]
    next_step: NextStepOut
    promises_kept: int
    promises_broken: int


class CasesOut(BaseModel):
    items: list[CaseOut]
    next_cursor: NextCursor


class LateLoanOut(BaseModel):
    """A loan of which something is past due, and what."""

    loan: str
    facility: str
    currency: str
    past_due_since_date: date
    days_past_due: int
    principal_minor: Minor
    interest_minor: Minor
    penalty_minor: Minor
    fees_minor: Minor
    amount_minor: Minor


class PromiseOut(BaseModel):
    """So much by a day; the close of day says whether the cash came."""

    promise: int
    currency: str
    amount_minor: Minor
    made_date: date
    promised_date: date
    made_by: str
    outcome: Outcome
    decided_date: date | None
    received_minor: Minor | None


class NoteOut(BaseModel):
    """What was done or said; ``text``: a note's words, an address, or a day."""

    kind: NoteKind
    text: str
    date: date
    author: str
    at: datetime


class WholeCaseOut(CaseOut):
    """A case with its loans, its promises and what was noted, the latest first."""

    loans: list[LateLoanOut]
    promises: list[PromiseOut]
    notes: list[NoteOut]


CASE: dict[str, Any] = {
    "case": 7,
    "legal_entity": "FACTOR",
    "firm": "HUAMEI",
    "firm_name": "Huamei Trading",
    "opened_date": "2026-05-22",
    "closed_date": None,
    "end": "",
    "assignee": "li@factor.example",
    "paused_until_date": None,
    "days_past_due": 12,
    "bucket": "1-30",
    "past_due": [{"currency": "CNY", "amount_minor": 2558750}],
    "next_step": {
        "why": "promised",
        "step": None,
        "letter": None,
        "until_date": "2026-06-05",
        "clause": "Payment is promised for 2026-06-05.",
    },
    "promises_kept": 1,
    "promises_broken": 0,
}


@reads(
    router,
    "/collection-cases",
    scope=READ,
    answer=CasesOut,
    example={"items": [CASE], "next_cursor": None},
    statuses=(400, 404),
)
def list_cases(
    request: HttpRequest,
    bucket: Annotated[
        Code | None, Query(description="Only firms so many days late, such as ``31-60``.")
    ] = None,
    assignee: Annotated[
        Address | None, Query(description="Only this user's cases; empty: nobody's.")
    ] = None,
    firm: Annotated[Code | None, Query(description="Only of this firm.")] = None,
    legal_entity: Annotated[
        Code | None, Query(description="Needed where there are several of ours.")
    ] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The open cases of firms that pay late, in the order of their opening."""
    viewer = viewer_of(request)
    entity = LegalEntity.objects.get(pk=entity_called(legal_entity).entity_id)
    filters = {"bucket": bucket, "assignee": assignee, "firm": firm, "legal_entity": legal_entity}
    rows = reach.late_payers(viewer)
    if assignee is not None:
        rows = (
            rows.filter(assignee__email__iexact=assignee)
            if assignee
            else rows.filter(assignee=None)
        )
    if firm is not None:
        rows = rows.filter(party=reach.party(viewer, firm))
    after = key_in(cursor, of="collection-cases", filters=filters)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    found = sorted(
        (
            each
            for each in cases_on(rows, entity, on=entity.business_date)
            if bucket in (None, each.bucket)
        ),
        key=lambda each: each.case.pk,
    )
    shown = found[:limit]
    kept = promises_made([each.case.pk for each in shown])
    return {
        "items": [_shown(each, entity, kept.get(each.case.pk, (0, 0))) for each in shown],
        "next_cursor": (
            cursor_of(shown[-1].case.pk, of="collection-cases", filters=filters)
            if len(found) > limit
            else None
        ),
    }


@reads(
    router,
    "/collection-cases/{case}",
    scope=READ,
    answer=WholeCaseOut,
    example={
        **CASE,
        "loans": [
            {
                "loan": "F-HUAMEI-48",
                "facility": "F-HUAMEI",
                "currency": "CNY",
                "past_due_since_date": "2026-05-18",
                "days_past_due": 12,
                "principal_minor": 2500000,
                "interest_minor": 55000,
                "penalty_minor": 3750,
                "fees_minor": 0,
                "amount_minor": 2558750,
            }
        ],
        "promises": [
            {
                "promise": 4,
                "currency": "CNY",
                "amount_minor": 2558750,
                "made_date": "2026-05-28",
                "promised_date": "2026-06-05",
                "made_by": "client:desk",
                "outcome": "running",
                "decided_date": None,
                "received_minor": None,
            }
        ],
        "notes": [
            {
                "kind": "note",
                "text": "Called: the buyer has paid them today.",
                "date": "2026-05-28",
                "author": "client:desk",
                "at": "2026-05-28T03:20:00Z",
            }
        ],
    },
    statuses=(404,),
)
def show_case(request: HttpRequest, case: CaseNumber) -> dict[str, Any]:
    """One case with its loans, promises and notes; also one that has ended."""
    row = reach.late_payer(viewer_of(request), case)
    found = case_on(row, on=row.legal_entity.business_date)
    return {
        **_shown(found, row.legal_entity, promises_made([row.pk]).get(row.pk, (0, 0))),
        "loans": [
            {
                "loan": each.code,
                "facility": each.facility,
                "currency": each.currency,
                "past_due_since_date": each.past_due_since_date,
                "days_past_due": each.days_past_due,
                "principal_minor": each.principal_minor,
                "interest_minor": each.interest_minor,
                "penalty_minor": each.penalty_minor,
                "fees_minor": each.fees_minor,
                "amount_minor": each.amount_minor,
            }
            for each in found.late
        ],
        "promises": [
            {
                "promise": each.pk,
                "currency": each.currency,
                "amount_minor": each.amount_minor,
                "made_date": each.made_date,
                "promised_date": each.promised_date,
                "made_by": each.made_by,
                "outcome": each.outcome,
                "decided_date": each.decided_date,
                "received_minor": each.received_minor,
            }
            for each in PromiseToPay.objects.filter(case=row).order_by("-id")
        ],
        "notes": [
            {
                "kind": each.kind,
                "text": each.text,
                "date": each.date,
                "author": each.author,
                "at": each.at,
            }
            for each in Note.objects.filter(case=row).order_by("-id")
        ],
    }


def _shown(found: CaseOn, entity: LegalEntity, promises: tuple[int, int]) -> dict[str, Any]:
    case: Case = found.case
    kept, broken = promises
    return {
        "case": case.pk,
        "legal_entity": entity.code,
        "firm": case.party.code,
        "firm_name": case.party.name,
        "opened_date": case.opened_date,
        "closed_date": case.closed_date,
        "end": case.end,
        "assignee": case.assignee.email if case.assignee else None,
        "paused_until_date": case.paused_until_date,
        "days_past_due": found.days_past_due,
        "bucket": found.bucket,
        "past_due": [
            {"currency": currency, "amount_minor": minor}
            for currency, minor in sorted(found.amounts.items())
        ],
        "next_step": {
            "why": found.next.why,
            "step": found.next.step and found.next.step.name,
            "letter": found.next.step and found.next.step.letter,
            "until_date": found.next.until_date,
            "clause": found.next.clause,
        },
        "promises_kept": kept,
        "promises_broken": broken,
    }
