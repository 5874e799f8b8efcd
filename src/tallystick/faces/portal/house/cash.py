"""Cash as treasury sees it: what waits, what arrived and what it paid, orders and bank answers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.models import Act
from tallystick.book.ledger.models import Account, Entry
from tallystick.book.ledger.queries import balances
from tallystick.book.parties.models import LegalEntity
from tallystick.book.payments.models import (
    CashReceipt,
    PaymentKind,
    PaymentOrder,
    PaymentStatus,
    RemittanceLine,
)
from tallystick.book.servicing.models import SettlementLine
from tallystick.book.watch.worklist import items_open
from tallystick.faces.portal.filters import ANY
from tallystick.faces.portal.house.entity_asked import entity_asked, entity_choice
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import sliced
from tallystick.faces.portal.words import WORDS
from tallystick.rules.bank_answers import Effect

SHOWN_ON_FIRST_PAGE = 10
MOST_LINES = 500


class ReceiptsForm(forms.Form):
    entity = forms.CharField(required=False, widget=forms.HiddenInput)
    state = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[("", _("All receipts")), ("unapplied", _("With unapplied cash"))],
    )
    reference = forms.CharField(label=_("Bank reference"), required=False, max_length=100)


class OrdersForm(forms.Form):
    entity = forms.CharField(required=False, widget=forms.HiddenInput)
    status = forms.ChoiceField(label=_("State"), required=False)
    order = forms.CharField(label=_("Order"), required=False, max_length=35)

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["status"].choices = [ANY, *WORDS["payment_status"].items()]


class AnswersForm(forms.Form):
    entity = forms.CharField(required=False, widget=forms.HiddenInput)
    effect = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[("", _("All answers")), ("other", _("Those that changed nothing"))],
    )


@page(May.SEE_HOUSE)
def overview(request: HttpRequest) -> HttpResponse:
    """What is in the bank and in suspense, and what waits for treasury."""
    entity = entity_asked(request)
    orders = reach.payment_orders(request.viewer).filter(legal_entity=entity)
    unapplied = (
        reach.receipts(request.viewer)
        .filter(legal_entity=entity, unapplied_minor__gt=0, reversed_date=None)
        .select_related("payer")
        .order_by("id")
    )
    waiting = orders.filter(status=PaymentStatus.ORDERED).select_related("beneficiary")
    answers = reach.bank_answers(request.viewer).filter(legal_entity=entity)
    return render(
        request,
        "portal/house/cash.html",
        {
            "held": _held(entity),
            "unapplied": unapplied[:SHOWN_ON_FIRST_PAGE],
            "failed": _failed(orders)[:SHOWN_ON_FIRST_PAGE],
            "waiting": waiting.order_by("id")[:SHOWN_ON_FIRST_PAGE],
            "odd_answers": answers.exclude(effect=Effect.APPLIED).order_by("-id")[
                :SHOWN_ON_FIRST_PAGE
            ],
            "credits": _credits(entity)[:SHOWN_ON_FIRST_PAGE],
            "may_move": request.viewer.may(May.MOVE_CASH),
            "may_take": request.viewer.may(May.TAKE_RECEIPTS),
            **entity_choice(request, entity),
        },
    )


@page(May.SEE_HOUSE)
def receipts(request: HttpRequest) -> HttpResponse:
    entity = entity_asked(request)
    form = ReceiptsForm(request.GET)
    rows = reach.receipts(request.viewer).filter(legal_entity=entity).select_related("payer")
    asked = form.cleaned_data if form.is_valid() else {}
    if asked.get("state") == "unapplied":
        rows = rows.filter(unapplied_minor__gt=0, reversed_date=None)
    if asked.get("reference"):
        rows = rows.filter(bank_reference=asked["reference"])
    return render(
        request,
        "portal/house/cash_receipts.html",
        {
            "form": form,
            "part": sliced(rows, by=["-id"], cursor=request.GET.get("cursor", "")),
            "may_take": request.viewer.may(May.TAKE_RECEIPTS),
            **entity_choice(request, entity),
        },
    )


@page(May.SEE_HOUSE)
def receipt(request: HttpRequest, receipt: int) -> HttpResponse:
    """What a receipt paid: its claims, then the loans that it swept, bucket by bucket."""
    found: CashReceipt = reach.by_number(
        reach.receipts(request.viewer).select_related("payer", "legal_entity", "act"),
        "receipt",
        receipt,
    )
    claims = list(
        RemittanceLine.objects.filter(receipt=found)
        .select_related("claim")
        .order_by("id")[: MOST_LINES + 1]
    )
    lines = list(
        SettlementLine.objects.filter(receipt=found)
        .select_related("loan", "supplier", "payment")
        .order_by("id")[: MOST_LINES + 1]
    )
    return render(
        request,
        "portal/house/cash_receipt.html",
        {
            "receipt": found,
            "claims": claims[:MOST_LINES],
            "swept": _swept(lines[:MOST_LINES]),
            "is_cut": max(len(claims), len(lines)) > MOST_LINES,
            "most": MOST_LINES,
            "entries": Entry.objects.filter(
                legal_entity=found.legal_entity_id, reference=f"receipt:{found.bank_reference}"
            ).order_by("id")[:50],
            "applied_minor": found.amount_minor - found.unapplied_minor,
            "may_move": request.viewer.may(May.MOVE_CASH) and found.reversed_date is None,
        },
    )


@page(May.SEE_HOUSE)
def orders(request: HttpRequest) -> HttpResponse:
    entity = entity_asked(request)
    form = OrdersForm(request.GET)
    rows = (
        reach.payment_orders(request.viewer)
        .filter(legal_entity=entity)
        .select_related("beneficiary", "loan")
    )
    asked = form.cleaned_data if form.is_valid() else {}
    if asked.get("status"):
        rows = rows.filter(status=asked["status"])
    if asked.get("order"):
        rows = rows.filter(end_to_end_id=asked["order"])
    part = sliced(rows, by=["-id"], cursor=request.GET.get("cursor", ""))
    again = ordered_again(part.rows)
    return render(
        request,
        "portal/house/cash_orders.html",
        {
            "form": form,
            "part": part,
            "lines": [(order, again.get(order.end_to_end_id, "")) for order in part.rows],
            "payout": PaymentKind.PAYOUT,
            "may_move": request.viewer.may(May.MOVE_CASH),
            **entity_choice(request, entity),
        },
    )


@page(May.SEE_HOUSE)
def answers(request: HttpRequest) -> HttpResponse:
    """What the bank said of our orders: the first answer counts, the others change nothing."""
    entity = entity_asked(request)
    form = AnswersForm(request.GET)
    rows = reach.bank_answers(request.viewer).filter(legal_entity=entity)
    if form.is_valid() and form.cleaned_data["effect"]:
        rows = rows.exclude(effect=Effect.APPLIED)
    return render(
        request,
        "portal/house/cash_answers.html",
        {
            "form": form,
            "part": sliced(rows, by=["-id"], cursor=request.GET.get("cursor", "")),
            **entity_choice(request, entity),
        },
    )


def ordered_again(orders: Sequence[PaymentOrder]) -> dict[str, str]:
    """Of rejected orders, those that have a successor, with its end-to-end id."""
    rejected = {
        f"order_again/{order.end_to_end_id}": order.end_to_end_id
        for order in orders
        if order.status == PaymentStatus.REJECTED
    }
    return {
        rejected[key]: answer["end_to_end_id"]
        for key, answer in Act.objects.filter(owner="system", key__in=list(rejected)).values_list(
            "key", "answer"
        )
    }


def _failed(orders: Any) -> list[PaymentOrder]:
    """The latest payments that the bank turned down, to suppliers who are still owed them."""
    rejected = list(
        orders.filter(status=PaymentStatus.REJECTED)
        .exclude(kind=PaymentKind.PAYOUT)
        .select_related("beneficiary")
        .order_by("-id")[:200]
    )
    again = ordered_again(rejected)
    return [order for order in rejected if order.end_to_end_id not in again]


def _held(entity: LegalEntity) -> list[dict[str, Any]]:
    """Cash in the bank and in suspense, by currency."""
    accounts = {
        account.pk: account
        for account in Account.objects.filter(
            legal_entity=entity, name__in=["bank", "settlement_suspense"]
        )
    }
    totals = balances(accounts, on=date.max, known_on=date.max)
    by_currency: dict[str, dict[str, int]] = defaultdict(
        lambda: {"bank": 0, "settlement_suspense": 0}
    )
    for account_id, balance in totals.items():
        account = accounts[account_id]
        by_currency[account.currency][account.name] += balance.net_minor
    return [
        {
            "currency": currency,
            "bank_minor": held["bank"],
            "suspense_minor": -held["settlement_suspense"],
        }
        for currency, held in sorted(by_currency.items())
    ]


def _credits(entity: LegalEntity) -> list[dict[str, Any]]:
    """Suppliers with credit that could be refunded, as the worklist has them, the oldest first."""
    named = []
    for item in items_open(entity.pk, kind="supplier_credit")[:SHOWN_ON_FIRST_PAGE]:
        _kind, _, rest = item.subject.partition(":")
        supplier, _, currency = rest.rpartition(":")
        named.append((supplier, currency))
    accounts = {
        (account.party.code, account.currency): account.pk
        for account in Account.objects.filter(
            legal_entity=entity,
            name="supplier_credit",
            party__code__in=[supplier for supplier, _ in named],
        ).select_related("party")
    }
    totals = balances(accounts.values(), on=date.max, known_on=date.max)
    return [
        {
            "supplier": supplier,
            "currency": currency,
            "credit_minor": -totals[accounts[supplier, currency]].net_minor,
        }
        for supplier, currency in named
        if (supplier, currency) in accounts
    ]


def _swept(lines: Sequence[SettlementLine]) -> list[dict[str, Any]]:
    """Lines by loan, or by supplier where they met no loan, in the order of payment."""
    groups: dict[tuple[int, int], list[SettlementLine]] = {}
    for line in lines:
        groups.setdefault((line.supplier_id, line.loan_id or 0), []).append(line)
    return [
        {
            "supplier": parts[0].supplier,
            "loan": parts[0].loan,
            "lines": parts,
            "total_minor": sum(line.amount_minor for line in parts),
        }
        for parts in groups.values()
    ]
