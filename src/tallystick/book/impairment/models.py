"""Rule packs in force, recorded facts, the classes of loans, and what is provided for them."""

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

STILL_IN_FORCE = date.max
"""Superseded date of the classes that nothing has superseded yet."""


class Pack(models.Model):
    """A rule pack as loaded, kept once per content."""

    code = models.CharField(max_length=64)
    sha256 = models.BinaryField(max_length=32, unique=True)
    content = models.JSONField()
    loaded_at = models.DateTimeField(db_default=Now())


class PackInForce(models.Model):
    """By which pack a legal entity classifies, from the close of ``from_date`` on."""

    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_index=False
    )
    pack = models.ForeignKey(Pack, on_delete=models.PROTECT, db_index=False)
    from_date = models.DateField()
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [models.Index(fields=["legal_entity", "-from_date", "-id"], name="pack_latest")]


class FactKind(models.TextChoices):
    """What may be recorded of a loan or of its debtor."""

    CREDIT_IMPAIRED = "credit_impaired", "credit impaired"
    DIVERTED_USE = "diverted_use", "diverted use"
    OVERDUE_ELSEWHERE = "overdue_elsewhere", "overdue at other banks"
    RETAIL_DEBTOR = "retail_debtor", "natural person or sole trader"
    STAGE_2_REBUTTED = "stage_2_rebutted", "presumption of 30 days rebutted"
    STAGE_3_REBUTTED = "stage_3_rebutted", "presumption of 90 days rebutted"
    DELINQUENCY_PAUSED = "delinquency_paused", "days past due paused"


class Fact(models.Model):
    """A fact about a loan, an advance or a debtor: proposed by one person, decided by another.

    It holds from ``from_date`` to ``to_date`` (the first day on which it no longer does), once it
    is approved: ``booking_date`` is the open day of that. ``ends``: this one says from when an
    earlier fact no longer holds.
    """

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    kind = models.CharField(max_length=30, choices=FactKind)
    loan = models.ForeignKey("financing.Loan", null=True, on_delete=models.PROTECT)
    advance = models.ForeignKey("sales_credit.Advance", null=True, on_delete=models.PROTECT)
    party = models.ForeignKey("parties.Party", null=True, on_delete=models.PROTECT)
    share_bps = models.IntegerField(null=True)
    from_date = models.DateField()
    to_date = models.DateField(null=True)
    ends = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="ended_by")
    reason = models.CharField(max_length=500)
    maker = models.ForeignKey(
        "parties.User", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    proposed_at = models.DateTimeField(db_default=Now())
    checker = models.ForeignKey(
        "parties.User", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    approved = models.BooleanField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True, db_default="")
    booking_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(loan__isnull=False, advance=None, party=None)
                | Q(loan=None, advance__isnull=False, party=None)
                | Q(loan=None, advance=None, party__isnull=False),
                name="fact_about_one",
            ),
            models.CheckConstraint(
                condition=Q(to_date=None) | Q(to_date__gt=F("from_date")),
                name="fact_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(share_bps=None) | Q(share_bps__gte=0, share_bps__lte=10_000),
                name="fact_share_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(checker=None) | ~Q(checker=F("maker")), name="fact_checked_by_another"
            ),
            models.CheckConstraint(
                condition=Q(checker=None, decided_at=None, approved=None, booking_date=None)
                | Q(checker__isnull=False, decided_at__isnull=False, approved=False)
                & Q(booking_date=None)
                | Q(checker__isnull=False, decided_at__isnull=False, approved=True)
                & Q(booking_date__isnull=False),
                name="fact_decided_at_once",
            ),
            models.UniqueConstraint(
                fields=["ends"], condition=Q(approved=True), name="fact_ended_once"
            ),
        ]

    @property
    def about(self) -> str:
        """The code of the loan, the advance or the debtor."""
        (found,) = (each.code for each in (self.loan, self.advance, self.party) if each is not None)
        return str(found)


