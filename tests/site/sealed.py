"""A ledger with two sealed days, and a disk that is full."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from tallystick.site.server import Server

SEAL = "ab" * 32


def seal_two_days(database: Server) -> None:
    with database.connect() as owner:
        owner.execute("INSERT INTO parties_party (id, code, name) VALUES (1, 'HOUSE', 'House')")
        owner.execute(
            "INSERT INTO parties_legalentity"
            " (id, code, party_id, time_zone, calendar, opened_date, business_date)"
            " VALUES (1, 'HOUSE', 1, 'Asia/Shanghai', 'CN', '2026-01-01', '2026-01-03')"
        )
        days = (("2026-01-01", "00" * 32, "cd" * 32), ("2026-01-02", "cd" * 32, SEAL))
        for day, previous, seal in days:
            owner.execute(
                "INSERT INTO ledger_seal (legal_entity_id, date, entry_count, merkle_root,"
                " previous_hash, seal_hash, sealed_at) VALUES"
                " (1, %s, 0, decode(%s, 'hex'), decode(%s, 'hex'), decode(%s, 'hex'), now())",
                [day, "00" * 32, previous, seal],
            )


@contextmanager
def no_file_larger_than(size_bytes: int) -> Iterator[None]:
    """A disk that is full for us and for the programs we start."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
