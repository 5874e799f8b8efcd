"""``tally ledger``: entries, balances, seals and proofs."""

import json
import sys
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.rules.refusal import Refusal

if TYPE_CHECKING:
    from rich.table import Table

    from tallystick.book.ledger.entries import BookedEntry
    from tallystick.book.ledger.queries import TrialBalanceLine

NOT_PROVEN = 1
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_LINE_CHARACTERS = 1_000

app = typer.Typer(no_args_is_help=True, help="Entries, balances, seals and proofs.")

Entity = Annotated[str | None, typer.Option("--entity", help="Legal entity, if there are several.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; amounts in minor units.")]


class FileTooLarge(Refusal):
    """A file is larger than any that the ledger writes."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is larger than {MAX_FILE_BYTES // 2**20} MiB, so it is neither a proof nor "
            "a file of seals. Name the file that `./tally ledger` wrote."
        )


@app.command("entries")
def show_entries(
    account: Annotated[
        str | None, typer.Option(help="A name, or a label such as supplier_credit:SELLER-7.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="The object they are about, such as loan:JBB-1-7.")
    ] = None,
    from_day: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First booking date.")
    ] = None,
    to_day: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last booking date.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="The latest so many.")] = 50,
    entity: Entity = None,
    as_json: Json = False,
) -> None:
    """The latest journal entries, oldest of them first."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.ledger.entries import latest_entries
        from tallystick.book.ledger.labels import accounts_called
        from tallystick.book.parties.entities import entity_called

        entity_id = entity_called(entity).entity_id
        accounts = accounts_called(entity_id, account) if account else None
        entries = latest_entries(
            entity_id,
            account_ids=accounts and [found.account_id for found in accounts],
            reference=reference,
            from_date=from_day.date() if from_day else date.min,
            to_date=to_day.date() if to_day else date.max,
            limit=limit,
        )
    if as_json:
        typer.echo(_json({"entries": [_entry(each) for each in entries]}))
    else:
        _print(_entries_table(entries))


@app.command("balance")
def show_balance(
    account: Annotated[
        str | None,
        typer.Argument(help="A name, or a label such as supplier_credit:SELLER-7; else all."),
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Value dates up to this day; default: today's."),
    ] = None,
    known_on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As it was known on this day; default: today."),
    ] = None,
    entity: Entity = None,
    as_json: Json = False,
) -> None:
    """The balance of one account, or the trial balance of all, on any day as known on any day.

    Today is the open business day.
    """
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.ledger.labels import accounts_called
        from tallystick.book.ledger.queries import TrialBalanceLine, balances, trial_balance
        from tallystick.book.parties.entities import entity_called

        ours = entity_called(entity)
        days = {
            "on": on.date() if on else ours.business_date,
            "known_on": known_on.date() if known_on else ours.business_date,
        }
        if account:
            found = accounts_called(ours.entity_id, account)
            totals = balances([each.account_id for each in found], **days)
            lines = [TrialBalanceLine(each, totals[each.account_id]) for each in found]
        else:
            lines = trial_balance(ours.entity_id, **days)
    if as_json:
        shown = {
            "legal_entity": ours.code,
            **{name: day.isoformat() for name, day in days.items()},
            "accounts": [_balance(line) for line in lines],
        }
        typer.echo(_json(shown))
    else:
        _print(_balance_table(lines, with_totals=account is None))


@app.command("seals")
def show_seals(entity: Entity = None) -> None:
    """Every day's seal, one a line: what an auditor keeps. All legal entities, or --entity."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.ledger.seal import seals
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.parties.models import LegalEntity
        from tallystick.rules.proofs import seals_file

        ids = (
            [entity_called(entity).entity_id]
            if entity
            else list(LegalEntity.objects.order_by("code").values_list("id", flat=True))
        )
        content = seals_file(header for entity_id in ids for header in seals(entity_id))
    sys.stdout.buffer.write(content)


@app.command("prove")
def prove_entry(
    entry: Annotated[int, typer.Argument(help="The entry's number.", metavar="ENTRY")],
) -> None:
    """One entry with its path to the seal of its day, for somebody without this database."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.ledger.prove import prove
        from tallystick.rules.proofs import proof_file

        content = proof_file(prove(entry))
    sys.stdout.buffer.write(content)


