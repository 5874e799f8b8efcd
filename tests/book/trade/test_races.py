"""Documents, payments and pools changed by many at once."""

import pytest
from tests.book.financing.races import all_at_once
from tests.book.trade.market import CALLER, Market, amounts, claim_id, day, paper

from tallystick.book.acts.once import once
from tallystick.book.collateral import bases
from tallystick.book.collateral.checks import collateral_checks
from tallystick.book.trade.checks import trade_checks
from tallystick.book.trade.models import Claim, Document
from tallystick.book.trade.pay_claims import ClaimPayment, pay_claims
from tallystick.book.trade.record_documents import RecordedMeanwhile, record_documents

MANY = 8


@pytest.fixture
def market(database) -> Market:
    return Market.opened()


def recording(market: Market, number: int, *papers):
    return lambda: record_documents(
        papers, caller=CALLER, key=f"race {number}", legal_entity_id=market.legal_entity_id
    )


def paying(number: int, code: str, amount_minor: int):
    """Pays a claim; answers what was too much."""
    paid = claim_id(code)

    def pay() -> int:
        with once(CALLER, key=f"payment {number}", kind="test", request={}) as act:
            (excess_minor,) = pay_claims(
                [ClaimPayment(paid, amount_minor)],
                value_date=day(0),
                booking_date=day(0),
                act_id=act.act_id,
            )
            act.answer({})
        return excess_minor

    return pay


def nothing_wrong() -> bool:
    checks = [*trade_checks(), *collateral_checks()]
    return [finding for check in checks for finding in check.run()] == []


def test_parts_of_one_order_received_at_once_count_once(market):
    market.pool()
    market.records(paper("order", "PO-1", 100))
    receipts = [paper("receipt", f"GR-{n}", 20, of="order:PO-1", on=1) for n in range(MANY)]
    all_at_once([recording(market, n, receipt) for n, receipt in enumerate(receipts)])

    live_minor = sum(face for face, _, _ in amounts().values())
    assert live_minor == 160
    assert amounts()["PO-1"] == (0, 0, 0)
    assert nothing_wrong()


def test_one_document_sent_by_many_is_recorded_once(market):
    outcomes = all_at_once(
        [recording(market, number, paper("invoice", "INV-1", 100)) for number in range(MANY)]
    )

    assert [outcome.repeated for (outcome,) in outcomes].count(False) == 1
    assert Document.objects.count() == 1


def test_one_number_given_to_two_suppliers_at_once_is_recorded_for_one_of_them(market):
    # Other suppliers, so that neither waits for the other's claims.
    one = paper("order", "PO-1", 100, supplier="ACME")
    outcomes = all_at_once(
        [recording(market, n, one._replace(supplier=f"S{n}")) for n in range(MANY)]
    )

    assert Document.objects.count() == 1
    recorded = [outcome for outcome in outcomes if not isinstance(outcome, RecordedMeanwhile)]
    assert len(recorded) >= 1


def test_payments_at_once_never_pay_a_claim_twice(market):
    market.pool()
    market.records(paper("invoice", "INV-1", 100))
    excess = all_at_once([paying(n, "ACME:invoice:INV-1", 30) for n in range(MANY)])

    assert sum(excess) == 30 * MANY - 100
    assert amounts() == {"INV-1": (100, 100, 0)}
    assert nothing_wrong()


def test_documents_payments_and_bases_at_once_leave_everything_proved(market):
    pool_ids = [market.pool(f"POOL-{s}", supplier=s) for s in ("ACME", "OTHER")]
    for supplier in ("ACME", "OTHER"):
        market.records(paper("invoice", "INV-1", 1_000, supplier=supplier))
    calls = []
    for number in range(MANY):
        supplier = ("ACME", "OTHER")[number % 2]
        calls += [
            recording(
                market,
                number,
                paper("invoice", f"N-{number}", 50, supplier="ACME"),
                paper("statement", f"ST-{number}", 50, of="invoice:INV-1", supplier="OTHER"),
            ),
            paying(number, f"{supplier}:invoice:INV-1", 30),
            lambda: bases.recompute(pool_ids, on=day(0)),
        ]
    all_at_once(calls)

    assert Claim.objects.count() == 2 + 2 * MANY
    assert nothing_wrong()
    assert sum(b.base_minor for b in bases.recompute(pool_ids, on=day(0)).values()) == sum(
        claim.face_minor - claim.paid_minor for claim in Claim.objects.all()
    )
