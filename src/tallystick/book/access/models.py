"""Machine clients, and how many requests were counted for whom."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class MachineClient(models.Model):
    """A program that asks by itself, known by its key: ``tk_<prefix>_<secret>``.

    Of the secret only the SHA-256 is kept. ``party`` bounds what it reaches to one firm; none: the
    house's. ``user``: the person of the house for whom it proposes or decides. A client is never
    removed, since acts name it; it is revoked.
    """

    code = models.CharField(max_length=40, unique=True)
    party = models.ForeignKey("parties.Party", null=True, on_delete=models.PROTECT)
    user = models.ForeignKey("parties.User", null=True, on_delete=models.PROTECT, related_name="+")
    scopes = models.JSONField(help_text="names of book.access.scopes")
    prefix = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.BinaryField(max_length=32)
    max_requests_a_minute = models.IntegerField()
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=254)
    expires_at = models.DateTimeField(null=True, help_text="first moment at which it is refused")
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="written once a minute at most")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(max_requests_a_minute__gt=0), name="machine_client_may_ask"
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")),
                name="machine_client_expires_after_its_making",
            ),
            models.CheckConstraint(
                condition=Q(party=None) | Q(user=None), name="machine_client_of_firm_or_person"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class RequestWindow(models.Model):
    """Requests counted in the running minute of one subject: a client, or a caller's address.

    The table is unlogged: a crash forgets the counts, which hold for a minute anyway.
    """

    subject = models.CharField(max_length=120, primary_key=True)
    started_at = models.DateTimeField()
    requests = models.IntegerField()
