"""``tally sales``: lines and advances out of a merchant's sales."""

import getpass
import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller
    from tallystick.book.sales_credit.overview import AdvanceOn

app = typer.Typer(no_args_is_help=True, help="Advances repaid by a share of a merchant's sales.")

Line = Annotated[str, typer.Argument(help="The line's code.")]
Advance = Annotated[str, typer.Argument(help="The advance's code.")]
Amount = Annotated[str, typer.Argument(help="In the line's currency: 1234.50")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the act.")]
Key = Annotated[str | None, typer.Option("--key", help="Request key: repeating it acts only once.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; amounts in minor units.")]
Entity = Annotated[str | None, typer.Option("--entity", help="The legal entity's code.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def _caller(reason: str = "", *, owner: str = "system") -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller(owner=owner, actor=getpass.getuser(), channel="cli", reason=reason)


def _key(key: str | None) -> str:
    return key or f"cli:{uuid4()}"


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


def _major(amount_minor: int, currency: str) -> str:
    from tallystick.rules.money import text_from_minor

    return f"{text_from_minor(amount_minor, currency, thousands=True)} {currency}"


@app.command("open")
def open_line(
    line: Line,
    merchant: Annotated[str, typer.Option(help="The merchant's code.")],
    expiry: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it may be drawn.")
    ],
    programme: Annotated[
        str, typer.Option(help="A programme that ships with tallystick, or a file of one's own.")
    ] = "market.sales_advance",
    entity: Entity = None,
    key: Key = None,
) -> None:
    """Open a line: its limit follows from the merchant's settlement statements in the book."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.sales_credit.open_line import NewSalesLine
        from tallystick.book.sales_credit.open_line import open_line as opened
        from tallystick.book.sales_credit.programmes import sales_preset, sales_programme_in

        ours = entity_called(entity)
        terms = (
            sales_programme_in(Path(programme), defined_on=ours.business_date)
            if programme.endswith(".toml")
            else sales_preset(programme)
        )
        limit = opened(
            NewSalesLine(line, merchant, terms, expiry.date()),
            legal_entity_id=ours.entity_id,
            caller=_caller(),
            key=_key(key),
        )
    typer.echo(
        f"Line {limit.line} for {limit.merchant} under {limit.programme}: "
        f"{_major(limit.limit_minor, limit.currency)} until {limit.expiry_date}."
    )


@app.command("renew")
def renew(line: Line, expiry: Day = None, key: Key = None) -> None:
    """Decide a line's limit again, from the sales of today."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.sales_credit.open_line import renew_limit

        limit = renew_limit(line, expiry_date=_day(expiry), caller=_caller(), key=_key(key))
    typer.echo(
        f"Line {limit.line}: {_major(limit.limit_minor, limit.currency)} until {limit.expiry_date}."
    )


@app.command("offer")
def offer(line: Line, amount: Amount) -> None:
    """What an advance would cost and how long it would run; nothing is kept."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.sales_credit.draw import offer_of
        from tallystick.book.sales_credit.lines import line_called
        from tallystick.rules.money import minor_from_text

        made = offer_of(line, minor_from_text(amount, line_called(line).currency))
    typer.echo(
        f"{_major(made.amount_minor, made.currency)} would cost "
        f"{_major(made.charges_minor, made.currency)} ({made.apr_percent} % a year in all), repaid "
        f"by {made.share_bps / 100:g} % of sales, by {made.expected_end_date} as they run."
    )


@app.command("draw")
def draw(
    line: Line,
    amount: Amount,
    key: Annotated[str, typer.Option("--key", help="Request key: repeating it acts only once.")],
    on: Day = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Advance money on a line: granted at once, paid when the bank has paid."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.sales_credit.draw import draw_advance
        from tallystick.book.sales_credit.lines import line_called
        from tallystick.rules.money import minor_from_text

        found = line_called(line)
        granted = draw_advance(
            line,
            minor_from_text(amount, found.currency),
            on=_day(on),
            caller=_caller(reason, owner=f"firm:{found.merchant.code}"),
            key=key,
        )
    if as_json:
        typer.echo(json.dumps(granted.as_json(), indent=2))
        return
    price = (
        f"fee {_major(granted.fee_minor, granted.currency)}"
        if granted.fee_minor is not None
        else f"{granted.daily_rate} a day"
    )
    typer.echo(
        f"Advance {granted.advance}: {_major(granted.amount_minor, granted.currency)}, {price}, "
        f"{granted.share_bps / 100:g} % of sales until about {granted.expected_end_date}; payment "
        f"{granted.end_to_end_id} is ordered."
    )


def _pay(kind: str, advance: str, amount: str, value_date: datetime | None, key: str) -> None:
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.models import Party
        from tallystick.book.sales_credit.repay import (
            known_advance,
            recover_advance,
            repay_advance,
        )
        from tallystick.faces.cli.repayments import tell_settled
        from tallystick.rules.money import minor_from_text

        found = known_advance(advance)
        merchant = Party.objects.get(pk=found.merchant_id).code
        pay = repay_advance if kind == "repay" else recover_advance
        settled = pay(
            advance,
            minor_from_text(amount, found.currency),
            value_date=_day(value_date),
            caller=_caller(owner=f"firm:{merchant}"),
            key=key,
        )
    tell_settled(settled)


ValueDate = Annotated[
    datetime | None,
    typer.Option(
        "--value-date",
        formats=["%Y-%m-%d"],
        help="When the cash arrived; default: the open business day.",
    ),
]
NeededKey = Annotated[str, typer.Option("--key", help="Request key: repeating it acts only once.")]


@app.command("repay")
def repay(advance: Advance, amount: Amount, key: NeededKey, value_date: ValueDate = None) -> None:
    """Take the merchant's own cash for an advance, beside what its sales bring."""
    _pay("repay", advance, amount, value_date, key)


@app.command("recover")
def recover(advance: Advance, amount: Amount, key: NeededKey, value_date: ValueDate = None) -> None:
    """Take cash for an advance that was charged off."""
    _pay("recover", advance, amount, value_date, key)


@app.command("show")
def show(line: Line, as_json: Json = False) -> None:
    """A line: its limit, what may be drawn, and its advances with their pace."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.sales_credit.draw import available_on
        from tallystick.book.sales_credit.overview import advances_of_line

        found, advances = advances_of_line(line)
        available_minor = available_on(line).available_minor
        told = {
            "line": found.code,
            "merchant": found.merchant.code,
            "programme": found.programme.code,
            "currency": found.currency,
            "limit_minor": found.limit_minor,
            "drawn_minor": found.drawn_minor,
            "available_minor": 0 if found.frozen_reason else available_minor,
            "expiry_date": found.expiry_date.isoformat(),
            "frozen_reason": found.frozen_reason,
            "advances": [_told(each) for each in advances],
        }
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(
        f"Line {told['line']} of {told['merchant']} under {told['programme']}: limit "
        f"{_major(found.limit_minor, found.currency)}, drawn "
        f"{_major(found.drawn_minor, found.currency)}, may be drawn now "
        f"{_major(0 if found.frozen_reason else available_minor, found.currency)}."
    )
    if found.frozen_reason:
        typer.echo(f"Frozen: {found.frozen_reason}")
    for each in advances:
        typer.echo(f"  {_line(each)}")


def _told(each: "AdvanceOn") -> dict[str, object]:
    state, pace = each.state, each.pace
    told: dict[str, object] = {
        "advance": each.advance.code,
        "status": each.advance.status,
        "currency": each.advance.currency,
        "advance_minor": each.advance.advance_minor,
        "fee_minor": each.advance.fee_minor,
        "share_bps": each.advance.share_bps,
    }
    if state is not None:
        told |= {
            "on": state.on.isoformat(),
            "outstanding_minor": state.outstanding_minor,
            "principal_minor": state.principal_minor,
            "fee_left_minor": state.fee_left_minor,
            "collected_minor": state.collected_minor,
            "expected_minor": state.expected_minor,
            "expected_end_date": state.expected_end_date and state.expected_end_date.isoformat(),
            "pace": pace and pace.state.value,
            "short_minor": pace.short_minor if pace else 0,
        }
    return told


def _line(each: "AdvanceOn") -> str:
    advance, state, pace = each.advance, each.state, each.pace
    said = f"{advance.code}: {_major(advance.advance_minor, advance.currency)}, {advance.status}"
    if state is None:
        return said
    said += f", {_major(state.outstanding_minor, advance.currency)} outstanding"
    if pace is not None:
        said += f", pace {pace.state.replace('_', ' ')}"
        if pace.short_minor:
            said += f" ({_major(pace.short_minor, advance.currency)} short)"
    return said


@app.command("explain")
def explain(
    advance: Advance,
    on: Day = None,
    known_on: Annotated[
        datetime | None,
        typer.Option(
            "--known-on", formats=["%Y-%m-%d"], help="As it was known on this day; default: now."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Every figure of an advance: the cash and the fee that it is the sum of."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.sales_credit.overview import advance_on

        found = advance_on(advance, on=_day(on), known_on=_day(known_on))
    from tallystick.rules.sales_explanation import explained_advance

    figures = explained_advance(found.state) if found.state else ()
    if as_json:
        told = _told(found) | {"figures": [figure.as_json() for figure in figures]}
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(_line(found))
    for figure in figures:
        typer.echo(f"{figure.name:<40}{figure.value:>20,}")
        for term in figure.terms:
            typer.echo(f"  {term.name:<38}{int(term.amount):>20,}")


@app.command("freeze")
def freeze(line: Line, reason: Reason, key: Key = None) -> None:
    """Stop new advances on a line, with a reason."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.sales_credit.freeze import freeze_line

        state = freeze_line(line, caller=_caller(reason), key=_key(key))
    typer.echo(f"Line {state.facility} is frozen: {state.frozen_reason}")


@app.command("unfreeze")
def unfreeze(line: Line, reason: Reason, key: Key = None) -> None:
    """Let a frozen line be drawn again, with a reason."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.sales_credit.freeze import unfreeze_line

        state = unfreeze_line(line, caller=_caller(reason), key=_key(key))
    typer.echo(f"Line {state.facility} may be drawn again.")


@app.command("charge-off")
def charge_off(
    advance: Advance,
    maker: Annotated[str, typer.Option("--maker", help="Address of the user who proposes it.")],
    reason: Reason,
    key: Key = None,
) -> None:
    """Propose to take what an advance owes off the books as a loss."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.sales_credit.charge_off import propose_loss

        number = propose_loss(
            advance, caller=_caller(reason), key=_key(key), maker=user_called(maker)
        )
    typer.echo(f"Charge-off {number} is proposed: ./tally sales approve {number} --checker ADDRESS")


Number = Annotated[int, typer.Argument(help="The number that the proposal got.")]
Checker = Annotated[str, typer.Option("--checker", help="Address of the user who decides.")]


@app.command("approve")
def approve(number: Number, checker: Checker, reason: Reason = "", key: Key = None) -> None:
    """A second person approves a charge-off, which carries it out."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.sales_credit.charge_off import approve_loss

        lost = approve_loss(
            number, caller=_caller(reason), key=_key(key), checker=user_called(checker)
        )
    typer.echo(
        f"Advance {lost.advance} is charged off: principal "
        f"{_major(lost.principal_minor, lost.currency)}, interest "
        f"{_major(lost.interest_minor, lost.currency)}."
    )


@app.command("reject")
def reject(number: Number, checker: Checker, reason: Reason, key: Key = None) -> None:
    """Or declines it."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.sales_credit.charge_off import reject_loss

        reject_loss(number, caller=_caller(reason), key=_key(key), checker=user_called(checker))
    typer.echo(f"Charge-off {number} is declined.")
