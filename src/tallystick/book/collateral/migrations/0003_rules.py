"""Terms, bases and former assignments are only added to; and who may write the others."""

from django.db import migrations

from tallystick.book import guards, rights

ONLY_GROWING = [
    "collateral_poolterms",
    "collateral_termsinforce",
    "collateral_poolbase",
    "collateral_assignment",
]


class Migration(migrations.Migration):
    dependencies = [
        ("collateral", "0002_references"),
        ("acts", "0002_guards_and_rights"),
    ]

    operations = [
        *guards.never_changed(ONLY_GROWING),
        *guards.never_removed(["collateral_pool", "collateral_securityinterest"]),
        *rights.append_only(ONLY_GROWING),
        rights.answered(
            "collateral_pool",
            [
                "terms_id",
                "version",
                "base_version",
                "base_date",
                "base_minor",
                "cover_minor",
            ],
        ),
        rights.answered("collateral_securityinterest", ["to_date"]),
    ]
