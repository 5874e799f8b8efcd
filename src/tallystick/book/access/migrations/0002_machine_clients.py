"""Machine clients, which keep their keys until they are revoked, and the counts of requests."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from tallystick.book import guards, rights


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_rights"),
        ("acts", "0002_guards_and_rights"),
        ("parties", "0002_rights"),
    ]

    operations = [
        migrations.CreateModel(
            name="RequestWindow",
            fields=[
                ("subject", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("requests", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="MachineClient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True)),
                ("scopes", models.JSONField(help_text="names of book.access.scopes")),
                ("prefix", models.CharField(max_length=12, unique=True)),
                ("secret_sha256", models.BinaryField(max_length=32)),
                ("max_requests_a_minute", models.IntegerField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("created_by", models.CharField(max_length=254)),
                (
                    "expires_at",
                    models.DateTimeField(
                        help_text="first moment at which it is refused", null=True
                    ),
                ),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "last_used_at",
                    models.DateTimeField(help_text="written once a minute at most", null=True),
                ),
                (
                    "party",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="parties.party"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="parties.user",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("max_requests_a_minute__gt", 0)),
                        name="machine_client_may_ask",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at", None),
                            ("expires_at__gt", models.F("created_at")),
                            _connector="OR",
                        ),
                        name="machine_client_expires_after_its_making",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("party", None), ("user", None), _connector="OR"),
                        name="machine_client_of_firm_or_person",
                    ),
                ],
            },
        ),
        # Counts of the running minute: their commits wait for no disk.
        migrations.RunSQL(
            "ALTER TABLE access_requestwindow SET UNLOGGED",
            "ALTER TABLE access_requestwindow SET LOGGED",
        ),
        *guards.never_removed(["access_machineclient"]),
        rights.answered("access_machineclient", ["revoked_at", "last_used_at"]),
        *rights.ordinary(["access_requestwindow"]),
    ]
