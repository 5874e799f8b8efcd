"""Lines out of sales, decisions on them, advances with their events, positions and pace."""

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

MAX_LINE_CODE_LENGTH = 60
"""An advance's code is its line's and a number, and has 80 places."""

STILL_IN_FORCE = date.max
"""Superseded date of the positions that nothing has superseded yet."""


class SalesLine(models.Model):
    """A merchant's line under a programme of advances out of sales, in one currency.

    ``drawn_minor`` is principal outstanding plus payouts under way. Locking this row comes first in
    every act that changes what is drawn on it, after the facilities' rows where these are locked
    too; the supplier is held next, then the programme's limit, then the funder's line.
    """

    code = models.CharField(max_length=MAX_LINE_CODE_LENGTH, unique=True)
    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    merchant = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    programme = models.ForeignKey(
        "financing.Programme", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    programme_limit = models.ForeignKey(
        "financing.ProgrammeLimit", on_delete=models.PROTECT, related_name="+"
    )
    funding_line = models.ForeignKey(
        "funding.FundingLine", on_delete=models.PROTECT, related_name="+"
    )
    book = models.ForeignKey(
        "ledger.Book", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    limit_minor = models.BigIntegerField(help_text="as decided last, from the settled sales")
    drawn_minor = models.BigIntegerField(default=0)
    opened_date = models.DateField()
    expiry_date = models.DateField(help_text="last day on which it may be drawn")
    frozen_reason = models.CharField(max_length=500, blank=True, help_text="empty: not frozen")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(limit_minor__gte=0, drawn_minor__gte=0),
                name="sales_line_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(expiry_date__gte=F("opened_date")), name="sales_line_dates_in_order"
            ),
        ]


class DecisionKind(models.TextChoices):
    LIMIT = "limit", "limit of a line"
    DRAW = "draw", "advance"


class SalesDecision(models.Model):
    """Why a line has its limit, or an advance was granted: what was read, what each rule said."""

    line = models.ForeignKey(SalesLine, on_delete=models.PROTECT)
    kind = models.CharField(max_length=20, choices=DecisionKind)
    date = models.DateField()
    amount_minor = models.BigIntegerField()
    inputs = models.JSONField()
    verdicts = models.JSONField()
    rule_version = models.CharField(max_length=40)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, related_name="+", db_index=False)
    decided_at = models.DateTimeField(db_default=Now())


class AdvanceStatus(models.TextChoices):
    PENDING = "pending", "payout under way"
    LIVE = "live", "live"
    SETTLED = "settled", "settled"
    CHARGED_OFF = "charged_off", "charged off"
    REJECTED = "rejected", "payout rejected"


class Advance(models.Model):
    """One advance with its terms. Its state after the payout is a fold over ``AdvanceEvent``.

    ``look_date``: the first day whose close looks at its pace; null where none has to.
    ``behind_since_date``: since when it is behind its least pace, as the last look found.
    """

    code = models.CharField(max_length=80, unique=True)
    line = models.ForeignKey(SalesLine, on_delete=models.PROTECT)
    decision = models.OneToOneField(SalesDecision, on_delete=models.PROTECT)
    book = models.ForeignKey(
        "ledger.Book", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    advance_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(null=True, help_text="fixed fee; null at a daily rate")
    daily_rate_ppb = models.BigIntegerField(null=True, help_text="null at a fixed fee")
    share_bps = models.IntegerField(help_text="of each settlement, as agreed first")
    yearly_sales_minor = models.BigIntegerField(help_text="expected when it was drawn")
    year_days = models.IntegerField()
    drawn_date = models.DateField(help_text="business day of the request")
    disbursed_date = models.DateField(null=True, help_text="value date of the payout")
    status = models.CharField(max_length=20, choices=AdvanceStatus, default=AdvanceStatus.PENDING)
    commitment = models.OneToOneField(
        "ledger.Entry", on_delete=models.PROTECT, related_name="+", help_text="commitment booked"
    )
    look_date = models.DateField(null=True)
    behind_since_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(advance_minor__gt=0), name="advance_above_zero"),
            models.CheckConstraint(
                condition=Q(fee_minor__isnull=True, daily_rate_ppb__gte=0)
                | Q(fee_minor__gte=0, daily_rate_ppb__isnull=True),
                name="advance_fee_or_rate",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "rejected"], disbursed_date=None)
                | Q(status__in=["live", "settled", "charged_off"], disbursed_date__isnull=False),
                name="advance_paid_out_on_a_day",
            ),
        ]
        indexes = [
            models.Index(
                fields=["look_date"],
                condition=Q(look_date__isnull=False),
                name="advance_to_look_at",
            ),
            models.Index(
                fields=["behind_since_date"],
                condition=Q(behind_since_date__isnull=False),
                name="advance_behind_its_pace",
            ),
        ]


