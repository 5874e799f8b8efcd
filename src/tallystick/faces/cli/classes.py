"""``tally classes``: rule packs, what a close has classed and provided for, and facts."""

import getpass
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller
    from tallystick.book.impairment.overview import Overview

app = typer.Typer(
    no_args_is_help=True, help="Classes of loans, what is provided for them, and facts."
)

Entity = Annotated[str | None, typer.Option("--entity", help="Legal entity, if there are several.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; amounts in minor units.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the act.")]
By = Annotated[str, typer.Option("--by", help="Address of the user who says so.")]
Key = Annotated[str | None, typer.Option("--key", help="Request key: repeating it acts only once.")]
Number = Annotated[int, typer.Argument(help="The fact's number.")]
FromDay = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="Holds from; default: the open day."),
]


@app.command("packs")
def list_packs(as_json: Json = False) -> None:
    """The rule packs of the package: every threshold with its law and how well it is known."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.impairment.packs import presets

        packs = presets()
    if as_json:
        typer.echo(
            json.dumps({code: pack.content for code, pack in packs.items()}, ensure_ascii=False)
        )
        return
    for code, pack in packs.items():
        typer.echo(f"{code}: {pack.title}")
        for each in pack.thresholds:
            typer.echo(
                f"  {each.limit:<28} {each.value:>6}  from {each.from_date}  "
                f"{each.standing}: {each.law}"
            )


@app.command("use")
def use_pack(
    pack: Annotated[str, typer.Argument(help="The pack's code, such as cn.factor.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="A file of your own that holds it.")
    ] = None,
    entity: Entity = None,
    reason: Reason = "",
    key: Key = None,
) -> None:
    """Let a legal entity classify by a rule pack, from the close of the open day on."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.impairment.packs import adopt, pack_in, preset
        from tallystick.book.parties.entities import entity_called

        ours = entity_called(entity)
        chosen = pack_in(file, pack) if file else preset(pack)
        from_date = adopt(ours.entity_id, chosen, caller=_caller(reason), key=_key(key))
    typer.echo(f"{ours.code} classifies by {chosen.code} from the close of {from_date} on.")


@app.command("show")
def show(
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A closed day; default: the last.")
    ] = None,
    entity: Entity = None,
    as_json: Json = False,
) -> None:
    """A closed day by class and stage: exposure, provision, coverage, and the loans that moved."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.impairment.overview import latest_day, overview
        from tallystick.book.parties.entities import entity_called

        ours = entity_called(entity)
        day = on.date() if on else latest_day(ours.entity_id)
        found = overview(ours.entity_id, day) if day else None
    if found is None:
        typer.echo("Nothing was classed: no rule pack was in force. See: ./tally classes use")
        return
    if as_json:
        typer.echo(json.dumps(_overview_json(found), indent=2, ensure_ascii=False))
    else:
        _print(found)


@app.command("fact")
def propose(
    kind: Annotated[str, typer.Argument(help="Such as credit_impaired; a wrong one lists all.")],
    by: By,
    reason: Reason,
    loan: Annotated[str | None, typer.Option("--loan", help="The loan it is about, or …")] = None,
    advance: Annotated[str | None, typer.Option("--advance", help="… the advance, or …")] = None,
    debtor: Annotated[str | None, typer.Option("--debtor", help="… the debtor.")] = None,
    from_day: FromDay = None,
    to_day: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="First day on which it holds no more."),
    ] = None,
    share_bps: Annotated[
        int | None, typer.Option("--share-bps", help="A share, in basis points, where it has one.")
    ] = None,
    entity: Entity = None,
    key: Key = None,
) -> None:
    """Propose a fact about a loan, an advance or a debtor; it counts once another approves it."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.impairment.facts import NewFact, kind_called, propose_fact
        from tallystick.book.parties.entities import entity_called

        ours = entity_called(entity)
        number = propose_fact(
            NewFact(
                kind=kind_called(kind),
                loan=loan,
                advance=advance,
                debtor=debtor,
                from_date=from_day.date() if from_day else ours.business_date,
                to_date=to_day.date() if to_day else None,
                share_bps=share_bps,
            ),
            legal_entity_id=ours.entity_id,
            maker=user_called(by),
            caller=_caller(reason),
            key=_key(key),
        )
    typer.echo(f"Fact {number} waits for an approver.")


