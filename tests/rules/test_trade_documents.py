"""What a trade document may say, and what identifies it."""

from datetime import date
from hashlib import sha256

import pytest

from tallystick.rules.trade_documents import (
    TradeDocument,
    claim_code,
    fingerprint,
    unacceptable,
)

ORDER = TradeDocument(
    kind="order",
    issuer="MALL",
    supplier="ACME",
    obligor="MALL",
    number="PO-1",
    issue_date=date(2026, 3, 2),
    currency="CNY",
    amount_minor=12_345,
    due_date=date(2026, 5, 1),
)
INVOICE = ORDER._replace(
    kind="invoice", issuer="ACME", number="INV-1", fulfils_kind="order", fulfils_number="PO-1"
)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(ORDER, id="an order"),
        pytest.param(INVOICE, id="an invoice on an order"),
        pytest.param(ORDER._replace(due_date=ORDER.issue_date), id="due at once"),
        pytest.param(ORDER._replace(number="订单　7\N{NO-BREAK SPACE}乙"), id="wide spaces"),
        pytest.param(ORDER._replace(kind="credit_note", due_date=None), id="a bare credit note"),
        pytest.param(INVOICE._replace(kind="cancellation", due_date=None), id="a cancellation"),
    ],
)
def test_a_document_may_be(document):
    assert unacceptable(document) is None


@pytest.mark.parametrize(
    ("document", "field"),
    [
        pytest.param(ORDER._replace(kind="letter"), "kind", id="unknown kind"),
        pytest.param(ORDER._replace(amount_minor=0), "amount_minor", id="nothing owed"),
        pytest.param(ORDER._replace(amount_minor=-5), "amount_minor", id="below zero"),
        pytest.param(ORDER._replace(amount_minor=2**62), "amount_minor", id="beyond exactness"),
        pytest.param(ORDER._replace(currency="CNN"), "currency", id="unknown currency"),
        pytest.param(ORDER._replace(due_date=None), "due_date", id="no due date"),
        pytest.param(ORDER._replace(due_date=date(2026, 3, 1)), "due_date", id="due before issue"),
        pytest.param(ORDER._replace(issue_date=date(1989, 1, 1)), "issue_date", id="long ago"),
        pytest.param(ORDER._replace(number=""), "number", id="no number"),
        pytest.param(ORDER._replace(number="9" * 101), "number", id="overlong number"),
        pytest.param(ORDER._replace(supplier="S" * 65), "supplier", id="overlong code"),
        pytest.param(ORDER._replace(issuer=""), "issuer", id="nobody wrote it"),
        pytest.param(ORDER._replace(number="PO\n1"), "number", id="line break in a number"),
        pytest.param(ORDER._replace(obligor="M\x1fALL"), "obligor", id="separator in a code"),
        pytest.param(ORDER._replace(number="\ud800"), "number", id="half a character"),
        pytest.param(ORDER._replace(obligor="ACME"), "obligor", id="owed to itself"),
        pytest.param(
            ORDER._replace(fulfils_kind="invoice", fulfils_number="I"),
            "fulfils_kind",
            id="an order that fulfils an invoice",
        ),
        pytest.param(
            INVOICE._replace(fulfils_kind="invoice"), "fulfils_kind", id="fulfils its own kind"
        ),
        pytest.param(INVOICE._replace(fulfils_kind=""), "fulfils_kind", id="a number of no kind"),
        pytest.param(INVOICE._replace(fulfils_number=""), "fulfils_number", id="kind, no number"),
        pytest.param(
            ORDER._replace(kind="cancellation"), "fulfils_number", id="a cancellation of nothing"
        ),
        pytest.param(
            ORDER._replace(kind="credit_note", fulfils_kind="cancellation", fulfils_number="C"),
            "fulfils_kind",
            id="a credit note on a cancellation",
        ),
    ],
)
def test_a_document_is_refused_with_the_field_and_the_remedy(document, field):
    refusal = unacceptable(document)

    assert refusal is not None
    assert refusal.field == field
    assert refusal.remedy in str(refusal)
    assert str(refusal).encode().isascii() or "\N{REPLACEMENT CHARACTER}" in str(refusal)


def test_a_fingerprint_is_the_hash_of_six_fields():
    said = "\x1f".join(["MALL", "order", "PO-1", "2026-03-02", "CNY 12345", "MALL"])

    assert fingerprint(ORDER) == sha256(said.encode()).digest()


@pytest.mark.parametrize(
    "other",
    [
        ORDER._replace(issuer="SHOP"),
        ORDER._replace(kind="receipt"),
        ORDER._replace(number="PO-2"),
        ORDER._replace(issue_date=date(2026, 3, 3)),
        ORDER._replace(amount_minor=12_346),
        ORDER._replace(currency="USD"),
        ORDER._replace(obligor="SHOP"),
    ],
)
def test_another_document_has_another_fingerprint(other):
    assert fingerprint(other) != fingerprint(ORDER)


def test_claims_are_named_after_issuer_kind_and_number():
    assert claim_code(ORDER, key=b"\xab" * 32, numbers_repeat=False) == "MALL:order:PO-1"


def test_where_numbers_repeat_the_fingerprint_tells_claims_apart():
    code = claim_code(ORDER, key=b"\xab" * 32, numbers_repeat=True)

    assert code == "MALL:order:PO-1:abababababababab"
