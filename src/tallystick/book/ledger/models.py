"""Accounts, immutable entries, roll-ups and seals."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now


class Book(models.Model):
    """A part of a legal entity's loan book that is accrued and reported together.

    legal entity × programme × funder × currency × class.
    """

    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_index=False
    )
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

    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_index=False
    )
    name = models.CharField(max_length=60, help_text="name in the chart, such as loan_principal")
    currency = models.CharField(max_length=3)
    book = models.ForeignKey(Book, null=True, on_delete=models.PROTECT, db_index=False)
    party = models.ForeignKey("parties.Party", null=True, on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            # Zero for none: a look-up by equality alone can use the index.
            models.UniqueConstraint(
                F("legal_entity"),
                F("currency"),
                F("name"),
                Coalesce("book_id", 0),
                Coalesce("party_id", 0),
                name="account_once",
            )
        ]


class Entry(models.Model):
    """A balanced journal entry. Never changed; corrected by a linked entry.

    ``line_count`` is stated up front: postings are numbered 1 to ``line_count``, so that their
    key leaves no room for one that comes later. The legal entity, the act and the entry reversed
    are checked by the database once for all rows of a statement, not by a foreign key for each.
    """

    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    act = models.ForeignKey(
        "acts.Act", null=True, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    reverses = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="reversals",
        db_constraint=False,
        db_index=False,
    )
    booked_at = models.DateTimeField(db_default=Now())
    value_date = models.DateField()
    booking_date = models.DateField(help_text="open business day it was booked in")
    line_count = models.SmallIntegerField()
    currency = models.CharField(max_length=3)
    event = models.CharField(max_length=60, help_text="business event, such as loan_disbursed")
    reference = models.CharField(max_length=100, help_text="the object it is about")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(line_count__gte=2), name="entry_has_two_sides"),
            models.CheckConstraint(
                condition=~Q(id=F("reverses_id")), name="entry_reverses_another"
            ),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="entry_reversed_once",
            ),
        ]
        indexes = [
            models.Index(fields=["legal_entity", "booking_date"], name="entry_by_booking_date"),
            models.Index(fields=["reference"], name="entry_by_reference"),
            # Entries are written in the order of their acts: ranges of pages find those of one,
            # and a posting pays next to nothing for it.
            BrinIndex(fields=["act"], pages_per_range=16, autosummarize=True, name="entry_by_act"),
        ]


class Posting(models.Model):
    """One line of an entry: an amount above zero on one side of one account.

    The dates are the entry's, kept here so that a balance needs no join.
    """

    class Side(models.IntegerChoices):
        DEBIT = 1, "debit"
        CREDIT = -1, "credit"

    pk = models.CompositePrimaryKey("entry_id", "line")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    value_date = models.DateField()
    booking_date = models.DateField()
    line = models.SmallIntegerField()
    side = models.SmallIntegerField(choices=Side)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="posting_amount_above_zero"
            ),
            models.CheckConstraint(condition=Q(side__in=[1, -1]), name="posting_side_known"),
            models.CheckConstraint(condition=Q(line__gte=1), name="posting_line_counted_from_one"),
        ]
        indexes = [
            # No included columns: without them equal keys share one index tuple, which keeps a
            # hot account's millions of postings small and its inserts cheap.
            models.Index(fields=["account", "booking_date"], name="posting_by_account"),
        ]


class Rollup(models.Model):
    """Sealed totals of an account per value date and booking date.

    Written by the database when a day's seal is, and by nobody else.
    """

    pk = models.CompositePrimaryKey("account_id", "booking_date", "value_date")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    booking_date = models.DateField()
    value_date = models.DateField()
    debit_minor = models.DecimalField(max_digits=38, decimal_places=0)
    credit_minor = models.DecimalField(max_digits=38, decimal_places=0)

    class Meta:
        indexes = [
            # The few that count from a day after they were booked: no day total has them.
            models.Index(
                fields=["account", "value_date"],
                condition=Q(value_date__gt=F("booking_date")),
                name="rollup_forward_dated",
            ),
        ]


class DayTotal(models.Model):
    """Sealed totals of an account per booking date, of value dates up to it.

    They make of a sealed day one row, however much in it was back-dated: a balance today reads
    these, and roll-ups only for what was booked after the day it is about. Written as roll-ups are.
    """

    pk = models.CompositePrimaryKey("account_id", "booking_date")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    booking_date = models.DateField()
    debit_minor = models.DecimalField(max_digits=38, decimal_places=0)
    credit_minor = models.DecimalField(max_digits=38, decimal_places=0)


class Seal(models.Model):
    """A closed day's entries, bound to the day before by a hash (``rules.seals``)."""

    legal_entity = models.ForeignKey(
        "parties.LegalEntity", on_delete=models.PROTECT, db_index=False
    )
    date = models.DateField()
    entry_count = models.BigIntegerField()
    merkle_root = models.BinaryField(max_length=32)
    previous_hash = models.BinaryField(max_length=32)
    seal_hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField(help_text="set by the database, after the day's last entry")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["legal_entity", "date"], name="seal_once_a_day"),
            models.CheckConstraint(condition=Q(entry_count__gte=0), name="seal_count_not_negative"),
        ]


class ManualJournal(models.Model):
    """An entry proposed by one person and approved or rejected by another."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    proposal = models.JSONField(help_text="the entry as it would be posted")
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
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(checker=None) | ~Q(checker=F("maker")),
                name="manual_journal_checked_by_another",
            ),
            models.CheckConstraint(
                condition=Q(checker=None, decided_at=None, approved=None)
                | Q(checker__isnull=False, decided_at__isnull=False, approved__isnull=False),
                name="manual_journal_decided_at_once",
            ),
            models.CheckConstraint(
                condition=Q(approved=True, entry__isnull=False)
                | (Q(approved=None) | Q(approved=False)) & Q(entry=None),
                name="manual_journal_posted_when_approved",
            ),
        ]