@app.command("verify-proof")
def check_proof(
    proof: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="From `ledger prove`."),
    ],
    seals: Annotated[
        Path,
        typer.Option(
            "--seals", exists=True, dir_okay=False, metavar="SEALS", help="From `ledger seals`."
        ),
    ],
) -> None:
    """Check a proof against the seals you keep. Needs no database; status 1 if it does not hold."""
    from tallystick.rules.proofs import NotProven, SealsUnreadable, verify_proof

    try:
        proven = verify_proof(_content(proof), _content(seals))
    except (NotProven, SealsUnreadable) as refusal:
        typer.echo(refusal, err=True)
        raise typer.Exit(NOT_PROVEN) from None
    typer.echo(
        f"Proven: entry {proven.entry['entry']} ({proven.entry['event']}, "
        f"{proven.entry['reference']}) is number {proven.leaf_index + 1} of the "
        f"{proven.header.entry_count} that {proven.header.legal_entity} booked on "
        f"{proven.header.date}, as sealed."
    )


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise FileTooLarge(path)
    return content


def _entry(entry: "BookedEntry") -> dict[str, Any]:
    return {
        "entry": entry.entry_id,
        "currency": entry.currency,
        "event": entry.event,
        "reference": entry.reference,
        "value_date": entry.value_date.isoformat(),
        "booking_date": entry.booking_date.isoformat(),
        "booked_at": entry.booked_at.isoformat(),
        "reverses": entry.reverses,
        "act": entry.act_id,
        "postings": [
            {
                "account": line.label,
                "side": line.side.name.lower(),
                "amount_minor": line.amount_minor,
            }
            for line in entry.lines
        ],
    }


def _entries_table(entries: "list[BookedEntry]") -> "Table":
    from rich.table import Table

    from tallystick.rules.journal import Side
    from tallystick.rules.money import text_from_minor

    table = Table("entry", "booked", "value", "event, account", "reference", box=None)
    for side in ("debit", "credit"):
        table.add_column(side, justify="right", no_wrap=True)
    for entry in entries:
        table.add_row(
            str(entry.entry_id),
            str(entry.booking_date),
            str(entry.value_date),
            entry.event,
            entry.reference,
            entry.currency,
        )
        if entry.reverses:
            table.add_row("", "", "", f"  reverses {entry.reverses}")
        for line in entry.lines:
            amount = text_from_minor(line.amount_minor, entry.currency)
            sides = (amount, "") if line.side is Side.DEBIT else ("", amount)
            table.add_row("", "", "", f"  {line.label}", "", *sides)
    return table


def _balance(line: "TrialBalanceLine") -> dict[str, Any]:
    return {
        "account": line.account.label,
        "currency": line.account.currency,
        **asdict(line.balance),
        "net_minor": line.balance.net_minor,
    }


def _balance_table(lines: "list[TrialBalanceLine]", *, with_totals: bool) -> "Table":
    from rich.table import Table

    from tallystick.rules.money import text_from_minor

    table = Table("account", "", box=None)
    for column in ("debits", "credits", "debits less credits"):
        table.add_column(column, justify="right", no_wrap=True)

    def add(label: str, currency: str, *amounts_minor: int) -> None:
        amounts = [text_from_minor(amount_minor, currency) for amount_minor in amounts_minor]
        table.add_row(label, currency, *amounts)

    for line in lines:
        balance = line.balance
        add(
            line.account.label,
            line.account.currency,
            balance.debit_minor,
            balance.credit_minor,
            balance.net_minor,
        )
    if with_totals:
        for currency in sorted({line.account.currency for line in lines}):
            of_currency = [line.balance for line in lines if line.account.currency == currency]
            debits_minor = sum(balance.debit_minor for balance in of_currency)
            credits_minor = sum(balance.credit_minor for balance in of_currency)
            add("total", currency, debits_minor, credits_minor, debits_minor - credits_minor)
    return table


def _json(shown: dict[str, Any]) -> str:
    return json.dumps(shown, ensure_ascii=False, indent=2)


def _print(table: "Table") -> None:
    from rich.console import Console

    for column in table.columns:
        column.overflow = "fold"  # a label is read whole, on a second line where it is long
    # References and labels are other people's text: shown as they are, never as mark-up. A file
    # or a pipe has no width.
    width = None if sys.stdout.isatty() else MAX_LINE_CHARACTERS
    Console(markup=False, emoji=False, highlight=False, width=width).print(table)
