"""A participation is superseded and followed by others, a transfer of a share taken back once; no
row of them, and no line, is taken away."""

from django.db import migrations

from tallystick.book import guards, rights

CHANGED_ONCE = """
CREATE TRIGGER {table}_changed_once BEFORE UPDATE ON {table} FOR EACH ROW
    WHEN (OLD.{column} IS NOT NULL)
    EXECUTE FUNCTION refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_changed_once;
"""


class Migration(migrations.Migration):
    dependencies = [("funding", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        *guards.never_removed(
            ["funding_fundingline", "funding_participation", "funding_sharetransfer"]
        ),
        *(
            migrations.RunSQL(
                CHANGED_ONCE.format(table=table, column=column),
                f"DROP TRIGGER {table}_changed_once ON {table}",
            )
            for table, column in (
                ("funding_participation", "superseded_date"),
                ("funding_sharetransfer", "reversed_date"),
            )
        ),
        rights.answered("funding_fundingline", ["rank", "limit_minor", "drawn_minor"]),
        rights.answered("funding_participation", ["superseded_date"]),
        rights.answered("funding_sharetransfer", ["reversed_date"]),
    ]
