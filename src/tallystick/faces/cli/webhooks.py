"""``tally webhook``: endpoints that hear of what happens, and the worker that tells them."""

import getpass
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller

app = typer.Typer(no_args_is_help=True, help="Tell other servers what happens in the book.")

Code = Annotated[str, typer.Argument(help="The endpoint's code.")]


@app.command("add")
def add(
    code: Annotated[str, typer.Argument(help="What the endpoint is called: mall-hook.")],
    url: Annotated[str, typer.Argument(help="Where messages are sent to; https.")],
    topics: Annotated[
        list[str] | None,
        typer.Option("--topic", help="What it hears of, such as payment_paid; none: everything."),
    ] = None,
    firm: Annotated[
        str | None, typer.Option(help="The firm whose objects it hears of only; none: the house's.")
    ] = None,
) -> None:
    """Add an endpoint and print the secret by which its messages are signed."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.webhooks.endpoints import NewEndpoint, add_endpoint

        added = add_endpoint(
            NewEndpoint(code=code, url=url, topics=tuple(topics or ()), party_code=firm),
            caller=_caller(),
        )
    typer.echo(f"Endpoint {code} hears of {', '.join(topics or ()) or 'everything'} from now on.")
    typer.echo(f"Secret: {added.secret}")


@app.command("list")
def list_endpoints(
    dead: Annotated[
        bool, typer.Option("--dead", help="The deliveries given up, instead of the endpoints.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the endpoints, or what could not be delivered to them."""
    from tallystick.site import databases

    with databases.book():
        found = _dead() if dead else _endpoints()
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        typer.echo("  ".join(str(value) for value in row.values() if value not in (None, "")))
    if not found:
        typer.echo("Nothing was given up." if dead else "There is no endpoint yet.")


@app.command("rotate")
def rotate(code: Code) -> None:
    """Sign with another secret; for a day the old one holds as well."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.webhooks.endpoints import rotate_secret

        added = rotate_secret(code, caller=_caller())
    typer.echo(f"Secret: {added.secret}")


@app.command("disable")
def disable(code: Code) -> None:
    """Send an endpoint nothing any more."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.webhooks.endpoints import disable_endpoint

        disable_endpoint(code, caller=_caller())
    typer.echo(f"Endpoint {code} is switched off.")


@app.command("replay")
def replay(
    delivery: Annotated[
        int | None, typer.Argument(help="The delivery's number, from 'webhook list --dead'.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="All that was given up for this endpoint.")
    ] = None,
) -> None:
    """Send again, under the same id, what was given up or delivered."""
    from tallystick.site import databases

    if (delivery is None) == (endpoint is None):
        raise typer.BadParameter("Name a delivery, or an endpoint with --endpoint.")
    with databases.book():
        from tallystick.book.webhooks.deliveries import replay as replay_one
        from tallystick.book.webhooks.deliveries import replay_dead

        if endpoint is not None:
            count = replay_dead(endpoint, caller=_caller())
        else:
            replay_one(delivery or 0, caller=_caller())
            count = 1
    typer.echo(f"{count} waiting to be sent again.")


@app.command("deliver")
def deliver(
    once: Annotated[
        bool, typer.Option("--once", help="Attempt what is due now, then end.")
    ] = False,
) -> None:
    """Deliver until Ctrl-C. `serve` does it too; more of these may run beside it."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.faces.webhooks.worker import deliver_all_due, deliver_until

        if once:
            attempts = deliver_all_due()
            typer.echo(f"{attempts} attempt{'' if attempts == 1 else 's'} made.")
            return
        deliver_until(_told_to_end())


@contextmanager
def delivering(url: str) -> Iterator[None]:
    """Deliver from the database at ``url``, in a process of its own, until the block ends."""
    worker = subprocess.Popen(
        [sys.executable, "-c", f"from {__name__} import run_worker; run_worker({os.getpid()})"],
        env=os.environ | {"DATABASE_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()


def run_worker(parent: int) -> None:
    """Deliver as the child of a server, and end when the server is no more."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tallystick.site.settings")
    stop = _told_to_end()
    import logging

    import django

    from tallystick.site import logs

    lines = logging.StreamHandler()
    lines.setFormatter(logs.JsonLine())
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    django.setup()
    from tallystick.faces.webhooks.worker import deliver_until

    deliver_until(stop, parent=parent)


def _told_to_end() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _endpoints() -> list[dict[str, object]]:
    from tallystick.book.webhooks.endpoints import endpoints

    return [
        {
            "endpoint": endpoint.code,
            "url": endpoint.url,
            "firm": endpoint.party.code if endpoint.party else None,
            "topics": endpoint.topics,
            "disabled_at": endpoint.disabled_at and endpoint.disabled_at.isoformat(),
        }
        for endpoint in endpoints()
    ]


def _dead() -> list[dict[str, object]]:
    from tallystick.book.webhooks.deliveries import deliveries

    return [
        {
            "delivery": delivery.pk,
            "endpoint": delivery.endpoint.code,
            "topic": delivery.message.topic,
            "subject": delivery.subject,
            "attempts": delivery.attempts,
            "error": delivery.last_error,
        }
        for delivery in deliveries(state="dead")
    ]


def _caller() -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor=getpass.getuser(), channel="cli")
