"""``tally backup`` and ``tally restore``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tallystick.site.backups import Manifest


def backup(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.", metavar="DIR")],
) -> None:
    """Write the whole database to a folder: PostgreSQL's dump and a manifest.

    Drawdowns go on meanwhile; the backup holds one moment.
    """
    from tallystick.site import backups, databases

    with databases.book() as here:
        manifest = backups.back_up(here, folder)
    typer.echo(f"Wrote {folder / backups.DUMP}, SHA-256 {manifest.sha256}.")
    _tell_seals(manifest)


def restore(
    folder: Annotated[
        Path, typer.Argument(help="A folder that ./tally backup wrote.", metavar="DIR")
    ],
) -> None:
    """Read a backup into an empty database and compare the ledger's seals with the manifest.

    A backup of the book becomes the book, one of the demo becomes the demo.
    """
    from tallystick.site import backups, databases
    from tallystick.site.marks import Purpose

    purpose = Purpose(backups.read_manifest(folder).purpose)
    with databases.place_of(purpose) as (here, lobby):
        manifest = backups.restore(folder, here, at=lobby)
        missing = databases.missing_migrations(here)
    typer.echo(f"Restored the database {here.database} as of {manifest.made_at}.")
    _tell_seals(manifest)
    if missing:
        typer.echo("It was made by an older version. Now run: ./tally migrate")


def _tell_seals(manifest: "Manifest") -> None:
    for head in manifest.seals:
        typer.echo(f"{head.legal_entity}: last seal {head.date} {head.seal}")
