"""Endpoints are switched off, never removed; what was delivered stays known."""

from django.db import migrations

from tallystick.book import guards, rights


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        *guards.never_removed(["webhooks_endpoint", "webhooks_delivery"]),
        rights.answered(
            "webhooks_endpoint", ["rotation", "rotated_at", "disabled_at", "busy_until"]
        ),
        rights.answered(
            "webhooks_delivery",
            [
                "state",
                "attempts",
                "next_attempt_at",
                "last_attempt_at",
                "last_status",
                "last_error",
                "ended_at",
            ],
        ),
    ]
