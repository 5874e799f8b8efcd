"""The supplier's loans: the list, and one loan with everything that happened to it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.financing.models import PAID_OUT, Decision, Loan, LoanStatus
from tallystick.book.payments.models import BankAnswer, PaymentOrder
from tallystick.book.servicing.dues import payments_to_come, settlement_quote
from tallystick.book.servicing.fees import fee_names
from tallystick.book.servicing.loans import LoanOn, instalments_of, loan_on, timeline_of
from tallystick.book.servicing.portfolio import principal_of
from tallystick.faces.portal.drawdown_words import Said, compared
from tallystick.faces.portal.loan_picture import balances_picture
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import sliced
from tallystick.faces.portal.refusals import told
from tallystick.rules.loan import days_of, interest_of
from tallystick.rules.loan_balances import Balances
from tallystick.rules.loan_instalments import InstalmentOn, Paid
from tallystick.rules.loan_moves import Movement
from tallystick.rules.loan_position import Segment
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.refusal import Refusal

SHOWN = {
    "open": (LoanStatus.PENDING, LoanStatus.LIVE),
    "settled": (LoanStatus.SETTLED,),
    "rejected": (LoanStatus.REJECTED,),
    "all": tuple(LoanStatus),
}
"""Which loans each part of the list shows."""


@page(May.SEE_OWN)
def loans(request: HttpRequest) -> HttpResponse:
    """The loans, newest first."""
    asked = request.GET.get("show", "open")
    asked = asked if asked in SHOWN else "open"
    found = reach.loans(request.viewer).filter(status__in=SHOWN[asked])
    part = sliced(found, by=("-pk",), cursor=request.GET.get("cursor", ""))
    principal = principal_of([loan.pk for loan in part.rows])
    parts = [
        ("open", _("Open")),
        ("settled", _("Repaid")),
        ("rejected", _("Not paid out")),
        ("all", _("All")),
    ]
    return render(
        request,
        "portal/supplier/loans.html",
        {
            "part": part,
            "rows": [(loan, principal.get(loan.pk)) for loan in part.rows],
            "parts": parts,
            "asked": asked,
        },
    )


@page(May.SEE_OWN)
def loan(request: HttpRequest, code: str) -> HttpResponse:
    """One loan: what it owes, when, and how every figure came about."""
    found = reach.loan(request.viewer, code)
    entity = found.facility.legal_entity
    was_paid_out = found.status in PAID_OUT
    held = loan_on(found.code, on=max(entity.business_date, found.drawn_date))
    owed = held.state.balances if was_paid_out else None
    instalments: list[InstalmentOn] = []
    picture = ""
    if owed and found.maturity_date is not None:
        instalments = instalments_of(found.code, on=owed.on)
        picture = balances_picture(timeline_of(found.code, on=owed.on), found.currency)
    return render(
        request,
        "portal/supplier/loan.html",
        {
            "loan": found,
            "owed": owed,
            "extra_minor": owed.penalty_due_minor + owed.fees_due_minor if owed else 0,
            "late_minor": _late_minor(instalments, owed),
            "next_instalment": next(
                (each for each in instalments if each.paid in (Paid.DUE, Paid.TO_COME)), None
            ),
            "instalments": instalments,
            "picture": picture,
            "to_come": (
                payments_to_come(found, on=entity.business_date)
                if found.status in SHOWN["open"]
                else []
            ),
            "timeline": _timeline(found, held.state.movements),
            "interest": _accrued(held, held.state.segments),
            "penalty": _accrued(held, held.state.penalty_segments),
            "movements": held.state.movements,
        },
    )


def _late_minor(instalments: Sequence[InstalmentOn], owed: Balances | None) -> int:
    """What is past due of instalments, with the penalty and fees that came of it."""
    late_minor = sum(each.unpaid_minor for each in instalments if each.paid is Paid.LATE)
    if not late_minor or owed is None:
        return 0
    return late_minor + owed.penalty_due_minor + owed.fees_due_minor


@page(May.SEE_OWN)
def decision(request: HttpRequest, code: str) -> HttpResponse:
    """Why the drawdown was granted: what every rule read, and what it accepts."""
    found = reach.loan(request.viewer, code)
    decided: Decision = reach.decisions(request.viewer).get(pk=found.decision_id)
    verdicts = [
        (
            verdict["rule"],
            verdict["passed"],
            *compared(verdict["rule"], verdict["value"], verdict["threshold"], found.currency),
        )
        for verdict in decided.verdicts
    ]
    return render(
        request,
        "portal/supplier/decision.html",
        {"loan": found, "decision": decided, "verdicts": verdicts},
    )


@page(May.REPAY)
def settle(request: HttpRequest, code: str) -> HttpResponse:
    """What settles the loan today or on another day, what that saves, and how to pay it."""
    found = reach.loan(request.viewer, code)
    entity = found.facility.legal_entity
    typed = request.GET.get("on", "")
    quote = None
    said: list[Said] = []
    try:
        on = date.fromisoformat(typed) if typed else entity.business_date
        quote = settlement_quote(found, on=on, business_date=entity.business_date)
    except ValueError:
        said = [Said(_("This is no day."), _("Type it as 2026-11-22."))]
    except Refusal as refusal:
        said = told(refusal)
    return render(
        request,
        "portal/supplier/settle.html",
        {
            "loan": found,
            "quote": quote,
            "said": said,
            "typed": typed[:20] or entity.business_date.isoformat(),
            "payee": entity.party.name,
        },
        status=422 if said else 200,
    )


def _timeline(found: Loan, movements: tuple[Movement, ...]) -> list[dict[str, Any]]:
    """What happened, in order: the draw, the bank's answers, and every movement of money."""
    told_of: list[dict[str, Any]] = [
        {"date": found.drawn_date, "kind": "drawn", "amount_minor": found.principal_minor}
    ]
    order = PaymentOrder.objects.filter(loan=found).first()
    if order is not None:
        told_of += [
            {"date": answer.value_date, "kind": "refused", "reason": answer.reason}
            for answer in BankAnswer.objects.filter(
                order=order, outcome="rejected", effect="applied"
            ).order_by("pk")
        ]
    names = fee_names([found.pk])
    told_of += [
        {
            "date": movement.value_date,
            "kind": names.get(movement.event_id, str(movement.kind)),
            "amount_minor": movement.amount_minor,
            "movement": movement,
        }
        for movement in movements
    ]
    return sorted(told_of, key=lambda each: each["date"])


def _accrued(held: LoanOn, segments: tuple[Segment, ...]) -> dict[str, Any]:
    """The segments of interest, each with its part of the rounded running total.

    A segment's part is what the rounded total grew by, so that the parts add up to the total.
    """
    terms = held.state.terms
    exact = 0
    told_minor = 0
    rows = []
    for segment in segments:
        exact += interest_of(terms, segment)
        total_minor = rounded(exact.numerator, exact.denominator, Rounding(terms.rounding))
        rows.append(
            {
                "start": segment.start_date,
                "end": segment.end_date,
                "days": days_of(terms, segment),
                "principal_minor": segment.principal_minor,
                "rate_ppb": segment.rate_ppb,
                "interest_minor": total_minor - told_minor,
            }
        )
        told_minor = total_minor
    return {"rows": rows, "total_minor": told_minor, "day_count": terms.day_count}
