"""``tally draw``, ``freeze`` and ``unfreeze``: what a supplier and an operator do to a facility."""

import getpass
import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller

Facility = Annotated[str, typer.Argument(help="The facility's code.")]
Key = Annotated[str, typer.Option("--key", help="Request key: repeating it acts only once.")]
OptionalKey = Annotated[
    str | None, typer.Option("--key", help="Request key: repeating it acts only once.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def draw(
    facility: Facility,
    amount: Annotated[str, typer.Argument(help="In the facility's currency: 1234.50")],
    tenor: Annotated[int, typer.Option("--tenor", help="Days until it is due.")],
    key: Key,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="Default: the open business day."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")] = "",
    as_json: Json = False,
) -> None:
    """Draw money on a facility: granted at once, paid when the bank has paid."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.financing.draw_down import DrawRequest, draw_down
        from tallystick.book.financing.facilities import facility_line
        from tallystick.rules.money import minor_from_text, text_from_minor

        line = facility_line(facility)
        drawdown = draw_down(
            DrawRequest(
                facility=facility,
                amount_minor=minor_from_text(amount, line.currency),
                tenor_days=tenor,
                on=on.date() if on else None,
                caller=Caller(f"firm:{line.supplier}", getpass.getuser(), "cli", reason),
                key=key,
            )
        )
    if as_json:
        typer.echo(json.dumps(drawdown.as_json(), indent=2))
        return
    amount, left = (
        text_from_minor(amount_minor, drawdown.currency, thousands=True)
        for amount_minor in (drawdown.amount_minor, drawdown.available_minor)
    )
    typer.echo(
        f"Loan {drawdown.loan}: {amount} {drawdown.currency}, due {drawdown.due_date}"
        f"{f' and on to {drawdown.maturity_date}' if drawdown.maturity_date else ''}"
        f"{' (provisional)' if drawdown.due_date_provisional else ''}; "
        f"payment {drawdown.end_to_end_id} is ordered. {left} is left to draw."
    )


def freeze(
    facility: Facility,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept, and told to the supplier.")],
    key: OptionalKey = None,
) -> None:
    """Stop new drawdowns on a facility, with a reason."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.financing.freeze import freeze as freeze_facility

        state = freeze_facility(facility, caller=_operator(reason), key=key or str(uuid4()))
    typer.echo(f"Facility {state.facility} is frozen: {state.frozen_reason}")


def unfreeze(
    facility: Facility,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")],
    key: OptionalKey = None,
) -> None:
    """Let a frozen facility be drawn again, with a reason."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.financing.freeze import unfreeze as unfreeze_facility

        state = unfreeze_facility(facility, caller=_operator(reason), key=key or str(uuid4()))
    typer.echo(f"Facility {state.facility} may be drawn again.")


def _operator(reason: str) -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor=getpass.getuser(), channel="cli", reason=reason)
