"""Who one is, the open business day, programmes, decisions with their verdicts, and worklists."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.financing.models import Decision
from tallystick.book.financing.programmes import presets
from tallystick.book.parties.models import LegalEntity
from tallystick.book.watch.models import WorkItem
from tallystick.faces.api.operations import reads, viewer_of
from tallystick.faces.api.paging import DEFAULT_ITEMS, Cursor, Limit, NextCursor, page
from tallystick.faces.api.values import Code, Minor
from tallystick.rules.calendars import period_written
from tallystick.rules.price_terms import PenaltyTerms, PriceTerms
from tallystick.rules.repayment import RepaymentTerms

router = Router(tags=["house"])


class ClientOut(BaseModel):
    """The machine client whose key this is. ``firm`` is empty where it is the house's."""

    client: str
    firm: str
    scopes: list[str]
    max_requests_a_minute: int


class BusinessDayOut(BaseModel):
    """The day that is open in the books of a legal entity; what is asked is dated on it."""

    legal_entity: str
    business_date: date
    time_zone: str
    calendar: str


class BusinessDaysOut(BaseModel):
    items: list[BusinessDayOut]


class ProgrammeOut(BaseModel):
    """A programme that comes with the platform. Rates are decimal fractions a year, as text."""

    code: str
    title: str
    product: str
    funding: str
    currency: str
    annual_rate: str | None = Field(description="None where the price follows a reference rate.")
    reference_rate: str | None = Field(description="The rate it follows, such as lpr_1y.")
    spread_bps: int | None = Field(description="Hundredths of a per cent on top of it.")
    penalty_rate: str | None = Field(description="On principal past due, on top; a year.")
    penalty_multiple: str | None = Field(
        description="Or what principal past due bears in all, as a multiple of the annual rate."
    )
    repayment_method: str
    repaid_every: str | None = Field(
        description="Time between instalments, such as 1M for a month; null: one payment."
    )
    day_count: str
    min_tenor_days: int
    max_tenor_days: int
    min_draw_minor: Minor
    per_supplier_minor: Minor


class ProgrammesOut(BaseModel):
    items: list[ProgrammeOut]


class VerdictOut(BaseModel):
    """What one rule read, what it would have accepted, and whether it passed."""

    rule: str
    value: int | str | bool
    threshold: int | str | bool
    passed: bool
    reason: str = ""
    remedy: str = ""


class DecisionOut(BaseModel):
    """Why a drawdown was granted: what was read, by which rules, and what each said."""

    decision: int
    facility: str
    loan: str
    date: date
    currency: str
    amount_minor: Minor
    rule_version: str
    decided_at: datetime
    inputs: dict[str, int | str | bool]
    verdicts: list[VerdictOut]


class DecisionsOut(BaseModel):
    items: list[DecisionOut]
    next_cursor: NextCursor


class WorkItemOut(BaseModel):
    """Something that waits for a person."""

    item: int
    legal_entity: str
    kind: str
    subject: str
    opened_date: date
    details: dict[str, Any]


class WorkItemsOut(BaseModel):
    items: list[WorkItemOut]
    next_cursor: NextCursor


DECISION = {
    "decision": 48,
    "facility": "F-HUAMEI",
    "loan": "F-HUAMEI-48",
    "date": "2026-03-17",
    "currency": "CNY",
    "amount_minor": 2500000,
    "rule_version": "drawdown-1",
    "decided_at": "2026-03-17T02:31:07.120Z",
    "inputs": {"base_minor": 20500000, "drawn_minor": 12000000},
    "verdicts": [
        {
            "rule": "amount_is_available",
            "value": 2500000,
            "threshold": 8500000,
            "passed": True,
            "reason": "2500000 is within the 8500000 available.",
            "remedy": "",
        }
    ],
}


@reads(
    router,
    "/client",
    scope=None,
    answer=ClientOut,
    example={
        "client": "mall-connector",
        "firm": "",
        "scopes": ["claims:read", "documents:write"],
        "max_requests_a_minute": 600,
    },
)
def show_client(request: HttpRequest) -> dict[str, Any]:
    """Which client this key is, and what it may do: a first request to try a key with."""
    machine = request.machine
    return {
        "client": machine.viewer.client_code,
        "firm": machine.viewer.party_code,
        "scopes": sorted(machine.scopes),
        "max_requests_a_minute": machine.allowance.limit,
    }


@reads(
    router,
    "/business-days",
    scope="facilities:read",
    answer=BusinessDaysOut,
    example={
        "items": [
            {
                "legal_entity": "FACTOR",
                "business_date": "2026-03-17",
                "time_zone": "Asia/Shanghai",
                "calendar": "China",
            }
        ]
    },
)
def list_business_days(request: HttpRequest) -> dict[str, Any]:
    """The open business day of our legal entities; for a firm, of those it has facilities with."""
    viewer = viewer_of(request)
    entities = LegalEntity.objects.order_by("code")
    if viewer.party_id is not None:
        ours = reach.facilities(viewer).values("legal_entity_id")
        entities = entities.filter(pk__in=ours)
    return {
        "items": [
            {
                "legal_entity": entity.code,
                "business_date": entity.business_date,
                "time_zone": entity.time_zone,
                "calendar": entity.calendar,
            }
            for entity in entities
        ]
    }


