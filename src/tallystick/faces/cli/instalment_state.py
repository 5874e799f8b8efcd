"""What a loan of instalments owes, printed from a case file."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from tallystick.rules.instalment_loan import InstalmentLoan, Movement
    from tallystick.rules.instalment_rows import Row


def show(case: Path, *, on: date, as_json: bool) -> None:
    """Print the loan's table, and what each event moved, after the events up to ``on``."""
    from tallystick.faces.cli.case_fields import naming
    from tallystick.faces.cli.instalment_case import read_instalments
    from tallystick.rules.instalment_loan import fold

    told = read_instalments(case)
    with naming(case):
        loan = fold(told.terms, told.events, on=on)
    if as_json:
        typer.echo(json.dumps(_state(loan), indent=2))
        return
    from rich.console import Console

    Console().print(_table(loan))


def _state(loan: "InstalmentLoan") -> dict[str, object]:
    return {
        "currency": loan.terms.currency,
        "status": loan.status.value,
        "outstanding_minor": loan.outstanding_minor(),
        "credit_minor": loan.credit_minor,
        "rows": [_row(n, row) for n, row in enumerate(loan.rows, start=1)],
        "movements": [_movement(movement) for movement in loan.movements],
    }


def _row(n: int, row: "Row") -> dict[str, object]:
    met = row.met_date()
    return {
        "n": n,
        "kind": row.kind.value,
        "from_date": row.from_date.isoformat(),
        "due_date": row.due_date.isoformat(),
        **{f"{part.value}_minor": amount for part, amount in row.owed.items()},
        **{f"{part.value}_paid_minor": amount for part, amount in row.paid.items()},
        "waived_minor": sum(row.waived.values()),
        "paid_in_advance_minor": row.paid_in_advance_minor,
        "paid_late_minor": row.paid_late_minor,
        "outstanding_minor": row.outstanding_minor,
        "met_date": met.isoformat() if met else None,
    }


def _movement(movement: "Movement") -> dict[str, object]:
    return {
        "event": movement.event_id,
        "kind": movement.kind.value,
        "receipt": movement.receipt.value if movement.receipt else None,
        "value_date": movement.value_date.isoformat(),
        "amount_minor": movement.amount_minor,
        **{f"{part.value}_minor": amount for part, amount in movement.parts_minor.items()},
        "credit_minor": movement.credit_minor,
        "principal_minor_after": movement.principal_minor_after,
    }


def _table(loan: "InstalmentLoan") -> "Table":
    from rich.table import Table

    from tallystick.rules.money import text_from_minor

    currency = loan.terms.currency
    table = Table(title=f"{loan.status.value.capitalize()} loan in {currency}")
    table.add_column("n", justify="right")
    table.add_column("due")
    for heading in ("principal", "interest", "charges", "paid", "outstanding"):
        table.add_column(heading, justify="right")
    for n, row in enumerate(loan.rows, start=1):
        penalty, fee, interest, principal = row.owed.values()
        amounts = (principal, interest, fee + penalty, row.paid_minor, row.outstanding_minor)
        table.add_row(
            str(n),
            row.due_date.isoformat(),
            *(text_from_minor(amount, currency, thousands=True) for amount in amounts),
        )
    return table
