"""Which database am I: each is created or adopted for one purpose, marked with it, and migrated.

Commands reach a database only through the blocks of this module::

    with databases.book():               # the installation's own books
    with databases.existing(name):       # a marked database of the same server, by name
    with databases.demo(fresh=False):    # the demo's own, never another
    with databases.scratch("replay"):    # made for this block, dropped after it

Inside the block Django is set up and its default connection acts as ``tallystick_app``, which
owns no table. The block yields the Server: its ``url`` lets child processes ``join``.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tallystick.rules.refusal import Refusal
from tallystick.site import cluster
from tallystick.site.marks import (
    MIGRATING_LOCK,
    NotOurDatabase,
    Purpose,
    check_purpose,
    condition_of,
    mark,
)
from tallystick.site.server import (
    APPLICATION_ROLE,
    ENGINE,
    FIRM_ROLE,
    Server,
    ServerUnreachable,
)

# Django reads it when it is first asked for anything; there is only one answer.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tallystick.site.settings")

BOOK_NAME = "tallystick"
DEMO_NAME = "tallystick_demo"
SCRATCH_PREFIX = "tallystick_scratch_"
SCRATCH_COMMENT = "tallystick: for the time of one command"

# Any constant will do, as long as nobody else takes the same.
SCRATCH_LOCK = 7_244_902


class NoSuchDatabase(Refusal):
    """Asked for by name, and not there."""

    def __init__(self, server: Server, names: list[str]) -> None:
        there = ", ".join(names) or "none yet"
        super().__init__(
            f"There is no database {server.database} on this server. There is: {there}."
        )


class DatabaseNotMigrated(Refusal):
    """Its tables are older than this program."""

    def __init__(self, server: Server, missing: list[str]) -> None:
        super().__init__(
            f"The database {server.where} misses {len(missing)} migration(s), first "
            f"{missing[0]}. Make a backup, then run: ./tally migrate"
        )


class ApplicationRoleMissing(Refusal):
    """The login may not create the roles that the application acts as."""

    def __init__(self, server: Server) -> None:
        roles = f"{APPLICATION_ROLE}, {FIRM_ROLE}"
        super().__init__(
            f"The application acts as the roles {APPLICATION_ROLE} and {FIRM_ROLE}, and the login "
            f"{server.user!r} at {server.where} may not create or take them as they have to be. "
            "Have an administrator run:\n"
            f"  CREATE ROLE {APPLICATION_ROLE} NOLOGIN;  -- unless it exists\n"
            f"  CREATE ROLE {FIRM_ROLE} NOLOGIN;  -- unless it exists\n"
            f"  ALTER ROLE {APPLICATION_ROLE} BYPASSRLS;\n"
            f'  GRANT {roles} TO "{server.user}" WITH SET TRUE;'
        )


class MayNotCreateDatabases(Refusal):
    """The login has no CREATEDB."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(
            f"The login {server.user!r} may not create the database {name} at {server.where}. "
            "Have an administrator run:\n"
            f'  ALTER ROLE "{server.user}" CREATEDB;'
        )


@contextmanager
def server() -> Iterator[Server]:
    """The server of this installation, at its book: DATABASE_URL, else the embedded cluster."""
    if url := os.environ.get("DATABASE_URL"):
        yield Server.from_url(url)
    else:
        with cluster.leased(cluster.home()) as embedded:
            yield embedded.named(BOOK_NAME)


@contextmanager
def book() -> Iterator[Server]:
    """The installation's own books.

    On the embedded cluster they are made at first use; a server's database is made ready by
    ``./tally migrate`` and by nothing else. Raises DatabaseNotMigrated, NotOurDatabase,
    DatabaseOfAnotherPurpose, and what ``server`` raises.
    """
    if chosen := os.environ.get("TALLY_DATABASE"):
        with existing(chosen) as here:
            yield here
        return
    with server() as here:
        if is_embedded():
            _make(here, Purpose.BOOK, at=_lobby(here))
        check_purpose(here, Purpose.BOOK)
        with _joined(here):
            yield here


@contextmanager
def prepared(*, verbosity: int = 0) -> Iterator[Server]:
    """The installation's book, or the one TALLY_DATABASE names, migrated on the way in.

    Raises NoSuchDatabase, NotOurDatabase, DatabaseOfAnotherPurpose, ApplicationRoleMissing.
    """
    chosen = os.environ.get("TALLY_DATABASE")
    with server() as own:
        here = own.named(chosen or own.database)
        there = names(_lobby(own))
        if chosen:
            _check_ours(here, there)
        else:
            if is_embedded() and here.database not in there:
                create(here, at=_lobby(own))
            check_purpose(here, Purpose.BOOK)
            mark(here, Purpose.BOOK)
        migrate(here, verbosity=verbosity)
        with _joined(here):
            yield here


