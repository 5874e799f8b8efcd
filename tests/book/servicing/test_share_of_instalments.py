"""Shares of a loan repaid in instalments: due dates come, plans change, and the books stay tied.

36,000.00 in four weekly parts of principal at 10 % over ACT/360, unless another plan is asked for.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
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
