"""Advances out of sales: lines, what an advance would cost, drawing one, and how each stands."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from tallystick.book.access import reach
from tallystick.book.sales_credit.draw import available_on, draw_advance, quote_of
from tallystick.book.sales_credit.models import Advance, AdvanceStatus, SalesLine
from tallystick.book.sales_credit.overview import AdvanceOn, advance_on
from tallystick.faces.api.facilities import AnotherCurrency
from tallystick.faces.api.house import VerdictOut
from tallystick.faces.api.loans import FigureOut, KnownOn, On
from tallystick.faces.api.offers import Amount, verdict_told
from tallystick.faces.api.operations import (
    CHANNEL,
    IdempotencyKey,
    reads,
    tell_repeated,
    viewer_of,
    writes,
)
from tallystick.faces.api.paging import DEFAULT_ITEMS, Cursor, Limit, NextCursor, page
from tallystick.faces.api.values import (
    AmountMinor,
    Code,
    Currency,
    Day,
    Minor,
    Text,
)
from tallystick.rules.sales_explanation import explained_advance

router = Router(tags=["advances"])

LineCode = Annotated[Code, Path(description="The code of the line out of sales.")]
AdvanceCode = Annotated[Code, Path(description="The advance's code, as its draw was answered.")]
FixedFee = Annotated[
    int | None, Field(description="The fixed fee, in minor units; null at a daily rate.")
]
DailyRate = Annotated[
    str | None, Field(description="A fraction of the principal a day; null at a fixed fee.")
]
Apr = Annotated[
    str | None,
    Field(
        description="Rate a year of all charges if sales run as expected, compounded, in per cent."
    ),
]
ShareBps = Annotated[int, Field(description="Kept of each settlement, hundredths of a per cent.")]


class SalesLineOut(BaseModel):
    """A merchant's line out of its sales."""

    code: str
    merchant: str
    programme: str
    legal_entity: str
    currency: str
    limit_minor: Minor = Field(description="As the settled sales gave it when decided last.")
    drawn_minor: Minor = Field(description="Principal outstanding plus payouts under way.")
    expiry_date: date = Field(description="Last day on which it may be drawn.")
    frozen_reason: str = Field(description="Empty: it may be drawn.")


class SalesLinesOut(BaseModel):
    items: list[SalesLineOut]
    next_cursor: NextCursor


class AdvanceAvailableOut(BaseModel):
    """What may be drawn on a line now; one advance of a line runs at a time."""

    line: str
    date: date
    currency: str
    available_minor: Minor
    min_draw_minor: Minor
    open_advances: int
    frozen_reason: str


class AdvanceOfferOut(BaseModel):
    """What an advance would cost now; the price is null where sales would never bring it back.

    Nothing is held: whoever draws meanwhile takes from it.
    """

    line: str
    currency: str
    amount_minor: Minor
    fee_minor: FixedFee
    daily_rate: DailyRate
    share_bps: ShareBps | None
    expected_days: int | None = Field(
        description="If sales run as they did in the programme's window."
    )
    expected_end_date: date | None
    charges_minor: Minor | None = Field(description="Fee or interest in all, if sales run so.")
    apr_percent: Apr
    would_be_granted: bool
    refused: list[VerdictOut] = Field(description="The rules that stand against it.")


class AdvanceIn(BaseModel):
    """Money asked for. ``on``: the business day it is dated; left out: whatever day is open."""

    model_config = ConfigDict(extra="forbid")

    line: Code
    amount_minor: AmountMinor
    currency: Currency
    on: Day | None = None
    reason: Annotated[Text, Field(max_length=500)] = ""


class AdvanceGrantedOut(BaseModel):
    """An advance granted; it is pending until the bank has paid."""

    advance: str
    line: str
    currency: str
    amount_minor: Minor
    fee_minor: FixedFee
    daily_rate: DailyRate
    share_bps: ShareBps
    drawn_date: date
    expected_end_date: date
    apr_percent: Apr
    end_to_end_id: str


