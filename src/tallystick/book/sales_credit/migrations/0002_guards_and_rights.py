"""Decisions, events and looks are only added to; a position ends, and is never taken away."""

from django.db import migrations

from tallystick.book import guards, rights
from tallystick.book.sales_credit.models import STILL_IN_FORCE

HISTORY_KEPT = f"""
CREATE TRIGGER sales_credit_position_history_kept BEFORE UPDATE ON sales_credit_advanceposition
    FOR EACH ROW WHEN (OLD.superseded_date <> '{STILL_IN_FORCE}')
    EXECUTE FUNCTION refuse_change();
ALTER TABLE sales_credit_advanceposition ENABLE ALWAYS TRIGGER sales_credit_position_history_kept;
"""

# The terms of an advance stand from the request on, and it is paid out on one day.
TERMS_STAND = """
CREATE TRIGGER sales_credit_advance_terms_stand BEFORE UPDATE ON sales_credit_advance
    FOR EACH ROW WHEN (
        (OLD.id, OLD.code, OLD.line_id, OLD.decision_id, OLD.currency, OLD.advance_minor,
         OLD.fee_minor, OLD.daily_rate_ppb, OLD.share_bps, OLD.yearly_sales_minor, OLD.year_days,
         OLD.drawn_date, OLD.commitment_id)
        IS DISTINCT FROM
        (NEW.id, NEW.code, NEW.line_id, NEW.decision_id, NEW.currency, NEW.advance_minor,
         NEW.fee_minor, NEW.daily_rate_ppb, NEW.share_bps, NEW.yearly_sales_minor, NEW.year_days,
         NEW.drawn_date, NEW.commitment_id)
        OR OLD.disbursed_date IS NOT NULL
           AND OLD.disbursed_date IS DISTINCT FROM NEW.disbursed_date)
    EXECUTE FUNCTION refuse_change();
ALTER TABLE sales_credit_advance ENABLE ALWAYS TRIGGER sales_credit_advance_terms_stand;
"""

DECIDED_ONCE = """
CREATE TRIGGER sales_credit_loss_decided_once BEFORE UPDATE ON sales_credit_lossproposal
    FOR EACH ROW WHEN (OLD.approved IS NOT NULL)
    EXECUTE FUNCTION refuse_change();
ALTER TABLE sales_credit_lossproposal ENABLE ALWAYS TRIGGER sales_credit_loss_decided_once;
"""

ADDED_TO = ["sales_credit_salesdecision", "sales_credit_advanceevent", "sales_credit_pacelook"]


class Migration(migrations.Migration):
    dependencies = [("sales_credit", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        migrations.RunSQL(
            HISTORY_KEPT,
            "DROP TRIGGER sales_credit_position_history_kept ON sales_credit_advanceposition",
        ),
        migrations.RunSQL(
            TERMS_STAND, "DROP TRIGGER sales_credit_advance_terms_stand ON sales_credit_advance"
        ),
        migrations.RunSQL(
            DECIDED_ONCE, "DROP TRIGGER sales_credit_loss_decided_once ON sales_credit_lossproposal"
        ),
        *guards.never_changed(ADDED_TO),
        *rights.append_only(ADDED_TO),
        *guards.never_removed(
            [
                "sales_credit_salesline",
                "sales_credit_advance",
                "sales_credit_advanceposition",
                "sales_credit_lossproposal",
            ]
        ),
        rights.answered(
            "sales_credit_salesline",
            ["limit_minor", "drawn_minor", "expiry_date", "frozen_reason"],
        ),
        rights.answered(
            "sales_credit_advance",
            ["book_id", "disbursed_date", "status", "look_date", "behind_since_date"],
        ),
        rights.answered(
            "sales_credit_lossproposal",
            ["checker_id", "decided_at", "approved", "decision_reason"],
        ),
        migrations.RunSQL(
            "GRANT SELECT, INSERT, UPDATE ON sales_credit_advanceposition"
            f" TO {rights.APPLICATION_ROLE}",
            f"REVOKE ALL ON sales_credit_advanceposition FROM {rights.APPLICATION_ROLE}",
        ),
    ]
