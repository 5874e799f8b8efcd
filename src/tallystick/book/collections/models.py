"""Cases of firms that pay late: ladders, letters, promises, notes, and what two people agreed."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from tallystick.rules.dunning import Channel
from tallystick.rules.dunning import Letter as LetterKind
from tallystick.rules.dunning import Recipient as RecipientKind
from tallystick.rules.promises import Outcome


def _choices(kinds: type) -> list[tuple[str, str]]:
    return [(each.value, each.value) for each in kinds]


class LadderInForce(models.Model):
    """A legal entity's dunning ladder from a day on, until the next one begins."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    from_date = models.DateField()
    content = models.JSONField(help_text="as rules.dunning.as_content writes it")
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)


class PayTo(models.Model):
    """Where a legal entity is to be paid; the latest row of a currency holds."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    currency = models.CharField(max_length=3)
    account_holder = models.CharField(max_length=200)
    account_number = models.CharField(max_length=64)
    bank = models.CharField(max_length=200)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)


class Correspondence(models.Model):
    """How a firm is written to. Without an address, its users' addresses are taken."""

    party = models.OneToOneField("parties.Party", on_delete=models.PROTECT, primary_key=True)
    language = models.CharField(max_length=10)
    email = models.EmailField(blank=True)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)


class CaseEnd(models.TextChoices):
    CURED = "cured", "nothing is past due"
    WRITTEN_OFF = "written_off", "written off"


class Case(models.Model):
    """A firm that pays a legal entity late, from the day it was noticed until nothing is past due.

    ``paused_until_date``: the first day on which messages may go out again.
    """

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    party = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    opened_date = models.DateField()
    closed_date = models.DateField(null=True)
    end = models.CharField(max_length=20, blank=True, choices=CaseEnd)
    assignee = models.ForeignKey(
        "parties.User", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    paused_until_date = models.DateField(null=True)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "party"],
                condition=Q(closed_date=None),
                name="collection_case_open_once",
            ),
            models.CheckConstraint(
                condition=Q(closed_date=None, end="") | (Q(closed_date__isnull=False) & ~Q(end="")),
                name="collection_case_ends_whole",
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.closed_date is None


class NoteKind(models.TextChoices):
    OPENED = "opened", "opened"
    CLOSED = "closed", "closed"
    NOTE = "note", "note"
    ASSIGNED = "assigned", "assigned"
    PAUSED = "paused", "paused"


class Note(models.Model):
    """What was done in a case, or said about it. ``text``: a note's words, an address, a day."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    kind = models.CharField(max_length=20, choices=NoteKind)
    text = models.CharField(max_length=2_000)
    date = models.DateField(help_text="business day")
    author = models.CharField(max_length=254)
    at = models.DateTimeField(db_default=Now())
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)


class PromiseToPay(models.Model):
    """So much by a day; the close of day says whether the cash came."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    made_date = models.DateField()
    promised_date = models.DateField()
    made_by = models.CharField(max_length=254)
    by_firm = models.BooleanField(help_text="said by the firm itself, in its portal")
    outcome = models.CharField(
        max_length=20, choices=_choices(Outcome), default=Outcome.RUNNING.value
    )
    decided_date = models.DateField(null=True)
    received_minor = models.BigIntegerField(null=True, help_text="cash counted when it was decided")
    at = models.DateTimeField(db_default=Now())
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, promised_date__gte=F("made_date")),
                name="promise_can_be_kept",
            ),
            models.CheckConstraint(
                condition=Q(outcome="running", decided_date=None, received_minor=None)
                | (~Q(outcome="running") & Q(decided_date__isnull=False, received_minor__gte=0)),
                name="promise_decided_whole",
            ),
            models.UniqueConstraint(
                fields=["case", "currency"],
                condition=Q(outcome="running"),
                name="promise_one_running",
            ),
        ]


class MessageState(models.TextChoices):
    WAITING = "waiting", "waiting to be sent"
    SENT = "sent", "sent"
    WITHDRAWN = "withdrawn", "withdrawn: the case ended first"
    DEAD = "dead", "given up"


class Message(models.Model):
    """A step of the ladder carried out: sent once, and kept with its text as it was sent.

    ``facts`` are what it tells of, as the close of day found them; ``subject`` and ``body`` are
    written when it is first to be sent. ``min_days_past_due`` is the step's.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, db_index=False)
    step = models.CharField(max_length=40)
    min_days_past_due = models.IntegerField()
    letter = models.CharField(max_length=20, choices=_choices(LetterKind))
    channel = models.CharField(max_length=20, choices=_choices(Channel))
    recipient = models.CharField(max_length=20, choices=_choices(RecipientKind))
    date = models.DateField(help_text="the day it was due")
    clause = models.CharField(max_length=300)
    facts = models.JSONField()
    addresses = models.JSONField(help_text="electronic mail; empty for other channels")
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=MessageState)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "step"], name="dunning_step_once"),
            models.CheckConstraint(
                condition=Q(state="waiting", next_attempt_at__isnull=False)
                | (~Q(state="waiting") & Q(next_attempt_at=None)),
                name="dunning_message_waits_or_ended",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(state="waiting"), name="dunning_message_due"
            )
        ]
