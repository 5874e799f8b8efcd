"""The first statement of an act: is this request new, answered already, or another's key?"""

from django.db import migrations

# A request key is taken by inserting its row. A second request with the same key waits inside
# ON CONFLICT until the first transaction ends: after a commit it finds the row (the second
# statement has a newer snapshot than the first), after a rollback it takes the key itself.
#
# Keys are taken in sorted order, so that two batches sharing keys never wait for each other in a
# circle. One function for one key and for many: an act and a batch cannot come to differ.
ANSWER_TO = """
CREATE FUNCTION acts_answer_to(
    asked_owner text, asked_keys text[], asked_kind text, asked_sha256s bytea[],
    asked_actor text, asked_channel text, asked_reason text
) RETURNS TABLE (act_id bigint, act_key text, is_new boolean, is_same boolean, first_kind text,
                 first_at timestamptz, first_answer jsonb)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    taken bigint[];
BEGIN
    WITH asked AS (
        SELECT k, sha256 FROM unnest(asked_keys, asked_sha256s) AS request (k, sha256) ORDER BY k
    ), inserted AS (
        INSERT INTO public.acts_act (owner, key, kind, request_sha256, actor, channel, reason)
        SELECT asked_owner, k, asked_kind, sha256, asked_actor, asked_channel, asked_reason
        FROM asked
        ON CONFLICT (owner, key) DO NOTHING
        RETURNING id
    )
    SELECT coalesce(array_agg(id), '{}') INTO taken FROM inserted;

    RETURN QUERY
        SELECT act.id, act.key::text, new.id IS NOT NULL,
               act.kind = asked_kind AND act.request_sha256 = request.sha256,
               act.kind::text, act.at, act.answer
        FROM unnest(asked_keys, asked_sha256s) AS request (k, sha256)
        -- OFFSET 0 keeps this a look-up by key, whatever the size of the table was when the
        -- statement was planned.
        CROSS JOIN LATERAL (
            SELECT * FROM public.acts_act WHERE owner = asked_owner AND key = request.k OFFSET 0
        ) AS act
        LEFT JOIN unnest(taken) AS new (id) ON new.id = act.id;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("acts", "0002_guards_and_rights")]

    operations = [
        migrations.RunSQL(
            ANSWER_TO,
            "DROP FUNCTION acts_answer_to(text, text[], text, bytea[], text, text, text)",
        ),
    ]
