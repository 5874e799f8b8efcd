"""The write-ahead log of the embedded server, kept: for a restore to any instant.

An archive is a folder. ``wal`` receives every segment as PostgreSQL's own archiver hands it over,
at the latest a minute after something was written; ``base`` holds copies of the whole server, to
which the segments are applied. A segment is compressed and written aside before it gets its name,
so one with a name is whole.
"""

import json
import os
import shlex
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from tallystick import __version__
from tallystick.rules.refusal import Refusal
from tallystick.site import databases
from tallystick.site.backups import (
    CannotWriteBackup,
    SealHead,
    flush,
    run_client,
    seal_heads,
    sha256_of,
)
from tallystick.site.cluster import Cluster
from tallystick.site.marks import Purpose, condition_of
from tallystick.site.server import Server

FORMAT = 1
DESCRIPTION = "base.json"
FILES = "base.tar.gz"
SEGMENTS = "pg_wal.tar.gz"
NAME = "%Y-%m-%dT%H%M%SZ"
DRAFT_PREFIX = ".tallystick-"
NOWHERE = "/bin/true"
MAX_SECONDS_UNARCHIVED = 60
MAX_SECONDS_TO_ARCHIVE = 30


class ArchiveOutOfReach(Refusal):
    """The user who runs PostgreSQL cannot write there."""

    def __init__(self, folder: Path, user: str) -> None:
        super().__init__(
            f"User {user}, who runs PostgreSQL, cannot write to {folder}. Make its parent folders "
            "passable (chmod o+x), or name a folder elsewhere."
        )


class RestartNeeded(Refusal):
    """PostgreSQL begins to archive only when it starts."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL begins to archive when it starts, and other commands are using it now. "
            "Stop ./tally serve and what else is running, and run the command again."
        )


class ArchivingFails(Refusal):
    """PostgreSQL could not hand a segment over."""

    def __init__(self, folder: Path, log: Path) -> None:
        super().__init__(
            f"PostgreSQL has not archived a segment to {folder} within {MAX_SECONDS_TO_ARCHIVE} "
            f"seconds. The reason is at the end of {log}; most often the disk is full."
        )


class NotArchiving(Refusal):
    """A base without the log that follows it would be worth one instant only."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The server does not archive to {folder}. Begin with: ./tally archive start {folder}"
        )


class ArchiveOfOthers(Refusal):
    """Two servers in one archive would destroy both."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is the archive of another server, or of this one before it was restored. "
            "Name a new folder."
        )


@dataclass(frozen=True, slots=True)
class Base:
    """A copy of the whole server, as its description says; usable from ``ended_at`` on.

    ``first_segment`` is the first it needs. ``seals`` are, by database, the last ones it holds.
    """

    format: int
    tallystick: str
    postgresql: str
    system_identifier: str
    ended_at: str
    first_segment: str
    sha256: dict[str, str]
    seals: dict[str, list[SealHead]]


@dataclass(frozen=True, slots=True)
class Archiving:
    """How the server's archiver is doing; ``command`` is empty when there is none."""

    command: str
    last_segment: str | None
    last_archived_at: datetime | None
    failing_since: datetime | None
    waiting_segments: int


def start(archive: Path, cluster: Cluster, server: Server) -> bool:
    """Have the server archive to ``archive``; False when it has to be started anew for that.

    Raises ArchiveOutOfReach, ArchiveOfOthers.
    """
    with server.connect() as connection:
        identity = _identity(connection)
        if any(base.system_identifier != identity for _, base in bases_in(archive)):
            raise ArchiveOfOthers(archive)
        segments = _segments_folder(archive, cluster)
        if not _is_set(connection, archive) and not bases_in(archive) and any(segments.iterdir()):
            raise ArchiveOfOthers(archive)
        settings = {
            "archive_mode": "on",
            "archive_command": command_for(archive),
            "archive_timeout": f"{MAX_SECONDS_UNARCHIVED}s",
        }
        for name, value in settings.items():
            connection.execute(
                sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), value)
            )
        connection.execute("SELECT pg_reload_conf()")
        return connection.execute("SHOW archive_mode").fetchone() == ("on",)


def stop(server: Server) -> None:
    """Archive no further; what is in the archive stays usable up to now."""
    with server.connect() as connection:
        connection.execute("ALTER SYSTEM RESET archive_mode")
        connection.execute("ALTER SYSTEM RESET archive_timeout")
        # Until its next start the server would pile up what nobody takes.
        connection.execute(sql.SQL("ALTER SYSTEM SET archive_command = {}").format(NOWHERE))
        connection.execute("SELECT pg_reload_conf()")


def command_for(archive: Path) -> str:
    """What PostgreSQL runs for each segment. One that is there already must be the same."""
    folder = shlex.quote(str(archive / "wal")).replace("%", "%%")
    draft, kept = f"{folder}/.%f", f"{folder}/%f.gz"
    return (
        f"test ! -e {kept} && gzip -1 -n -c %p > {draft} && sync {draft} && mv {draft} {kept}"
        f" && sync {folder} || gzip -d -c {kept} | cmp -s - %p"
    )


def restore_command_for(archive: Path) -> str:
    """How PostgreSQL gets a segment back."""
    kept = shlex.quote(str(archive / "wal")).replace("%", "%%") + "/%f.gz"
    return f"test -e {kept} && gzip -d -c {kept} > %p"