class AdvanceOut(BaseModel):
    """One advance as agreed."""

    code: str
    line: str
    merchant: str
    currency: str
    advance_minor: Minor
    fee_minor: FixedFee
    daily_rate_ppb: int | None = Field(description="Parts per billion a day; null at a fixed fee.")
    share_bps: ShareBps
    drawn_date: date
    disbursed_date: date | None
    status: str


class AdvancesOut(BaseModel):
    items: list[AdvanceOut]
    next_cursor: NextCursor


class PaceOut(BaseModel):
    """One period of the least pace."""

    number: int
    start_date: date
    end_date: date = Field(description="Included.")
    minimum_minor: Minor
    paid_minor: Minor
    state: str


class AdvanceStateOut(BaseModel):
    """How an advance stands on a day, its events included; before the payout figures are null."""

    advance: str
    status: str = Field(description="What it is now, whatever day is asked about.")
    currency: str
    on: date | None
    outstanding_minor: Minor | None
    principal_minor: Minor | None
    fee_left_minor: Minor | None = Field(description="Fee that is still to be earned.")
    collected_minor: Minor | None
    expected_minor: Minor | None = Field(description="What sales as expected would have brought.")
    credit_minor: Minor | None
    expected_end_date: date | None
    behind_since_date: date | None = Field(description="Since when it is behind its least pace.")
    short_minor: Minor = Field(description="What has to be caught up.")
    pace: list[PaceOut]
    figures: list[FigureOut] = Field(description="Every figure as the sum of its terms.")


_PRICE = (
    "fee_minor",
    "share_bps",
    "expected_days",
    "expected_end_date",
    "charges_minor",
)

LINE = {
    "code": "SL-HUAMEI",
    "merchant": "HUAMEI",
    "programme": "market.sales_advance",
    "legal_entity": "FACTOR",
    "currency": "CNY",
    "limit_minor": 30030000,
    "drawn_minor": 19230000,
    "expiry_date": "2026-12-31",
    "frozen_reason": "",
}

ADVANCE = {
    "code": "SL-HUAMEI-7",
    "line": "SL-HUAMEI",
    "merchant": "HUAMEI",
    "currency": "CNY",
    "advance_minor": 20000000,
    "fee_minor": 1000000,
    "daily_rate_ppb": None,
    "share_bps": 1000,
    "drawn_date": "2026-03-02",
    "disbursed_date": "2026-03-02",
    "status": "live",
}

OFFER = {
    "line": "SL-HUAMEI",
    "currency": "CNY",
    "amount_minor": 20000000,
    "fee_minor": 1000000,
    "daily_rate": None,
    "share_bps": 1000,
    "expected_days": 189,
    "expected_end_date": "2026-09-07",
    "charges_minor": 1000000,
    "apr_percent": "21.05",
    "would_be_granted": True,
    "refused": [],
}


@reads(
    router,
    "/sales-lines",
    scope="facilities:read",
    answer=SalesLinesOut,
    example={"items": [LINE], "next_cursor": None},
    statuses=(400,),
)
def list_sales_lines(
    request: HttpRequest, limit: Limit = DEFAULT_ITEMS, cursor: Cursor = None
) -> dict[str, Any]:
    """The lines out of sales that the client reaches, in the order of their opening."""
    rows = reach.sales_lines(viewer_of(request)).select_related(
        "merchant", "programme", "legal_entity"
    )
    return page(rows, of="sales-lines", filters={}, cursor=cursor, limit=limit, shown=_line)


@reads(
    router,
    "/sales-lines/{line}",
    scope="facilities:read",
    answer=SalesLineOut,
    example=LINE,
    statuses=(404,),
)
def show_sales_line(request: HttpRequest, line: LineCode) -> dict[str, Any]:
    """One line out of sales."""
    return _line(reach.sales_line(viewer_of(request), line))


