"""The application adds entries, postings and seals; sealed totals it may only read."""

from django.db import migrations

from tallystick.book import rights

ROLE = rights.APPLICATION_ROLE

# Named columns, without booked_at: when an entry was booked is for the database to say.
ENTRIES = f"""
GRANT SELECT,
    INSERT (id, legal_entity_id, act_id, reverses_id, value_date, booking_date, line_count,
            currency, event, reference)
    ON ledger_entry TO {ROLE};
-- Ids of a bulk of entries are drawn before its rows are sent.
GRANT USAGE ON SEQUENCE ledger_entry_id_seq TO {ROLE};
GRANT SELECT ON ledger_rollup, ledger_daytotal TO {ROLE};
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_seals")]

    operations = [
        migrations.RunSQL(
            ENTRIES,
            f"REVOKE ALL ON ledger_entry, ledger_rollup, ledger_daytotal FROM {ROLE};"
            f"REVOKE ALL ON SEQUENCE ledger_entry_id_seq FROM {ROLE}",
        ),
        *rights.append_only(["ledger_book", "ledger_account", "ledger_posting", "ledger_seal"]),
        rights.answered(
            "ledger_manualjournal",
            ["checker_id", "decided_at", "approved", "decision_reason", "entry_id"],
        ),
    ]
