"""A seal is the next day's, closes it, and sums its postings up."""

from django.db import migrations

# The roll-up belongs to the seal's own insertion: balances read roll-ups up to the last seal and
# postings after it, so that neither may be there without the other. The application has no
# right to write roll-ups; this function runs as their owner.
SEALED = """
CREATE FUNCTION ledger_seal_day() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entity parties_legalentity;
    last ledger_seal;
    day_count bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(ledger_day_lock(NEW.legal_entity_id, NEW.date));
    SELECT * INTO STRICT entity FROM parties_legalentity WHERE id = NEW.legal_entity_id;
    SELECT * INTO last FROM ledger_seal
        WHERE legal_entity_id = NEW.legal_entity_id ORDER BY date DESC LIMIT 1;

    IF NEW.date <> coalesce(last.date + 1, entity.opened_date)
       OR NEW.previous_hash <> coalesce(last.seal_hash, decode(repeat('00', 32), 'hex')) THEN
        RAISE EXCEPTION 'the seal of % for % does not follow that of %',
                entity.code, NEW.date, last.date
            USING ERRCODE = 'check_violation', CONSTRAINT = 'seal_follows_last';
    END IF;
    IF NEW.date >= entity.business_date THEN
        RAISE EXCEPTION 'the day % of % is still open', NEW.date, entity.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'seal_of_closed_day';
    END IF;
    SELECT count(*) INTO day_count FROM ledger_entry
        WHERE legal_entity_id = NEW.legal_entity_id AND booking_date = NEW.date;
    IF NEW.entry_count <> day_count THEN
        RAISE EXCEPTION 'the seal of % for % counts % entries, there are %',
                entity.code, NEW.date, NEW.entry_count, day_count
            USING ERRCODE = 'check_violation', CONSTRAINT = 'seal_counts_entries';
    END IF;

    WITH rollup AS (
        INSERT INTO ledger_rollup
            (account_id, booking_date, value_date, debit_minor, credit_minor)
        SELECT posting.account_id, posting.booking_date, posting.value_date,
               coalesce(sum(amount_minor) FILTER (WHERE side = 1), 0),
               coalesce(sum(amount_minor) FILTER (WHERE side = -1), 0)
        FROM ledger_entry AS entry JOIN ledger_posting AS posting ON posting.entry_id = entry.id
        WHERE entry.legal_entity_id = NEW.legal_entity_id AND entry.booking_date = NEW.date
        GROUP BY posting.account_id, posting.booking_date, posting.value_date
        RETURNING *
    )
    INSERT INTO ledger_daytotal (account_id, booking_date, debit_minor, credit_minor)
    SELECT account_id, booking_date, sum(debit_minor), sum(credit_minor)
    FROM rollup WHERE value_date <= booking_date
    GROUP BY account_id, booking_date;

    NEW.sealed_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_seal_rolls_up BEFORE INSERT ON ledger_seal
    FOR EACH ROW EXECUTE FUNCTION ledger_seal_day();
ALTER TABLE ledger_seal ENABLE ALWAYS TRIGGER ledger_seal_rolls_up;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_post")]

    operations = [
        migrations.RunSQL(
            SEALED,
            "DROP TRIGGER ledger_seal_rolls_up ON ledger_seal; DROP FUNCTION ledger_seal_day",
        ),
    ]
