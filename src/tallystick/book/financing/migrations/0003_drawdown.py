"""The two statements of a drawdown: one that locks and reads, one that records.

What is read after a wait for a lock must be as fresh as the lock. In a READ COMMITTED transaction
every statement has a snapshot of its own, also inside a function, and a statement that waited
re-reads only the rows it locked. So each lock is taken by a statement of its own, in the house's
order, and everything the decision needs is read by one last statement when all are held.

Their plans are made once per session (force_generic_plan): planning costs more than running them.
"""

from django.db import migrations

# Facilities that share a supplier and a programme's limit share that programme's cap per
# supplier: what is drawn on all of them counts, and a drawdown locks them all.
STANDING = """
CREATE TYPE financing_standing AS (
    facility_id bigint, facility text, legal_entity_id bigint, business_date date, calendar text,
    supplier_id bigint, programme_sha256 bytea, programme_limit_id bigint, funding_line_id bigint,
    funder_id bigint, book_id bigint, currency text, limit_minor bigint, drawn_minor bigint,
    supplier_drawn_minor bigint, annual_rate_ppb bigint, expiry_date date, frozen_reason text,
    pool_id bigint, base_is_current boolean, base_minor bigint, cover_minor bigint,
    programme_limit_minor bigint, programme_drawn_minor bigint, funding_limit_minor bigint,
    funding_drawn_minor bigint, security_interest_in_force boolean
);

CREATE FUNCTION financing_standing(asked_codes text[]) RETURNS SETOF financing_standing
LANGUAGE sql STABLE AS $$
    SELECT facility.id, facility.code, facility.legal_entity_id, entity.business_date,
           entity.calendar, facility.supplier_id, programme.sha256, programme_limit.id,
           funding_line.id, funding_line.funder_id, book.id, facility.currency,
           facility.limit_minor, facility.drawn_minor, (
               SELECT sum(sibling.drawn_minor)::bigint
               FROM public.financing_facility AS sibling
               WHERE sibling.supplier_id = facility.supplier_id
                 AND sibling.programme_limit_id = facility.programme_limit_id),
           facility.annual_rate_ppb, facility.expiry_date, facility.frozen_reason, pool.id,
           pool.base_version = pool.version
               AND pool.base_date IS NOT DISTINCT FROM entity.business_date,
           pool.base_minor, pool.cover_minor, programme_limit.limit_minor,
           programme_limit.drawn_minor, funding_line.limit_minor, funding_line.drawn_minor,
           EXISTS (
               SELECT FROM public.collateral_securityinterest AS interest
               WHERE interest.pool_id = pool.id
                 AND interest.from_date <= entity.business_date
                 AND interest.to_date > entity.business_date)
    FROM public.financing_facility AS facility
    JOIN public.parties_legalentity AS entity ON entity.id = facility.legal_entity_id
    JOIN public.financing_programme AS programme ON programme.id = facility.programme_id
    JOIN public.financing_programmelimit AS programme_limit
      ON programme_limit.id = facility.programme_limit_id
    JOIN public.funding_fundingline AS funding_line ON funding_line.id = facility.funding_line_id
    JOIN public.collateral_pool AS pool ON pool.id = facility.pool_id
    JOIN public.ledger_book AS book
      ON book.legal_entity_id = facility.legal_entity_id
     AND book.programme = programme_limit.programme
     AND book.funder_id = funding_line.funder_id
     AND book.currency = facility.currency
     AND book.asset_class = 'normal'
    WHERE facility.code = ANY (asked_codes)
$$;
"""

