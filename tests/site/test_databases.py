"""A database is opened for the purpose it was made for, and for no other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from tallystick.book.rights import APPLICATION_ROLE
from tallystick.site import databases
from tallystick.site.marks import (
    DatabaseOfAnotherPurpose,
    NotOurDatabase,
    Purpose,
    condition_of,
    mark,
)
from tallystick.site.server import NotADatabaseUrl, Server, ServerUnreachable


@pytest.fixture
def empty(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server's empty database, as an administrator hands it over by DATABASE_URL."""
    empty = postgres.named(f"handed_over_{os.getpid()}")
    databases.create(empty, at=postgres)
    monkeypatch.setenv("DATABASE_URL", empty.url)
    yield empty
    databases.leave()
    for name in databases.names(postgres):
        if name in (empty.database, databases.DEMO_NAME) or "scratch" in name:
            databases.drop(postgres.named(name), at=postgres)


def made(postgres: Server, template: Server, name: str, purpose: Purpose) -> Server:
    """A migrated database as an earlier command left it; copied, which is quicker."""
    copy = postgres.named(name)
    databases.create(copy, at=postgres, template=template.database)
    with copy.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = %s", [purpose.value])
    return copy


@contextmanager
def login(postgres: Server, at: Server, name: str) -> Iterator[Server]:
    """A login that may do nothing but use the database ``at``."""
    with postgres.connect() as administrator:
        administrator.execute(f"CREATE ROLE {name} LOGIN")
        administrator.execute(f"ALTER DATABASE {at.database} OWNER TO {name}")
        yield Server(host=at.host, port=at.port, user=name, database=at.database)
        administrator.execute(f"ALTER DATABASE {at.database} OWNER TO {postgres.user}")
        administrator.execute(f"DROP ROLE {name}")


def test_both_sides_of_the_wall_name_the_same_role():
    assert databases.APPLICATION_ROLE == APPLICATION_ROLE


def test_the_application_owns_no_table_and_may_not_change_one(database):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (APPLICATION_ROLE,)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)
        for forbidden in (
            "CREATE TABLE own (n int)",
            "DROP TABLE ledger_posting",
            "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
            "TRUNCATE ledger_posting",
            "UPDATE ledger_posting SET amount_minor = 1",
            "DELETE FROM ledger_entry",
            "UPDATE tallystick_mark SET purpose = 'book'",
            "DELETE FROM django_migrations",
        ):
            with pytest.raises(ProgrammingError) as refused, transaction.atomic():
                cursor.execute(forbidden)
            assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_a_servers_database_is_made_ready_by_migrate_and_by_nothing_else(empty):
    with pytest.raises(databases.DatabaseNotMigrated, match=r"\./tally migrate"), databases.book():
        pass

    with databases.prepared() as here:
        assert here == empty
    with databases.book() as here:
        assert condition_of(here).purpose is Purpose.BOOK
        assert databases.missing_migrations(here) == []


def test_a_book_that_misses_a_migration_is_not_opened(database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database.url)
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
        owner.execute("DELETE FROM django_migrations WHERE app = 'parties'")

    with (
        pytest.raises(databases.DatabaseNotMigrated, match=r"parties\.0001_initial"),
        databases.book(),
    ):
        pass


def test_the_demo_makes_its_own_database_beside_the_book(empty, postgres):
    # As a demo that was killed at its first step leaves it.
    databases.create(postgres.named(databases.DEMO_NAME), at=postgres)

    with databases.demo() as here:
        assert here.database == databases.DEMO_NAME != empty.database
        found = condition_of(here)
        assert (found.purpose, found.complete) == (Purpose.DEMO, True)
    assert not condition_of(empty).has_tables


def test_a_second_demo_opens_what_is_there_and_a_fresh_one_makes_it_anew(empty, postgres, template):
    demo = made(postgres, template, databases.DEMO_NAME, Purpose.DEMO)
    with demo.connect() as owner:
        owner.execute("CREATE TABLE seen (n int)")

    with databases.demo() as here, here.connect() as owner:
        assert owner.execute("SELECT to_regclass('seen')").fetchone() == ("seen",)
    with databases.demo(fresh=True) as here, here.connect() as owner:
        assert owner.execute("SELECT to_regclass('seen')").fetchone() == (None,)


def test_scratch_databases_are_dropped_at_their_end_and_those_of_killed_commands_later(
    empty, postgres
):
    abandoned = postgres.named("tallystick_scratch_killed")
    foreign = postgres.named("tallystick_scratch_not_ours")
    for other in (abandoned, foreign):
        databases.create(other, at=postgres)
    mark(abandoned, Purpose.SCRATCH)
    with foreign.connect() as owner:
        owner.execute("CREATE TABLE payroll (n int)")

    def fail() -> None:
        with databases.scratch("one") as first, databases.scratch("two") as second:
            there = databases.names(postgres)
            assert {first.database, second.database, foreign.database} <= set(there)
            assert abandoned.database not in there
            assert condition_of(second).purpose is Purpose.SCRATCH
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [name for name in databases.names(postgres) if "scratch" in name] == [foreign.database]


