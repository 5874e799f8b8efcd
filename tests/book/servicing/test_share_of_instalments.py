"""Shares of a loan repaid in instalments: due dates come, plans change, and the books stay tied.

36,000.00 in four weekly parts of principal at 10 % over ACT/360, unless another plan is asked for.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER, START

from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import Party
from tallystick.book.servicing.change_rate import change_rate
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.dues import dues_of
from tallystick.book.servicing.extend import re_age
from tallystick.book.servicing.models import RepaymentPlan
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.servicing.sell_share import buy_back_share, sell_share
from tallystick.rules.refusal import Refusal

DAY = timedelta(days=1)
AMOUNT_MINOR = 3_600_000
FIRST, SECOND, THIRD, FOURTH = (START + n * timedelta(weeks=1) for n in (1, 2, 3, 4))


@pytest.fixture
def scene(database):
    opened = scenes.opened()
    for code in ("BANK", "FUND"):
        Party.objects.create(code=code, name=code)
    return opened


def lent(scene, method="equal_principal", keeps=None) -> Loan:
    facility = scenes.facility(scene, "S1", scenes.in_instalments(method, "1W", keeps))
    return Loan.objects.get(pk=scenes.lent(facility, AMOUNT_MINOR, days=28))


def on_day(scene, day) -> None:
    """``day`` is open, and every check of the books holds."""
    close_through(scene.legal_entity_id, day - DAY)
    assert findings() == []


def sold(loan, share_ppm=250_000, **asked):
    return sell_share(loan.code, "BANK", share_ppm, caller=CALLER, key="sold", **asked)


def paid(loan, amount_minor, *, on=None, key="paid"):
    return repay(loan.code, amount_minor, value_date=on, caller=CALLER, key=key)


def owed_to_bank(scene):
    return -net_minor(scene, "payable_to_funder", party="BANK")


def test_a_share_sold_after_a_due_date_has_come_is_its_part_of_everything_owed(scene):
    loan = lent(scene)
    on_day(scene, FIRST + 2 * DAY)

    moved = sold(loan)

    # Nine nights of 1,000, and the penalty of two on what is past due: 9,000.00 at 5 %.
    assert moved.par_minor == 900_000 + 9_000 // 4 + 250 // 4
    assert owed_to_bank(scene) == -moved.par_minor
    on_day(scene, SECOND + DAY)


def test_instalments_paid_as_they_fall_due_are_passed_on_until_nothing_is_left(scene):
    loan = lent(scene)
    on_day(scene, START + DAY)
    sold(loan)
    par_minor = -owed_to_bank(scene)

    received_minor = 0
    for due_date in (FIRST, SECOND, THIRD, FOURTH):
        on_day(scene, due_date)
        loan.refresh_from_db()
        due = dues_of([loan], on=due_date)[0]
        paid(loan, due.total_minor, key=f"{due_date}")
        received_minor += due.total_minor

    on_day(scene, FOURTH + DAY)
    assert Loan.objects.get(pk=loan.pk).status == "settled"
    assert net_minor(scene, "principal_sold") == net_minor(scene, "interest_sold") == 0
    assert abs((owed_to_bank(scene) + par_minor) * 4 - received_minor) <= 4 * 4


def test_a_prepayment_a_new_rate_and_a_late_receipt_leave_the_books_tied(scene):
    loan = lent(scene, "equal_instalments", keeps="term")
    on_day(scene, START + 3 * DAY)
    sold(loan)
    paid(loan, 700_000, key="early")
    on_day(scene, FIRST + 3 * DAY)
    change_rate(loan.code, Decimal("0.06"), value_date=FIRST, caller=CALLER, key="easier")
    on_day(scene, SECOND + 2 * DAY)
    assert RepaymentPlan.objects.get(loan=loan).level_minor > 0

    late = paid(loan, 500_000, on=FIRST, key="told late")
    on_day(scene, SECOND + 4 * DAY)
    buy_back_share(loan.code, "BANK", 100_000, caller=CALLER, key="back")
    on_day(scene, THIRD + DAY)
    reverse_receipt(
        late.bank_reference, legal_entity_id=scene.legal_entity_id, caller=CALLER, key="not ours"
    )
    on_day(scene, THIRD + 3 * DAY)

    principal_minor = net_minor(scene, "loan_principal")
    assert abs(net_minor(scene, "principal_sold") * 100 + principal_minor * 15) <= 100


def test_a_sale_dated_back_before_a_due_date_passes_on_the_instalment_that_was_paid(scene):
    loan = lent(scene)
    on_day(scene, FIRST)
    paid(loan, 900_000 + 7_000)
    on_day(scene, SECOND + 2 * DAY)

    moved = sold(loan, value_date=START + 2 * DAY)

    assert moved.par_minor == 900_000 + 500
    # A quarter of the instalment of principal, and of its interest, came in for the buyer.
    assert owed_to_bank(scene) == -moved.par_minor + 225_000 + 1_750
    on_day(scene, SECOND + 3 * DAY)


def test_a_loan_planned_anew_belongs_to_the_same_holders(scene):
    loan = lent(scene)
    on_day(scene, FIRST + 2 * DAY)
    sold(loan)
    sell_share(loan.code, "FUND", 333_333, caller=CALLER, key="another")
    on_day(scene, SECOND + DAY)

    re_age(loan.code, FOURTH + timedelta(weeks=2), caller=CALLER, key="more time")
    on_day(scene, THIRD + 2 * DAY)
    paid(loan, 1_000_001)
    on_day(scene, FOURTH + DAY)

    principal_minor = net_minor(scene, "loan_principal")
    sold_minor = -net_minor(scene, "principal_sold")
    assert abs(sold_minor * 1_000_000 - principal_minor * 583_333) < 1_000_000


ACTS = ("pay", "pay", "told late", "rate", "sell", "sell", "buy back", "take back")
told = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(1, 9), st.integers(1, 900_000)),
    min_size=2,
    max_size=6,
)


@settings(max_examples=5, suppress_health_check=list(HealthCheck), deadline=None)
@given(told=told, keeps=st.sampled_from([None, "term", "instalment"]))
def test_whatever_happens_to_a_loan_of_which_shares_are_sold_the_books_hold(database, told, keeps):
    with transaction.atomic():
        scene = scenes.opened()
        for code in ("BANK", "FUND"):
            Party.objects.create(code=code, name=code)
        loan = lent(scene, "equal_instalments", keeps)
        receipts: list[str] = []
        for n, (kind, nights, size) in enumerate(told):
            close_through(scene.legal_entity_id, scene.today + (nights - 1) * DAY)
            try:
                with transaction.atomic():
                    happen(scene, loan, kind, size, receipts, key=f"{n}")
            except Refusal:
                pass  # a loan that is settled, or a share that nobody holds
        close_through(scene.legal_entity_id, scene.today)

        assert findings() == []
        transaction.set_rollback(True)


def happen(scene, loan, kind, size, receipts, *, key):
    back = max(START + DAY, scene.today - (size % 12) * DAY)
    match kind:
        case "pay" | "told late":
            on = scene.today if kind == "pay" else back
            receipts.append(paid(loan, size, on=on, key=key).bank_reference)
        case "rate":
            rate = Decimal(size % 30) / 100
            change_rate(loan.code, rate, value_date=back, caller=CALLER, key=key)
        case "sell" | "buy back":
            move = sell_share if kind == "sell" else buy_back_share
            funder = ("BANK", "FUND")[size % 2]
            move(loan.code, funder, size // 3, value_date=back, caller=CALLER, key=key)
        case _ if receipts:
            entity = {"legal_entity_id": scene.legal_entity_id, "caller": CALLER}
            reverse_receipt(receipts.pop(), **entity, key=key)
