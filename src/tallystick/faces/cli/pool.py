"""``tally pool``: what a pool of claims is worth as collateral, and why. Needs no database."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.rules.refusal import Refusal

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from tallystick.rules.pool_terms import PoolTerms

app = typer.Typer(
    no_args_is_help=True, help="What a pool of claims is worth as collateral, and why."
)


class UnreadableTerms(Refusal):
    """A file of terms is not there, or is no text."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


class OverwritesInput(Refusal):
    """The list of claims would be written over a file that it is computed from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"--claims {path} is itself read; name another file to write to.")


@app.callback()
def pool() -> None:
    """What a pool of claims is worth as collateral, and why."""


@app.command("base")
def borrowing_base(
    claims: Annotated[Path, typer.Argument(help="CSV or Parquet file of claims.")],
    terms: Annotated[Path, typer.Option(help="TOML file with the pool's terms.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day asked about.")],
    claims_to: Annotated[
        Path | None,
        typer.Option("--claims", help="Write each claim with its reason and remedy to this CSV."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """The borrowing base of every supplier and currency in a file of claims."""
    from tallystick.faces.files.claims import read_claims, write_claims

    if claims_to and claims_to.resolve() in (claims.resolve(), terms.resolve()):
        raise OverwritesInput(claims_to)
    pool_terms = _read_terms(terms)
    day = on.date()
    valid = read_claims(claims, on=day)
    bases = _bases(valid, pool_terms, on=day)
    if claims_to:
        write_claims(claims_to, _claims_with_reasons(valid, pool_terms, on=day))
    if as_json:
        typer.echo(json.dumps(bases, ensure_ascii=False, indent=2))
    else:
        _print(bases)


def _read_terms(path: Path) -> "PoolTerms":
    from tallystick.rules.pool_terms import read_pool_terms

    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableTerms(path, "it is not UTF-8; save it as UTF-8.") from error
    except OSError as error:
        raise UnreadableTerms(path, f"{error.strerror}; name a TOML file of terms.") from error
    return read_pool_terms(text, file=path.name)


def _bases(claims: Any, pool_terms: "PoolTerms", *, on: "date") -> list[dict[str, Any]]:
    """One base a supplier and currency, in that order. Raises BeyondExactArithmetic."""
    import narwhals as nw

    from tallystick.rules.receivables import SUPPLIER, borrowing_base, refuse_inexact

    plan = borrowing_base(
        claims,
        terms=pool_terms.terms,
        on=on,
        related=nw.from_native(_related(pool_terms)),
        concentration_overrides=nw.from_native(_overrides(pool_terms)),
    )
    collected = nw.from_native(plan.sort(*SUPPLIER).to_native().collect(engine="streaming"))
    refuse_inexact(collected)
    return [_as_json(row) for row in collected.iter_rows(named=True)]


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    from tallystick.rules.eligibility import REASONS
    from tallystick.rules.receivables import BASE_AMOUNTS, SUPPLIER, ineligible_minor

    by_reason = {reason: row[ineligible_minor(reason)] for reason in REASONS}
    ineligible = {reason: minor for reason, minor in by_reason.items() if minor}
    others = [name for name in BASE_AMOUNTS if name not in map(ineligible_minor, REASONS)]
    outstanding, *rest = others
    return {
        **{name: row[name] for name in SUPPLIER},
        outstanding: row[outstanding],
        "ineligible": ineligible,
        **{name: row[name] for name in rest},
    }


def _claims_with_reasons(claims: Any, pool_terms: "PoolTerms", *, on: "date") -> "pl.DataFrame":
    import narwhals as nw
    import polars as pl

    from tallystick.rules.eligibility import remedies
    from tallystick.rules.frames import ROW
    from tallystick.rules.receivables import claims_with_reasons

    plan = claims_with_reasons(
        claims, terms=pool_terms.terms, on=on, related=nw.from_native(_related(pool_terms))
    )
    remedy = remedies(pool_terms.terms) | {"": ""}
    collected: pl.DataFrame = plan.sort(ROW).drop(ROW).to_native().collect(engine="streaming")
    return collected.with_columns(
        remedy=pl.col("reason").replace_strict(remedy, return_dtype=pl.String)
    )


def _related(pool_terms: "PoolTerms") -> "pl.LazyFrame":
    import polars as pl

    return pl.LazyFrame(
        [
            (supplier, obligor)
            for supplier, all_of in pool_terms.related.items()
            for obligor in all_of
        ],
        schema={"supplier_id": pl.String, "obligor_id": pl.String},
        orient="row",
    )


def _overrides(pool_terms: "PoolTerms") -> "pl.LazyFrame":
    import polars as pl

    return pl.LazyFrame(
        list(pool_terms.concentration_override_bps.items()),
        schema={"obligor_id": pl.String, "limit_bps": pl.Int64},
        orient="row",
    )


def _print(bases: list[dict[str, Any]]) -> None:
    """A statement of each base, from the outstanding down, that adds up."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from tallystick.rules.money import text_from_minor

    console = Console()
    if not bases:
        console.print("There are no claims in the file.")
    for base in bases:
        table = Table(
            title=escape(f"{base['supplier_id']}, {base['currency']}"),
            title_justify="left",
            show_header=False,
            box=None,
        )
        table.add_column()
        table.add_column(justify="right", no_wrap=True)
        for line, amount_minor in _statement(base):
            table.add_row(line, text_from_minor(amount_minor, base["currency"], thousands=True))
        console.print(table, "")


def _statement(base: dict[str, Any]) -> list[tuple[str, int]]:
    """What each line says, and its minor units: negative where it is taken away."""
    dilution = f"reserve for dilution of {base['dilution_ppm']:,} ppm"
    return [
        ("outstanding", base["outstanding_minor"]),
        *((f"  {reason}", -minor) for reason, minor in base["ineligible"].items()),
        ("eligible", base["eligible_minor"]),
        ("lendable at the advance rates", base["lendable_minor"]),
        ("  excess concentration", -base["excess_concentration_minor"]),
        ("gross base", base["gross_base_minor"]),
        (f"  {dilution}", -base["dilution_reserve_minor"]),
        ("[bold]borrowing base[/bold]", base["base_minor"]),
        ("cover, the too near included", base["cover_minor"]),
    ]
