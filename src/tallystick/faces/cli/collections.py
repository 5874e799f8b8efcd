"""``tally collections``: firms that pay late, and what is done about it.

Extensions and write-offs take two people: they are proposed with ``tally loan``.
"""

import getpass
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller
    from tallystick.book.collections.overview import CaseOn, Happened

app = typer.Typer(no_args_is_help=True, help="Collect what is overdue: cases, letters, promises.")

Case = Annotated[int, typer.Argument(help="The case's number, from 'collections list'.")]
EntityCode = Annotated[str | None, typer.Option("--entity", help="When there are several.")]
Key = Annotated[str | None, typer.Option("--key", help="Request key: repeating it acts only once.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; amounts in minor units.")]
DAYS = ["%Y-%m-%d"]


@app.command("list")
def list_cases(
    bucket: Annotated[
        str | None, typer.Option(help="Only firms so many days late, such as 31-60.")
    ] = None,
    assignee: Annotated[
        str | None, typer.Option(help="Only this user's cases; an empty one: nobody's.")
    ] = None,
    entity: EntityCode = None,
    as_json: AsJson = False,
) -> None:
    """Show the open cases, the latest payer first, with what is past due and the next step."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.models import Case as CaseRow
        from tallystick.book.collections.overview import cases_on
        from tallystick.book.parties.models import LegalEntity

        house = LegalEntity.objects.get(pk=_entity(entity))
        found = cases_on(CaseRow.objects.all(), house, on=house.business_date)
    found = [
        each
        for each in sorted(found, key=lambda each: (-each.days_past_due, each.case.pk))
        if bucket in (None, each.bucket) and assignee in (None, _assignee(each) or "")
    ]
    if as_json:
        typer.echo(json.dumps([_as_json(each) for each in found], ensure_ascii=False, indent=2))
        return
    for each in found:
        typer.echo(
            f"{each.case.pk:>6}  {each.case.party.code:<20} {each.days_past_due:>4} days  "
            f"{_amounts(each):>24}  {_assignee(each) or 'nobody':<24}  {each.next.clause}"
        )
    if not found:
        typer.echo("No case is open.")


@app.command("show")
def show(case: Case, as_json: AsJson = False) -> None:
    """Show a case: its loans, the next step, and everything that happened."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.cases import entity_of
        from tallystick.book.collections.models import Case as CaseRow
        from tallystick.book.collections.overview import case_on, story
        from tallystick.book.parties.models import LegalEntity

        entity = LegalEntity.objects.get(pk=entity_of(case))
        row = CaseRow.objects.select_related("party", "assignee", "legal_entity").get(pk=case)
        found = case_on(row, on=entity.business_date)
        lines = story(row)
        told = [(line.date, line.kind, _told(line)) for line in lines]
    if as_json:
        content = _as_json(found) | {
            "story": [
                {"date": day.isoformat(), "kind": kind, "what": what} for day, kind, what in told
            ]
        }
        typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
        return
    end = f", ended {row.closed_date}: {row.end}" if row.closed_date else ""
    typer.echo(f"Case {row.pk}: {row.party.code}, {row.party.name}, since {row.opened_date}{end}")
    typer.echo(f"Assigned to {_assignee(found) or 'nobody'}. {found.next.clause}")
    for loan in found.late:
        typer.echo(
            f"  {loan.code:<28} {loan.days_past_due:>4} days  "
            f"{_major(loan.amount_minor, loan.currency):>20} {loan.currency}"
        )
    for day, kind, what in told:
        typer.echo(f"{day}  {kind.replace('_', ' '):<18} {what}")


@app.command("assign")
def assign(
    case: Case,
    email: Annotated[str, typer.Argument(help="A user of the house; an empty one: nobody.")],
    key: Key = None,
) -> None:
    """Give a case to somebody."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.cases import assign as give

        give(case, email, caller=_caller(), key=key or str(uuid4()))
    typer.echo(f"Case {case} is assigned to {email or 'nobody'}.")


@app.command("note")
def note(
    case: Case,
    text: Annotated[str, typer.Argument(help="What was said or found out.")],
    key: Key = None,
) -> None:
    """Keep what was said in a case."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.cases import add_note

        add_note(case, text, caller=_caller(), key=key or str(uuid4()))
    typer.echo(f"Noted in case {case}.")


@app.command("pause")
def pause(
    case: Case,
    until: Annotated[
        datetime, typer.Option("--until", formats=DAYS, help="First day of letters again.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the act.")] = "",
    key: Key = None,
) -> None:
    """Hold letters back until a day; today's date ends a pause."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.cases import pause as hold

        hold(case, until.date(), caller=_caller(reason), key=key or str(uuid4()))
    typer.echo(f"No letter of case {case} goes out before {until.date()}.")


@app.command("promise")
def promise(
    case: Case,
    amount: Annotated[str, typer.Argument(help="In the currency: 1234.50")],
    by: Annotated[datetime, typer.Option("--by", formats=DAYS, help="The day promised.")],
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217 code.")] = "CNY",
    key: Key = None,
) -> None:
    """Keep a promise to pay that a firm has made; letters wait until its day is over."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.promise import promise as promised
        from tallystick.rules.money import minor_from_text

        number = promised(
            case,
            currency=currency,
            amount_minor=minor_from_text(amount, currency),
            promised_date=by.date(),
            by_firm=False,
            caller=_caller(),
            key=key or str(uuid4()),
        )
    typer.echo(f"Promise {number}: {amount} {currency} by {by.date()}.")


