"""What the application's role may do to a table.

Migrations run as the owner of the tables. The application connects as ``tallystick_app``, which
owns nothing: it cannot drop a trigger, alter a table, or write where it was not told to. A firm's
pages are read as ``tallystick_firm`` (``book.access.wall``).
"""

from collections.abc import Sequence

from django.db import migrations

APPLICATION_ROLE = "tallystick_app"
FIRM_ROLE = "tallystick_firm"


def ordinary(tables: Sequence[str]) -> list[migrations.RunSQL]:
    """Tables whose rows change: read, insert, update, delete."""
    return [_granted(table, "SELECT, INSERT, UPDATE, DELETE") for table in tables]


def append_only(tables: Sequence[str]) -> list[migrations.RunSQL]:
    """Tables that only grow: read and insert."""
    return [_granted(table, "SELECT, INSERT") for table in tables]


def answered(table: str, columns: Sequence[str]) -> migrations.RunSQL:
    """A table that grows and of which only ``columns`` may be filled in later."""
    return _granted(table, f"SELECT, INSERT, UPDATE ({', '.join(columns)})")


def _granted(table: str, privileges: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"GRANT {privileges} ON {table} TO {APPLICATION_ROLE}",
        f"REVOKE ALL ON {table} FROM {APPLICATION_ROLE}",
    )
