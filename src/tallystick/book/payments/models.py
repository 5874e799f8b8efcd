"""Money out and in: orders to the bank, what the bank said, and cash received."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class PaymentKind(models.TextChoices):
    PAYOUT = "payout", "payout of a loan"
    RESIDUAL = "residual", "rest of a settlement to the supplier"
    REFUND = "refund", "refund of a supplier's credit"


class PaymentStatus(models.TextChoices):
    ORDERED = "ordered", "sent to the bank"
    PAID = "paid", "paid"
    REJECTED = "rejected", "rejected by the bank"


class PaymentOrder(models.Model):
    """An order to the bank. ``end_to_end_id`` is ours and comes back in every answer."""

    end_to_end_id = models.CharField(max_length=35, unique=True)
    kind = models.CharField(max_length=20, choices=PaymentKind)
    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    beneficiary = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    loan = models.OneToOneField("financing.Loan", null=True, on_delete=models.PROTECT)
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
                condition=Q(kind="payout", loan__isnull=False) | ~Q(kind="payout"),
                name="payout_names_its_loan",
            ),
        ]
        indexes = [
            models.Index(
                fields=["ordered_date"], condition=Q(status="ordered"), name="payment_awaiting_bank"
            )
        ]


class BankAnswer(models.Model):
    """One message of the bank about an order, kept whatever its effect."""

    class Outcome(models.TextChoices):
        PAID = "paid", "paid"
        REJECTED = "rejected", "rejected"

    class Effect(models.TextChoices):
        APPLIED = "applied", "applied"
        REPEATED = "repeated", "said before"
        CONTRADICTORY = "contradictory", "contradicts an earlier answer"
        UNKNOWN = "unknown", "names no order of ours"

    bank_reference = models.CharField(max_length=100, unique=True)
    end_to_end_id = models.CharField(max_length=35)
    order = models.ForeignKey(PaymentOrder, null=True, on_delete=models.PROTECT)
    outcome = models.CharField(max_length=20, choices=Outcome)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    value_date = models.DateField()
    reason = models.CharField(max_length=500, blank=True)
    effect = models.CharField(max_length=20, choices=Effect)
    booking_date = models.DateField()
    received_at = models.DateTimeField(db_default=Now())


class CashReceipt(models.Model):
    """Cash that arrived, known by the bank's reference; what names no claim is unapplied."""

    bank_reference = models.CharField(max_length=100, unique=True)
    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    payer = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    unapplied_minor = models.BigIntegerField(default=0)
    value_date = models.DateField()
    booking_date = models.DateField()
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, unapplied_minor__gte=0),
                name="cash_receipt_amounts",
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
