"""Acts and the messages that leave the system because of them."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


class Act(models.Model):
    """One thing asked of the platform and carried out, with the answer that was given.

    A request key belongs to the acting firm or machine client (``owner``): the same key with the
    same request returns the first answer, with another request it is a conflict. A refusal rolls
    back and leaves no act, so that the key may be used again.
    """

    owner = models.CharField(max_length=80, help_text="firm:CODE, client:CODE or system")
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=60, help_text="the verb: draw_down, settle, close_day …")
    request_sha256 = models.BinaryField(max_length=32)
    answer = models.JSONField(null=True)
    actor = models.CharField(max_length=254, help_text="who: a user's address or the program")
    channel = models.CharField(max_length=20, help_text="cli, api, portal, internal, lab")
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="act_key_once")]
        # How the audit trail is read: latest first, by time, person, verb or people's channels.
        # Machines' acts are so many that a range of time finds them without an index of their own.
        indexes = [
            models.Index(fields=["at", "id"], name="act_by_time"),
            models.Index(fields=["actor", "at", "id"], name="act_by_actor"),
            models.Index(fields=["kind", "at", "id"], name="act_by_kind"),
            models.Index(
                fields=["channel", "at", "id"],
                condition=models.Q(channel__in=["portal", "cli"]),
                name="act_by_channel_of_people",
            ),
        ]


class OutboxMessage(models.Model):
    """An event that leaves the system, written in the transaction that caused it."""

    act = models.ForeignKey(Act, on_delete=models.PROTECT, db_index=False)
    topic = models.CharField(max_length=60)
    subject = models.CharField(max_length=100, help_text="the object it tells of; order is kept")
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(sent_at=None), name="outbox_to_be_sent"),
            # Messages follow their acts: ranges of pages find those of an act, at next to no cost.
            BrinIndex(fields=["act"], pages_per_range=16, autosummarize=True, name="outbox_by_act"),
        ]
