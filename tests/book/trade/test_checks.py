"""The checks of claims find what was planted."""

import pytest
from django.db import connection
from tests.book.trade.market import Market, paper

from tallystick.book.collateral import checks as collateral_checks
from tallystick.book.trade.checks import GUARDS, QUERIES, trade_checks
from tallystick.site import databases

PLANTED = {
    "guards of claims stand": "ALTER TABLE trade_document DISABLE TRIGGER trade_document_stays",
    "documents refer to what is there": "UPDATE trade_document SET act_id = 999 WHERE number = 'X'",
    "documents fulfil what they name": (
        "UPDATE trade_document SET fulfils_number = 'X' WHERE number = 'GR-1'"
    ),
    "fingerprints are of their documents": (
        "UPDATE trade_document SET amount_minor = 101 WHERE number = 'PO-1'"
    ),
    "a document opens one claim": "DELETE FROM trade_claim WHERE code LIKE '%GR-1'",
    "claims equal their documents and events": (
        "UPDATE trade_claim SET face_minor = 41 WHERE code LIKE '%PO-1'"
    ),
    "claims are never paid above their face": (
        "UPDATE trade_claimevent SET value_date = value_date - 1, paid_minor = 101"
        " WHERE kind = 'paid'"
    ),
    "a unit of trade counts once": (
        "UPDATE trade_claim SET face_minor = 41 WHERE code LIKE '%PO-1'"
    ),
    "claims wait for what they name": "UPDATE trade_claim SET awaits_predecessor = NOT"
    " awaits_predecessor WHERE code LIKE '%LOST'",
    "credit notes are applied or waiting": (
        "UPDATE trade_unappliedcredit SET remaining_minor = remaining_minor + 1"
    ),
}


@pytest.fixture
def market(database) -> Market:
    market = Market.opened()
    market.records(
        paper("order", "PO-1", 100),
        paper("receipt", "GR-1", 60, of="order:PO-1", on=1),
        paper("invoice", "X", 50),
        paper("invoice", "LOST", 5, of="receipt:GR-7"),
        paper("credit_note", "CN-1", 20, of="invoice:X", on=2),
    )
    market.pays("ACME:invoice:X", 10)
    databases.use(database, as_owner=True)
    return market


def findings() -> set[str]:
    return {finding.check for check in trade_checks() for finding in check.run()}


def test_nothing_is_found_where_nothing_is_wrong(market):
    assert findings() == set()


def test_each_check_finds_what_contradicts_it(market):
    assert PLANTED.keys() == QUERIES.keys()
    for check, statement in PLANTED.items():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            if not statement.startswith("ALTER"):
                for table in ("document", "claim", "claimevent", "unappliedcredit"):
                    cursor.execute(f"ALTER TABLE trade_{table} DISABLE TRIGGER ALL")
            cursor.execute(statement)
            assert cursor.rowcount, check
            assert check in findings()
            cursor.execute("ROLLBACK")


def test_every_guard_of_claims_and_pools_is_among_those_looked_for(market):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND relname ~ '^(trade|collateral)_'"
        )
        standing = {name for (name,) in cursor.fetchall()}

    looked_for = f"{GUARDS} {collateral_checks.GUARDS}"
    assert standing
    assert [name for name in standing if f"'{name}'" not in looked_for] == []
