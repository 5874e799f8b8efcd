"""A work item is closed once by somebody who says why; a run of the checks finishes once."""

from django.db import migrations

from tallystick.book import guards, rights

CLOSED_ONCE = """
CREATE TRIGGER watch_workitem_closed_once BEFORE UPDATE ON watch_workitem FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change();
ALTER TABLE watch_workitem ENABLE ALWAYS TRIGGER watch_workitem_closed_once;
"""

FINISHED_ONCE = """
CREATE TRIGGER watch_verification_finished_once BEFORE UPDATE ON watch_verification FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL OR (OLD.id, OLD.started_at, OLD.asked_by)
          IS DISTINCT FROM (NEW.id, NEW.started_at, NEW.asked_by))
    EXECUTE FUNCTION refuse_change();
ALTER TABLE watch_verification ENABLE ALWAYS TRIGGER watch_verification_finished_once;
"""


class Migration(migrations.Migration):
    dependencies = [("watch", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        migrations.RunSQL(CLOSED_ONCE, "DROP TRIGGER watch_workitem_closed_once ON watch_workitem"),
        migrations.RunSQL(
            FINISHED_ONCE, "DROP TRIGGER watch_verification_finished_once ON watch_verification"
        ),
        *guards.never_removed(["watch_workitem", "watch_verification"]),
        rights.answered("watch_workitem", ["closed_at", "closed_by", "resolution"]),
        rights.answered(
            "watch_verification", ["finished_at", "check_count", "finding_count", "findings"]
        ),
    ]
