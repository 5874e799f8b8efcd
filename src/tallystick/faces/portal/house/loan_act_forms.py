"""The forms of acts on a loan: each becomes the terms of a proposal, or what its act takes."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tallystick.book.financing.models import Loan
from tallystick.book.proposals.propose import MAX_DAYS_EXTENDED
from tallystick.book.proposals.terms import (
    ChargeBack,
    ChargeOff,
    DueMove,
    EventReversal,
    Extension,
    InterestPause,
    RateChange,
    ReAging,
    Restructuring,
    ShareBuyBack,
    ShareReversal,
    ShareSale,
    Terms,
    Waiver,
)
from tallystick.book.servicing.reverse_event import reversible_events
from tallystick.book.servicing.share_holders import TransferMade, transfers_made
from tallystick.faces.portal.drawdown_words import amount
from tallystick.faces.portal.filters import DateField
from tallystick.faces.portal.house.act_pages import ActForm
from tallystick.faces.portal.loan_act_words import CHARGES
from tallystick.faces.portal.proposal_words import event_told
from tallystick.faces.portal.templatetags.figures import day, ppm_percent
from tallystick.faces.portal.words import named
from tallystick.rules.loan_events import Charge, rate_in_ppb
from tallystick.rules.typed_amounts import MAX_TYPED_CHARACTERS, minor_from_typed

FROM_HELP = _(
    "The day from which it counts; it may lie in the past. Empty: the day of the approval."
)


class RateField(forms.DecimalField):
    """A rate a year, typed in per cent."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Rate a year, in per cent"), min_value=0, max_value=1_000, decimal_places=7
        )


class AmountField(forms.CharField):
    """An amount in the loan's currency, as people type it."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Amount"),
            max_length=MAX_TYPED_CHARACTERS,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        )


class ProposalForm(ActForm):
    """An act that waits for a second person; ``terms`` is what it asks for."""

    def __init__(self, *args: Any, loan: Loan, **given: Any) -> None:
        super().__init__(*args, **given)
        self.loan = loan
        self.currency = loan.currency
        if "value_date" in self.fields:
            self.fields["value_date"].help_text = FROM_HELP

    def terms(self) -> Terms:
        raise NotImplementedError


class ExtensionForm(ProposalForm):
    days = forms.IntegerField(
        label=_("By how many days"), min_value=1, max_value=MAX_DAYS_EXTENDED, initial=30
    )
    value_date = DateField(_("Counts from"))

    def terms(self) -> Terms:
        return Extension(self.cleaned_data["days"], self.cleaned_data["value_date"])


class DueMoveForm(ProposalForm):
    to_date = DateField(_("New due date"), required=True)
    value_date = DateField(_("Counts from"))

    def terms(self) -> Terms:
        return DueMove(self.cleaned_data["to_date"], self.cleaned_data["value_date"])


class ReAgingForm(ProposalForm):
    to_date = DateField(_("To be paid by"), required=True)
    value_date = DateField(_("Counts from"))

    def terms(self) -> Terms:
        return ReAging(self.cleaned_data["to_date"], self.cleaned_data["value_date"])


class PauseForm(ProposalForm):
    from_date = DateField(_("First day without interest"), required=True)
    to_date = DateField(_("Last day without interest"), required=True)

    def terms(self) -> Terms:
        return InterestPause(self.cleaned_data["from_date"], self.cleaned_data["to_date"])


class RateForm(ProposalForm):
    rate = RateField()
    value_date = DateField(_("Counts from"))

    def terms(self) -> Terms:
        return RateChange(_ppb(self.cleaned_data["rate"]), self.cleaned_data["value_date"])


class WaiverForm(ProposalForm):
    waives = forms.ChoiceField(label=_("What is waived"), choices=list(CHARGES.items()))
    amount = AmountField()

    def terms(self) -> Terms:
        amount_minor = minor_from_typed(self.cleaned_data["amount"], self.currency)
        return Waiver(Charge(self.cleaned_data["waives"]), amount_minor)


class RestructuringForm(ProposalForm):
    rate = RateField()
    to_date = DateField(_("To be paid by"), required=True)

    def terms(self) -> Terms:
        return Restructuring(_ppb(self.cleaned_data["rate"]), self.cleaned_data["to_date"])


class ShareSaleForm(ProposalForm):
    """A share of the loan, and what is paid for it; at par where no price is typed."""

    funder = forms.CharField(label=_("Funder's code"), max_length=64)
    share = forms.DecimalField(
        label=_("Share of the loan, in per cent"), min_value=0, max_value=100, decimal_places=4
    )
    price = AmountField()
    value_date = DateField(_("Counts from"))

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["price"].label = _("Price")
        self.fields["price"].required = False
        self.fields["price"].help_text = _("Empty: at par, the share's part of all that is owed.")

    def terms(self) -> Terms:
        return ShareSale(*self.agreed())

    def agreed(self) -> tuple[str, int, int | None, date | None]:
        """Funder, parts per million, price and value date."""
        asked = self.cleaned_data
        price_minor = minor_from_typed(asked["price"], self.currency) if asked["price"] else None
        share_ppm = int(asked["share"] * 10_000)
        return asked["funder"].strip(), share_ppm, price_minor, asked["value_date"]


class ShareBuyBackForm(ShareSaleForm):
    def terms(self) -> Terms:
        return ShareBuyBack(*self.agreed())


class ChargeOffForm(ProposalForm):
    def terms(self) -> Terms:
        return ChargeOff()


class FeeForm(ActForm):
    """A fee that falls due on a day."""

    what = forms.CharField(label=_("What the fee is for"), max_length=80)
    amount = AmountField()
    value_date = DateField(_("Due on"), required=True)


class ChargeBackForm(ProposalForm):
    """Money that the payer's bank has taken back."""

    amount = AmountField()
    value_date = DateField(_("Left the bank on"), required=True)

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["value_date"].help_text = ""
        self.fields["value_date"].initial = self.loan.facility.legal_entity.business_date

    def terms(self) -> Terms:
        amount_minor = minor_from_typed(self.cleaned_data["amount"], self.currency)
        return ChargeBack(amount_minor, self.cleaned_data["value_date"])


