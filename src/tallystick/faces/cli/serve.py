"""``tally serve``: the HTTP server, for now its health answers only."""

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
    """Serve over HTTP on 127.0.0.1 until Ctrl-C: /health/live and /health/ready.

    Logs are JSON lines on standard error.
    """
    _check_free(port)
    from granian import Granian
    from granian.constants import Interfaces

    from tallystick.site import databases, logs

    with databases.book() as here:
        # The workers are processes of their own and find the database by its URL.
        os.environ["DATABASE_URL"] = here.url
        typer.echo(f"Serving http://127.0.0.1:{port}/health/ready  (Ctrl-C stops)", err=True)
        Granian(
            "tallystick.site.wsgi:application",
            port=port,
            interface=Interfaces.WSGI,
            workers=2,
            blocking_threads=4,  # measured: more threads gain nothing, fewer lose half
            respawn_failed_workers=True,
            log_dictconfig=logs.LOGGING,
            log_access=True,
        ).serve()


def _check_free(port: int) -> None:
    """Ask before the workers do: their own message names neither the port nor a remedy."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(port, error.strerror or str(error)) from None
