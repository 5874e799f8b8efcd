"""An act is written once, answered once, and kept."""

from django.db import migrations

from tallystick.book import guards, rights

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: its rows are only added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
              HINT = 'Record what corrects it as a new row.';
END $$;
"""

# The condition is evaluated without calling the function, so that the ordinary case, an answer
# filled in by the act's own transaction, costs next to nothing.
ANSWERED_ONCE = """
CREATE TRIGGER acts_act_answered_once BEFORE UPDATE ON acts_act FOR EACH ROW
    WHEN (OLD.answer IS NOT NULL OR (OLD.id, OLD.owner, OLD.key, OLD.kind, OLD.request_sha256,
              OLD.actor, OLD.channel, OLD.reason, OLD.at)
          IS DISTINCT FROM (NEW.id, NEW.owner, NEW.key, NEW.kind, NEW.request_sha256,
              NEW.actor, NEW.channel, NEW.reason, NEW.at))
    EXECUTE FUNCTION refuse_change();
ALTER TABLE acts_act ENABLE ALWAYS TRIGGER acts_act_answered_once;
"""


class Migration(migrations.Migration):
    dependencies = [("acts", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION refuse_change()"),
        migrations.RunSQL(ANSWERED_ONCE, "DROP TRIGGER acts_act_answered_once ON acts_act"),
        *guards.never_removed(["acts_act", "acts_outboxmessage"]),
        rights.answered("acts_act", ["answer"]),
        rights.answered("acts_outboxmessage", ["sent_at"]),
    ]
