"""Backup, wipe, restore: the same rows and the same seals."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.site import backups, databases
from tallystick.site.server import Server

SEAL = "ab" * 32


@pytest.fixture
def sealed(database: Server) -> Server:
    """A database with one legal entity and two sealed days."""
    with database.connect() as owner:
        owner.execute("INSERT INTO parties_party (id, code, name) VALUES (1, 'HOUSE', 'House')")
        owner.execute(
            "INSERT INTO parties_legalentity"
            " (id, code, party_id, time_zone, calendar, opened_date, business_date)"
            " VALUES (1, 'HOUSE', 1, 'Asia/Shanghai', 'CN', '2026-01-01', '2026-01-03')"
        )
        days = (("2026-01-01", "00" * 32, "cd" * 32), ("2026-01-02", "cd" * 32, SEAL))
        for day, previous, seal in days:
            owner.execute(
                "INSERT INTO ledger_seal (legal_entity_id, date, entry_count, merkle_root,"
                " previous_hash, seal_hash, sealed_at) VALUES"
                " (1, %s, 0, decode(%s, 'hex'), decode(%s, 'hex'), decode(%s, 'hex'), now())",
                [day, "00" * 32, previous, seal],
            )
    return database


@pytest.fixture
def target(postgres: Server) -> Iterator[Server]:
    target = postgres.named("restored")
    yield target
    databases.leave()
    databases.drop(target, at=postgres)


def test_a_restored_database_shows_the_same_rows_and_seals(sealed, target, postgres, tmp_path):
    made = backups.back_up(sealed, tmp_path / "backup")
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
    backups.back_up(sealed, tmp_path)
    backups.restore(tmp_path, target, at=postgres)

    with sealed.connect() as before, target.connect() as after:
        expected = before.execute(rights).fetchall()
        assert after.execute(rights).fetchall() == expected != []


def test_a_backup_never_overwrites(sealed, tmp_path):
    (tmp_path / "precious").touch()

    with pytest.raises(backups.FolderNotEmpty):
        backups.back_up(sealed, tmp_path)


def test_a_database_that_somebody_uses_is_never_restored_over(sealed, postgres, tmp_path):
    backups.back_up(sealed, tmp_path)

    with pytest.raises(backups.DatabaseInUse):
        backups.restore(tmp_path, sealed, at=postgres)
    with sealed.connect() as owner:
        assert owner.execute("SELECT count(*) FROM parties_party").fetchone() == (1,)


def test_a_fresh_database_of_ours_that_nobody_used_gives_way(
    sealed, target, postgres, template, tmp_path
):
    backups.back_up(sealed, tmp_path)
    databases.create(target, at=postgres, template=template.database)

    backups.restore(tmp_path, target, at=postgres)

    with target.connect() as owner:
        assert owner.execute("SELECT count(*) FROM parties_party").fetchone() == (1,)


def test_a_damaged_dump_is_refused_before_anything_is_changed(sealed, target, postgres, tmp_path):
    backups.back_up(sealed, tmp_path)
    dump = tmp_path / backups.DUMP
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)

    with pytest.raises(backups.BackupDamaged):
        backups.restore(tmp_path, target, at=postgres)
    assert target.database not in databases.names(postgres)


def test_an_interrupted_backup_is_not_a_backup(sealed, target, postgres, tmp_path):
    backups.back_up(sealed, tmp_path)
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
    backups.back_up(sealed, tmp_path)

    with pytest.raises(backups.NotABackup, match="scratch"):
        backups.restore(tmp_path, target, at=postgres)


def test_a_backup_of_a_newer_version_is_refused(sealed, target, postgres, tmp_path):
    backups.back_up(sealed, tmp_path)
    manifest = json.loads((tmp_path / backups.MANIFEST).read_text())
    manifest["migrations"].append("ledger.9999_from_the_future")
    (tmp_path / backups.MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(backups.BackupFromNewerVersion, match="9999_from_the_future"):
        backups.restore(tmp_path, target, at=postgres)


def test_seals_that_differ_from_the_manifest_are_reported(sealed, target, postgres, tmp_path):
    backups.back_up(sealed, tmp_path)
    manifest = json.loads(Path(tmp_path, backups.MANIFEST).read_text())
    manifest["seals"][0]["seal"] = "00" * 32
    (tmp_path / backups.MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(backups.SealsDiffer, match=SEAL):
        backups.restore(tmp_path, target, at=postgres)
