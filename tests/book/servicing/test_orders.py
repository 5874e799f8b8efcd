"""Each programme says in which order money of each kind meets its loans.

Loans at 10 % over ACT/360: of 3,600,000 a night costs 1,000.
"""

from datetime import timedelta

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import books_of, findings
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_settle import code_of, parts, receipt, take

from tallystick.book.servicing.charge_back import charge_back
from tallystick.book.servicing.charge_off import charge_off
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.receive import receive
from tallystick.book.servicing.recover import recover
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt

PRINCIPAL_FIRST = ("principal_due", "principal_not_due", "interest", "penalty", "fees")
DAY = timedelta(days=1)


def lent(**settlement):
    """A legal entity, a facility under such terms with a claim, and a loan ten nights old."""
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1", scenes.programme(**settlement))
    claim = scenes.owes(facility, 5_000_000)
    loan = code_of(scenes.lent(facility, 3_600_000))
    close_through(scene.legal_entity_id, START + 9 * DAY)
    return scene, claim, loan


def owed(loan: str) -> tuple[int, int]:
    owed = loan_on(loan).state.balances
    return owed.interest_due_minor, owed.principal_minor


def settle(scene, claim: str, amount_minor: int, reference: str):
    (settled,) = take(scene, receipt(reference, (claim, amount_minor), value_date=scene.today))
    return parts(settled)


def test_by_instalment_the_oldest_loan_is_settled_before_anything_of_the_next(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1", scenes.programme(axis="by_instalment"))
    claim = scenes.owes(facility, 5_000_000)
    younger = code_of(scenes.lent(facility, 3_600_000, days=60))
    older = code_of(scenes.lent(facility, 3_600_000, days=30))
    close_through(scene.legal_entity_id, START + 9 * DAY)

    settled = settle(scene, claim, 3_615_000, "R1")

    assert settled == [
        (older, "interest", 10_000),
        (older, "principal_not_due", 3_600_000),
        (younger, "interest", 5_000),
    ]
    assert owed(younger) == (5_000, 3_600_000)
    assert findings() == []


def test_the_suppliers_own_cash_may_repay_principal_first_and_a_settlement_interest(database):
    scene, claim, loan = lent(orders={"repaid": PRINCIPAL_FIRST})

    settle(scene, claim, 4_000, "R1")
    repay(loan, 600_000, value_date=None, caller=CALLER, key="own")

    assert owed(loan) == (6_000, 3_000_000)
    kinds = LoanEvent.objects.filter(loan__code=loan).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["disbursed", "received", "repaid"]
    assert findings() == []


def test_cash_that_names_the_loan_has_an_order_of_its_own(database):
    scene, _, loan = lent(orders={"remitted": PRINCIPAL_FIRST})
    named = Receipt("R1", "S1", "CNY", 600_000, scene.today)

    receive(named, loan, legal_entity_id=scene.legal_entity_id, caller=CALLER)

    assert owed(loan) == (10_000, 3_000_000)
    assert findings() == []


# With every debt in reach of both, the order of the two kinds is all that could matter.
BOTH = {"repaid": ("penalty", "principal_due", "principal_not_due", "interest", "fees")}


@pytest.mark.parametrize("first", ["settlement", "repayment"])
def test_two_kinds_of_one_day_leave_the_same_whichever_was_booked_first(database, first):
    scene, claim, loan = lent(orders=BOTH)
    acts = {
        "settlement": lambda: settle(scene, claim, 9_000, "R1"),
        "repayment": lambda: repay(loan, 3_599_500, value_date=None, caller=CALLER, key="own"),
    }

    for act in sorted(acts, key=lambda act: act != first):
        acts[act]()

    assert owed(loan) == (1_000, 500)
    assert findings() == []


def test_a_backdated_repayment_keeps_its_order_when_the_loan_is_refolded(database):
    scene, claim, loan = lent(orders={"repaid": PRINCIPAL_FIRST})
    settle(scene, claim, 10_000, "R1")
    before = books_of(scene, scene.today)

    repay(loan, 1_800_000, value_date=START + 5 * DAY, caller=CALLER, key="own")

    # Five nights on half of it: of the settlement, 2,500 now meet principal.
    assert owed(loan) == (0, 1_797_500)
    assert findings() == []

    (act,) = LoanEvent.objects.filter(loan__code=loan, kind="repaid")
    reverse_receipt(
        act.reference.removeprefix("receipt:"),
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key="not ours",
    )

    assert owed(loan) == (0, 3_600_000)
    assert books_of(scene, scene.today) == before
    assert findings() == []


def test_money_charged_back_is_owed_again_in_the_programmes_order(database):
    scene, claim, loan = lent(orders={"charged_back": ("interest", "penalty", "fees", "principal")})
    settle(scene, claim, 610_000, "R1")

    charge_back(loan, 12_000, caller=CALLER, key="bounced")

    assert owed(loan) == (10_000, 3_002_000)
    assert findings() == []


def test_a_recovery_meets_what_was_charged_off_in_the_programmes_order(database):
    _, _, loan = lent(orders={"recovered": ("principal", "interest", "penalty", "fees")})
    charge_off(loan, caller=CALLER, key="lost")

    recover(loan, 3_604_000, value_date=None, caller=CALLER, key="found")

    found = loan_on(loan).state.balances
    assert found.principal_recovered_minor == 3_600_000
    assert found.interest_recovered_minor == 4_000
    assert found.recovered_minor == 3_604_000
    assert findings() == []
