"""``tally backup`` and ``tally restore``."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.rules.refusal import Refusal

if TYPE_CHECKING:
    from tallystick.site.backups import Manifest

REFUSED = 2


def backup(
    folder: Annotated[
        Path,
        typer.Argument(
            help="A new or empty folder; with --keep, the folder of the series.", metavar="DIR"
        ),
    ],
    keep: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Add to a series in DIR, of which the newest N are kept."
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Restore it into a scratch database and compare the seals."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON, also when it is refused.")
    ] = False,
) -> None:
    """Write the whole database to a folder: PostgreSQL's dump and a manifest.

    Drawdowns go on meanwhile; the backup holds one moment. An older version's database can be
    backed up, too, before ./tally migrate.
    """
    began_at = datetime.now().astimezone()
    try:
        manifest, done = _backed_up(folder, keep=keep, verify=verify, made_at=began_at)
    except Refusal as refusal:
        if not as_json:
            raise
        why = {"backup": "refused", "reason": type(refusal).__name__, "message": str(refusal)}
        typer.echo(json.dumps(why, ensure_ascii=False))
        raise typer.Exit(REFUSED) from None
    done["seconds"] = round((datetime.now().astimezone() - began_at).total_seconds(), 1)
    if as_json:
        said = asdict(manifest)
        del said["migrations"]  # in the manifest; a monitor's line stays short
        typer.echo(
            json.dumps({"backup": "made", **done, "verified": verify, **said}, ensure_ascii=False)
        )
        return
    typer.echo(f"Wrote {done['folder']}, {done['bytes']:,} bytes, SHA-256 {manifest.sha256}.")
    if verify:
        typer.echo("Restored it into a scratch database: the seals are the same.")
    for name in done["removed"]:
        typer.echo(f"Removed {name}.")
    _tell_seals(manifest)


def _backed_up(
    folder: Path, *, keep: int | None, verify: bool, made_at: datetime
) -> tuple["Manifest", dict[str, Any]]:
    from tallystick.site import backup_series, backups, databases

    with databases.as_it_stands() as (here, lobby):
        if keep:
            added = backup_series.add_to(
                folder, here, keep=keep, prove_at=lobby if verify else None, made_at=made_at
            )
            folder, manifest, removed = added.folder, added.manifest, added.removed
        else:
            manifest, removed = backups.back_up(here, folder, made_at=made_at), []
            if verify:
                backups.prove(folder, at=lobby)
    size_bytes = (folder / backups.DUMP).stat().st_size
    return manifest, {"folder": str(folder), "bytes": size_bytes, "removed": removed}


def restore(
    folder: Annotated[
        Path,
        typer.Argument(help="What ./tally backup wrote; with --at, an archive.", metavar="DIR"),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT", help="The whole embedded server at '2026-11-22 14:00+08:00', latest."
        ),
    ] = None,
    seals: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, metavar="SEALS", help="Compare with these, too."),
    ] = None,
) -> None:
    """Read a backup into an empty database and compare the ledger's seals with the manifest.

    A backup of the book becomes the book, one of the demo becomes the demo. With --at, a new
    TALLY_HOME gets a server as it was at that instant, and ./tally verify is run on it.
    """
    if at is not None:
        from tallystick.faces.cli.rewind import rewind

        rewind(folder, at, seals)
        return
    from tallystick.site import backups, databases
    from tallystick.site.marks import Purpose

    purpose = Purpose(backups.read_manifest(folder).purpose)
    with databases.place_of(purpose) as (here, lobby):
        manifest = backups.restore(folder, here, at=lobby)
        missing = databases.missing_migrations(here)
        if seals:
            from tallystick.faces.cli.rewind import check_seals

            check_seals(here, seals)
    typer.echo(f"Restored the database {here.database} as of {manifest.made_at}.")
    _tell_seals(manifest)
    if missing:
        typer.echo("It was made by an older version. Now run: ./tally migrate")


def _tell_seals(manifest: "Manifest") -> None:
    for head in manifest.seals:
        typer.echo(f"{head.legal_entity}: last seal {head.date} {head.seal}")
