"""Case files of credit that is no loan with due dates: advances out of sales, statement cycles."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from tallystick.faces.cli.case_fields import CaseRefused, content_of


class Credit(StrEnum):
    """What the field ``credit`` of a case may say."""

    SALES_SHARE = "sales_share"
    STATEMENT_CYCLE = "statement_cycle"


def credit_of(path: Path) -> Credit | None:
    """The kind of credit a case names; None where it names none. Raises CaseRefused."""
    content = content_of(path)
    if "credit" not in content:
        return None
    try:
        return Credit(str(content["credit"]))
    except ValueError:
        raise CaseRefused(
            f"{path}: credit is {json.dumps(content['credit'], default=str)[:80]}: "
            f"possible: {'; '.join(Credit)}; leave it out for a loan with due dates."
        ) from None


def show_schedule(path: Path, credit: Credit, *, as_json: bool) -> None:
    """Print what is to be paid when, if sales run as expected."""
    if credit is Credit.STATEMENT_CYCLE:
        raise CaseRefused(
            f"{path}: a statement cycle has no schedule, because it depends on what is bought. "
            "Ask for its state: tally loan state CASE.json --on DATE."
        )
    from tallystick.faces.cli.sales_case import schedule_told

    _told(schedule_told(path), rows="rows", as_json=as_json)


def show_state(path: Path, credit: Credit, *, on: date | None, as_json: bool) -> None:
    """Print how the credit stands on a day, else on the day of its last event."""
    if credit is Credit.SALES_SHARE:
        from tallystick.faces.cli.sales_case import state_told

        _told(state_told(path, on=on), rows="movements", as_json=as_json)
    else:
        from tallystick.faces.cli.statement_case import line_told

        _told(line_told(path, on=on), rows="statements", as_json=as_json)


def _told(told: Mapping[str, Any], *, rows: str, as_json: bool) -> None:
    """Print the figures, and then the lists with a line for each row."""
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    currency = str(told["currency"])
    figures = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    figures.add_column()
    figures.add_column(justify="right")
    lists: dict[str, Sequence[Mapping[str, Any]]] = {}
    for name, value in told.items():
        if isinstance(value, list):
            lists[name] = value
        else:
            figures.add_row(_words(name), _shown(name, value, currency))
    console = Console()
    console.print(figures)
    for name in (rows, *(each for each in lists if each != rows)):
        if listed := lists.get(name):
            table = Table(title=name.capitalize())
            for heading in listed[0]:
                table.add_column(_words(heading), justify="right")
            for row in listed:
                table.add_row(*(_shown(key, value, currency) for key, value in row.items()))
            console.print(table)


def _words(name: str) -> str:
    return name.removesuffix("_minor").replace("_", " ")


def _shown(name: str, value: object, currency: str) -> str:
    from tallystick.rules.money import text_from_minor

    if value is None:
        return "-"
    if name.endswith("_minor") and isinstance(value, int):
        return text_from_minor(value, currency, thousands=True)
    return str(value)
