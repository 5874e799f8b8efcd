"""``tally restore --at``: the embedded server as it was at an instant, and the proof that it is."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tallystick.rules.refusal import Refusal

if TYPE_CHECKING:
    from tallystick.site.point_in_time import Rewound
    from tallystick.site.server import Server

NOT_CLEAN = 1
LATEST = "latest"


class NotAnInstant(Refusal):
    """An instant needs a zone, or nobody knows which one it is."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is not an instant. Write date, time and offset, such as "
            f"'2026-11-22 14:00+08:00', or {LATEST!r} for all that is archived."
        )


class SealMissing(Refusal):
    """The ledger does not hold a seal that was kept outside."""

    def __init__(self, where: str, legal_entity: str, date: str, last: str) -> None:
        super().__init__(
            f"The ledger restored in {where} does not hold the seal of {legal_entity} for {date} "
            f"that you kept; its last one is of {last}. Either its state is of an earlier day, "
            "or these are not the books that were sealed."
        )


def rewind(folder: Path, at: str, seals: Path | None) -> None:
    """Restore, then prove: the base's seals, those of the file, and every invariant."""
    from tallystick.faces.cli.archive import ServerArchivesItself
    from tallystick.site import cluster, databases, point_in_time

    if not databases.is_embedded():
        raise ServerArchivesItself
    instant = None if at == LATEST else _instant(at)
    done = point_in_time.restore_to(folder.absolute(), cluster.home(), at=instant)
    typer.echo(
        f"Restored the server to {cluster.home()} as of {at}; the last act in it is of "
        f"{done.last_act_at or done.base.ended_at}."
    )
    findings = 0
    with databases.server() as own:
        for name in done.base.seals:
            findings += _proved(own.named(name), done, seals)
    typer.echo(
        "It archives nothing yet: ./tally archive start, with a new folder, before it is used."
    )
    if findings:
        raise typer.Exit(NOT_CLEAN)


def check_seals(here: "Server", file: Path) -> None:
    """Every seal of the file, for days that the ledger has sealed, is the ledger's own.

    Raises SealMissing, SealsUnreadable.
    """
    from tallystick.rules.proofs import seals_from
    from tallystick.site.backups import SealHead, holds, seal_heads

    with here.connect() as connection:
        last = {head.legal_entity: head.date for head in seal_heads(connection)}
        for header in seals_from(file.read_bytes()):
            day = header.date.isoformat()
            kept = SealHead(header.legal_entity, day, header.seal().hex())
            if day <= last.get(kept.legal_entity, "") and not holds(connection, kept):
                raise SealMissing(here.where, kept.legal_entity, day, last[kept.legal_entity])


def _proved(here: "Server", done: "Rewound", seals: Path | None) -> int:
    """Compare and verify one database of ours; the number of findings."""
    from tallystick.site import databases
    from tallystick.site.backups import SealsDiffer, holds, seal_heads
    from tallystick.site.marks import Purpose, condition_of

    expected = done.base.seals[here.database]
    with here.connect() as connection:
        actual = seal_heads(connection)
        if not all(holds(connection, head) for head in expected):
            raise SealsDiffer(expected=expected, actual=actual)
    if seals and condition_of(here).purpose is Purpose.BOOK:
        check_seals(here, seals)
    for head in actual:
        typer.echo(f"{here.database}: {head.legal_entity}: last seal {head.date} {head.seal}")
    databases.use(here)
    try:
        if databases.missing_migrations(here):
            typer.echo(f"{here.database} is of an older version: ./tally migrate, ./tally verify")
            return 0
        from tallystick.book.watch.verify import verify

        findings = verify()
    finally:
        databases.leave()
    for finding in findings:
        typer.echo(str(finding))
    typer.echo(
        f"{here.database}: {len(findings)} findings."
        if findings
        else f"{here.database}: every invariant holds."
    )
    return len(findings)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise NotAnInstant(text) from None
    if instant.tzinfo is None:
        raise NotAnInstant(text)
    return instant
