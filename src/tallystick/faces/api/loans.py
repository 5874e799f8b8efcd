"""Loans: the list, one loan, its state on any day, its statement and its schedule."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from tallystick.book.access import reach
from tallystick.book.financing.models import Loan, LoanStatus
from tallystick.book.servicing.loans import loan_on
from tallystick.faces.api.operations import reads, viewer_of
from tallystick.faces.api.paging import DEFAULT_ITEMS, Cursor, Limit, NextCursor, page
from tallystick.faces.api.values import Code, Day, Minor
from tallystick.rules.loan_explanation import explained
from tallystick.rules.loan_schedule import agreed_schedule

router = Router(tags=["loans"])

LoanCode = Annotated[Code, Path(description="The loan's code, as its drawdown was answered.")]
On = Annotated[Day | None, Query(description="The day asked about; left out: the open one.")]
KnownOn = Annotated[
    Day | None, Query(description="As it was known at the end of this day; left out: now.")
]


class LoanOut(BaseModel):
    """One drawdown."""

    code: str
    facility: str
    supplier: str
    currency: str
    principal_minor: Minor = Field(description="What was asked for and committed.")
    annual_rate_ppb: int
    penalty_rate_ppb: int
    day_count: str
    tenor_days: int
    drawn_date: date
    due_date: date = Field(description="Of several the oldest not paid, or else the next.")
    maturity_date: date | None = Field(description="The last of several due dates; null: one.")
    due_date_provisional: bool
    status: str


class LoansOut(BaseModel):
    items: list[LoanOut]
    next_cursor: NextCursor


class LoanStateOut(BaseModel):
    """What the loan owes on a day, its events included and that day's interest not."""

    loan: str
    status: str = Field(description="What it is now, whatever day is asked about.")
    on: date
    due_date: date
    currency: str
    disbursed_minor: Minor
    principal_repaid_minor: Minor
    principal_minor: Minor
    principal_due_minor: Minor
    interest_accrued_minor: Minor
    interest_received_minor: Minor
    interest_due_minor: Minor
    penalty_accrued_minor: Minor
    penalty_received_minor: Minor
    penalty_due_minor: Minor
    fees_charged_minor: Minor
    fees_received_minor: Minor
    fees_due_minor: Minor
    credit_minor: Minor
    owed_minor: Minor
    days_past_due: int


class MovementOut(BaseModel):
    """What one event did with money: its own amount, and which debts were paid because of it."""

    event: int
    kind: str
    value_date: date
    amount_minor: Minor
    fees_minor: Minor
    penalty_minor: Minor
    interest_minor: Minor
    principal_minor: Minor
    credit_minor: Minor


class TermOut(BaseModel):
    name: str
    amount: str = Field(description="Exact, in the figure's unit; six decimals where not whole.")


class FigureOut(BaseModel):
    """A figure of the loan as the sum of its terms."""

    name: str
    value: int
    terms: list[TermOut]


class StatementOut(BaseModel):
    """Every movement of the loan up to a day, and every figure as the sum of its terms."""

    loan: str
    on: date
    currency: str
    movements: list[MovementOut]
    figures: list[FigureOut]


class InstalmentOut(BaseModel):
    n: int
    due_date: date
    principal_minor: Minor
    interest_minor: Minor
    fee_minor: Minor
    balance_minor: Minor


class ScheduleOut(BaseModel):
    """What falls due when, as agreed."""

    loan: str
    currency: str
    items: list[InstalmentOut]


LOAN = {
    "code": "F-HUAMEI-48",
    "facility": "F-HUAMEI",
    "supplier": "HUAMEI",
    "currency": "CNY",
    "principal_minor": 2500000,
    "annual_rate_ppb": 90000000,
    "penalty_rate_ppb": 45000000,
    "day_count": "ACT/360",
    "tenor_days": 60,
    "drawn_date": "2026-03-17",
    "due_date": "2026-05-18",
    "maturity_date": None,
    "due_date_provisional": False,
    "status": "live",
}

STATE = {
    "loan": "F-HUAMEI-48",
    "status": "live",
    "on": "2026-04-16",
    "due_date": "2026-05-18",
    "currency": "CNY",
    "disbursed_minor": 2500000,
    "principal_repaid_minor": 0,
    "principal_minor": 2500000,
    "principal_due_minor": 0,
    "interest_accrued_minor": 18750,
    "interest_received_minor": 0,
    "interest_due_minor": 18750,
    "penalty_accrued_minor": 0,
    "penalty_received_minor": 0,
    "penalty_due_minor": 0,
    "fees_charged_minor": 0,
    "fees_received_minor": 0,
    "fees_due_minor": 0,
    "credit_minor": 0,
    "owed_minor": 2518750,
    "days_past_due": 0,
}


