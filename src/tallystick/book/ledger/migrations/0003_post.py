"""Post an entry inside any statement, so that an act records everything in one round trip."""

from django.db import migrations

POST = """
CREATE FUNCTION ledger_post(
    legal_entity_id bigint, currency text, event text, reference text,
    value_date date, booking_date date,
    account_ids bigint[], sides smallint[], amounts_minor bigint[],
    act_id bigint DEFAULT NULL, reverses_id bigint DEFAULT NULL
) RETURNS bigint LANGUAGE sql AS $$
    WITH entry AS (
        INSERT INTO public.ledger_entry
            (legal_entity_id, act_id, reverses_id, value_date, booking_date, line_count,
             currency, event, reference)
        VALUES (ledger_post.legal_entity_id, ledger_post.act_id, ledger_post.reverses_id,
                ledger_post.value_date, ledger_post.booking_date, cardinality(account_ids),
                ledger_post.currency, ledger_post.event, ledger_post.reference)
        RETURNING id
    ), posting AS (
        INSERT INTO public.ledger_posting
            (entry_id, line, account_id, side, amount_minor, value_date, booking_date)
        SELECT entry.id, line, account_id, side, amount_minor,
               ledger_post.value_date, ledger_post.booking_date
        FROM entry, unnest(account_ids, sides, amounts_minor)
            WITH ORDINALITY AS given (account_id, side, amount_minor, line)
    )
    SELECT id FROM entry
$$;

COMMENT ON FUNCTION ledger_post IS
'Books one entry and returns its id. The arrays hold its postings line by line: account, side
(1 debit, -1 credit), amount in minor units above zero. May be called inside a larger statement;
the checks of book.ledger apply as to any other insert.';
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_guards")]

    operations = [migrations.RunSQL(POST, "DROP FUNCTION ledger_post")]
