"""How fast the ledger is: posting in bulk and one by one, and the balance of a large account.

Posting is compared with the least that PostgreSQL can do with the same rows in the same run: COPY,
or one INSERT statement, into tables of the same columns and indexes without triggers and without
foreign keys. The two take turns, and the median of their rounds counts.
"""

import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from functools import partial
from typing import Any

import psycopg
from django.db import connection, connections, transaction

from tallystick.book.ledger.accounts import open_accounts
from tallystick.book.ledger.post import post, post_many
from tallystick.book.ledger.queries import balances
from tallystick.book.ledger.seal import seal
from tallystick.book.parties.models import LegalEntity, Party
from tallystick.book.rights import APPLICATION_ROLE
from tallystick.lab.bench.figures import Figure, seconds
from tallystick.rules.journal import AccountName, JournalEntry, credit, debit

OPENED = date(2025, 1, 1)
CLEARING = AccountName("settlement_clearing")
SUSPENSE = AccountName("settlement_suspense")
SUPPLIERS = 1_000
BULK_ROUNDS = 5
CONNECTIONS = (1, 4, 16)
SINGLE_ROUNDS = 3
SEALED_LINES = 50  # per entry of a sealed day: what a day rolls up to does not depend on it
QUESTIONS = 100

_TWINS = """
    CREATE TABLE bare_entry (LIKE ledger_entry INCLUDING ALL);
    CREATE TABLE bare_posting (LIKE ledger_posting INCLUDING ALL);
    GRANT SELECT, INSERT ON bare_entry, bare_posting TO {role};
"""
_BARE_INSERT = """
    WITH entry AS (
        INSERT INTO bare_entry (id, legal_entity_id, value_date, booking_date, line_count,
            currency, event, reference)
        VALUES (nextval('ledger_entry_id_seq'), %s, %s, %s, 4, 'CNY', 'receipt_allocated', %s)
        RETURNING id, value_date, booking_date
    )
    INSERT INTO bare_posting
        (entry_id, line, account_id, side, amount_minor, value_date, booking_date)
    SELECT id, line, account_id, side, amount_minor, value_date, booking_date
    FROM entry, (VALUES (1, %s::bigint, 1, %s::bigint), (2, %s, -1, %s), (3, %s, -1, %s),
        (4, %s, -1, %s)) AS line (line, account_id, side, amount_minor)
"""


def measure(
    url: str, *, bulk_entries: int, round_seconds: float, days: int, postings_a_day: int
) -> list[Figure]:
    """Measure the ledger of an empty, migrated database.

    ``url`` lets its owner connect, who makes the tables to compare with; Django acts on it as the
    application. ``bulk_entries`` of 4 postings are one bulk; single entries are posted for
    ``round_seconds`` at a time. The large account has ``days`` sealed days and one unsealed, with
    ``postings_a_day`` each.
    """
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(_TWINS.format(role=APPLICATION_ROLE))
    return [
        *_bulk(_opened("BULK"), bulk_entries),
        *_singles(_opened("SINGLES"), round_seconds),
        *_large_account(url, _opened("LARGE"), days, postings_a_day),
    ]


def _opened(code: str) -> int:
    """A legal entity with suppliers; returns its id."""
    house, *_ = Party.objects.bulk_create(
        Party(code=f"{code}-{number}", name="Supplier") for number in range(SUPPLIERS + 1)
    )
    return LegalEntity.objects.create(
        code=code,
        party=house,
        time_zone="Asia/Shanghai",
        calendar="China",
        opened_date=OPENED,
        business_date=OPENED,
    ).pk


def _entry(
    legal_entity_id: int, number: int, parties: Sequence[int], *, booking_date: date = OPENED
) -> JournalEntry:
    """Four postings: two to accounts that every entry has in common, two to suppliers'."""
    some, other = parties[number % len(parties)], parties[number * 7 % len(parties)]
    return JournalEntry(
        legal_entity_id=legal_entity_id,
        currency="CNY",
        event="receipt_allocated",
        reference=f"receipt:{number}",
        value_date=_value_date(number, booking_date),
        booking_date=booking_date,
        postings=(
            debit(CLEARING, 100_00),
            credit(AccountName("payable_to_supplier", party=some), 60_00),
            credit(AccountName("supplier_credit", party=other), 30_00),
            credit(SUSPENSE, 10_00),
        ),
    )


