import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Act",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "owner",
                    models.CharField(help_text="firm:CODE, client:CODE or system", max_length=80),
                ),
                ("key", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        help_text="the verb: draw_down, settle, close_day …", max_length=60
                    ),
                ),
                ("request_sha256", models.BinaryField(max_length=32)),
                ("answer", models.JSONField(null=True)),
                (
                    "actor",
                    models.CharField(
                        help_text="who: a user's address or the program", max_length=254
                    ),
                ),
                (
                    "channel",
                    models.CharField(help_text="cli, api, portal, internal, lab", max_length=20),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "key"), name="act_key_once")
                ],
                "indexes": [
                    models.Index(fields=["at", "id"], name="act_by_time"),
                    models.Index(fields=["actor", "at", "id"], name="act_by_actor"),
                    models.Index(fields=["kind", "at", "id"], name="act_by_kind"),
                    models.Index(
                        condition=models.Q(("channel__in", ["portal", "cli"])),
                        fields=["channel", "at", "id"],
                        name="act_by_channel_of_people",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("topic", models.CharField(max_length=60)),
                (
                    "subject",
                    models.CharField(
                        help_text="the object it tells of; order is kept", max_length=100
                    ),
                ),
                ("payload", models.JSONField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("sent_at", None)),
                        fields=["id"],
                        name="outbox_to_be_sent",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["act"],
                        name="outbox_by_act",
                        pages_per_range=16,
                    ),
                ],
            },
        ),
    ]
