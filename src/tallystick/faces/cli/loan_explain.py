"""``tally loan explain``: every figure of a loan, in the book or a file, as a sum of terms."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from tallystick.book.servicing.loans import LoanOn
    from tallystick.rules.loan import LoanState
    from tallystick.rules.loan_explanation import Figure


def explain(
    loan: Annotated[
        str, typer.Argument(metavar="LOAN|CASE.json", help="The loan's code, or a file with one.")
    ],
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day asked about; default: today's."),
    ] = None,
    known_on: Annotated[
        datetime | None,
        typer.Option(
            "--known-on", formats=["%Y-%m-%d"], help="As it was known on this day; default: now."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; amounts in minor units.")
    ] = False,
) -> None:
    """Every figure of a loan: the days, rates and cash that it is the sum of."""
    known = known_on.date() if known_on else date.max
    if loan.endswith(".json"):
        _explain_case(Path(loan), on.date() if on else None, known, as_json)
        return
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.servicing.loans import loan_on
        from tallystick.rules.loan_explanation import explained

        found = loan_on(
            loan,
            on=on.date() if on else None,
            known_on=known,
        )
    figures = explained(found.state)
    if as_json:
        typer.echo(json.dumps(_json(found, figures), indent=2))
    else:
        _print(
            f"Loan {found.code} of {found.supplier} under {found.facility}, {found.status}",
            found.state,
            figures,
        )


def _explain_case(path: Path, on: date | None, known_on: date, as_json: bool) -> None:
    from tallystick.faces.cli.case_fields import naming
    from tallystick.faces.cli.loan_case import read_case
    from tallystick.rules.loan import fold
    from tallystick.rules.loan_explanation import explained

    case = read_case(path)
    with naming(path):
        state = fold(case.terms, case.events, on=on or case.terms.maturity, known_on=known_on)
    figures = explained(state)
    if as_json:
        written = {**state.as_json(), "figures": [figure.as_json() for figure in figures]}
        typer.echo(json.dumps(written, indent=2))
    else:
        _print(f"Loan of {path.name}", state, figures)


def _json(found: "LoanOn", figures: "tuple[Figure, ...]") -> dict[str, object]:
    return {
        "loan": found.code,
        "facility": found.facility,
        "supplier": found.supplier,
        "status": found.status,
        "due_date": found.due_date.isoformat(),
        **found.state.as_json(),
        "figures": [figure.as_json() for figure in figures],
    }


def _print(title: str, state: "LoanState", figures: "tuple[Figure, ...]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{title}, due {state.balances.due_date}, on {state.balances.on} "
        f"({state.terms.currency} minor units)",
        title_justify="left",
    )
    table.add_column("")
    table.add_column("", justify="right")
    for figure in figures:
        _add(table, figure)
    Console().print(table)


def _add(table: "Table", figure: "Figure") -> None:
    table.add_row(figure.name, f"{figure.value:,}", style="bold")
    for term in figure.terms:
        table.add_row(f"  {term.name}", term.shown, style="dim")
