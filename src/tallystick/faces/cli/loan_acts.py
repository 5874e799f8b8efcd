"""``tally loan extend``, ``waive``, ``charge-off`` …: what is done to a loan in the book."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, NamedTuple
from uuid import uuid4

import typer

from tallystick.rules.refusal import Refusal

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller

app = typer.Typer()

Loan = Annotated[str, typer.Argument(help="The loan's code.")]
Amount = Annotated[str, typer.Argument(help="In the loan's currency: 1234.50")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the act.")]
Key = Annotated[str | None, typer.Option("--key", help="Request key: repeating it acts only once.")]
ValueDate = Annotated[
    datetime | None,
    typer.Option(
        "--value-date",
        formats=["%Y-%m-%d"],
        help="The day from which it counts; default: the open business day.",
    ),
]
Day = Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Its new due date.")]


Maker = Annotated[str, typer.Option("--maker", help="Address of the user who proposes it.")]
Checker = Annotated[str, typer.Option("--checker", help="Address of the user who decides.")]
Number = Annotated[int, typer.Argument(help="The concession's number.")]


class NotACharge(Refusal):
    """What was named is nothing that can be waived."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} cannot be waived. Name fees, penalty or interest; principal is charged off."
        )


class NotARate(Refusal):
    """What was given as a rate is no number."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no rate. Give a fraction of one a year: 0.10 for 10 %.")


class _Asked(NamedTuple):
    """Who asks, and under which key."""

    caller: "Caller"
    key: str
    currency: str

    def minor(self, amount: str) -> int:
        from tallystick.rules.money import minor_from_text

        return minor_from_text(amount, self.currency)

    def major(self, amount_minor: int) -> str:
        from tallystick.rules.money import text_from_minor

        return f"{text_from_minor(amount_minor, self.currency, thousands=True)} {self.currency}"


@contextmanager
def _asked(loan: str, reason: str, key: str | None) -> Iterator[_Asked]:
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.servicing.live_loan import currency_of

        caller = Caller("system", getpass.getuser(), "cli", reason)
        yield _Asked(caller, key or f"cli:{uuid4()}", currency_of(loan))


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


@app.command("extend")
def extend(
    loan: Loan,
    days: Annotated[int, typer.Option("--days", help="How much later it falls due.")],
    reason: Reason,
    value_date: ValueDate = None,
    key: Key = None,
) -> None:
    """Let a loan fall due so many days later."""
    with _asked(loan, reason, key) as asked:
        from tallystick.book.servicing.extend import extend

        due_date = extend(
            loan, days, caller=asked.caller, key=asked.key, value_date=_day(value_date)
        )
    typer.echo(f"Loan {loan} falls due on {due_date}.")


@app.command("move-due")
def move_due(
    loan: Loan, to: Day, reason: Reason, value_date: ValueDate = None, key: Key = None
) -> None:
    """Let a loan that has not fallen due do so on another day."""
    with _asked(loan, reason, key) as asked:
        from tallystick.book.servicing.extend import move_due_date

        due_date = move_due_date(
            loan, to.date(), caller=asked.caller, key=asked.key, value_date=_day(value_date)
        )
    typer.echo(f"Loan {loan} falls due on {due_date}.")


@app.command("re-age")
def re_age(
    loan: Loan, to: Day, reason: Reason, value_date: ValueDate = None, key: Key = None
) -> None:
    """Plan all that is outstanding anew: nothing is past due any more."""
    with _asked(loan, reason, key) as asked:
        from tallystick.book.servicing.extend import re_age

        due_date = re_age(
            loan, to.date(), caller=asked.caller, key=asked.key, value_date=_day(value_date)
        )
    typer.echo(f"Loan {loan} is planned anew and falls due on {due_date}.")


@app.command("restructure")
def restructure(
    loan: Loan,
    rate: Annotated[str, typer.Option("--rate", help="A fraction a year: 0.06 is 6 %.")],
    to: Day,
    reason: Reason,
    maker: Maker,
    key: Key = None,
) -> None:
    """Propose that all that is outstanding bears another rate and falls due on another day."""
    try:
        annual_rate = Decimal(rate)
    except InvalidOperation:
        raise NotARate(rate) from None
    with _asked(loan, reason, key) as asked:
        from tallystick.book.access.users import user_called
        from tallystick.book.servicing.concessions import propose_restructuring

        number = propose_restructuring(
            loan,
            annual_rate,
            to.date(),
            caller=asked.caller,
            key=asked.key,
            maker=user_called(maker),
        )
    _tell_proposed(number)


@app.command("waive")
def waive(
    loan: Loan,
    charge: Annotated[str, typer.Argument(help="fees, penalty or interest")],
    amount: Amount,
    reason: Reason,
    maker: Maker,
    key: Key = None,
) -> None:
    """Propose to ask no more for a part of a charge that is owed."""
    from tallystick.rules.loan_events import Charge

    if charge not in list(Charge):
        raise NotACharge(charge)
    with _asked(loan, reason, key) as asked:
        from tallystick.book.access.users import user_called
        from tallystick.book.servicing.concessions import propose_waiver

        number = propose_waiver(
            loan,
            Charge(charge),
            asked.minor(amount),
            caller=asked.caller,
            key=asked.key,
            maker=user_called(maker),
        )
    _tell_proposed(number)


@app.command("charge-off")
def charge_off(loan: Loan, reason: Reason, maker: Maker, key: Key = None) -> None:
    """Propose to take all that a loan owes off the books as a loss."""
    with _asked(loan, reason, key) as asked:
        from tallystick.book.access.users import user_called
        from tallystick.book.servicing.concessions import propose_charge_off

        number = propose_charge_off(
            loan, caller=asked.caller, key=asked.key, maker=user_called(maker)
        )
    _tell_proposed(number)


@app.command("approve")
def approve(number: Number, checker: Checker, reason: Reason = "", key: Key = None) -> None:
    """Carry out a waiver, restructuring or charge-off that somebody else has proposed."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.acts.once import Caller
        from tallystick.book.servicing.concessions import approve_concession

        approve_concession(
            number,
            caller=Caller("system", getpass.getuser(), "cli", reason),
            key=key or f"cli:{uuid4()}",
            checker=user_called(checker),
        )
    typer.echo(f"Concession {number} is approved and carried out.")


