"""A participation ends and is followed by others; neither it nor a line is taken away."""

from django.db import migrations

from tallystick.book import guards, rights


class Migration(migrations.Migration):
    dependencies = [("funding", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        *guards.never_removed(["funding_fundingline", "funding_participation"]),
        rights.answered("funding_fundingline", ["rank", "limit_minor", "drawn_minor"]),
        rights.answered("funding_participation", ["to_date"]),
    ]
