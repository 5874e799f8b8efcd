"""``tally client`` and ``tally webhook``: programs that ask, and servers that are told."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from tests.faces.webhooks.receiver import receiving
from tests.faces.webhooks.test_deliveries import told
from typer.testing import CliRunner

from tallystick.book.access.clients import let_in
from tallystick.book.webhooks.models import Delivery
from tallystick.faces.cli import clients, webhooks
from tallystick.rules.refusal import Refusal
from tallystick.site import databases
from tallystick.site.server import Server


@pytest.fixture
def run(database: Server, monkeypatch):
    """Runs a command of a group in this test's database."""
    from contextlib import nullcontext

    monkeypatch.setattr(databases, "book", lambda: nullcontext(database))

    def ran(app, *arguments: str) -> str:
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return ran


def test_a_clients_key_is_printed_once_and_lets_it_in(run):
    printed = run(clients.app, "add", "mall", "--scope", "documents:write", "--days", "30")
    key = printed.split()[-1]

    assert let_in(key).viewer.client_code == "mall"
    listed = run(clients.app, "list", "--json")
    assert key.split("_")[2] not in listed
    assert json.loads(listed)[0]["scopes"] == ["documents:write"]
    run(clients.app, "revoke", "mall")
    assert "revoked" in run(clients.app, "list")
    with pytest.raises(Refusal):
        let_in(key)


def test_an_endpoint_is_added_told_and_replayed(run, monkeypatch):
    monkeypatch.setattr(settings, "WEBHOOK_ALLOW_LOOPBACK", True)
    with receiving() as receiver:
        printed = run(webhooks.app, "add", "hook", receiver.url)
        assert "whsec_" in printed
        told("facility:F", 1)

        assert "1 attempt made" in run(webhooks.app, "deliver", "--once")
        number = str(Delivery.objects.get().pk)
        assert "1 waiting" in run(webhooks.app, "replay", number)
        assert "1 attempt made" in run(webhooks.app, "deliver", "--once")
        assert len(set(receiver.ids)) == 1
        assert json.loads(run(webhooks.app, "list", "--json"))[0]["url"] == receiver.url
        assert "Nothing was given up" in run(webhooks.app, "list", "--dead")
        assert "whsec_" in run(webhooks.app, "rotate", "hook")
        run(webhooks.app, "disable", "hook")


def test_the_servers_worker_delivers_and_ends_with_it(run, database: Server, monkeypatch):
    monkeypatch.setattr(settings, "WEBHOOK_ALLOW_LOOPBACK", True)
    monkeypatch.setenv("TALLY_WEBHOOK_ALLOW_LOOPBACK", "1")
    with receiving() as receiver:
        run(webhooks.app, "add", "hook", receiver.url)
        told("facility:F", 1)
        with webhooks.delivering(database.url):
            for _ in range(600):
                if Delivery.objects.filter(state="delivered").exists():
                    break
                receiver.closing.wait(0.1)
        assert len(receiver.requests) == 1


def test_a_worker_whose_server_was_killed_ends_by_itself(database: Server):
    program = f"from {webhooks.__name__} import run_worker; run_worker(1)"
    worker = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"DATABASE_URL": database.url, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
        capture_output=True,
    )

    assert worker.returncode == 0
