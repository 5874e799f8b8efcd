"""Each check of servicing finds what it is there for, and names the object and the difference."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings
from tests.book.servicing.scene import START
from tests.book.servicing.test_settle import receipt, take

from tallystick.book.financing.models import Loan
from tallystick.book.servicing.checks import servicing_checks
from tallystick.book.servicing.close import close_through
from tallystick.site import databases

TAMPERED = [
    (
        "SELECT 1",  # the guards are out of the way for all of these
        "guards of payments, loans and days stand",
        (
            "trigger servicing_position_history_kept",
            "enabled always",
            "missing or disabled",
        ),
    ),
    (
        "UPDATE servicing_settlementline SET facility_id = 777 WHERE bucket = 'residual'",
        "loans: events, positions and lines refer to what is there",
        (None, "a row that is there", "facility 777"),
    ),
    (
        "UPDATE servicing_settlementline SET amount_minor = 640001 WHERE bucket = 'residual'",
        "receipts: lines and unapplied cash sum to the cash",
        ("receipt R1", "1000000", "1000001"),
    ),
    (
        (
            "UPDATE servicing_settlementline SET bucket = 'interest', loan_id = NULL"
            " WHERE loan_id IS NOT NULL"
        ),
        "receipts: lines to loans are the loans' events",
        (None, "0", "360000"),
    ),
    (
        "UPDATE payments_remittanceline SET amount_minor = 999999",
        "receipts: what they remit is what claims were paid",
        (None, "999999", "1000000"),
    ),
    (
        "UPDATE payments_cashreceipt SET unapplied_minor = 0 WHERE bank_reference = 'R2'",
        "suspense: the ledger holds the unapplied cash",
        ("suspense of LENDER in CNY", "0", "5000"),
    ),
    (
        "UPDATE watch_workitem SET closed_at = now()",
        "suspense: unapplied cash is on the worklist",
        ("receipt R2", "an open work item", "none"),
    ),
    (
        "UPDATE payments_paymentorder SET status = 'paid'",
        "suppliers: the ledger holds what is theirs",
        ("money of supplier S1 in CNY", "0", "640000"),
    ),
    (
        "UPDATE payments_paymentorder SET amount_minor = 640001",
        "suppliers: what is payable covers the orders",
        ("payable to supplier S1 in CNY", "at least 640001", "640000"),
    ),
    (
        (
            "UPDATE ledger_posting SET side = -side WHERE account_id IN"
            " (SELECT id FROM ledger_account WHERE name = 'settlement_suspense')"
        ),
        "ledger: no balance below zero",
        ("settlement_suspense in CNY", "not below 0", "-5000"),
    ),
    (
        (
            "UPDATE ledger_posting SET amount_minor = amount_minor + 1 WHERE side = 1"
            " AND account_id IN (SELECT id FROM ledger_account WHERE name = 'settlement_clearing')"
        ),
        "ledger: no cash left in clearing",
        ("settlement clearing of LENDER in CNY", "0", "2"),
    ),
    (
        "UPDATE financing_loan SET status = 'live' WHERE status = 'settled'",
        "loans: status, book and due date are the position's",
        (None, "live", "settled, paid out 1 times"),
    ),
    (
        "DELETE FROM servicing_loanevent WHERE kind = 'disbursed'",
        "loans: status, book and due date are the position's",
        (None, "live", "live, never paid out"),
    ),
    (
        (
            "UPDATE servicing_position SET superseded_date = superseded_date + 1"
            " WHERE superseded_date < '9999-12-31'"
        ),
        "loans: positions follow each other without a gap",
        (None, "ends on 2026-03-07", "ends on 2026-03-08"),
    ),
    (
        "UPDATE financing_loan SET status = 'pending' WHERE status = 'live'",
        "ledger: committed drawdowns are the pending loans and advances",
        (None, "720000", "0"),
    ),
    (
        "DELETE FROM servicing_daystep WHERE step = 'accrual' AND date = '2026-03-03'",
        "days: closed with every step",
        ("day 2026-03-03 of LENDER, step accrual", "done", "not done"),
    ),
    (
        (
            "UPDATE servicing_position SET interest_numerator = interest_numerator + 1"
            " WHERE NOT settled"
        ),
        "loans: positions are the fold of their events",
        (None, "accrued_numerator 0", "accrued_numerator 1"),
    ),
    (
        "UPDATE servicing_loanevent SET amount_minor = amount_minor - 1 WHERE kind = 'received'",
        "ledger: receivables are the sum of the loans",
        (
            None,
            "720001",
            "720000, a difference of -1; stored otherwise: loan {repaid} -1",
        ),
    ),
    (
        (
            "UPDATE ledger_daytotal SET debit_minor = debit_minor + 1 WHERE debit_minor = 720000"
            " AND account_id IN (SELECT id FROM ledger_account WHERE name = 'loan_principal')"
        ),
        "ledger: receivables are the sum of the loans",
        (
            None,
            "720000",
            "720001, a difference of 1; each of its loans is stored as its events say",
        ),
    ),
    (
        (
            "UPDATE servicing_loanevent SET amount_minor = amount_minor - 1"
            " WHERE kind = 'disbursed' AND amount_minor = 720000"
        ),
        "ledger: each loan's own entries are its events",
        (None, "719999", "720000, a difference of 1"),
    ),
    (
        (
            "UPDATE servicing_position SET interest_numerator = interest_numerator + denominator"
            " WHERE NOT settled"
        ),
        "ledger: income and suspense are what the loans have earned",
        ("interest of jd.jingbaobei in CNY on 2026-03-07", "1", "0"),
    ),
]


@pytest.fixture
def as_owner(database):
    """A loan repaid out of a settlement, one still live, and cash in suspense; days closed."""
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    claim = scenes.owes(facility, 1_000_000)
    scenes.lent(facility, 360_000, rate_ppb=0, penalty_rate_ppb=0, days=10)
    close_through(scene.legal_entity_id, START + timedelta(days=4))
    take(
        scene,
        receipt("R1", (claim, 1_000_000), value_date=scene.today),
        receipt("R2", amount_minor=5_000, value_date=scene.today),
    )
    scenes.lent(facility, 720_000, rate_ppb=0, penalty_rate_ppb=0)
    close_through(scene.legal_entity_id, scene.today)
    assert scene.today == date(2026, 3, 8)
    assert findings() == []
    databases.use(database, as_owner=True)


def test_every_check_of_servicing_finds_what_it_is_there_for(as_owner):
    repaid = Loan.objects.get(status="settled").code
    for tampering, check, (subject, expected, found) in TAMPERED:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                for table in TABLES:
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                cursor.execute(tampering)
                assert cursor.rowcount

            said = [
                (f.expected, f.found)
                for each in servicing_checks()
                for f in each.run()
                if f.check == check and subject in (None, f.subject)
            ]

            assert (expected, found.format(repaid=repaid)) in said, (check, said)
            transaction.set_rollback(True)
    assert {check for _, check, _ in TAMPERED} >= {
        check.name for check in servicing_checks() if check.name != REFOLD
    }


REFOLD = "loans: recomputed from their events"
TABLES = (
    "servicing_settlementline",
    "servicing_loanevent",
    "servicing_position",
    "servicing_daystep",
    "payments_remittanceline",
    "payments_cashreceipt",
    "payments_paymentorder",
    "watch_workitem",
    "ledger_posting",
    "ledger_daytotal",
    "financing_loan",
)
