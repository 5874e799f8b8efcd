"""What a timer's monitor reads: one line of JSON, and an exit status."""

import json
from pathlib import Path

import pytest
import typer

from tallystick.faces.cli.backup import backup
from tallystick.site.server import Server


@pytest.fixture
def here(database: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("DATABASE_URL", database.url)
    return database


def test_a_backup_made_is_one_line_of_json(here, tmp_path: Path, capsys) -> None:
    backup(tmp_path / "series", keep=2, verify=True, as_json=True)

    [line] = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["backup"], said["verified"], said["removed"]) == ("made", True, [])
    assert Path(said["folder"], "manifest.json").is_file()
    assert said["bytes"] == Path(said["folder"], "database.dump").stat().st_size


def test_a_backup_refused_is_one_line_of_json_and_status_2(here, tmp_path: Path, capsys) -> None:
    (tmp_path / "precious").touch()

    with pytest.raises(typer.Exit) as ended:
        backup(tmp_path, as_json=True)

    said = json.loads(capsys.readouterr().out)
    assert (said["backup"], said["reason"]) == ("refused", "FolderNotEmpty")
    assert "--keep" in said["message"]
    assert ended.value.exit_code == 2


def test_an_older_versions_database_is_backed_up_before_it_is_migrated(
    here, tmp_path: Path, capsys
) -> None:
    with here.connect() as owner:
        owner.execute("DELETE FROM django_migrations WHERE app = 'webhooks'")

    backup(tmp_path / "backup")

    assert "SHA-256" in capsys.readouterr().out
