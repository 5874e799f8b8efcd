"""What is learned late about an advance: back-dated, taken back, behind its pace, given up."""

import pytest
from tests.book.sales_credit import scene as scenes
from tests.book.sales_credit.scene import CALLER, DAILY, DAY, START
from tests.book.servicing.books import findings, net_minor

from tallystick.book.acts.once import Caller
from tallystick.book.ledger.models import Entry
from tallystick.book.parties.models import Role, User
from tallystick.book.parties.two_people import AlreadyDecided, CheckedByMaker
from tallystick.book.sales_credit.charge_off import approve_loss, propose_loss
from tallystick.book.sales_credit.draw import AdvanceRefused
from tallystick.book.sales_credit.freeze import unfreeze_line
from tallystick.book.sales_credit.models import PaceLook, SalesLine
from tallystick.book.sales_credit.repay import (
    AdvanceTakesNoPayment,
    recover_advance,
    repay_advance,
)
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.watch.models import WorkItem

WHY = Caller(owner="system", actor="tests", channel="internal", reason="it will not come back")


@pytest.fixture
def scene(database):
    scene = scenes.opened()
    scenes.has_sold_for_three_months(scene)
    scenes.a_line(scene)
    scenes.a_line(scene, programme=DAILY, code="SL-DAILY")
    return scene


def test_a_back_dated_repayment_leaves_the_books_as_if_it_had_come_on_its_day(scene):
    code = scenes.paid_out(scene, 20_000_000, line="SL-DAILY")
    close_through(scene.legal_entity_id, START + 19 * DAY)
    entries = Entry.objects.count()

    repay_advance(code, 5_000_000, value_date=START + 10 * DAY, caller=CALLER, key="late")

    # Cash in, its allocation, and one difference: ten days' interest on what it repaid is gone.
    assert Entry.objects.count() - entries == 2
    close_day(scene.legal_entity_id, scene.today)
    # Ten days at 0.05 % of 200,000.00, paid first, then eleven on 151,000.00.
    state = scenes.state_of(code, on=scene.today)
    assert state.fee_minor == 100_000 + 11 * 7_550
    assert net_minor(scene, "advance_fee_income") == -state.fee_minor
    assert net_minor(scene, "advance_principal") == state.principal_minor == 15_100_000
    assert findings() == []


def test_a_receipt_that_is_taken_back_is_owed_again_by_the_advance(scene):
    code = scenes.paid_out(scene, 20_000_000)
    settled = scenes.sells_and_is_settled(scene, 7_700_000)
    close_through(scene.legal_entity_id, START + 2 * DAY)

    reverse_receipt(
        settled.bank_reference, legal_entity_id=scene.legal_entity_id, caller=WHY, key="back"
    )

    assert scenes.state_of(code, on=scene.today).collected_minor == 0
    assert net_minor(scene, "advance_principal") == 20_000_000
    assert findings() == []
    close_day(scene.legal_entity_id, scene.today)
    # What the fee had earned by that cash is not earned any more.
    assert net_minor(scene, "advance_fee_income") == 0
    assert net_minor(scene, "deferred_advance_fee") == -1_000_000
    assert findings() == []


def test_a_receipt_that_had_settled_the_advance_lets_it_live_again(scene):
    code = scenes.paid_out(scene, 20_000_000)
    paid = repay_advance(code, 21_000_000, value_date=None, caller=CALLER, key="all")
    close_through(scene.legal_entity_id, START)
    assert scenes.status_of(code) == "settled"

    reverse_receipt(
        paid.bank_reference, legal_entity_id=scene.legal_entity_id, caller=WHY, key="back"
    )

    assert scenes.status_of(code) == "live"
    assert SalesLine.objects.get(code="SL-1").drawn_minor == 20_000_000
    close_day(scene.legal_entity_id, scene.today)
    assert findings() == []


def test_interest_that_was_paid_and_never_arose_is_the_merchants_credit(scene):
    code = scenes.paid_out(scene, 20_000_000, line="SL-DAILY")
    close_through(scene.legal_entity_id, START + 9 * DAY)
    repay_advance(code, 15_000_000, value_date=None, caller=CALLER, key="most")

    repay_advance(code, 5_100_000, value_date=START, caller=CALLER, key="it was there")

    # Ten days' interest on 51,000.00 at 0.05 % a day was paid, and is not owed any more.
    assert scenes.status_of(code) == "settled"
    assert net_minor(scene, "supplier_credit") == -25_500
    assert findings() == []
    close_day(scene.legal_entity_id, scene.today)
    assert net_minor(scene, "advance_fee_income") == -74_500
    assert findings() == []


def test_a_payment_for_an_advance_that_is_settled_is_refused(scene):
    code = scenes.paid_out(scene, 20_000_000)
    repay_advance(code, 21_000_000, value_date=None, caller=CALLER, key="all")

    with pytest.raises(AdvanceTakesNoPayment, match="is settled"):
        repay_advance(code, 1, value_date=None, caller=CALLER, key="more")


def test_a_milestone_that_is_missed_is_told_of_and_freezes_the_line(scene):
    code = scenes.paid_out(scene, 20_000_000)

    closed = close_through(scene.legal_entity_id, START + 59 * DAY)

    # Looked at on its first day, at three checkpoints, and when the period ends.
    assert [day.date for day in closed if day.figures["sales"]["looked_at"]] == [
        START,
        *(START + n * DAY for n in (15, 30, 45, 59)),
    ]
    look = PaceLook.objects.latest("date")
    # A sixth of 210,000.00 was due.
    assert (look.state, look.short_minor) == ("breached", 3_500_000)
    assert closed[-1].figures["sales"]["pace"] == [
        {
            "currency": "CNY",
            "state": "breached",
            "days_behind": "0",
            "advances": 1,
            "principal_minor": 20_000_000,
            "short_minor": 3_500_000,
        }
    ]
    kinds = WorkItem.objects.filter(closed_at=None).values_list("kind", "subject")
    assert list(kinds) == [("pace_breached", f"advance:{code}")]
    line = SalesLine.objects.get(code="SL-1")
    assert line.frozen_reason == f"advance {code} fell behind its least pace"
    assert findings() == []


