"""What treasury does with cash: take it, apply it, take it back, refund it, order it again."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.once import Caller
from tallystick.book.payments.models import CashReceipt, PaymentOrder
from tallystick.book.payments.order_again import order_again as order_payment_again
from tallystick.book.proposals.propose import preview_refund, propose_refund
from tallystick.book.proposals.terms import Refund
from tallystick.book.servicing.apply_unapplied import apply_unapplied
from tallystick.book.servicing.receipts import MAX_REFERENCE_LENGTH, Receipt
from tallystick.book.servicing.receive import apply_to_loan, receive
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.servicing.settle import settle
from tallystick.faces.portal.filters import DateField, minor_typed
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Preview, Told, act_page
from tallystick.faces.portal.house.entity_asked import entity_asked
from tallystick.faces.portal.house.loan_changes import changes_of_credit
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.proposal_words import terms_told
from tallystick.rules.money import MINOR_DIGITS, text_from_minor
from tallystick.rules.typed_amounts import MAX_TYPED_CHARACTERS, minor_from_typed

MOST_TYPED_LINES = 200
MAX_LINES_LENGTH = 40_000


def typed_lines(text: str, currency: str) -> tuple[tuple[str, int], ...]:
    """Claim codes and minor units out of lines ``CLAIM = AMOUNT``. Raises ValidationError."""
    lines = []
    written = [line.strip() for line in text.replace("＝", "=").splitlines() if line.strip()]
    if len(written) > MOST_TYPED_LINES:
        raise forms.ValidationError(
            _now("These are %(lines)s lines. Type at most %(most)s; import a file for more.")
            % {"lines": len(written), "most": MOST_TYPED_LINES}
        )
    for number, line in enumerate(written, 1):
        # A claim's code may hold an equals sign, an amount may not.
        claim, _sign, amount = line.rpartition("=")
        try:
            amount_minor = minor_typed(amount.strip(), currency) if claim.strip() else None
        except forms.ValidationError:
            amount_minor = None
        if amount_minor is None:
            raise forms.ValidationError(
                _now("Line %(number)s names no claim and amount. Type it as CLAIM = 1234.50.")
                % {"number": number}
            )
        lines.append((claim.strip(), amount_minor))
    return tuple(lines)


class AmountForm(ActForm):
    """An amount in a currency that is known, or typed beside it."""

    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, initial="CNY")
    amount = forms.CharField(
        label=_("Amount"),
        max_length=60,
        widget=forms.TextInput(attrs={"class": "amount", "inputmode": "decimal"}),
        help_text=_("For example 1,234.50"),
    )

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if currency not in MINOR_DIGITS:
            raise forms.ValidationError(_now("There is no such currency. Type its three letters."))
        return currency

    def clean_amount(self) -> int | None:
        currency = self.cleaned_data.get("currency")
        return minor_typed(self.cleaned_data["amount"], currency) if currency else None


class LinesForm(ActForm):
    lines = forms.CharField(
        label=_("Claims and amounts"),
        max_length=MAX_LINES_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_("One a line: CLAIM = 1234.50"),
    )
    currency: str = "CNY"

    def clean_lines(self) -> tuple[tuple[str, int], ...]:
        return typed_lines(self.cleaned_data["lines"], self.currency)


class TakeForm(AmountForm):
    bank_reference = forms.CharField(label=_("Bank reference"), max_length=MAX_REFERENCE_LENGTH)
    payer = forms.CharField(label=_("Payer's code"), max_length=64)
    value_date = DateField(_("Value date"), required=True)
    lines = forms.CharField(
        label=_("Claims and amounts"),
        required=False,
        max_length=MAX_LINES_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_("One a line: CLAIM = 1234.50. What they leave waits as unapplied cash."),
    )
    loan = forms.CharField(
        label=_("Loan"),
        required=False,
        max_length=80,
        help_text=_("Where the payer names a loan instead of claims; also one charged off."),
    )
    field_names = ("bank_reference", "payer", "currency", "amount", "value_date", "lines", "loan")

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.order_fields([*self.field_names, "reason"])
        self.fields["reason"].required = False

    def clean_lines(self) -> tuple[tuple[str, int], ...]:
        currency = self.cleaned_data.get("currency")
        return typed_lines(self.cleaned_data["lines"], currency) if currency else ()

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or {}
        if asked.get("lines") and asked.get("loan"):
            raise forms.ValidationError(_now("Name claims or a loan, not both."))
        return asked


class RefundForm(AmountForm):
    supplier = forms.CharField(label=_("Supplier's code"), max_length=64)

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.order_fields(["supplier", "currency", "amount", "reason"])


@page(May.TAKE_RECEIPTS)
def take(request: HttpRequest) -> HttpResponse:
    """Take cash that the bank has credited. Known by the bank's reference, it is taken once."""
    entity = entity_asked(request)
    named = {name: request.GET.get(name, "")[:80] for name in ("loan", "payer")}
    initial = {"value_date": entity.business_date, **named}
    initial["currency"] = request.GET.get("currency", "CNY")[:3]
    form = TakeForm(request.POST or None, initial=initial)
    words = ActPage(
        title=_now("Take a receipt"),
        lead=_now(
            "Cash that arrived pays the claims it names, sweeps the loans that these secure, and "
            "the rest goes to the supplier. Cash that names a loan pays the loan, or is recovered "
            "where it was charged off. Cash that names nothing waits as unapplied."
        ),
        button=_now("Take it"),
        back=reverse("house-cash"),
    )

    def taken(asked: dict[str, Any], caller: Caller) -> Told:
        receipt = Receipt(
            bank_reference=asked["bank_reference"],
            payer=asked["payer"],
            currency=asked["currency"],
            amount_minor=asked["amount"] or 0,
            value_date=asked["value_date"],
            lines=asked["lines"],
        )
        loan = asked["loan"].strip()
        if loan:
            settled = receive(receipt, loan, legal_entity_id=entity.pk, caller=caller)
        else:
            settled = settle(receipt, legal_entity_id=entity.pk, caller=caller)
        found = CashReceipt.objects.get(legal_entity=entity, bank_reference=settled.bank_reference)
        return Told(
            reverse("house-cash-receipt", args=[found.pk]),
            _now("Receipt %(reference)s is taken.") % {"reference": settled.bank_reference},
        )

    return act_page(request, form, words, taken)


