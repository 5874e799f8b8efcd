"""Prove the audit trail."""

from collections.abc import Iterator

from tallystick.book.acts.models import Act
from tallystick.book.watch.findings import Check, Finding


def acts_checks() -> list[Check]:
    """The checks of the acts."""
    return [Check("acts are answered", _unanswered)]


def _unanswered() -> Iterator[Finding]:
    for act in Act.objects.filter(answer__isnull=True).order_by("pk"):
        yield Finding(
            "acts are answered",
            f"act {act.pk}, {act.kind} with key {act.key} of {act.owner}",
            "an answer, written in the act's own transaction",
            "none",
        )
