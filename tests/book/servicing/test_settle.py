"""A settlement pays claims, sweeps the loans of the facility, and hands on the rest."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER, START

from tallystick.book.financing.models import Loan
from tallystick.book.ledger.models import Entry
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.servicing.apply_unapplied import NotUnapplied, apply_unapplied
from tallystick.book.servicing.charge_fee import charge_fee
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.models import Position, SettlementLine
from tallystick.book.servicing.receipts import InvalidReceipt, Receipt, ReceiptConflict
from tallystick.book.servicing.settle import settle, settle_many
from tallystick.book.trade.models import Claim
from tallystick.book.watch.models import WorkItem
from tallystick.rules.loan_terms import Bucket
from tallystick.rules.money import UnknownCurrency
from tallystick.rules.settlement_terms import Sweep


def receipt(reference: str, *lines: tuple[str, int], **fields) -> Receipt:
    fields = {"amount_minor": sum(amount for _, amount in lines), "value_date": START} | fields
    return Receipt(bank_reference=reference, payer="JD", currency="CNY", lines=lines, **fields)


def take(scene, *receipts: Receipt):
    return settle_many(receipts, legal_entity_id=scene.legal_entity_id, caller=CALLER)


def code_of(loan_id: int) -> str:
    return Loan.objects.values_list("code", flat=True).get(pk=loan_id)


def parts(settled) -> list[tuple[str, str, int]]:
    return [(line.loan, line.bucket, line.amount_minor) for line in settled.lines]


def test_a_settlement_repays_the_loan_and_the_rest_is_ordered_to_the_supplier(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    claim = scenes.owes(facility, 1_000_000)
    loan_id = scenes.lent(facility, 400_000)

    (settled,) = take(scene, receipt("R1", (claim, 1_000_000)))

    assert parts(settled) == [
        (code_of(loan_id), "principal_not_due", 400_000),
        ("", "residual", 600_000),
    ]
    assert Claim.objects.get(code=claim).status == "closed"
    assert Loan.objects.get(pk=loan_id).status == "settled"
    assert net_minor(scene, "loan_principal") == 0
    assert net_minor(scene, "payable_to_supplier", party="S1") == -600_000
    order = PaymentOrder.objects.get()
    assert (order.kind, order.amount_minor, order.beneficiary.code) == ("residual", 600_000, "S1")
    assert SettlementLine.objects.get(bucket="residual").payment == order
    facility.refresh_from_db()
    assert facility.drawn_minor == 0
    assert findings() == []


def test_buckets_are_paid_over_all_loans_oldest_due_date_first(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    younger = scenes.lent(facility, 3_600_000, days=40)
    older = scenes.lent(facility, 7_200_000, days=20, penalty_rate_ppb=36_000_000)
    claim = scenes.owes(facility, 8_000_000)
    close_through(scene.legal_entity_id, START + timedelta(days=29))
    today = START + timedelta(days=30)
    charge_fee(code_of(younger), 500, value_date=today, why="a letter", caller=CALLER, key="fee")

    (settled,) = take(scene, receipt("R1", (claim, 8_000_000), value_date=today))

    # 72,000.00 at 10 % for 30 days of 360 is 600.00, and ten days past due at 3.6 % are 72.00;
    # 36,000.00 at 10 % for 30 days is 300.00.
    assert parts(settled) == [
        (code_of(younger), "fees", 500),
        (code_of(older), "penalty", 7_200),
        (code_of(older), "interest", 60_000),
        (code_of(younger), "interest", 30_000),
        (code_of(older), "principal_due", 7_200_000),
        (code_of(younger), "principal_not_due", 702_300),
    ]
    assert not Entry.objects.filter(event="allocation_corrected").exists()
    close_through(scene.legal_entity_id, today)
    assert findings() == []


def test_the_order_of_payment_is_the_programmes_and_the_loans_fold_follows_it(database):
    scene = scenes.opened()
    principal_first = (
        Bucket.PRINCIPAL_DUE,
        Bucket.PRINCIPAL_NOT_DUE,
        Bucket.INTEREST,
        Bucket.PENALTY,
        Bucket.FEES,
    )
    facility = scenes.facility(scene, "S1", scenes.programme(waterfall=principal_first))
    loan_id = scenes.lent(facility, 3_600_000)
    claim = scenes.owes(facility, 3_605_000)
    close_through(scene.legal_entity_id, START + timedelta(days=9))

    (settled,) = take(scene, receipt("R1", (claim, 3_605_000), value_date=scene.today))

    assert parts(settled) == [
        (code_of(loan_id), "principal_not_due", 3_600_000),
        (code_of(loan_id), "interest", 5_000),
    ]
    assert not Entry.objects.filter(event="allocation_corrected").exists()
    close_through(scene.legal_entity_id, scene.today)
    assert net_minor(scene, "interest_receivable") == 5_000
    assert findings() == []


def test_loans_of_which_the_payout_is_under_way_are_not_swept(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    claim = scenes.owes(facility, 1_000)
    Loan.objects.filter(pk=scenes.lent(facility, 400)).update(status="settled")
    Position.objects.all().update(settled=True)

    (settled,) = take(scene, receipt("R1", (claim, 1_000)))

    assert parts(settled) == [("", "residual", 1_000)]


def test_a_sweep_down_to_cover_leaves_what_the_remaining_claims_cover(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1", scenes.programme(sweep=Sweep.COVER))
    paid, _left = scenes.owes(facility, 1_000_000), scenes.owes(facility, 600_000)
    loan_id = scenes.lent(facility, 800_000)

    (settled,) = take(scene, receipt("R1", (paid, 1_000_000)))

    # Half of the 6,000.00 left covers 3,000.00 of the 8,000.00 drawn.
    assert parts(settled) == [
        (code_of(loan_id), "principal_not_due", 500_000),
        ("", "residual", 500_000),
    ]
    assert findings() == []


def test_each_facility_gets_the_cash_of_its_own_claims(database):
    scene = scenes.opened()
    first, second = scenes.facility(scene, "S1"), scenes.facility(scene, "S2")
    claims = scenes.owes(first, 1_000), scenes.owes(second, 2_000)
    loans = scenes.lent(first, 5_000), scenes.lent(second, 500)

    (settled,) = take(scene, receipt("R1", (claims[0], 1_000), (claims[1], 2_000)))

    assert parts(settled) == [
        (code_of(loans[0]), "principal_not_due", 1_000),
        (code_of(loans[1]), "principal_not_due", 500),
        ("", "residual", 1_500),
    ]
    assert net_minor(scene, "payable_to_supplier", party="S1") == 0
    assert net_minor(scene, "payable_to_supplier", party="S2") == -1_500


def test_a_claim_that_secures_no_facility_is_paid_out_whole(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    scenes.lent(facility, 5_000)
    dollars = scenes.owes(facility, 1_000, currency="USD")

    (settled,) = take(scene, replace(receipt("R1", (dollars, 1_000)), currency="USD"))

    assert parts(settled) == [("", "residual", 1_000)]
    assert SettlementLine.objects.get().facility is None


def test_cash_that_names_no_claim_of_ours_waits_in_suspense_on_the_worklist(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    claim = scenes.owes(facility, 1_000)
    dollars = scenes.owes(facility, 700, currency="USD")

    (settled,) = take(
        scene,
        receipt(
            "R1",
            (claim, 1_300),
            ("S1:invoice:UNKNOWN", 50),
            (dollars, 700),
            amount_minor=2_060,
        ),
    )

    assert (settled.to_supplier_minor, settled.suspense_minor) == (1_000, 300 + 50 + 700 + 10)
    assert net_minor(scene, "settlement_suspense") == -1_060
    item = WorkItem.objects.get(kind="unapplied_cash")
    assert item.subject == "receipt:R1"
    assert [why.split(" ", 2)[2] for why in item.details["because"]] == [
        "had 1000 outstanding, not 1300",
        "is not known",
        "is in USD, the cash in CNY",
        "of the cash names no claim",
    ]
    assert findings() == []


def test_cash_in_suspense_can_be_applied_to_the_claims_it_pays(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    loan_id = scenes.lent(facility, 360_000)
    take(scene, receipt("R1", amount_minor=1_000_000))
    close_through(scene.legal_entity_id, START + timedelta(days=4))
    claim = scenes.owes(facility, 900_000)

    def apply(amount_minor: int, key: str):
        return apply_unapplied(
            "R1",
            [(claim, amount_minor)],
            legal_entity_id=scene.legal_entity_id,
            caller=CALLER,
            key=key,
        )

    with pytest.raises(NotUnapplied, match="Apply no more than is there"):
        apply(1_000_001, "too much")
    with pytest.raises(NotUnapplied, match="had 900000 outstanding"):
        apply(950_000, "above the claim")
    settled = apply(900_000, "right")

    # The cash counts from the day it arrived, on which no interest had run.
    assert parts(settled) == [
        (code_of(loan_id), "principal_not_due", 360_000),
        ("", "residual", 540_000),
    ]
    assert settled.suspense_minor == 100_000
    assert net_minor(scene, "settlement_suspense") == -100_000
    close_through(scene.legal_entity_id, START + timedelta(days=5))
    assert net_minor(scene, "interest_receivable") == 0
    assert net_minor(scene, "interest_income") == 0
    assert findings() == []


def test_a_receipt_told_again_is_answered_as_the_first_time_and_moves_nothing(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    told = receipt("R1", (scenes.owes(facility, 1_000), 1_000))
    (first,) = take(scene, told)
    entries = Entry.objects.count()

    again, twice = take(scene, told, told)

    assert again == twice == first
    assert Entry.objects.count() == entries


def test_a_known_reference_with_other_content_is_a_conflict_and_the_others_are_taken(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    claim, other = scenes.owes(facility, 1_000), scenes.owes(facility, 1_000)
    told = receipt("R1", (claim, 1_000))
    take(scene, told)

    conflict, settled, same_batch = take(
        scene,
        replace(told, payer="SUNING"),
        receipt("R2", (other, 400)),
        receipt("R2", (other, 401)),
    )

    assert isinstance(conflict, ReceiptConflict)
    assert settled.to_supplier_minor == 400
    assert isinstance(same_batch, ReceiptConflict)


@pytest.mark.parametrize(
    ("wrong", "refusal", "says"),
    [
        ({"amount_minor": 0}, InvalidReceipt, "0 minor units"),
        ({"amount_minor": 99}, InvalidReceipt, "names claims for 100 and brings 99"),
        ({"value_date": START + timedelta(days=1)}, InvalidReceipt, "open business day"),
        ({"currency": "RMB"}, UnknownCurrency, "ISO 4217"),
        ({"bank_reference": " "}, InvalidReceipt, "bank's reference"),
        ({"bank_reference": "x" * 91}, InvalidReceipt, "91 characters"),
        ({"payer": ""}, InvalidReceipt, "payer's code"),
        ({"lines": (("C", 0),)}, InvalidReceipt, "each above zero"),
    ],
)
def test_a_receipt_that_cannot_be_true_is_refused_and_writes_nothing(
    database, wrong, refusal, says
):
    scene = scenes.opened()
    entries = Entry.objects.count()

    with pytest.raises(refusal, match=says):
        settle(
            replace(receipt("R1", ("C", 100)), **wrong),
            legal_entity_id=scene.legal_entity_id,
            caller=CALLER,
        )

    assert Entry.objects.count() == entries
    assert not SettlementLine.objects.exists()


def test_receipts_taken_together_come_to_the_same_as_one_after_the_other(database):
    scene = scenes.opened()
    facilities = [scenes.facility(scene, code) for code in ("S1", "S2")]
    loans = [[scenes.lent(each, 360_000, days=days) for days in (20, 30)] for each in facilities]
    claims = [[scenes.owes(each, 300_000) for _ in range(3)] for each in facilities]
    close_through(scene.legal_entity_id, START + timedelta(days=9))

    def told(place: int) -> list[Receipt]:
        return [
            receipt(
                f"R{place}{n}",
                (claim, 300_000),
                value_date=START + timedelta(days=days),
            )
            for n, (claim, days) in enumerate(zip(claims[place], (5, 10, 10), strict=True))
        ]

    together = take(scene, *told(0))
    apart = [take(scene, each)[0] for each in told(1)]

    assert [[part[1:] for part in parts(each)] for each in together] == [
        [part[1:] for part in parts(each)] for each in apart
    ]
    assert [Position.objects.filter(loan__in=ids, settled=True).count() for ids in loans] == [2, 2]
    close_through(scene.legal_entity_id, START + timedelta(days=10))
    assert findings() == []


def test_a_backdated_receipt_lets_later_cash_meet_other_debts(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    loan_id = scenes.lent(facility, 3_600_000)
    early, late = scenes.owes(facility, 1_000_000), scenes.owes(facility, 1_000_000)
    close_through(scene.legal_entity_id, START + timedelta(days=19))
    take(scene, receipt("LATE", (late, 1_000_000), value_date=START + timedelta(days=20)))

    # Twenty days at 10.00 a day: 200.00 of interest, 9,800.00 of principal.
    assert net_minor(scene, "loan_principal") == 3_600_000 - 980_000
    (settled,) = take(scene, receipt("EARLY", (early, 1_000_000), value_date=START))

    assert parts(settled) == [(code_of(loan_id), "principal_not_due", 1_000_000)]
    # With 26,000.00 from the start, twenty days cost 144.44: 55.56 more of the later receipt
    # were principal.
    assert net_minor(scene, "loan_principal") == 3_600_000 - 1_000_000 - (1_000_000 - 14_444)
    correction = Entry.objects.get(event="allocation_corrected")
    assert correction.value_date == START
    assert correction.booking_date == START + timedelta(days=20)
    close_through(scene.legal_entity_id, START + timedelta(days=20))
    assert findings() == []


def test_batches_told_at_once_take_each_receipt_once(database):
    scene = scenes.opened()
    facilities = [scenes.facility(scene, f"S{n}") for n in range(3)]
    told = [receipt(f"R{n}", (scenes.owes(facilities[n % 3], 1_000), 1_000)) for n in range(6)]
    for each in facilities:
        scenes.lent(each, 1_500)

    def settle_some(places: list[int]):
        try:
            return take(scene, *(told[place] for place in places))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        orders = [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 4], [2, 2, 5]]
        answers = list(pool.map(settle_some, orders))

    said = {}
    for places, settled in zip(orders, answers, strict=True):
        for place, each in zip(places, settled, strict=True):
            assert said.setdefault(place, each) == each
    assert Entry.objects.filter(event="cash_received").count() == 6
    assert net_minor(scene, "loan_principal") == 0
    assert net_minor(scene, "payable_to_supplier") == -(6 * 1_000 - 3 * 1_500)
    assert findings() == []
