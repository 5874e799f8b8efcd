"""``tally close`` and ``tally verify``: the end of a day, and the proof of the books."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tallystick.book.parties.entities import Entity
    from tallystick.book.servicing.close import ClosedDay
    from tallystick.book.watch.findings import Finding

NOT_CLEAN = 1


def close(
    through: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Close every day up to and including this one; default: the open business day.",
        ),
    ] = None,
    entity: Annotated[
        str | None, typer.Option("--entity", help="Legal entity, if there are several.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; amounts in minor units.")
    ] = False,
) -> None:
    """Close business days, every calendar day: interest of the night, bases of the next, seal."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.servicing.close import close_through

        closing = entity_called(entity)
        last = through.date() if through else closing.business_date
        with _days_bar(closing, last) as on_day:
            closed = close_through(
                closing.entity_id,
                last,
                caller=Caller("system", getpass.getuser(), "cli", reason),
                on_day=on_day,
            )
        open_now = entity_called(closing.code).business_date
    if as_json:
        days = [{"date": day.date.isoformat(), "figures": day.figures} for day in closed]
        typer.echo(json.dumps({"closed": days, "business_date": open_now.isoformat()}, indent=2))
        return
    for day in closed:
        _print(day)
    if not closed:
        typer.echo(f"{last} is closed already; nothing was done.")
    typer.echo(f"The open business day of {closing.code} is {open_now}.")


def verify(
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="NAME|URL", help="These books, not the installation's."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove the books' invariants, or name each object that breaks one and the difference."""
    from tallystick.site import databases
    from tallystick.site.server import Server

    if database and "://" in database:
        os.environ["DATABASE_URL"] = database
        database = Server.from_url(database).database
    with databases.existing(database) if database else databases.book() as here:
        from tallystick.book.watch.verify import verify as findings_of

        ran: list[str] = []
        with _checks_bar(ran) as on_check:
            findings = findings_of(on_check=on_check)
    if as_json:
        answer = {
            "database": here.database,
            "checks": len(ran),
            "findings": [asdict(finding) for finding in findings],
        }
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _tell(findings, checks=len(ran))
    if findings:
        raise typer.Exit(NOT_CLEAN)


def _tell(findings: "list[Finding]", *, checks: int) -> None:
    for finding in findings:
        typer.echo(str(finding))
    if findings:
        typer.echo(f"{len(findings)} findings in {checks} checks.", err=True)
    else:
        typer.echo(f"{checks} checks: the books hold.")


def _print(day: "ClosedDay") -> None:
    from tallystick.rules.money import text_from_minor

    accrued = "; ".join(
        f"interest {text_from_minor(night['interest_minor'], currency, thousands=True)}, penalty "
        f"{text_from_minor(night['penalty_minor'], currency, thousands=True)} {currency}"
        for currency, night in day.figures["accrual"].items()
    )
    seal = day.figures["seal"]
    typer.echo(
        f"{day.date}: {accrued or 'nothing to accrue'}; {seal['entries']} entries sealed as "
        f"{seal['seal'][:16]}…"
    )
    if late_fees := day.figures["dues"].get("late_fees"):
        typer.echo(f"  {late_fees} fees for due dates missed")
    if taken_back := day.figures["dues"].get("late_fees_taken_back"):
        typer.echo(f"  {taken_back} fees taken back: their due dates were met in time after all")
    for moved in day.figures["dues"]["moved"]:
        typer.echo(
            f"  loan {moved['loan']}: its due date moves from {moved['from_date']} to "
            f"{moved['to_date']}, now that the year's holidays are published"
        )


@contextmanager
def _days_bar(entity: "Entity", last: date) -> Iterator[Callable[["ClosedDay"], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(
        console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        days = max(0, (last - entity.business_date).days + 1)
        bar = progress.add_task("closing", total=days)

        def on_day(day: "ClosedDay") -> None:
            progress.update(bar, advance=1, description=f"closed {day.date}")

        yield on_day


@contextmanager
def _checks_bar(ran: list[str]) -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(
        console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        bar = progress.add_task("verify", total=None)

        def on_check(name: str, done: int, total: int) -> None:
            ran.append(name)
            progress.update(bar, completed=done, total=total, description=name)

        yield on_check
