"""What the database refuses of entries and postings, whoever writes them and however many.

An entry's postings arrive in one statement, so checks run once per statement over the rows just
inserted. Row-level triggers and foreign keys on postings would check the same at half the speed.
"""

from django.db import migrations

from tallystick.book import guards

# One number per legal entity and day, in a range of its own (76 is L, for ledger). Whoever books
# in a day shares its lock; the seal takes it alone, and so waits for entries in flight and sees
# them all.
DAY_LOCK = """
CREATE FUNCTION ledger_day_lock(legal_entity_id bigint, day date) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT (76::bigint << 56) | (legal_entity_id << 24) | (day - date '2000-01-01')
$$;
"""

# Entries that came without their postings (COPY fills one table after the other). A row here is
# a promise, checked and removed when the transaction commits; other transactions never see one.
AWAITED_POSTINGS = """
CREATE TABLE ledger_awaited_postings (
    first_entry_id bigint PRIMARY KEY,
    last_entry_id bigint NOT NULL
);

CREATE FUNCTION ledger_await_postings(first_id bigint, last_id bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO ledger_awaited_postings VALUES (first_id, last_id)
$$;

CREATE FUNCTION ledger_check_awaited_postings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    empty_id bigint;
BEGIN
    SELECT entry.id INTO empty_id FROM ledger_entry AS entry
    WHERE entry.id BETWEEN NEW.first_entry_id AND NEW.last_entry_id
      AND NOT EXISTS (SELECT FROM ledger_posting WHERE entry_id = entry.id OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % has no postings', empty_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_has_postings';
    END IF;
    DELETE FROM ledger_awaited_postings WHERE first_entry_id = NEW.first_entry_id;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_awaited_postings_checked
    AFTER INSERT ON ledger_awaited_postings DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_check_awaited_postings();
ALTER TABLE ledger_awaited_postings ENABLE ALWAYS TRIGGER ledger_awaited_postings_checked;
"""

CHECK_ENTRIES = """
CREATE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    -- An older snapshot could miss the seal of a day that has closed since.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries are booked in read committed transactions only'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_booked_read_committed';
    END IF;

    -- Two statements: one alone would look for seals with a snapshot older than the locks.
    PERFORM pg_advisory_xact_lock_shared(public.ledger_day_lock(legal_entity_id, booking_date))
    FROM fresh_entry GROUP BY legal_entity_id, booking_date
    ORDER BY legal_entity_id, booking_date;

    SELECT booked.*, legal_entity.id IS NULL AS day_not_open INTO wrong
    FROM (
        SELECT legal_entity_id, booking_date, act_id FROM fresh_entry
        GROUP BY legal_entity_id, booking_date, act_id
    ) AS booked
    LEFT JOIN LATERAL (
        SELECT id FROM public.parties_legalentity AS entity
        WHERE id = booked.legal_entity_id
          AND booked.booking_date <= business_date
          AND booked.booking_date > coalesce(
              (SELECT max(date) FROM public.ledger_seal WHERE legal_entity_id = entity.id),
              opened_date - 1)
        OFFSET 0
    ) AS legal_entity ON true
    WHERE legal_entity.id IS NULL
       OR act_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM public.acts_act WHERE id = act_id OFFSET 0)
    LIMIT 1;
    IF wrong.day_not_open THEN
        RAISE EXCEPTION 'legal entity % has no open day %',
                wrong.legal_entity_id, wrong.booking_date
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_booked_in_open_day';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'there is no act %', wrong.act_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'entry_act_exists';
    END IF;

    PERFORM FROM fresh_entry
    WHERE NOT EXISTS (SELECT FROM public.ledger_posting WHERE entry_id = id OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
        PERFORM public.ledger_await_postings(min(id), max(id)) FROM fresh_entry;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entry_checked AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS fresh_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_checked;
"""

