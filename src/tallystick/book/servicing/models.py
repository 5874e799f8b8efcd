"""Loans after the payout: their events, their positions day by change, and the day's close."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class LoanEvent(models.Model):
    """What happened to a loan; append-only. See rules.loan for what each kind means.

    Here and below, references of rows that come by the thousand carry no foreign key, which would
    check each row by itself: a trigger checks them statement by statement.
    """

    loan = models.ForeignKey(
        "financing.Loan", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=20, help_text="one of rules.loan_events.EventKind")
    value_date = models.DateField()
    booking_date = models.DateField()
    amount_minor = models.BigIntegerField(null=True)
    annual_rate_ppb = models.BigIntegerField(null=True)
    days = models.IntegerField(null=True, help_text="by which an extension moves the due date")
    due_date = models.DateField(null=True, help_text="the due date that moves")
    to_date = models.DateField(null=True, help_text="new due date; or last day of a pause")
    waives = models.CharField(max_length=10, null=True, help_text="fees, penalty or interest")
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT)
    reference = models.CharField(max_length=100, help_text="bank reference or other cause")
    act = models.ForeignKey(
        "acts.Act", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["loan", "value_date"], name="loan_event_by_loan"),
            BrinIndex(
                fields=["booking_date"],
                pages_per_range=16,
                autosummarize=True,
                name="loan_event_by_booking_date",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor=None) | Q(amount_minor__gt=0),
                name="loan_event_amount_above_zero",
            )
        ]


STILL_IN_FORCE = date.max
"""Superseded date of the rows that nothing has superseded yet."""


class Position(models.Model):
    """A loan's fold as it stood from one booking date until another: one row per change.

    Running interest on day ``on`` is exactly
    ``interest_numerator + principal_minor × annual_rate_ppb × (on − accrued_to_date)`` over
    ``denominator`` (10⁹ × the day count's days a year), rounded half-up; penalty likewise from
    the later of ``accrued_to_date`` and ``due_date``. Where ``penalty_growth`` is given, penalty's
    numerator grows by it each day from ``accrued_to_date`` instead, and ``turn_date`` is when it
    changes without an event: the close stores a new row then (``rules.loan_turns``). After a
    pause interest runs from the later of ``accrued_to_date`` and ``interest_from_date``.
    ``superseded_date`` is the booking date of the next row: a close of day D reads the rows with
    booking_date ≤ D < superseded_date while D + 1 goes on.
    """

    pk = models.CompositePrimaryKey("loan_id", "booking_date")
    loan = models.ForeignKey(
        "financing.Loan", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    booking_date = models.DateField()
    superseded_date = models.DateField(default=STILL_IN_FORCE)
    book = models.ForeignKey(
        "ledger.Book", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    due_date = models.DateField(
        help_text="of several the oldest that is not paid, or else the next"
    )
    disbursed_date = models.DateField(help_text="value date of the first payout")
    last_value_date = models.DateField(help_text="value date of the latest event in force")
    last_kind = models.CharField(max_length=20, help_text="its kind; empty: no event in force")
    accrued_to_date = models.DateField()
    principal_minor = models.BigIntegerField()
    disbursed_minor = models.BigIntegerField()
    annual_rate_ppb = models.BigIntegerField()
    denominator = models.BigIntegerField()
    interest_numerator = models.DecimalField(max_digits=38, decimal_places=0)
    interest_received_minor = models.BigIntegerField()
    interest_at_due_minor = models.BigIntegerField(
        null=True, help_text="accrued by the due date, once an event came on or after it"
    )
    penalty_rate_ppb = models.BigIntegerField()
    penalty_numerator = models.DecimalField(max_digits=38, decimal_places=0)
    penalty_received_minor = models.BigIntegerField()
    fees_charged_minor = models.BigIntegerField()
    fees_received_minor = models.BigIntegerField()
    credit_minor = models.BigIntegerField()
    settled = models.BooleanField(help_text="nothing owed and nothing more accrues")
    # Null where there is none, which costs a row nothing: most loans never need these.
    interest_from_date = models.DateField(null=True, help_text="interest runs again after a pause")
    interest_waived_minor = models.BigIntegerField(null=True)
    penalty_waived_minor = models.BigIntegerField(null=True)
    fees_waived_minor = models.BigIntegerField(null=True)
    principal_charged_off_minor = models.BigIntegerField(null=True)
    interest_charged_off_minor = models.BigIntegerField(null=True)
    penalty_charged_off_minor = models.BigIntegerField(null=True)
    fees_charged_off_minor = models.BigIntegerField(null=True)
    recovered_minor = models.BigIntegerField(null=True)
    charged_off_date = models.DateField(null=True)
    penalty_growth = models.DecimalField(
        max_digits=38, decimal_places=0, null=True, help_text="of the numerator, a day"
    )
    turn_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    principal_minor__gte=0,
                    disbursed_minor__gte=F("principal_minor"),
                    interest_received_minor__gte=0,
                    penalty_received_minor__gte=0,
                    fees_received_minor__gte=0,
                    fees_charged_minor__gte=F("fees_received_minor"),
                    credit_minor__gte=0,
                ),
                name="position_balances_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(superseded_date__gt=F("booking_date")),
                name="position_dates_in_order",
            ),
            models.UniqueConstraint(
                fields=["loan"],
                condition=Q(superseded_date=STILL_IN_FORCE),
                name="position_one_in_force",
            ),
        ]
        indexes = [
            models.Index(
                fields=["book", "superseded_date"],
                condition=Q(settled=False),
                name="position_alive",
            ),
            models.Index(
                fields=["turn_date"],
                condition=Q(settled=False, superseded_date=STILL_IN_FORCE, turn_date__isnull=False),
                name="position_turning",
            ),
        ]


class RepaymentPlan(models.Model):
    """When which part of a loan's principal is to be repaid, as its events have left it.

    The fold of the loan up to its position in force, whose ``due_date`` is one of these. Loans with
    one due date have none.
    """

    loan = models.OneToOneField(
        "financing.Loan", on_delete=models.PROTECT, primary_key=True, db_constraint=False
    )
    due_dates = ArrayField(models.DateField())
    planned_minor = ArrayField(
        models.BigIntegerField(), help_text="principal to be repaid by each due date in all"
    )
    interest_at_due_minor = ArrayField(
        models.BigIntegerField(), help_text="accrued by each due date that has come"
    )
    level_minor = models.BigIntegerField(help_text="of each instalment but the last")
    evened_minor = models.BigIntegerField(
        null=True, help_text="principal that a new rate evens them over; null: they stay as high"
    )
    agreed_dates = ArrayField(
        models.DateField(), null=True, help_text="due dates as agreed at first; null: the same"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["loan"],
                condition=Q(agreed_dates__isnull=False),
                name="repayment_plan_put_off",
            )
        ]


class SettlementLine(models.Model):
    """Where a part of a receipt went: which loan or advance and bucket, or the supplier.

    ``bucket`` is one of ``rules.loan_terms.Bucket``, of an advance a kind of
    ``rules.accounting.ADVANCE_ACCOUNT_OF``, ``residual`` (to be paid out to the supplier) or
    ``credit`` (kept for the supplier). The lines of a receipt and its unapplied cash sum to the
    cash.
    """

    receipt = models.ForeignKey(
        "payments.CashReceipt", on_delete=models.PROTECT, db_constraint=False
    )
    supplier = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    facility = models.ForeignKey(
        "financing.Facility",
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        help_text="none where a claim was paid that secures no facility",
    )
    loan = models.ForeignKey(
        "financing.Loan", null=True, on_delete=models.PROTECT, db_constraint=False
    )
    advance = models.ForeignKey(
        "sales_credit.Advance", null=True, on_delete=models.PROTECT, db_constraint=False
    )
    bucket = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    payment = models.ForeignKey(
        "payments.PaymentOrder",
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        help_text="the order by which a residual is paid out",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="settlement_line_above_zero"
            )
        ]


class DayStep(models.Model):
    """A finished step of a day's close; a restart goes on after the last one."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    date = models.DateField()
    step = models.CharField(max_length=40)
    figures = models.JSONField()
    finished_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["legal_entity", "date", "step"], name="day_step_once")
        ]