@reads(
    router,
    "/programmes",
    scope="facilities:read",
    answer=ProgrammesOut,
    example={
        "items": [
            {
                "code": "jd.jingbaobei",
                "title": "Jingbaobei",
                "product": "receivables_pool",
                "funding": "own_capital",
                "currency": "CNY",
                "annual_rate": "0.09",
                "reference_rate": None,
                "spread_bps": None,
                "penalty_rate": "0.045",
                "penalty_multiple": None,
                "repayment_method": "bullet",
                "repaid_every": None,
                "day_count": "ACT/360",
                "min_tenor_days": 1,
                "max_tenor_days": 90,
                "min_draw_minor": 10000,
                "per_supplier_minor": 1000000000,
            }
        ]
    },
)
def list_programmes(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001 - public to all clients
    """The programmes that come with the platform, with what a supplier has to know of them."""
    return {
        "items": [
            {
                "code": programme.code,
                "title": programme.title,
                "product": str(programme.product),
                "funding": str(programme.funding),
                "currency": programme.currency,
                **_rate_of(programme.price),
                **_penalty_of(programme.price.penalty),
                **_repayment_of(programme.repayment),
                "day_count": str(programme.price.day_count),
                "min_tenor_days": programme.drawdown.min_tenor_days,
                "max_tenor_days": programme.drawdown.max_tenor_days,
                "min_draw_minor": programme.drawdown.min_draw_minor,
                "per_supplier_minor": programme.limits.per_supplier_minor,
            }
            for programme in presets().values()
        ]
    }


def _rate_of(price: PriceTerms) -> dict[str, Any]:
    """The price's own rate, or what it follows."""
    follows = price.floating
    return {
        "annual_rate": None if price.annual_rate is None else f"{price.annual_rate:f}",
        "reference_rate": None if follows is None else follows.reference_rate,
        "spread_bps": None if follows is None else follows.spread_bps,
    }


def _penalty_of(penalty: PenaltyTerms) -> dict[str, Any]:
    return {
        "penalty_rate": None if penalty.rate is None else f"{penalty.rate:f}",
        "penalty_multiple": None if penalty.multiple is None else f"{penalty.multiple:f}",
    }


def _repayment_of(repayment: RepaymentTerms) -> dict[str, Any]:
    return {
        "repayment_method": str(repayment.method),
        "repaid_every": repayment.every and period_written(repayment.every),
    }


@reads(
    router,
    "/decisions",
    scope="decisions:read",
    answer=DecisionsOut,
    example={"items": [DECISION], "next_cursor": None},
    statuses=(400, 404),
)
def list_decisions(
    request: HttpRequest,
    facility: Annotated[Code | None, Query(description="Only of this facility.")] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The decisions on drawdowns granted, in their order, with every rule's verdict."""
    viewer = viewer_of(request)
    rows = reach.decisions(viewer).select_related("facility", "loan")
    if facility is not None:
        rows = rows.filter(facility=reach.facility(viewer, facility))
    filters = {"facility": facility}
    return page(rows, of="decisions", filters=filters, cursor=cursor, limit=limit, shown=_shown)


@reads(
    router,
    "/decisions/{decision}",
    scope="decisions:read",
    answer=DecisionOut,
    example=DECISION,
    statuses=(404,),
)
def show_decision(
    request: HttpRequest,
    decision: Annotated[int, Path(ge=1, le=2**63 - 1, description="The decision's number.")],
) -> dict[str, Any]:
    """One decision."""
    rows = reach.decisions(viewer_of(request)).select_related("facility", "loan")
    found = rows.filter(pk=decision).first()
    if found is None:
        raise reach.NotThere("decision", str(decision))
    return _shown(found)


@reads(
    router,
    "/work-items",
    scope="worklists:read",
    answer=WorkItemsOut,
    example={
        "items": [
            {
                "item": 3,
                "legal_entity": "FACTOR",
                "kind": "unapplied_cash",
                "subject": "receipt:R-9",
                "opened_date": "2026-03-17",
                "details": {"amount_minor": 500000},
            }
        ],
        "next_cursor": None,
    },
    statuses=(400,),
)
def list_work_items(
    request: HttpRequest,
    kind: Annotated[
        Code | None, Query(description="Only of this kind, such as ``failed_payout``.")
    ] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """What waits for a person, oldest first."""
    viewer_of(request).refuse_unless(May.SEE_HOUSE)
    rows = WorkItem.objects.filter(closed_at=None).select_related("legal_entity")
    if kind is not None:
        rows = rows.filter(kind=kind)
    return page(
        rows,
        of="work-items",
        filters={"kind": kind},
        cursor=cursor,
        limit=limit,
        shown=lambda item: {
            "item": item.pk,
            "legal_entity": item.legal_entity.code,
            "kind": item.kind,
            "subject": item.subject,
            "opened_date": item.opened_date,
            "details": item.details,
        },
    )


def _shown(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.pk,
        "facility": decision.facility.code,
        "loan": decision.loan.code,
        "date": decision.date,
        "currency": decision.facility.currency,
        "amount_minor": decision.amount_minor,
        "rule_version": decision.rule_version,
        "decided_at": decision.decided_at,
        "inputs": decision.inputs,
        "verdicts": decision.verdicts,
    }
