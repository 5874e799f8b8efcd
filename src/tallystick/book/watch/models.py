"""Worklists: what the platform could not settle by itself; and when the books were last proved."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class WorkItem(models.Model):
    """Something a person has to look at, opened once per kind and subject until closed.

    ``party``: the firm that raised it as its case and may see it; none for the house's own items.
    """

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    kind = models.CharField(max_length=60, help_text="unapplied_cash, failed_payout …")
    subject = models.CharField(max_length=200)
    party = models.ForeignKey(
        "parties.Party", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
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
        indexes = [
            models.Index(
                fields=["party", "id"],
                condition=Q(party__isnull=False),
                name="work_item_by_firm",
            )
        ]


class Verification(models.Model):
    """One run of every check over the books: who asked, and what it found.

    Written as it begins and filled in once when it ends; one that was cut off stays unfinished.
    ``findings`` are the first of them; ``finding_count`` counts all.
    """

    started_at = models.DateTimeField(db_default=Now())
    asked_by = models.CharField(max_length=254)
    finished_at = models.DateTimeField(null=True)
    check_count = models.IntegerField(null=True)
    finding_count = models.IntegerField(null=True)
    findings = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None, check_count=None, finding_count=None, findings=None)
                | Q(
                    finished_at__isnull=False,
                    check_count__gt=0,
                    finding_count__gte=0,
                    findings__isnull=False,
                ),
                name="verification_finished_whole",
            )
        ]
