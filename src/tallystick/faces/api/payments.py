"""Money in and out: cash received, payment orders, and what the bank answers to them."""

from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from tallystick.book.access import reach
from tallystick.book.parties.entities import entity_called
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.settle import settle_under_key
from tallystick.faces.api.operations import IdempotencyKey, caller_of, reads, viewer_of, writes
from tallystick.faces.api.paging import DEFAULT_ITEMS, Cursor, Limit, NextCursor, page
from tallystick.faces.api.values import AmountMinor, Code, Currency, Day, Minor, Text
from tallystick.rules.bank_answers import BankMessage

router = Router(tags=["payments"])

MAX_LINES = 5_000
MAX_MESSAGES = 1_000

EntityCode = Annotated[
    Code | None, Field(description="Our legal entity; needed where there are several.")
]


class RemittanceLineIn(BaseModel):
    """A claim that the cash pays, and with how much of it."""

    model_config = ConfigDict(extra="forbid")

    claim: Code
    amount_minor: AmountMinor


class ReceiptIn(BaseModel):
    """Cash that arrived, known by the bank's reference, with the claims it names."""

    model_config = ConfigDict(extra="forbid")

    bank_reference: Code
    payer: Code
    currency: Currency
    amount_minor: AmountMinor
    value_date: Day
    lines: Annotated[list[RemittanceLineIn], Field(max_length=MAX_LINES)] = []
    legal_entity: EntityCode = None


class ReceiptLineOut(BaseModel):
    """Where a part of the cash went; what it did not go to of the three is empty."""

    supplier: str
    facility: str
    loan: str
    advance: str = Field("", description="Of an advance out of sales, its code.")
    bucket: str
    amount_minor: Minor


class ReceiptOut(BaseModel):
    """A receipt taken. The lines and what stands in suspense sum to its amount."""

    bank_reference: str
    currency: str
    amount_minor: Minor
    suspense_minor: Minor
    lines: list[ReceiptLineOut]


class BankMessageIn(BaseModel):
    """What the bank says of one payment order."""

    model_config = ConfigDict(extra="forbid")

    bank_reference: Annotated[Code, Field(max_length=100)]
    end_to_end_id: Annotated[Code, Field(max_length=35)]
    outcome: Literal["paid", "rejected"]
    amount_minor: AmountMinor
    currency: Currency
    value_date: Day
    reason: Annotated[Text, Field(max_length=500)] = ""


class BankAnswersIn(BaseModel):
    """Messages of the bank, in the order in which it sent them."""

    model_config = ConfigDict(extra="forbid")

    messages: Annotated[list[BankMessageIn], Field(min_length=1, max_length=MAX_MESSAGES)]
    legal_entity: EntityCode = None


class BankAnswerOut(BaseModel):
    """``applied``: it changed something; what it did not is ``why``, and on a worklist."""

    bank_reference: str
    end_to_end_id: str
    effect: str
    why: str


class BankAnswersOut(BaseModel):
    items: list[BankAnswerOut]


class PaymentOrderOut(BaseModel):
    """An order to the bank; ``end_to_end_id`` comes back in every answer of it."""

    end_to_end_id: str
    kind: str
    beneficiary: str
    loan: str = Field(description="Empty where it is no loan's payout.")
    advance: str = Field(description="Empty where it is no payout of an advance out of sales.")
    currency: str
    amount_minor: Minor
    ordered_date: date
    status: str


class PaymentOrdersOut(BaseModel):
    items: list[PaymentOrderOut]
    next_cursor: NextCursor


