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
            name="Proposal",
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
                            ("extension", "extension"),
                            ("due_move", "move of the due date"),
                            ("re_aging", "re-aging"),
                            ("interest_pause", "interest pause"),
                            ("rate_change", "rate change"),
                            ("waiver", "waiver of a charge"),
                            ("restructuring", "restructuring"),
                            ("charge_off", "charge-off"),
                            ("share_sale", "sale of a share"),
                            ("share_buy_back", "buy-back of a share"),
                            ("share_reversal", "reversal of a share's transfer"),
                            ("event_reversal", "reversal of an event"),
                            ("charge_back", "chargeback"),
                            ("refund", "refund of credit"),
                        ],
                        max_length=20,
                    ),
                ),
                ("terms", models.JSONField()),
                ("reason", models.CharField(max_length=500)),
                ("proposed_date", models.DateField(help_text="business day")),
                (
                    "proposed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("decided_date", models.DateField(help_text="business day", null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("approved", models.BooleanField(null=True)),
                ("decision_reason", models.CharField(blank=True, db_default="", max_length=500)),
                ("figures", models.JSONField(null=True)),
                (
                    "act",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="acts.act"
                    ),
                ),
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
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="parties.legalentity"
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="parties.party",
                    ),
                ),
                (
                    "loan",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="financing.loan",
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
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("approved", None)),
                        fields=["legal_entity", "id"],
                        name="proposal_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checker", None),
                            models.Q(("checker", models.F("maker")), _negated=True),
                            _connector="OR",
                        ),
                        name="proposal_checked_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("approved", None),
                                ("checker", None),
                                ("decided_at", None),
                                ("decided_date", None),
                                ("figures", None),
                            ),
                            models.Q(
                                models.Q(
                                    ("checker__isnull", False),
                                    ("approved", False),
                                    _connector="OR",
                                ),
                                ("approved__isnull", False),
                                ("decided_at__isnull", False),
                                ("decided_date__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="proposal_decided_at_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved", True), ("figures__isnull", False)),
                            models.Q(("approved", False), ("figures", None)),
                            ("approved", None),
                            _connector="OR",
                        ),
                        name="proposal_carried_out_when_approved",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("approved", None)),
                        fields=("loan", "kind"),
                        name="proposal_one_undecided",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("approved", None), ("loan", None)),
                        fields=("legal_entity", "supplier", "kind"),
                        name="proposal_one_undecided_of_supplier",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "refund"), ("loan", None)),
                            models.Q(
                                models.Q(("kind", "refund"), _negated=True),
                                ("loan__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="proposal_names_its_loan",
                    ),
                ],
            },
        ),
    ]
