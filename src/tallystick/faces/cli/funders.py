"""``tally funder``: those who hold shares of loans, what they are owed and what they owe."""

import getpass
from typing import Annotated
from uuid import uuid4

import typer

app = typer.Typer(no_args_is_help=True, help="Funders that hold shares of loans, and their money.")

Funder = Annotated[str, typer.Argument(help="The funder's code.")]
Amount = Annotated[str, typer.Argument(help="1234.50")]
Currency = Annotated[str, typer.Option("--currency", help="ISO 4217 code.")]
EntityCode = Annotated[str | None, typer.Option("--entity", help="When there are several.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the act.")]
Key = Annotated[str | None, typer.Option("--key", help="Request key: repeating it acts only once.")]


@app.command("add")
def add(
    funder: Funder, name: Annotated[str, typer.Option("--name", help="What it is called.")]
) -> None:
    """Register a firm that buys shares; one already known keeps its name."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.payments.funders import register_funder

        caller = Caller("system", getpass.getuser(), "cli", "")
        register_funder(funder, name, caller=caller, key=f"cli:{uuid4()}")
    typer.echo(f"{funder} is registered.")


@app.command("owed")
def owed(funder: Funder, currency: Currency = "CNY", entity: EntityCode = None) -> None:
    """What a funder is owed and not yet ordered, or what it owes."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.payments.funders import payable_to
        from tallystick.rules.money import text_from_minor

        entity_id = entity_called(entity).entity_id
        minor = payable_to(funder, currency=currency, legal_entity_id=entity_id)
        amount = text_from_minor(abs(minor), currency, thousands=True)
    typer.echo(f"{funder} {'owes' if minor < 0 else 'is owed'} {amount} {currency}.")


@app.command("pay")
def pay(
    funder: Funder,
    currency: Currency = "CNY",
    entity: EntityCode = None,
    reason: Reason = "",
    key: Key = None,
) -> None:
    """Order the bank to pay a funder all that came in for its shares."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.payments.funders import pay_funder
        from tallystick.rules.money import text_from_minor

        end_to_end_id, amount_minor = pay_funder(
            funder,
            currency=currency,
            legal_entity_id=entity_called(entity).entity_id,
            caller=Caller("system", getpass.getuser(), "cli", reason),
            key=key or f"cli:{uuid4()}",
        )
        amount = text_from_minor(amount_minor, currency, thousands=True)
    typer.echo(f"Ordered {amount} {currency} to {funder} as {end_to_end_id}.")


@app.command("paid-in")
def paid_in(
    funder: Funder,
    amount: Amount,
    currency: Currency = "CNY",
    entity: EntityCode = None,
    reason: Reason = "",
    key: Key = None,
) -> None:
    """Book money that a funder has paid for shares that it bought."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.payments.funders import take_from_funder
        from tallystick.rules.money import minor_from_text, text_from_minor

        left_minor = take_from_funder(
            funder,
            minor_from_text(amount, currency),
            currency=currency,
            legal_entity_id=entity_called(entity).entity_id,
            caller=Caller("system", getpass.getuser(), "cli", reason),
            key=key or f"cli:{uuid4()}",
        )
        left = text_from_minor(left_minor, currency, thousands=True)
    typer.echo(f"Booked. {funder} still owes {left} {currency}.")
