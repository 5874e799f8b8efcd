"""Firms, entities and users stay; only what may change of them is written to."""

from django.db import migrations

from tallystick.book import guards, rights


class Migration(migrations.Migration):
    dependencies = [("parties", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        *guards.never_removed(
            ["parties_party", "parties_legalentity", "parties_relatedparty", "parties_user"]
        ),
        rights.answered("parties_party", ["name"]),
        rights.answered("parties_legalentity", ["business_date"]),
        rights.answered("parties_relatedparty", ["to_date"]),
        rights.answered(
            "parties_user",
            [
                "password",
                "must_change_password",
                "last_login",
                "name",
                "role",
                "party_id",
                "is_active",
            ],
        ),
    ]
