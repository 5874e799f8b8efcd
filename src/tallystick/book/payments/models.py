"""Money out and in: orders to the bank, what the bank said, and cash received."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from tallystick.rules.bank_answers import Effect, Outcome


class PaymentKind(models.TextChoices):
    PAYOUT = "payout", "payout of a loan or an advance"
    RESIDUAL = "residual", "rest of a settlement to the supplier"
    REFUND = "refund", "refund of a supplier's credit"
    FUNDER = "funder", "what came in for a funder's shares"


class PaymentStatus(models.TextChoices):
    ORDERED = "ordered", "sent to the bank"
    PAID = "paid", "paid"
    REJECTED = "rejected", "rejected by the bank"


class PaymentOrder(models.Model):
    """An order to the bank. ``end_to_end_id`` is ours and comes back in every answer."""

    end_to_end_id = models.CharField(max_length=35, unique=True)
    kind = models.CharField(max_length=20, choices=PaymentKind)
    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_index=False
    )
    beneficiary = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    loan = models.OneToOneField("financing.Loan", null=True, on_delete=models.PROTECT)
    advance = models.OneToOneField("sales_credit.Advance", null=True, on_delete=models.PROTECT)
    facility = models.ForeignKey(
        "financing.Facility", null=True, on_delete=models.PROTECT, db_index=False
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    ordered_date = models.DateField()
    status = models.CharField(max_length=20, choices=PaymentStatus, default=PaymentStatus.ORDERED)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_above_zero"),
            models.CheckConstraint(
                condition=Q(kind="payout", loan__isnull=False, advance=None)
                | Q(kind="payout", loan=None, advance__isnull=False)
                | ~Q(kind="payout"),
                name="payout_names_what_it_pays_out",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(status="ordered"), name="payment_awaiting_bank"
            ),
            models.Index(fields=["id"], condition=Q(status="rejected"), name="payment_rejected"),
        ]


class BankAnswer(models.Model):
    """One message of the bank about an order, kept whatever its effect.

    The bank may send a message again, or say the same under another reference; of all that it
    says, at most one message is applied to an order.
    """

    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_index=False
    )
    bank_reference = models.CharField(max_length=100)
    end_to_end_id = models.CharField(max_length=35)
    order = models.ForeignKey(PaymentOrder, null=True, on_delete=models.PROTECT, db_index=False)
    outcome = models.CharField(
        max_length=20, choices=[(each.value, each.value) for each in Outcome]
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    value_date = models.DateField()
    reason = models.CharField(max_length=500, blank=True)
    effect = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Effect])
    booking_date = models.DateField()
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(effect="applied"), name="bank_answer_applied_once"
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "bank_reference"],
                condition=Q(effect="applied"),
                name="bank_reference_applied_once",
            ),
            models.CheckConstraint(
                condition=~Q(effect="applied") | Q(order__isnull=False),
                name="bank_answer_applied_to_an_order",
            ),
        ]
        indexes = [
            models.Index(fields=["order"], name="bank_answer_by_order"),
            models.Index(
                fields=["id"], condition=~Q(effect="applied"), name="bank_answer_not_applied"
            ),
        ]


class CashReceipt(models.Model):
    """Cash that arrived, known by the bank's reference; what names no claim is unapplied.

    ``content_sha256`` is of everything that was told about it: the same again is a repetition,
    anything else under the same reference a conflict.
    """

    bank_reference = models.CharField(max_length=100)
    content_sha256 = models.BinaryField(max_length=32)
    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_index=False
    )
    payer = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    unapplied_minor = models.BigIntegerField(default=0)
    value_date = models.DateField()
    booking_date = models.DateField()
    reversed_date = models.DateField(
        null=True, help_text="booking date on which it was taken back, whole"
    )
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, unapplied_minor__gte=0)
                & Q(amount_minor__gte=F("unapplied_minor")),
                name="cash_receipt_amounts",
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "bank_reference"], name="cash_receipt_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(unapplied_minor__gt=0), name="cash_receipt_unapplied"
            )
        ]


class RemittanceLine(models.Model):
    """Which claim a part of a receipt pays."""

    receipt = models.ForeignKey(CashReceipt, on_delete=models.PROTECT)
    claim = models.ForeignKey("trade.Claim", on_delete=models.PROTECT)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="remittance_above_zero")
        ]
