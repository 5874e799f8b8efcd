"""Backup and restore of one database: a folder with PostgreSQL's own dump and a manifest.

The manifest names the version, the dump's SHA-256 and, per legal entity, the last seal of its
ledger, read in the very snapshot that was dumped. A restored database must show the same seals.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from tallystick import __version__
from tallystick.rules.refusal import Refusal
from tallystick.site import databases
from tallystick.site.binaries import found
from tallystick.site.marks import Purpose, condition_of
from tallystick.site.server import Server

DUMP = "database.dump"
MANIFEST = "manifest.json"
FORMAT = 1

# What a migrated database holds before anybody has used it.
TABLES_OF_THE_HOUSE = ("django_", "auth_", "tallystick_mark")


class FolderNotEmpty(Refusal):
    """A backup never overwrites anything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The folder {folder} is not empty. Name a new folder for the backup, or add --keep "
            "to make it one of a series."
        )


class CannotWriteBackup(Refusal):
    """The disk is full, or the folder is not ours to write in."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"The backup cannot be written to {folder}: {why}. What was begun is removed and "
            "earlier backups stay. Make room or name another folder, and run the command again."
        )


class NotABackup(Refusal):
    """No manifest, or one we cannot read."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"{folder} is not a whole backup: {why}. "
            "Name a folder that ./tally backup wrote; an interrupted backup has no manifest."
        )


class BackupDamaged(Refusal):
    """The dump is not what the manifest says."""

    def __init__(self, file: Path, *, expected: str, actual: str) -> None:
        super().__init__(
            f"{file} is damaged: its SHA-256 is {actual} and the manifest says {expected}. "
            "Restore another copy of the backup; nothing was changed."
        )


class BackupFromNewerVersion(Refusal):
    """The backup's tables are ahead of this program."""

    def __init__(self, version: str, migration: str) -> None:
        super().__init__(
            f"The backup was made by tallystick {version}, whose migration {migration} this "
            f"version ({__version__}) does not know. Restore it with that version."
        )


class DatabaseInUse(Refusal):
    """Somebody's rows are there."""

    def __init__(self, here: Server) -> None:
        super().__init__(
            f"The database {here.database} is not empty, and a restore never overwrites. Make a "
            "backup of it if it is needed; then set TALLY_HOME to a new folder, or DATABASE_URL to "
            "an empty database, and restore there."
        )


class DumpFailed(Refusal):
    """pg_dump or pg_restore ended with an error; its own words are in the message."""

    def __init__(self, program: str, said: str) -> None:
        tail = "\n".join(said.strip().splitlines()[-8:])
        super().__init__(f"{program} failed:\n{tail}\nCorrect the cause and run the command again.")


class SealsDiffer(Refusal):
    """What was restored is not what was backed up."""

    def __init__(self, *, expected: list["SealHead"], actual: list["SealHead"]) -> None:
        super().__init__(
            f"The restored ledger ends with the seals {actual}, the backup's with {expected}. "
            "Do not use this database; restore another copy of the backup into an empty one."
        )


@dataclass(frozen=True, slots=True)
class SealHead:
    """The last seal of one legal entity: ``seal`` is its hash in hexadecimal."""

    legal_entity: str
    date: str
    seal: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    purpose: str
    tallystick: str
    postgresql: str
    made_at: str
    sha256: str
    migrations: list[str]
    seals: list[SealHead]