def _value_date(number: int, booking_date: date) -> date:
    """Nine of ten entries count from the day they are booked in, one from up to 36 days before."""
    return booking_date - timedelta(days=0 if number % 10 else number % 37)


def _parties(legal_entity_id: int) -> list[int]:
    code = LegalEntity.objects.get(pk=legal_entity_id).code
    parties = Party.objects.filter(code__startswith=f"{code}-").order_by("pk")
    return list(parties.values_list("pk", flat=True))[1:]


def _account_ids(entries: Sequence[JournalEntry]) -> dict[AccountName, int]:
    names = {posting.account for entry in entries for posting in entry.postings}
    return open_accounts(entries[0].legal_entity_id, "CNY", names)


def _bulk(legal_entity_id: int, count: int) -> list[Figure]:
    parties = _parties(legal_entity_id)
    entries = [_entry(legal_entity_id, number, parties) for number in range(count)]
    account_ids = _account_ids(entries)
    postings = sum(len(entry.postings) for entry in entries)

    bare, ours = [], []
    for _ in range(BULK_ROUNDS + 1):
        rows = _rows(entries, account_ids)
        bare.append(seconds(partial(_copy_bare, *rows)))
        ours.append(seconds(partial(_post_all, entries)))
    bare_speed, speed = (postings / statistics.median(times[1:]) for times in (bare, ours))
    return [
        Figure("bulk: COPY without triggers", bare_speed, "postings/s"),
        Figure("bulk: post_many", speed, "postings/s", bound=150_000, at_most=False),
        Figure("bulk: ratio of the two", speed / bare_speed, "×", bound=0.35, at_most=False),
    ]