# Per entry: every line there and none too many (numbered 1 to line_count, by the key), debits
# equal credits, accounts of the same legal entity and currency, the entry's own dates.
#
# Grouped first, so that an entry is looked up once and not for each of its postings. OFFSET 0
# keeps a look-up a look-up, whatever the size of the table was when the statement was planned:
# never a join with the whole history.
WRONG_ENTRIES = """
    SELECT min(entry_id) FILTER (WHERE
            entry.id IS NULL
            OR entry.line_count <> by_entry.line_count
            OR entry.line_count <> last_line
            OR net_minor <> 0
            OR account_count <> by_entry.line_count
            OR entry.legal_entity_id <> first_legal_entity_id
            OR entry.legal_entity_id <> last_legal_entity_id
            OR entry.currency <> first_currency OR entry.currency <> last_currency
            OR entry.value_date <> first_value_date OR entry.value_date <> last_value_date
            OR entry.booking_date <> first_booking_date OR entry.booking_date <> last_booking_date
        ), coalesce(bool_or(entry.reverses_id IS NOT NULL), false)
    INTO wrong_id, any_reversal
    FROM (
        SELECT posting.entry_id,
            count(*) AS line_count, max(posting.line) AS last_line,
            sum(posting.side * posting.amount_minor) AS net_minor,
            count(account.id) AS account_count,
            min(account.legal_entity_id) AS first_legal_entity_id,
            max(account.legal_entity_id) AS last_legal_entity_id,
            min(account.currency) AS first_currency, max(account.currency) AS last_currency,
            min(posting.value_date) AS first_value_date,
            max(posting.value_date) AS last_value_date,
            min(posting.booking_date) AS first_booking_date,
            max(posting.booking_date) AS last_booking_date
        FROM fresh_posting AS posting
        LEFT JOIN LATERAL (
            SELECT * FROM public.ledger_account WHERE id = posting.account_id OFFSET 0
        ) AS account ON true
        GROUP BY posting.entry_id
    ) AS by_entry
    LEFT JOIN LATERAL (
        SELECT * FROM public.ledger_entry WHERE id = by_entry.entry_id OFFSET 0
    ) AS entry ON true
"""

# A reversal is the entry it names with its sides swapped: same accounts, same amounts.
NOT_MIRRORED = """
    SELECT id FROM (
        SELECT reversal.id, posting.account_id, posting.side, posting.amount_minor,
               1 AS count
        FROM fresh_posting AS posting
        JOIN public.ledger_entry AS reversal
          ON reversal.id = posting.entry_id AND reversal.reverses_id IS NOT NULL
        UNION ALL
        SELECT reversal.id, posting.account_id, -posting.side, posting.amount_minor, -1
        FROM (SELECT DISTINCT entry_id FROM fresh_posting) AS fresh
        JOIN public.ledger_entry AS reversal
          ON reversal.id = fresh.entry_id AND reversal.reverses_id IS NOT NULL
        JOIN public.ledger_posting AS posting ON posting.entry_id = reversal.reverses_id
    ) AS line
    GROUP BY id, account_id, side, amount_minor HAVING sum(count) <> 0
    LIMIT 1
"""

CHECK_POSTINGS = f"""
CREATE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong_id bigint;
    any_reversal boolean;
BEGIN
    {WRONG_ENTRIES};
    IF wrong_id IS NOT NULL THEN
        RAISE EXCEPTION 'entry % and its postings disagree', wrong_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balanced',
                  DETAIL = 'Postings arrive in one statement, are numbered from 1 to the '
                      'entry''s line_count, balance, and carry accounts of its legal entity '
                      'and currency, and its dates.';
    END IF;
    IF any_reversal THEN
        EXECUTE $reversal${NOT_MIRRORED}$reversal$ INTO wrong_id;
        IF wrong_id IS NOT NULL THEN
            RAISE EXCEPTION 'entry % is not the entry it reverses with its sides swapped', wrong_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_mirrors_reversed';
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_posting_checked AFTER INSERT ON ledger_posting
    REFERENCING NEW TABLE AS fresh_posting
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_postings();
ALTER TABLE ledger_posting ENABLE ALWAYS TRIGGER ledger_posting_checked;
"""

