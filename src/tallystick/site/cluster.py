"""The embedded PostgreSQL: one cluster per installation, shared by all its commands.

Each command holds a *lease*, a shared ``flock`` that the kernel drops when the process ends,
however it ends. The last command that leaves normally gets the exclusive lock and stops the
server; after ``kill -9`` the server lives on and the next command finds it. A second lock,
``starting``, is held only while somebody starts or stops the server.

The server listens on a socket in a private folder and on no network address.
"""

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psycopg

from tallystick.rules.refusal import Refusal
from tallystick.site.binaries import Binaries, found
from tallystick.site.server import Server

LOGIN = "tallystick"
FOLDER = "postgres"
ELSEWHERE = Path("/var/lib/tallystick")
SOCKET_PREFIX = "tally-"
MAX_START_SECONDS = 300  # recovery after a crash in the middle of a bulk load takes its time

SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "jit": "off",  # our statements are short; compiling them costs more than running them
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
}
# For databases nobody would miss: a power cut may corrupt them, a killed process does not.
FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class ServerDidNotStart(Refusal):
    """PostgreSQL's programs failed; the end of what they said is in the message."""

    def __init__(self, doing: str, said: str, log: Path) -> None:
        tail = "\n".join(said.strip().splitlines()[-8:])
        super().__init__(
            f"The embedded PostgreSQL failed while {doing}:\n{tail}\n"
            f"Its log is {log}. Correct the cause and run the command again."
        )


class ClusterOutOfReach(Refusal):
    """The cluster's files exist, and the user who must serve them cannot get there."""

    def __init__(self, folder: Path, user: str) -> None:
        super().__init__(
            f"The database in {folder} cannot be reached by user {user}, who must serve it. "
            "Run the command as the user who made it, make its parent folders passable "
            "(chmod o+x), or set TALLY_HOME to another folder."
        )


class NobodyToServe(Refusal):
    """PostgreSQL runs neither as root nor as a user whom the machine does not know by name."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL cannot run: {why}. "
            "Run the command as an ordinary user, or set DATABASE_URL to a server."
        )


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The operating-system user the server runs as; never root."""

    name: str
    uid: int
    gid: int

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, out of reach of a Ctrl-C at our terminal."""
        identity = (
            {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        return subprocess.run(
            command,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            start_new_session=True,
            **identity,
        )

    def reaches(self, folder: Path) -> bool:
        return self.run("/bin/sh", "-c", 'test -x "$0"', folder).returncode == 0


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where one installation's server keeps its files, and who serves them."""

    folder: Path
    user: ServerUser
    binaries: Binaries

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"


def home() -> Path:
    """The installation's folder, absolute; it need not exist yet."""
    return Path(os.environ.get("TALLY_HOME") or "var").absolute()


@contextmanager
def leased(home: Path, *, durable: bool = True) -> Iterator[Server]:
    """The installation's server, running for as long as the block lasts.

    Makes the cluster at first use. ``durable=False`` trades safety against power cuts for
    speed, for databases nobody would miss. Raises ServerDidNotStart, ClusterOutOfReach,
    NobodyToServe, binaries.NoPostgres.
    """
    cluster = located(home)
    with _opened(cluster, "lease") as lease:
        with alone(cluster):
            server = _started(cluster, durable=durable)
            fcntl.flock(lease, fcntl.LOCK_SH)
        try:
            yield server
        finally:
            with alone(cluster):
                if _is_last(lease):
                    stop(cluster)


def revive(home: Path) -> None:
    """Start the server of ``home`` again if it has ended; for whoever holds a lease on it.

    It listens where it did. Raises ServerDidNotStart.
    """
    cluster = located(home)
    with alone(cluster):
        _started(cluster, durable=True)


