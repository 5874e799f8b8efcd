"""What a watcher of the server hears, from the views and from the server itself."""

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from django.test import Client
from psycopg import Connection

from tallystick.faces.cli import serve
from tallystick.site import databases

HOST = {"HTTP_HOST": "localhost"}


def test_a_migrated_database_is_ready(database):
    answer = Client().get("/health/ready", **HOST)

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert "no-store" in answer["Cache-Control"]


def test_a_database_that_misses_migrations_is_not_ready(database):
    with database.connect() as owner:
        owner.execute("DELETE FROM django_migrations WHERE app = 'parties'")

    answer = Client().get("/health/ready", **HOST)

    assert answer.status_code == 503
    assert "missing" in answer.json()["database"]


def test_a_lost_database_is_not_ready_and_the_process_lives_on(database, postgres):
    assert Client().get("/health/ready", **HOST).status_code == 200
    databases.drop(database, at=postgres)

    answer = Client().get("/health/ready", **HOST)

    assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")
    assert Client().get("/health/live", **HOST).status_code == 200


def test_while_the_database_is_away_everybody_is_told_to_come_again(database, postgres):
    databases.drop(database, at=postgres)
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)
    client.cookies["session"] = client.cookies["sessionid"] = "one that has to be looked up"

    page = client.get("/")
    asked = client.get("/api/v1/facilities", headers={"Authorization": "Bearer tk_abc_def"})

    assert (page.status_code, asked.status_code) == (503, 503)
    assert page["Retry-After"] == asked["Retry-After"] == "5"
    assert "cannot be reached" in page.content.decode()
    assert asked["Content-Type"] == "application/problem+json"
    assert asked.json()["request_id"] == asked["X-Request-ID"]


def test_health_is_only_read_and_only_under_our_own_names():
    assert Client().post("/health/live", **HOST).status_code == 405
    assert Client().get("/health/live", HTTP_HOST="evil.example").status_code == 400
    assert Client().get("/nothing-there", **HOST).status_code == 404


def test_the_server_logs_json_and_told_to_end_answers_first_what_was_asked(database):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with database.connect() as owner:
        owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "tallystick.faces.cli.main", "serve", "--port", str(port)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DATABASE_URL": database.url,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = f"http://127.0.0.1:{port}/health/ready"
    with ThreadPoolExecutor(1) as asking, database.connect() as owner:
        try:
            assert status_of(ready, server) == 200
            with owner.transaction():
                owner.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
                asked = asking.submit(status_of, ready, server)
                while not waits_for_a_lock(owner):
                    time.sleep(0.02)
                server.terminate()
                time.sleep(0.5)
            assert asked.result() == 200
        finally:
            server.terminate()
            _, said = server.communicate(timeout=60)
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert any(line.get("path") == "/health/ready" and line["status"] == 200 for line in lines)
    assert server.returncode == 0


def waits_for_a_lock(owner: Connection[tuple[Any, ...]]) -> bool:
    waiting = owner.execute("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
    return waiting.fetchone() is not None


def status_of(url: str, server: subprocess.Popen[str]) -> int:
    """The status once the server listens."""
    for _ in range(2_400):
        try:
            with urlopen(url, timeout=60) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except URLError:
            assert server.poll() is None
            time.sleep(0.05)
    raise AssertionError("the server never listened")


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(serve.PortTaken, match="--port"):
            serve.serve(port=taken.getsockname()[1])