@reads(
    router,
    "/loans",
    scope="loans:read",
    answer=LoansOut,
    example={"items": [LOAN], "next_cursor": None},
    statuses=(400, 404),
)
def list_loans(
    request: HttpRequest,
    facility: Annotated[Code | None, Query(description="Only loans of this facility.")] = None,
    status: Annotated[LoanStatus | None, Query()] = None,
    limit: Limit = DEFAULT_ITEMS,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The loans that the client reaches, in the order of their drawdowns."""
    viewer = viewer_of(request)
    rows = reach.loans(viewer).select_related("facility__supplier")
    if facility is not None:
        rows = rows.filter(facility=reach.facility(viewer, facility))
    if status is not None:
        rows = rows.filter(status=status)
    filters = {"facility": facility, "status": status}
    return page(rows, of="loans", filters=filters, cursor=cursor, limit=limit, shown=_shown)


@reads(router, "/loans/{loan}", scope="loans:read", answer=LoanOut, example=LOAN, statuses=(404,))
def show_loan(request: HttpRequest, loan: LoanCode) -> dict[str, Any]:
    """One loan as agreed."""
    return _shown(reach.loan(viewer_of(request), loan))


@reads(
    router,
    "/loans/{loan}/state",
    scope="loans:read",
    answer=LoanStateOut,
    example=STATE,
    statuses=(404,),
)
def show_state(
    request: HttpRequest, loan: LoanCode, on: On = None, known_on: KnownOn = None
) -> dict[str, Any]:
    """What the loan owes on a day, as it would have been known on another."""
    found = loan_on(reach.loan(viewer_of(request), loan).code, on=on, known_on=known_on or date.max)
    return {
        **found.state.as_json(),
        "loan": found.code,
        "status": found.status,
        "due_date": found.due_date,
    }


@reads(
    router,
    "/loans/{loan}/statement",
    scope="loans:read",
    answer=StatementOut,
    example={
        "loan": "F-HUAMEI-48",
        "on": "2026-04-16",
        "currency": "CNY",
        "movements": [
            {
                "event": 91,
                "kind": "disbursed",
                "value_date": "2026-03-17",
                "amount_minor": 2500000,
                "fees_minor": 0,
                "penalty_minor": 0,
                "interest_minor": 0,
                "principal_minor": 0,
                "credit_minor": 0,
            }
        ],
        "figures": [
            {
                "name": "principal_minor",
                "value": 2500000,
                "terms": [{"name": "paid out 2026-03-17 (event 91)", "amount": "2500000"}],
            }
        ],
    },
    statuses=(404,),
)
def show_statement(
    request: HttpRequest, loan: LoanCode, on: On = None, known_on: KnownOn = None
) -> dict[str, Any]:
    """Every movement up to a day, and where each figure comes from."""
    found = loan_on(reach.loan(viewer_of(request), loan).code, on=on, known_on=known_on or date.max)
    return {
        "loan": found.code,
        "on": found.state.balances.on,
        "currency": found.state.terms.currency,
        "movements": [
            {**movement._asdict(), "event": movement.event_id, "kind": str(movement.kind)}
            for movement in found.state.movements
        ],
        "figures": [figure.as_json() for figure in explained(found.state)],
    }


@reads(
    router,
    "/loans/{loan}/schedule",
    scope="loans:read",
    answer=ScheduleOut,
    example={
        "loan": "F-HUAMEI-48",
        "currency": "CNY",
        "items": [
            {
                "n": 1,
                "due_date": "2026-05-18",
                "principal_minor": 2500000,
                "interest_minor": 38750,
                "fee_minor": 0,
                "balance_minor": 0,
            }
        ],
    },
    statuses=(404,),
)
def show_schedule(request: HttpRequest, loan: LoanCode) -> dict[str, Any]:
    """What falls due when, if the loan runs as agreed."""
    found = loan_on(reach.loan(viewer_of(request), loan).code)
    return {
        "loan": found.code,
        "currency": found.state.terms.currency,
        "items": [
            {
                "n": row.n,
                "due_date": row.due_date,
                "principal_minor": row.principal_minor,
                "interest_minor": row.interest_minor,
                "fee_minor": row.fee_minor,
                "balance_minor": row.balance_minor,
            }
            for row in agreed_schedule(found.state.terms)
        ],
    }


def _shown(loan: Loan) -> dict[str, Any]:
    return {
        "code": loan.code,
        "facility": loan.facility.code,
        "supplier": loan.facility.supplier.code,
        "currency": loan.currency,
        "principal_minor": loan.principal_minor,
        "annual_rate_ppb": loan.annual_rate_ppb,
        "penalty_rate_ppb": loan.penalty_rate_ppb,
        "day_count": loan.day_count,
        "tenor_days": loan.tenor_days,
        "drawn_date": loan.drawn_date,
        "due_date": loan.due_date,
        "maturity_date": loan.maturity_date,
        "due_date_provisional": loan.due_date_provisional,
        "status": loan.status,
    }
