"""What can be booked, and what the database refuses whoever asks."""

import time
from datetime import date, timedelta

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from tests.book.ledger.house import (
    BANK,
    CAPITAL,
    OPENED,
    SUSPENSE,
    another_session,
    open_house,
    waits_for_lock,
)

from tallystick.book.acts.models import Act
from tallystick.book.ledger.models import Account, Entry, Posting
from tallystick.book.ledger.post import (
    AlreadyReversed,
    BookedOutsideOpenDays,
    NoSuchEntry,
    journal_entry,
    post,
    post_many,
    reverse,
)
from tallystick.book.ledger.seal import seal, sealed
from tallystick.rules.journal import JournalEntry, Side, credit, debit


def singly(*entries: JournalEntry, act_id: int | None = None) -> list[int]:
    return [post(entry, act_id=act_id) for entry in entries]


@transaction.atomic
def bulk(*entries: JournalEntry, act_id: int | None = None) -> list[int]:
    return post_many(entries, act_id=act_id)


ways = pytest.mark.parametrize(
    "book", [pytest.param(singly, id="one by one"), pytest.param(bulk, id="in bulk")]
)


@ways
def test_entries_are_booked_as_they_were_written(house, book):
    act = Act.objects.create(
        owner="system", key=house.code, kind="test", request_sha256=b"", actor="a", channel="lab"
    )
    entries = [
        house.entry(),
        house.entry(
            debit(house.principal, 70),
            debit(BANK, 2**62),
            credit(BANK, 70),
            credit(house.supplier_credit, 2**62),
            value_date=OPENED - timedelta(days=40),
            event="receipt_allocated",
            reference="loan:甲\t\\N\n-1",
        ),
        house.entry(currency="USD"),
    ]

    ids = book(*entries, act_id=act.pk)

    assert ids == sorted(ids)
    assert set(Entry.objects.filter(pk__in=ids).values_list("act", flat=True)) == {act.pk}
    assert [journal_entry(entry_id) for entry_id in ids] == entries
    assert list(Posting.objects.filter(entry=ids[1]).values_list("line", "side")) == [
        (1, Side.DEBIT),
        (2, Side.DEBIT),
        (3, Side.CREDIT),
        (4, Side.CREDIT),
    ]


def test_thousands_of_entries_are_booked_in_their_order(house):
    entries = [
        house.entry(debit(BANK, number), credit(house.supplier_credit, number), booking_date=OPENED)
        for number in range(1, 10_003)  # more than are sent at a time
    ]

    ids = bulk(*entries)

    assert ids == sorted(set(ids))
    booked = Posting.objects.filter(entry__in=ids, side=Side.DEBIT).order_by("entry_id")
    assert list(booked.values_list("amount_minor", flat=True)) == list(range(1, 10_003))
    assert bulk() == []


@ways
@pytest.mark.parametrize(
    "days_off",
    [
        pytest.param(-1, id="a sealed day"),
        pytest.param(1, id="a day that has not begun"),
        pytest.param(-30, id="a day before the books were opened"),
    ],
)
def test_nothing_is_booked_outside_the_open_days(house, book, days_off):
    house.close()
    good = house.entry()
    bad = house.entry(booking_date=house.open_day() + timedelta(days=days_off))

    with pytest.raises(BookedOutsideOpenDays, match="open business day"), transaction.atomic():
        book(good, bad)

    assert house.entry_count == 0


def test_a_closed_day_that_is_not_sealed_yet_still_takes_the_nights_entries(house):
    night = house.entry()
    house.roll()

    assert post(night)


@ways
def test_a_reversal_swaps_the_sides_and_is_linked(house, book):
    (entry_id,) = book(
        house.entry(debit(house.principal, 70), debit(BANK, 30), credit(SUSPENSE, 100))
    )
    house.close()

    reversal_id = reverse(entry_id, event="undone", booking_date=house.open_day())

    assert journal_entry(reversal_id) == house.entry(
        credit(house.principal, 70),
        credit(BANK, 30),
        debit(SUSPENSE, 100),
        event="undone",
        value_date=OPENED,
        reverses=entry_id,
    )


@ways
def test_an_entry_is_reversed_at_most_once_and_a_reversal_can_be_reversed(house, book):
    entry_id = post(house.entry())
    reversal_id = reverse(entry_id, event="undone", booking_date=OPENED)
    again = house.entry(credit(BANK, 100), debit(CAPITAL, 100), reverses=entry_id)

    with pytest.raises(AlreadyReversed, match="reverse the reversal"), transaction.atomic():
        book(again)

    assert reverse(reversal_id, event="redone", booking_date=OPENED)


def test_what_is_not_there_cannot_be_reversed(house):
    with pytest.raises(NoSuchEntry, match="no entry 12345"):
        reverse(12345, event="undone", booking_date=OPENED)


