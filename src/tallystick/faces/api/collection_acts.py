"""What is done in the case of a firm that pays late: assigned, noted, paused, promised."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field

from tallystick.book.access import reach
from tallystick.book.collections.cases import MAX_DAYS_PAUSED, add_note, assign, pause
from tallystick.book.collections.promise import promise
from tallystick.book.watch.raise_case import MAX_SAYS_LENGTH
from tallystick.faces.api.collection_cases import Address, CaseNumber
from tallystick.faces.api.operations import IdempotencyKey, caller_of, viewer_of, writes
from tallystick.faces.api.values import AmountMinor, Currency, Day, Text

router = Router(tags=["collections"])

WRITE = "collections:write"

WhyText = Annotated[Text, Field(max_length=500, description="Kept with the act.")]


class AssignmentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    assignee: Address = Field(description="A user of the house; empty: nobody.")
    reason: WhyText = ""


class NoteIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[Text, Field(min_length=1, max_length=MAX_SAYS_LENGTH)]


class PauseIn(BaseModel):
    """No letter goes out before the day; the open one ends a pause."""

    model_config = ConfigDict(extra="forbid")

    until_date: Day = Field(description=f"At most {MAX_DAYS_PAUSED} days ahead.")
    reason: WhyText = ""


class PromiseIn(BaseModel):
    """What the firm has promised to pay of what is past due."""

    model_config = ConfigDict(extra="forbid")

    currency: Currency
    amount_minor: AmountMinor
    promised_date: Day


class DoneOut(BaseModel):
    """It is done in this case."""

    case: int


class PromisedOut(BaseModel):
    case: int
    promise: int


@writes(
    router,
    "/collection-cases/{case}/assignment",
    scope=WRITE,
    answer=DoneOut,
    body_example={"assignee": "li@factor.example"},
    example={"case": 7},
    statuses=(404,),
)
def assign_case(
    request: HttpRequest,
    response: HttpResponse,
    key: IdempotencyKey,
    case: CaseNumber,
    asked: AssignmentIn,
) -> dict[str, Any]:
    """Give a case to a user of the house, or to nobody."""
    row = reach.late_payer(viewer_of(request), case)
    caller = caller_of(request, response, key=key, reason=asked.reason)
    assign(row.pk, asked.assignee, caller=caller, key=key)
    return {"case": row.pk}


@writes(
    router,
    "/collection-cases/{case}/notes",
    scope=WRITE,
    answer=DoneOut,
    body_example={"text": "Called: the buyer has paid them today."},
    example={"case": 7},
    statuses=(404,),
)
def note_case(
    request: HttpRequest,
    response: HttpResponse,
    key: IdempotencyKey,
    case: CaseNumber,
    asked: NoteIn,
) -> dict[str, Any]:
    """Keep what was said or found out."""
    row = reach.late_payer(viewer_of(request), case)
    add_note(row.pk, asked.text, caller=caller_of(request, response, key=key), key=key)
    return {"case": row.pk}


@writes(
    router,
    "/collection-cases/{case}/pause",
    scope=WRITE,
    answer=DoneOut,
    body_example={"until_date": "2026-06-15", "reason": "The insurer looks at it."},
    example={"case": 7},
    statuses=(404,),
)
def pause_case(
    request: HttpRequest,
    response: HttpResponse,
    key: IdempotencyKey,
    case: CaseNumber,
    asked: PauseIn,
) -> dict[str, Any]:
    """Hold letters back until a day."""
    row = reach.late_payer(viewer_of(request), case)
    caller = caller_of(request, response, key=key, reason=asked.reason)
    pause(row.pk, asked.until_date, caller=caller, key=key)
    return {"case": row.pk}


@writes(
    router,
    "/collection-cases/{case}/promises",
    scope=WRITE,
    answer=PromisedOut,
    body_example={"currency": "CNY", "amount_minor": 2558750, "promised_date": "2026-06-05"},
    example={"case": 7, "promise": 4},
    statuses=(404,),
)
def promise_to_pay(
    request: HttpRequest,
    response: HttpResponse,
    key: IdempotencyKey,
    case: CaseNumber,
    asked: PromiseIn,
) -> dict[str, Any]:
    """Keep a promise to pay; letters wait until its day is over."""
    row = reach.late_payer(viewer_of(request), case)
    number = promise(
        row.pk,
        currency=asked.currency,
        amount_minor=asked.amount_minor,
        promised_date=asked.promised_date,
        by_firm=False,
        caller=caller_of(request, response, key=key),
        key=key,
    )
    return {"case": row.pk, "promise": number}
