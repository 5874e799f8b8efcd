"""Facilities: what they are, what may be drawn, the base behind it, and drawing."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router
from pydantic import BaseModel, ConfigDict, Field

from tallystick.book.access import reach
from tallystick.book.collateral import bases
from tallystick.book.collateral.reasons import (
    AWAITS_PREDECESSOR,
    UNASSIGNED,
    reasons_of_supplier,
)
from tallystick.book.collateral.terms import terms_by_id
from tallystick.book.financing.availability import availability
from tallystick.book.financing.draw_down import DrawRequest, draw_down
from tallystick.book.financing.models import Facility
from tallystick.faces.api.operations import (
    CHANNEL,
    IdempotencyKey,
    reads,
    tell_repeated,
    viewer_of,
    writes,
)
from tallystick.faces.api.paging import DEFAULT_ITEMS, Cursor, Limit, NextCursor, page
from tallystick.faces.api.values import AmountMinor, Code, Currency, Day, Minor, Text
from tallystick.rules.eligibility import REASONS, remedies
from tallystick.rules.receivables import ineligible_minor
from tallystick.rules.refusal import Refusal

router = Router(tags=["facilities"])

FacilityCode = Annotated[Code, Path(description="The facility's code.")]

REMEDIES = {
    UNASSIGNED: "Have the claim assigned to the pool of this facility.",
    AWAITS_PREDECESSOR: "Send the document that it names; the claim joins the pool then.",
}


class AnotherCurrency(Refusal):
    """The amount is in another currency than the facility's."""

    def __init__(self, *, facility: str, currency: str, asked_currency: str) -> None:
        self.facility = facility
        self.currency = currency
        self.asked_currency = asked_currency
        super().__init__(
            f"Facility {facility} is in {currency}; the amount was given in {asked_currency}. "
            f"Ask for an amount in minor units of {currency}."
        )


class FacilityOut(BaseModel):
    """A supplier's line under a programme."""

    code: str
    supplier: str
    programme: str
    legal_entity: str
    currency: str
    limit_minor: Minor
    drawn_minor: Minor = Field(description="Principal outstanding plus payouts under way.")
    annual_rate_ppb: int = Field(description="Parts per billion a year: 90000000 is 9 %.")
    opened_date: date
    expiry_date: date = Field(description="Last day on which it may be drawn.")
    frozen_reason: str = Field(description="Empty: it may be drawn.")


class FacilitiesOut(BaseModel):
    items: list[FacilityOut]
    next_cursor: NextCursor


class AvailabilityOut(BaseModel):
    """What may be drawn now, and what bounds it."""

    facility: str
    date: date
    currency: str
    available_minor: Minor
    binding: str
    base_minor: Minor
    cover_minor: Minor
    drawn_minor: Minor
    limit_minor: Minor
    facility_limit_minor: Minor
    programme_cap_per_supplier_minor: Minor
    programme_headroom_minor: Minor
    funder_headroom_minor: Minor
    shortfall_minor: Minor
    frozen_reason: str


class LeftOut(BaseModel):
    """Claims left out of the base for one reason."""

    reason: str
    outstanding_minor: Minor
    remedy: str


class BaseOut(BaseModel):
    """The borrowing base: outstanding − left out = eligible; and from there down to the base."""

    facility: str
    date: date
    currency: str
    outstanding_minor: Minor
    left_out: list[LeftOut]
    eligible_minor: Minor
    lendable_minor: Minor
    excess_concentration_minor: Minor
    gross_base_minor: Minor
    dilution_ppm: int
    dilution_reserve_minor: Minor
    base_minor: Minor
    cover_minor: Minor


class LeftOutClaim(BaseModel):
    """A claim that is not lent against, and what can be done about it."""

    code: str
    obligor: str
    stage: str
    currency: str
    outstanding_minor: Minor
    issue_date: date
    due_date: date
    reason: str
    remedy: str


class LeftOutClaims(BaseModel):
    items: list[LeftOutClaim]
    next_cursor: NextCursor


class DrawdownIn(BaseModel):
    """Money asked for. ``on``: the business day it is dated; left out: whatever day is open."""

    model_config = ConfigDict(extra="forbid")

    facility: Code
    amount_minor: AmountMinor
    currency: Currency
    tenor_days: Annotated[int, Field(strict=True, ge=1, le=3660)]
    on: Day | None = None
    reason: Annotated[Text, Field(max_length=500)] = ""


