"""What a facility offers now, and what a draw would cost with all charges counted."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from tallystick.book.access import reach
from tallystick.book.financing.offers import offers, quote
from tallystick.faces.api.facilities import FacilityCode
from tallystick.faces.api.house import VerdictOut
from tallystick.faces.api.operations import reads, viewer_of
from tallystick.faces.api.values import MAX_AMOUNT_MINOR, Minor
from tallystick.rules.limits import Verdict
from tallystick.rules.programme import MAX_TENOR_DAYS

router = Router(tags=["facilities"])

Amount = Annotated[
    int | None,
    Query(
        ge=1, le=MAX_AMOUNT_MINOR, description="In minor units; left out: all that may be drawn."
    ),
]
Tenor = Annotated[
    int | None,
    Query(ge=1, le=MAX_TENOR_DAYS, description="Left out: 30 days, or the nearest offered."),
]


class PaymentOut(BaseModel):
    """What is to be paid on a due date."""

    due_date: date
    principal_minor: Minor
    interest_minor: Minor
    fees_minor: Minor


class OfferOut(BaseModel):
    """A price with all charges. Where nothing may be drawn, or not for that term, it is null.

    Nothing is held: whoever draws meanwhile takes from it.
    """

    facility: str
    date: date
    currency: str
    drawable_minor: Minor = Field(description="What a drawdown would be granted now.")
    annual_rate_ppb: int
    reference_rate: str | None = Field(description="What the rate follows; null: it is fixed.")
    spread_bps: int | None = Field(description="Hundredths of a per cent on top of it.")
    reset: str | None = Field(description="When a loan takes a new value of it.")
    penalty_rate_ppb: int = Field(description="On principal past due, on top.")
    day_count: str
    amount_minor: Minor
    tenor_days: int
    due_date: date | None = Field(description="The last due date.")
    due_date_provisional: bool | None
    interest_minor: Minor | None
    other_charges_minor: Minor | None = Field(
        description="The arrangement fee: charged at the payout, which is whole; due with the loan."
    )
    late_fee_minor: Minor = Field(
        description="Charged once for a due date missed; not in the rate of all charges."
    )
    total_minor: Minor | None = Field(description="All that is to be repaid.")
    payments: list[PaymentOut] = Field(description="What falls due when; one, or instalments.")
    apr_percent: str | None = Field(
        description="Rate a year of all charges, compounded, in per cent: announcement 3 (2021) of "
        "the People's Bank of China; Directive 2008/48/EC, annex I."
    )
    would_be_granted: bool
    refused: list[VerdictOut] = Field(description="The rules that stand against it.")


@reads(
    router,
    "/facilities/{facility}/offer",
    scope="facilities:read",
    answer=OfferOut,
    example={
        "facility": "F-HUAMEI",
        "date": "2026-03-17",
        "currency": "CNY",
        "drawable_minor": 8500000,
        "annual_rate_ppb": 100000000,
        "reference_rate": None,
        "spread_bps": None,
        "reset": None,
        "penalty_rate_ppb": 50000000,
        "day_count": "ACT/360",
        "amount_minor": 2500000,
        "tenor_days": 60,
        "due_date": "2026-05-18",
        "due_date_provisional": False,
        "interest_minor": 43056,
        "other_charges_minor": 0,
        "late_fee_minor": 0,
        "total_minor": 2543056,
        "payments": [
            {
                "due_date": "2026-05-18",
                "principal_minor": 2500000,
                "interest_minor": 43056,
                "fees_minor": 0,
            }
        ],
        "apr_percent": "10.59",
        "would_be_granted": True,
        "refused": [],
    },
    statuses=(404,),
)
def show_offer(
    request: HttpRequest,
    facility: FacilityCode,
    amount_minor: Amount = None,
    tenor_days: Tenor = None,
) -> dict[str, Any]:
    """What may be drawn now, and what it would cost, with the rate of all charges."""
    code = reach.facility(viewer_of(request), facility).code
    (offer,) = offers([code])
    amount_minor = offer.drawable_minor if amount_minor is None else amount_minor
    tenor_days = offer.usual_tenor_days if tenor_days is None else tenor_days
    quoted = quote(code, amount_minor=amount_minor, tenor_days=tenor_days)
    due, price = quoted.due, quoted.price
    follows = offer.floating
    refused = [each for each in quoted.decision.verdicts if not each.passed]
    return {
        "facility": code,
        "date": offer.business_date,
        "currency": offer.currency,
        "drawable_minor": offer.drawable_minor,
        "annual_rate_ppb": offer.annual_rate_ppb,
        "reference_rate": follows and follows.reference_rate,
        "spread_bps": follows and follows.spread_bps,
        "reset": follows and str(follows.reset),
        "penalty_rate_ppb": offer.penalty_rate_ppb,
        "day_count": offer.day_count,
        "amount_minor": amount_minor,
        "tenor_days": tenor_days,
        "due_date": due and due.date,
        "due_date_provisional": due and due.provisional,
        "interest_minor": price and price.interest_minor,
        "other_charges_minor": price and price.fees_minor,
        "late_fee_minor": offer.fees.late_minor,
        "total_minor": price and price.total_minor,
        "payments": [payment._asdict() for payment in price.payments] if price else [],
        "apr_percent": price and price.apr_percent_estimate and f"{price.apr_percent_estimate:f}",
        "would_be_granted": not refused,
        "refused": [verdict_told(each) for each in refused],
    }


def verdict_told(verdict: Verdict) -> dict[str, Any]:
    """What a rule said, with what helps."""
    return {
        "rule": verdict.rule,
        "value": verdict.value,
        "threshold": verdict.threshold,
        "passed": verdict.passed,
        "reason": verdict.reason,
        "remedy": verdict.remedy,
    }