@contextmanager
def place_of(purpose: Purpose) -> Iterator[tuple[Server, Server]]:
    """For a restore: where the book or the demo belongs, and the database to create it from."""
    with server() as own:
        use(own)
        yield own.named(DEMO_NAME) if purpose is Purpose.DEMO else own, _lobby(own)


@contextmanager
def as_it_stands() -> Iterator[tuple[Server, Server]]:
    """For a backup: the book, or the one TALLY_DATABASE names, migrated or not; and its lobby.

    Makes nothing. Raises NoSuchDatabase, NotOurDatabase.
    """
    with server() as own:
        lobby = _lobby(own)
        here = own.named(os.environ.get("TALLY_DATABASE") or own.database)
        _check_ours(here, names(lobby))
        use(here)
        try:
            yield here, lobby
        finally:
            leave()


@contextmanager
def existing(name: str) -> Iterator[Server]:
    """A database of the installation's server that carries our mark, whatever its purpose.

    Raises NoSuchDatabase, NotOurDatabase, DatabaseNotMigrated.
    """
    with server() as own:
        here = own.named(name)
        _check_ours(here, names(_lobby(own)))
        with _joined(here):
            yield here


@contextmanager
def demo(*, fresh: bool = False) -> Iterator[Server]:
    """The demo's own database, which it created and marked; ``fresh`` makes it anew.

    Beside the book on the same server, never the book itself. Raises NotOurDatabase or
    DatabaseOfAnotherPurpose when its name is taken.
    """
    with server() as own:
        here = own.named(DEMO_NAME)
        if fresh and DEMO_NAME in names(_lobby(own)):
            check_purpose(here, Purpose.DEMO)
            drop(here, at=_lobby(own))
        _make(here, Purpose.DEMO, at=_lobby(own))
        with _joined(here):
            yield here


@contextmanager
def scratch(what: str) -> Iterator[Server]:
    """A migrated database for this block alone, dropped at its end however it ends.

    ``what`` is a word for the database's name. Those left behind by killed commands are
    dropped at the next occasion.
    """
    with server() as own, empty_scratch(what, lobby=_lobby(own)) as here:
        try:
            mark(here, Purpose.SCRATCH)
            migrate(here)
            use(here)
            yield here
        finally:
            leave()


@contextmanager
def empty_scratch(what: str, *, lobby: Server) -> Iterator[Server]:
    """An empty database for this block alone, created from ``lobby``, dropped at its end.

    Raises MayNotCreateDatabases.
    """
    here = lobby.named(f"{SCRATCH_PREFIX}{what}_{secrets.token_hex(4)}")
    with lobby.connect() as warden:
        warden.execute("SELECT pg_advisory_lock(%s)", [SCRATCH_LOCK])
        _drop_abandoned(lobby, warden)
        create(here, at=lobby)
        # What is restored into it brings a mark that says otherwise; a comment stays behind.
        warden.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                sql.Identifier(here.database), SCRATCH_COMMENT
            )
        )
        # An open connection shows other commands that this database is still in use.
        keeper = here.connect()
    try:
        yield here
    finally:
        keeper.close()
        drop(here, at=lobby)


def join(url: str) -> None:
    """In a child process: set Django up on the database its parent opened."""
    use(Server.from_url(url))


def use(here: Server, *, as_owner: bool = False) -> None:
    """Point Django's default connection at ``here``, as the application's role.

    ``as_owner`` keeps the login's own rights: for migrations, and nothing else.
    """
    import django

    django.setup()
    from django.db import connections

    _point(connections, here.django_entry(role=None if as_owner else APPLICATION_ROLE))


def leave() -> None:
    """Close Django's connection; a query after that is refused, until ``use`` names a database."""
    from django.db import connections

    _point(connections, {"ENGINE": ENGINE, "NAME": ""})


def _point(connections: Any, entry: dict[str, Any]) -> None:
    connections.close_all()
    if hasattr(connections._connections, "default"):
        del connections["default"]  # the next use makes a new one
    connections.databases["default"] = entry
    connections.configure_settings(connections.databases)


def migrate(here: Server, *, verbosity: int = 0) -> None:
    """Bring a marked database to this program's version, as its owner.

    Repeating it changes nothing; two at once take turns.

    Raises ApplicationRoleMissing.
    """
    from django.core.management import call_command

    ensure_role(here)
    with here.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATING_LOCK])
        use(here, as_owner=True)
        try:
            call_command("migrate", interactive=False, verbosity=verbosity)
        finally:
            leave()
        connection.execute("UPDATE tallystick_mark SET complete = true WHERE NOT complete")
        connection.execute(
            sql.SQL("GRANT SELECT ON django_migrations, tallystick_mark TO {}").format(
                sql.Identifier(APPLICATION_ROLE)
            )
        )


