"""A class ends and is never taken away; a fact is decided on once; everything else only grows."""

from django.db import migrations

from tallystick.book import guards, rights
from tallystick.book.impairment.models import STILL_IN_FORCE

HISTORY_KEPT = f"""
CREATE TRIGGER impairment_loanclass_ended_once BEFORE UPDATE ON impairment_loanclass FOR EACH ROW
    WHEN (OLD.superseded_date <> '{STILL_IN_FORCE}')
    EXECUTE FUNCTION refuse_change();
ALTER TABLE impairment_loanclass ENABLE ALWAYS TRIGGER impairment_loanclass_ended_once;
"""

DECIDED_ONCE = """
CREATE TRIGGER impairment_fact_decided_once BEFORE UPDATE ON impairment_fact FOR EACH ROW
    WHEN (OLD.decided_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change();
ALTER TABLE impairment_fact ENABLE ALWAYS TRIGGER impairment_fact_decided_once;
"""

# One check a statement; what a class refers to is never deleted.
LOANS_ARE_THERE = """
CREATE TRIGGER impairment_loanclass_checked AFTER INSERT ON impairment_loanclass
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT
    EXECUTE FUNCTION servicing_check_references(loan_id, financing_loan, pack_id, impairment_pack);
ALTER TABLE impairment_loanclass ENABLE ALWAYS TRIGGER impairment_loanclass_checked;
"""

ADDED_TO = [
    "impairment_pack",
    "impairment_packinforce",
    "impairment_provision",
    "impairment_reserve",
]
DECISION = ["checker_id", "decided_at", "approved", "decision_reason", "booking_date"]


ADVANCE_CLASS_ENDED_ONCE = f"""
CREATE TRIGGER impairment_advanceclass_ended_once BEFORE UPDATE ON impairment_advanceclass
    FOR EACH ROW WHEN (OLD.superseded_date <> '{STILL_IN_FORCE}')
    EXECUTE FUNCTION refuse_change();
ALTER TABLE impairment_advanceclass ENABLE ALWAYS TRIGGER impairment_advanceclass_ended_once;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("impairment", "0001_initial"),
        ("acts", "0002_guards_and_rights"),
        ("servicing", "0002_guards_and_rights"),
    ]

    operations = [
        migrations.RunSQL(
            HISTORY_KEPT, "DROP TRIGGER impairment_loanclass_ended_once ON impairment_loanclass"
        ),
        migrations.RunSQL(
            ADVANCE_CLASS_ENDED_ONCE,
            "DROP TRIGGER impairment_advanceclass_ended_once ON impairment_advanceclass",
        ),
        migrations.RunSQL(
            DECIDED_ONCE, "DROP TRIGGER impairment_fact_decided_once ON impairment_fact"
        ),
        migrations.RunSQL(
            LOANS_ARE_THERE, "DROP TRIGGER impairment_loanclass_checked ON impairment_loanclass"
        ),
        *guards.never_changed(ADDED_TO),
        *rights.append_only(ADDED_TO),
        *guards.never_removed(
            ["impairment_fact", "impairment_loanclass", "impairment_advanceclass"]
        ),
        rights.answered("impairment_fact", DECISION),
        rights.answered("impairment_loanclass", ["superseded_date"]),
        rights.answered("impairment_advanceclass", ["superseded_date"]),
    ]
