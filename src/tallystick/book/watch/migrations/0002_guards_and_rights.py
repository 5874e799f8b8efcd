"""A work item is opened, closed once by somebody who says why, and kept."""

from django.db import migrations

from tallystick.book import guards, rights

CLOSED_ONCE = """
CREATE TRIGGER watch_workitem_closed_once BEFORE UPDATE ON watch_workitem FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change();
ALTER TABLE watch_workitem ENABLE ALWAYS TRIGGER watch_workitem_closed_once;
"""


class Migration(migrations.Migration):
    dependencies = [("watch", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        migrations.RunSQL(CLOSED_ONCE, "DROP TRIGGER watch_workitem_closed_once ON watch_workitem"),
        *guards.never_removed(["watch_workitem"]),
        rights.answered("watch_workitem", ["closed_at", "closed_by", "resolution"]),
    ]
