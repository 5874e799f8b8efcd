# Fields are in an order that leaves no gaps between columns: postings are many.

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("acts", "0001_initial"),
        ("parties", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Book",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "programme",
                    models.CharField(
                        help_text="programme code, such as jd.jingbaobei", max_length=64
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "asset_class",
                    models.CharField(help_text="normal, special_mention …", max_length=20),
                ),
                (
                    "funder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="parties.party",
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="parties.legalentity",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="name in the chart, such as loan_principal", max_length=60
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "legal_entity",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="parties.legalentity",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="parties.party",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.book",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="parties.legalentity",
                    ),
                ),
                (
                    "act",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="acts.act",
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="ledger.entry",
                    ),
                ),
                (
                    "booked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("value_date", models.DateField()),
                ("booking_date", models.DateField(help_text="open business day it was booked in")),
                ("line_count", models.SmallIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "event",
                    models.CharField(
                        help_text="business event, such as loan_disbursed", max_length=60
                    ),
                ),
                ("reference", models.CharField(help_text="the object it is about", max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name="ManualJournal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("proposal", models.JSONField(help_text="the entry as it would be posted")),
                ("reason", models.CharField(max_length=500)),
                (
                    "proposed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("approved", models.BooleanField(null=True)),
                ("decision_reason", models.CharField(blank=True, db_default="", max_length=500)),
                (
                    "checker",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="ledger.entry"
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="parties.legalentity"
                    ),
                ),
                (
                    "maker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "entry_id",
                        "line",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.entry",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.account",
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("value_date", models.DateField()),
                ("booking_date", models.DateField()),
                ("line", models.SmallIntegerField()),
                ("side", models.SmallIntegerField(choices=[(1, "debit"), (-1, "credit")])),
            ],
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "booking_date",
                        "value_date",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.account",
                    ),
                ),
                ("booking_date", models.DateField()),
                ("value_date", models.DateField()),
                ("debit_minor", models.DecimalField(decimal_places=0, max_digits=38)),
                ("credit_minor", models.DecimalField(decimal_places=0, max_digits=38)),
            ],
        ),
        migrations.CreateModel(
            name="DayTotal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "booking_date",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.account",
                    ),
                ),
                ("booking_date", models.DateField()),
                ("debit_minor", models.DecimalField(decimal_places=0, max_digits=38)),
                ("credit_minor", models.DecimalField(decimal_places=0, max_digits=38)),
            ],
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date", models.DateField()),
                ("entry_count", models.BigIntegerField()),
                ("merkle_root", models.BinaryField(max_length=32)),
                ("previous_hash", models.BinaryField(max_length=32)),
                ("seal_hash", models.BinaryField(max_length=32)),
                (
                    "sealed_at",
                    models.DateTimeField(
                        help_text="set by the database, after the day's last entry"
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="parties.legalentity",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="book",
            constraint=models.UniqueConstraint(
                fields=("legal_entity", "programme", "funder", "currency", "asset_class"),
                name="book_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                models.F("legal_entity"),
                models.F("currency"),
                models.F("name"),
                django.db.models.functions.comparison.Coalesce("book_id", 0),
                django.db.models.functions.comparison.Coalesce("party_id", 0),
                name="account_once",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                fields=["legal_entity", "booking_date"], name="entry_by_booking_date"
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["reference"], name="entry_by_reference"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["act"], name="entry_by_act", pages_per_range=16
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("line_count__gte", 2)), name="entry_has_two_sides"
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("id", models.F("reverses_id")), _negated=True),
                name="entry_reverses_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reverses__isnull", False)),
                fields=("reverses",),
                name="entry_reversed_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="manualjournal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checker", None),
                    models.Q(("checker", models.F("maker")), _negated=True),
                    _connector="OR",
                ),
                name="manual_journal_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="manualjournal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved", None), ("checker", None), ("decided_at", None)),
                    models.Q(
                        ("approved__isnull", False),
                        ("checker__isnull", False),
                        ("decided_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="manual_journal_decided_at_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="manualjournal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved", True), ("entry__isnull", False)),
                    models.Q(
                        models.Q(("approved", None), ("approved", False), _connector="OR"),
                        ("entry", None),
                    ),
                    _connector="OR",
                ),
                name="manual_journal_posted_when_approved",
            ),
        ),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(fields=["account", "booking_date"], name="posting_by_account"),
        ),
        migrations.AddIndex(
            model_name="rollup",
            index=models.Index(
                condition=models.Q(("value_date__gt", models.F("booking_date"))),
                fields=["account", "value_date"],
                name="rollup_forward_dated",
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="posting_amount_above_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(("side__in", [1, -1])), name="posting_side_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(("line__gte", 1)), name="posting_line_counted_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="seal",
            constraint=models.UniqueConstraint(
                fields=("legal_entity", "date"), name="seal_once_a_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="seal",
            constraint=models.CheckConstraint(
                condition=models.Q(("entry_count__gte", 0)), name="seal_count_not_negative"
            ),
        ),
    ]
