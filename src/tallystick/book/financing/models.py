"""Programmes, facilities, decisions, loans and the reservations that precede their payout."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Programme(models.Model):
    """A programme as loaded: product × funding × terms × rules, kept once per content."""

    code = models.CharField(max_length=64)
    sha256 = models.BinaryField(max_length=32, unique=True)
    terms = models.JSONField()
    loaded_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["code", "-id"], name="programme_latest")]


class ReferenceRate(models.Model):
    """A published value of a reference rate, with where it comes from; never changed.

    It holds from ``publish_date`` until the next of the same ``name`` (``rules.reference_rates``).
    """

    name = models.CharField(max_length=40)
    publish_date = models.DateField()
    rate_ppb = models.BigIntegerField(help_text="parts per billion a year")
    source = models.CharField(max_length=200, help_text="who published it")
    file = models.CharField(max_length=200)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "publish_date"], name="reference_rate_once"),
            models.CheckConstraint(
                condition=Q(rate_ppb__gte=0), name="reference_rate_not_negative"
            ),
        ]


class ProgrammeLimit(models.Model):
    """How much a programme of a legal entity may have drawn in one currency, and has.

    Lowering the limit below what is drawn stops new draws; it never touches old ones.
    """

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    programme = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    limit_minor = models.BigIntegerField()
    drawn_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "programme", "currency"], name="programme_limit_once"
            ),
            models.CheckConstraint(
                condition=Q(drawn_minor__gte=0), name="programme_drawn_not_negative"
            ),
        ]


MAX_FACILITY_CODE_LENGTH = 60
"""A loan's code is its facility's and a number, and has 80 places."""


class Facility(models.Model):
    """A supplier's line under a programme, secured by one pool, in one currency.

    ``drawn_minor`` is principal outstanding plus payouts under way. Locking this row comes first
    in every act that changes what is drawn; the pool's row is locked next, then the programme's
    limit, then the funder's line: always in this order.
    """

    code = models.CharField(max_length=MAX_FACILITY_CODE_LENGTH, unique=True)
    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    supplier = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT)
    pool = models.OneToOneField("collateral.Pool", on_delete=models.PROTECT)
    programme_limit = models.ForeignKey(ProgrammeLimit, on_delete=models.PROTECT, db_index=False)
    funding_line = models.ForeignKey(
        "funding.FundingLine", on_delete=models.PROTECT, db_index=False
    )
    currency = models.CharField(max_length=3)
    limit_minor = models.BigIntegerField()
    drawn_minor = models.BigIntegerField(default=0)
    annual_rate_ppb = models.BigIntegerField(help_text="parts per billion a year")
    opened_date = models.DateField()
    expiry_date = models.DateField(help_text="last day on which it may be drawn")
    frozen_reason = models.CharField(max_length=500, blank=True, help_text="empty: not frozen")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(limit_minor__gte=0, drawn_minor__gte=0),
                name="facility_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(expiry_date__gte=F("opened_date")), name="facility_dates_in_order"
            ),
        ]


class Decision(models.Model):
    """Why a drawdown was granted: what was read, which rules, what each said."""

    facility = models.ForeignKey(Facility, on_delete=models.PROTECT)
    date = models.DateField()
    amount_minor = models.BigIntegerField()
    inputs = models.JSONField()
    verdicts = models.JSONField()
    rule_version = models.CharField(max_length=40)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)
    decided_at = models.DateTimeField(db_default=Now())


class LoanStatus(models.TextChoices):
    PENDING = "pending", "payout under way"
    LIVE = "live", "live"
    SETTLED = "settled", "settled"
    CHARGED_OFF = "charged_off", "charged off"
    REJECTED = "rejected", "payout rejected"


PAID_OUT = (LoanStatus.LIVE, LoanStatus.SETTLED, LoanStatus.CHARGED_OFF)
"""States of a loan that has a position: it has been paid out."""


class Loan(models.Model):
    """One drawdown. Its state after the payout is a fold over ``servicing.LoanEvent``."""

    code = models.CharField(max_length=80, unique=True)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT)
    book = models.ForeignKey("ledger.Book", on_delete=models.PROTECT, db_index=False)
    currency = models.CharField(max_length=3)
    principal_minor = models.BigIntegerField(help_text="amount asked for and committed")
    annual_rate_ppb = models.BigIntegerField()
    penalty_rate_ppb = models.BigIntegerField(help_text="a year, on principal past due")
    penalty_steps = models.JSONField(
        null=True,
        help_text="days past due and parts per billion a year from then on, step by step; "
        "null: penalty_rate_ppb from the due date on",
    )
    day_count = models.CharField(max_length=40)
    tenor_days = models.IntegerField()
    drawn_date = models.DateField(help_text="business day of the drawdown")
    due_date = models.DateField(
        help_text="the due date; of several the oldest that is not paid, or else the next"
    )
    maturity_date = models.DateField(null=True, help_text="last of several due dates; null: one")
    agreed_plan = models.JSONField(
        null=True,
        help_text="due_dates, planned_minor to be repaid by each in all, level_minor of an "
        "instalment, the calendar and its known_to_date; null: everything on due_date",
    )
    agreed_due_date = models.DateField(
        null=True, help_text="the due date before an event moved it; null: none has"
    )
    due_date_provisional = models.BooleanField(
        help_text="falls in a year whose holidays are not published; may move"
    )
    status = models.CharField(max_length=20, choices=LoanStatus, default=LoanStatus.PENDING)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(principal_minor__gt=0), name="loan_above_zero"),
            models.CheckConstraint(
                condition=Q(due_date__gte=F("drawn_date")), name="loan_due_from_drawdown"
            ),
        ]
        indexes = [
            models.Index(
                fields=["facility"],
                condition=Q(status__in=["pending", "live"]),
                name="loan_open_by_facility",
            ),
            models.Index(
                fields=["due_date"],
                condition=Q(due_date_provisional=True, status__in=["pending", "live"]),
                name="loan_provisional_due",
            ),
            models.Index(
                fields=["due_date", "id"],
                condition=Q(status__in=["pending", "live"]),
                name="loan_open_by_due_date",
            ),
            models.Index(fields=["id"], condition=Q(status="pending"), name="loan_pending"),
        ]


class Reservation(models.Model):
    """Limits held for a loan until the bank has answered: exactly one fate."""

    class Fate(models.TextChoices):
        DISBURSED = "disbursed", "disbursed"
        RELEASED = "released", "released"

    loan = models.OneToOneField(Loan, on_delete=models.PROTECT, primary_key=True)
    amount_minor = models.BigIntegerField()
    entry = models.OneToOneField(
        "ledger.Entry", on_delete=models.PROTECT, related_name="+", help_text="commitment booked"
    )
    fate = models.CharField(max_length=20, blank=True, choices=Fate)
    fate_entry = models.OneToOneField(
        "ledger.Entry", null=True, on_delete=models.PROTECT, related_name="+"
    )
    fate_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(fate="", fate_entry=None, fate_date=None)
                | (~Q(fate="") & Q(fate_entry__isnull=False, fate_date__isnull=False)),
                name="reservation_fate_whole",
            )
        ]