@ways
@pytest.mark.parametrize(
    "postings",
    [
        pytest.param((debit(BANK, 100), credit(CAPITAL, 100)), id="the same sides"),
        pytest.param((credit(BANK, 90), debit(CAPITAL, 90)), id="another amount"),
        pytest.param((credit(BANK, 100), debit(SUSPENSE, 100)), id="another account"),
        pytest.param(
            (credit(BANK, 100), credit(BANK, 1), debit(CAPITAL, 101)), id="a line too many"
        ),
    ],
)
def test_what_does_not_mirror_the_entry_it_reverses_is_refused(house, book, postings):
    entry_id = post(house.entry())

    with pytest.raises(IntegrityError, match="sides swapped"), transaction.atomic():
        book(house.entry(*postings, reverses=entry_id))


@ways
def test_an_entry_cannot_reverse_what_is_not_there(house, book):
    with pytest.raises(IntegrityError, match="sides swapped"), transaction.atomic():
        book(house.entry(reverses=12345))


@ways
def test_an_act_that_is_not_there_cannot_have_booked_anything(house, book):
    with pytest.raises(IntegrityError, match="there is no act 4711"), transaction.atomic():
        book(house.entry(), act_id=4711)


# The rest is tried past the product's own functions, as the owner of the tables.

ENTRY = (
    "INSERT INTO ledger_entry (id, legal_entity_id, currency, event, reference, value_date,"
    " booking_date, line_count) VALUES (%s, {entity}, 'CNY', 'e', 'r', '2026-01-05',"
    " '2026-01-05', %s)"
)
POSTINGS = (
    "INSERT INTO ledger_posting (entry_id, line, account_id, side, amount_minor, value_date,"
    " booking_date) VALUES "
)


@pytest.fixture
def accounts(house) -> dict[str, int]:
    """Accounts by what is special about them."""
    other = open_house(f"OTHER-{house.code}")
    post(house.entry())
    post(house.entry(currency="USD"))
    post(other.entry())
    return {
        "bank": Account.objects.get(
            name="bank", currency="CNY", legal_entity=house.legal_entity_id
        ).pk,
        "capital": Account.objects.get(
            name="capital", currency="CNY", legal_entity=house.legal_entity_id
        ).pk,
        "dollars": Account.objects.get(
            name="capital", currency="USD", legal_entity=house.legal_entity_id
        ).pk,
        "elsewhere": Account.objects.get(name="capital", legal_entity=other.legal_entity_id).pk,
        "missing": 99_999,
    }


@pytest.fixture
def entry_id(owner) -> int:
    """The number of an entry that nobody else will have."""
    return owner.execute("SELECT nextval('ledger_entry_id_seq')").fetchone()[0]


def put(owner, house, entry_id, line_count, *lines):
    """An entry and its postings by plain INSERTs in one transaction; ``lines`` are value lists."""
    with owner.transaction():
        if line_count is not None:
            owner.execute(ENTRY.format(entity=house.legal_entity_id), (entry_id, line_count))
        for together in lines:
            owner.execute(POSTINGS + ", ".join(together))


def line(entry_id, number, account, side, amount, value="2026-01-05", booking="2026-01-05"):
    return f"({entry_id}, {number}, {account}, {side}, {amount}, '{value}', '{booking}')"


def good_lines(entry_id, accounts):
    return [
        line(entry_id, 1, accounts["bank"], 1, 5),
        line(entry_id, 2, accounts["capital"], -1, 5),
    ]


def test_an_entry_written_past_the_product_counts_like_any_other(owner, house, accounts, entry_id):
    put(owner, house, entry_id, 2, good_lines(entry_id, accounts))

    assert journal_entry(entry_id).total_minor(Side.DEBIT) == 5


