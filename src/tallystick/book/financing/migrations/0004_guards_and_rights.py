"""Decisions are kept, a reservation's fate is written once, and nothing is taken away."""

from django.db import migrations

from tallystick.book import guards, rights

ROLE = rights.APPLICATION_ROLE

FATE_ONCE = """
CREATE TRIGGER financing_reservation_fate_once BEFORE UPDATE ON financing_reservation
    FOR EACH ROW
    WHEN (OLD.fate <> '' OR (OLD.loan_id, OLD.amount_minor, OLD.entry_id)
          IS DISTINCT FROM (NEW.loan_id, NEW.amount_minor, NEW.entry_id))
    EXECUTE FUNCTION refuse_change();
ALTER TABLE financing_reservation ENABLE ALWAYS TRIGGER financing_reservation_fate_once;
"""

# The drawdown's statement gives these rows numbers that it must know beforehand.
NUMBERS = f"""
GRANT USAGE ON SEQUENCE acts_act_id_seq, financing_decision_id_seq, financing_loan_id_seq
    TO {ROLE};
"""


class Migration(migrations.Migration):
    dependencies = [("financing", "0003_drawdown")]

    operations = [
        migrations.RunSQL(
            FATE_ONCE, "DROP TRIGGER financing_reservation_fate_once ON financing_reservation"
        ),
        *guards.never_changed(
            ["financing_programme", "financing_decision", "financing_referencerate"]
        ),
        *guards.never_removed(
            [
                "financing_programmelimit",
                "financing_facility",
                "financing_loan",
                "financing_reservation",
            ]
        ),
        *rights.append_only(
            ["financing_programme", "financing_decision", "financing_referencerate"]
        ),
        rights.answered("financing_programmelimit", ["limit_minor", "drawn_minor"]),
        rights.answered(
            "financing_facility",
            ["limit_minor", "drawn_minor", "annual_rate_ppb", "expiry_date", "frozen_reason"],
        ),
        rights.answered(
            "financing_loan",
            [
                "book_id",
                "due_date",
                "maturity_date",
                "agreed_plan",
                "agreed_due_date",
                "due_date_provisional",
                "status",
            ],
        ),
        rights.answered("financing_reservation", ["fate", "fate_entry_id", "fate_date"]),
        migrations.RunSQL(
            NUMBERS,
            "REVOKE ALL ON SEQUENCE acts_act_id_seq, financing_decision_id_seq,"
            f" financing_loan_id_seq FROM {ROLE}",
        ),
    ]
