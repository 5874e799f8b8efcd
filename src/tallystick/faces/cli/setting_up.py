"""``tally entity`` and ``tally facility``: open what lending needs."""

import getpass
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

if TYPE_CHECKING:
    from tallystick.book.acts.once import Caller

entity_app = typer.Typer(no_args_is_help=True, help="Our legal entities: open one, fund it.")
facility_app = typer.Typer(no_args_is_help=True, help="Facilities: open one, see what it allows.")

Key = Annotated[str | None, typer.Option("--key", help="Request key: repeating it acts only once.")]
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]


def _caller() -> "Caller":
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor=getpass.getuser(), channel="cli")


@entity_app.command("open")
def open_entity(
    code: Annotated[str, typer.Argument(help="Short name, such as FACTOR.")],
    name: Annotated[str, typer.Option("--name", help="Full name.")],
    opened: Day,
    calendar: Annotated[str, typer.Option(help="China or weekends only")] = "China",
    time_zone: Annotated[str, typer.Option(help="A name of the IANA list.")] = "Asia/Shanghai",
    key: Key = None,
) -> None:
    """Open a legal entity on its first business day, --opened."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity

        open_legal_entity(
            NewLegalEntity(code, name, time_zone, calendar, opened.date()),
            caller=_caller(),
            key=key or str(uuid4()),
        )
    typer.echo(f"Legal entity {code} is open; its business day is {opened.date()}.")


@entity_app.command("list")
def list_entities() -> None:
    """Show the legal entities and their open business day."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.parties.models import LegalEntity

        for entity in LegalEntity.objects.order_by("code").select_related("party"):
            typer.echo(f"{entity.code}  {entity.business_date}  {entity.party.name}")


@entity_app.command("capital")
def capital(
    amount: Annotated[str, typer.Argument(help="In the currency: 1000000.00")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "CNY",
    entity: Annotated[str | None, typer.Option(help="When there are several.")] = None,
    key: Key = None,
) -> None:
    """Book cash that the owner pays in: the first source of money for loans."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.funding.pay_in_capital import pay_in_capital
        from tallystick.book.parties.entities import entity_called
        from tallystick.rules.money import minor_from_text

        funded = entity_called(entity)
        pay_in_capital(
            funded.entity_id,
            amount_minor=minor_from_text(amount, currency),
            currency=currency,
            on=funded.business_date,
            caller=_caller(),
            key=key or str(uuid4()),
        )
    typer.echo(f"{amount} {currency} is booked on {funded.business_date}.")


@facility_app.command("open")
def open_facility(
    code: Annotated[str, typer.Argument(help="Code of the facility.")],
    supplier: Annotated[str, typer.Option(help="Code of the supplier.")],
    limit: Annotated[str, typer.Option(help="Most that may be drawn.")],
    expiry: Day,
    contract: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="trading with the anchor since")
    ] = None,
    programme: Annotated[
        str, typer.Option(help="Code of a programme that ships with the product, or FILE.toml.")
    ] = "jd.jingbaobei",
    entity: Annotated[str | None, typer.Option(help="When there are several.")] = None,
    key: Key = None,
) -> None:
    """Open a supplier's line under a programme, with its pool and the funder's security."""
    from tallystick.site import databases

    with databases.book():
        from tallystick.book.financing.open_facility import NewFacility, open_facilities
        from tallystick.book.financing.programmes import preset, programme_in
        from tallystick.book.parties.entities import entity_called
        from tallystick.rules.money import minor_from_text

        opener = entity_called(entity)
        terms = (
            programme_in(Path(programme), defined_on=opener.business_date)
            if programme.endswith(".toml")
            else preset(programme)
        )
        facility = NewFacility(
            code=code,
            supplier=supplier,
            programme=terms,
            currency=terms.currency,
            limit_minor=minor_from_text(limit, terms.currency),
            expiry_date=expiry.date(),
            contract_date=contract.date() if contract else None,
        )
        open_facilities(
            [facility],
            legal_entity_id=opener.entity_id,
            caller=_caller(),
            key=key or str(uuid4()),
        )
    typer.echo(f"Facility {code} is open: up to {limit} {terms.currency} until {expiry.date()}.")


@facility_app.command("show")
def show_facility(
    code: Annotated[str, typer.Argument(help="Code of the facility.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What the facility allows now, and what bounds it."""
    from tallystick.site import databases

    with databases.book():
        from dataclasses import asdict

        from tallystick.book.financing.availability import availability
        from tallystick.book.financing.facilities import facility_line
        from tallystick.rules.money import text_from_minor

        line = facility_line(code)
        found = availability([line.facility_id], on=line.business_date)[line.facility_id]
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    typer.echo(f"{code} of {line.supplier} on {line.business_date}, in {line.currency}")
    for what, amount_minor in (
        ("facility limit", found.facility_limit_minor),
        ("programme's cap per supplier", found.programme_cap_per_supplier_minor),
        ("left in the programme", found.programme_headroom_minor),
        ("left of the funder's line", found.funder_headroom_minor),
        ("limit", found.limit_minor),
        ("borrowing base", found.base_minor),
        ("cover", found.cover_minor),
        ("drawn", found.drawn_minor),
        ("available", found.available_minor),
        ("above cover", found.shortfall_minor),
    ):
        amount = text_from_minor(amount_minor, line.currency, thousands=True)
        typer.echo(f"  {what:<30}{amount:>24}")
    if found.frozen_reason:
        typer.echo(f"  frozen: {found.frozen_reason}")
    typer.echo(f"  bound by: {found.binding}")
