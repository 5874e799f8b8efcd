"""``tally loan``: a loan's schedule and state from a file, and why a booked loan is as it is."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.faces.cli import loan_acts, share_acts
from tallystick.faces.cli.loan_explain import explain

if TYPE_CHECKING:
    from rich.table import Table

    from tallystick.rules.loan import LoanState
    from tallystick.rules.schedule import Instalment

app = typer.Typer(
    no_args_is_help=True, help="A loan's schedule and state, why it is so, and what is done to it."
)

app.command("explain")(explain)
app.add_typer(loan_acts.app)
app.add_typer(share_acts.app)

Case = Annotated[Path, typer.Argument(metavar="CASE.json", help="The loan's terms and events.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("schedule")
def show_schedule(case: Case, as_json: Json = False) -> None:
    """What falls due when, if the principal is paid out on the first day."""
    from tallystick.faces.cli import credit_case
    from tallystick.faces.cli.case_fields import naming
    from tallystick.faces.cli.instalment_case import read_plan, tells_instalments
    from tallystick.faces.cli.loan_case import read_case
    from tallystick.rules.loan_terms import plan_of
    from tallystick.rules.schedule import schedule

    if credit := credit_case.credit_of(case):
        credit_case.show_schedule(case, credit, as_json=as_json)
        return
    if tells_instalments(case):
        told = read_plan(case)
        currency, plan = told.currency, told.plan
    else:
        terms = read_case(case).terms
        currency, plan = terms.currency, plan_of(terms)
    with naming(case):
        rows = schedule(plan)
    if as_json:
        typer.echo(json.dumps({"rows": [_row(row) for row in rows]}, indent=2))
    else:
        _print(_schedule_table(rows, currency))


@app.command("state")
def show_state(
    case: Case,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="The day asked about, its events included; else maturity."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """What the loan owes on a day, and the days of interest behind it."""
    from tallystick.faces.cli import credit_case
    from tallystick.faces.cli.case_fields import naming
    from tallystick.faces.cli.instalment_case import tells_instalments
    from tallystick.faces.cli.loan_case import read_case
    from tallystick.rules.loan import fold

    if credit := credit_case.credit_of(case):
        credit_case.show_state(case, credit, on=on.date() if on else None, as_json=as_json)
        return
    if tells_instalments(case):
        from tallystick.faces.cli.instalment_state import show

        show(case, on=on.date() if on else date.max, as_json=as_json)
        return
    loan = read_case(case)
    with naming(case):
        state = fold(
            loan.terms,
            loan.events,
            on=on.date() if on else loan.terms.maturity,
            known_on=date.max,
        )
    if as_json:
        typer.echo(json.dumps(state.as_json(), indent=2))
    else:
        _print(_figures_table(state), _segments_table(state))


def _row(row: "Instalment") -> dict[str, object]:
    return {
        "n": row.n,
        "due_date": row.due_date.isoformat(),
        "principal_minor": row.principal_minor,
        "interest_minor": row.interest_minor,
        "fee_minor": row.fee_minor,
        "balance_minor": row.balance_minor,
    }


def _schedule_table(rows: "list[Instalment]", currency: str) -> "Table":
    from rich.table import Table

    table = Table(title=f"Schedule in {currency}")
    table.add_column("n", justify="right")
    table.add_column("due")
    for heading in ("principal", "interest", "fee", "balance"):
        table.add_column(heading, justify="right")
    for row in rows:
        amounts = (row.principal_minor, row.interest_minor, row.fee_minor, row.balance_minor)
        table.add_row(
            str(row.n),
            row.due_date.isoformat(),
            *(_major(amount_minor, currency) for amount_minor in amounts),
        )
    return table


def _figures_table(state: "LoanState") -> "Table":
    from rich.table import Table

    owed = state.balances
    currency = state.terms.currency
    table = Table(title=f"State on {owed.on} in {currency}, due {owed.due_date}")
    for heading in ("", "arisen", "paid", "waived", "charged off", "open"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    for name, *amounts in (
        (
            "principal",
            owed.disbursed_minor,
            owed.principal_repaid_minor,
            0,
            owed.principal_charged_off_minor,
            owed.principal_minor,
        ),
        (
            "interest",
            owed.interest_accrued_minor,
            owed.interest_received_minor,
            owed.interest_waived_minor,
            owed.interest_charged_off_minor,
            owed.interest_due_minor,
        ),
        (
            "penalty",
            owed.penalty_accrued_minor,
            owed.penalty_received_minor,
            owed.penalty_waived_minor,
            owed.penalty_charged_off_minor,
            owed.penalty_due_minor,
        ),
        (
            "fees",
            owed.fees_charged_minor,
            owed.fees_received_minor,
            owed.fees_waived_minor,
            owed.fees_charged_off_minor,
            owed.fees_due_minor,
        ),
    ):
        table.add_row(name, *(_major(amount_minor, currency) for amount_minor in amounts))
    table.add_section()
    for name, value in (
        ("owed in all", _major(owed.owed_minor, currency)),
        ("of it, principal due", _major(owed.principal_due_minor, currency)),
        ("supplier's credit", _major(owed.credit_minor, currency)),
        ("recovered", _major(owed.recovered_minor, currency)),
        ("days past due", str(owed.days_past_due)),
    ):
        table.add_row(name, "", "", "", "", value)
    return table


def _segments_table(state: "LoanState") -> "Table":
    from rich.table import Table

    from tallystick.rules.loan import segments_as_json

    table = Table(title=f"Interest, exact, in minor units ({state.terms.day_count})")
    for heading in ("from", "to", "principal", "rate", "days", "interest"):
        table.add_column(heading, justify="left" if heading in ("from", "to") else "right")
    for name, segments in (("", state.segments), ("penalty", state.penalty_segments)):
        if name:
            table.add_section()
        for segment in segments_as_json(state.terms, segments):
            table.add_row(
                str(segment["from"]),
                f"{segment['to']} {name}".rstrip(),
                _major(int(str(segment["principal_minor"])), state.terms.currency),
                str(segment["rate"]),
                str(segment["days"]),
                str(segment["interest"]),
            )
    return table


def _major(amount_minor: int, currency: str) -> str:
    from tallystick.rules.money import text_from_minor

    return text_from_minor(amount_minor, currency, thousands=True)


def _print(*tables: "Table") -> None:
    from rich.console import Console

    console = Console()
    for table in tables:
        console.print(table)
