"""A restore to an instant: exactly what was acknowledged before it, with the seals kept."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.book.financing.market import Market, open_market

from tallystick.book.financing.draw_down import draw_down
from tallystick.book.financing.models import Loan
from tallystick.book.ledger.seal import seals
from tallystick.book.servicing.close import close_day
from tallystick.faces.cli.archive import ServerArchivesItself
from tallystick.faces.cli.rewind import NotAnInstant, SealMissing, check_seals, rewind
from tallystick.rules.proofs import seals_file
from tallystick.site import archive, backups, cluster, databases, point_in_time
from tallystick.site.server import Server


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's user can pass, for a cluster and its archive."""
    folder = Path(tempfile.mkdtemp(prefix="tally-archive-"))
    folder.chmod(0o755)
    yield folder
    databases.leave()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def migrated(template: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty book as a backup: quicker to restore than to migrate."""
    folder = tmp_path_factory.mktemp("migrated")
    backups.back_up(template, folder, made_at=datetime.now(tz=UTC))
    return folder


def archiving(home: Path, kept: Path) -> None:
    """Have the server of ``home`` archive, which it does from its next start."""
    with cluster.leased(home, durable=False) as server:
        assert not archive.start(kept, cluster.located(home), server)
        with pytest.raises(archive.RestartNeeded):
            archive.add_base(kept, cluster.located(home), server, keep=None)


def drawn(market: Market, facility: str) -> str:
    return draw_down(market.request(facility, 10_000, on=market.entity.business_date)).loan


def closed(market: Market) -> None:
    close_day(market.entity.pk, market.entity.business_date)
    market.entity.refresh_from_db()


def open_facility(market: Market, code: str) -> None:
    market.facility(code, base_minor=10**15, limit_minor=10**15)


def instant_of(server: Server) -> datetime:
    """By the clock that stamps the acts, and with none of them in the same millisecond."""
    time.sleep(0.01)
    with server.connect() as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    time.sleep(0.01)
    assert row is not None
    instant: datetime = row[0]
    return instant


@contextmanager
def opened(home: Path) -> Iterator[Server]:
    with cluster.leased(home, durable=False) as server:
        databases.use(server.named(databases.BOOK_NAME))
        yield server
        databases.leave()


def loans() -> set[str]:
    return set(Loan.objects.values_list("code", flat=True))


def test_a_restore_to_an_instant_holds_exactly_what_was_acknowledged_before_it(
    place: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, kept = place / "home", place / "it's kept 100%"
    archiving(home, kept)
    located = cluster.located(home)
    with cluster.leased(home, durable=False) as server:
        backups.restore(migrated, server.named(databases.BOOK_NAME), at=server)
        assert archive.start(kept, located, server)
        databases.use(server.named(databases.BOOK_NAME))
        market = open_market(programme_minor=10**15, funder_minor=10**15)
        open_facility(market, "MONDAY")
        before = {drawn(market, "MONDAY")}
        closed(market)
        open_facility(market, "TUESDAY")
        too_early = instant_of(server)
        archive.add_base(kept, located, server, keep=1)
        before |= {drawn(market, "TUESDAY") for _ in range(3)}
        [sealed_day] = seals(market.entity.pk)
        head, seals_kept = sealed_day.seal().hex(), seals_file([sealed_day])
        instant = instant_of(server)
        after = {drawn(market, "TUESDAY") for _ in range(3)}
        closed(market)
        databases.leave()

    with pytest.raises(point_in_time.NoBaseBefore):
        point_in_time.restore_to(kept, place / "then", at=too_early)
    with pytest.raises(point_in_time.ClusterInUse):
        point_in_time.restore_to(kept, home, at=instant)
    with pytest.raises(point_in_time.ArchiveEndsBefore, match="--at latest"):
        point_in_time.restore_to(kept, place / "then", at=instant + timedelta(hours=1))

    monkeypatch.setenv("TALLY_HOME", str(place / "then"))
    (place / "SEALS").write_bytes(seals_kept)
    rewind(kept, instant.isoformat(), place / "SEALS")
    said = capsys.readouterr().out
    assert f"tallystick: FACTOR: last seal 2026-01-05 {head}" in said
    assert "every invariant holds" in said
    with opened(place / "then") as server:
        assert loans() == before
        assert seals_file(seals(market.entity.pk)) == seals_kept
        assert archive.status(server).command == ""
        forged = replace(sealed_day, entry_count=sealed_day.entry_count + 1)
        (place / "FORGED").write_bytes(seals_file([forged]))
        with pytest.raises(SealMissing, match="FACTOR for 2026-01-05"):
            check_seals(server.named(databases.BOOK_NAME), place / "FORGED")

    point_in_time.restore_to(kept, place / "last", at=None)
    with opened(place / "last"):
        assert loans() == before | after
        assert seals_file(seals(market.entity.pk)).startswith(seals_kept)

    damage(archive.bases_in(kept)[0][0] / archive.FILES)
    with pytest.raises(backups.BackupDamaged):
        point_in_time.restore_to(kept, place / "damaged", at=None)


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_bases_that_go_take_with_them_the_log_that_only_they_needed(tmp_path: Path) -> None:
    segments = [f"0000000100000000000000{number:02X}" for number in range(6)]
    kept = [*segments, "00000002.history", f"{segments[4]}.00000028.backup"]
    (tmp_path / "wal").mkdir()
    for name in kept:
        (tmp_path / "wal" / f"{name}.gz").touch()
    for day, first_segment in enumerate((segments[0], segments[2], segments[4]), 1):
        folder = tmp_path / f"base/2026-11-0{day}T020000Z"
        folder.mkdir(parents=True)
        base = archive.Base(1, "0", "18", "7/1", f"2026-11-0{day}", first_segment, {}, {})
        (folder / archive.DESCRIPTION).write_text(json.dumps(asdict(base)))

    archive.remove_outdated(tmp_path, keep=2)

    left = {file.name.removesuffix(".gz") for file in (tmp_path / "wal").iterdir()}
    assert left == set(kept) - {*segments[:2]}
    assert [base.first_segment for _, base in archive.bases_in(tmp_path)] == segments[2::2]


@pytest.mark.parametrize("text", ["2026-11-22 14:00", "yesterday", "22.11.2026 14:00+08:00"])
def test_an_instant_has_a_date_a_time_and_an_offset(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotAnInstant, match="offset"):
        rewind(tmp_path, text, None)


def test_a_folder_without_a_base_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(point_in_time.NotAnArchive):
        rewind(tmp_path, "latest", None)


def test_a_server_of_its_own_is_restored_by_its_administrator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql:///books")

    with pytest.raises(ServerArchivesItself, match="pgBackRest"):
        rewind(tmp_path, "latest", None)
