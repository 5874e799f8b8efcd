"""``tally worklist``: what the platform could not settle by itself."""

import getpass
import json
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="What needs a person: list it, take it off the list.")


@app.command("list")
def list_items(
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as failed_payout.")] = None,
    entity: Annotated[str | None, typer.Option(help="When there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the open items, oldest first."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.watch.worklist import items_open

        items = items_open(entity_called(entity).entity_id, kind=kind)
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {
                        "item": item.pk,
                        "kind": item.kind,
                        "subject": item.subject,
                        "opened_date": item.opened_date.isoformat(),
                        "details": item.details,
                    }
                    for item in items
                ],
                ensure_ascii=False,
            )
        )
        return
    for item in items:
        details = ", ".join(f"{name} {value}" for name, value in item.details.items())
        typer.echo(f"{item.pk:>6}  {item.opened_date}  {item.kind}  {item.subject}  {details}")
    if not items:
        typer.echo("Nothing waits for a person.")


@app.command("close")
def close_item(
    item: Annotated[int, typer.Argument(help="The item's number.")],
    resolution: Annotated[str, typer.Option("--resolution", help="What was done about it.")],
) -> None:
    """Take an item off the list, saying what was done."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.watch.worklist import close_item as close

        close(item, who=getpass.getuser(), resolution=resolution)
    typer.echo(f"Item {item} is closed: {resolution}")
