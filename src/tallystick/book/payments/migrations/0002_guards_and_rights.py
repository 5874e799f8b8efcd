"""What the bank says is kept; an order is answered once; cash received stays received."""

from django.db import migrations

from tallystick.book import guards, rights

ROLE = rights.APPLICATION_ROLE

ANSWERED_ONCE = """
CREATE TRIGGER payments_paymentorder_answered_once BEFORE UPDATE ON payments_paymentorder
    FOR EACH ROW
    WHEN (OLD.status <> 'ordered'
          OR (OLD.id, OLD.end_to_end_id, OLD.beneficiary_id, OLD.loan_id, OLD.advance_id,
              OLD.currency, OLD.amount_minor, OLD.act_id)
          IS DISTINCT FROM (NEW.id, NEW.end_to_end_id, NEW.beneficiary_id, NEW.loan_id,
              NEW.advance_id, NEW.currency, NEW.amount_minor, NEW.act_id))
    EXECUTE FUNCTION refuse_change();
ALTER TABLE payments_paymentorder ENABLE ALWAYS TRIGGER payments_paymentorder_answered_once;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        migrations.RunSQL(
            ANSWERED_ONCE,
            "DROP TRIGGER payments_paymentorder_answered_once ON payments_paymentorder",
        ),
        *guards.never_changed(["payments_bankanswer", "payments_remittanceline"]),
        *guards.never_removed(["payments_paymentorder", "payments_cashreceipt"]),
        rights.answered("payments_paymentorder", ["status"]),
        rights.answered("payments_cashreceipt", ["unapplied_minor", "reversed_date"]),
        *rights.append_only(["payments_bankanswer", "payments_remittanceline"]),
        # An order's end-to-end id is made from its number.
        migrations.RunSQL(
            f"GRANT USAGE ON SEQUENCE payments_paymentorder_id_seq TO {ROLE}",
            f"REVOKE ALL ON SEQUENCE payments_paymentorder_id_seq FROM {ROLE}",
        ),
    ]
