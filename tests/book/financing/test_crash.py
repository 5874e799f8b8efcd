"""Kill -9 of clients and of the server loses nothing acknowledged, and nothing acts twice."""

import multiprocessing
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from tests.book.financing.drawers import draw_all
from tests.book.financing.market import open_market, request

from tallystick.book.acts.checks import acts_checks
from tallystick.book.acts.models import Act
from tallystick.book.financing.checks import financing_checks
from tallystick.book.financing.draw_down import draw_down_many
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.ledger.checks import ledger_checks
from tallystick.site import cluster, databases
from tallystick.site.marks import Purpose, mark
from tallystick.site.server import Server

CLIENTS = 8
DRAWS_EACH = 125
AMOUNT_MINOR = 10_000  # the smallest draw, so that nobody is refused
FACILITIES = [f"F{number}" for number in range(10)]


@pytest.fixture
def home() -> Iterator[Path]:
    """A durable cluster of this test's own, which it may kill."""
    folder = Path(tempfile.mkdtemp(prefix="tally-crash-"))
    folder.chmod(0o755)  # as root, the server's user must pass
    yield folder
    databases.leave()
    shutil.rmtree(folder, ignore_errors=True)


def asked_by(client: int) -> list[dict[str, object]]:
    return [
        {
            "facility": FACILITIES[number % len(FACILITIES)],
            "amount_minor": AMOUNT_MINOR,
            "key": f"{client}/{number}",
        }
        for number in range(DRAWS_EACH)
    ]


def start_clients(here: Server, notes: Path) -> list[BaseProcess]:
    spawn = multiprocessing.get_context("spawn")
    clients = [
        spawn.Process(
            target=draw_all,
            args=(here.url, asked_by(client), notes / str(client)),
            daemon=True,  # none outlives a test that fails
        )
        for client in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    return clients


def acknowledged(notes: Path) -> dict[str, str]:
    """Loan by key, as the clients were told; a line cut off by a kill was not told."""
    lines = [
        line
        for file in sorted(notes.iterdir())
        for line in file.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    ]
    return dict(line.split() for line in lines)


def wait_for(count: int, notes: Path, clients: list[BaseProcess]) -> None:
    """Until so many drawdowns are acknowledged, all in all."""
    while len(acknowledged(notes)) < count:
        assert any(client.is_alive() for client in clients), "the clients came to an end"
        time.sleep(0.02)


def kill_server(home: Path) -> None:
    """Kill -9 of the server process, whose children then die by themselves."""
    pid_file = cluster.located(home).data / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)


def findings() -> list[object]:
    checks = [*financing_checks(), *acts_checks(), *ledger_checks()]
    return [finding for check in checks for finding in check.run()]


def recorded() -> dict[str, str]:
    return {act.key: act.answer["loan"] for act in Act.objects.filter(kind="draw_down")}


def test_a_thousand_drawdowns_survive_the_kill_of_clients_and_server(
    home: Path, tmp_path: Path
) -> None:
    everybody = CLIENTS * DRAWS_EACH
    with cluster.leased(home) as first:
        here = first.named(f"crash_{secrets.token_hex(4)}")
        databases.create(here, at=first)
        mark(here, Purpose.TEST)
        databases.migrate(here)
        databases.use(here)
        market = open_market(programme_minor=10**15, funder_minor=10**15)
        for code in FACILITIES:
            market.facility(code, base_minor=10**15, limit_minor=10**15)
        databases.leave()

        clients = start_clients(here, tmp_path)
        wait_for(everybody // 5, tmp_path, clients)
        for client in clients[:2]:
            client.kill()
        wait_for(everybody // 3, tmp_path, clients)
        kill_server(home)
        for client in clients:
            client.join()
        told = acknowledged(tmp_path)

        with cluster.leased(home) as again:
            here = again.named(here.database)
            databases.use(here)
            assert len(told) < everybody  # it was in the middle
            assert told.items() <= recorded().items()
            assert Loan.objects.count() == len(recorded())
            assert findings() == []

            # Whoever was not answered asks again with the same key.
            answers = [
                draw_down_many([request(**each) for each in asked_by(client)])
                for client in range(CLIENTS)
            ]
            loans = {drawdown.loan for each in answers for drawdown in each}
            assert loans == set(recorded().values())
            assert told.items() <= recorded().items()
            assert Loan.objects.count() == everybody
            drawn_minor = sum(Facility.objects.values_list("drawn_minor", flat=True))
            assert drawn_minor == everybody * AMOUNT_MINOR
            assert findings() == []
            databases.leave()
