"""``tally repay``: a supplier repays early, out of its own cash."""

import getpass
import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tallystick.book.servicing.settled import Settled

BUCKETS = {
    "fees": "fees",
    "penalty": "penalty",
    "interest": "interest",
    "principal_due": "principal due",
    "principal_not_due": "principal not yet due",
    "recovery": "recovered of what was charged off",
    "recovered": "due from the supplier",
    "residual": "to be paid out to the supplier",
    "credit": "kept as the supplier's credit",
    "principal": "principal",
    "fee": "fee",
}


def repay(
    target: Annotated[
        str, typer.Argument(metavar="FACILITY|LOAN", help="The code of a facility or of a loan.")
    ],
    amount: Annotated[str, typer.Argument(help="In the facility's currency: 1234.50")],
    key: Annotated[str, typer.Option("--key", help="Request key: repeating it acts only once.")],
    value_date: Annotated[
        datetime | None,
        typer.Option(
            "--value-date",
            formats=["%Y-%m-%d"],
            help="When the cash arrived; default: the open business day.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; amounts in minor units.")
    ] = False,
) -> None:
    """Repay early, from the supplier's own cash: a facility's loans, or one loan."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.servicing.repay import repay as repay_early
        from tallystick.book.servicing.repay import what_to_repay
        from tallystick.rules.money import minor_from_text

        meant = what_to_repay(target)
        settled = repay_early(
            target,
            minor_from_text(amount, meant.currency),
            value_date=value_date.date() if value_date else None,
            caller=Caller(f"firm:{meant.supplier}", getpass.getuser(), "cli", reason),
            key=key,
        )
    if as_json:
        typer.echo(json.dumps(settled.as_json(), indent=2))
    else:
        tell_settled(settled)


def tell_settled(settled: "Settled") -> None:
    """Where cash went, line by line; the lines and what stands in suspense sum to it."""
    from tallystick.rules.money import text_from_minor

    def major(amount_minor: int) -> str:
        return text_from_minor(amount_minor, settled.currency, thousands=True)

    typer.echo(f"Taken {major(settled.amount_minor)} {settled.currency}:")
    for line in settled.lines:
        whose = line.supplier
        if line.loan or line.advance:
            whose = f"loan {line.loan}" if line.loan else f"advance {line.advance}"
        typer.echo(f"  {major(line.amount_minor):>20}  {whose}, {BUCKETS[line.bucket]}")
    if settled.suspense_minor:
        typer.echo(f"  {major(settled.suspense_minor):>20}  in suspense: it names no claim of ours")
