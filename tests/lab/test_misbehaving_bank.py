"""A bank that misbehaves: whatever it says besides, an order has one fate, the true one."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta

import pytest
from tests.book.financing.market import MILLION, OPERATOR, TODAY, Market, open_market

from tallystick.book.financing.draw_down import draw_down
from tallystick.book.financing.models import Loan
from tallystick.book.ledger.models import Posting
from tallystick.book.parties.models import LegalEntity
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.payments.models import BankAnswer, PaymentOrder
from tallystick.book.payments.order_again import NotToBeOrderedAgain, order_again
from tallystick.lab.world.bank import PPM, BankFaults, MisbehavingBank

NONE = dict.fromkeys((each.name for each in fields(BankFaults)), 0)
DAYS = 35
"""Longer than a bank goes on about an order."""


def bank(seed: int = 1, **faults_ppm: int) -> MisbehavingBank:
    """A bank of which only these things may be expected."""
    return MisbehavingBank(seed, BankFaults(**(NONE | faults_ppm)))


@pytest.fixture
def market(database: object) -> Market:
    """Three drawdowns of a million each wait for the bank."""
    market = open_market()
    market.facility("F1")
    for _ in range(3):
        draw_down(market.request("F1", MILLION))
    return market


def heard(market: Market, bank: MisbehavingBank, *, days: int = DAYS, orders: int = 3) -> None:
    """Take what the bank says, day after day; of so many orders at a time, the oldest first."""
    for _ in range(days):
        on = LegalEntity.objects.get().business_date
        waiting = PaymentOrder.objects.filter(status="ordered").order_by("id")
        take_answers(
            bank.answers(list(waiting[:orders]), on),
            legal_entity_id=market.entity.pk,
            caller=OPERATOR,
            key=f"bank/{on}",
        )
        LegalEntity.objects.update(business_date=on + timedelta(days=1))


def effects() -> list[str]:
    return sorted(BankAnswer.objects.values_list("effect", flat=True))


def paid_out_minor() -> int:
    """What has left our account at the bank."""
    postings = Posting.objects.filter(account__name="bank").values_list("side", "amount_minor")
    return -sum(side * amount_minor for side, amount_minor in postings)


def statuses() -> Sequence[str]:
    return list(Loan.objects.order_by("id").values_list("status", flat=True))


def test_a_bank_that_behaves_pays_on_the_day(market):
    heard(market, bank(), days=1)

    assert effects() == ["applied"] * 3
    assert paid_out_minor() == 3 * MILLION


def test_a_bank_that_repeats_itself_pays_once(market):
    heard(market, bank(repeats_ppm=PPM))

    assert effects() == ["applied"] * 3 + ["repeated"] * 3
    assert paid_out_minor() == 3 * MILLION


def test_a_bank_that_sends_whole_days_again_pays_once(market):
    heard(market, bank(sends_day_again_ppm=PPM))

    assert effects() == ["applied"] * 3 + ["repeated"] * (len(effects()) - 3)
    assert "repeated" in effects()
    assert paid_out_minor() == 3 * MILLION


@pytest.mark.parametrize("rejects_ppm", [0, PPM], ids=["paid at first", "rejected at first"])
def test_the_first_word_of_a_bank_that_contradicts_itself_counts(market, rejects_ppm):
    heard(market, bank(contradicts_ppm=PPM, rejects_ppm=rejects_ppm))

    assert effects() == ["applied"] * 3 + ["contradictory"] * 3
    assert statuses() == ["rejected" if rejects_ppm else "live"] * 3
    assert paid_out_minor() == (0 if rejects_ppm else 3 * MILLION)


def test_what_a_bank_misstates_changes_nothing_and_the_truth_still_counts(market):
    heard(market, bank(misstates_ppm=PPM))

    assert effects() == ["applied"] * 3 + ["contradictory"] * 3
    assert statuses() == ["live"] * 3


def test_a_reference_that_has_answered_one_order_answers_no_other(market):
    mixing_up = bank(mixes_up_ppm=PPM)
    heard(market, mixing_up, days=1, orders=1)
    heard(market, mixing_up, days=1, orders=2)

    assert effects() == ["applied"] * 3 + ["contradictory"] * 2
    assert paid_out_minor() == 3 * MILLION


def test_a_late_answer_counts_from_the_day_on_which_the_bank_acted(market):
    heard(market, bank(late_ppm=PPM))

    answers = BankAnswer.objects.all()
    assert effects() == ["applied"] * 3
    assert all(TODAY <= answer.value_date <= answer.booking_date for answer in answers)
    assert all(answer.booking_date > TODAY for answer in answers)


def test_a_payment_of_which_the_bank_said_nothing_is_not_ordered_again_and_paid_once(market):
    silent = bank(silent_ppm=PPM)
    heard(market, silent)
    assert effects() == []

    for order in PaymentOrder.objects.all():
        with pytest.raises(NotToBeOrderedAgain):
            order_again(order.end_to_end_id, legal_entity_id=market.entity.pk, caller=OPERATOR)
        silent.asked_again(order.end_to_end_id, LegalEntity.objects.get().business_date)
    heard(market, silent, days=1)

    assert effects() == ["applied"] * 3
    # The day on which it had been paid, not the one on which we heard of it.
    assert {answer.value_date for answer in BankAnswer.objects.all()} == {TODAY}
    assert paid_out_minor() == 3 * MILLION


def test_an_answer_to_an_order_that_is_not_ours_changes_nothing(market):
    heard(market, bank(strays_ppm=PPM))

    assert effects() == ["applied"] * 3 + ["unknown"] * 3
    assert paid_out_minor() == 3 * MILLION


def test_later_orders_are_answered_first_by_a_bank_that_reorders(market):
    heard(market, bank(reorders_days_ppm=PPM), days=1)

    answered = list(BankAnswer.objects.order_by("id").values_list("order_id", flat=True))
    assert answered == sorted(answered, reverse=True)
    assert statuses() == ["live"] * 3


def test_what_it_does_with_an_order_is_the_orders_own(market):
    orders = list(PaymentOrder.objects.order_by("id"))
    alone, among_others = (MisbehavingBank(7, BankFaults(late_ppm=PPM)) for _ in range(2))

    def said_of_last(bank: MisbehavingBank, asked: Sequence[PaymentOrder]) -> set[object]:
        for day in range(DAYS):
            bank.answers(asked, TODAY + timedelta(days=day))
        return {
            (each.message.outcome, each.message.value_date)
            for each in bank.said
            if each.message.end_to_end_id == orders[-1].end_to_end_id
        }

    assert said_of_last(alone, orders[-1:]) == said_of_last(among_others, orders)