# Sealed entries name accounts by these; a code that changed would change what was sealed.
NAMES_STAY = """
CREATE FUNCTION ledger_refuse_new_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: code % stays: sealed entries name it', TG_TABLE_NAME, OLD.code
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_code_stays';
END $$;

CREATE TRIGGER parties_party_code_stays BEFORE UPDATE OF code ON parties_party
    FOR EACH ROW WHEN (OLD.code <> NEW.code) EXECUTE FUNCTION ledger_refuse_new_code();
CREATE TRIGGER parties_legalentity_code_stays BEFORE UPDATE OF code ON parties_legalentity
    FOR EACH ROW WHEN (OLD.code <> NEW.code) EXECUTE FUNCTION ledger_refuse_new_code();
ALTER TABLE parties_party ENABLE ALWAYS TRIGGER parties_party_code_stays;
ALTER TABLE parties_legalentity ENABLE ALWAYS TRIGGER parties_legalentity_code_stays;
"""

# An account of a loan book is of the book's own legal entity and currency.
ACCOUNT_FITS_BOOK = """
CREATE FUNCTION ledger_check_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM public.ledger_book
    WHERE id = NEW.book_id
      AND legal_entity_id = NEW.legal_entity_id AND currency = NEW.currency;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'book % is of another legal entity or currency than its account',
                NEW.book_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'account_fits_book';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_account_checked AFTER INSERT ON ledger_account
    FOR EACH ROW WHEN (NEW.book_id IS NOT NULL) EXECUTE FUNCTION ledger_check_account();
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_account_checked;
"""

# A decision on a manual journal is taken once.
DECIDED_ONCE = """
CREATE TRIGGER ledger_manualjournal_decided_once BEFORE UPDATE ON ledger_manualjournal
    FOR EACH ROW
    WHEN (OLD.decided_at IS NOT NULL
          OR (OLD.id, OLD.legal_entity_id, OLD.proposal, OLD.reason, OLD.maker_id, OLD.proposed_at)
          IS DISTINCT FROM
             (NEW.id, NEW.legal_entity_id, NEW.proposal, NEW.reason, NEW.maker_id, NEW.proposed_at))
    EXECUTE FUNCTION refuse_change();
ALTER TABLE ledger_manualjournal ENABLE ALWAYS TRIGGER ledger_manualjournal_decided_once;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0001_initial"),
        ("acts", "0002_guards_and_rights"),
    ]

    operations = [
        migrations.RunSQL(DAY_LOCK, "DROP FUNCTION ledger_day_lock"),
        migrations.RunSQL(
            AWAITED_POSTINGS,
            "DROP TABLE ledger_awaited_postings;"
            "DROP FUNCTION ledger_await_postings;"
            "DROP FUNCTION ledger_check_awaited_postings",
        ),
        migrations.RunSQL(
            CHECK_ENTRIES,
            "DROP TRIGGER ledger_entry_checked ON ledger_entry;DROP FUNCTION ledger_check_entries",
        ),
        migrations.RunSQL(
            CHECK_POSTINGS,
            "DROP TRIGGER ledger_posting_checked ON ledger_posting;"
            "DROP FUNCTION ledger_check_postings",
        ),
        migrations.RunSQL(
            NAMES_STAY,
            "DROP TRIGGER parties_party_code_stays ON parties_party;"
            "DROP TRIGGER parties_legalentity_code_stays ON parties_legalentity;"
            "DROP FUNCTION ledger_refuse_new_code",
        ),
        migrations.RunSQL(
            ACCOUNT_FITS_BOOK,
            "DROP TRIGGER ledger_account_checked ON ledger_account;"
            "DROP FUNCTION ledger_check_account",
        ),
        migrations.RunSQL(
            DECIDED_ONCE,
            "DROP TRIGGER ledger_manualjournal_decided_once ON ledger_manualjournal",
        ),
        *guards.never_changed(
            [
                "ledger_book",
                "ledger_account",
                "ledger_entry",
                "ledger_posting",
                "ledger_rollup",
                "ledger_daytotal",
                "ledger_seal",
            ]
        ),
        *guards.never_removed(["ledger_manualjournal"]),
    ]
