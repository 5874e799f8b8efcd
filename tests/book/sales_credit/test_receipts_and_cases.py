"""Cash that names an advance, and merchants that are written to since they are behind."""

import pytest
from tests.book.sales_credit import scene as scenes
from tests.book.sales_credit.scene import CALLER, DAY, START, Scene
from tests.book.servicing.books import findings, net_minor

from tallystick.book.acts.once import Caller
from tallystick.book.collections.models import Case, Message, PromiseToPay
from tallystick.book.collections.overview import case_on, receipts_of
from tallystick.book.collections.past_due import late_loans
from tallystick.book.collections.promise import promise
from tallystick.book.parties.models import Party, Role, User
from tallystick.book.payments.models import CashReceipt
from tallystick.book.sales_credit.charge_off import approve_loss, propose_loss
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.receive import LoanTakesNothing, apply_to_loan, receive
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.watch.models import WorkItem

WHY = Caller(owner="system", actor="tests", channel="internal", reason="insolvent")


@pytest.fixture
def scene(database):
    scene = scenes.opened()
    scenes.has_sold_for_three_months(scene)
    scenes.a_line(scene, programme=scenes.paced())
    return scene


def take(scene: Scene, code: str, amount_minor: int, *, reference: str = "R", **of_receipt):
    receipt = Receipt(
        reference,
        "M1",
        of_receipt.get("currency", "CNY"),
        amount_minor,
        of_receipt.get("value_date", scene.today),
    )
    return receive(receipt, code, legal_entity_id=scene.legal_entity_id, caller=CALLER)


def charged_off(code: str) -> None:
    maker = User.objects.create(email="maker@house.test", role=Role.OPERATOR)
    checker = User.objects.create(email="checker@house.test", role=Role.APPROVER)
    number = propose_loss(code, caller=WHY, key="propose", maker=maker)
    approve_loss(number, caller=WHY, key="approve", checker=checker)


def test_cash_that_names_an_advance_repays_it_and_the_rest_is_the_merchants_credit(scene):
    code = scenes.paid_out(scene, 20_000_000)

    taken = take(scene, code, 21_300_000)

    assert taken.to_advances_minor == 21_000_000
    assert taken.suspense_minor == 0
    assert scenes.status_of(code) == "settled"
    assert net_minor(scene, "supplier_credit") == -300_000
    assert take(scene, code, 21_300_000) == taken
    assert not WorkItem.objects.filter(kind="unapplied_cash").exists()
    assert findings() == []


def test_cash_for_an_advance_that_was_charged_off_is_recovered(scene):
    code = scenes.paid_out(scene, 20_000_000)
    charged_off(code)

    taken = take(scene, code, 500_000)

    assert [line.bucket for line in taken.lines] == ["recovery"]
    assert net_minor(scene, "recovery_income") == -500_000
    assert findings() == []


@pytest.mark.parametrize(
    ("of_receipt", "why"),
    [
        pytest.param({"currency": "USD"}, "is in CNY", id="another currency"),
        pytest.param({"value_date": START - DAY}, "was paid out on", id="before the payout"),
    ],
)
def test_cash_that_its_advance_cannot_take_waits_in_suspense(scene, of_receipt, why):
    code = scenes.paid_out(scene, 20_000_000)

    taken = take(scene, code, 500_000, **of_receipt)

    assert taken.suspense_minor == 500_000
    assert why in WorkItem.objects.get(kind="unapplied_cash").details["because"][0]
    assert findings() == []


def test_cash_in_suspense_is_applied_to_an_advance_as_of_the_day_it_came(scene):
    code = scenes.paid_out(scene, 20_000_000)
    take(scene, "NOBODY-KNOWS", 500_000)
    scenes.let_days_be_open(scene, 1)

    applied = apply_to_loan(
        "R", code, 400_000, legal_entity_id=scene.legal_entity_id, caller=CALLER, key="found"
    )

    assert applied.to_advances_minor == 400_000
    assert CashReceipt.objects.get(bank_reference="R").unapplied_minor == 100_000
    assert scenes.state_of(code, on=START, known_on=scene.today).collected_minor == 400_000
    assert findings() == []
    with pytest.raises(LoanTakesNothing, match="no loan or advance"):
        apply_to_loan(
            "R", "NOBODY", 1, legal_entity_id=scene.legal_entity_id, caller=CALLER, key="wrong"
        )
    reverse_receipt("R", legal_entity_id=scene.legal_entity_id, caller=WHY, key="back")
    assert scenes.state_of(code, on=scene.today).collected_minor == 0
    assert findings() == []


def test_a_merchant_behind_its_pace_has_a_case_and_a_letter_says_what_is_missing(scene):
    code = scenes.paid_out(scene, 20_000_000)

    # The first period ends on the fifth day; the ladder begins on the third day after.
    close_through(scene.legal_entity_id, START + 5 * DAY)
    assert not Case.objects.exists()
    close_day(scene.legal_entity_id, START + 6 * DAY)

    case = Case.objects.get()
    assert case.party.code == "M1"
    letter = Message.objects.get()
    # A sixtieth of 210,000.00.
    assert letter.facts["loans"] == [
        {
            "loan": code,
            "currency": "CNY",
            "due_date": (START + 4 * DAY).isoformat(),
            "days_past_due": 3,
            "amount_minor": 350_000,
        }
    ]
    assert findings() == []


def test_a_case_ends_when_the_pace_is_caught_up_and_a_promise_is_kept_by_any_cash(scene):
    code = scenes.paid_out(scene, 20_000_000)
    close_through(scene.legal_entity_id, START + 6 * DAY)
    case = Case.objects.get()
    promise(
        case.pk,
        currency="CNY",
        amount_minor=350_000,
        promised_date=scene.today + DAY,
        by_firm=True,
        caller=CALLER,
        key="promised",
    )

    # 10 % of what was settled is kept: as good as paid.
    scenes.sells_and_is_settled(scene, 3_500_000)

    merchant = Party.objects.get(code="M1").pk
    assert late_loans(scene.legal_entity_id, [merchant], on=scene.today) == {}
    assert case_on(case, on=scene.today).late == ()
    close_day(scene.legal_entity_id, scene.today)
    assert PromiseToPay.objects.get().outcome == "kept"
    case.refresh_from_db()
    assert case.end == "cured"
    assert [receipt.met_minor for receipt in receipts_of(case)] == [350_000]
    assert scenes.status_of(code) == "live"
    assert findings() == []


def test_a_case_of_an_advance_that_was_charged_off_is_written_off(scene):
    code = scenes.paid_out(scene, 20_000_000)
    close_through(scene.legal_entity_id, START + 6 * DAY)

    charged_off(code)
    close_day(scene.legal_entity_id, scene.today)

    assert Case.objects.get().end == "written_off"
    assert findings() == []