class ToLoanForm(ActForm):
    """Which loan unapplied cash pays, and with how much."""

    loan = forms.CharField(label=_("Loan"), max_length=80)
    amount = forms.CharField(
        label=_("Amount"),
        max_length=MAX_TYPED_CHARACTERS,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


@page(May.MOVE_CASH)
def to_loan(request: HttpRequest, receipt: int) -> HttpResponse:
    """Let unapplied cash pay a loan, from the day on which it arrived."""
    found = _receipt(request, receipt)
    here = reverse("house-cash-receipt", args=[found.pk])
    whole = text_from_minor(found.unapplied_minor, found.currency)
    words = ActPage(
        title=_now("Apply unapplied cash to a loan"),
        lead=_now(
            "It sweeps what the loan owes as of the day on which it arrived; of a loan that was "
            "charged off it is recovered. What is above that becomes the supplier's credit."
        ),
        button=_now("Apply it"),
        back=here,
        facts=_facts(found),
    )

    def applied(asked: dict[str, Any], caller: Caller) -> Told:
        apply_to_loan(
            found.bank_reference,
            asked["loan"].strip(),
            minor_from_typed(asked["amount"], found.currency),
            legal_entity_id=found.legal_entity_id,
            caller=caller,
            key=asked["key"],
        )
        return Told(here, _now("The cash is applied."))

    form = ToLoanForm(request.POST or None, initial={"amount": whole})
    return act_page(request, form, words, applied)


@page(May.MOVE_CASH)
def apply(request: HttpRequest, receipt: int) -> HttpResponse:
    """Let unapplied cash pay claims, from the day on which it arrived."""
    found = _receipt(request, receipt)
    here = reverse("house-cash-receipt", args=[found.pk])
    form = LinesForm(request.POST or None)
    form.currency = found.currency
    words = ActPage(
        title=_now("Apply unapplied cash"),
        lead=_now("Every line is paid whole, or nothing is applied."),
        button=_now("Apply it"),
        back=here,
        facts=_facts(found),
    )

    def applied(asked: dict[str, Any], caller: Caller) -> Told:
        apply_unapplied(
            found.bank_reference,
            asked["lines"],
            legal_entity_id=found.legal_entity_id,
            caller=caller,
            key=asked["key"],
        )
        return Told(here, _now("The cash is applied."))

    return act_page(request, form, words, applied)


@page(May.MOVE_CASH)
def reverse_one(request: HttpRequest, receipt: int) -> HttpResponse:
    """Take a receipt back, whole."""
    found = _receipt(request, receipt)
    here = reverse("house-cash-receipt", args=[found.pk])
    words = ActPage(
        title=_now("Take the receipt back"),
        lead=_now(
            "The claims it paid are outstanding again, and its loans are as if it had never "
            "been. What was paid out to the supplier is then due from him. This cannot be undone; "
            "should it stand after all, it is taken anew under another reference."
        ),
        button=_now("Take it back"),
        back=here,
        facts=_facts(found),
        is_grave=True,
    )

    def reversed_(asked: dict[str, Any], caller: Caller) -> Told:
        reverse_receipt(
            found.bank_reference,
            legal_entity_id=found.legal_entity_id,
            caller=caller,
            key=asked["key"],
        )
        return Told(here, _now("The receipt is taken back."))

    return act_page(request, ActForm(request.POST or None), words, reversed_)


@page(May.MOVE_CASH)
def refund(request: HttpRequest) -> HttpResponse:
    """Propose that the bank pays out a supplier's credit."""
    entity = entity_asked(request)
    form = RefundForm(
        request.POST or None,
        initial={
            "supplier": request.GET.get("supplier", "")[:64],
            "currency": request.GET.get("currency", "CNY")[:3],
        },
    )
    words = ActPage(
        title=_now("Refund a supplier's credit"),
        lead=_now(
            "Once an approver, somebody else than you, agrees, the bank is ordered to pay it out "
            "to the supplier."
        ),
        button=_now("Propose it"),
        back=reverse("house-cash"),
    )

    def looked_at(asked: dict[str, Any], caller: Caller) -> Preview:
        terms = Refund(asked["currency"], asked["amount"] or 0)
        credit = preview_refund(asked["supplier"], terms, legal_entity_id=entity.pk, caller=caller)
        told = terms_told(terms, terms.currency)
        return Preview(told, changes_of_credit(*credit, terms.currency))

    def proposed(asked: dict[str, Any], caller: Caller) -> Told:
        number = propose_refund(
            asked["supplier"],
            Refund(asked["currency"], asked["amount"] or 0),
            legal_entity_id=entity.pk,
            caller=caller,
            key=asked["key"],
            maker=request.user,
        )
        return Told(
            reverse("house-cash"),
            _now("Proposal %(number)s waits for an approver.") % {"number": number},
        )

    return act_page(request, form, words, proposed, preview=looked_at)


@page(May.MOVE_CASH)
def order_again(request: HttpRequest, order: int) -> HttpResponse:
    """Order a payment anew that the bank has turned down."""
    found: PaymentOrder = reach.by_number(
        reach.payment_orders(request.viewer).select_related("beneficiary"), "payment order", order
    )
    words = ActPage(
        title=_now("Order the payment again"),
        lead=_now("The supplier is still owed the money; only the order to the bank is new."),
        button=_now("Order it again"),
        back=reverse("house-cash-orders"),
        facts=[
            (_now("Order"), found.end_to_end_id),
            (_now("To"), f"{found.beneficiary.code} · {found.beneficiary.name}"),
            (_now("Amount"), _amount(found.amount_minor, found.currency)),
        ],
    )

    def ordered(_asked: dict[str, Any], caller: Caller) -> Told:
        new = order_payment_again(
            found.end_to_end_id, legal_entity_id=found.legal_entity_id, caller=caller
        )
        return Told(
            reverse("house-cash-orders"), _now("Payment %(order)s is ordered.") % {"order": new}
        )

    return act_page(request, ActForm(request.POST or None), words, ordered)


def _receipt(request: HttpRequest, number: int) -> CashReceipt:
    rows = reach.receipts(request.viewer).select_related("payer")
    found: CashReceipt = reach.by_number(rows, "receipt", number)
    return found


def _facts(receipt: CashReceipt) -> list[tuple[str, str]]:
    return [
        (_now("Receipt"), receipt.bank_reference),
        (_now("From"), f"{receipt.payer.code} · {receipt.payer.name}"),
        (_now("Amount"), _amount(receipt.amount_minor, receipt.currency)),
        (_now("Unapplied"), _amount(receipt.unapplied_minor, receipt.currency)),
    ]


def _amount(amount_minor: int, currency: str) -> str:
    return f"{text_from_minor(amount_minor, currency, thousands=True)} {currency}"
