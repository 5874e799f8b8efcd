"""A series of backups in one folder: a timer adds to it, and the oldest go.

Each backup is a folder named by its instant. It gets that name when it is whole, and proved if
that was asked for; until then it is a draft that the next run removes. An older backup goes only
after a newer one of the same books has got its name.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tallystick.rules.refusal import Refusal
from tallystick.site.backups import (
    MANIFEST,
    CannotWriteBackup,
    FolderNotEmpty,
    Manifest,
    NotABackup,
    SealHead,
    back_up,
    described,
    holds,
    prove,
)
from tallystick.site.server import Server

NAME = "%Y-%m-%dT%H%M%SZ"
NAMED = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
DRAFT_PREFIX = ".tallystick-"


class BackupRunning(Refusal):
    """Two at once would only slow each other down."""

    def __init__(self, series: Path) -> None:
        super().__init__(
            f"Another backup is being written to {series}. Wait until it ends; if it never does, "
            "its timer runs more often than a backup takes."
        )


class NotTheSameBooks(Refusal):
    """These books do not continue the series'; adding them would push good backups out."""

    def __init__(self, series: Path, latest: Path, missing: SealHead) -> None:
        super().__init__(
            f"The latest backup in {series}, {latest.name}, holds the seal of "
            f"{missing.legal_entity} for {missing.date}, and the database does not: these are "
            "other books, or older ones. Check TALLY_HOME and DATABASE_URL, or name a new folder "
            "for these books."
        )


@dataclass(frozen=True, slots=True)
class Addition:
    """What a run did: the new backup, and the names of those that went."""

    folder: Path
    manifest: Manifest
    removed: list[str]


def add_to(
    series: Path, here: Server, *, keep: int, prove_at: Server | None, made_at: datetime
) -> Addition:
    """Add a backup of ``here`` to the series, then remove all but the newest ``keep``.

    With ``prove_at``, a database to create others from, the backup is restored into a scratch
    database and its seals compared before it counts.

    Raises BackupRunning, NotTheSameBooks, CannotWriteBackup, and what ``back_up`` and ``prove``
    raise; earlier backups then stay as they are.
    """
    with _alone(series):
        folder = series / made_at.astimezone(UTC).strftime(NAME)
        if folder.exists():
            raise FolderNotEmpty(folder)
        _check_same_books(series, here)
        draft = series / f"{DRAFT_PREFIX}{folder.name}"
        manifest = back_up(here, draft, made_at=made_at)
        try:
            if prove_at:
                prove(draft, at=prove_at)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        earlier = [old for old in backups_in(series) if old != folder]
        outdated = earlier[: max(0, len(earlier) - (keep - 1))]
        for old in outdated:
            _remove(old)
        return Addition(folder, manifest, [old.name for old in outdated])


def backups_in(series: Path) -> list[Path]:
    """The whole backups of a series, oldest first; nothing else that lies there."""
    return sorted(
        folder
        for folder in series.iterdir()
        if NAMED.fullmatch(folder.name) and (folder / MANIFEST).is_file()
    )


@contextmanager
def _alone(series: Path) -> Iterator[None]:
    """Nobody else writes to the series; the kernel drops the lock however a run ends.

    What killed runs have left is removed.
    """
    try:
        series.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(series / f"{DRAFT_PREFIX}lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotWriteBackup(series, error.strerror or str(error)) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRunning(series) from None
        for left in series.glob(f"{DRAFT_PREFIX}*/"):
            shutil.rmtree(left)
        yield
    finally:
        os.close(lock)


def _check_same_books(series: Path, here: Server) -> None:
    """The books must hold every seal that the latest backup ends with. Raises NotTheSameBooks."""
    earlier = backups_in(series)
    if not earlier:
        return
    latest = earlier[-1]
    try:
        kept = described(latest).seals
    except NotABackup:
        return  # of a version that wrote otherwise
    with here.connect() as connection:
        for head in kept:
            if not holds(connection, head):
                raise NotTheSameBooks(series, latest, head)


def _remove(old: Path) -> None:
    """Remove a backup; half removed, it no longer has a backup's name."""
    going = old.with_name(f"{DRAFT_PREFIX}{old.name}")
    old.rename(going)
    shutil.rmtree(going)
