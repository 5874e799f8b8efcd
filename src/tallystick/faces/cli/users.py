"""``tally user``: people who may sign in."""

import getpass
import secrets
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="People who may sign in.")

GENERATED_BYTES = 18  # 24 characters, beyond guessing


@app.callback()
def users() -> None:
    """People who may sign in."""


@app.command("add")
def add(
    email: Annotated[str, typer.Argument(help="The address they sign in with.")],
    role: Annotated[
        str,
        typer.Option(
            help="operator, risk_officer, approver, treasury, supplier, auditor or machine."
        ),
    ],
    firm: Annotated[
        str | None, typer.Option(help="The code of their firm; a supplier's user needs one.")
    ] = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="Make a password and print it once.")
    ] = False,
) -> None:
    """Add a user. The password is asked for, or generated; there is no default one."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.parties.add_user import add_user

        password = (
            secrets.token_urlsafe(GENERATED_BYTES)
            if generate
            else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        )
        user = add_user(
            email=email,
            role=role,
            password=password,
            party_code=firm,
            must_change_password=generate,
            caller=Caller(owner="system", actor=getpass.getuser(), channel="cli"),
        )
    typer.echo(f"Added {user.email}, {user.get_role_display()}.")
    if generate:
        typer.echo(f"Password (shown this once): {password}")
