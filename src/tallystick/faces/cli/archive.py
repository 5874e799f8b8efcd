"""``tally archive``: the embedded server's log, kept for a restore to any instant."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tallystick.rules.refusal import Refusal

NOT_CLEAN = 1

app = typer.Typer(
    no_args_is_help=True, help="Keep the embedded server's log, for a restore to any instant."
)

Folder = Annotated[Path, typer.Argument(help="The archive's folder.", metavar="DIR")]
Keep = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Keep the newest N bases and the log since the oldest."),
]


class ServerArchivesItself(Refusal):
    """A server of its own has tools of its own."""

    def __init__(self) -> None:
        super().__init__(
            "DATABASE_URL names a server, whose administrator keeps its log: with pgBackRest, for "
            "example. ./tally archive is for the embedded server."
        )


@app.command("start")
def start(folder: Folder) -> None:
    """Archive from now on, and copy the whole server once: the first base."""
    from tallystick.site import archive, cluster

    _check_embedded()
    folder = folder.absolute()
    home = cluster.home()
    with cluster.leased(home) as server:
        at_once = archive.start(folder, cluster.located(home), server)
    # Nobody else was using the server if it stopped just now; then it starts with an archiver.
    with cluster.leased(home) as server:
        base = archive.add_base(folder, cluster.located(home), server, keep=None)
    if not at_once:
        typer.echo("The server was started anew.")
    typer.echo(f"Archiving to {folder}. First base: {base.name}.")


@app.command("base")
def base(folder: Folder, keep: Keep = None) -> None:
    """Copy the whole server to the archive again, so that a restore has less log to apply.

    Work goes on meanwhile.
    """
    from tallystick.site import archive, cluster

    _check_embedded()
    home = cluster.home()
    with cluster.leased(home) as server:
        made = archive.add_base(folder.absolute(), cluster.located(home), server, keep=keep)
    typer.echo(f"Wrote {made}.")


@app.command("status")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """How archiving goes; status 1 when there is none, or when the last attempt failed."""
    from tallystick.site import archive, cluster

    _check_embedded()
    with cluster.leased(cluster.home()) as server:
        found = archive.status(server)
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str))
    elif not found.command:
        typer.echo("The server does not archive.")
    else:
        typer.echo(f"Last segment {found.last_segment} at {found.last_archived_at}.")
        if found.failing_since:
            typer.echo(f"Last attempt failed at {found.failing_since}.")
        typer.echo(f"{found.waiting_segments} segments wait.")
    if not found.command or found.failing_since:
        raise typer.Exit(NOT_CLEAN)


@app.command("stop")
def stop() -> None:
    """Archive no further. What is in the archive stays usable up to now."""
    from tallystick.site import archive, cluster

    _check_embedded()
    with cluster.leased(cluster.home()) as server:
        archive.stop(server)
    typer.echo("The server archives no further.")


def _check_embedded() -> None:
    from tallystick.site import databases

    if not databases.is_embedded():
        raise ServerArchivesItself
