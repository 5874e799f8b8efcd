"""Cases, promises and letters end once; notes and ladders are only added to."""

from django.db import migrations

from tallystick.book import guards, rights


def ends_once(table: str, while_open: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_ends_once BEFORE UPDATE ON {table} FOR EACH ROW
            WHEN (NOT ({while_open})) EXECUTE FUNCTION refuse_change();
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_ends_once;
        """,
        f"DROP TRIGGER {table}_ends_once ON {table}",
    )


# What was said is never said otherwise: a letter's text is written once.
TEXT_KEPT = """
CREATE TRIGGER collections_message_text_kept BEFORE UPDATE ON collections_message FOR EACH ROW
    WHEN (OLD.body <> '' AND (OLD.subject, OLD.body, OLD.addresses, OLD.language)
          IS DISTINCT FROM (NEW.subject, NEW.body, NEW.addresses, NEW.language))
    EXECUTE FUNCTION refuse_change();
ALTER TABLE collections_message ENABLE ALWAYS TRIGGER collections_message_text_kept;
"""

ADDED_TO = ["collections_ladderinforce", "collections_payto", "collections_note"]
ENDING = ["collections_case", "collections_promisetopay", "collections_message"]


class Migration(migrations.Migration):
    dependencies = [("collections", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        *guards.never_changed(ADDED_TO),
        *rights.append_only(ADDED_TO),
        *guards.never_removed([*ENDING, "collections_correspondence"]),
        ends_once("collections_case", "OLD.closed_date IS NULL"),
        ends_once("collections_promisetopay", "OLD.outcome = 'running'"),
        # One that was given up may be tried again.
        ends_once("collections_message", "OLD.state IN ('waiting', 'dead')"),
        migrations.RunSQL(
            TEXT_KEPT, "DROP TRIGGER collections_message_text_kept ON collections_message"
        ),
        rights.answered(
            "collections_case", ["closed_date", '"end"', "assignee_id", "paused_until_date"]
        ),
        rights.answered("collections_promisetopay", ["outcome", "decided_date", "received_minor"]),
        rights.answered(
            "collections_message",
            [
                "addresses",
                "subject",
                "body",
                "state",
                "attempts",
                "next_attempt_at",
                "sent_at",
                "last_error",
            ],
        ),
        rights.answered("collections_correspondence", ["language", "email", "act_id"]),
    ]
