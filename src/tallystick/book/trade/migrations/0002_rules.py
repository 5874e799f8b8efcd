"""What the database refuses of documents, claims and their events, and who may write them.

References are checked once per statement, over the rows just inserted: a foreign key on each
would check the same row by row and halve the speed of an import. Rows that are referred to are
never deleted, so that a reference once checked holds. OFFSET keeps each check a look-up by key,
whatever the size of the tables was when it was planned.
"""

from django.db import migrations

from tallystick.book import guards, rights

CHECK_DOCUMENTS = """
CREATE FUNCTION trade_check_documents() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong_id bigint;
BEGIN
    SELECT party_id INTO wrong_id
    FROM (SELECT issuer_id AS party_id FROM fresh_document
          UNION SELECT supplier_id FROM fresh_document
          UNION SELECT obligor_id FROM fresh_document) AS named
    WHERE NOT EXISTS (SELECT FROM public.parties_party WHERE id = party_id OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no party %', wrong_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'document_parties_exist';
    END IF;

    SELECT act_id INTO wrong_id FROM (SELECT DISTINCT act_id FROM fresh_document) AS caused
    WHERE NOT EXISTS (SELECT FROM public.acts_act WHERE id = act_id OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no act %', wrong_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'document_act_exists';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER trade_document_checked AFTER INSERT ON trade_document
    REFERENCING NEW TABLE AS fresh_document
    FOR EACH STATEMENT EXECUTE FUNCTION trade_check_documents();
ALTER TABLE trade_document ENABLE ALWAYS TRIGGER trade_document_checked;
"""

# A claim says of itself what its document says, and is in a pool of its own supplier and currency.
CHECK_CLAIMS = """
CREATE FUNCTION trade_check_claims() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong_id bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT id INTO wrong_id FROM fresh_claim AS claim
        WHERE NOT EXISTS (
            SELECT FROM public.trade_document AS document
            WHERE document.id = claim.id
              AND document.supplier_id = claim.supplier_id
              AND document.obligor_id = claim.obligor_id
              AND document.currency = claim.currency
              AND document.issue_date = claim.issue_date
              AND document.due_date = claim.due_date
              AND document.amount_minor = claim.face_minor
            OFFSET 0)
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'claim % and its document disagree', wrong_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_fits_document';
        END IF;
    END IF;

    SELECT pool_id INTO wrong_id
    FROM (SELECT DISTINCT pool_id, supplier_id, currency FROM fresh_claim
          WHERE pool_id IS NOT NULL) AS joined
    WHERE NOT EXISTS (
        SELECT FROM public.collateral_pool AS pool
        WHERE pool.id = joined.pool_id
          AND pool.supplier_id = joined.supplier_id AND pool.currency = joined.currency
        OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'pool % is not of the supplier and currency of its claim', wrong_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_fits_pool';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER trade_claim_checked AFTER INSERT ON trade_claim
    REFERENCING NEW TABLE AS fresh_claim
    FOR EACH STATEMENT EXECUTE FUNCTION trade_check_claims();
CREATE TRIGGER trade_claim_pool_checked AFTER UPDATE ON trade_claim
    REFERENCING NEW TABLE AS fresh_claim
    FOR EACH STATEMENT EXECUTE FUNCTION trade_check_claims();
ALTER TABLE trade_claim ENABLE ALWAYS TRIGGER trade_claim_checked;
ALTER TABLE trade_claim ENABLE ALWAYS TRIGGER trade_claim_pool_checked;
"""

CHECK_EVENTS = """
CREATE FUNCTION trade_check_claim_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong_id bigint;
BEGIN
    SELECT claim_id INTO wrong_id FROM fresh_event
    WHERE NOT EXISTS (SELECT FROM public.trade_claim WHERE id = claim_id OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no claim %', wrong_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'claim_event_claim_exists';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER trade_claimevent_checked AFTER INSERT ON trade_claimevent
    REFERENCING NEW TABLE AS fresh_event
    FOR EACH STATEMENT EXECUTE FUNCTION trade_check_claim_events();
ALTER TABLE trade_claimevent ENABLE ALWAYS TRIGGER trade_claimevent_checked;
"""

# What a document says never changes; what it fulfils comes to be known.
DOCUMENTS_STAY = """
CREATE TRIGGER trade_document_stays BEFORE UPDATE ON trade_document FOR EACH ROW
    WHEN ((OLD.id, OLD.kind, OLD.issuer_id, OLD.supplier_id, OLD.obligor_id, OLD.number,
           OLD.issue_date, OLD.due_date, OLD.currency, OLD.amount_minor, OLD.fingerprint,
           OLD.fulfils_kind, OLD.fulfils_number, OLD.booking_date, OLD.act_id)
          IS DISTINCT FROM
          (NEW.id, NEW.kind, NEW.issuer_id, NEW.supplier_id, NEW.obligor_id, NEW.number,
           NEW.issue_date, NEW.due_date, NEW.currency, NEW.amount_minor, NEW.fingerprint,
           NEW.fulfils_kind, NEW.fulfils_number, NEW.booking_date, NEW.act_id))
    EXECUTE FUNCTION refuse_change();
ALTER TABLE trade_document ENABLE ALWAYS TRIGGER trade_document_stays;
"""

# Ids of a batch of documents are drawn before its rows are sent.
IDS = f"GRANT USAGE ON SEQUENCE trade_document_id_seq TO {rights.APPLICATION_ROLE}"


class Migration(migrations.Migration):
    dependencies = [
        ("trade", "0001_initial"),
        ("collateral", "0001_initial"),
        ("acts", "0002_guards_and_rights"),
    ]

    operations = [
        migrations.RunSQL(
            CHECK_DOCUMENTS,
            "DROP TRIGGER trade_document_checked ON trade_document;"
            "DROP FUNCTION trade_check_documents",
        ),
        migrations.RunSQL(
            CHECK_CLAIMS,
            "DROP TRIGGER trade_claim_checked ON trade_claim;"
            "DROP TRIGGER trade_claim_pool_checked ON trade_claim;"
            "DROP FUNCTION trade_check_claims",
        ),
        migrations.RunSQL(
            CHECK_EVENTS,
            "DROP TRIGGER trade_claimevent_checked ON trade_claimevent;"
            "DROP FUNCTION trade_check_claim_events",
        ),
        migrations.RunSQL(DOCUMENTS_STAY, "DROP TRIGGER trade_document_stays ON trade_document"),
        *guards.never_changed(["trade_claimevent"]),
        *guards.never_removed(["trade_document", "trade_claim", "trade_unappliedcredit"]),
        *rights.append_only(["trade_claimevent"]),
        rights.answered("trade_document", ["predecessor_id", "root_id"]),
        rights.answered(
            "trade_claim",
            [
                "status",
                "face_minor",
                "paid_minor",
                "diluted_minor",
                "disputed",
                "awaits_predecessor",
                "pool_id",
                "pool_from_date",
            ],
        ),
        rights.answered("trade_unappliedcredit", ["remaining_minor"]),
        migrations.RunSQL(IDS, IDS.replace("GRANT", "REVOKE").replace(" TO ", " FROM ")),
    ]
