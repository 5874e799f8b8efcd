"""Restore of the embedded server to an instant: a base of the archive, and the log up to then."""

import os
import re
import shutil
import tarfile
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psycopg

from tallystick.rules.refusal import Refusal
from tallystick.site import cluster as embedded
from tallystick.site.archive import FILES, SEGMENTS, Base, bases_in, restore_command_for
from tallystick.site.backups import BackupDamaged, DumpFailed, sha256_of
from tallystick.site.server import SUPPORTED_VERSION

SETTINGS = "postgresql.auto.conf"
ENDED_BEFORE = "recovery ended before configured recovery target was reached"
LAST_ACT = re.compile(r"last completed transaction was at log time (\S+ \S+)")


class NotAnArchive(Refusal):
    """No base is there."""

    def __init__(self, archive: Path) -> None:
        super().__init__(
            f"{archive} is not an archive: it holds no base. Name the folder that was given to "
            "./tally archive start. A backup that ./tally backup wrote is restored without --at."
        )


class NoBaseBefore(Refusal):
    """The log can only be applied to what was there before."""

    def __init__(self, at: datetime, earliest: str) -> None:
        super().__init__(
            f"No base of the archive is older than {at.isoformat()}; the earliest restore is to "
            f"{earliest}. For an earlier state restore a backup that ./tally backup wrote."
        )


class ArchiveEndsBefore(Refusal):
    """No act after the instant is in the archive, so nothing shows that it is reached."""

    def __init__(self, at: datetime, last_act: str) -> None:
        super().__init__(
            f"The archive does not reach {at.isoformat()}: its last act is of {last_act} UTC. "
            "If nothing was done between the two, --at latest gives the state you want. If "
            "something was, wait a minute for the living server to archive it, or copy what a "
            "dead one has left in its folder pg_wal, each compressed with gzip, to the archive's "
            "folder wal."
        )


class ClusterInUse(Refusal):
    """A restore never overwrites."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There is a server in {folder} already, and a restore never overwrites. "
            "Set TALLY_HOME to a new folder and restore there."
        )


class BaseFromOtherPostgres(Refusal):
    """A base is of PostgreSQL's own files, which another major version cannot read."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The base was made by PostgreSQL {version} and this is {SUPPORTED_VERSION}. Restore "
            "it with the version of tallystick that made it."
        )


@dataclass(frozen=True, slots=True)
class Rewound:
    """A server restored: from which base, and the instant of the last act in it, in UTC."""

    folder: Path
    base: Base
    last_act_at: str | None


def restore_to(archive: Path, home: Path, *, at: datetime | None) -> Rewound:
    """Make the server of ``home``, new until now, as it was at ``at``, or as late as possible.

    Every act committed up to ``at`` is in it and no later one. The server is left stopped; it
    does not archive. Raises NotAnArchive, NoBaseBefore, ArchiveEndsBefore, ClusterInUse,
    BaseFromOtherPostgres, BackupDamaged, DumpFailed, ServerDidNotStart.
    """
    folder, base = _base_for(archive, at)
    if base.postgresql != str(SUPPORTED_VERSION):
        raise BaseFromOtherPostgres(base.postgresql)
    place = embedded.located(home)
    with embedded.alone(place):
        if place.data.exists():
            raise ClusterInUse(place.folder)
        # Aside until it is whole: half a server never looks like one.
        aside = replace(place, folder=place.folder / "recovering")
        shutil.rmtree(aside.folder, ignore_errors=True)
        _unpack(folder, base, aside)
        settings = aside.data / SETTINGS
        kept = _settings_to_keep(settings.read_text())
        settings.write_text(kept + _recovery(archive, at))
        (aside.data / "recovery.signal").touch()
        _give_to_server(aside)
        try:
            embedded.launch(aside, durable=True)
            recovered = _has_recovered(aside)
        except embedded.ServerDidNotStart:  # it ended while we were still waiting for its start
            recovered = False
        said = aside.log.read_text(errors="replace")
        if at and not recovered and ENDED_BEFORE in said:
            shutil.rmtree(aside.folder)
            raise ArchiveEndsBefore(at, _last_act(said) or base.ended_at)
        if not recovered:
            raise embedded.ServerDidNotStart("restoring", said, aside.log)
        embedded.stop(aside)
        settings.write_text(kept)
        aside.data.rename(place.data)
        shutil.rmtree(aside.folder)
    return Rewound(place.folder, base, _last_act(said))


def _base_for(archive: Path, at: datetime | None) -> tuple[Path, Base]:
    """The latest base that was complete by then."""
    bases = bases_in(archive)
    if not bases:
        raise NotAnArchive(archive)
    usable = [
        (folder, base)
        for folder, base in bases
        if at is None or datetime.fromisoformat(base.ended_at) <= at
    ]
    if not usable:
        assert at is not None
        raise NoBaseBefore(at, bases[0][1].ended_at)
    return usable[-1]


def _unpack(folder: Path, base: Base, aside: embedded.Cluster) -> None:
    """The base's files, as they were written. Raises BackupDamaged, DumpFailed."""
    for name, expected in base.sha256.items():
        if (actual := sha256_of(folder / name)) != expected:
            raise BackupDamaged(folder / name, expected=expected, actual=actual)
    aside.data.mkdir(mode=0o700, parents=True)
    try:
        for name, into in ((FILES, aside.data), (SEGMENTS, aside.data / "pg_wal")):
            with tarfile.open(folder / name) as files:
                files.extractall(into, filter="tar")
    except OSError as error:  # no room
        shutil.rmtree(aside.folder)
        raise DumpFailed("Unpacking the base", f"{aside.data}: {error.strerror}") from None


def _has_recovered(aside: embedded.Cluster) -> bool:
    """Wait, however long the log takes to apply: true once the server lets us in, false if it ends.

    It lets nobody in before, and does not start again.
    """
    while True:
        host = embedded.socket_folder(aside.data)
        try:
            psycopg.connect(host=host, port="5432", user=embedded.LOGIN, dbname="postgres").close()
        except psycopg.OperationalError:
            if embedded.serving_pid(aside) is None:
                return False
            time.sleep(0.1)
        else:
            return True


def _settings_to_keep(settings: str) -> str:
    """Those of the server but for its archive, which is the old server's and not this one's."""
    lines = settings.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("archive_"))


def _recovery(archive: Path, at: datetime | None) -> str:
    settings = {
        "restore_command": restore_command_for(archive),
        "recovery_target_action": "promote",
        "hot_standby": "off",  # nobody is let in before the instant is reached
        **({"recovery_target_time": at.isoformat()} if at else {}),
    }
    return "".join(f"{name} = '{_quoted(value)}'\n" for name, value in settings.items())


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _give_to_server(aside: embedded.Cluster) -> None:
    if os.geteuid() == 0:
        for path in (aside.folder, *aside.folder.rglob("*")):
            os.chown(path, aside.user.uid, aside.user.gid, follow_symlinks=False)


def _last_act(said: str) -> str | None:
    instants = LAST_ACT.findall(said)
    return instants[-1] if instants else None
