"""``tally loan extend``, ``waive``, ``charge-off`` …: what is proposed for a loan, or done."""

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
    from tallystick.book.parties.models import User
    from tallystick.book.proposals.terms import Terms

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
Rate = Annotated[str, typer.Option("--rate", help="A fraction a year: 0.06 is 6 %.")]
Entity = Annotated[str | None, typer.Option("--entity", help="The legal entity's code.")]
Number = Annotated[int, typer.Argument(help="The proposal's number.")]


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

    def propose(self, loan: str, terms: "Terms", maker: str) -> int:
        from tallystick.book.access.users import user_called
        from tallystick.book.proposals.propose import propose

        return propose(loan, terms, caller=self.caller, key=self.key, maker=user_called(maker))

    def minor(self, amount: str) -> int:
        from tallystick.rules.money import minor_from_text

        return minor_from_text(amount, self.currency)


@contextmanager
def asked_of(loan: str, reason: str, key: str | None) -> Iterator[_Asked]:
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.acts.once import Caller
        from tallystick.book.servicing.live_loan import currency_of

        caller = Caller("system", getpass.getuser(), "cli", reason)
        yield _Asked(caller, key or f"cli:{uuid4()}", currency_of(loan))


def day_of(value: datetime | None) -> date | None:
    return value.date() if value else None


@app.command("extend")
def extend(
    loan: Loan,
    days: Annotated[int, typer.Option("--days", help="How much later it falls due.")],
    reason: Reason,
    maker: Maker,
    value_date: ValueDate = None,
    key: Key = None,
) -> None:
    """Propose that a loan falls due so many days later."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import Extension

        number = asked.propose(loan, Extension(days, day_of(value_date)), maker)
    tell_proposed(number)


@app.command("move-due")
def move_due(
    loan: Loan, to: Day, reason: Reason, maker: Maker, value_date: ValueDate = None, key: Key = None
) -> None:
    """Propose that a loan that has not fallen due does so on another day."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import DueMove

        number = asked.propose(loan, DueMove(to.date(), day_of(value_date)), maker)
    tell_proposed(number)


@app.command("re-age")
def re_age(
    loan: Loan, to: Day, reason: Reason, maker: Maker, value_date: ValueDate = None, key: Key = None
) -> None:
    """Propose to plan all that is outstanding anew: nothing is past due any more."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import ReAging

        number = asked.propose(loan, ReAging(to.date(), day_of(value_date)), maker)
    tell_proposed(number)


@app.command("pause")
def pause(
    loan: Loan,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    reason: Reason,
    maker: Maker,
    key: Key = None,
) -> None:
    """Propose that no interest runs for some days, the first and the last included."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import InterestPause

        number = asked.propose(loan, InterestPause(first.date(), last.date()), maker)
    tell_proposed(number)


@app.command("change-rate")
def change_rate(
    loan: Loan,
    rate: Rate,
    reason: Reason,
    maker: Maker,
    value_date: ValueDate = None,
    key: Key = None,
) -> None:
    """Propose that a loan bears another rate."""
    annual_rate = _rate(rate)
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import RateChange
        from tallystick.rules.loan_events import rate_in_ppb

        terms = RateChange(rate_in_ppb(annual_rate), day_of(value_date))
        number = asked.propose(loan, terms, maker)
    tell_proposed(number)


@app.command("restructure")
def restructure(
    loan: Loan, rate: Rate, to: Day, reason: Reason, maker: Maker, key: Key = None
) -> None:
    """Propose that all that is outstanding bears another rate and falls due on another day."""
    annual_rate = _rate(rate)
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import Restructuring
        from tallystick.rules.loan_events import rate_in_ppb

        terms = Restructuring(rate_in_ppb(annual_rate), to.date())
        number = asked.propose(loan, terms, maker)
    tell_proposed(number)


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
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import Waiver

        number = asked.propose(loan, Waiver(Charge(charge), asked.minor(amount)), maker)
    tell_proposed(number)


