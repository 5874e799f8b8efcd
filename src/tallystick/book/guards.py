"""What the database refuses whoever asks, the owner of the tables included.

Rights (``book.rights``) keep the application from changing what is only added to; these triggers
keep everybody from it. A migration of ``book.acts`` makes the function they call.
"""

from collections.abc import Sequence

from django.db import migrations


def never_changed(tables: Sequence[str]) -> list[migrations.RunSQL]:
    """Tables of which no row is ever updated, deleted or truncated away."""
    return [_guarded(table) for table in tables]


def never_removed(tables: Sequence[str]) -> list[migrations.RunSQL]:
    """Tables of which no row is ever deleted or truncated away."""
    return [_guarded(table, events="DELETE OR TRUNCATE") for table in tables]


def _guarded(table: str, *, events: str = "UPDATE OR DELETE OR TRUNCATE") -> migrations.RunSQL:
    # ALWAYS: also in a session that replays somebody else's changes and skips other triggers.
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_only_grows BEFORE {events} ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_only_grows;
        """,
        f"DROP TRIGGER {table}_only_grows ON {table}",
    )
