"""Books that nobody tampered with pass every check; each way of tampering is found and named."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from tests.book.ledger.house import BANK, CAPITAL, OPENED, open_house

from tallystick.book.ledger.accounts import open_accounts
from tallystick.book.ledger.checks import GUARDS, ledger_checks
from tallystick.book.ledger.post import post, reverse
from tallystick.rules.journal import credit, debit
from tallystick.site import databases


def findings(**options):
    return [finding for check in ledger_checks(**options) for finding in check.run()]


@pytest.fixture(scope="module")
def house(shared_database):
    """Two sealed days and an open one, with a back-dated entry and a reversal."""
    house = open_house()
    entry_id = post(house.entry())
    post(house.entry(debit(house.principal, 60), credit(house.supplier_credit, 60)))
    house.close()
    post(house.entry(value_date=OPENED))
    reverse(entry_id, event="undone", booking_date=house.open_day())
    house.close()
    post(house.entry())
    assert open_accounts(house.legal_entity_id, "CNY", [BANK, CAPITAL]) == {BANK: 1, CAPITAL: 2}
    # From here on as the owner, who can do what the guards are there to make visible.
    databases.use(shared_database, as_owner=True)
    return house


@pytest.fixture
def tamper(house):
    """Do what an owner can do who first takes the guards down; undone after the test."""

    def done(statement):
        with connection.cursor() as cursor:
            for table in GUARDS:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks due stays locked
            for table, triggers in GUARDS.items():
                for trigger in triggers:
                    cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")

    with transaction.atomic():
        yield done
        transaction.set_rollback(True)


def test_books_that_nobody_tampered_with_pass(house):
    checks = ledger_checks()

    assert [finding for check in checks for finding in check.run()] == []
    assert [check.name for check in checks][-2:] == [
        "chain of seals of HOUSE",
        "sealed days of HOUSE in 2026-01",
    ]


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        pytest.param(
            "UPDATE ledger_posting SET amount_minor = 99 WHERE entry_id = 1 AND line = 1",
            {
                ("entries balance", "entry 1"),
                ("reversals mirror", "entry 4"),
                ("roll-ups equal postings", "account 1, booked 2026-01-05, value 2026-01-05"),
                ("sealed days of HOUSE in 2026-01", "entries booked in 2026-01-05"),
            },
            id="an amount",
        ),
        pytest.param(
            "UPDATE ledger_posting SET amount_minor = 99 WHERE entry_id = 3",
            {
                ("roll-ups equal postings", "account 1, booked 2026-01-06, value 2026-01-05"),
                ("roll-ups equal postings", "account 2, booked 2026-01-06, value 2026-01-05"),
                ("sealed days of HOUSE in 2026-01", "entries booked in 2026-01-06"),
            },
            id="an amount, in balance",
        ),
        pytest.param(
            "UPDATE ledger_entry SET reference = 'loan:else' WHERE id = 2",
            {("sealed days of HOUSE in 2026-01", "entries booked in 2026-01-05")},
            id="a reference",
        ),
        pytest.param(
            "UPDATE ledger_posting SET account_id = 2 WHERE entry_id = 5 AND line = 1",
            set(),
            id="an open day's account: nothing to hold it against yet",
        ),
        pytest.param(
            "DELETE FROM ledger_posting WHERE entry_id = 5",
            {("entries balance", "entry 5")},
            id="postings taken away",
        ),
        pytest.param(
            "DELETE FROM ledger_entry WHERE id = 5",
            {("entries balance", "entry 5")},
            id="an entry taken away from its postings",
        ),
        pytest.param(
            "UPDATE ledger_posting SET value_date = '2026-01-01' WHERE entry_id = 5 AND line = 1",
            {("entries balance", "entry 5")},
            id="a posting's date",
        ),
        pytest.param(
            "INSERT INTO ledger_entry (id, legal_entity_id, currency, event, reference,"
            " value_date, booking_date, line_count)"
            " VALUES (77, 1, 'CNY', 'e', 'r', '2026-01-05', '2026-01-05', 2);"
            "INSERT INTO ledger_posting (entry_id, line, account_id, side, amount_minor,"
            " value_date, booking_date) VALUES"
            " (77, 1, 1, 1, 5, '2026-01-05', '2026-01-05'),"
            " (77, 2, 2, -1, 5, '2026-01-05', '2026-01-05')",
            {
                ("nothing booked after the seal", "entry 77"),
                ("roll-ups equal postings", "account 1, booked 2026-01-05, value 2026-01-05"),
                ("roll-ups equal postings", "account 2, booked 2026-01-05, value 2026-01-05"),
                ("sealed days of HOUSE in 2026-01", "entries booked in 2026-01-05"),
            },
            id="an entry slipped into a sealed day",
        ),
        pytest.param(
            "UPDATE ledger_rollup SET debit_minor = debit_minor + 1 WHERE account_id = 1"
            " AND booking_date = '2026-01-05'",
            {
                ("trial balance", "HOUSE CNY"),
                ("roll-ups equal postings", "account 1, booked 2026-01-05, value 2026-01-05"),
                ("day totals equal roll-ups", "account 1, booked 2026-01-05"),
            },
            id="a roll-up",
        ),
        pytest.param(
            "UPDATE ledger_daytotal SET debit_minor = debit_minor + 1 WHERE account_id = 1"
            " AND booking_date = '2026-01-06'",
            {("day totals equal roll-ups", "account 1, booked 2026-01-06")},
            id="a day's total",
        ),
        pytest.param(
            "DELETE FROM ledger_rollup WHERE booking_date = '2026-01-05' AND account_id > 2",
            {
                ("roll-ups equal postings", "account 3, booked 2026-01-05, value 2026-01-05"),
                ("roll-ups equal postings", "account 4, booked 2026-01-05, value 2026-01-05"),
                ("day totals equal roll-ups", "account 3, booked 2026-01-05"),
                ("day totals equal roll-ups", "account 4, booked 2026-01-05"),
            },
            id="roll-ups taken away",
        ),
        pytest.param(
            "UPDATE ledger_seal SET merkle_root = sha256('x') WHERE date = '2026-01-05'",
            {
                ("chain of seals of HOUSE", "seal of 2026-01-05, hash"),
                ("sealed days of HOUSE in 2026-01", "entries booked in 2026-01-05"),
            },
            id="a root",
        ),
        pytest.param(
            "UPDATE ledger_seal SET seal_hash = sha256('x') WHERE date = '2026-01-05'",
            {
                ("chain of seals of HOUSE", "seal of 2026-01-05, hash"),
                ("chain of seals of HOUSE", "seal of 2026-01-06, previous seal"),
            },
            id="a seal",
        ),
        pytest.param(
            "DELETE FROM ledger_seal WHERE date = '2026-01-05'",
            {
                ("chain of seals of HOUSE", "seal of 2026-01-06"),
                ("chain of seals of HOUSE", "seal of 2026-01-06, previous seal"),
                ("roll-ups equal postings", "account 1, booked 2026-01-05, value 2026-01-05"),
                ("roll-ups equal postings", "account 2, booked 2026-01-05, value 2026-01-05"),
                ("roll-ups equal postings", "account 3, booked 2026-01-05, value 2026-01-05"),
                ("roll-ups equal postings", "account 4, booked 2026-01-05, value 2026-01-05"),
            },
            id="a seal taken away",
        ),
        pytest.param(
            "UPDATE ledger_account SET name = 'settlement_suspense' WHERE name = 'capital'",
            {
                ("sealed days of HOUSE in 2026-01", "entries booked in 2026-01-05"),
                ("sealed days of HOUSE in 2026-01", "entries booked in 2026-01-06"),
            },
            id="an account's name",
        ),
    ],
)
def test_tampering_is_found_and_named(tamper, tampering, found):
    tamper(tampering)

    assert {(finding.check, finding.subject) for finding in findings()} == found


def test_a_finding_tells_what_should_be_there_and_what_is(tamper):
    tamper(
        "UPDATE ledger_rollup SET debit_minor = 7 WHERE account_id = 1"
        " AND booking_date = '2026-01-05'"
    )

    (finding,) = [each for each in findings() if each.check == "roll-ups equal postings"]

    assert (finding.expected, finding.found) == ("debit 100, credit 0", "debit 7, credit 0")


def test_what_was_booked_before_a_day_can_be_left_out(tamper):
    tamper("UPDATE ledger_posting SET amount_minor = 99 WHERE entry_id = 2")

    assert findings(since=OPENED)
    assert findings(since=OPENED + timedelta(days=1)) == []


@pytest.mark.parametrize("table", GUARDS)
def test_a_guard_taken_down_is_found(house, table):
    for trigger in GUARDS[table]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
            found = findings()
            transaction.set_rollback(True)
        assert [finding.subject for finding in found] == [f"trigger {trigger} of {table}"]


def test_every_guard_of_the_ledger_is_among_those_looked_for(house):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal"
            " AND (relname ~ '^(acts|ledger)_' OR tgname ~ '_code_stays$')"
        )
        standing = set(cursor.fetchall())

    assert standing == {(table, each) for table, names in GUARDS.items() for each in names}


def test_a_table_handed_to_the_application_is_found(house):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("GRANT CREATE ON SCHEMA public TO tallystick_app")
        cursor.execute("ALTER TABLE ledger_rollup OWNER TO tallystick_app")
        found = findings()
        transaction.set_rollback(True)

    assert "relation ledger_rollup" in {finding.subject for finding in found}