def _rows(entries: Sequence[JournalEntry], account_ids: dict[AccountName, int]) -> tuple[str, str]:
    """The rows of both tables, written out beforehand: COPY alone is measured."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval('ledger_entry_id_seq') FROM generate_series(1, %s)", [len(entries)]
        )
        numbered = [(entry_id, entry) for (entry_id,), entry in zip(cursor, entries, strict=True)]
    entry_rows = "".join(
        f"{entry_id}\t{entry.legal_entity_id}\t{entry.value_date}\t{entry.booking_date}\t4\tCNY"
        f"\t{entry.event}\t{entry.reference}\n"
        for entry_id, entry in numbered
    )
    posting_rows = "".join(
        f"{entry_id}\t{entry.value_date}\t{entry.booking_date}\t{line}"
        f"\t{account_ids[posting.account]}\t{posting.side:d}\t{posting.amount_minor}\n"
        for entry_id, entry in numbered
        for line, posting in enumerate(entry.postings, 1)
    )
    return entry_rows, posting_rows


def _copy_bare(entry_rows: str, posting_rows: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(
            "COPY bare_entry (id, legal_entity_id, value_date, booking_date, line_count, currency,"
            " event, reference) FROM STDIN"
        ) as copy:
            copy.write(entry_rows)
        with cursor.copy(
            "COPY bare_posting (entry_id, value_date, booking_date, line, account_id, side,"
            " amount_minor) FROM STDIN"
        ) as copy:
            copy.write(posting_rows)


@transaction.atomic
def _post_all(entries: Sequence[JournalEntry]) -> None:
    post_many(entries)


def _singles(legal_entity_id: int, round_seconds: float) -> list[Figure]:
    parties = _parties(legal_entity_id)
    entries = [_entry(legal_entity_id, number, parties) for number in range(2_000)]
    account_ids = _account_ids(entries)
    bare_rows = [
        (
            entry.legal_entity_id,
            entry.value_date,
            entry.booking_date,
            entry.reference,
            *(
                number
                for posting in entry.postings
                for number in (account_ids[posting.account], posting.amount_minor)
            ),
        )
        for entry in entries
    ]
    figures = []
    for count in CONNECTIONS:
        bare, ours = [], []
        for _ in range(SINGLE_ROUNDS):
            bare.append(_rate(_insert_bare, bare_rows, count, round_seconds))
            ours.append(_rate(post, entries, count, round_seconds))
        bare_rate, rate = statistics.median(bare), statistics.median(ours)
        at = f"at {count} connection{'s' if count > 1 else ''}"
        figures += [
            Figure(f"single: bare INSERT of 5 rows {at}", bare_rate, "/s"),
            Figure(f"single: post {at}", rate, "entries/s"),
            Figure(
                f"single: ratio of the two {at}", rate / bare_rate, "×", bound=0.6, at_most=False
            ),
        ]
    return figures


def _insert_bare(row: Sequence[object]) -> None:
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_BARE_INSERT, row, prepare=True)


def _rate(
    work: Callable[[Any], object], items: Sequence[Any], count: int, round_seconds: float
) -> float:
    """How many a second ``count`` processes do, each with a connection of its own."""
    connections.close_all()  # a connection cannot be shared with a forked process
    forked = multiprocessing.get_context("fork")
    start = forked.Manager().Barrier(count, timeout=60)
    with ProcessPoolExecutor(count, mp_context=forked) as processes:
        workers = [
            processes.submit(_worked, work, items, start, round_seconds) for _ in range(count)
        ]
        return sum(worker.result() for worker in workers)


def _worked(
    work: Callable[[Any], object], items: Sequence[Any], start: Any, round_seconds: float
) -> float:
    connection.ensure_connection()
    for item in items:  # learn the accounts' ids, prepare the statement
        work(item)
    start.wait()
    began, count = time.perf_counter(), 0
    while time.perf_counter() < began + round_seconds:
        work(random.choice(items))
        count += 1
    rate = count / (time.perf_counter() - began)
    connection.close()
    return rate


def _large_account(url: str, legal_entity_id: int, days: int, postings_a_day: int) -> list[Figure]:
    for day in range(days):
        _sealed_day(legal_entity_id, OPENED + timedelta(days=day), postings_a_day)
    today = OPENED + timedelta(days=days)
    parties = _parties(legal_entity_id)
    _post_all(
        [
            _entry(legal_entity_id, number, parties, booking_date=today)
            for number in range(postings_a_day)
        ]
    )
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("ANALYZE")  # as autovacuum does soon after so many rows

    account_id = open_accounts(legal_entity_id, "CNY", [CLEARING])[CLEARING]
    drawn = random.Random(7)
    past = [
        (
            OPENED + timedelta(days=drawn.randint(0, days)),
            today - timedelta(days=drawn.randint(0, days)),
        )
        for _ in range(QUESTIONS)
    ]
    # The best of ten: the question, and not what else the machine was doing.
    took = [
        min(seconds(partial(balances, [account_id], on=on, known_on=known_on)) for _ in range(10))
        for on, known_on in [(today, today), *past]
    ]
    size = f"{days * postings_a_day + postings_a_day:,} postings, {postings_a_day:,} unsealed"
    return [
        Figure(f"balance now of {size}", took[0] * 1_000, "ms", bound=5),
        Figure(
            f"balance, slowest of {QUESTIONS} past (on, known_on)",
            max(took[1:]) * 1_000,
            "ms",
            bound=20,
        ),
    ]


def _sealed_day(legal_entity_id: int, day: date, postings: int) -> None:
    lines = SEALED_LINES - 1
    entries = [
        JournalEntry(
            legal_entity_id=legal_entity_id,
            currency="CNY",
            event="settled",
            reference=f"settlement:{day}",
            value_date=_value_date(number, day),
            booking_date=day,
            postings=(*(debit(CLEARING, 100_00),) * lines, credit(SUSPENSE, 100_00 * lines)),
        )
        for number in range(max(1, postings // lines))
    ]
    _post_all(entries)
    LegalEntity.objects.filter(pk=legal_entity_id).update(business_date=day + timedelta(days=1))
    seal(legal_entity_id, day)
