"""The embedded server's lease, against real processes that end in every way a process can end."""

import ctypes
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tallystick.site import binaries, cluster

CLIENT = """
import sys
from pathlib import Path
from tallystick.site.cluster import leased
with leased(Path(sys.argv[1]), durable=False) as server:
    print(server.url, flush=True)
    sys.stdin.readline()
"""
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Clients:
    """Processes that hold a lease until they are told to leave, or are killed."""

    home: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(self.home)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # so that a Ctrl-C of the test reaches this process only
        )
        self.processes.append(process)
        return process

    def url(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout
        return process.stdout.readline().strip()

    def leave(self, process: subprocess.Popen[str]) -> None:
        process.communicate("\n", timeout=60)

    def server_pid(self) -> int | None:
        return cluster.serving_pid(cluster.located(self.home))


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder with a cluster in it, made once: each test starts and stops the server anew."""
    folder = Path(tempfile.mkdtemp(prefix="tally-cluster-"))
    folder.chmod(0o755)
    with cluster.leased(folder, durable=False) as server, server.connect() as connection:
        connection.execute("CREATE TABLE kept (amount_minor bigint)")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def clients(home: Path) -> Iterator[Clients]:
    clients = Clients(home)
    yield clients
    for process in clients.processes:
        process.kill()
        process.communicate()
    with cluster.leased(home, durable=False):
        pass
    assert clients.server_pid() is None


def eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(400):
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_the_server_runs_as_long_as_somebody_holds_a_lease(clients):
    first, second = clients.start(), clients.start()
    assert clients.url(first) == clients.url(second)

    clients.leave(first)
    assert clients.server_pid() is not None

    clients.leave(second)
    assert clients.server_pid() is None


def test_a_killed_client_leaves_a_server_that_the_next_one_uses_and_stops(clients):
    killed = clients.start()
    url = clients.url(killed)
    killed.kill()
    killed.wait()
    assert clients.server_pid() is not None

    following = clients.start()
    assert clients.url(following) == url
    clients.leave(following)

    assert clients.server_pid() is None


def test_ctrl_c_hands_the_lease_back(clients):
    process = clients.start()
    clients.url(process)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert clients.server_pid() is None


def test_a_killed_server_is_started_again_with_all_that_was_committed(clients):
    url = clients.url(clients.start())
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE kept")
        connection.execute("INSERT INTO kept VALUES (4711)")
    pid = clients.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    # Where it was: whoever held its address finds it again.
    assert clients.url(clients.start()) == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT amount_minor FROM kept").fetchall() == [(4711,)]
    assert clients.server_pid() != pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a test adopt the server")
def test_a_zombie_is_not_taken_for_a_server(clients):
    # The server's parent ends at once; as "subreaper" this process inherits it, and does not
    # collect its status: killed, it stays a zombie whose number still looks alive.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        with cluster.leased(clients.home, durable=False):
            pid = clients.server_pid()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            state = Path(f"/proc/{pid}/stat")
            assert eventually(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z")

            assert clients.server_pid() is None
            with cluster.leased(clients.home, durable=False) as server:
                server.connect().close()
                assert clients.server_pid() != pid
    finally:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0)
    os.waitpid(pid, 0)


def test_another_programs_number_is_not_taken_for_a_server(clients):
    process = clients.start()
    clients.url(process)
    clients.leave(process)
    data = cluster.located(clients.home).data
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n0\n5432\n/tmp/tally-gone\n")

    assert clients.server_pid() is None
    assert clients.url(clients.start()).startswith("postgresql://")


def test_two_first_commands_share_one_new_cluster():
    home = Path(tempfile.mkdtemp(prefix="tally-cluster-"))
    home.chmod(0o755)
    # What an interrupted first command leaves behind is no obstacle.
    located = cluster.located(home)
    located.user.run("/bin/mkdir", located.folder / "data.new")
    clients = Clients(home)
    both = [clients.start(), clients.start()]

    assert clients.url(both[0]) == clients.url(both[1]) != ""

    for process in both:
        clients.leave(process)
    assert clients.server_pid() is None
    shutil.rmtree(home)


def test_the_server_listens_on_a_private_socket_only(home):
    with cluster.leased(home, durable=False) as server, server.connect() as connection:
        socket = Path(server.host, ".s.PGSQL.5432")

        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert stat.S_IMODE(Path(server.host).stat().st_mode) == 0o700
        assert stat.S_IMODE(cluster.located(home).folder.stat().st_mode) == 0o700
        assert len(os.fsencode(socket)) < 107
    assert not Path(server.host).exists()


def test_texts_sort_alike_on_every_machine_and_pages_carry_checksums(home):
    with cluster.leased(home, durable=False) as server, server.connect() as connection:
        locale = connection.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding)"
            " FROM pg_database WHERE datname = 'template1'"
        ).fetchone()

        assert locale == ("b", "C.UTF-8", "UTF8")
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to somebody else")
def test_root_puts_the_cluster_elsewhere_when_nobody_cannot_reach_the_home(
    tmp_path, monkeypatch, capsys
):
    elsewhere = Path(tempfile.mkdtemp(prefix="tally-elsewhere-"))
    elsewhere.chmod(0o755)
    monkeypatch.setattr(cluster, "ELSEWHERE", elsewhere / "tallystick")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)

    first = cluster.located(locked / "var")
    again = cluster.located(locked / "var")

    assert first == again
    assert first.folder.parent == elsewhere / "tallystick"
    assert first.user.reaches(first.folder)
    assert stat.S_IMODE(locked.stat().st_mode) == 0o700
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(first.folder) in said
    shutil.rmtree(elsewhere)


def test_binaries_that_the_servers_user_cannot_reach_are_copied_once_and_run():
    place = Path(tempfile.mkdtemp(prefix="tally-elsewhere-"))
    place.chmod(0o755)
    user = cluster._server_user(place)

    copy = binaries.of_the_wheel().copied_to(place)
    for program in binaries.NEEDED:
        said = user.run(copy.program(program), "--version")
        assert said.stdout.endswith(f"(PostgreSQL) {copy.version}\n")
    (copy.root / "kept").touch()

    assert binaries.of_the_wheel().copied_to(place) == copy
    assert (copy.root / "kept").exists()
    shutil.rmtree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to somebody else")
def test_a_cluster_that_its_server_cannot_reach_is_refused_not_replaced(tmp_path):
    locked = tmp_path / "locked"
    (locked / "var/postgres").mkdir(parents=True)
    locked.chmod(0o700)

    with pytest.raises(cluster.ClusterOutOfReach, match="TALLY_HOME"):
        cluster.located(locked / "var")


def test_what_postgresql_says_reaches_whoever_has_to_correct_it(home):
    located = cluster.located(home)
    settings = located.data / "postgresql.conf"
    before = settings.read_text()
    settings.write_text(before + "shared_buffers = 'a lot'\n")
    try:
        with (
            pytest.raises(cluster.ServerDidNotStart, match="shared_buffers"),
            cluster.leased(home, durable=False),
        ):
            pass
    finally:
        settings.write_text(before)
