"""Kill -9 of the HTTP server and of PostgreSQL while clients draw: nothing acknowledged is lost,
nothing acts twice, and nobody has to be called to bring it back."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.book.financing.market import OPERATOR, open_market

from tallystick.book.access.clients import NewClient, add_client
from tallystick.book.acts.models import Act
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.watch.verify import verify
from tallystick.site import backups, cluster, databases
from tallystick.site.server import Server

CLIENTS = 16
DRAWS_EACH = 15
AMOUNT_MINOR = 10_000  # the smallest draw, so that nobody is refused
FACILITIES = [f"F{number}" for number in range(8)]
SECONDS = 120
TALLY = (sys.executable, "-P", "-m", "tallystick.faces.cli.main")


@dataclass
class Served:
    """``tally serve`` on an embedded cluster of its own, which the test may kill."""

    home: Path
    port: int
    log: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("a") as log:
            self.processes.append(
                subprocess.Popen(
                    [*TALLY, "serve", "--port", str(self.port)],
                    env={
                        **os.environ,
                        "TALLY_HOME": str(self.home),
                        "PYTHONPATH": os.pathsep.join(sys.path),
                    },
                    stderr=log,
                    text=True,
                    start_new_session=True,  # its group is the server, its workers and no other
                )
            )

    @property
    def now(self) -> subprocess.Popen[str]:
        return self.processes[-1]

    def kill(self) -> None:
        """The server and its workers at once, and what they were doing with them."""
        os.killpg(self.now.pid, signal.SIGKILL)
        self.now.wait()

    def kill_postgres(self) -> None:
        pid_file = cluster.located(self.home).data / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.now.pid}/task/{self.now.pid}/children").read_text()
        return [
            int(pid)
            for pid in children.split()
            if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]


@dataclass
class Clients:
    """Threads that draw under keys of their own, each until it is answered."""

    port: int
    key: str
    told: dict[str, str] = field(default_factory=dict)
    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    cut_off: int = 0
    ending: threading.Event = field(default_factory=threading.Event)

    def draw_all(self, client: int) -> None:
        for number in range(DRAWS_EACH):
            self._draw(f"{client}/{number}", FACILITIES[number % len(FACILITIES)])

    def _draw(self, key: str, facility: str) -> None:
        body = {
            "facility": facility,
            "amount_minor": AMOUNT_MINOR,
            "currency": "CNY",
            "tenor_days": 30,
        }
        while key not in self.told and not self.ending.is_set():
            try:
                status, media_type, content = self._post(body, key)
            except (OSError, http.client.HTTPException):
                self.cut_off += 1
            else:
                self.answers[status, media_type] += 1
                if status == 201:
                    self.told[key] = json.loads(content)["loan"]
                    return
            time.sleep(0.05)

    def _post(self, body: dict[str, object], key: str) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(
                "POST",
                "/api/v1/drawdowns",
                json.dumps(body),
                {
                    "Authorization": f"Bearer {self.key}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": key,
                },
            )
            answer = connection.getresponse()
            return answer.status, answer.headers.get_content_type(), answer.read()
        finally:
            connection.close()


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tally-crash-"))
    folder.chmod(0o755)  # as root, the server's user must pass
    yield folder
    databases.leave()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def key(home: Path, template: Server, tmp_path: Path) -> str:
    """A book in the home, with facilities to draw on; the key of a client that may."""
    backups.back_up(template, tmp_path / "empty", made_at=datetime.now(tz=UTC))
    with cluster.leased(home, durable=False) as server:
        here = server.named(databases.BOOK_NAME)
        backups.restore(tmp_path / "empty", here, at=server)
        with here.connect() as owner:
            owner.execute("UPDATE tallystick_mark SET purpose = 'book'")
        databases.use(here)
        market = open_market(programme_minor=10**15, funder_minor=10**15)
        for code in FACILITIES:
            market.facility(code, base_minor=10**15, limit_minor=10**15)
        wanted = NewClient("house", ("drawdowns:write",), max_requests_a_minute=100_000)
        key = add_client(wanted, caller=OPERATOR)
        databases.leave()
    return key


@pytest.fixture
def served(home: Path, key: str, tmp_path: Path) -> Iterator[Served]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Served(home, port, tmp_path / "log")
    served.start()
    yield served
    for process in served.processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with cluster.leased(home):  # and PostgreSQL stops with the last who used it
        pass


@pytest.fixture
def clients(served: Served, key: str) -> Iterator[Clients]:
    clients = Clients(served.port, key)
    threads = [
        threading.Thread(target=clients.draw_all, args=(client,)) for client in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    yield clients
    clients.ending.set()
    for thread in threads:
        thread.join()


def until(holds: Callable[[], bool], served: Served) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, served.log.read_text()[-3000:]
        time.sleep(0.02)


def test_sixteen_clients_draw_through_kills_of_server_and_database(
    served: Served, clients: Clients, home: Path
) -> None:
    everybody = CLIENTS * DRAWS_EACH
    problem = (503, "application/problem+json")

    until(lambda: len(clients.told) > everybody // 5, served)
    served.kill_postgres()
    until(lambda: clients.answers[problem] > 0, served)
    # The server has not been started again, and yet draws go on.
    until(lambda: len(clients.told) > everybody * 2 // 5, served)
    assert served.now.poll() is None

    killed = served.workers()[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(set(served.workers()) - {killed}) == 2, served)
    until(lambda: len(clients.told) > everybody * 3 // 5, served)

    served.kill_postgres()
    served.kill()
    assert len(clients.told) < everybody  # it was in the middle
    served.start()
    until(lambda: len(clients.told) == everybody, served)

    assert set(clients.answers) == {(201, "application/json"), problem}
    assert clients.cut_off > 0
    served.now.kill()  # alone: its workers must not outlive it
    until(lambda: not served.listens(), served)

    with cluster.leased(home, durable=False) as server:
        databases.use(server.named(databases.BOOK_NAME))
        recorded = {act.key: act.answer["loan"] for act in Act.objects.filter(kind="draw_down")}
        assert recorded == clients.told
        assert set(Loan.objects.values_list("code", flat=True)) == set(clients.told.values())
        drawn_minor = sum(Facility.objects.values_list("drawn_minor", flat=True))
        assert drawn_minor == everybody * AMOUNT_MINOR
        assert verify() == []
        databases.leave()
