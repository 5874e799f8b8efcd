"""``tally receipt`` and ``tally refund``: cash that was received, looked at again."""

import getpass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from tallystick.faces.cli.bank import ClaimLines, claims_and_amounts
from tallystick.faces.cli.loan_acts import tell_proposed
from tallystick.faces.cli.repayments import tell_settled

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller

app = typer.Typer(no_args_is_help=True, help="Cash received: apply what waits, take one back.")

Receipt = Annotated[str, typer.Argument(help="The bank's reference of the receipt.")]
Currency = Annotated[str, typer.Option("--currency", help="ISO 4217 code.")]
EntityCode = Annotated[str | None, typer.Option("--entity", help="When there are several.")]
Key = Annotated[str | None, typer.Option("--key", help="Request key: repeating it acts only once.")]


@app.command("take")
def take(
    receipt: Receipt,
    amount: Annotated[str, typer.Argument(help="In the currency: 1234.50")],
    loan: Annotated[str, typer.Option("--loan", help="The loan or advance that is named.")],
    payer: Annotated[str, typer.Option("--payer", help="The code of the firm that paid.")],
    currency: Currency = "CNY",
    value_date: Annotated[
        datetime | None,
        typer.Option(
            "--value-date",
            formats=["%Y-%m-%d"],
            help="When the cash arrived; default: the open business day.",
        ),
    ] = None,
    entity: EntityCode = None,
) -> None:
    """Take cash that names a loan or an advance; where it cannot take it, it waits in suspense."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.servicing.receipts import Receipt as Told
        from tallystick.book.servicing.receive import receive
        from tallystick.rules.money import minor_from_text

        house = entity_called(entity)
        settled = receive(
            Told(
                receipt,
                payer,
                currency,
                minor_from_text(amount, currency),
                value_date.date() if value_date else house.business_date,
            ),
            loan,
            legal_entity_id=house.entity_id,
            caller=_caller(""),
        )
    tell_settled(settled)


@app.command("apply-to-loan")
def apply_to_loan(
    receipt: Receipt,
    loan: Annotated[str, typer.Argument(help="The loan or advance that it pays.")],
    amount: Annotated[str, typer.Argument(help="In the currency: 1234.50")],
    currency: Currency = "CNY",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")] = "",
    entity: EntityCode = None,
    key: Key = None,
) -> None:
    """Let cash that waits in suspense pay a loan or an advance, from the day it arrived on."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.servicing.receive import apply_to_loan as apply_it
        from tallystick.rules.money import minor_from_text

        settled = apply_it(
            receipt,
            loan,
            minor_from_text(amount, currency),
            legal_entity_id=entity_called(entity).entity_id,
            caller=_caller(reason),
            key=key or str(uuid4()),
        )
    tell_settled(settled)


@app.command("apply")
def apply(
    receipt: Receipt,
    claims: ClaimLines = None,
    currency: Currency = "CNY",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")] = "",
    entity: EntityCode = None,
    key: Key = None,
) -> None:
    """Let cash that waits in suspense pay claims, from the day on which it arrived."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.servicing.apply_unapplied import apply_unapplied

        settled = apply_unapplied(
            receipt,
            claims_and_amounts(claims, currency),
            legal_entity_id=entity_called(entity).entity_id,
            caller=_caller(reason),
            key=key or str(uuid4()),
        )
    tell_settled(settled)


@app.command("reverse")
def reverse(
    receipt: Receipt,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")],
    entity: EntityCode = None,
    key: Key = None,
) -> None:
    """Take a receipt back, whole: its claims are open again, its loans as if it had never been."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.servicing.reverse import reverse_receipt

        entries = reverse_receipt(
            receipt,
            legal_entity_id=entity_called(entity).entity_id,
            caller=_caller(reason),
            key=key or str(uuid4()),
        )
    typer.echo(f"Receipt {receipt} is taken back by entries {', '.join(map(str, entries))}.")


def refund(
    supplier: Annotated[str, typer.Argument(help="The supplier's code.")],
    amount: Annotated[str, typer.Argument(help="In the currency: 1234.50")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")],
    maker: Annotated[str, typer.Option("--maker", help="Address of the user who proposes it.")],
    currency: Currency = "CNY",
    entity: EntityCode = None,
    key: Key = None,
) -> None:
    """Propose that the bank pays out credit that a supplier has with us."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.proposals.propose import propose_refund
        from tallystick.book.proposals.terms import Refund
        from tallystick.rules.money import minor_from_text

        number = propose_refund(
            supplier,
            Refund(currency, minor_from_text(amount, currency)),
            legal_entity_id=entity_called(entity).entity_id,
            caller=_caller(reason),
            key=key or str(uuid4()),
            maker=user_called(maker),
        )
    tell_proposed(number)


def _caller(reason: str) -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor=getpass.getuser(), channel="cli", reason=reason)