@app.command("reject")
def reject(number: Number, checker: Checker, reason: Reason, key: Key = None) -> None:
    """Decline a waiver, restructuring or charge-off that somebody has proposed."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.acts.once import Caller
        from tallystick.book.servicing.concessions import reject_concession

        reject_concession(
            number,
            caller=Caller("system", getpass.getuser(), "cli", reason),
            key=key or f"cli:{uuid4()}",
            checker=user_called(checker),
        )
    typer.echo(f"Concession {number} is rejected; nothing has changed.")


def _tell_proposed(number: int) -> None:
    typer.echo(
        f"Proposed as concession {number}. Another person approves it: "
        f"tally loan approve {number} --checker EMAIL"
    )


@app.command("pause")
def pause(
    loan: Loan,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    reason: Reason,
    key: Key = None,
) -> None:
    """Let no interest run on a loan for some days, the first and the last included."""
    with _asked(loan, reason, key) as asked:
        from tallystick.book.servicing.restructure import pause_interest

        pause_interest(loan, first.date(), last.date(), caller=asked.caller, key=asked.key)
    typer.echo(f"No interest runs on loan {loan} from {first.date()} to {last.date()}.")


@app.command("charge-back")
def charge_back(
    loan: Loan, amount: Amount, reason: Reason, value_date: ValueDate = None, key: Key = None
) -> None:
    """The payer's bank took money back: what it had met is owed again."""
    with _asked(loan, reason, key) as asked:
        from tallystick.book.servicing.charge_back import charge_back

        amount_minor = asked.minor(amount)
        charge_back(
            loan, amount_minor, caller=asked.caller, key=asked.key, value_date=_day(value_date)
        )
        told = asked.major(amount_minor)
    typer.echo(f"Charged back {told}: loan {loan} owes it again.")


@app.command("recover")
def recover(
    loan: Loan,
    amount: Amount,
    key: Annotated[str, typer.Option("--key", help="Request key: repeating it acts only once.")],
    value_date: ValueDate = None,
    reason: Reason = "",
) -> None:
    """Take cash for a loan that was charged off."""
    from tallystick.faces.cli.repayments import tell_settled

    with _asked(loan, reason, key) as asked:
        from tallystick.book.servicing.recover import recover

        settled = recover(
            loan,
            asked.minor(amount),
            value_date=_day(value_date),
            caller=asked.caller,
            key=asked.key,
        )
    tell_settled(settled)


@app.command("reverse")
def reverse(
    loan: Loan,
    event: Annotated[int, typer.Argument(help="The event's number, as explain names it.")],
    reason: Reason,
    key: Key = None,
) -> None:
    """Take back an event that was recorded in error, as if it had never been."""
    with _asked(loan, reason, key) as asked:
        from tallystick.book.servicing.reverse_event import reverse_event

        reverse_event(loan, event, caller=asked.caller, key=asked.key)
    typer.echo(f"Event {event} of loan {loan} is taken back.")