@pytest.mark.parametrize(
    ("line_count", "lines"),
    [
        pytest.param(2, [[(1, "bank", 1, 5), (2, "capital", -1, 4)]], id="not in balance"),
        pytest.param(2, [[(1, "bank", 1, 5), (2, "capital", 1, 5)]], id="debits only"),
        pytest.param(2, [], id="no postings"),
        pytest.param(3, [[(1, "bank", 1, 5), (2, "capital", -1, 5)]], id="a line short"),
        pytest.param(2, [[(1, "bank", 1, 5), (3, "capital", -1, 5)]], id="a line left out"),
        pytest.param(2, [[(0, "bank", 1, 5), (1, "capital", -1, 5)]], id="a line zero"),
        pytest.param(
            2,
            [[(1, "bank", 1, 5), (2, "capital", -1, 5), (3, "bank", 1, 1), (4, "bank", -1, 1)]],
            id="lines too many",
        ),
        pytest.param(
            2,
            [[(1, "bank", 1, 5), (2, "capital", -1, 5)], [(3, "bank", 1, 1), (4, "bank", -1, 1)]],
            id="extended by a second statement",
        ),
        pytest.param(2, [[(1, "bank", 1, 5)], [(2, "capital", -1, 5)]], id="in two statements"),
        pytest.param(2, [[(1, "bank", 1, 5), (2, "dollars", -1, 5)]], id="another currency"),
        pytest.param(2, [[(1, "bank", 1, 5), (2, "elsewhere", -1, 5)]], id="another entity"),
        pytest.param(2, [[(1, "dollars", 1, 5), (2, "dollars", -1, 5)]], id="not its currency"),
        pytest.param(2, [[(1, "bank", 1, 5), (2, "missing", -1, 5)]], id="an unknown account"),
        pytest.param(2, [[(1, "missing", 1, 5), (2, "missing", -1, 5)]], id="no known account"),
        pytest.param(2, [[(1, "bank", 1, 0), (2, "capital", -1, 0)]], id="amounts of zero"),
        pytest.param(2, [[(1, "bank", 1, -5), (2, "capital", -1, -5)]], id="amounts below zero"),
        pytest.param(2, [[(1, "bank", 2, 5), (2, "capital", -2, 5)]], id="no such sides"),
        pytest.param(1, [[(1, "bank", 1, 5)]], id="one line"),
        pytest.param(None, [[(1, "bank", 1, 5), (2, "capital", -1, 5)]], id="no entry"),
        pytest.param(
            2,
            [[(1, "bank", 1, 5, "2026-01-04"), (2, "capital", -1, 5, "2026-01-04")]],
            id="another value date",
        ),
        pytest.param(
            2,
            [
                [
                    (1, "bank", 1, 5, "2026-01-05", "2026-01-06"),
                    (2, "capital", -1, 5, "2026-01-05", "2026-01-05"),
                ]
            ],
            id="another booking date",
        ),
    ],
)
def test_the_database_refuses_an_entry_with_wrong_postings(
    owner, house, accounts, entry_id, line_count, lines
):
    written = [
        [line(entry_id, number, accounts[name], *rest) for number, name, *rest in together]
        for together in lines
    ]

    with pytest.raises(psycopg.IntegrityError):
        put(owner, house, entry_id, line_count, *written)

    assert not Entry.objects.filter(pk=entry_id).exists()
    assert not Posting.objects.filter(entry=entry_id).exists()


def test_one_wrong_entry_among_thousands_is_refused_with_all_of_them(
    owner, house, accounts, entry_id
):
    ids = range(10**12 + entry_id, 10**12 + entry_id + 2000)  # far from those in use
    wrong_id = ids[437]

    def copied():
        with owner.transaction():
            with owner.cursor().copy(
                "COPY ledger_entry (id, legal_entity_id, currency, event, reference, value_date,"
                " booking_date, line_count) FROM STDIN"
            ) as copy:
                for each in ids:
                    copy.write_row(
                        (each, house.legal_entity_id, "CNY", "e", "r", OPENED, OPENED, 2)
                    )
            with owner.cursor().copy(
                "COPY ledger_posting (entry_id, line, account_id, side, amount_minor, value_date,"
                " booking_date) FROM STDIN"
            ) as copy:
                for each in ids:
                    debit_minor = 7 if each == wrong_id else 8
                    copy.write_row((each, 1, accounts["bank"], 1, debit_minor, OPENED, OPENED))
                    copy.write_row((each, 2, accounts["capital"], -1, 8, OPENED, OPENED))

    with pytest.raises(psycopg.errors.CheckViolation, match=f"entry {wrong_id} "):
        copied()

    assert not Entry.objects.filter(pk__in=ids).exists()


def test_one_empty_entry_among_others_is_refused_at_the_end_of_the_transaction(
    owner, house, accounts, entry_id
):
    first, empty, last = (10**13 + 3 * entry_id + step for step in range(3))

    def written():
        with owner.transaction():
            for each in (first, empty, last):
                owner.execute(ENTRY.format(entity=house.legal_entity_id), (each, 2))
            lines = good_lines(first, accounts) + good_lines(last, accounts)
            owner.execute(POSTINGS + ", ".join(lines))

    with pytest.raises(psycopg.errors.CheckViolation, match=f"entry {empty} has no postings"):
        written()

    assert owner.execute("SELECT count(*) FROM ledger_awaited_postings").fetchone() == (0,)


def test_a_booked_entry_cannot_be_extended_afterwards(owner, house, accounts):
    entry_id = post(house.entry())
    more = [
        line(entry_id, 3, accounts["bank"], 1, 5),
        line(entry_id, 4, accounts["capital"], -1, 5),
    ]

    with pytest.raises(psycopg.IntegrityError):
        owner.execute(POSTINGS + ", ".join(more))


