"""``tally serve``: the portals, the API and the health answers over HTTP."""

import os
import socket
import subprocess
import sys
from contextlib import nullcontext
from typing import Annotated

import typer

from tallystick.rules.refusal import Refusal

WORKERS = 2
MAX_SECONDS_TO_END = 30


class PortTaken(Refusal):
    """Another program listens there, or this user may not."""

    def __init__(self, port: int, why: str) -> None:
        super().__init__(f"Port {port} cannot be used: {why}. Name another with --port.")


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; as many as the machine has cores.")
    ] = WORKERS,
) -> None:
    """Serve the portals and the API over HTTP on 127.0.0.1 until Ctrl-C.

    For real use a proxy stands before it and speaks https: TALLY_ORIGIN names the address that
    people see, TALLY_HOSTS the host names. Logs are JSON lines on standard error.
    """
    check_free(port)
    from tallystick.faces.cli.webhooks import delivering
    from tallystick.site import databases, watchdog

    with databases.book() as here, delivering(here.url):
        typer.echo(f"Serving http://127.0.0.1:{port}/  (Ctrl-C stops)", err=True)
        with watchdog.kept_running(here) if databases.is_embedded() else nullcontext():
            run_server(here.url, port, workers=workers)


def run_server(url: str, port: int, *, workers: int = WORKERS, log_requests: bool = True) -> None:
    """Serve the database at ``url`` on 127.0.0.1 until told to end.

    Told to, it listens no further, and ends when the requests under way have been answered.
    """
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from tallystick.site import logs

    # The workers are processes of their own and find the database by its URL.
    os.environ["DATABASE_URL"] = url
    os.environ["TALLY_SERVER_PID"] = str(os.getpid())
    Granian(
        "tallystick.site.worker:application",
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=4,  # measured: more threads gain nothing, fewer lose half
        respawn_failed_workers=True,
        workers_kill_timeout=MAX_SECONDS_TO_END,
        log_dictconfig=logs.logging_of("INFO" if log_requests else "WARNING"),
        log_level=LogLevels.info if log_requests else LogLevels.warning,
    ).serve()


_APART = """
import os, sys
from tallystick.faces.cli.serve import run_server
run_server(os.environ["DATABASE_URL"], int(sys.argv[1]), log_requests=sys.argv[2] == "log")
"""


def server_apart(
    url: str, port: int, *, log_requests: bool, output: int | None = None
) -> "subprocess.Popen[bytes]":
    """A server started as a process of its own; ``output``: where it writes, None: where we do.

    Workers are forks of the server: what a process that has drawn charts or run frames holds in
    threads does not live on in them, and the first page with a chart would wait for ever.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _APART, str(port), "log" if log_requests else "quiet"],
        # By the environment: what stands on a command line is there for everybody to read.
        env=os.environ | {"DATABASE_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=output,
        stderr=output,
    )


def ended(server: "subprocess.Popen[bytes]") -> None:
    """Tell a server to end, and wait until the requests under way have been answered."""
    server.terminate()
    server.wait(timeout=2 * MAX_SECONDS_TO_END)


def check_free(port: int) -> None:
    """Ask before the workers do: their own message names neither the port nor a remedy."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(port, error.strerror or str(error)) from None
