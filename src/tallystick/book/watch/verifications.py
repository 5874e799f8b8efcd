"""Prove the books and keep what was found, so that everybody sees when they last agreed."""

from collections.abc import Callable
from dataclasses import asdict

from django.db.models.functions import Now

from tallystick.book.watch.alone import VERIFY_RUN_LOCK, alone, is_running
from tallystick.book.watch.models import Verification
from tallystick.book.watch.verify import verify

MOST_KEPT_FINDINGS = 200


def verify_and_keep(
    asked_by: str, *, on_started: Callable[[], None] = lambda: None
) -> Verification | None:
    """Run every check and keep the outcome; None while another run is under way.

    ``on_started`` is called once the run has begun, or is known not to.
    """
    with alone(VERIFY_RUN_LOCK) as is_ours:
        if not is_ours:
            on_started()
            return None
        run = Verification.objects.create(asked_by=asked_by)
        on_started()
        names: list[str] = []
        findings = verify(on_check=lambda name, _done, _total: names.append(name))
        Verification.objects.filter(pk=run.pk).update(
            finished_at=Now(),
            check_count=len(names),
            finding_count=len(findings),
            findings=[asdict(finding) for finding in findings[:MOST_KEPT_FINDINGS]],
        )
    return Verification.objects.get(pk=run.pk)


def latest_verification() -> Verification | None:
    """The last run that came to its end."""
    return Verification.objects.exclude(finished_at=None).order_by("-id").first()


def is_verifying() -> bool:
    return is_running(VERIFY_RUN_LOCK)
