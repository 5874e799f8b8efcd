"""A proposal stays as it was made, and is decided on once."""

from django.db import migrations

from tallystick.book import guards, rights

DECIDED_ONCE = """
CREATE TRIGGER proposals_proposal_decided_once BEFORE UPDATE ON proposals_proposal FOR EACH ROW
    WHEN (OLD.approved IS NOT NULL)
    EXECUTE FUNCTION refuse_change();
ALTER TABLE proposals_proposal ENABLE ALWAYS TRIGGER proposals_proposal_decided_once;
"""
DECISION = ["checker_id", "decided_date", "decided_at", "approved", "decision_reason", "figures"]


class Migration(migrations.Migration):
    dependencies = [("proposals", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        migrations.RunSQL(
            DECIDED_ONCE, "DROP TRIGGER proposals_proposal_decided_once ON proposals_proposal"
        ),
        *guards.never_removed(["proposals_proposal"]),
        rights.answered("proposals_proposal", DECISION),
    ]
