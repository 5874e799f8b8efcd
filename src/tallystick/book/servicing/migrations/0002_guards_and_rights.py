"""Events, lines and steps are only added to; a position ends, and is never taken away."""

from django.db import migrations

from tallystick.book import guards, rights
from tallystick.book.servicing.models import STILL_IN_FORCE

# The position of a past booking date is history: only the one in force is written to.
HISTORY_KEPT = f"""
CREATE TRIGGER servicing_position_history_kept BEFORE UPDATE ON servicing_position FOR EACH ROW
    WHEN (OLD.superseded_date <> '{STILL_IN_FORCE}')
    EXECUTE FUNCTION refuse_change();
ALTER TABLE servicing_position ENABLE ALWAYS TRIGGER servicing_position_history_kept;
"""

ADDED_TO = ["servicing_loanevent", "servicing_settlementline", "servicing_daystep"]


class Migration(migrations.Migration):
    dependencies = [("servicing", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        migrations.RunSQL(
            HISTORY_KEPT, "DROP TRIGGER servicing_position_history_kept ON servicing_position"
        ),
        *guards.never_changed(ADDED_TO),
        *rights.append_only(ADDED_TO),
        *guards.never_removed(["servicing_position"]),
        migrations.RunSQL(
            f"GRANT SELECT, INSERT, UPDATE ON servicing_position TO {rights.APPLICATION_ROLE}",
            f"REVOKE ALL ON servicing_position FROM {rights.APPLICATION_ROLE}",
        ),
    ]
