"""Endpoints that hear of what happens, and the deliveries to them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Endpoint(models.Model):
    """An address that messages of the outbox are sent to.

    ``party`` bounds it to what concerns one firm; none: the house's, which hears of everything. No
    secret is kept: it follows from the installation's signing key, the code and ``rotation``.
    ``busy_until``: one delivery to it is under way, and the next one waits.
    """

    code = models.CharField(max_length=40, unique=True)
    url = models.CharField(max_length=500)
    party = models.ForeignKey("parties.Party", null=True, on_delete=models.PROTECT)
    topics = models.JSONField(help_text="topics heard; an empty list: all of them")
    rotation = models.IntegerField(default=1)
    rotated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=254)
    disabled_at = models.DateTimeField(null=True)
    busy_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(rotation__gt=0), name="endpoint_rotation_counts")
        ]

    def __str__(self) -> str:
        return self.code


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "waiting"
    DELIVERED = "delivered", "delivered"
    DEAD = "dead", "given up"


class Delivery(models.Model):
    """One message to one endpoint. It waits until the receiver has said that it has it.

    ``subject`` is the message's: of one subject, a later message waits for the earlier ones.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, db_index=False)
    message = models.ForeignKey("acts.OutboxMessage", on_delete=models.PROTECT, db_index=False)
    subject = models.CharField(max_length=100)
    state = models.CharField(max_length=20, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_attempt_at = models.DateTimeField(null=True)
    last_status = models.IntegerField(null=True, help_text="HTTP status of the last answer")
    last_error = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "message"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at=None)
                | (~Q(state="waiting") & Q(ended_at__isnull=False)),
                name="delivery_ends_or_waits",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(state="waiting"),
                name="delivery_due",
            ),
            models.Index(
                fields=["endpoint", "subject", "message"],
                condition=Q(state="waiting"),
                name="delivery_in_order",
            ),
            models.Index(
                fields=["endpoint", "-id"], condition=Q(state="dead"), name="delivery_dead"
            ),
        ]
