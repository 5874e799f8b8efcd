"""The mark a database carries: what it was made for, and by whom.

It stands in a table of its own, so that it travels with backups and copies.
"""

from dataclasses import dataclass
from enum import StrEnum

from tallystick import __version__
from tallystick.rules.refusal import Refusal
from tallystick.site.server import Server

# Any constant will do, as long as nobody else takes the same.
MIGRATING_LOCK = 7_244_901


class Purpose(StrEnum):
    """What a database is for; written into it, and never changed."""

    BOOK = "book"
    DEMO = "demo"
    SCRATCH = "scratch"
    TEST = "test"


class DatabaseOfAnotherPurpose(Refusal):
    """The database was made for something else."""

    def __init__(self, server: Server, *, found: Purpose, wanted: Purpose) -> None:
        super().__init__(
            f"The database {server.where} is a {found} database and was asked to be a "
            f"{wanted} database. Name another database, or drop this one if nobody needs it."
        )


class NotOurDatabase(Refusal):
    """Tables we did not make, and no mark."""

    def __init__(self, server: Server, wanted: str) -> None:
        super().__init__(
            f"The database {server.where} holds tables and does not carry tallystick's mark, so it "
            f"is not taken for {wanted}. Name an empty database, or one that tallystick made."
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """What a database says of itself: its mark, what it holds, and how far it is migrated."""

    purpose: Purpose | None
    complete: bool
    has_tables: bool
    migrations: frozenset[str]


def condition_of(here: Server) -> Condition:
    """Look at a database without changing it."""
    with here.connect() as connection:
        tables = {
            str(row[0])
            for row in connection.execute(
                "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
                "WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
                "AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'"
            )
        }
        purpose, complete = None, False
        if "tallystick_mark" in tables:
            for word, done in connection.execute("SELECT purpose, complete FROM tallystick_mark"):
                purpose, complete = Purpose(word), bool(done)
        migrations: frozenset[str] = frozenset()
        if "django_migrations" in tables:
            rows = connection.execute("SELECT app || '.' || name FROM django_migrations")
            migrations = frozenset(str(row[0]) for row in rows)
    return Condition(purpose, complete, bool(tables), migrations)


def check_purpose(here: Server, wanted: Purpose) -> None:
    """Raise unless the database is marked for ``wanted``, or is empty and may become it.

    Raises NotOurDatabase, DatabaseOfAnotherPurpose.
    """
    found = condition_of(here)
    if found.purpose is None and found.has_tables:
        raise NotOurDatabase(here, f"a {wanted} database")
    if found.purpose not in (None, wanted):
        raise DatabaseOfAnotherPurpose(here, found=found.purpose, wanted=wanted)


def mark(here: Server, purpose: Purpose) -> None:
    """Write what an empty database is for; a mark that is there stays."""
    with here.connect() as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATING_LOCK])
        connection.execute(
            "CREATE TABLE IF NOT EXISTS tallystick_mark ("
            " only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),"
            " purpose text NOT NULL,"
            " complete boolean NOT NULL DEFAULT false,"  # migrated once from beginning to end
            " created_by text NOT NULL,"
            " created_at timestamptz NOT NULL DEFAULT now())"
        )
        connection.execute(
            "INSERT INTO tallystick_mark (purpose, created_by) VALUES (%s, %s) "
            "ON CONFLICT DO NOTHING",
            [purpose.value, f"tallystick {__version__}"],
        )
