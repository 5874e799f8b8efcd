"""Trade documents as they arrived, the claims they prove, and what happened to those claims."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class DocumentKind(models.TextChoices):
    ORDER = "order", "purchase order"
    RECEIPT = "receipt", "goods receipt"
    INVOICE = "invoice", "invoice"
    STATEMENT = "statement", "reconciled settlement statement"
    CREDIT_NOTE = "credit_note", "credit note"
    CANCELLATION = "cancellation", "cancellation"


class ImportFile(models.Model):
    """A file whose rows were recorded; the same bytes under the same mapping import once."""

    name = models.CharField(max_length=255)
    sha256 = models.BinaryField(max_length=32)
    mapping = models.CharField(max_length=100)
    mapping_sha256 = models.BinaryField(max_length=32)
    rows = models.BigIntegerField()
    report = models.JSONField()
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)
    imported_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sha256", "mapping_sha256"], name="file_imported_once")
        ]


class Document(models.Model):
    """A trade document. ``fingerprint`` identifies it: issuer, kind, number, date, amount, obligor.

    ``fulfils_kind`` and ``fulfils_number`` name its predecessor in the way of the trade (a receipt
    names its order); ``predecessor`` is that document once it has arrived. ``root`` is the first
    document of the unit of trade, usually the order.
    """

    kind = models.CharField(max_length=20, choices=DocumentKind)
    issuer = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    supplier = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    obligor = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    number = models.CharField(max_length=100)
    issue_date = models.DateField()
    due_date = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    fingerprint = models.BinaryField(max_length=32, unique=True)
    fulfils_kind = models.CharField(max_length=20, blank=True)
    fulfils_number = models.CharField(max_length=100, blank=True)
    predecessor = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    root = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    booking_date = models.DateField()
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["supplier", "kind", "number"], name="document_by_number"),
            models.Index(
                fields=["supplier", "fulfils_kind", "fulfils_number"],
                condition=Q(predecessor=None) & ~Q(fulfils_number=""),
                name="document_awaiting_predecessor",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="document_amount_above_0")
        ]


class Stage(models.TextChoices):
    ORDER = "order", "order"
    RECEIPT = "receipt", "receipt"
    INVOICE = "invoice", "invoice"
    SETTLEMENT = "settlement", "settlement"


class ClaimStatus(models.TextChoices):
    OPEN = "open", "open"
    DISPUTED = "disputed", "disputed"
    CLOSED = "closed", "closed"


class Claim(models.Model):
    """What an obligor owes a supplier for one document's part of a unit of trade.

    The row is the latest state; ``ClaimEvent`` is the truth from which it can be told as of any
    day. ``pool`` is the pool to which it is assigned now.
    """

    code = models.CharField(max_length=120, unique=True)
    supplier = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    obligor = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    document = models.OneToOneField(Document, on_delete=models.PROTECT)
    stage = models.CharField(max_length=20, choices=Stage)
    status = models.CharField(max_length=20, choices=ClaimStatus, default=ClaimStatus.OPEN)
    face_minor = models.BigIntegerField()
    paid_minor = models.BigIntegerField(default=0)
    diluted_minor = models.BigIntegerField(default=0)
    issue_date = models.DateField()
    due_date = models.DateField()
    awaits_predecessor = models.BooleanField(
        default=False, help_text="names a document that has not arrived"
    )
    pool = models.ForeignKey(
        "collateral.Pool", null=True, on_delete=models.PROTECT, db_index=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(face_minor__gte=0, paid_minor__gte=0, diluted_minor__gte=0),
                name="claim_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(face_minor__gte=F("paid_minor") + F("diluted_minor")),
                name="claim_face_covers_paid_and_diluted",
            ),
            models.CheckConstraint(
                condition=Q(due_date__gte=F("issue_date")), name="claim_due_from_issue"
            ),
        ]
        indexes = [
            models.Index(
                fields=["pool"], condition=~Q(status="closed"), name="claim_live_by_pool"
            ),
            models.Index(fields=["pool", "issue_date"], name="claim_by_pool_and_issue"),
        ]


class ClaimEvent(models.Model):
    """One change of a claim. Amounts are differences; ``status`` and ``stage`` are set if given."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(
        max_length=20,
        help_text="opened, fulfilled, paid, diluted, disputed, resolved, closed, cancelled",
    )
    face_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    diluted_minor = models.BigIntegerField(default=0)
    status = models.CharField(max_length=20, blank=True, choices=ClaimStatus)
    value_date = models.DateField()
    booking_date = models.DateField()
    document = models.ForeignKey(
        Document, null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [models.Index(fields=["claim", "value_date"], name="claim_event_by_claim")]


class UnappliedCredit(models.Model):
    """A credit note, or the part of one, that found no open claim to dilute."""

    document = models.OneToOneField(Document, on_delete=models.PROTECT)
    supplier = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    obligor = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    remaining_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(remaining_minor__gte=0), name="unapplied_credit_not_negative"
            )
        ]
