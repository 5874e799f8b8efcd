"""``tally rate``: the reference rates that floating prices follow."""

import getpass
import json
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

app = typer.Typer(no_args_is_help=True, help="Reference rates: import published values, list them.")


@app.command("import")
def import_rates(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="publish_date,NAME_pct,…")],
    source: Annotated[str, typer.Option("--source", help="Who published the values.")],
    key: Annotated[
        str | None, typer.Option("--key", help="Request key: repeating it acts only once.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Add the values of a file, all or none; a published value is never changed."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.financing.import_rates import import_rates, text_of

        imported = import_rates(
            text_of(file),
            file=file.name,
            source=source,
            caller=Caller(owner="system", actor=getpass.getuser(), channel="cli"),
            key=key or str(uuid4()),
        )
    if as_json:
        typer.echo(json.dumps({"added": imported.added, "known": imported.known}))
    else:
        typer.echo(f"{imported.added} values added, {imported.known} known already.")


@app.command("list")
def list_rates(
    name: Annotated[str | None, typer.Argument(help="One series, such as lpr_1y.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Every value by series and day, in per cent a year, with its source."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.financing.reference_rates import known_rates
        from tallystick.rules.loan_events import rate_from_ppb

        rates = [
            {
                "name": rate.name,
                "publish_date": rate.publish_date.isoformat(),
                "rate": f"{rate_from_ppb(rate.rate_ppb):f}",
                "source": rate.source,
                "file": rate.file,
            }
            for rate in known_rates(name)
        ]
    if as_json:
        typer.echo(json.dumps(rates, ensure_ascii=False, indent=2))
        return
    for rate in rates:
        typer.echo(f"{rate['name']:<12}{rate['publish_date']}  {rate['rate']:<12}{rate['source']}")
    if not rates:
        typer.echo("No values. Import some: tally rate import FILE.csv --source NAME")