@reads(
    router,
    "/sales-lines/{line}/availability",
    scope="facilities:read",
    answer=AdvanceAvailableOut,
    example={
        "line": "SL-HUAMEI",
        "date": "2026-03-17",
        "currency": "CNY",
        "available_minor": 30030000,
        "min_draw_minor": 100000,
        "open_advances": 0,
        "frozen_reason": "",
    },
    statuses=(404,),
)
def show_sales_line_availability(request: HttpRequest, line: LineCode) -> dict[str, Any]:
    """What may be drawn on a line out of sales at this moment."""
    found = reach.sales_line(viewer_of(request), line)
    inputs = available_on(found.code)
    return {
        "line": found.code,
        "date": inputs.business_date,
        "currency": found.currency,
        "available_minor": 0 if inputs.frozen_reason else inputs.available_minor,
        "min_draw_minor": inputs.min_draw_minor,
        "open_advances": inputs.open_advances,
        "frozen_reason": inputs.frozen_reason,
    }


@reads(
    router,
    "/sales-lines/{line}/offer",
    scope="facilities:read",
    answer=AdvanceOfferOut,
    example=OFFER,
    statuses=(404,),
)
def show_advance_offer(
    request: HttpRequest, line: LineCode, amount_minor: Amount = None
) -> dict[str, Any]:
    """What an advance would cost and how long it would run, with the rate of all charges."""
    found = reach.sales_line(viewer_of(request), line)
    asked_minor = available_on(found.code).available_minor if amount_minor is None else amount_minor
    offer, decision = quote_of(found.code, asked_minor)
    price = dict.fromkeys(_PRICE) if offer is None else asdict(offer)
    return {
        **price,
        "line": found.code,
        "currency": found.currency,
        "amount_minor": asked_minor,
        "daily_rate": _as_text(offer.daily_rate) if offer else None,
        "apr_percent": _as_text(offer.apr_percent) if offer else None,
        "would_be_granted": decision.granted,
        "refused": [verdict_told(each) for each in decision.verdicts if not each.passed],
    }


@writes(
    router,
    "/advances",
    scope="drawdowns:write",
    answer=AdvanceGrantedOut,
    body_example={"line": "SL-HUAMEI", "amount_minor": 20000000, "currency": "CNY"},
    example={
        "advance": "SL-HUAMEI-7",
        "line": "SL-HUAMEI",
        "currency": "CNY",
        "amount_minor": 20000000,
        "fee_minor": 1000000,
        "daily_rate": None,
        "share_bps": 1000,
        "drawn_date": "2026-03-02",
        "expected_end_date": "2026-09-07",
        "apr_percent": "21.05",
        "end_to_end_id": "S7",
    },
    statuses=(404,),
)
def draw_out_of_sales(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, asked: AdvanceIn
) -> dict[str, Any]:
    """Draw an advance out of sales: granted at once, paid when the bank has paid."""
    viewer = viewer_of(request)
    line = reach.sales_line(viewer, asked.line)
    if asked.currency != line.currency:
        raise AnotherCurrency(
            facility=line.code, currency=line.currency, asked_currency=asked.currency
        )
    granted = draw_advance(
        line.code,
        asked.amount_minor,
        on=asked.on,
        caller=viewer.caller(CHANNEL, asked.reason),
        key=key,
    )
    if granted.repeated:
        tell_repeated(response)
    return granted.as_json()