class AdvanceEvent(models.Model):
    """What happened to an advance; append-only. See ``rules.sales_events`` for each kind."""

    advance = models.ForeignKey(Advance, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=20)
    value_date = models.DateField()
    booking_date = models.DateField()
    amount_minor = models.BigIntegerField(null=True, help_text="of a settlement, the sales settled")
    kept_minor = models.BigIntegerField(null=True, help_text="of a settlement, what was kept of it")
    share_bps = models.IntegerField(null=True)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT)
    reference = models.CharField(max_length=100, help_text="receipt or other cause")
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["advance", "value_date"], name="advance_event_by_advance")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor=None) | Q(amount_minor__gt=0),
                name="advance_event_amount_above_zero",
            )
        ]


class AdvancePosition(models.Model):
    """An advance's fold as it stood from one booking date until another: one row per change.

    Of a fixed fee, ``fee_minor`` is the fee that may still be earned or was, ``fee_earned_minor``
    what was. At a daily rate both are zero, and running interest up to a day (excluded) is exactly
    ``interest_numerator + principal_minor × daily_rate_ppb × (day − accrued_to_date)`` over 10⁹,
    rounded half-up. ``fee_collected_minor`` is what of either has come in, ``interest_lost_minor``
    what was charged off. ``payments_left`` is in how many days sales as expected repay what is
    owed. ``superseded_date`` is the booking date of the next row: a close of day D
    reads the rows with booking_date ≤ D < superseded_date while D + 1 goes on.
    """

    pk = models.CompositePrimaryKey("advance_id", "booking_date")
    advance = models.ForeignKey(Advance, on_delete=models.PROTECT, db_index=False)
    booking_date = models.DateField()
    superseded_date = models.DateField(default=STILL_IN_FORCE)
    book = models.ForeignKey(
        "ledger.Book", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    accrued_to_date = models.DateField()
    principal_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    fee_earned_minor = models.BigIntegerField()
    daily_rate_ppb = models.BigIntegerField()
    interest_numerator = models.DecimalField(max_digits=38, decimal_places=0)
    fee_collected_minor = models.BigIntegerField()
    interest_lost_minor = models.BigIntegerField()
    collected_minor = models.BigIntegerField()
    principal_lost_minor = models.BigIntegerField()
    recovered_minor = models.BigIntegerField()
    credit_minor = models.BigIntegerField()
    payments_left = models.IntegerField()
    settled = models.BooleanField(help_text="nothing owed and nothing more is earned")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    principal_minor__gte=0,
                    fee_collected_minor__gte=0,
                    credit_minor__gte=0,
                    fee_minor__gte=F("fee_earned_minor"),
                ),
                name="advance_position_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(superseded_date__gt=F("booking_date")),
                name="advance_position_dates_in_order",
            ),
            models.UniqueConstraint(
                fields=["advance"],
                condition=Q(superseded_date=STILL_IN_FORCE),
                name="advance_position_one_in_force",
            ),
        ]
        indexes = [
            models.Index(
                fields=["book", "superseded_date"],
                condition=Q(settled=False),
                name="advance_position_alive",
            )
        ]


class PaceLook(models.Model):
    """How an advance stood to its pace when the close of a day looked; append-only."""

    advance = models.ForeignKey(Advance, on_delete=models.PROTECT, db_index=False)
    date = models.DateField()
    state = models.CharField(max_length=20, help_text="one of rules.sales_pace.PaceState")
    behind_since_date = models.DateField(null=True)
    short_minor = models.BigIntegerField()
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["advance", "date"], name="pace_look_once_a_day")
        ]


class LossProposal(models.Model):
    """A charge-off of an advance: what one person proposes and another decides on."""

    advance = models.ForeignKey(Advance, on_delete=models.PROTECT, db_index=False)
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

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(checker=None) | ~Q(checker=F("maker")),
                name="loss_checked_by_another",
            ),
            models.CheckConstraint(
                condition=Q(checker=None, decided_at=None, approved=None)
                | Q(checker__isnull=False, decided_at__isnull=False, approved__isnull=False),
                name="loss_decided_at_once",
            ),
            models.UniqueConstraint(
                fields=["advance"], condition=Q(approved=None), name="loss_one_undecided"
            ),
        ]
