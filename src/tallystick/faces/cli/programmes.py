"""``tally programme``: list, show and check financing programmes. Needs no database."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tallystick.faces.programme_terms import told_terms

app = typer.Typer(no_args_is_help=True, help="List, show and check financing programmes.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("list")
def list_programmes(as_json: Json = False) -> None:
    """The programmes that come with tallystick."""
    programmes = [*_programmes().presets().values(), *_sales_programmes().sales_presets().values()]
    if as_json:
        listed = [
            {
                "code": programme.code,
                "title": programme.title,
                "product": programme.product,
                "funding": programme.funding,
                "currency": programme.currency,
            }
            for programme in programmes
        ]
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    for programme in programmes:
        typer.echo(f"{programme.code:<20} {programme.currency}  {programme.title}")


@app.command("show")
def show_programme(code: str, as_json: Json = False) -> None:
    """Every term of a programme, with the source of each."""
    sales = _sales_programmes().sales_presets()
    programme = sales[code] if code in sales else _programmes().preset(code)
    if as_json:
        content = {"code": programme.code, **programme.content}
        typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
        return

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    console.print(f"[bold]{escape(programme.code)}[/bold]  {escape(programme.title)}")
    table = Table("term", "value", "source", box=None, padding=(0, 2, 0, 0))
    for term, value, source in told_terms(programme.content["terms"]):
        table.add_row(escape(term), escape(value), escape(source))
    console.print(table)
    console.print("\n[bold]Published[/bold]")
    for published in programme.published:
        console.print(escape(f"- {published.says} {published.source}"))
    console.print("\n[bold]Sources[/bold]")
    for number, source in programme.content["sources"].items():
        console.print(escape(f"[{number}] {source}"))


@app.command("check")
def check_programmes(
    file: Path,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Hold prices to the legal ceilings of this day; else today."
        ),
    ] = None,
) -> None:
    """Check a programme file of your own: all that is wrong, with line, value and remedy."""
    defined_on = on.date() if on else datetime.now(UTC).date()
    module = _sales_programmes()
    read = module.sales_programmes_in if module.is_of_sales(file) else _programmes().programmes_in
    programmes = read(file, defined_on=defined_on)
    codes = ", ".join(programme.code for programme in programmes)
    typer.echo(f"{file} is in order: {codes}.")


def _programmes() -> Any:
    """The book's module, imported when a command runs: ``--help`` needs no Django."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tallystick.site.settings")
    django.setup()
    from tallystick.book.financing import programmes

    return programmes


def _sales_programmes() -> Any:
    """Likewise for the programmes of advances out of sales."""
    _programmes()
    from tallystick.book.sales_credit import programmes

    return programmes