def back_up(here: Server, folder: Path, *, made_at: datetime) -> Manifest:
    """Write the database to ``folder``, which must be new or empty; only its owner may read it.

    The manifest is written last: a folder without one is not a backup. Whatever goes wrong,
    nothing is left behind. Raises FolderNotEmpty, CannotWriteBackup, DumpFailed.
    """
    with _fresh(folder):
        dump = folder / DUMP
        # Made by us, so that pg_dump finds a file that nobody else may read.
        dump.touch(mode=0o600)
        with here.connect() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert snapshot is not None
            run_client(
                "pg_dump",
                here,
                "--format=custom",
                f"--snapshot={snapshot[0]}",
                f"--file={dump}",
            )
            seals = seal_heads(connection)
            version = str(connection.info.server_version // 10_000)
        condition = condition_of(here)
        manifest = Manifest(
            format=FORMAT,
            purpose=condition.purpose or Purpose.BOOK,
            tallystick=__version__,
            postgresql=version,
            made_at=made_at.astimezone(UTC).isoformat(timespec="seconds"),
            sha256=sha256_of(dump),
            migrations=sorted(condition.migrations),
            seals=seals,
        )
        draft = folder / f".{MANIFEST}"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n")
        flush(dump, draft)
        draft.rename(folder / MANIFEST)
        flush(folder)
    return manifest


@contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    """A private, empty folder to write in; as it was before, if the writing fails."""
    existed = folder.is_dir()
    try:
        if folder.exists() and (not existed or any(folder.iterdir())):
            raise FolderNotEmpty(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWriteBackup(folder, error.strerror or str(error)) from None
    try:
        yield
    except BaseException as failure:
        for file in folder.iterdir():
            file.unlink()
        if not existed:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(failure, OSError):
            raise CannotWriteBackup(folder, failure.strerror or str(failure)) from None
        raise


def prove(folder: Path, *, at: Server) -> Manifest:
    """Restore a backup into a scratch database, compare its seals, and drop the database.

    ``at`` is the database to create it from. Raises what ``restore`` raises, and
    MayNotCreateDatabases.
    """
    with databases.empty_scratch("backup", lobby=at) as here:
        return restore(folder, here, at=at)


def restore(folder: Path, here: Server, *, at: Server) -> Manifest:
    """Read a backup into ``here``, in one transaction, and compare the seals.

    ``here`` may be missing, empty, or freshly made by us and not used yet. Raises NotABackup,
    BackupDamaged, BackupFromNewerVersion, DatabaseInUse, DumpFailed, SealsDiffer.
    """
    manifest = read_manifest(folder)
    known = set(databases.own_migrations())
    if ahead := [name for name in manifest.migrations if name not in known]:
        raise BackupFromNewerVersion(manifest.tallystick, ahead[0])
    _make_room(here, at=at)
    databases.ensure_role(here)
    run_client(
        "pg_restore",
        here,
        "--exit-on-error",
        "--single-transaction",
        "--no-owner",
        str(folder / DUMP),
    )
    with here.connect() as connection:
        restored = seal_heads(connection)
    if restored != manifest.seals:
        raise SealsDiffer(expected=manifest.seals, actual=restored)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a whole and undamaged backup.

    Raises NotABackup, BackupDamaged.
    """
    manifest = described(folder)
    dump = folder / DUMP
    if not dump.is_file():
        raise NotABackup(folder, f"it has no {DUMP}")
    if (actual := sha256_of(dump)) != manifest.sha256:
        raise BackupDamaged(dump, expected=manifest.sha256, actual=actual)
    return manifest


def described(folder: Path) -> Manifest:
    """What a backup says of itself; its dump is not looked at. Raises NotABackup."""
    try:
        said = json.loads((folder / MANIFEST).read_text())
        manifest = Manifest(**{**said, "seals": [SealHead(**seal) for seal in said["seals"]]})
    except FileNotFoundError:
        raise NotABackup(folder, f"it has no {MANIFEST}") from None
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise NotABackup(folder, f"its {MANIFEST} cannot be read ({error})") from None
    if manifest.purpose not in (Purpose.BOOK, Purpose.DEMO, Purpose.TEST):
        raise NotABackup(folder, f"it is of a {manifest.purpose} database, which nobody keeps")
    if manifest.format != FORMAT:
        raise NotABackup(folder, f"its format is {manifest.format} and this version reads {FORMAT}")
    return manifest


def seal_heads(connection: Connection[tuple[Any, ...]]) -> list[SealHead]:
    """The last seal of every legal entity, by code; none before the ledger has tables.

    In SQL, because a dump's snapshot belongs to one connection, which is not Django's.
    """
    if connection.execute("SELECT to_regclass('ledger_seal')").fetchone() == (None,):
        return []
    rows = connection.execute(
        "SELECT DISTINCT ON (entity.code) entity.code, seal.date::text,"
        " encode(seal.seal_hash, 'hex')"
        " FROM ledger_seal seal JOIN parties_legalentity entity ON entity.id = seal.legal_entity_id"
        " ORDER BY entity.code, seal.date DESC"
    )
    return [SealHead(*row) for row in rows]


def holds(connection: Connection[tuple[Any, ...]], head: SealHead) -> bool:
    """True when the ledger has this very seal for that day."""
    if connection.execute("SELECT to_regclass('ledger_seal')").fetchone() == (None,):
        return False
    return (
        connection.execute(
            "SELECT FROM ledger_seal seal"
            " JOIN parties_legalentity entity ON entity.id = seal.legal_entity_id"
            " WHERE entity.code = %s AND seal.date = %s AND encode(seal.seal_hash, 'hex') = %s",
            [head.legal_entity, head.date, head.seal],
        ).fetchone()
        is not None
    )


def _make_room(here: Server, *, at: Server) -> None:
    """Leave an empty database of that name. Raises DatabaseInUse."""
    if here.database not in databases.names(at):
        databases.create(here, at=at)
        return
    if not condition_of(here).has_tables:
        return
    if here == at or _is_used(here):
        raise DatabaseInUse(here)
    databases.drop(here, at=at)
    databases.create(here, at=at)


def _is_used(here: Server) -> bool:
    """True unless it is ours and no table of the book holds a row."""
    if condition_of(here).purpose is None:
        return True
    with here.connect() as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        return any(
            connection.execute(
                sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(str(table)))
            ).fetchone()
            for (table,) in tables
            if not str(table).startswith(TABLES_OF_THE_HOUSE)
        )


def run_client(program: str, here: Server, *arguments: str) -> None:
    """Run a PostgreSQL client on the database; the password goes by the environment."""
    environment = {**os.environ, **({"PGPASSWORD": here.password} if here.password else {})}
    done = subprocess.run(
        [found().program(program), f"--dbname={here.without_password().url}", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DumpFailed(program, done.stdout)


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def flush(*paths: Path) -> None:
    """Have the disk hold files and folders before anybody is told that the backup exists."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