@app.command("send")
def send() -> None:
    """Send every letter that waits and is due; run it after each close of day."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.faces.letters.sending import send_all_due

        sent, failed = send_all_due()
    typer.echo(f"{sent} sent, {failed} not. What could not be sent is tried again later.")
    if failed:
        raise typer.Exit(1)


@app.command("send-again")
def send_again(
    letter: Annotated[int, typer.Argument(help="The letter's number, from 'collections show'.")],
    key: Key = None,
) -> None:
    """Try a letter again that was given up, to the address the firm has now."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.letters import send_again as again

        again(letter, caller=_caller(), key=key or str(uuid4()))
    typer.echo(f"Letter {letter} waits to be sent.")


@app.command("write-to")
def write_to(
    firm: Annotated[str, typer.Argument(help="The firm's code.")],
    language: Annotated[str, typer.Option("--language", help="en or zh-hans.")] = "en",
    email: Annotated[
        str, typer.Option("--email", help="Where letters go; none: the firm's users.")
    ] = "",
    key: Key = None,
) -> None:
    """Say in which language a firm is written to, and where."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.correspondence import set_correspondence

        set_correspondence(
            firm, language=language, email=email, caller=_caller(), key=key or str(uuid4())
        )
    typer.echo(f"Letters to {firm} are in {language}, to {email or 'its users'}.")


@app.command("pay-to")
def pay_to(
    holder: Annotated[str, typer.Argument(help="Who holds the account.")],
    number: Annotated[str, typer.Argument(help="The account's number.")],
    bank: Annotated[str, typer.Argument(help="The bank.")],
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217 code.")] = "CNY",
    entity: EntityCode = None,
    key: Key = None,
) -> None:
    """Say to which account what is overdue is paid."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.ladders import Account, set_account

        set_account(
            Account(holder, number, bank),
            currency=currency,
            legal_entity_id=_entity(entity),
            caller=_caller(),
            key=key or str(uuid4()),
        )
    typer.echo(f"What is overdue in {currency} is paid to {number}, {bank}.")


@app.command("ladder")
def ladder(
    file: Annotated[
        Path | None, typer.Argument(help="A TOML file of steps; none: show the one in force.")
    ] = None,
    from_date: Annotated[
        datetime | None,
        typer.Option("--from", formats=DAYS, help="From which day; default: the open one."),
    ] = None,
    entity: EntityCode = None,
    key: Key = None,
) -> None:
    """Show the dunning ladder, or set one from a day on."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.collections.ladders import ladder_of, set_ladder
        from tallystick.book.parties.models import LegalEntity
        from tallystick.rules.dunning_file import read_ladder

        house = LegalEntity.objects.get(pk=_entity(entity))
        on = from_date.date() if from_date else house.business_date
        if file is not None:
            set_ladder(
                read_ladder(_text_of(file), file=file.name, from_date=on),
                legal_entity_id=house.pk,
                caller=_caller(),
                key=key or str(uuid4()),
            )
        held = ladder_of(house.pk, on=on)
    typer.echo(
        f"In force on {on}, since {held.from_date}: "
        f"a case is opened after {held.max_days_past_due} days."
    )
    for step in held.steps:
        typer.echo(
            f"  from {step.min_days_past_due:>4} days  {step.name:<20} {step.letter} by "
            f"{step.channel} to the {step.recipient}, {step.min_wait_days} days after the last"
        )


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read as text: {error}") from None


def _as_json(each: "CaseOn") -> dict[str, Any]:
    return {
        "case": each.case.pk,
        "firm": each.case.party.code,
        "opened_date": each.case.opened_date.isoformat(),
        "closed_date": each.case.closed_date and each.case.closed_date.isoformat(),
        "days_past_due": each.days_past_due,
        "bucket": each.bucket,
        "past_due_minor": each.amounts,
        "assignee": _assignee(each),
        "next_step": each.next.step and each.next.step.name,
        "clause": each.next.clause,
        "loans": [
            {
                "loan": loan.code,
                "currency": loan.currency,
                "past_due_since_date": loan.past_due_since_date.isoformat(),
                "days_past_due": loan.days_past_due,
                "amount_minor": loan.amount_minor,
            }
            for loan in each.late
        ],
    }


def _told(line: "Happened") -> str:
    from tallystick.book.collections.models import Message, Note, PromiseToPay
    from tallystick.book.proposals.models import Proposal

    row = line.row
    match row:
        case Note():
            return f"{row.kind}{f': {row.text}' if row.text else ''} ({row.author})"
        case Message():
            return f"letter {row.pk}, {row.step} by {row.channel}: {row.state}"
        case PromiseToPay() if line.kind == "promise_decided":
            received = _major(row.received_minor or 0, row.currency)
            return f"promise {row.pk} {row.outcome}: {received} {row.currency} came"
        case PromiseToPay():
            amount = _major(row.amount_minor, row.currency)
            return f"promise {row.pk}: {amount} {row.currency} by {row.promised_date}"
        case Proposal() if line.kind == "proposal_decided":
            return f"proposal {row.pk} {row.state} by {row.checker or row.maker}"
        case Proposal():
            return f"proposal {row.pk}: {row.kind} of {row.about}, by {row.maker}"
    return f"receipt {row.bank_reference}: {_major(row.met_minor, row.currency)} {row.currency}"


def _amounts(each: "CaseOn") -> str:
    return ", ".join(
        f"{_major(minor, currency)} {currency}" for currency, minor in each.amounts.items()
    )


def _assignee(each: "CaseOn") -> str | None:
    return each.case.assignee.email if each.case.assignee else None


def _major(amount_minor: int, currency: str) -> str:
    from tallystick.rules.money import text_from_minor

    return text_from_minor(amount_minor, currency, thousands=True)


def _entity(code: str | None) -> int:
    from tallystick.book.parties.entities import entity_called

    return entity_called(code).entity_id


def _caller(reason: str = "") -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor=getpass.getuser(), channel="cli", reason=reason)