def located(home: Path) -> Cluster:
    """Decide, and remember by making the folder, where the cluster of ``home`` lives.

    An ordinary user serves from ``home`` itself. PostgreSQL refuses to be root, so root hands
    the server to ``nobody``; when ``nobody`` cannot pass the folders above ``home``, these stay
    as they are and the cluster goes to a folder of its own under /var/lib.
    """
    home.mkdir(parents=True, exist_ok=True)
    inside = home / FOLDER
    outside = ELSEWHERE / sha256(os.fsencode(home)).hexdigest()[:16]
    user = _server_user(inside)
    if inside.exists():
        folder = inside
    elif outside.exists() or not user.reaches(home):
        folder = outside
    else:
        folder = inside
    if not folder.exists():
        _make_folder(folder, user)
        if folder == outside:
            print(
                f"User {user.name}, who runs the database server, cannot reach {home}: "
                f"the database is in {outside}.",
                file=sys.stderr,
            )
    if not (os.access(folder, os.R_OK | os.W_OK | os.X_OK) and user.reaches(folder)):
        raise ClusterOutOfReach(folder, user.name)
    binaries = found()
    if not user.reaches(binaries.folder):
        binaries = binaries.copied_to(folder)
    return Cluster(folder, user, binaries)


def _make_folder(folder: Path, user: ServerUser) -> None:
    if folder.parent == ELSEWHERE:
        ELSEWHERE.mkdir(parents=True, exist_ok=True)
        ELSEWHERE.chmod(0o711)  # our own folder, so that nobody may pass it under any umask
    # Private from its first moment, and complete when it gets its name.
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    if os.geteuid() == 0:
        os.chown(draft, user.uid, user.gid)
    try:
        draft.rename(folder)
    except OSError:  # somebody else was first, and the folder is no longer empty
        draft.rmdir()


def _server_user(folder: Path) -> ServerUser:
    """Ourselves; for root, the owner of what is there already, else nobody."""
    uid = os.geteuid()
    if uid == 0 and folder.exists():
        uid = folder.stat().st_uid
    try:
        entry = pwd.getpwuid(uid) if uid else pwd.getpwnam("nobody")
    except KeyError:
        why = (
            f"user number {uid} has no name here" if uid else "root may not, nor is there a nobody"
        )
        raise NobodyToServe(why) from None
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


@contextmanager
def alone(cluster: Cluster) -> Iterator[None]:
    """Nobody else starts or stops this server meanwhile."""
    with _opened(cluster, "starting") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(cluster: Cluster, name: str) -> Iterator[int]:
    """A file to lock; it belongs to the server's user, also when root came first."""
    descriptor = os.open(cluster.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(descriptor, cluster.user.uid, cluster.user.gid)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_last(lease: int) -> bool:
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _started(cluster: Cluster, *, durable: bool) -> Server:
    """The server, accepting connections; started when it is not running."""
    _initialise(cluster)
    deadline = time.monotonic() + MAX_START_SECONDS
    while True:
        if serving_pid(cluster) is None:
            launch(cluster, durable=durable)
        server = Server(
            host=socket_folder(cluster.data), port="5432", user=LOGIN, database="postgres"
        )
        try:
            psycopg.connect(
                host=server.host, port=server.port, user=LOGIN, dbname="postgres"
            ).close()
        except psycopg.OperationalError as error:
            # It recovers, or it is going down because its last client was killed while stopping it.
            if time.monotonic() > deadline:
                raise ServerDidNotStart("waiting for it", str(error), cluster.log) from None
            time.sleep(0.05)
        else:
            return server


def _initialise(cluster: Cluster) -> None:
    """Make the data folder, aside and then renamed: half a cluster never looks like one."""
    draft = cluster.folder / "data.new"
    if cluster.data.exists():
        return
    shutil.rmtree(draft, ignore_errors=True)
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    done = cluster.user.run(
        cluster.binaries.program("initdb"),
        f"--pgdata={draft}",
        f"--username={LOGIN}",
        "--auth=trust",  # the guard is the socket's folder, which only its owner may enter
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",  # the same order of texts on every machine
        "--data-checksums",
        "--no-instructions",
        *settings,
    )
    if done.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise ServerDidNotStart("making the cluster", done.stdout, cluster.log)
    draft.rename(cluster.data)


def launch(cluster: Cluster, *, durable: bool) -> None:
    socket = _clear_after_a_crash(cluster)
    if not socket:
        socket = tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=_short_folder())
        if os.geteuid() == 0:
            os.chown(socket, cluster.user.uid, cluster.user.gid)
    settings = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": socket,
        "unix_socket_permissions": "0700",
        **({} if durable else FORGETFUL),
    }
    done = cluster.user.run(
        cluster.binaries.program("pg_ctl"),
        f"--pgdata={cluster.data}",
        f"--log={cluster.log}",
        "--options=" + " ".join(f"-c {name}='{value}'" for name, value in settings.items()),
        f"--timeout={MAX_START_SECONDS}",
        "--wait",
        "--silent",
        "start",
    )
    if done.returncode != 0:
        shutil.rmtree(socket, ignore_errors=True)
        said = cluster.log.read_text(errors="replace") if cluster.log.exists() else done.stdout
        raise ServerDidNotStart("starting", said, cluster.log)