def test_what_is_caught_up_leaves_the_worklist_and_a_person_lifts_the_freeze(scene):
    code = scenes.paid_out(scene, 20_000_000)
    close_through(scene.legal_entity_id, START + 59 * DAY)

    repay_advance(code, 3_500_000, value_date=None, caller=CALLER, key="caught up")
    closed = close_day(scene.legal_entity_id, scene.today)

    assert closed.figures["sales"]["pace"][0]["state"] == "kept"
    assert not WorkItem.objects.filter(closed_at=None).exists()
    repay_advance(code, 17_500_000, value_date=None, caller=CALLER, key="rest")
    with pytest.raises(AdvanceRefused, match="The line is frozen"):
        scenes.asked(20_000_000)
    unfreeze_line("SL-1", caller=WHY, key="lift")
    # Of the ninety days only five weeks have had sales by now.
    assert scenes.asked(10_000_000).amount_minor == 10_000_000


def test_a_payment_of_the_last_day_that_is_learned_late_heals_the_breach(scene):
    code = scenes.paid_out(scene, 20_000_000)
    close_through(scene.legal_entity_id, START + 62 * DAY)
    assert PaceLook.objects.latest("date").state == "breached"

    repay_advance(code, 3_500_000, value_date=START + 59 * DAY, caller=CALLER, key="it was there")
    close_day(scene.legal_entity_id, scene.today)

    assert PaceLook.objects.latest("date").state == "kept"
    assert findings() == []


def _people() -> tuple[User, User]:
    return tuple(
        User.objects.create(email=f"{role}@lender.example", role=role)
        for role in (Role.RISK_OFFICER, Role.APPROVER)
    )


def test_an_advance_is_charged_off_by_two_people_and_the_fee_is_never_earned(scene):
    code = scenes.paid_out(scene, 20_000_000)
    scenes.sells_and_is_settled(scene, 7_700_000)
    close_through(scene.legal_entity_id, START + 2 * DAY)
    maker, checker = _people()
    principal_minor = scenes.state_of(code, on=scene.today).principal_minor
    earned_minor = -net_minor(scene, "advance_fee_income")
    proposal = propose_loss(code, caller=WHY, key="propose", maker=maker)

    lost = approve_loss(proposal, caller=WHY, key="approve", checker=checker)

    assert (lost.principal_minor, lost.interest_minor) == (principal_minor, 0)
    assert lost.fee_cancelled_minor == 1_000_000 - earned_minor
    assert net_minor(scene, "loan_loss") == principal_minor
    assert net_minor(scene, "advance_principal") == 0
    assert net_minor(scene, "advance_fee_receivable") == 0
    assert scenes.status_of(code) == "charged_off"
    assert "charged off" in SalesLine.objects.get(code="SL-1").frozen_reason
    close_day(scene.legal_entity_id, scene.today)
    assert net_minor(scene, "deferred_advance_fee") == 0
    assert findings() == []
    with pytest.raises(AlreadyDecided, match="was approved"):
        approve_loss(proposal, caller=WHY, key="again", checker=checker)


def test_what_comes_in_after_the_loss_is_recovered_up_to_what_was_owed(scene):
    code = scenes.paid_out(scene, 20_000_000, line="SL-DAILY")
    close_through(scene.legal_entity_id, START + 9 * DAY)
    maker, checker = _people()
    proposal = propose_loss(code, caller=WHY, key="propose", maker=maker)
    lost = approve_loss(proposal, caller=WHY, key="approve", checker=checker)
    assert (lost.principal_minor, lost.interest_minor) == (20_000_000, 100_000)

    recover_advance(code, 20_150_000, value_date=None, caller=CALLER, key="found")

    assert net_minor(scene, "recovery_income") == -20_100_000
    assert net_minor(scene, "supplier_credit") == -50_000
    close_day(scene.legal_entity_id, scene.today)
    assert net_minor(scene, "advance_fee_income") == -100_000
    assert findings() == []


def test_cash_from_before_the_loss_makes_the_loss_smaller(scene):
    code = scenes.paid_out(scene, 20_000_000)
    close_through(scene.legal_entity_id, START + 4 * DAY)
    maker, checker = _people()
    proposal = propose_loss(code, caller=WHY, key="propose", maker=maker)
    approve_loss(proposal, caller=WHY, key="approve", checker=checker)

    recover_advance(code, 2_100_000, value_date=START, caller=CALLER, key="it was there")

    state = scenes.state_of(code, on=scene.today)
    assert state.collected_minor == 2_100_000
    assert net_minor(scene, "loan_loss") == state.principal_lost_minor
    assert net_minor(scene, "recovery_income") == 0
    assert findings() == []


def test_who_proposed_a_loss_cannot_approve_it(scene):
    code = scenes.paid_out(scene, 20_000_000)
    maker, _ = _people()
    proposal = propose_loss(code, caller=WHY, key="propose", maker=maker)
    User.objects.filter(pk=maker.pk).update(role=Role.APPROVER)

    with pytest.raises(CheckedByMaker, match="Another approver has to"):
        approve_loss(proposal, caller=WHY, key="approve", checker=User.objects.get(pk=maker.pk))
    assert scenes.status_of(code) == "live"
