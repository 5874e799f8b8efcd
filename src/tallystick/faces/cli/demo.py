"""``tally demo``: a simulated marketplace in a database of its own, and its proven books."""

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
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,
) -> None:
    """Run a simulated marketplace: suppliers sell, draw and repay, days close, books are proved.

    It works in a database that it makes and marks itself, and refuses any other. A second run
    shows what is there.
    """
    from tallystick.faces.cli.runs import print_run, write_page
    from tallystick.site import cluster, databases

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
        typer.echo("The portals are not built yet; ./tally serve has the health endpoint.")


def _run(settings: dict[str, Any], *, quiet: bool) -> "ToldDemo":
    from tallystick.faces.cli.runs import day_bar
    from tallystick.lab.run_demo import prepare_demo

    run = prepare_demo(**settings)
    with day_bar(run.start, run.end, quiet=quiet) as show:
        return run.walk(on_day=show)