class EventReversalForm(ProposalForm):
    """Which event of the loan is taken back."""

    event = forms.ChoiceField(label=_("Event"))

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        events = reversible_events(self.loan.pk)
        self.fields["event"].choices = [
            (each.pk, event_told(each, self.currency)) for each in events
        ]
        if not events:
            self.fields["event"].help_text = _("Nothing that happened can be taken back by itself.")

    def terms(self) -> Terms:
        return EventReversal(int(self.cleaned_data["event"]))


class ShareReversalForm(ProposalForm):
    """Which sale or buy-back of a share is taken back."""

    transfer = forms.ChoiceField(label=_("Transfer of a share"))

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        standing = [each for each in transfers_made(self.loan.code) if each.reversed_date is None]
        self.fields["transfer"].choices = [
            (each.number, self._told(each)) for each in reversed(standing)
        ]
        if not standing:
            self.fields["transfer"].help_text = _("No share of this loan has changed hands.")

    def terms(self) -> Terms:
        return ShareReversal(int(self.cleaned_data["transfer"]))

    def _told(self, transfer: TransferMade) -> str:
        """What changed hands and when: Sale of a share · BANK-B · 30 % · 4 Mar 2026 · ¥ 50.00."""
        kind = "share_sale" if transfer.share_ppm > 0 else "share_buy_back"
        told = [
            named("proposal_kind", kind),
            transfer.funder,
            ppm_percent(abs(transfer.share_ppm)),
            day(transfer.value_date),
            amount(abs(transfer.price_minor), self.currency),
        ]
        return " · ".join(told)


def _ppb(percent: Decimal) -> int:
    return rate_in_ppb(percent / 100)
