"""A settlement pays claims, sweeps the loans of the facility, and hands on the rest."""

from tests.book.servicing import scene as scenes
from tests.book.servicing.books import net_minor
from tests.book.servicing.scene import CALLER, START

from tallystick.book.servicing.models import Position, SettlementLine
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.settle import settle


def receipt(reference: str, *lines: tuple[str, int], amount_minor: int | None = None, **fields):
    return Receipt(
        bank_reference=reference,
        payer="JD",
        currency=fields.get("currency", "CNY"),
        amount_minor=amount_minor or sum(amount for _, amount in lines),
        value_date=fields.get("value_date", START),
        lines=lines,
    )


def test_a_settlement_repays_the_loan_and_the_rest_goes_to_the_supplier(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    claim = scenes.owes(facility, 1_000_000)
    loan_id = scenes.lent(facility, 400_000)

    settled = settle(
        receipt("R1", (claim, 1_000_000)), legal_entity_id=scene.legal_entity_id, caller=CALLER
    )

    assert (settled.to_loans_minor, settled.to_supplier_minor, settled.suspense_minor) == (
        400_000,
        600_000,
        0,
    )
    assert Position.objects.get(loan=loan_id).settled
    assert net_minor(scene, "loan_principal") == 0
    assert net_minor(scene, "payable_to_supplier", party="S1") == -600_000
    assert net_minor(scene, "settlement_clearing") == 0
    facility.refresh_from_db()
    assert facility.drawn_minor == 0
    assert sum(SettlementLine.objects.values_list("amount_minor", flat=True)) == 1_000_000
