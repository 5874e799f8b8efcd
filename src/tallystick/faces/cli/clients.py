"""``tally client``: machine clients of the API."""

import getpass
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller

app = typer.Typer(no_args_is_help=True, help="Machine clients of the API.")


@app.command("add")
def add(
    code: Annotated[str, typer.Argument(help="What the client is called: mall-connector.")],
    scopes: Annotated[
        list[str],
        typer.Option("--scope", help="What it may do, such as documents:write; repeatable."),
    ],
    firm: Annotated[
        str | None, typer.Option(help="The code of the firm it is bound to; none: the house's own.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(help="Address of the user of the house for whom it proposes or decides."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; none: never.")
    ] = None,
    requests: Annotated[
        int, typer.Option("--requests", min=1, help="Requests a minute that it may make.")
    ] = 600,
) -> None:
    """Make a client and print its key, which is shown this once."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.clients import NewClient, add_client

        key = add_client(
            NewClient(
                code=code,
                scopes=tuple(scopes),
                party_code=firm,
                user_email=user,
                expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
                max_requests_a_minute=requests,
            ),
            caller=_caller(),
        )
    typer.echo(f"Client {code} may: {', '.join(sorted(set(scopes)))}.")
    typer.echo(f"Key (shown this once): {key}")


@app.command("list")
def list_clients(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the clients, those in use first."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.clients import clients

        found = [
            {
                "client": client.code,
                "firm": client.party.code if client.party else None,
                "user": client.user.email if client.user else None,
                "scopes": client.scopes,
                "prefix": client.prefix,
                "max_requests_a_minute": client.max_requests_a_minute,
                "expires_at": _instant(client.expires_at),
                "revoked_at": _instant(client.revoked_at),
                "last_used_at": _instant(client.last_used_at),
            }
            for client in clients()
        ]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for client in found:
        state = f"revoked {client['revoked_at']}" if client["revoked_at"] else "in use"
        used = client["last_used_at"] or "never"
        whose = client["firm"] or client["user"] or "the house"
        typer.echo(
            f"{client['client']:<24} tk_{client['prefix']}_…  {whose}  "
            f"{', '.join(client['scopes'])}  {state}, last used {used}"
        )
    if not found:
        typer.echo("There is no machine client yet. Make one: ./tally client add --help")


@app.command("revoke")
def revoke(code: Annotated[str, typer.Argument(help="The client's code.")]) -> None:
    """Let a client in no more, from this moment."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.clients import revoke_client

        revoke_client(code, caller=_caller())
    typer.echo(f"Client {code} is revoked.")


def _instant(at: datetime | None) -> str | None:
    return at and at.isoformat(timespec="seconds")


def _caller() -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor=getpass.getuser(), channel="cli")
