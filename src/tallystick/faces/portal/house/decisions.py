"""A decision on a drawdown: what was read, and what every rule said."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.financing.models import Decision
from tallystick.book.sales_credit.models import SalesDecision
from tallystick.faces.portal.pages import page

MONEY_RULES = frozenset(
    {
        "amount_is_positive",
        "amount_reaches_the_minimum",
        "amount_is_available",
        "programme_has_headroom",
        "funder_has_headroom",
    }
)
"""Rules that read amounts of money and compare them."""


@page(May.SEE_HOUSE)
def house_decision(request: HttpRequest, number: int) -> HttpResponse:
    decision = reach.decision(request.viewer, number)
    return render(
        request,
        "portal/house/decision.html",
        {
            "decision": decision,
            "loan": getattr(decision, "loan", None),
            "verdicts": verdicts_of(decision),
            "inputs": inputs_of(decision),
        },
    )


def verdicts_of(decision: Decision | SalesDecision) -> list[dict[str, Any]]:
    """Every rule's verdict; ``kind`` says how value and threshold read."""
    return [
        {**verdict, "kind": _kind(verdict["rule"], verdict["value"])}
        | {
            name: _as_date(verdict[name])
            for name in ("value", "threshold")
            if isinstance(verdict[name], str)
        }
        for verdict in decision.verdicts
    ]


def inputs_of(decision: Decision) -> list[tuple[str, Any, str]]:
    """What was read: its name, the value, and how it reads."""
    return [
        (
            name,
            _as_date(value) if isinstance(value, str) else value,
            "money" if name.endswith("_minor") else _kind("", value),
        )
        for name, value in sorted(decision.inputs.items())
    ]


def _kind(rule: str, value: object) -> str:
    if rule in MONEY_RULES:
        return "money"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        return "number"
    return "date" if isinstance(_as_date(str(value)), date) else "text"


def _as_date(text: str) -> date | str:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text