@app.command("charge-off")
def charge_off(loan: Loan, reason: Reason, maker: Maker, key: Key = None) -> None:
    """Propose to take all that a loan owes off the books as a loss."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import ChargeOff

        number = asked.propose(loan, ChargeOff(), maker)
    tell_proposed(number)


@app.command("proposals")
def proposals(entity: Entity = None) -> None:
    """What waits for a second person, the oldest first."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.entities import entity_called
        from tallystick.book.proposals.waiting import waiting

        for each in waiting(entity_called(entity).entity_id):
            terms = ", ".join(f"{name} {value}" for name, value in each.terms.items())
            typer.echo(
                f"{each.pk:>6}  {each.proposed_date}  {each.get_kind_display()} of "
                f"{each.about}{f' ({terms})' if terms else ''}, "
                f"by {each.maker.email}: {each.reason}"
            )


@app.command("approve")
def approve(number: Number, checker: Checker, reason: Reason = "", key: Key = None) -> None:
    """Carry out what somebody else has proposed."""
    with _deciding(checker, reason, key) as asked:
        from tallystick.book.proposals.decide import approve_proposal

        approve_proposal(number, caller=asked.caller, key=asked.key, checker=asked.user)
    typer.echo(f"Proposal {number} is approved and carried out.")


@app.command("reject")
def reject(number: Number, checker: Checker, reason: Reason, key: Key = None) -> None:
    """Decline what somebody has proposed."""
    with _deciding(checker, reason, key) as asked:
        from tallystick.book.proposals.decide import reject_proposal

        reject_proposal(number, caller=asked.caller, key=asked.key, checker=asked.user)
    typer.echo(f"Proposal {number} is rejected; nothing has changed.")


@app.command("withdraw")
def withdraw(number: Number, maker: Maker, reason: Reason = "", key: Key = None) -> None:
    """Take back what one has proposed oneself, before anybody decides on it."""
    with _deciding(maker, reason, key) as asked:
        from tallystick.book.proposals.decide import withdraw_proposal

        withdraw_proposal(number, caller=asked.caller, key=asked.key, maker=asked.user)
    typer.echo(f"Proposal {number} is withdrawn; nothing has changed.")


class _Deciding(NamedTuple):
    """Who ends a proposal, and under which key."""

    caller: "Caller"
    key: str
    user: "User"


@contextmanager
def _deciding(email: str, reason: str, key: str | None) -> Iterator[_Deciding]:
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.acts.once import Caller

        caller = Caller("system", getpass.getuser(), "cli", reason)
        yield _Deciding(caller, key or f"cli:{uuid4()}", user_called(email))


def _rate(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise NotARate(text) from None


def tell_proposed(number: int) -> None:
    typer.echo(
        f"Proposal {number} waits for another person: tally loan approve {number} --checker EMAIL"
    )


@app.command("charge-back")
def charge_back(
    loan: Loan,
    amount: Amount,
    reason: Reason,
    maker: Maker,
    value_date: ValueDate = None,
    key: Key = None,
) -> None:
    """Propose that the payer's bank took money back: what it had met is owed again."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import ChargeBack

        number = asked.propose(loan, ChargeBack(asked.minor(amount), day_of(value_date)), maker)
    tell_proposed(number)


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

    with asked_of(loan, reason, key) as asked:
        from tallystick.book.servicing.recover import recover

        settled = recover(
            loan,
            asked.minor(amount),
            value_date=day_of(value_date),
            caller=asked.caller,
            key=asked.key,
        )
    tell_settled(settled)


@app.command("reverse")
def reverse(
    loan: Loan,
    event: Annotated[int, typer.Argument(help="The event's number, as explain names it.")],
    reason: Reason,
    maker: Maker,
    key: Key = None,
) -> None:
    """Propose to take back an event that was recorded in error, as if it had never been."""
    with asked_of(loan, reason, key) as asked:
        from tallystick.book.proposals.terms import EventReversal

        number = asked.propose(loan, EventReversal(event), maker)
    tell_proposed(number)
