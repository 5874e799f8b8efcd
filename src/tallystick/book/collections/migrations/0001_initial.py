import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("acts", "0003_answer_to"),
        ("financing", "0004_guards_and_rights"),
        ("parties", "0002_rights"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("opened_date", models.DateField()),
                ("closed_date", models.DateField(null=True)),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[("cured", "nothing is past due"), ("written_off", "written off")],
                        max_length=20,
                    ),
                ),
                ("paused_until_date", models.DateField(null=True)),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="parties.legalentity"
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="parties.party",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Correspondence",
            fields=[
                (
                    "party",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="parties.party",
                    ),
                ),
                ("language", models.CharField(max_length=10)),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LadderInForce",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("from_date", models.DateField()),
                ("content", models.JSONField(help_text="as rules.dunning.as_content writes it")),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="parties.legalentity"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("step", models.CharField(max_length=40)),
                ("min_days_past_due", models.IntegerField()),
                (
                    "letter",
                    models.CharField(
                        choices=[
                            ("reminder", "reminder"),
                            ("second_reminder", "second_reminder"),
                            ("demand", "demand"),
                            ("final_notice", "final_notice"),
                            ("hand_over", "hand_over"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("mail", "mail"), ("webhook", "webhook"), ("task", "task")],
                        max_length=20,
                    ),
                ),
                (
                    "recipient",
                    models.CharField(
                        choices=[("firm", "firm"), ("officer", "officer")], max_length=20
                    ),
                ),
                ("date", models.DateField(help_text="the day it was due")),
                ("clause", models.CharField(max_length=300)),
                ("facts", models.JSONField()),
                (
                    "addresses",
                    models.JSONField(help_text="electronic mail; empty for other channels"),
                ),
                ("language", models.CharField(max_length=10)),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("body", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting to be sent"),
                            ("sent", "sent"),
                            ("withdrawn", "withdrawn: the case ended first"),
                            ("dead", "given up"),
                        ],
                        max_length=20,
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(blank=True, max_length=300)),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="collections.case",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "opened"),
                            ("closed", "closed"),
                            ("note", "note"),
                            ("assigned", "assigned"),
                            ("paused", "paused"),
                        ],
                        max_length=20,
                    ),
                ),
                ("text", models.CharField(max_length=2000)),
                ("date", models.DateField(help_text="business day")),
                ("author", models.CharField(max_length=254)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="collections.case"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PayTo",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("account_holder", models.CharField(max_length=200)),
                ("account_number", models.CharField(max_length=64)),
                ("bank", models.CharField(max_length=200)),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="parties.legalentity"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PromiseToPay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("amount_minor", models.BigIntegerField()),
                ("made_date", models.DateField()),
                ("promised_date", models.DateField()),
                ("made_by", models.CharField(max_length=254)),
                (
                    "by_firm",
                    models.BooleanField(help_text="said by the firm itself, in its portal"),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[("running", "running"), ("kept", "kept"), ("broken", "broken")],
                        default="running",
                        max_length=20,
                    ),
                ),
                ("decided_date", models.DateField(null=True)),
                (
                    "received_minor",
                    models.BigIntegerField(help_text="cash counted when it was decided", null=True),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="collections.case"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_date", None)),
                fields=("legal_entity", "party"),
                name="collection_case_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_date", None), ("end", "")),
                    models.Q(("closed_date__isnull", False), models.Q(("end", ""), _negated=True)),
                    _connector="OR",
                ),
                name="collection_case_ends_whole",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["next_attempt_at"],
                name="dunning_message_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("case", "step"), name="dunning_step_once"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_attempt_at__isnull", False), ("state", "waiting")),
                    models.Q(
                        models.Q(("state", "waiting"), _negated=True), ("next_attempt_at", None)
                    ),
                    _connector="OR",
                ),
                name="dunning_message_waits_or_ended",
            ),
        ),
        migrations.AddConstraint(
            model_name="promisetopay",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor__gt", 0), ("promised_date__gte", models.F("made_date"))
                ),
                name="promise_can_be_kept",
            ),
        ),
        migrations.AddConstraint(
            model_name="promisetopay",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_date", None), ("outcome", "running"), ("received_minor", None)
                    ),
                    models.Q(
                        models.Q(("outcome", "running"), _negated=True),
                        ("decided_date__isnull", False),
                        ("received_minor__gte", 0),
                    ),
                    _connector="OR",
                ),
                name="promise_decided_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="promisetopay",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "running")),
                fields=("case", "currency"),
                name="promise_one_running",
            ),
        ),
    ]
