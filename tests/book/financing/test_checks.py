"""Each check finds what it is there for, and names it."""

import psycopg
import pytest
from tests.book.financing.market import MILLION, OPERATOR, TODAY, Market

from tallystick.book.financing.checks import QUERIES, financing_checks
from tallystick.book.financing.draw_down import draw_down
from tallystick.book.payments.bank_answers import BankMessage, take_answers
from tallystick.site.server import Server

TAMPERINGS = [
    (
        "UPDATE financing_facility SET drawn_minor = drawn_minor + 1 WHERE code = 'F1'",
        "facilities: drawn is principal owed and payouts under way",
        "facility F1",
    ),
    (
        "UPDATE financing_programmelimit SET drawn_minor = drawn_minor - 1",
        "programmes: drawn is the sum of their facilities",
        "programme jd.jingbaobei",
    ),
    (
        "UPDATE funding_participation SET share_ppm = 999999 WHERE loan_id = 1",
        "loans: the funders' shares sum to one",
        "loan F1-1",
    ),
    (
        "DELETE FROM funding_participation WHERE loan_id = 2",
        "loans: the funders' shares sum to one",
        "loan F1-2",
    ),
    (
        "DELETE FROM financing_reservation WHERE loan_id = 1",
        "reservations: each has exactly one fate",
        "loan F1-1",
    ),
    (
        "UPDATE financing_loan SET status = 'live' WHERE id = 1",
        "reservations: each has exactly one fate",
        "loan F1-1",
    ),
    (
        "UPDATE financing_loan SET status = 'rejected' WHERE id = 2",
        "reservations: each has exactly one fate",
        "loan F1-2",
    ),
    (
        "DELETE FROM servicing_loanevent WHERE loan_id = 2",
        "reservations: each has exactly one fate",
        "loan F1-2",
    ),
    (
        "UPDATE payments_paymentorder SET status = 'paid' WHERE loan_id = 3",
        "reservations: each has exactly one fate",
        "loan F1-3",
    ),
    (
        "UPDATE financing_reservation SET fate_entry_id = entry_id WHERE loan_id = 3",
        "reservations: each has exactly one fate",
        "loan F1-3",
    ),
    (
        "UPDATE payments_paymentorder SET amount_minor = 1 WHERE loan_id = 1",
        "loans: decided, reserved and ordered are one amount",
        "loan F1-1",
    ),
    (
        "DELETE FROM payments_bankanswer WHERE end_to_end_id = 'L2'",
        "payments: each is answered once",
        "payment L2",
    ),
    (
        "UPDATE payments_bankanswer SET outcome = 'paid' WHERE end_to_end_id = 'L3'",
        "payments: each is answered once",
        "payment L3",
    ),
    (
        "UPDATE financing_decision SET inputs = inputs || '{\"base_minor\": 1}' WHERE id = 1",
        "decisions: drawn within base and every limit",
        "decision 1",
    ),
]


@pytest.fixture
def owner(market: Market, database: Server) -> psycopg.Connection:
    """A loan under way, one paid, one rejected; and the owner, whom no trigger stops."""
    market.facility("F1")
    for _ in range(3):
        draw_down(market.request("F1"))
    take_answers(
        [
            BankMessage("BK-2", "L2", "paid", MILLION, "CNY", TODAY),
            BankMessage("BK-3", "L3", "rejected", MILLION, "CNY", TODAY, "account closed"),
        ],
        legal_entity_id=market.entity.pk,
        caller=OPERATOR,
        key="bank",
    )
    with database.connect() as owner:
        tables = owner.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
            " AND relname ~ '^(financing|funding|payments|servicing)_'"
        ).fetchall()
        for (table,) in tables:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        yield owner


def found() -> list[tuple[str, str]]:
    return [
        (finding.check, finding.subject) for check in financing_checks() for finding in check.run()
    ]


def test_a_tampered_book_is_found_out_and_named(owner: psycopg.Connection) -> None:
    assert found() == []
    for statement, check, subject in TAMPERINGS:
        with owner.transaction(force_rollback=True):
            owner.execute(statement)
            # The checks run on another connection, which sees what is committed.
            seen = [
                (name, str(row[0]))
                for name, query in QUERIES.items()
                for row in owner.execute(query, {"still": "9999-12-31"}).fetchall()
            ]
        assert any(name == check and subject in where for name, where in seen), statement
    assert found() == []


def test_every_check_has_a_tampering_that_it_finds() -> None:
    assert {check for _, check, _ in TAMPERINGS} == set(QUERIES)