class DrawdownOut(BaseModel):
    """A drawdown granted; its loan is pending until the bank has paid."""

    loan: str
    facility: str
    currency: str
    amount_minor: Minor
    drawn_date: date
    due_date: date = Field(description="The first due date.")
    maturity_date: date | None = Field(description="The last of several due dates; null: one.")
    due_date_provisional: bool
    end_to_end_id: str
    available_minor: Minor = Field(description="What could still be drawn right after it.")


FACILITY = {
    "code": "F-HUAMEI",
    "supplier": "HUAMEI",
    "programme": "jd.jingbaobei",
    "legal_entity": "FACTOR",
    "currency": "CNY",
    "limit_minor": 50000000,
    "drawn_minor": 12000000,
    "annual_rate_ppb": 90000000,
    "opened_date": "2026-03-02",
    "expiry_date": "2026-12-31",
    "frozen_reason": "",
}


@reads(
    router,
    "/facilities",
    scope="facilities:read",
    answer=FacilitiesOut,
    example={"items": [FACILITY], "next_cursor": None},
    statuses=(400,),
)
def list_facilities(
    request: HttpRequest, limit: Limit = DEFAULT_ITEMS, cursor: Cursor = None
) -> dict[str, Any]:
    """The facilities that the client reaches, in the order of their opening."""
    rows = reach.facilities(viewer_of(request)).select_related(
        "supplier", "programme", "legal_entity"
    )
    return page(rows, of="facilities", filters={}, cursor=cursor, limit=limit, shown=_shown)


@reads(
    router,
    "/facilities/{facility}",
    scope="facilities:read",
    answer=FacilityOut,
    example=FACILITY,
    statuses=(404,),
)
def show_facility(request: HttpRequest, facility: FacilityCode) -> dict[str, Any]:
    """One facility."""
    return _shown(reach.facility(viewer_of(request), facility))


@reads(
    router,
    "/facilities/{facility}/availability",
    scope="facilities:read",
    answer=AvailabilityOut,
    example={
        "facility": "F-HUAMEI",
        "date": "2026-03-17",
        "currency": "CNY",
        "available_minor": 8500000,
        "binding": "base",
        "base_minor": 20500000,
        "cover_minor": 21000000,
        "drawn_minor": 12000000,
        "limit_minor": 50000000,
        "facility_limit_minor": 50000000,
        "programme_cap_per_supplier_minor": 50000000,
        "programme_headroom_minor": 900000000,
        "funder_headroom_minor": 900000000,
        "shortfall_minor": 0,
        "frozen_reason": "",
    },
    statuses=(404,),
)
def show_availability(request: HttpRequest, facility: FacilityCode) -> dict[str, Any]:
    """What may be drawn at this moment, and what bounds it most."""
    row = reach.facility(viewer_of(request), facility)
    on = row.legal_entity.business_date
    return {**asdict(availability([row.pk], on=on)[row.pk]), "date": on}


@reads(
    router,
    "/facilities/{facility}/base",
    scope="claims:read",
    answer=BaseOut,
    example={
        "facility": "F-HUAMEI",
        "date": "2026-03-17",
        "currency": "CNY",
        "outstanding_minor": 30000000,
        "left_out": [
            {
                "reason": "past_due",
                "outstanding_minor": 2000000,
                "remedy": "Collect it: it is more than 30 days past due.",
            }
        ],
        "eligible_minor": 28000000,
        "lendable_minor": 21000000,
        "excess_concentration_minor": 0,
        "gross_base_minor": 21000000,
        "dilution_ppm": 20000,
        "dilution_reserve_minor": 500000,
        "base_minor": 20500000,
        "cover_minor": 21000000,
    },
    statuses=(404,),
)
def show_base(request: HttpRequest, facility: FacilityCode) -> dict[str, Any]:
    """The facility's borrowing base today, with all its parts and what is left out, by reason."""
    row = reach.facility(viewer_of(request), facility)
    on = row.legal_entity.business_date
    found = bases.current([row.pool_id], on=on) or bases.recompute([row.pool_id], on=on)
    result = found[row.pool_id].result
    remedy = remedies(terms_by_id(row.pool.terms_id).terms)
    return {
        **result,
        "facility": row.code,
        "date": on,
        "currency": row.currency,
        "left_out": [
            {
                "reason": reason,
                "outstanding_minor": result[ineligible_minor(reason)],
                "remedy": remedy[reason],
            }
            for reason in REASONS
            if result[ineligible_minor(reason)]
        ],
    }


