"""``tally bank`` and ``tally settle``: what the bank tells, where a person types it in."""

import getpass
import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from tallystick.faces.cli.repayments import tell_settled
from tallystick.rules.refusal import Refusal

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller

app = typer.Typer(no_args_is_help=True, help="Payment orders, and what the bank says of them.")

Order = Annotated[str, typer.Argument(help="The order's end-to-end id, such as L1.")]
Amount = Annotated[str, typer.Argument(help="As the bank says it: 1234.50")]
Reference = Annotated[str, typer.Option("--reference", help="The bank's own name of its message.")]
Currency = Annotated[str, typer.Option("--currency", help="ISO 4217 code.")]
ValueDate = Annotated[
    datetime | None,
    typer.Option(
        "--value-date",
        formats=["%Y-%m-%d"],
        help="The bank's; default: the open business day.",
    ),
]
Key = Annotated[str | None, typer.Option("--key", help="Request key: repeating it acts only once.")]
EntityCode = Annotated[str | None, typer.Option("--entity", help="When there are several.")]
ClaimLines = Annotated[
    list[str] | None,
    typer.Option("--claim", metavar="CLAIM=AMOUNT", help="A claim that the cash pays; repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; amounts in minor units.")]


class UnreadableLine(Refusal):
    """A claim and its amount are not written as CLAIM=AMOUNT."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"--claim {text!r} names no claim and amount. Write CLAIM=AMOUNT, for example "
            "--claim SELLER:invoice:1001=1234.50"
        )


@app.command("orders")
def show_orders(entity: EntityCode = None, as_json: Json = False) -> None:
    """The payment orders that the bank has not answered."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.payments.orders import orders_waiting
        from tallystick.rules.money import text_from_minor

        waiting = orders_waiting(entity_called(entity).entity_id)
    if as_json:
        typer.echo(json.dumps([asdict(order) for order in waiting], default=str))
        return
    for order in waiting:
        amount = text_from_minor(order.amount_minor, order.currency)
        typer.echo(
            f"{order.end_to_end_id:<10} {amount:>18} {order.currency}  {order.ordered_date}  "
            f"{order.kind:<9} to {order.beneficiary}{order.loan and f', loan {order.loan}'}"
        )
    if not waiting:
        typer.echo("The bank has answered every order.")


@app.command("paid")
def paid(
    order: Order,
    amount: Amount,
    reference: Reference,
    value_date: ValueDate = None,
    currency: Currency = "CNY",
    entity: EntityCode = None,
    key: Key = None,
) -> None:
    """The bank has paid an order: a loan begins, or a supplier has its money."""
    _take("paid", order, amount, reference, value_date, currency, entity, key)


@app.command("rejected")
def rejected(
    order: Order,
    amount: Amount,
    reference: Reference,
    reason: Annotated[str, typer.Option("--reason", help="Why, in the bank's words.")],
    value_date: ValueDate = None,
    currency: Currency = "CNY",
    entity: EntityCode = None,
    key: Key = None,
) -> None:
    """The bank has turned an order down: what was reserved for it is free again."""
    _take("rejected", order, amount, reference, value_date, currency, entity, key, reason)


@app.command("again")
def again(order: Order, entity: EntityCode = None) -> None:
    """Order again a payment to a supplier that the bank has turned down."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.payments.order_again import order_again

        new = order_again(order, legal_entity_id=entity_called(entity).entity_id, caller=_caller())
    typer.echo(f"Order {order} is ordered again as {new}.")


def settle(
    reference: Annotated[str, typer.Argument(help="The bank's reference of the receipt.")],
    amount: Amount,
    payer: Annotated[str, typer.Option("--payer", help="Code of the firm that paid.")],
    claims: ClaimLines = None,
    value_date: ValueDate = None,
    currency: Currency = "CNY",
    entity: EntityCode = None,
    as_json: Json = False,
) -> None:
    """Take cash of an obligor: its claims are paid, loans are swept, the supplier gets the rest.

    Cash that names no claim of ours waits in suspense. The same receipt told again is answered as
    the first time.
    """
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.servicing.receipts import Receipt
        from tallystick.book.servicing.settle import settle as take_receipt
        from tallystick.rules.money import minor_from_text

        ours = entity_called(entity)
        settled = take_receipt(
            Receipt(
                bank_reference=reference,
                payer=payer,
                currency=currency,
                amount_minor=minor_from_text(amount, currency),
                value_date=value_date.date() if value_date else ours.business_date,
                lines=claims_and_amounts(claims, currency),
            ),
            legal_entity_id=ours.entity_id,
            caller=_caller(),
        )
    if as_json:
        typer.echo(json.dumps(settled.as_json(), ensure_ascii=False))
    else:
        tell_settled(settled)


def _take(
    outcome: str,
    order: str,
    amount: str,
    reference: str,
    value_date: datetime | None,
    currency: str,
    entity: str | None,
    key: str | None,
    reason: str = "",
) -> None:
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.payments.bank_answers import BankMessage, take_answers
        from tallystick.rules.money import minor_from_text

        ours = entity_called(entity)
        message = BankMessage(
            bank_reference=reference,
            end_to_end_id=order,
            outcome=outcome,
            amount_minor=minor_from_text(amount, currency),
            currency=currency,
            value_date=value_date.date() if value_date else ours.business_date,
            reason=reason,
        )
        (taken,) = take_answers(
            [message],
            legal_entity_id=ours.entity_id,
            caller=_caller(),
            key=key or str(uuid4()),
        )
    if taken.effect == "applied":
        typer.echo(f"Order {order} is {outcome}, value date {message.value_date}.")
    else:
        typer.echo(f"{taken.effect}: {taken.why} Nothing changed; it is on the worklist.")


def claims_and_amounts(written: list[str] | None, currency: str) -> tuple[tuple[str, int], ...]:
    """Claim codes and minor units from ``CLAIM=AMOUNT``. Raises UnreadableLine, NotAnAmount."""
    from tallystick.rules.money import minor_from_text

    lines = []
    for text in written or ():
        # A claim's code may hold an equals sign, an amount may not.
        claim, _, amount = text.rpartition("=")
        if not claim or not amount:
            raise UnreadableLine(text)
        lines.append((claim, minor_from_text(amount, currency)))
    return tuple(lines)


def _caller() -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor=getpass.getuser(), channel="cli")
