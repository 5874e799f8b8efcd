"""Accounts, immutable entries, roll-ups and seals."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Book(models.Model):
    """A part of a legal entity's loan book that is accrued and reported together.

    legal entity × programme × funder × currency × class.
    """

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    programme = models.CharField(max_length=64, help_text="programme code, such as jd.jingbaobei")
    funder = models.ForeignKey("parties.Party", on_delete=models.PROTECT, db_index=False)
    currency = models.CharField(max_length=3)
    asset_class = models.CharField(max_length=20, help_text="normal, special_mention …")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "programme", "funder", "currency", "asset_class"],
                name="book_once",
            )
        ]


class Account(models.Model):
    """One account of a legal entity's chart, in one currency, perhaps of one book or party."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    name = models.CharField(max_length=60, help_text="name in the chart, such as loan_principal")
    currency = models.CharField(max_length=3)
    book = models.ForeignKey(Book, null=True, on_delete=models.PROTECT, db_index=False)
    party = models.ForeignKey(
        "parties.Party", null=True, on_delete=models.PROTECT, db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "name", "currency", "book", "party"],
                nulls_distinct=False,
                name="account_once",
            )
        ]


class Entry(models.Model):
    """A balanced journal entry. Never changed; corrected by a linked entry."""

    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_index=False
    )
    currency = models.CharField(max_length=3)
    event = models.CharField(max_length=60, help_text="business event, such as loan_disbursed")
    reference = models.CharField(max_length=100, help_text="the object it is about")
    value_date = models.DateField()
    booking_date = models.DateField(help_text="open business day it was booked in")
    booked_at = models.DateTimeField(db_default=Now())
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT)
    act = models.ForeignKey("acts.Act", null=True, on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["legal_entity", "booking_date"], name="entry_by_booking_date"),
            models.Index(fields=["reference"], name="entry_by_reference"),
        ]


class Posting(models.Model):
    """One line of an entry: an amount above zero on one side of one account.

    The dates are the entry's, kept here so that a balance reads one index only.
    """

    class Side(models.IntegerChoices):
        DEBIT = 1, "debit"
        CREDIT = -1, "credit"

    pk = models.CompositePrimaryKey("entry_id", "line")
    entry = models.ForeignKey(
        Entry, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    line = models.SmallIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    side = models.SmallIntegerField(choices=Side)
    amount_minor = models.BigIntegerField()
    value_date = models.DateField()
    booking_date = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="posting_amount_above_zero"
            ),
            models.CheckConstraint(condition=Q(side__in=[1, -1]), name="posting_side_known"),
        ]
        indexes = [
            models.Index(fields=["account", "booking_date"], name="posting_by_account"),
        ]


class Rollup(models.Model):
    """Sealed totals of an account per value date and booking date."""

    pk = models.CompositePrimaryKey("account_id", "booking_date", "value_date")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, db_index=False)
    booking_date = models.DateField()
    value_date = models.DateField()
    debit_minor = models.DecimalField(max_digits=38, decimal_places=0)
    credit_minor = models.DecimalField(max_digits=38, decimal_places=0)


class Seal(models.Model):
    """A closed day's entries, bound to the day before by a hash."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    date = models.DateField()
    entry_count = models.BigIntegerField()
    merkle_root = models.BinaryField(max_length=32)
    previous_hash = models.BinaryField(max_length=32)
    seal_hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["legal_entity", "date"], name="seal_once_a_day"),
            models.CheckConstraint(condition=Q(entry_count__gte=0), name="seal_count_not_negative"),
        ]


class ManualJournal(models.Model):
    """An entry proposed by one person and approved by another before it is posted."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    proposal = models.JSONField(help_text="the entry as it would be posted")
    reason = models.CharField(max_length=500)
    maker = models.ForeignKey("parties.User", on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=Now())
    checker = models.ForeignKey(
        "parties.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    approved = models.BooleanField(null=True)
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(checker=None) | ~Q(checker=F("maker")),
                name="manual_journal_checked_by_another",
            )
        ]
