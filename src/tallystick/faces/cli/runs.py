"""What the demo and the replays have in common: a progress bar, a summary, a page of charts."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tallystick.rules.money import text_from_minor

if TYPE_CHECKING:
    from rich.table import Table

    from tallystick.lab.measures import DayMeasures, RunSummary


@contextmanager
def day_bar(start: date, end: date, *, quiet: bool) -> Iterator[Callable[["DayMeasures"], None]]:
    """A bar from ``start`` to ``end`` on standard error; call what it yields with each day."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[day]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("drawn {task.fields[drawn]}"),
        TimeRemainingColumn(),
    )
    hidden = quiet or not sys.stderr.isatty()
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=hidden
    ) as progress:
        bar = progress.add_task("days", total=(end - start).days + 1, day=str(start), drawn="0")

        def show(day: "DayMeasures") -> None:
            progress.update(
                bar,
                completed=(day.date - start).days + 1,
                day=str(day.date),
                drawn=f"{day.drawn_minor:,}",
            )

        yield show


def write_page(summary: "RunSummary", findings: Sequence[str], path: Path) -> None:
    """The chart page of the run, in place of an older one."""
    from tallystick.faces.run_page import run_page

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(run_page(summary, findings=findings), encoding="utf-8")


def print_run(summary: "RunSummary", findings: Sequence[str], *, page: Path, as_json: bool) -> None:
    """The summary as tables for a person, or as JSON for a program."""
    if as_json:
        answer = asdict(summary) | {"findings": list(findings), "page": str(page)}
        typer.echo(json.dumps(answer, default=str, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for line in summary.assumptions:
        console.print(f"• {line}", highlight=False, markup=False, style="dim")
    last = summary.last
    totals = Table(title=f"{summary.name}: {summary.days[0].date} to {last.date}")
    totals.add_column("what")
    totals.add_column(summary.currency, justify="right")
    totals.add_column("how many", justify="right")
    for what, amount_minor, count in (
        ("suppliers", None, summary.suppliers),
        ("documents", None, summary.documents),
        ("claims outstanding at the end", last.outstanding_minor, None),
        ("borrowing bases at the end", last.base_minor, None),
        ("drawdowns", summary.drawn_minor, summary.draws),
        ("most drawn at once", summary.peak_drawn_minor, None),
        ("payouts rejected by the bank", None, summary.payouts_rejected),
        ("claims paid by obligors", summary.claims_paid_minor, None),
        ("of that, to loans", summary.repaid_minor, None),
        ("of that, to advances out of sales", summary.to_advances_minor, None),
        ("of that, to suppliers", summary.to_suppliers_minor, None),
        ("of that, in suspense", summary.suspense_minor, None),
        ("paid by merchants themselves", summary.paid_by_merchants_minor, None),
        ("interest earned", last.interest_minor, None),
        ("drawn at the end", last.drawn_minor, None),
        ("above cover at the end", last.shortfall_minor, None),
        ("principal over 90 days past due", last.lost_minor, None),
    ):
        totals.add_row(
            what,
            ""
            if amount_minor is None
            else text_from_minor(amount_minor, summary.currency, thousands=True),
            "" if count is None else f"{count:,}",
        )
    console.print(totals)
    if len(summary.programmes) > 1:
        console.print(_programmes(summary))
    if any(last.ineligible_minor.values()):
        left_out = Table(title="Left out of the base at the end")
        left_out.add_column("reason")
        left_out.add_column(summary.currency, justify="right")
        for reason, amount_minor in last.ineligible_minor.items():
            if amount_minor:
                left_out.add_row(
                    reason, text_from_minor(amount_minor, summary.currency, thousands=True)
                )
        console.print(left_out)
    for finding in findings[:20]:
        console.print(finding, style="red", highlight=False, markup=False)
    console.print(f"{summary.seconds:,.0f} s for {len(summary.days):,} days")
    console.print(f"Charts: {page}", highlight=False)
    if findings:
        console.print(f"{len(findings)} differences: the books do not agree.", style="bold red")
    else:
        console.print("Verified: the books agree.", style="bold green")


def _programmes(summary: "RunSummary") -> "Table":
    """The programmes of the run side by side."""
    from rich.table import Table

    from tallystick.faces.run_page import programmes_beside

    (first, *codes), *rows = programmes_beside(summary)
    beside = Table(title=f"By programme, {summary.currency}")
    beside.add_column(first)
    for code in codes:
        beside.add_column(code, justify="right")
    for row in rows:
        beside.add_row(*row)
    return beside
