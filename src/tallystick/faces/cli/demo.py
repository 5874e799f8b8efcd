"""``tally demo``: a simulated marketplace in a database of its own, and its proven books."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.rules.refusal import Refusal

if TYPE_CHECKING:
    from tallystick.lab.run_demo import ToldDemo


class AnotherDemo(Refusal):
    """The demo's database holds a run of other settings."""

    def __init__(self, there: dict[str, Any], asked: dict[str, Any]) -> None:
        def told(settings: dict[str, Any]) -> str:
            return ", ".join(f"{value} {name}" for name, value in settings.items())

        super().__init__(
            f"The demo's database holds a run of {told(there)}; asked for: {told(asked)}. "
            "Add --fresh to make it anew, or ask for what is there."
        )


def demo(
    days: Annotated[int, typer.Option(min=1, max=1000, help="working days to run")] = 120,
    suppliers: Annotated[int, typer.Option(min=1, max=5000)] = 200,
    seed: Annotated[int, typer.Option(help="the same seed gives the same books")] = 7,
    fresh: Annotated[bool, typer.Option("--fresh", help="make the database anew")] = False,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="end after the summary")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="where the portals open")] = 8000,
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,
) -> None:
    """Run a simulated marketplace, prove its books, and open the portals on them.

    Suppliers sell, draw and repay, days close. It works in a database that it makes and marks
    itself, and refuses any other. A second run shows what is there. Passwords are made anew
    each time and printed.
    """
    from tallystick.faces.cli.runs import print_run, write_page
    from tallystick.faces.cli.serve import check_free
    from tallystick.site import cluster, databases

    if not no_serve:
        check_free(port)
    settings = {"days": days, "suppliers": suppliers, "seed": seed}
    with databases.demo(fresh=fresh):
        from tallystick.lab.run_demo import DemoState, demo_state

        state, told = demo_state()
        if state is DemoState.EMPTY:
            told = _run(settings, quiet=as_json)
    if state is DemoState.CUT_SHORT:
        # It is not continued: the same seed gives the same books anew.
        with databases.demo(fresh=True):
            told = _run(settings, quiet=as_json)
    if told.settings != settings:
        raise AnotherDemo(told.settings, settings)
    page: Path = cluster.home() / "runs" / "demo.html"
    write_page(told.summary, told.findings, page)
    print_run(told.summary, told.findings, page=page, as_json=as_json)
    if told.findings:
        raise typer.Exit(1)
    if not no_serve:
        _open_portals(port)


def _run(settings: dict[str, Any], *, quiet: bool) -> "ToldDemo":
    from tallystick.faces.cli.runs import day_bar
    from tallystick.lab.run_demo import prepare_demo

    run = prepare_demo(**settings)
    with day_bar(run.start, run.end, quiet=quiet) as show:
        return run.walk(on_day=show)


def _open_portals(port: int) -> None:
    from rich.console import Console
    from rich.table import Table

    from tallystick.faces.cli.serve import ended, server_apart
    from tallystick.faces.cli.webhooks import delivering
    from tallystick.site import databases

    os.environ.setdefault("TALLY_WEBHOOK_ALLOW_LOOPBACK", "1")
    with databases.demo() as here, delivering(here.url):
        from tallystick.lab.demo_people import demo_people

        people = Table(title=f"Portals: http://127.0.0.1:{port}/", title_justify="left")
        for column in ("role", "e-mail", "password"):
            people.add_column(column, no_wrap=True)
        for person in demo_people():
            people.add_row(person.role.label, person.email, person.password)
        Console().print(people)
        typer.echo("These passwords hold for this run. Ctrl-C stops.")
        server = server_apart(here.url, port, log_requests=False)
        try:
            server.wait()
        finally:
            ended(server)
