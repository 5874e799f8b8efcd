"""``tally bench``: each claim about speed, measured on this machine."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tallystick.faces.page_bench import PageSpeed
    from tallystick.lab.bench.figures import Figure

app = typer.Typer(
    no_args_is_help=True,
    help="Measure speed, each in a database of its own. Prints machine, versions and figures.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.callback()
def bench() -> None:
    """Measure speed, each in a database of its own. Prints machine, versions and figures."""


@app.command("base")
def bench_base(
    claims: Annotated[int, typer.Option(min=1_000, help="Claims in the whole book.")] = 20_000_000,
    suppliers: Annotated[int, typer.Option(min=1, help="Suppliers of the book.")] = 100_000,
    as_json: Json = False,
) -> None:
    """The borrowing base: a whole book against a scan by hand, a batch, one supplier."""
    from tallystick.lab.bench import base

    tell(base.measure(claims=claims, suppliers=suppliers), as_json=as_json)


@app.command("schedules")
def bench_schedules(
    loans: Annotated[int, typer.Option(min=100, help="Loans of the book.")] = 20_000,
    as_json: Json = False,
) -> None:
    """Repayment schedules a second, on one core; needs no database."""
    from tallystick.lab.bench import schedules

    tell(schedules.measure(loans=loans), as_json=as_json)


@app.command("ledger")
def bench_ledger(
    entries: Annotated[int, typer.Option(min=1, help="Entries of a bulk.")] = 25_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="A round of single entries.")] = 3.0,
    days: Annotated[int, typer.Option(min=1, help="Sealed days of the large account.")] = 250,
    postings: Annotated[int, typer.Option(min=50, help="Its postings on each day.")] = 20_000,
    as_json: Json = False,
) -> None:
    """The ledger: in bulk and one by one against bare tables, balances of a large account."""
    from tallystick.site import databases

    with databases.scratch("bench") as here:
        from tallystick.lab.bench import ledger

        figures = ledger.measure(
            here.url,
            bulk_entries=entries,
            round_seconds=seconds,
            days=days,
            postings_a_day=postings,
        )
        with here.connect() as connection:
            postgresql = connection.info.parameter_status("server_version")
    tell(figures, postgresql=postgresql, as_json=as_json)


@app.command("import")
def bench_import(
    claims: Annotated[int, typer.Option(min=1_000, help="Invoices in the file.")] = 500_000,
    suppliers: Annotated[int, typer.Option(min=1, help="Their suppliers.")] = 1_000,
    as_json: Json = False,
) -> None:
    """Imports: a CSV file read, checked whole and recorded as documents and claims."""
    from tallystick.site import databases

    with databases.scratch("bench") as here:
        from tallystick.lab.bench import imports

        figures = imports.measure(claims=claims, suppliers=suppliers)
        with here.connect() as connection:
            postgresql = connection.info.parameter_status("server_version")
    tell(figures, postgresql=postgresql, as_json=as_json)


@app.command("draw")
def bench_draw(
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each phase.")] = 10.0,
    facilities: Annotated[int, typer.Option(min=1, help="To spread the drawdowns over.")] = 400,
    processes: Annotated[int, typer.Option(min=1, max=64, help="That draw at once.")] = 8,
    as_json: Json = False,
) -> None:
    """Drawdowns: the real act from several processes, spread out and on one hot facility."""
    from tallystick.site import databases

    with databases.scratch("bench") as here:
        from tallystick.lab.bench import draw

        plan = draw.Plan(seconds, facilities, processes)
        figures = draw.measure(plan, url=here.url, join=databases.join)
        with here.connect() as connection:
            postgresql = connection.info.parameter_status("server_version")
    tell(figures, postgresql=postgresql, as_json=as_json)


@app.command("close")
def bench_close(
    loans: Annotated[int, typer.Option(min=1_000, help="Live loans of the book.")] = 1_000_000,
    old_days: Annotated[int, typer.Option(min=2, help="Age of the older book's loans.")] = 700,
    as_json: Json = False,
) -> None:
    """The close of a day: a large live book of which one loan in a hundred changes."""
    from tallystick.site import databases

    measured = []
    for age_days, back_dated in ((1, False), (old_days, False), (old_days, True)):
        with databases.scratch("bench") as here:
            from tallystick.faces.loan_bench import loans_read_ms
            from tallystick.lab.bench import close
            from tallystick.lab.bench.taken_over import LIKE_THE_OTHERS, NEW_LOAN

            measured.append(
                close.closes_of(loans, age_days=age_days, url=here.url, back_dated=back_dated)
            )
            read_ms = loans_read_ms([f"L-{NEW_LOAN}", f"L-{LIKE_THE_OTHERS}"])
            with here.connect() as connection:
                postgresql = connection.info.parameter_status("server_version")
    figures = [
        *close.measure(*measured, loans=loans, old_days=old_days),
        *close.reading(*read_ms, old_days=old_days),
    ]
    tell(figures, postgresql=postgresql, as_json=as_json)


@app.command("instalments")
def bench_instalments(as_json: Json = False) -> None:
    """A thousand loans of 24 instalments, closed day by day from the first to the 702nd."""
    from tallystick.site import databases

    with databases.scratch("bench") as here:
        from tallystick.lab.bench import instalments

        figures = instalments.measure(instalments.live())
        with here.connect() as connection:
            postgresql = connection.info.parameter_status("server_version")
    tell(figures, postgresql=postgresql, as_json=as_json)


@app.command("turns")
def bench_turns(
    loans: Annotated[int, typer.Option(min=1_000, help="Live loans of the book.")] = 50_000,
    as_json: Json = False,
) -> None:
    """Nights of a book of loans in 12 instalments, beside one with a due date each."""
    from tallystick.site import databases

    nights = []
    for in_instalments in (True, False):
        with databases.scratch("bench") as here:
            from tallystick.lab.bench import turns

            nights.append(turns.nights_of(loans, url=here.url, in_instalments=in_instalments))
            with here.connect() as connection:
                postgresql = connection.info.parameter_status("server_version")
    tell(turns.measure(*nights, loans=loans), postgresql=postgresql, as_json=as_json)


@app.command("refold")
def bench_refold(as_json: Json = False) -> None:
    """A late event: a loan with thousands of events folded anew, a receipt dated back."""
    from tallystick.site import databases

    with databases.scratch("bench") as here:
        from tallystick.lab.bench import refold

        with here.connect() as owner:
            figures = refold.measure(owner)
            postgresql = owner.info.parameter_status("server_version")
    tell(figures, postgresql=postgresql, as_json=as_json)


@app.command("http")
def bench_http(
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each phase.")] = 10.0,
    facilities: Annotated[int, typer.Option(min=1, help="To spread the drawdowns over.")] = 400,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Clients at once.")] = 8,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The server's.")] = 8766,
    as_json: Json = False,
) -> None:
    """Drawdowns over HTTP against the same act called directly, in one run."""
    from tallystick.faces.cli.serve import check_free
    from tallystick.site import databases

    check_free(port)
    with databases.scratch("bench") as here:
        from tallystick.book.access.clients import MAX_REQUESTS_A_MINUTE, NewClient, add_client
        from tallystick.faces.served import served
        from tallystick.lab.bench import http
        from tallystick.lab.bench.draw import Plan
        from tallystick.lab.bench.taken_over import bench_caller

        plan = Plan(seconds, facilities, processes)
        codes = http.open_facilities(plan)
        keys = [
            add_client(
                NewClient(
                    code=f"bench-{number}",
                    scopes=("drawdowns:write",),
                    max_requests_a_minute=MAX_REQUESTS_A_MINUTE,
                ),
                caller=bench_caller(),
            )
            for number in range(processes)
        ]
        called = http.spine(plan, codes, url=here.url, join=databases.join)
        with served(here.url, port):
            answered = http.over_http(plan, codes, port=port, keys=keys)
        figures = http.figures(plan, called, answered)
        with here.connect() as connection:
            postgresql = connection.info.parameter_status("server_version")
    tell(figures, postgresql=postgresql, as_json=as_json)


@app.command("pages")
def bench_pages(
    loans: Annotated[int, typer.Option(min=1_000, help="Live loans of the book.")] = 1_000_000,
    claims: Annotated[int, typer.Option(min=1_000, help="Its claims.")] = 5_000_000,
    runs: Annotated[int, typer.Option(min=20, help="Times each page is asked.")] = 40,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The server's.")] = 8765,
    as_json: Json = False,
) -> None:
    """The portals' pages over a large book, asked of a real server."""
    import psycopg

    from tallystick.faces.cli.serve import check_free
    from tallystick.site import databases

    check_free(port)
    with databases.scratch("bench") as here:
        from tallystick.faces.page_bench import measure_pages
        from tallystick.faces.served import served, session_cookie
        from tallystick.lab.bench.large_book import put_large_book
        from tallystick.lab.demo_people import demo_people

        with psycopg.connect(here.url, autocommit=True) as owner:
            put_large_book(owner, loans=loans, claims=claims)
        cookies = {
            person.role.value: session_cookie(person.email)
            for person in demo_people()
            if person.role in ("operator", "supplier", "auditor")
        }
        with served(here.url, port):
            speeds, figures = measure_pages("127.0.0.1", port, cookies, runs=runs)
        with here.connect() as connection:
            postgresql = connection.info.parameter_status("server_version")
    if not as_json:
        _tell_pages(speeds)
    tell(figures, postgresql=postgresql, as_json=as_json)