def stop(cluster: Cluster) -> None:
    if serving_pid(cluster) is None:
        return
    socket = socket_folder(cluster.data)
    cluster.user.run(
        cluster.binaries.program("pg_ctl"),
        f"--pgdata={cluster.data}",
        "--mode=fast",
        "--wait",
        "--silent",
        "stop",
    )
    _remove_socket_folder(socket)


def _clear_after_a_crash(cluster: Cluster) -> str:
    """Remove the pid file of a dead server, once the last of its children is gone.

    PostgreSQL itself would take a zombie, or a number in use again, for a living server. The
    folder of its socket is kept and returned: whoever was connected finds the new server there.
    """
    socket = ""
    deadline = time.monotonic() + MAX_START_SECONDS
    while _pid_file(cluster.data) and time.monotonic() < deadline:
        if not _living(cluster, "[0-9]*"):
            socket = socket_folder(cluster.data)
            (cluster.data / "postmaster.pid").unlink(missing_ok=True)
        else:
            time.sleep(0.05)
    if not _is_private(Path(socket), cluster.user):
        return ""
    for left in Path(socket).glob(".s.PGSQL.*"):
        left.unlink()
    return socket


def _is_private(folder: Path, user: ServerUser) -> bool:
    """A socket's folder as we make them, and not what somebody else has put in its place."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return (
        folder.name.startswith(SOCKET_PREFIX)
        and stat.S_ISDIR(found.st_mode)
        and found.st_uid == user.uid
        and not found.st_mode & 0o077
    )


def serving_pid(cluster: Cluster) -> int | None:
    """The server process of this data folder, if it lives."""
    lines = _pid_file(cluster.data)
    if not lines or not lines[0].isdigit():
        return None
    return next(iter(_living(cluster, lines[0])), None)


def _living(cluster: Cluster, pids: str) -> list[int]:
    """Those processes, named by a pattern, that live and work in this data folder.

    Every PostgreSQL process has the data folder as its working directory and a zombie has none;
    so neither a zombie nor a number given to another program since, common in containers, is
    taken for a server. Asked as the server's user: root may not look without CAP_SYS_PTRACE.
    """
    look = 'cd /proc && for pid in $1; do [ "$pid/cwd" -ef "$0" ] && echo "$pid"; done'
    said = cluster.user.run("/bin/sh", "-c", look, cluster.data, pids).stdout
    return [int(line) for line in said.split() if line.isdigit()]


def _pid_file(data: Path) -> list[str]:
    """The lines of the server's own pid file; none when there is no file."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def socket_folder(data: Path) -> str:
    """Fifth line of the pid file; empty when there is none."""
    lines = _pid_file(data)
    return lines[4] if len(lines) > 4 else ""


def _short_folder() -> str:
    # A socket's path must stay below 107 bytes, which TALLY_HOME or TMPDIR may not.
    return "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else tempfile.gettempdir()


def _remove_socket_folder(folder: str) -> None:
    if Path(folder).name.startswith(SOCKET_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
