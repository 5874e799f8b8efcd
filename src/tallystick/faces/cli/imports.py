"""The ``import`` command: take in trade documents from files."""

import getpass
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tallystick.book.trade.imports.report import ImportReport

SHOWN_REFUSALS = 20
DEFAULT_MAX_BYTES = 1_000_000_000


def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV, XLSX or Parquet files")],
    mapping: Annotated[
        str, typer.Option(help="a mapping's file, or the name of one that ships with the product")
    ],
    entity: Annotated[str | None, typer.Option(help="legal entity, when there are several")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen")] = False,
    accept_partial: Annotated[
        bool, typer.Option("--accept-partial", help="record the good rows of a file with bad ones")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="refuse documents that are on record already")
    ] = False,
    max_bytes: Annotated[
        int, typer.Option(min=1, help="largest file, unpacked")
    ] = DEFAULT_MAX_BYTES,
    report: Annotated[Path | None, typer.Option(help="write every refusal as CSV")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
) -> None:
    """Check every row, then record the documents and their claims; nothing is half-written.

    Exit status 2 when rows were refused and nothing was written.
    """
    from tallystick.faces.files.writing import CannotWrite, refuse_unwritable
    from tallystick.site import databases

    if report is not None:
        if report.resolve() in {file.resolve() for file in files}:
            raise CannotWrite(report, "is one of the files to import; name another file")
        refuse_unwritable(report)
    with databases.book():
        outcome = _imported(
            files,
            mapping=mapping,
            entity=entity,
            max_bytes=max_bytes,
            dry_run=dry_run,
            accept_partial=accept_partial,
            strict=strict,
            quiet=as_json,
        )
    if report is not None:
        _write_report(report, outcome)
    if as_json:
        typer.echo(json.dumps(outcome.as_json(), ensure_ascii=False))
    else:
        _print(outcome)
    if outcome.is_refused:
        raise typer.Exit(2)


def _imported(
    files: list[Path],
    *,
    mapping: str,
    entity: str | None,
    max_bytes: int,
    dry_run: bool,
    accept_partial: bool,
    strict: bool,
    quiet: bool,
) -> "ImportReport":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from tallystick.book.acts.once import Caller
    from tallystick.book.parties.entities import entity_called
    from tallystick.book.trade.imports.import_files import (
        ImportRefused,
        ImportRequest,
        import_files,
    )
    from tallystick.book.trade.imports.mapping import preset, read_mapping

    path = Path(mapping)
    request = ImportRequest(
        files=files,
        mapping=read_mapping(path) if path.suffix == ".toml" else preset(mapping),
        legal_entity_id=entity_called(entity).entity_id,
        max_bytes=max_bytes,
        dry_run=dry_run,
        accept_partial=accept_partial,
        strict=strict,
    )
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    hidden = quiet or not sys.stderr.isatty()
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=hidden
    ) as progress:
        bar = progress.add_task("reading", total=None)

        def show(step: str, done: int, total: int) -> None:
            progress.update(bar, description=step, completed=done, total=total)

        try:
            return import_files(
                request, caller=Caller("system", getpass.getuser(), "cli"), on_progress=show
            )
        except ImportRefused as refusal:
            return refusal.report


def _write_report(path: Path, outcome: "ImportReport") -> None:
    from tallystick.faces.files.tables import csv_bytes
    from tallystick.faces.files.writing import replacing

    header = ("file", "row", "cell", "column", "value", "remedy")
    rows = (
        (refusal.file, refusal.row, refusal.cell, refusal.column, refusal.value, refusal.remedy)
        for refusal in outcome.refusals
    )
    with replacing(path) as unfinished:
        unfinished.write_bytes(csv_bytes(header, rows))


def _print(outcome: "ImportReport") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(title="dry run: nothing was written" if outcome.dry_run else None)
    for heading in ("file", "rows", "recorded", "already here", "left out", "refused"):
        table.add_column(heading, justify="left" if heading == "file" else "right")
    for file in outcome.files:
        left_out = ", ".join(f"{count:,} {why}" for why, count in file.dropped.items())
        table.add_row(
            escape(file.name),
            f"{file.rows:,}",
            f"{file.recorded:,}",
            f"{file.repeated:,}",
            escape(left_out) or "0",
            f"{file.refused:,}",
        )
    console.print(table)
    for refusal in outcome.refusals[:SHOWN_REFUSALS]:
        console.print(
            str(refusal),
            style="red",
            highlight=False,
            markup=False,
        )
    if len(outcome.refusals) > SHOWN_REFUSALS:
        console.print(
            f"and {len(outcome.refusals) - SHOWN_REFUSALS:,} more; --report FILE.csv has them all"
        )
    if outcome.unapplied_credit_minor:
        console.print(
            f"{outcome.unapplied_credits:,} credit notes found no open claim to reduce: "
            f"{outcome.unapplied_credit_minor:,} minor units wait."
        )
    if outcome.awaiting_predecessor:
        console.print(
            f"{outcome.awaiting_predecessor:,} documents name a document that has not arrived; "
            "their claims join a pool when it has."
        )
    console.print(outcome.verdict(), style="bold")
