"""A settlement of one facility meets the supplier's other facilities, capped and held back."""

from datetime import timedelta

from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import START
from tests.book.servicing.test_settle import code_of, parts, receipt, take

from tallystick.book.financing.models import Loan
from tallystick.book.ledger.models import Entry
from tallystick.book.servicing.close import close_through
from tallystick.book.watch.models import WorkItem


def test_a_cap_leaves_the_supplier_its_part_and_a_hold_back_is_kept_as_credit(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1", scenes.programme(swept_bps=5_000, held_back_bps=1_000))
    claim = scenes.owes(facility, 1_000_000)
    loan_id = scenes.lent(facility, 800_000)

    (settled,) = take(scene, receipt("R1", (claim, 1_000_000)))

    assert sorted(parts(settled)) == [
        ("", "credit", 100_000),
        ("", "residual", 400_000),
        (code_of(loan_id), "principal_not_due", 500_000),
    ]
    assert net_minor(scene, "supplier_credit", party="S1") == -100_000
    assert WorkItem.objects.get(kind="supplier_credit").closed_at is None
    assert findings() == []


def test_what_one_facility_leaves_meets_the_others_in_turn_of_priority(database):
    scene = scenes.opened()
    own = scenes.facility(scene, "S1")
    claim = scenes.owes(own, 1_000_000)
    later = scenes.facility(
        scene, "S1", scenes.programme(others="all", others_priority=200), named="-LATER"
    )
    first = scenes.facility(scene, "S1", scenes.programme(others="all"), named="-FIRST")
    apart = scenes.facility(scene, "S1", named="-APART")
    loan_ids = [
        scenes.lent(facility, amount_minor)
        for facility, amount_minor in (
            (own, 300_000),
            (later, 500_000),
            (first, 400_000),
            (apart, 100_000),
        )
    ]
    mine, last, second, untouched = (code_of(loan_id) for loan_id in loan_ids)

    (settled,) = take(scene, receipt("R1", (claim, 1_000_000)))

    assert parts(settled) == [
        (mine, "principal_not_due", 300_000),
        (second, "principal_not_due", 400_000),
        (last, "principal_not_due", 300_000),
    ]
    assert Loan.objects.get(code=second).status == "settled"
    assert Loan.objects.get(code=untouched).status == "live"
    later.refresh_from_db()
    assert later.drawn_minor == 200_000
    assert findings() == []


def test_others_may_take_what_is_due_alone_and_two_settlements_of_a_day_do_not_pay_twice(database):
    scene = scenes.opened()
    own = scenes.facility(scene, "S1")
    claims = [scenes.owes(own, amount_minor) for amount_minor in (300_000, 900_000)]
    other = scenes.facility(scene, "S1", scenes.programme(others="due"), named="-OTHER")
    due = scenes.lent(other, 360_000, days=20, penalty_rate_ppb=0)
    not_due = scenes.lent(other, 720_000, days=80)
    close_through(scene.legal_entity_id, START + timedelta(days=29))
    today = START + timedelta(days=30)

    first, second = take(
        scene,
        receipt("R1", (claims[0], 300_000), value_date=today),
        receipt("R2", (claims[1], 900_000), value_date=today),
    )

    # 30 days at 10 % of 360: 3,000 on the one and 6,000 on the other; then what is due.
    assert parts(first) == [
        (code_of(due), "interest", 3_000),
        (code_of(not_due), "interest", 6_000),
        (code_of(due), "principal_due", 291_000),
    ]
    assert parts(second) == [
        (code_of(due), "principal_due", 69_000),
        ("", "residual", 831_000),
    ]
    assert not Entry.objects.filter(event="allocation_corrected").exists()
    assert findings() == []


def test_a_settlement_dated_back_finds_what_the_other_facility_owed_then(database):
    scene = scenes.opened()
    own = scenes.facility(scene, "S1")
    claims = [scenes.owes(own, 500_000) for _ in range(2)]
    other = scenes.facility(scene, "S1", scenes.programme(others="all"), named="-OTHER")
    loan_id = scenes.lent(other, 720_000)
    close_through(scene.legal_entity_id, START + timedelta(days=29))
    today = START + timedelta(days=30)
    take(scene, receipt("R1", (claims[0], 500_000), value_date=today))

    (back,) = take(
        scene, receipt("R2", (claims[1], 500_000), value_date=START + timedelta(days=10))
    )

    # The later cash has met the interest and left 226,000 of the principal, all of it paid now.
    assert parts(back) == [
        (code_of(loan_id), "principal_not_due", 226_000),
        ("", "residual", 274_000),
    ]
    close_through(scene.legal_entity_id, today)
    assert findings() == []