@writes(
    router,
    "/receipts",
    scope="receipts:write",
    answer=ReceiptOut,
    body_example={
        "bank_reference": "R-20260501-7",
        "payer": "MALL",
        "currency": "CNY",
        "amount_minor": 12000000,
        "value_date": "2026-05-01",
        "lines": [{"claim": "HUAMEI:invoice:INV-1001", "amount_minor": 12000000}],
    },
    example={
        "bank_reference": "R-20260501-7",
        "currency": "CNY",
        "amount_minor": 12000000,
        "suspense_minor": 0,
        "lines": [
            {
                "supplier": "HUAMEI",
                "facility": "F-HUAMEI",
                "loan": "F-HUAMEI-48",
                "advance": "",
                "bucket": "principal_due",
                "amount_minor": 12000000,
            }
        ],
    },
)
def take_receipt(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, told: ReceiptIn
) -> dict[str, Any]:
    """Take cash of an obligor: claims are paid, loans are swept, the supplier gets the rest."""
    receipt = Receipt(
        bank_reference=told.bank_reference,
        payer=told.payer,
        currency=told.currency,
        amount_minor=told.amount_minor,
        value_date=told.value_date,
        lines=tuple((line.claim, line.amount_minor) for line in told.lines),
    )
    return settle_under_key(
        receipt,
        legal_entity_id=entity_called(told.legal_entity).entity_id,
        caller=caller_of(request, response, key=key),
        key=key,
    ).as_json()


@writes(
    router,
    "/bank-answers",
    scope="bank-answers:write",
    status=200,
    answer=BankAnswersOut,
    body_example={
        "messages": [
            {
                "bank_reference": "BK-1",
                "end_to_end_id": "L48",
                "outcome": "paid",
                "amount_minor": 2500000,
                "currency": "CNY",
                "value_date": "2026-03-17",
            }
        ]
    },
    example={
        "items": [
            {"bank_reference": "BK-1", "end_to_end_id": "L48", "effect": "applied", "why": ""}
        ]
    },
)
def hear_bank(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, told: BankAnswersIn
) -> dict[str, Any]:
    """Take what the bank says about payment orders: paid or rejected, each once."""
    taken = take_answers(
        [
            BankMessage(
                bank_reference=message.bank_reference,
                end_to_end_id=message.end_to_end_id,
                outcome=message.outcome,
                amount_minor=message.amount_minor,
                currency=message.currency,
                value_date=message.value_date,
                reason=message.reason,
            )
            for message in told.messages
        ],
        legal_entity_id=entity_called(told.legal_entity).entity_id,
        caller=caller_of(request, response, key=key),
        key=key,
    )
    return {
        "items": [
            {
                "bank_reference": each.bank_reference,
                "end_to_end_id": each.end_to_end_id,
                "effect": each.effect,
                "why": each.why,
            }
            for each in taken
        ]
    }


@reads(
    router,
    "/payment-orders",
    scope="payments:read",
    answer=PaymentOrdersOut,
    example={
        "items": [
            {
                "end_to_end_id": "L48",
                "kind": "payout",
                "beneficiary": "HUAMEI",
                "loan": "F-HUAMEI-48",
                "advance": "",
                "currency": "CNY",
                "amount_minor": 2500000,
                "ordered_date": "2026-03-17",
                "status": "ordered",
            }
        ],
        "next_cursor": None,
    },
    statuses=(400,),
)
def list_payment_orders(
    request: HttpRequest,
    status: Annotated[Literal["ordered", "paid", "rejected"] | None, Query()] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The payment orders that the client reaches; ``ordered`` ones await the bank's answer."""
    rows = reach.payment_orders(viewer_of(request)).select_related("beneficiary", "loan", "advance")
    if status is not None:
        rows = rows.filter(status=status)
    return page(
        rows,
        of="payment-orders",
        filters={"status": status},
        cursor=cursor,
        limit=limit,
        shown=_shown,
    )


def _shown(order: PaymentOrder) -> dict[str, Any]:
    return {
        "end_to_end_id": order.end_to_end_id,
        "kind": order.kind,
        "beneficiary": order.beneficiary.code,
        "loan": order.loan.code if order.loan else "",
        "advance": order.advance.code if order.advance else "",
        "currency": order.currency,
        "amount_minor": order.amount_minor,
        "ordered_date": order.ordered_date,
        "status": order.status,
    }
