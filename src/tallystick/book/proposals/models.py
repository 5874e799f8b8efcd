"""What one person proposes and another decides on."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class ProposalKind(models.TextChoices):
    EXTENSION = "extension", "extension"
    DUE_MOVE = "due_move", "move of the due date"
    RE_AGING = "re_aging", "re-aging"
    INTEREST_PAUSE = "interest_pause", "interest pause"
    RATE_CHANGE = "rate_change", "rate change"
    WAIVER = "waiver", "waiver of a charge"
    RESTRUCTURING = "restructuring", "restructuring"
    CHARGE_OFF = "charge_off", "charge-off"
    SHARE_SALE = "share_sale", "sale of a share"
    SHARE_BUY_BACK = "share_buy_back", "buy-back of a share"
    SHARE_REVERSAL = "share_reversal", "reversal of a share's transfer"


class Proposal(models.Model):
    """An act on a loan that waits for a second person, or was decided on by one.

    ``terms``: what is asked for, as ``proposals.terms`` writes it. ``figures``: what carrying it
    out came to.
    """

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    loan = models.ForeignKey("financing.Loan", on_delete=models.PROTECT)
    kind = models.CharField(max_length=20, choices=ProposalKind)
    terms = models.JSONField()
    reason = models.CharField(max_length=500)
    maker = models.ForeignKey(
        "parties.User", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    proposed_date = models.DateField(help_text="business day")
    proposed_at = models.DateTimeField(db_default=Now())
    checker = models.ForeignKey(
        "parties.User", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    decided_date = models.DateField(null=True, help_text="business day")
    decided_at = models.DateTimeField(null=True)
    approved = models.BooleanField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True, db_default="")
    figures = models.JSONField(null=True)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(checker=None) | ~Q(checker=F("maker")),
                name="proposal_checked_by_another",
            ),
            models.CheckConstraint(
                condition=Q(
                    checker=None, decided_date=None, decided_at=None, approved=None, figures=None
                )
                | Q(
                    checker__isnull=False,
                    decided_date__isnull=False,
                    decided_at__isnull=False,
                    approved__isnull=False,
                ),
                name="proposal_decided_at_once",
            ),
            models.CheckConstraint(
                condition=Q(approved=True, figures__isnull=False)
                | Q(approved=False, figures=None)
                | Q(approved=None),
                name="proposal_carried_out_when_approved",
            ),
            models.UniqueConstraint(
                fields=["loan", "kind"],
                condition=Q(approved=None),
                name="proposal_one_undecided",
            ),
        ]
        indexes = [
            models.Index(
                fields=["legal_entity", "id"],
                condition=Q(approved=None),
                name="proposal_waiting",
            )
        ]