@reads(
    router,
    "/facilities/{facility}/left-out-claims",
    scope="claims:read",
    answer=LeftOutClaims,
    example={
        "items": [
            {
                "code": "HUAMEI:invoice:INV-1001",
                "obligor": "MALL",
                "stage": "invoice",
                "currency": "CNY",
                "outstanding_minor": 2000000,
                "issue_date": "2026-01-05",
                "due_date": "2026-02-04",
                "reason": "past_due",
                "remedy": "Collect it: it is more than 30 days past due.",
            }
        ],
        "next_cursor": None,
    },
    statuses=(400, 404),
)
def list_left_out_claims(
    request: HttpRequest,
    facility: FacilityCode,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The open claims that the facility's base leaves out, each with its reason and remedy."""
    viewer = viewer_of(request)
    row = reach.facility(viewer, facility)
    reasons = {
        claim_id: reason
        for claim_id, reason in reasons_of_supplier(
            row.supplier_id, on=row.legal_entity.business_date
        ).items()
        if reason
    }
    remedy = {**remedies(terms_by_id(row.pool.terms_id).terms), **REMEDIES}
    claims = reach.claims(viewer).filter(
        pk__in=sorted(reasons), pool_id=row.pool_id
    ) | reach.claims(viewer).filter(pk__in=sorted(reasons), pool_id=None, currency=row.currency)
    return page(
        claims.select_related("obligor"),
        of="left-out-claims",
        filters={"facility": row.code},
        cursor=cursor,
        limit=limit,
        shown=lambda claim: {
            "code": claim.code,
            "obligor": claim.obligor.code,
            "stage": claim.stage,
            "currency": claim.currency,
            "outstanding_minor": claim.face_minor - claim.paid_minor - claim.diluted_minor,
            "issue_date": claim.issue_date,
            "due_date": claim.due_date,
            "reason": reasons[claim.pk],
            "remedy": remedy[reasons[claim.pk]],
        },
    )


@writes(
    router,
    "/drawdowns",
    scope="drawdowns:write",
    answer=DrawdownOut,
    body_example={
        "facility": "F-HUAMEI",
        "amount_minor": 2500000,
        "currency": "CNY",
        "tenor_days": 60,
    },
    example={
        "loan": "F-HUAMEI-48",
        "facility": "F-HUAMEI",
        "currency": "CNY",
        "amount_minor": 2500000,
        "drawn_date": "2026-03-17",
        "due_date": "2026-05-18",
        "maturity_date": None,
        "due_date_provisional": False,
        "end_to_end_id": "L48",
        "available_minor": 6000000,
    },
    statuses=(404,),
)
def draw(
    request: HttpRequest, response: HttpResponse, key: IdempotencyKey, asked: DrawdownIn
) -> dict[str, Any]:
    """Draw money on a facility: granted at once, paid when the bank has paid."""
    viewer = viewer_of(request)
    currency = reach.currency_of_facility(viewer, asked.facility)
    if asked.currency != currency:
        raise AnotherCurrency(
            facility=asked.facility, currency=currency, asked_currency=asked.currency
        )
    drawdown = draw_down(
        DrawRequest(
            facility=asked.facility,
            amount_minor=asked.amount_minor,
            tenor_days=asked.tenor_days,
            on=asked.on,
            caller=viewer.caller(CHANNEL, asked.reason),
            key=key,
        )
    )
    if drawdown.repeated:
        tell_repeated(response)
    return asdict(drawdown)


def _shown(facility: Facility) -> dict[str, Any]:
    return {
        "code": facility.code,
        "supplier": facility.supplier.code,
        "programme": facility.programme.code,
        "legal_entity": facility.legal_entity.code,
        "currency": facility.currency,
        "limit_minor": facility.limit_minor,
        "drawn_minor": facility.drawn_minor,
        "annual_rate_ppb": facility.annual_rate_ppb,
        "opened_date": facility.opened_date,
        "expiry_date": facility.expiry_date,
        "frozen_reason": facility.frozen_reason,
    }
