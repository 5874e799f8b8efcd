"""``tally serve``: the portals, the API and the health answers over HTTP."""

import os
import socket
from typing import Annotated

import typer

from tallystick.rules.refusal import Refusal


class PortTaken(Refusal):
    """Another program listens there, or this user may not."""

    def __init__(self, port: int, why: str) -> None:
        super().__init__(f"Port {port} cannot be used: {why}. Name another with --port.")


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8000,
) -> None:
    """Serve the portals and the API over HTTP on 127.0.0.1 until Ctrl-C.

    For real use a proxy stands before it and speaks https: TALLY_ORIGIN names the address that
    people see, TALLY_HOSTS the host names. Logs are JSON lines on standard error.
    """
    check_free(port)
    from tallystick.faces.cli.webhooks import delivering
    from tallystick.site import databases

    with databases.book() as here, delivering(here.url):
        typer.echo(f"Serving http://127.0.0.1:{port}/  (Ctrl-C stops)", err=True)
        run_server(here.url, port)


def run_server(url: str, port: int, *, log_requests: bool = True) -> None:
    """Serve the database at ``url`` on 127.0.0.1 until told to end."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from tallystick.site import logs

    # The workers are processes of their own and find the database by its URL.
    os.environ["DATABASE_URL"] = url
    Granian(
        "tallystick.site.wsgi:application",
        port=port,
        interface=Interfaces.WSGI,
        workers=2,
        blocking_threads=4,  # measured: more threads gain nothing, fewer lose half
        respawn_failed_workers=True,
        log_dictconfig=logs.LOGGING,
        log_level=LogLevels.info if log_requests else LogLevels.warning,
        log_access=log_requests,
    ).serve()


def check_free(port: int) -> None:
    """Ask before the workers do: their own message names neither the port nor a remedy."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(port, error.strerror or str(error)) from None
