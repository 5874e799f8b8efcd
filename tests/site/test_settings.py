"""What an installation reads from its environment."""

import json
import logging
import stat
import sys

from tallystick.site import logs, settings


def test_the_signing_key_is_made_once_and_readable_by_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.delenv("TALLY_SECRET_KEY")
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "new"))

    key = settings.signing_key()

    assert len(key) > 50
    assert settings.signing_key() == key
    (file,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_signing_key_given_by_the_environment_is_written_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("TALLY_SECRET_KEY", "given")
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "new"))

    assert settings.signing_key() == "given"
    assert not (tmp_path / "new").exists()


def test_a_fault_is_one_line_of_json_with_its_traceback():
    try:
        raise ZeroDivisionError("on purpose")
    except ZeroDivisionError:
        record = logging.LogRecord(
            "django.request", logging.ERROR, "", 0, "fault at %s", ("/draw",), sys.exc_info()
        )

    line = json.loads(logs.JsonLine().format(record))

    assert (line["level"], line["message"]) == ("error", "fault at /draw")
    assert "ZeroDivisionError: on purpose" in line["traceback"]
