"""``tally loan shares``, ``sell-share``, ``buy-back`` …: who holds which share of a loan."""

import json
from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.faces.cli.loan_acts import (
    Key,
    Loan,
    Maker,
    Reason,
    ValueDate,
    asked_of,
    day_of,
    tell_proposed,
)
from tallystick.rules.refusal import Refusal

if TYPE_CHECKING:
    from tallystick.book.servicing.share_holders import HeldShare, TransferMade

app = typer.Typer()

Funder = Annotated[str, typer.Argument(help="The funder's code.")]
Share = Annotated[str, typer.Argument(metavar="PERCENT", help="Of the whole loan: 30 or 12.5")]
Price = Annotated[
    str | None,
    typer.Option("--price", help="In the loan's currency: 1234.50; default: par of all it owes."),
]

_PPM_OF_PERCENT = 10_000


class NotAPercentage(Refusal):
    """The share is no number, or finer than a millionth of the loan."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no share in per cent. Give a number with up to four decimals: "
            "30, or 33.3333."
        )


@app.command("sell-share")
def sell_share(
    loan: Loan,
    funder: Funder,
    share: Share,
    reason: Reason,
    maker: Maker,
    price: Price = None,
    value_date: ValueDate = None,
    key: Key = None,
) -> None:
    """Propose to sell a share of a live loan to another funder."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import ShareSale

        price_minor = None if price is None else asked.minor(price)
        terms = ShareSale(funder, _ppm(share), price_minor, day_of(value_date))
        number = asked.propose(loan, terms, maker)
    tell_proposed(number)


@app.command("buy-back")
def buy_back(
    loan: Loan,
    funder: Funder,
    share: Share,
    reason: Reason,
    maker: Maker,
    price: Price = None,
    value_date: ValueDate = None,
    key: Key = None,
) -> None:
    """Propose to buy a share back from the funder that holds it, in full or in part."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import ShareBuyBack

        price_minor = None if price is None else asked.minor(price)
        terms = ShareBuyBack(funder, _ppm(share), price_minor, day_of(value_date))
        number = asked.propose(loan, terms, maker)
    tell_proposed(number)


@app.command("reverse-share")
def reverse_share(
    loan: Loan,
    transfer: Annotated[int, typer.Argument(help="Its number, as `loan shares` names it.")],
    reason: Reason,
    maker: Maker,
    key: Key = None,
) -> None:
    """Propose to take a sale or buy-back of a share back, as if it had never been."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import ShareReversal

        number = asked.propose(loan, ShareReversal(transfer), maker)
    tell_proposed(number)


@app.command("shares")
def shares(
    loan: Loan,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; amounts in minor units.")
    ] = False,
) -> None:
    """Who holds which share of a loan since when, and how shares changed hands."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.servicing.live_loan import currency_of
        from tallystick.book.servicing.share_holders import held_shares, transfers_made

        held, transfers, currency = held_shares(loan), transfers_made(loan), currency_of(loan)
    if as_json:
        told = {
            "currency": currency,
            "shares": [asdict(each) for each in held],
            "transfers": [asdict(each) for each in transfers],
        }
        typer.echo(json.dumps(told, indent=2, default=date.isoformat))
    else:
        _print(held, transfers, currency)


def _print(held: "list[HeldShare]", transfers: "list[TransferMade]", currency: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from tallystick.rules.money import text_from_minor

    def major(amount_minor: int) -> str:
        return text_from_minor(amount_minor, currency, thousands=True)

    table = Table(title=f"Shares, principal in {currency}")
    for heading in ("funder", "share", "from", "to", "principal"):
        table.add_column(heading, justify="right" if heading in ("share", "principal") else "left")
    for each in held:
        table.add_row(
            each.funder,
            _percent(each.share_ppm),
            each.from_date.isoformat(),
            each.to_date.isoformat() if each.to_date else "",
            "" if each.principal_minor is None else major(each.principal_minor),
        )
    console = Console()
    console.print(table)
    if not transfers:
        return
    table = Table(title=f"Changed hands, in {currency}")
    for heading in ("number", "funder", "share", "value date", "par", "price", "reversed"):
        right = heading in ("number", "share", "par", "price")
        table.add_column(heading, justify="right" if right else "left")
    for moved in transfers:
        table.add_row(
            str(moved.number),
            moved.funder,
            _percent(moved.share_ppm),
            moved.value_date.isoformat(),
            major(moved.par_minor),
            major(moved.price_minor),
            moved.reversed_date.isoformat() if moved.reversed_date else "",
        )
    console.print(table)


def _percent(share_ppm: int) -> str:
    return f"{(Decimal(share_ppm) / _PPM_OF_PERCENT).normalize():f} %"


def _ppm(text: str) -> int:
    try:
        share_ppm = Decimal(text) * _PPM_OF_PERCENT
    except InvalidOperation:
        raise NotAPercentage(text) from None
    if not share_ppm.is_finite() or share_ppm != share_ppm.to_integral_value():
        raise NotAPercentage(text)
    return int(share_ppm)