# The limits above the facilities are shared by everybody. A single drawdown leaves them unlocked
# until it records, and is refused there if others were quicker; a batch would hold them in an
# order of its own, so it locks them here, in the house's order.
#
# Answers a row for each request, in order: the numbers of the rows it may become, what its key did
# before (read after the locks, so that a request that waited for its own repetition finds the
# answer), and how its facility stands, if there is one.
BEGIN = """
CREATE FUNCTION financing_begin_drawdowns(
    asked_codes text[], asked_owners text[], asked_keys text[], with_limits boolean
) RETURNS TABLE (
    act_id bigint, decision_id bigint, loan_id bigint, asked_at timestamptz, earlier_kind text,
    earlier_sha256 bytea, earlier_at timestamptz, earlier_answer text, held financing_standing
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    -- As parties.business_date.open_day: the day cannot close while we book in it.
    PERFORM pg_advisory_xact_lock_shared(7101, id::integer)
    FROM (SELECT DISTINCT legal_entity_id AS id FROM public.financing_facility
          WHERE code = ANY (asked_codes) ORDER BY 1) AS entity;

    -- A fair queue for the drawdowns of a supplier. Row locks alone are not one: whoever comes just
    -- as a row is let go passes those who wait for it, and some wait very long.
    PERFORM pg_advisory_xact_lock(7105, bucket)
    FROM (SELECT DISTINCT (supplier_id % 1024)::integer AS bucket FROM public.financing_facility
          WHERE code = ANY (asked_codes) ORDER BY 1) AS queue;

    PERFORM FROM public.financing_facility AS facility
    WHERE (facility.supplier_id, facility.programme_limit_id) IN (
        SELECT asked.supplier_id, asked.programme_limit_id
        FROM public.financing_facility AS asked WHERE asked.code = ANY (asked_codes))
    ORDER BY facility.id FOR NO KEY UPDATE OF facility;

    PERFORM FROM public.collateral_pool AS pool
    WHERE pool.id IN (SELECT pool_id FROM public.financing_facility WHERE code = ANY (asked_codes))
    ORDER BY pool.id FOR NO KEY UPDATE OF pool;

    IF with_limits THEN
        PERFORM FROM public.financing_programmelimit AS programme_limit
        WHERE programme_limit.id IN (
            SELECT programme_limit_id FROM public.financing_facility
            WHERE code = ANY (asked_codes))
        ORDER BY programme_limit.id FOR NO KEY UPDATE OF programme_limit;

        PERFORM FROM public.funding_fundingline AS funding_line
        WHERE funding_line.id IN (
            SELECT funding_line_id FROM public.financing_facility WHERE code = ANY (asked_codes))
        ORDER BY funding_line.id FOR NO KEY UPDATE OF funding_line;
    END IF;

    RETURN QUERY
        SELECT nextval('public.acts_act_id_seq'), nextval('public.financing_decision_id_seq'),
               nextval('public.financing_loan_id_seq'), now(), act.kind::text, act.request_sha256,
               act.at, act.answer::text, standing
        FROM unnest(asked_codes, asked_owners, asked_keys) WITH ORDINALITY
            AS asked (code, owner, key, place)
        LEFT JOIN public.financing_standing(asked_codes) AS standing
          ON standing.facility = asked.code
        LEFT JOIN public.acts_act AS act ON act.owner = asked.owner AND act.key = asked.key
        ORDER BY asked.place;
END $$;
"""

