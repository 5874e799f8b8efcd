"""Trade documents as they arrived, the claims they prove, and what happened to those claims."""

from django.db import models
from django.db.models import F, Q


class DocumentKind(models.TextChoices):
    ORDER = "order", "purchase order"
    RECEIPT = "receipt", "goods receipt"
    INVOICE = "invoice", "invoice"
    STATEMENT = "statement", "reconciled settlement statement"
    CREDIT_NOTE = "credit_note", "credit note"
    CANCELLATION = "cancellation", "cancellation"


class Document(models.Model):
    """A trade document; ``rules.trade_documents`` says what its fields mean.

    ``fulfils_kind`` and ``fulfils_number`` are the name of its predecessor in the way of the trade
    (a receipt names its order); ``predecessor`` is that document once it has arrived. ``root`` is
    the first document of its unit of trade, itself included; empty while it stands alone.

    References carry no foreign key: one check per row and reference would halve the speed of an
    import. A trigger refuses, statement by statement, what refers to nothing.
    """

    kind = models.CharField(max_length=20, choices=DocumentKind)
    issuer = models.ForeignKey(
        "parties.Party",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    supplier = models.ForeignKey(
        "parties.Party",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    obligor = models.ForeignKey(
        "parties.Party",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    number = models.CharField(max_length=100)
    issue_date = models.DateField()
    due_date = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    fingerprint = models.BinaryField(max_length=32)
    fulfils_kind = models.CharField(max_length=20, blank=True)
    fulfils_number = models.CharField(max_length=100, blank=True)
    predecessor = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    root = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    booking_date = models.DateField()
    act = models.ForeignKey(
        "acts.Act", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["supplier", "fulfils_kind", "fulfils_number"],
                condition=~Q(fulfils_number=""),
                name="document_by_name_it_fulfils",
            ),
            models.Index(fields=["root"], condition=Q(root__isnull=False), name="document_by_root"),
        ]
        constraints = [
            # Equal fingerprints have equal issuers, kinds and numbers: this says that a
            # fingerprint is stored once, and finds all that one issuer gave the same number.
            models.UniqueConstraint(
                fields=["issuer", "kind", "number", "fingerprint"], name="document_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="document_amount_above_0"),
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

    The claim has its document's id. It opens with its document, on the issue date and with the
    whole amount; ``ClaimEvent`` rows change it. The row is the latest state, a cache of document
    and events, from which the state of any day can be told. A claim of which nothing is
    outstanding is closed.

    ``pool`` is the pool to which it is assigned, since the business day ``pool_from_date``; a claim
    is so in one pool at most. ``collateral.Assignment`` keeps its former pools.
    ``awaits_predecessor``: its unit of trade names a document that has not arrived and may be part
    of a unit already counted, so that it joins no pool until that document is here.
    """

    document = models.OneToOneField(
        Document, on_delete=models.PROTECT, primary_key=True, db_column="id", db_constraint=False
    )
    code = models.CharField(max_length=200)
    supplier = models.ForeignKey(
        "parties.Party",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    obligor = models.ForeignKey(
        "parties.Party",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    currency = models.CharField(max_length=3)
    stage = models.CharField(max_length=20, choices=Stage)
    status = models.CharField(max_length=20, choices=ClaimStatus, db_default=ClaimStatus.OPEN)
    face_minor = models.BigIntegerField()
    paid_minor = models.BigIntegerField(db_default=0)
    diluted_minor = models.BigIntegerField(db_default=0)
    issue_date = models.DateField()
    due_date = models.DateField()
    disputed = models.BooleanField(db_default=False)
    awaits_predecessor = models.BooleanField(db_default=False)
    pool = models.ForeignKey(
        "collateral.Pool",
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
    )
    pool_from_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], name="claim_code_once"),
            models.CheckConstraint(
                condition=Q(paid_minor__gte=0, diluted_minor__gte=0),
                name="claim_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(due_date__gte=F("issue_date")), name="claim_due_from_issue"
            ),
            models.CheckConstraint(
                condition=Q(status="closed", face_minor=F("paid_minor") + F("diluted_minor"))
                | Q(status__in=["open", "disputed"])
                & Q(face_minor__gt=F("paid_minor") + F("diluted_minor")),
                name="claim_closed_when_nothing_is_outstanding",
            ),
            models.CheckConstraint(
                condition=Q(pool=None, pool_from_date=None)
                | Q(pool__isnull=False, pool_from_date__isnull=False, awaits_predecessor=False),
                name="claim_assigned_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["pool", "status", "issue_date"],
                condition=Q(pool__isnull=False),
                name="claim_by_pool",
            ),
            models.Index(fields=["supplier", "obligor"], name="claim_by_parties"),
            # For those who look through all claims; disputed ones are few.
            models.Index(fields=["obligor"], name="claim_by_obligor"),
            models.Index(fields=["due_date", "document"], name="claim_by_due_date"),
            models.Index(
                fields=["document"], condition=Q(status="disputed"), name="claim_disputed"
            ),
        ]


class ClaimEventKind(models.TextChoices):
    """``paid`` and ``diluted`` are what was booked for the claim's own document; ``moved`` is what
    came along from, or went along to, another document of the unit of trade.
    """

    FULFILLED = "fulfilled", "fulfilled by a later document, or no longer"
    CANCELLED = "cancelled", "cancelled"
    PAID = "paid", "paid"
    PAYMENT_REVERSED = "payment_reversed", "payment reversed"
    DILUTED = "diluted", "diluted"
    MOVED = "moved", "payment or dilution moved along"
    DISPUTED = "disputed", "disputed"
    RESOLVED = "resolved", "dispute resolved"


class ClaimEvent(models.Model):
    """One change of a claim; append-only. Amounts are differences.

    The state of a claim on a day, as known on another, is its document's amount and the sum of its
    events with value date and booking date up to these. It is closed when nothing is outstanding,
    else disputed when the latest of its ``disputed`` and ``resolved`` events says so, else open.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    kind = models.CharField(max_length=20, choices=ClaimEventKind)
    face_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    diluted_minor = models.BigIntegerField(default=0)
    value_date = models.DateField()
    booking_date = models.DateField()
    document = models.ForeignKey(
        Document,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="credit note or cancellation that caused it",
    )
    act = models.ForeignKey(
        "acts.Act", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [models.Index(fields=["claim", "value_date"], name="claim_event_by_claim")]


class UnappliedCredit(models.Model):
    """A credit note that found no claim, or not enough of them, to dilute; what is left of it."""

    document = models.OneToOneField(
        Document, on_delete=models.PROTECT, primary_key=True, db_constraint=False
    )
    supplier = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
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
        indexes = [
            models.Index(
                fields=["supplier", "obligor"],
                condition=Q(remaining_minor__gt=0),
                name="unapplied_credit_waiting",
            )
        ]
