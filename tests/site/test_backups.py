"""Backup, wipe, restore: the same rows and the same seals."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.site.sealed import SEAL, no_file_larger_than

from tallystick.site import backups, databases
from tallystick.site.server import Server

AT = datetime(2026, 11, 22, 14, tzinfo=UTC)


@pytest.fixture
def target(postgres: Server) -> Iterator[Server]:
    target = postgres.named("restored")
    yield target
    databases.leave()
    databases.drop(target, at=postgres)


def test_a_restored_database_shows_the_same_rows_and_seals(sealed, target, postgres, tmp_path):
    made = backups.back_up(sealed, tmp_path / "backup", made_at=AT)
    restored = backups.restore(tmp_path / "backup", target, at=postgres)

    assert made == restored
    assert made.seals == [backups.SealHead("HOUSE", "2026-01-02", SEAL)]
    with target.connect() as owner:
        assert owner.execute("SELECT code FROM parties_party").fetchall() == [("HOUSE",)]
    assert databases.missing_migrations(target) == []


def test_the_application_has_the_same_rights_after_a_restore(sealed, target, postgres, tmp_path):
    rights = (
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        f" WHERE grantee = '{databases.APPLICATION_ROLE}' ORDER BY 1, 2"
    )
    backups.back_up(sealed, tmp_path, made_at=AT)
    backups.restore(tmp_path, target, at=postgres)

    with sealed.connect() as before, target.connect() as after:
        expected = before.execute(rights).fetchall()
        assert after.execute(rights).fetchall() == expected != []


def test_a_backup_never_overwrites(sealed, tmp_path):
    (tmp_path / "precious").touch()

    with pytest.raises(backups.FolderNotEmpty):
        backups.back_up(sealed, tmp_path, made_at=AT)


def test_a_backup_is_for_the_eyes_of_its_owner_only(sealed, tmp_path):
    backups.back_up(sealed, tmp_path / "backup", made_at=AT)

    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700
    for file in (tmp_path / "backup").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_backup_that_finds_no_room_leaves_nothing(sealed, tmp_path):
    with no_file_larger_than(20_000), pytest.raises(backups.DumpFailed):
        backups.back_up(sealed, tmp_path / "backup", made_at=AT)
    assert not (tmp_path / "backup").exists()

    (tmp_path / "file").touch()
    with pytest.raises(backups.CannotWriteBackup, match="Not a directory"):
        backups.back_up(sealed, tmp_path / "file" / "backup", made_at=AT)


def test_a_proved_backup_has_been_restored_and_leaves_no_database(sealed, postgres, tmp_path):
    made = backups.back_up(sealed, tmp_path, made_at=AT)
    before = databases.names(postgres)

    assert backups.prove(tmp_path, at=postgres) == made
    assert databases.names(postgres) == before

    manifest = json.loads((tmp_path / backups.MANIFEST).read_text())
    manifest["seals"][0]["seal"] = "00" * 32
    (tmp_path / backups.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(backups.SealsDiffer):
        backups.prove(tmp_path, at=postgres)
    assert databases.names(postgres) == before


def test_a_copy_that_a_killed_proof_left_is_dropped_at_the_next_one(sealed, postgres, tmp_path):
    backups.back_up(sealed, tmp_path, made_at=AT)
    scratch = databases.empty_scratch("backup", lobby=postgres)
    left = scratch.__enter__()
    backups.restore(tmp_path, left, at=postgres)
    with postgres.connect() as owner:  # the kernel closes what a killed process had open
        owner.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [left.database],
        )

    backups.prove(tmp_path, at=postgres)

    assert left.database not in databases.names(postgres)


def test_a_database_that_somebody_uses_is_never_restored_over(sealed, postgres, tmp_path):
    backups.back_up(sealed, tmp_path, made_at=AT)

    with pytest.raises(backups.DatabaseInUse):
        backups.restore(tmp_path, sealed, at=postgres)
    with sealed.connect() as owner:
        assert owner.execute("SELECT count(*) FROM parties_party").fetchone() == (1,)


def test_a_fresh_database_of_ours_that_nobody_used_gives_way(
    sealed, target, postgres, template, tmp_path
):
    backups.back_up(sealed, tmp_path, made_at=AT)
    databases.create(target, at=postgres, template=template.database)

    backups.restore(tmp_path, target, at=postgres)

    with target.connect() as owner:
        assert owner.execute("SELECT count(*) FROM parties_party").fetchone() == (1,)


def test_a_damaged_dump_is_refused_before_anything_is_changed(sealed, target, postgres, tmp_path):
    backups.back_up(sealed, tmp_path, made_at=AT)
    dump = tmp_path / backups.DUMP
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)

    with pytest.raises(backups.BackupDamaged):
        backups.restore(tmp_path, target, at=postgres)
    assert target.database not in databases.names(postgres)


def test_an_interrupted_backup_is_not_a_backup(sealed, target, postgres, tmp_path):
    backups.back_up(sealed, tmp_path, made_at=AT)
    (tmp_path / backups.MANIFEST).unlink()

    with pytest.raises(backups.NotABackup, match=r"no manifest\.json"):
        backups.restore(tmp_path, target, at=postgres)


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"seals": 1}', '{"seals": [{"x": 1}]}'])
def test_a_manifest_that_cannot_be_read_is_refused(target, postgres, tmp_path, said):
    (tmp_path / backups.MANIFEST).write_text(said)

    with pytest.raises(backups.NotABackup):
        backups.restore(tmp_path, target, at=postgres)


def test_a_backup_of_a_scratch_database_is_refused(sealed, target, postgres, tmp_path):
    with sealed.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'scratch'")
    backups.back_up(sealed, tmp_path, made_at=AT)

    with pytest.raises(backups.NotABackup, match="scratch"):
        backups.restore(tmp_path, target, at=postgres)


def test_a_backup_of_a_newer_version_is_refused(sealed, target, postgres, tmp_path):
    backups.back_up(sealed, tmp_path, made_at=AT)
    manifest = json.loads((tmp_path / backups.MANIFEST).read_text())
    manifest["migrations"].append("ledger.9999_from_the_future")
    (tmp_path / backups.MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(backups.BackupFromNewerVersion, match="9999_from_the_future"):
        backups.restore(tmp_path, target, at=postgres)


def test_seals_that_differ_from_the_manifest_are_reported(sealed, target, postgres, tmp_path):
    backups.back_up(sealed, tmp_path, made_at=AT)
    manifest = json.loads(Path(tmp_path, backups.MANIFEST).read_text())
    manifest["seals"][0]["seal"] = "00" * 32
    (tmp_path / backups.MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(backups.SealsDiffer, match=SEAL):
        backups.restore(tmp_path, target, at=postgres)