@app.command("end-fact")
def end(fact: Number, by: By, reason: Reason, from_day: FromDay = None, key: Key = None) -> None:
    """Propose that a fact no longer holds; it counts until somebody else has approved that."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.impairment.facts import business_date_of, propose_end

        number = propose_end(
            fact,
            from_date=from_day.date() if from_day else business_date_of(fact),
            maker=user_called(by),
            caller=_caller(reason),
            key=_key(key),
        )
    typer.echo(f"Fact {number}, the end of fact {fact}, waits for an approver.")


@app.command("approve-fact")
def approve(fact: Number, by: By, reason: Reason = "", key: Key = None) -> None:
    """Let a proposed fact count from the close of the open day on."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.impairment.facts import approve_fact

        day = approve_fact(fact, checker=user_called(by), caller=_caller(reason), key=_key(key))
    typer.echo(f"Fact {fact} counts from the close of {day} on.")


@app.command("reject-fact")
def reject(fact: Number, by: By, reason: Reason, key: Key = None) -> None:
    """Decline a proposed fact."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.access.users import user_called
        from tallystick.book.impairment.facts import reject_fact

        reject_fact(fact, checker=user_called(by), caller=_caller(reason), key=_key(key))
    typer.echo(f"Fact {fact} is rejected.")


@app.command("facts")
def list_facts(entity: Entity = None, as_json: Json = False) -> None:
    """Every fact that is proposed or holds, oldest first."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.impairment.facts import open_facts
        from tallystick.book.parties.entities import entity_called

        facts = [_fact(fact) for fact in open_facts(entity_called(entity).entity_id)]
    if as_json:
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for fact in facts:
        until = f" to {fact['to_date']}" if fact["to_date"] else ""
        share = f", {fact['share_bps']} bps" if fact["share_bps"] is not None else ""
        ends = f"end of fact {fact['ends']}, " if fact["ends"] else ""
        typer.echo(
            f"{fact['fact']:>6}  {fact['state']:<8}  {ends}{fact['kind']} of {fact['about']} from "
            f"{fact['from_date']}{until}{share}: {fact['reason']}"
        )
    if not facts:
        typer.echo("Nothing is recorded.")


def _fact(fact: Any) -> dict[str, Any]:
    return {
        "fact": fact.pk,
        "state": "approved" if fact.approved else "proposed",
        "kind": fact.kind,
        "about": fact.about,
        "from_date": fact.from_date.isoformat(),
        "to_date": fact.to_date and fact.to_date.isoformat(),
        "share_bps": fact.share_bps,
        "ends": fact.ends_id,
        "reason": fact.reason,
    }


def _overview_json(found: "Overview") -> dict[str, Any]:
    return {
        "date": found.date.isoformat(),
        "pack": found.pack.code,
        "lines": [line._asdict() for line in found.lines],
        "reserves": [
            {
                "currency": row.currency,
                "balance_minor": row.balance_minor,
                "expected_loss_minor": row.expected_loss_minor,
                "reserve_minor": row.reserve_minor,
                "booked_minor": row.expected_loss_minor + row.above_minor,
            }
            for row in found.reserves
        ],
        "changes": [change._asdict() for change in found.changes],
    }


def _print(found: "Overview") -> None:
    from rich.console import Console
    from rich.table import Table

    from tallystick.rules.money import text_from_minor

    def major(amount_minor: int, currency: str) -> str:
        return text_from_minor(amount_minor, currency, thousands=True)

    table = Table(title=f"Classes and provisions of {found.date} by {found.pack.code}")
    for heading in ("", "class", "stage", "loans", "exposure", "in suspense", "provision", "cover"):
        table.add_column(heading, justify="left" if heading in ("", "class") else "right")
    for line in found.lines:
        table.add_row(
            line.currency,
            line.asset_class,
            str(line.stage),
            f"{line.loans:,}",
            major(line.exposure_minor, line.currency),
            major(line.suspended_minor, line.currency),
            major(line.allowance_minor, line.currency),
            f"{line.coverage_ppm / 10_000:.2f} %",
        )
    console = Console()
    console.print(table)
    for row in found.reserves:
        console.print(
            f"{row.currency}: expected loss {major(row.expected_loss_minor, row.currency)}, "
            f"reserve {major(row.reserve_minor, row.currency)}; the higher is booked."
        )
    for change in found.changes:
        console.print(
            f"{change.loan}: {change.from_class} → {change.to_class}, stage {change.from_stage} → "
            f"{change.to_stage}, by {change.clause or 'no clause'}; "
            f"{change.days_past_due} days past due"
        )


def _caller(reason: str) -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller("system", getpass.getuser(), "cli", reason)


def _key(key: str | None) -> str:
    return key or f"cli:{uuid4()}"