def missing_migrations(here: Server) -> list[str]:
    """``app.name`` of each migration of this program that the database has not seen."""
    applied = condition_of(here).migrations
    return [name for name in own_migrations() if name not in applied]


def own_migrations() -> list[str]:
    """``app.name`` of each migration of this program; Django must be set up.

    Read from the folders: loading every migration takes longer than most commands do.
    """
    from django.apps import apps

    return [
        f"{app.label}.{file.stem}"
        for app in apps.get_app_configs()
        for file in sorted(Path(app.path, "migrations").glob("[0-9]*.py"))
    ]


def ensure_role(here: Server) -> None:
    """Make the roles the application acts as, and let our login take them.

    The application passes by the policies that bound a firm: ``book.wall``.
    Raises ApplicationRoleMissing when the login may not.
    """
    with here.connect() as connection:
        try:
            _ensure(connection, APPLICATION_ROLE, bypasses_policies=True)
            _ensure(connection, FIRM_ROLE, bypasses_policies=False)
        except psycopg.errors.InsufficientPrivilege:
            raise ApplicationRoleMissing(here) from None


def _ensure(
    connection: psycopg.Connection[tuple[Any, ...]], name: str, *, bypasses_policies: bool
) -> None:
    role = sql.Identifier(name)
    known = connection.execute(
        "SELECT rolbypassrls FROM pg_roles WHERE rolname = %s", [name]
    ).fetchone()
    if known is None:
        # Another command may make it meanwhile, and that is as good.
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    if bypasses_policies and known != (True,):
        connection.execute(sql.SQL("ALTER ROLE {} BYPASSRLS").format(role))
    may_take = connection.execute("SELECT pg_has_role(current_user, %s, 'SET')", [name]).fetchone()
    if may_take != (True,):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH SET TRUE").format(role))


def create(here: Server, *, at: Server, template: str = "template0") -> None:
    """CREATE DATABASE ``here``, from a connection to ``at``.

    Raises MayNotCreateDatabases.
    """
    with at.connect() as connection:
        try:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(here.database), sql.Identifier(template)
                )
            )
        except psycopg.errors.InsufficientPrivilege:
            raise MayNotCreateDatabases(at, here.database) from None


def drop(here: Server, *, at: Server) -> None:
    """Drop the database, whoever is still connected to it."""
    with at.connect() as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(here.database))
        )


def is_embedded() -> bool:
    """True when no DATABASE_URL names a server."""
    return not os.environ.get("DATABASE_URL")


def _lobby(own: Server) -> Server:
    """The database to stand in while creating and dropping others."""
    return own.named("postgres") if is_embedded() else own


def _make(here: Server, purpose: Purpose, *, at: Server) -> None:
    """Create, mark and migrate a database that is not there yet.

    Interrupted at any point, the next call completes it: an empty database under our name
    holds nothing that could be lost, so it is taken for our own.
    """
    if here.database not in names(at):
        # Another command may make it meanwhile, and that is as good.
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            create(here, at=at)
    check_purpose(here, purpose)
    if not condition_of(here).complete:
        mark(here, purpose)
        migrate(here)


def _check_ours(here: Server, there: list[str]) -> None:
    if here.database not in there:
        raise NoSuchDatabase(here, there)
    if condition_of(here).purpose is None:
        raise NotOurDatabase(here, "one of ours")


@contextmanager
def _joined(here: Server) -> Iterator[None]:
    use(here)
    try:
        if missing := missing_migrations(here):
            raise DatabaseNotMigrated(here, missing)
        yield
    finally:
        leave()


def names(at: Server) -> list[str]:
    """The databases of the server, its own aside."""
    with at.connect() as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' "
            "ORDER BY datname"
        ).fetchall()
    return [str(row[0]) for row in rows]


def _drop_abandoned(lobby: Server, warden: psycopg.Connection[tuple[object, ...]]) -> None:
    """Drop scratch databases that nobody is connected to; the caller holds SCRATCH_LOCK."""
    rows = warden.execute(
        "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE starts_with(datname, %s) AND pg_has_role(datdba, 'USAGE')"
        " AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = pg_database.datname)",
        [SCRATCH_PREFIX],
    ).fetchall()
    for name, comment in rows:
        left = lobby.named(str(name))
        try:
            found = condition_of(left)
        except ServerUnreachable:
            continue  # the process whose it was has just dropped it
        if comment == SCRATCH_COMMENT or found.purpose is Purpose.SCRATCH or not found.has_tables:
            drop(left, at=lobby)