# Everything that follows from the decisions, given as a JSON list of items; an entry's postings as
# the arrays ledger_post takes. Shared rows come last, so that they are locked for the shortest
# time, and are raised only as far as their limits allow: whatever the decision had read of them,
# no limit above a facility is ever overdrawn.
RECORD = """
CREATE FUNCTION financing_record_drawdowns(items jsonb) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    -- Ordered by key, so that two batches with keys in common cannot wait for each other in a
    -- circle.
    INSERT INTO public.acts_act
        (id, owner, key, kind, request_sha256, answer, actor, channel, reason)
    SELECT act_id, owner, key, 'draw_down', decode(request_sha256, 'hex'), answer, actor, channel,
           reason
    FROM jsonb_to_recordset(items) AS item (
        act_id bigint, owner text, key text, request_sha256 text, answer jsonb, actor text,
        channel text, reason text)
    ORDER BY owner, key;

    WITH item AS MATERIALIZED (
        SELECT item.*, facility.legal_entity_id, facility.supplier_id, facility.currency,
               facility.annual_rate_ppb,
               public.ledger_post(
                   facility.legal_entity_id, facility.currency, entry_event, entry_reference,
                   drawn_date, drawn_date, account_ids, sides, entry_amounts_minor, act_id
               ) AS entry_id
        FROM jsonb_to_recordset(items) AS item (
            place integer, act_id bigint, decision_id bigint, loan_id bigint, loan text,
            facility_id bigint, book_id bigint, amount_minor bigint, tenor_days integer,
            drawn_date date, due_date date, due_date_provisional boolean,
            penalty_rate_ppb bigint, penalty_steps jsonb, maturity_date date, agreed_plan jsonb,
            day_count text, end_to_end_id text, entry_event text,
            entry_reference text, account_ids bigint[], sides smallint[],
            entry_amounts_minor bigint[], inputs jsonb, verdicts jsonb, rules_version text,
            shares_ppm jsonb, answer jsonb)
        JOIN public.financing_facility AS facility ON facility.id = item.facility_id
        ORDER BY place
    ), decision AS (
        INSERT INTO public.financing_decision
            (id, facility_id, date, amount_minor, inputs, verdicts, rule_version, act_id)
        SELECT decision_id, facility_id, drawn_date, amount_minor, inputs, verdicts,
               rules_version, act_id
        FROM item
    ), loan AS (
        INSERT INTO public.financing_loan
            (id, code, facility_id, decision_id, book_id, currency, principal_minor,
             annual_rate_ppb, penalty_rate_ppb, penalty_steps, day_count, tenor_days, drawn_date,
             due_date, maturity_date, agreed_plan, due_date_provisional, status)
        SELECT loan_id, loan, facility_id, decision_id, book_id, currency, amount_minor,
               annual_rate_ppb, penalty_rate_ppb, nullif(penalty_steps, 'null'), day_count,
               tenor_days, drawn_date, due_date, maturity_date, nullif(agreed_plan, 'null'),
               due_date_provisional, 'pending'
        FROM item
    ), participation AS (
        INSERT INTO public.funding_participation (loan_id, funder_id, share_ppm, from_date)
        SELECT loan_id, share.key::bigint, share.value::integer, drawn_date
        FROM item, jsonb_each_text(shares_ppm) AS share
    ), reservation AS (
        INSERT INTO public.financing_reservation (loan_id, amount_minor, entry_id, fate)
        SELECT loan_id, amount_minor, entry_id, '' FROM item
    ), payment_order AS (
        INSERT INTO public.payments_paymentorder
            (end_to_end_id, kind, legal_entity_id, beneficiary_id, loan_id, facility_id, currency,
             amount_minor, ordered_date, status, act_id)
        SELECT end_to_end_id, 'payout', legal_entity_id, supplier_id, loan_id, facility_id,
               currency, amount_minor, drawn_date, 'ordered', act_id
        FROM item
    )
    INSERT INTO public.acts_outboxmessage (act_id, topic, subject, payload)
    SELECT act_id, 'payment_ordered', 'loan:' || loan, answer FROM item;

    UPDATE public.financing_facility AS facility
    SET drawn_minor = drawn_minor + taken.amount_minor
    FROM (SELECT facility_id, sum(amount_minor) AS amount_minor
          FROM jsonb_to_recordset(items) AS item (facility_id bigint, amount_minor bigint)
          GROUP BY facility_id) AS taken
    WHERE facility.id = taken.facility_id;

    PERFORM public.financing_take_limits(
        array_agg(facility_id), array_agg(amount_minor))
    FROM jsonb_to_recordset(items) AS item (facility_id bigint, amount_minor bigint);
END $$;

CREATE FUNCTION financing_take_limits(facility_ids bigint[], amounts_minor bigint[])
RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    taken record;
BEGIN
    FOR taken IN
        SELECT programme_limit_id, sum(amount_minor) AS amount_minor
        FROM unnest(facility_ids, amounts_minor) AS item (facility_id, amount_minor)
        JOIN public.financing_facility AS facility ON facility.id = item.facility_id
        GROUP BY programme_limit_id ORDER BY programme_limit_id
    LOOP
        UPDATE public.financing_programmelimit
        SET drawn_minor = drawn_minor + taken.amount_minor
        WHERE id = taken.programme_limit_id
          AND drawn_minor + taken.amount_minor <= limit_minor;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'programme limit % is taken', taken.programme_limit_id
                USING ERRCODE = 'TL001';
        END IF;
    END LOOP;

    FOR taken IN
        SELECT funding_line_id, sum(amount_minor) AS amount_minor
        FROM unnest(facility_ids, amounts_minor) AS item (facility_id, amount_minor)
        JOIN public.financing_facility AS facility ON facility.id = item.facility_id
        GROUP BY funding_line_id ORDER BY funding_line_id
    LOOP
        UPDATE public.funding_fundingline
        SET drawn_minor = drawn_minor + taken.amount_minor
        WHERE id = taken.funding_line_id
          AND drawn_minor + taken.amount_minor <= limit_minor;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'funding line % is taken', taken.funding_line_id
                USING ERRCODE = 'TL001';
        END IF;
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("financing", "0002_initial"),
        ("acts", "0002_guards_and_rights"),
        ("collateral", "0002_references"),
        ("funding", "0001_initial"),
        ("ledger", "0003_post"),
        ("payments", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            STANDING,
            "DROP FUNCTION financing_standing(text[]); DROP TYPE financing_standing",
        ),
        migrations.RunSQL(BEGIN, "DROP FUNCTION financing_begin_drawdowns"),
        migrations.RunSQL(
            RECORD,
            "DROP FUNCTION financing_record_drawdowns; DROP FUNCTION financing_take_limits",
        ),
    ]