def test_a_scratch_database_that_lets_nobody_in_hinders_no_other(empty, postgres):
    # As one does that another process drops at this moment.
    shut = postgres.named("tallystick_scratch_shut")
    databases.create(shut, at=postgres)
    with postgres.connect() as owner:
        owner.execute("ALTER DATABASE tallystick_scratch_shut ALLOW_CONNECTIONS false")

    with databases.scratch("one") as here:
        assert condition_of(here).purpose is Purpose.SCRATCH

    assert shut.database in databases.names(postgres)
    databases.drop(shut, at=postgres)


def test_a_named_database_is_opened_whatever_its_purpose_if_it_is_ours(empty, postgres, template):
    made(postgres, template, databases.DEMO_NAME, Purpose.DEMO)

    with databases.existing(databases.DEMO_NAME) as here:
        assert here.database == databases.DEMO_NAME
    with (
        pytest.raises(databases.NoSuchDatabase, match="tallystick_demo"),
        databases.existing("nowhere"),
    ):
        pass
    with pytest.raises(NotOurDatabase), databases.existing(empty.database):
        pass


def test_a_database_with_somebody_elses_tables_is_never_taken(empty):
    with empty.connect() as owner:
        owner.execute("CREATE TABLE payroll (n int)")

    with pytest.raises(NotOurDatabase), databases.prepared():
        pass
    assert condition_of(empty).purpose is None


@pytest.mark.parametrize("fresh", [False, True])
def test_the_demo_refuses_a_database_it_did_not_make(empty, postgres, fresh):
    taken = postgres.named(databases.DEMO_NAME)
    databases.create(taken, at=postgres)
    with taken.connect() as owner:
        owner.execute("CREATE TABLE payroll (n int)")

    with pytest.raises(NotOurDatabase), databases.demo(fresh=fresh):
        pass
    with taken.connect() as owner:
        assert owner.execute("SELECT count(*) FROM payroll").fetchone() == (0,)


@pytest.mark.parametrize("fresh", [False, True])
def test_the_demo_refuses_a_book_even_under_its_own_name(empty, postgres, fresh):
    taken = postgres.named(databases.DEMO_NAME)
    databases.create(taken, at=postgres)
    mark(taken, Purpose.BOOK)

    with (
        pytest.raises(DatabaseOfAnotherPurpose, match="is a book database"),
        databases.demo(fresh=fresh),
    ):
        pass
    assert condition_of(taken).purpose is Purpose.BOOK


def test_a_demo_database_is_never_opened_as_the_book(empty):
    mark(empty, Purpose.DEMO)

    with pytest.raises(DatabaseOfAnotherPurpose), databases.prepared():
        pass


def test_a_login_that_may_not_take_the_role_is_told_what_an_administrator_must_run(empty, postgres):
    databases.ensure_role(postgres)
    with login(postgres, empty, "modest") as modest:
        with pytest.raises(databases.ApplicationRoleMissing) as refused:
            databases.ensure_role(modest)
        remedy = str(refused.value).partition("run:\n")[2]
        grant = next(line for line in remedy.splitlines() if "GRANT" in line)
        with postgres.connect() as administrator:
            administrator.execute(grant)

        databases.ensure_role(modest)

        with postgres.connect() as administrator:
            administrator.execute(f"REVOKE {APPLICATION_ROLE} FROM modest")


def test_a_login_that_may_not_create_databases_is_told_so(empty, postgres):
    with (
        login(postgres, empty, "modest") as modest,
        pytest.raises(databases.MayNotCreateDatabases, match="CREATEDB"),
    ):
        databases.create(modest.named("another"), at=modest)


@pytest.mark.parametrize("url", ["not a url", "postgresql://host/", "http://host/db"])
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(NotADatabaseUrl, match="DATABASE_URL"):
        Server.from_url(url)


def test_an_absent_server_is_refused_without_showing_the_password():
    absent = Server.from_url("postgresql://who:geheim@127.0.0.1:1/db?connect_timeout=1")

    with pytest.raises(ServerUnreachable, match="cannot be reached") as refused:
        absent.connect()
    assert "geheim" not in f"{refused.value} {absent!r} {absent.where}"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40%2Fw@host:5433/a%20db?sslmode=require",
        "host=/tmp/a,/tmp/b dbname=x user=u",
        "postgresql://[::1]/x",
    ],
)
def test_a_servers_url_reads_back_as_the_same_server(url):
    server = Server.from_url(url)

    assert Server.from_url(server.url) == server


def test_two_migrations_at_once_take_turns(empty):
    script = (
        "from tallystick.site import databases\n"
        "with databases.prepared() as here: print(databases.missing_migrations(here))"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    assert [process.communicate(timeout=60)[0] for process in both] == ["[]\n", "[]\n"]


def test_no_test_reaches_a_database_it_did_not_ask_for():
    databases.leave()

    with pytest.raises(Exception, match="Please supply the NAME"), connection.cursor():
        pass


def test_a_child_process_joins_the_database_its_parent_opened(database):
    databases.join(database.url)

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_user")
        assert cursor.fetchone() == (database.database, APPLICATION_ROLE)


def test_a_database_has_one_purpose_only(database):
    with database.connect() as owner, pytest.raises(psycopg.errors.UniqueViolation):
        owner.execute("INSERT INTO tallystick_mark (purpose, created_by) VALUES ('book', 'me')")
