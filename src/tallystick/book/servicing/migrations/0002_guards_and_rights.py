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

# One check a statement for all the rows just inserted; what they refer to is never deleted.
# OFFSET keeps each a look-up by key, whatever the size of the tables was when it was planned.
REFERENCES_HOLD = """
CREATE FUNCTION servicing_check_references() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong_id bigint;
BEGIN
    -- Arguments: column and the table it refers to, column and table, …
    FOR place IN 0 .. TG_NARGS - 1 BY 2 LOOP
        EXECUTE format(
            'SELECT %1$I FROM (SELECT DISTINCT %1$I FROM fresh WHERE %1$I IS NOT NULL) AS named'
            ' WHERE NOT EXISTS (SELECT FROM public.%2$I AS other WHERE other.id = %1$I OFFSET 0)'
            ' LIMIT 1', TG_ARGV[place], TG_ARGV[place + 1]) INTO wrong_id;
        IF wrong_id IS NOT NULL THEN
            RAISE EXCEPTION '% of % refers to % %, which is not there',
                TG_ARGV[place], TG_TABLE_NAME, TG_ARGV[place + 1], wrong_id
                USING ERRCODE = 'foreign_key_violation';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
"""

REFERENCES = {
    "servicing_loanevent": {"loan_id": "financing_loan", "act_id": "acts_act"},
    "servicing_position": {"loan_id": "financing_loan", "book_id": "ledger_book"},
    "servicing_repaymentplan": {"loan_id": "financing_loan"},
    "servicing_settlementline": {
        "receipt_id": "payments_cashreceipt",
        "supplier_id": "parties_party",
        "facility_id": "financing_facility",
        "loan_id": "financing_loan",
        "advance_id": "sales_credit_advance",
        "payment_id": "payments_paymentorder",
    },
}


def checked(table: str, references: dict[str, str]) -> migrations.RunSQL:
    arguments = ", ".join(f"{column}, {other}" for column, other in references.items())
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_checked AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh
            FOR EACH STATEMENT EXECUTE FUNCTION servicing_check_references({arguments});
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_checked;
        """,
        f"DROP TRIGGER {table}_checked ON {table}",
    )


ADDED_TO = ["servicing_loanevent", "servicing_settlementline", "servicing_daystep"]


class Migration(migrations.Migration):
    dependencies = [("servicing", "0001_initial"), ("acts", "0002_guards_and_rights")]

    operations = [
        migrations.RunSQL(REFERENCES_HOLD, "DROP FUNCTION servicing_check_references()"),
        *(checked(table, references) for table, references in REFERENCES.items()),
        migrations.RunSQL(
            HISTORY_KEPT, "DROP TRIGGER servicing_position_history_kept ON servicing_position"
        ),
        *guards.never_changed(ADDED_TO),
        *rights.append_only(ADDED_TO),
        *guards.never_removed(["servicing_position", "servicing_repaymentplan"]),
        *(
            migrations.RunSQL(
                f"GRANT SELECT, INSERT, UPDATE ON {table} TO {rights.APPLICATION_ROLE}",
                f"REVOKE ALL ON {table} FROM {rights.APPLICATION_ROLE}",
            )
            for table in ("servicing_position", "servicing_repaymentplan")
        ),
    ]