def add_base(archive: Path, cluster: Cluster, server: Server, *, keep: int | None) -> Path:
    """Copy the whole server to the archive while work goes on; return the copy's folder.

    With ``keep``, all but the newest so many are removed, and the segments that only they
    needed. Raises NotArchiving, ArchivingFails, backups.DumpFailed.
    """
    with server.connect() as connection:
        if not _is_set(connection, archive):
            raise NotArchiving(archive)
        if connection.execute("SHOW archive_mode").fetchone() != ("on",):
            raise RestartNeeded
        _check_it_archives(archive, cluster, connection)
        began_at = _now(connection)
        draft = archive / "base" / f"{DRAFT_PREFIX}{began_at.strftime(NAME)}"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.parent.mkdir(mode=0o700, exist_ok=True)
            run_client(
                "pg_basebackup",
                server,
                f"--pgdata={draft}",
                "--format=tar",
                "--compress=client-gzip:1",
                "--checkpoint=fast",
            )
            base = _described(draft, connection, server)
            description = draft / DESCRIPTION
            description.touch(mode=0o600)
            description.write_text(json.dumps(asdict(base), indent=2, ensure_ascii=False) + "\n")
            flush(description)
            folder = draft.with_name(draft.name.removeprefix(DRAFT_PREFIX))
            draft.rename(folder)
            flush(folder.parent)
        except OSError as error:
            raise CannotWriteBackup(draft.parent, error.strerror or str(error)) from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    if keep:
        remove_outdated(archive, keep=keep)
    return folder


def bases_in(archive: Path) -> list[tuple[Path, Base]]:
    """The whole copies of the server in an archive, oldest first."""
    found = []
    for description in sorted(archive.glob(f"base/[0-9]*/{DESCRIPTION}")):
        said = json.loads(description.read_text())
        seals = {
            database: [SealHead(**head) for head in heads]
            for database, heads in said["seals"].items()
        }
        found.append((description.parent, Base(**{**said, "seals": seals})))
    return found


def status(server: Server) -> Archiving:
    """How the archiver is doing."""
    with server.connect() as connection:
        row = connection.execute(
            "SELECT current_setting('archive_command'), last_archived_wal, last_archived_time,"
            " CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')"
            "   THEN last_failed_time END,"
            " (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'),"
            " current_setting('archive_mode')"
            " FROM pg_stat_archiver"
        ).fetchone()
    assert row is not None
    command, segment, archived_at, failing, waiting, mode = row
    is_archiving = mode == "on" and command != NOWHERE
    return Archiving(command if is_archiving else "", segment, archived_at, failing, waiting)


def _is_set(connection: Connection[tuple[Any, ...]], archive: Path) -> bool:
    """True when the server's settings name this archive, be it from its next start on."""
    row = connection.execute(
        "SELECT setting FROM pg_file_settings WHERE name = 'archive_command'"
        " ORDER BY seqno DESC LIMIT 1"
    ).fetchone()
    return row == (command_for(archive),)


def _segments_folder(archive: Path, cluster: Cluster) -> Path:
    """The folder for segments, which belongs to the server's user."""
    folder = archive / "wal"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, cluster.user.uid, cluster.user.gid)
    if cluster.user.run("/bin/sh", "-c", 'test -w "$0"', folder).returncode != 0:
        raise ArchiveOutOfReach(folder, cluster.user.name)
    return folder


def _check_it_archives(
    archive: Path, cluster: Cluster, connection: Connection[tuple[Any, ...]]
) -> None:
    """Hand a segment over now, and see it arrive."""
    connection.execute("SELECT pg_create_restore_point('tallystick')")  # so that there is one
    row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
    assert row is not None
    deadline = time.monotonic() + MAX_SECONDS_TO_ARCHIVE
    while not (archive / "wal" / f"{row[0]}.gz").exists():
        if time.monotonic() > deadline:
            raise ArchivingFails(archive, cluster.log)
        time.sleep(0.05)


def _described(draft: Path, connection: Connection[tuple[Any, ...]], server: Server) -> Base:
    """What is to be known of a base just made.

    Its seals are read first: whatever is committed by now may be in it or in the segments after
    it, so a restore to any later instant holds them.
    """
    seals = {}
    for name in databases.names(server):
        if condition_of(server.named(name)).purpose in (Purpose.BOOK, Purpose.DEMO, Purpose.TEST):
            with server.named(name).connect() as its:
                seals[name] = seal_heads(its)
    wal = json.loads((draft / "backup_manifest").read_text())["WAL-Ranges"][0]
    row = connection.execute("SELECT pg_walfile_name(%s)", [wal["Start-LSN"]]).fetchone()
    assert row is not None
    return Base(
        format=FORMAT,
        tallystick=__version__,
        postgresql=str(connection.info.server_version // 10_000),
        system_identifier=_identity(connection),
        ended_at=_now(connection).isoformat(),
        first_segment=row[0],
        sha256={name: sha256_of(draft / name) for name in (FILES, SEGMENTS)},
        seals=seals,
    )


def remove_outdated(archive: Path, *, keep: int) -> None:
    """Remove all but the newest ``keep`` bases, and the segments that only they needed."""
    bases = bases_in(archive)
    for folder, _ in bases[:-keep]:
        going = folder.with_name(f"{DRAFT_PREFIX}{folder.name}")
        folder.rename(going)
        shutil.rmtree(going)
    _, oldest = bases[-keep:][0]
    for segment in (archive / "wal").glob("[0-9A-F]*.gz"):
        # Names of one timeline sort as they follow one another; histories have no such name.
        name = segment.name.removesuffix(".gz").partition(".")[0]
        if len(name) == len(oldest.first_segment) and name < oldest.first_segment:
            segment.unlink()


def _identity(connection: Connection[tuple[Any, ...]]) -> str:
    row = connection.execute(
        "SELECT system_identifier::text || '/' || timeline_id"
        " FROM pg_control_system(), pg_control_checkpoint()"
    ).fetchone()
    assert row is not None
    return str(row[0])


def _now(connection: Connection[tuple[Any, ...]]) -> datetime:
    """By the clock that stamps the acts."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now.astimezone(UTC)
