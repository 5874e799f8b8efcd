"""A timer's backups: the newest are kept, and nothing that goes wrong costs an earlier one."""

import fcntl
import os
from datetime import UTC, datetime, timedelta

import pytest
from tests.site.sealed import no_file_larger_than

from tallystick.site import backup_series, backups, databases

AT = datetime(2026, 11, 22, 14, tzinfo=UTC)


def names(series):
    return [folder.name for folder in backup_series.backups_in(series)]


def add(series, here, *, hours=0, keep=2, prove_at=None):
    return backup_series.add_to(
        series, here, keep=keep, prove_at=prove_at, made_at=AT + timedelta(hours=hours)
    )


def test_the_newest_are_kept_and_what_is_not_ours_stays(sealed, postgres, tmp_path):
    series = tmp_path / "series"
    for hours in range(3):
        added = add(series, sealed, hours=hours, prove_at=postgres)
        (series / "notes.txt").touch()
        (series / "2020-01-01T000000Z").mkdir(exist_ok=True)  # no backup: it has no manifest

    assert added.folder == series / "2026-11-22T160000Z"
    assert added.removed == ["2026-11-22T140000Z"]
    assert names(series) == ["2026-11-22T150000Z", "2026-11-22T160000Z"]
    assert (series / "notes.txt").exists()
    assert (series / "2020-01-01T000000Z").exists()
    assert backups.read_manifest(added.folder) == added.manifest


def test_a_clock_set_back_does_not_cost_the_backup_just_made(sealed, tmp_path):
    for hours in (1, 2, 0):
        added = add(tmp_path, sealed, hours=hours)

    assert names(tmp_path) == [added.folder.name, "2026-11-22T160000Z"]


def test_a_backup_that_fails_costs_no_earlier_one(sealed, tmp_path):
    add(tmp_path, sealed, keep=1)

    with no_file_larger_than(20_000), pytest.raises(backups.DumpFailed):
        add(tmp_path, sealed, hours=1, keep=1)
    assert names(tmp_path) == ["2026-11-22T140000Z"]
    with pytest.raises(backups.FolderNotEmpty):
        add(tmp_path, sealed, keep=1)

    assert add(tmp_path, sealed, hours=2, keep=1).removed == ["2026-11-22T140000Z"]


def test_other_books_or_older_ones_are_not_taken_for_these(sealed, postgres, template, tmp_path):
    add(tmp_path, sealed, keep=1)
    empty = postgres.named("tallystick_other")
    databases.create(empty, at=postgres, template=template.database)
    try:
        with pytest.raises(backup_series.NotTheSameBooks, match="HOUSE for 2026-01-02"):
            add(tmp_path, empty, hours=1, keep=1)
    finally:
        databases.drop(empty, at=postgres)
    assert names(tmp_path) == ["2026-11-22T140000Z"]


def test_two_at_once_are_refused_and_what_a_killed_one_left_is_removed(sealed, tmp_path):
    (tmp_path / ".tallystick-2026-11-22T130000Z").mkdir()
    other = os.open(tmp_path / ".tallystick-lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(other, fcntl.LOCK_EX)

    with pytest.raises(backup_series.BackupRunning):
        add(tmp_path, sealed)
    os.close(other)

    add(tmp_path, sealed)
    assert {each.name for each in tmp_path.iterdir()} == {".tallystick-lock", "2026-11-22T140000Z"}