@pytest.mark.parametrize(
    "table",
    ["account", "book", "daytotal", "entry", "posting", "rollup", "seal"],
)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_the_owner_too_can_only_add_to_the_ledger(owner, house, table, change):
    post(house.entry())
    house.close()
    column = {
        "account": "name",
        "book": "currency",
        "daytotal": "debit_minor",
        "entry": "event",
        "seal": "entry_count",
    }

    with pytest.raises(psycopg.IntegrityError, match="only added to"):
        owner.execute(
            change.format(f"ledger_{table}", column.get(table, "value_date"))
            + (" CASCADE" if change.startswith("TRUNCATE") else "")
        )


def test_a_session_that_skips_ordinary_triggers_is_refused_too(owner, house, accounts, entry_id):
    owner.execute("SET session_replication_role = replica")

    with pytest.raises(psycopg.IntegrityError):
        put(owner, house, entry_id, 2, good_lines(entry_id, accounts)[:1])
    with pytest.raises(psycopg.IntegrityError, match="only added to"):
        owner.execute("DELETE FROM ledger_posting")


def test_an_older_snapshot_cannot_book_past_a_seal(owner, house, accounts, entry_id):
    owner.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    with pytest.raises(psycopg.IntegrityError, match="read committed"):
        put(owner, house, entry_id, 2, good_lines(entry_id, accounts))


@pytest.mark.parametrize("table", ["parties_party", "parties_legalentity"])
def test_the_codes_that_sealed_entries_name_stay(owner, house, table):
    with pytest.raises(psycopg.IntegrityError, match=f"code {house.code} stays"):
        owner.execute(f"UPDATE {table} SET code = 'ELSE' WHERE code = %s", (house.code,))


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(
            "INSERT INTO ledger_rollup VALUES (1, '2026-01-05', '2026-01-05', 1, 1)",
            id="write a roll-up",
        ),
        pytest.param(
            "INSERT INTO ledger_daytotal VALUES (1, '2026-01-05', 1, 1)", id="write a day's total"
        ),
        pytest.param(
            "INSERT INTO ledger_entry (legal_entity_id, currency, event, reference, value_date,"
            " booking_date, line_count, booked_at)"
            " VALUES (1, 'CNY', 'e', 'r', '2026-01-05', '2026-01-05', 2, now())",
            id="say when an entry was booked",
        ),
        pytest.param("INSERT INTO ledger_awaited_postings VALUES (1, 2)", id="keep a promise"),
        pytest.param("UPDATE acts_act SET request_sha256 = ''", id="rewrite a request"),
    ],
)
def test_the_application_has_no_right_to(house, statement):
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(statement)


def test_an_entry_can_be_part_of_a_larger_statement(house, accounts):
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH sum AS (SELECT 7 AS amount_minor)"
            " SELECT ledger_post(%s, 'CNY', 'capital_paid_in', 'capital:2', %s, %s, %s, %s,"
            "     ARRAY[amount_minor, amount_minor]) FROM sum",
            [
                house.legal_entity_id,
                OPENED,
                OPENED,
                [accounts["bank"], accounts["capital"]],
                [1, -1],
            ],
        )
        (entry_id,) = cursor.fetchone()

    assert journal_entry(entry_id).postings == (debit(BANK, 7), credit(CAPITAL, 7))


# Booking and sealing at the same time.


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


@ways
def test_a_seal_waits_for_the_entries_in_flight_and_holds_them(house, book):
    night = house.entry()
    house.roll()
    with another_session() as elsewhere:
        with transaction.atomic():
            book(night)
            pid = elsewhere.submit(backend_pid).result()
            sealing = elsewhere.submit(seal, house.legal_entity_id, OPENED)
            until(lambda: waits_for_lock(pid))
        header = sealing.result()

    assert header.entry_count == 1


def test_while_a_day_is_being_sealed_the_next_one_takes_entries(house):
    next_day = house.roll()
    with another_session() as elsewhere, transaction.atomic():
        seal(house.legal_entity_id, OPENED)
        assert elsewhere.submit(post, house.entry(booking_date=next_day)).result(timeout=10)

    assert sealed(house.legal_entity_id, OPENED).entry_count == 0


def test_an_entry_that_comes_while_its_day_is_being_sealed_is_refused(house):
    night = house.entry()
    house.roll()
    with another_session() as elsewhere:
        pid = elsewhere.submit(backend_pid).result()
        with transaction.atomic():
            seal(house.legal_entity_id, OPENED)
            posting = elsewhere.submit(post, night)
            until(lambda: waits_for_lock(pid))
        with pytest.raises(BookedOutsideOpenDays, match=str(date(2026, 1, 5))):
            posting.result()