@reads(
    router,
    "/advances",
    scope="loans:read",
    answer=AdvancesOut,
    example={"items": [ADVANCE], "next_cursor": None},
    statuses=(400, 404),
)
def list_advances(
    request: HttpRequest,
    line: Annotated[Code | None, Query(description="Only advances of this line.")] = None,
    status: Annotated[AdvanceStatus | None, Query()] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The advances out of sales that the client reaches, in the order of their draws."""
    viewer = viewer_of(request)
    rows = reach.advances(viewer).select_related("line__merchant")
    if line is not None:
        rows = rows.filter(line=reach.sales_line(viewer, line))
    if status is not None:
        rows = rows.filter(status=status)
    filters = {"line": line, "status": status}
    return page(rows, of="advances", filters=filters, cursor=cursor, limit=limit, shown=_advance)


@reads(
    router,
    "/advances/{advance}",
    scope="loans:read",
    answer=AdvanceOut,
    example=ADVANCE,
    statuses=(404,),
)
def show_advance(request: HttpRequest, advance: AdvanceCode) -> dict[str, Any]:
    """One advance as agreed."""
    return _advance(reach.advance(viewer_of(request), advance))


@reads(
    router,
    "/advances/{advance}/state",
    scope="loans:read",
    answer=AdvanceStateOut,
    example={
        "advance": "SL-HUAMEI-7",
        "status": "live",
        "currency": "CNY",
        "on": "2026-03-09",
        "outstanding_minor": 20230000,
        "principal_minor": 19308523,
        "fee_left_minor": 921477,
        "collected_minor": 770000,
        "expected_minor": 778554,
        "credit_minor": 0,
        "expected_end_date": "2026-09-07",
        "behind_since_date": None,
        "short_minor": 0,
        "pace": [
            {
                "number": 1,
                "start_date": "2026-03-02",
                "end_date": "2026-04-30",
                "minimum_minor": 3500000,
                "paid_minor": 770000,
                "state": "open",
            }
        ],
        "figures": [
            {
                "name": "collected_minor",
                "value": 770000,
                "terms": [{"name": "kept of a settlement on 2026-03-09", "amount": "770000"}],
            }
        ],
    },
    statuses=(404,),
)
def show_advance_state(
    request: HttpRequest, advance: AdvanceCode, on: On = None, known_on: KnownOn = None
) -> dict[str, Any]:
    """How an advance stands on a day, as known on another, and where each figure comes from."""
    code = reach.advance(viewer_of(request), advance).code
    return _state(advance_on(code, on=on, known_on=known_on))


def _as_text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _line(line: SalesLine) -> dict[str, Any]:
    return {
        "code": line.code,
        "merchant": line.merchant.code,
        "programme": line.programme.code,
        "legal_entity": line.legal_entity.code,
        "currency": line.currency,
        "limit_minor": line.limit_minor,
        "drawn_minor": line.drawn_minor,
        "expiry_date": line.expiry_date,
        "frozen_reason": line.frozen_reason,
    }


def _advance(advance: Advance) -> dict[str, Any]:
    return {
        "code": advance.code,
        "line": advance.line.code,
        "merchant": advance.line.merchant.code,
        "currency": advance.currency,
        "advance_minor": advance.advance_minor,
        "fee_minor": advance.fee_minor,
        "daily_rate_ppb": advance.daily_rate_ppb,
        "share_bps": advance.share_bps,
        "drawn_date": advance.drawn_date,
        "disbursed_date": advance.disbursed_date,
        "status": advance.status,
    }


def _state(found: AdvanceOn) -> dict[str, Any]:
    state, pace = found.state, found.pace
    return {
        "advance": found.advance.code,
        "status": found.advance.status,
        "currency": found.advance.currency,
        "on": state and state.on,
        "outstanding_minor": state and state.outstanding_minor,
        "principal_minor": state and state.principal_minor,
        "fee_left_minor": state and state.fee_left_minor,
        "collected_minor": state and state.collected_minor,
        "expected_minor": state and state.expected_minor,
        "credit_minor": state and state.credit_minor,
        "expected_end_date": state and state.expected_end_date,
        "behind_since_date": pace and pace.behind_since_date,
        "short_minor": pace.short_minor if pace else 0,
        "pace": [
            {
                "number": period.number,
                "start_date": period.start_date,
                "end_date": period.end_date,
                "minimum_minor": period.minimum_minor,
                "paid_minor": period.paid_minor,
                "state": str(period.state),
            }
            for period in (state.pace if state else ())
        ],
        "figures": [figure.as_json() for figure in (explained_advance(state) if state else ())],
    }
