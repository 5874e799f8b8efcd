"""``tally soak``: partners misbehave for days on end; after every close the books must agree."""

import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tallystick.lab.run_soak import SoakRun


def soak(
    days: Annotated[int, typer.Option(min=1, max=2000, help="days to run")] = 365,
    suppliers: Annotated[int, typer.Option(min=1, max=500)] = 8,
    seed: Annotated[int, typer.Option(help="the same seed goes wrong in the same way")] = 1,
) -> None:
    """Run with a bank and a marketplace that misbehave, and prove the books after every day.

    It works in a database of its own, dropped at the end. Exit status 1 when the books do not
    agree or a day cannot be walked; the command that finds it again is printed.
    """
    from tallystick.faces.cli.runs import day_bar
    from tallystick.site import databases

    with databases.scratch("soak"):
        from tallystick.lab.run_soak import SoakFailed, prepare_soak

        run = prepare_soak(days=days, suppliers=suppliers, seed=seed)
        try:
            with day_bar(run.start, run.end, quiet=False) as show:
                findings = run.walk(on_day=show)
        except SoakFailed as failure:
            traceback.print_exception(failure.__cause__)
            print(f"\n{failure}", file=sys.stderr)
            raise typer.Exit(1) from None
    _print(run, findings)
    if findings:
        raise typer.Exit(1)


def _print(run: "SoakRun", findings: Sequence[str]) -> None:
    from rich.console import Console

    console = Console()
    summary = run.summary
    for title, counts in (
        ("What the marketplace and its payers did wrong", _most_first(run.market.did)),
        ("What the bank did wrong", _most_first(run.bank.did)),
        ("What the book refused", _most_first(summary.refusals)),
        ("What our own people did about it", _most_first(run.desk.did)),
        (
            f"What came of it, {summary.days[0].date} to {summary.last.date}",
            {
                "documents that arrived": summary.documents,
                "of them, recognised as repeats": summary.repeated_documents,
                "cash recognised as repeated": summary.repeated_receipts,
                "drawdowns": summary.draws,
                "payments that the bank paid": run.bank.paid,
            },
        ),
    ):
        console.print(_table(title, counts))
    for finding in findings[:20]:
        console.print(finding, style="red", highlight=False, markup=False)
    console.print(f"{summary.seconds:,.0f} s for {len(summary.days):,} days, seed {summary.seed}")
    if findings:
        console.print(f"{len(findings)} differences: the books do not agree.", style="bold red")
        console.print(f"The same again: {run.command}", highlight=False)
    else:
        console.print("Verified after every day and whole: the books agree.", style="bold green")


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _table(title: str, counts: Mapping[str, int]) -> object:
    from rich.table import Table

    table = Table(title=title, title_justify="left", min_width=72)
    table.add_column("what")
    table.add_column("how often", justify="right")
    for what, count in counts.items():
        if count:
            table.add_row(what, f"{count:,}")
    return table