class LoanClass(models.Model):
    """How a loan was classed from the close of ``from_date`` until another: one row a change.

    A loan without a row is normal, in stage 1. ``clause`` names the threshold that decided (a
    ``rules.rule_pack.Limit``), empty where nothing speaks against the loan. While its interest is
    suspended, ``suspended_from_date`` is the first night of that, and the recognised amounts are
    the running totals that had gone to income before.
    """

    pk = models.CompositePrimaryKey("loan_id", "from_date")
    loan = models.ForeignKey(
        "financing.Loan", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    from_date = models.DateField()
    superseded_date = models.DateField(default=STILL_IN_FORCE)
    pack = models.ForeignKey(Pack, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    asset_class = models.CharField(max_length=20)
    clause = models.CharField(max_length=40, blank=True)
    stage = models.SmallIntegerField()
    days_past_due = models.IntegerField()
    suspended_from_date = models.DateField(null=True)
    interest_recognised_minor = models.BigIntegerField(null=True)
    penalty_recognised_minor = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(superseded_date__gt=F("from_date")), name="loan_class_dates_in_order"
            ),
            models.CheckConstraint(condition=Q(stage__in=[1, 2, 3]), name="loan_class_stage_known"),
            models.CheckConstraint(
                condition=Q(
                    suspended_from_date=None,
                    interest_recognised_minor=None,
                    penalty_recognised_minor=None,
                )
                | Q(
                    suspended_from_date__isnull=False,
                    interest_recognised_minor__isnull=False,
                    penalty_recognised_minor__isnull=False,
                ),
                name="loan_class_suspended_whole",
            ),
            models.UniqueConstraint(
                fields=["loan"],
                condition=Q(superseded_date=STILL_IN_FORCE),
                name="loan_class_one_in_force",
            ),
        ]
        indexes = [models.Index(fields=["from_date"], name="loan_class_by_date")]


class AdvanceClass(models.Model):
    """How an advance out of sales was classed, as ``LoanClass`` says it of a loan.

    ``interest_recognised_minor`` is the interest of a daily rate that had gone to income before; a
    fixed fee is earned by cash alone, and has none to suspend.
    """

    pk = models.CompositePrimaryKey("advance_id", "from_date")
    advance = models.ForeignKey("sales_credit.Advance", on_delete=models.PROTECT, db_index=False)
    from_date = models.DateField()
    superseded_date = models.DateField(default=STILL_IN_FORCE)
    pack = models.ForeignKey(Pack, on_delete=models.PROTECT, db_index=False)
    asset_class = models.CharField(max_length=20)
    clause = models.CharField(max_length=40, blank=True)
    stage = models.SmallIntegerField()
    days_past_due = models.IntegerField()
    suspended_from_date = models.DateField(null=True)
    interest_recognised_minor = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(superseded_date__gt=F("from_date"), stage__in=[1, 2, 3]),
                name="advance_class_in_order",
            ),
            models.CheckConstraint(
                condition=Q(suspended_from_date=None, interest_recognised_minor=None)
                | Q(suspended_from_date__isnull=False, interest_recognised_minor__isnull=False),
                name="advance_class_suspended_whole",
            ),
            models.UniqueConstraint(
                fields=["advance"],
                condition=Q(superseded_date=STILL_IN_FORCE),
                name="advance_class_one_in_force",
            ),
        ]
        indexes = [models.Index(fields=["from_date"], name="advance_class_by_date")]


class Provision(models.Model):
    """What the debts of a book in a stage were exposed to and provided with on a closed day.

    ``loans`` counts them, advances out of sales included. ``exposure_minor`` is principal,
    interest, penalty and fees owed, less what is in suspense (of an advance not the fee still to be
    earned); ``movement_minor`` what ``allowance_minor`` is more than on the day closed before.
    """

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    date = models.DateField()
    book = models.ForeignKey("ledger.Book", on_delete=models.PROTECT, db_index=False)
    stage = models.SmallIntegerField()
    loans = models.IntegerField()
    principal_minor = models.BigIntegerField()
    exposure_minor = models.BigIntegerField()
    interest_suspended_minor = models.BigIntegerField()
    penalty_suspended_minor = models.BigIntegerField()
    advance_fee_suspended_minor = models.BigIntegerField()
    allowance_minor = models.BigIntegerField()
    movement_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "stage", "date"], name="provision_once"),
            models.CheckConstraint(
                condition=Q(
                    loans__gte=0,
                    principal_minor__gte=0,
                    exposure_minor__gte=0,
                    interest_suspended_minor__gte=0,
                    penalty_suspended_minor__gte=0,
                    advance_fee_suspended_minor__gte=0,
                    allowance_minor__gte=0,
                ),
                name="provision_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["legal_entity", "date"], name="provision_by_date")]


class Reserve(models.Model):
    """What the law's reserve asks for beyond expected loss, per currency on a closed day."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    date = models.DateField()
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField()
    reserve_minor = models.BigIntegerField()
    expected_loss_minor = models.BigIntegerField()
    above_minor = models.BigIntegerField()
    movement_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "date", "currency"], name="reserve_once"
            ),
            models.CheckConstraint(
                condition=Q(above_minor__gte=0, reserve_minor__gte=0, balance_minor__gte=0),
                name="reserve_not_negative",
            ),
        ]