def _tell_pages(speeds: "Sequence[PageSpeed]") -> None:
    import statistics

    from rich.console import Console
    from rich.table import Table

    table = Table("role", "page", "median ms", "p95 ms", "KB")
    for speed in sorted(speeds, key=lambda speed: -speed.p95_ms):
        median = statistics.median(speed.milliseconds)
        table.add_row(
            speed.role, speed.name, f"{median:.1f}", f"{speed.p95_ms:.1f}", f"{speed.kilobytes:.1f}"
        )
    Console().print(table)


def tell(figures: "Sequence[Figure]", *, postgresql: str | None = None, as_json: bool) -> None:
    """Print the machine and the figures, each beside its bound."""
    from tallystick.lab.bench.figures import machine

    where = machine(postgresql)
    if as_json:
        measured = [asdict(figure) | {"holds": figure.holds} for figure in figures]
        typer.echo(json.dumps({"machine": where, "figures": measured}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print("  ".join(f"{name} {value}" for name, value in where.items()), style="dim")
    table = Table("what", "measured", "asked", "holds", box=None, padding=(0, 3, 0, 0))
    for figure in figures:
        sign = "≤" if figure.at_most else "≥"
        table.add_row(
            figure.what,
            f"{figure.measured:,.{0 if figure.measured >= 1_000 else 3}f} {figure.unit}",
            "" if figure.bound is None else f"{sign} {figure.bound:,g} {figure.unit}",
            {None: "", True: "yes", False: "no"}[figure.holds],
        )
    console.print(table)
