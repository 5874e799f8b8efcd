"""Worklists: what the platform could not settle by itself."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class WorkItem(models.Model):
    """Something a person has to look at, opened once per kind and subject until closed."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    kind = models.CharField(max_length=60, help_text="unapplied_cash, failed_payout …")
    subject = models.CharField(max_length=200)
    details = models.JSONField()
    opened_date = models.DateField()
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=254, blank=True)
    resolution = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "kind", "subject"],
                condition=Q(closed_at=None),
                name="work_item_open_once",
            )
        ]
