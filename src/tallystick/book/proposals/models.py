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
    EVENT_REVERSAL = "event_reversal", "reversal of an event"
    CHARGE_BACK = "charge_back", "chargeback"
    REFUND = "refund", "refund of credit"


class ProposalState(models.TextChoices):
    WAITING = "waiting", "waits for another person"
    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"
    WITHDRAWN = "withdrawn", "withdrawn by who made it"


class Proposal(models.Model):
    """An act that waits for a second person, was decided on by one, or was withdrawn.

    It is about a loan of ``supplier``, or where ``loan`` is None about the supplier's credit.
    ``terms``: what is asked for, as ``proposals.terms`` writes it. ``figures``: what carrying it
    out came to. One without a checker that was not approved was withdrawn by its maker.
    """

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    supplier = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    loan = models.ForeignKey("financing.Loan", null=True, on_delete=models.PROTECT)
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
                    Q(checker__isnull=False) | Q(approved=False),
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
            models.UniqueConstraint(
                fields=["legal_entity", "supplier", "kind"],
                condition=Q(approved=None, loan=None),
                name="proposal_one_undecided_of_supplier",
            ),
            models.CheckConstraint(
                condition=Q(kind=ProposalKind.REFUND, loan=None)
                | (~Q(kind=ProposalKind.REFUND) & Q(loan__isnull=False)),
                name="proposal_names_its_loan",
            ),
        ]
        indexes = [
            models.Index(
                fields=["legal_entity", "id"],
                condition=Q(approved=None),
                name="proposal_waiting",
            )
        ]

    @property
    def state(self) -> ProposalState:
        if self.approved is None:
            return ProposalState.WAITING
        if self.checker_id is None:
            return ProposalState.WITHDRAWN
        return ProposalState.APPROVED if self.approved else ProposalState.REJECTED

    @property
    def about(self) -> str:
        """The code of what it is about: a loan, or else a supplier."""
        return str(self.supplier.code if self.loan is None else self.loan.code)

    @property
    def currency(self) -> str:
        return str(self.terms["currency"] if self.loan is None else self.loan.currency)
