"""Letters and other messages to firms that pay late: those due, those sent, those given up."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from tallystick.book.access import reach
from tallystick.book.collections.letters import send_again
from tallystick.book.collections.models import Message, MessageState
from tallystick.faces.api.collection_acts import WRITE, WhyText
from tallystick.faces.api.collection_cases import READ
from tallystick.faces.api.operations import IdempotencyKey, caller_of, reads, viewer_of, writes
from tallystick.faces.api.paging import DEFAULT_ITEMS, Cursor, Limit, NextCursor, page
from tallystick.rules.dunning import Channel, Letter, Recipient

router = Router(tags=["collections"])

LetterNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="The letter's number.")]


class LetterOut(BaseModel):
    """A message of the ladder: it waits to be sent, was sent, or could not be."""

    letter: int
    case: int
    firm: str
    says: Letter
    step: str
    channel: Channel
    recipient: Recipient
    date: date
    clause: str
    addresses: list[str]
    language: str
    subject: str = Field(description="Empty until it is first sent.")
    body: str
    state: MessageState
    attempts: int
    next_attempt_at: datetime | None
    sent_at: datetime | None
    last_error: str


class LettersOut(BaseModel):
    items: list[LetterOut]
    next_cursor: NextCursor


class ResendingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: WhyText = ""


class LetterWaitsOut(BaseModel):
    letter: int


_LETTER: dict[str, Any] = {
    "letter": 31,
    "case": 7,
    "firm": "HUAMEI",
    "says": "reminder",
    "step": "reminder",
    "channel": "mail",
    "recipient": "firm",
    "date": "2026-05-22",
    "clause": "3 days past due reach the step 'reminder' (from 3 days).",
    "addresses": ["accounts@huamei.example"],
    "language": "zh-hans",
    "subject": "",
    "body": "",
    "state": "waiting",
    "attempts": 0,
    "next_attempt_at": "2026-05-22T01:00:00Z",
    "sent_at": None,
    "last_error": "",
}


@reads(
    router,
    "/collection-letters",
    scope=READ,
    answer=LettersOut,
    example={"items": [_LETTER], "next_cursor": None},
    statuses=(400, 404),
)
def list_letters(
    request: HttpRequest,
    state: Annotated[
        MessageState | None, Query(description="``waiting``: due and not sent yet.")
    ] = None,
    case: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Only of this case.")] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The letters and other messages of the ladder, due and sent, in the order of their making."""
    viewer = viewer_of(request)
    rows = Message.objects.filter(case__in=reach.late_payers(viewer)).select_related("case__party")
    if state is not None:
        rows = rows.filter(state=state)
    if case is not None:
        rows = rows.filter(case=reach.late_payer(viewer, case))
    filters = {"state": state, "case": case}
    return page(
        rows, of="collection-letters", filters=filters, cursor=cursor, limit=limit, shown=_letter
    )


@writes(
    router,
    "/collection-letters/{letter}/sending",
    scope=WRITE,
    answer=LetterWaitsOut,
    body_example={"reason": "Their address was wrong."},
    example={"letter": 31},
    statuses=(404,),
)
def send_letter_again(
    request: HttpRequest,
    response: HttpResponse,
    key: IdempotencyKey,
    letter: LetterNumber,
    asked: ResendingIn,
) -> dict[str, Any]:
    """Try a letter again that was given up, to the address the firm has now."""
    rows = Message.objects.filter(case__in=reach.late_payers(viewer_of(request)))
    row = reach.by_number(rows, "letter", letter)
    send_again(row.pk, caller=caller_of(request, response, key=key, reason=asked.reason), key=key)
    return {"letter": row.pk}


def _letter(message: Message) -> dict[str, Any]:
    return {
        "letter": message.pk,
        "case": message.case_id,
        "firm": message.case.party.code,
        "says": message.letter,
        "step": message.step,
        "channel": message.channel,
        "recipient": message.recipient,
        "date": message.date,
        "clause": message.clause,
        "addresses": message.addresses,
        "language": message.language,
        "subject": message.subject,
        "body": message.body,
        "state": message.state,
        "attempts": message.attempts,
        "next_attempt_at": message.next_attempt_at,
        "sent_at": message.sent_at,
        "last_error": message.last_error,
    }
