"""``tally user``: people who may sign in."""

import getpass
import json
import secrets
from typing import Annotated
from uuid import uuid4

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
        typer.echo(f"Password (shown this once, to be changed at sign-in): {password}")


Address = Annotated[str, typer.Argument(help="The address they sign in with.")]
Why = Annotated[str, typer.Option("--reason", help="Kept in the audit trail.")]


@app.command("list")
def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Who may sign in, in what role, with what second factor, and who is locked out."""
    from tallystick.site import databases

    with databases.book():
        from allauth.mfa.models import Authenticator

        from tallystick.book.access.users import failed_attempts
        from tallystick.book.parties.models import User

        with_factor = set(
            Authenticator.objects.exclude(type="recovery_codes").values_list("user_id", flat=True)
        )
        users = [
            {
                "email": user.email,
                "role": user.role,
                "firm": user.party.code if user.party else None,
                "state": "active" if user.is_active else "disabled",
                "second_factor": user.pk in with_factor,
                "must_change_password": user.must_change_password,
                "failed_attempts": sum(
                    failed_attempts(user).values_list("failures_since_start", flat=True)
                ),
                "last_sign_in_at": user.last_login.isoformat() if user.last_login else None,
            }
            for user in User.objects.select_related("party").order_by("email")
        ]
    if as_json:
        typer.echo(json.dumps(users, indent=2))
        return
    for one in users:
        factor = "second factor" if one["second_factor"] else "password only"
        typer.echo(
            f"{one['email']:40} {one['role']:14} {one['firm'] or '-':16} {one['state']:9} "
            f"{factor:14} {one['failed_attempts']} failed  {one['last_sign_in_at'] or 'never'}"
        )
    if not users:
        typer.echo("Nobody yet. Add somebody with: tally user add", err=True)


@app.command("disable")
def disable(email: Address, reason: Why = "") -> None:
    """Let a user in no more; their sessions end, and what they did stays."""
    answer = _carried_out("disable_user", email, reason)
    typer.echo(f"{answer['user']} is disabled; {answer['sessions_ended']} session(s) ended.")


@app.command("enable")
def enable(email: Address, reason: Why = "") -> None:
    """Let a disabled user in again."""
    typer.echo(f"{_carried_out('enable_user', email, reason)['user']} may sign in again.")


@app.command("unlock")
def unlock(email: Address, reason: Why = "") -> None:
    """Forget a user's failed attempts to sign in, so that the next one is looked at."""
    answer = _carried_out("unlock_user", email, reason)
    typer.echo(
        f"{answer['user']} is unlocked."
        if answer["was_locked"]
        else f"{answer['user']} had no failed attempts."
    )


@app.command("reset-second-factor")
def reset_second_factor(email: Address, reason: Why = "") -> None:
    """Take off a lost second factor. Make sure first that it is they who ask."""
    answer = _carried_out("reset_second_factor", email, reason)
    typer.echo(f"{answer['user']} signs in with the password alone; {answer['removed']} removed.")


@app.command("password")
def password(email: Address, reason: Why = "") -> None:
    """Give a user a new password, print it once, and end their sessions."""
    from tallystick.site import databases

    chosen = secrets.token_urlsafe(GENERATED_BYTES)
    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.parties.set_password import set_password

        user = set_password(
            email=email,
            password=chosen,
            must_change_password=True,
            caller=Caller("system", getpass.getuser(), "cli", reason),
        )
    typer.echo(f"Password of {user.email} (shown this once, to be changed at sign-in): {chosen}")


def _carried_out(act: str, email: str, reason: str) -> dict[str, object]:
    """Each command is an act of its own, in the audit trail under whoever ran it."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access import users
        from tallystick.book.acts.once import Caller

        acts = {
            "disable_user": users.disable_user,
            "enable_user": users.enable_user,
            "unlock_user": users.unlock_user,
            "reset_second_factor": users.reset_second_factor,
        }
        caller = Caller("system", getpass.getuser(), "cli", reason)
        return dict(acts[act](email, caller=caller, key=f"{act}:{uuid4()}"))
