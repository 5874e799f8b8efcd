"""The bank's answer is applied once; whatever else it says changes nothing and is looked at."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.book.financing.market import MILLION, OPERATOR, TODAY, Market, open_market
from tests.book.financing.races import all_at_once

from tallystick.book.acts.models import Act, OutboxMessage
from tallystick.book.financing.checks import financing_checks
from tallystick.book.financing.draw_down import Drawdown, draw_down
from tallystick.book.financing.models import Facility, Loan, ProgrammeLimit, Reservation
from tallystick.book.funding.models import FundingLine
from tallystick.book.ledger.models import Entry, Posting
from tallystick.book.parties.models import LegalEntity
from tallystick.book.payments.bank_answers import AnswerTaken, BankMessage, take_answers
from tallystick.book.payments.models import BankAnswer, PaymentKind, PaymentOrder
from tallystick.book.payments.orders import NewPayment, order_payments
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.watch.models import WorkItem


@pytest.fixture
def market(database: object) -> Market:
    market = open_market()
    market.facility("F1")
    return market


@pytest.fixture
def drawdown(market: Market) -> Drawdown:
    return draw_down(market.request("F1", 3 * MILLION))


def paid(drawdown: Drawdown, reference: str = "BK-1") -> BankMessage:
    return BankMessage(
        reference, drawdown.end_to_end_id, "paid", drawdown.amount_minor, "CNY", TODAY
    )


def rejected(drawdown: Drawdown, reference: str = "BK-1") -> BankMessage:
    return replace(paid(drawdown, reference), outcome="rejected", reason="account closed")


def taken(market: Market, messages: Sequence[BankMessage], key: str = "bank") -> list[AnswerTaken]:
    return take_answers(messages, legal_entity_id=market.entity.pk, caller=OPERATOR, key=key)


def effects(answers: Sequence[AnswerTaken]) -> list[str]:
    return [answer.effect for answer in answers]


def findings() -> list[object]:
    return [finding for check in financing_checks() for finding in check.run()]


def postings_of(event: str) -> list[tuple[str, int, int]]:
    return list(
        Posting.objects.filter(entry__event=event)
        .order_by("line")
        .values_list("account__name", "side", "amount_minor")
    )


def test_paid_makes_the_loan_live_from_the_banks_value_date(
    market: Market, drawdown: Drawdown
) -> None:
    LegalEntity.objects.update(business_date=TODAY + timedelta(days=2))
    message = replace(paid(drawdown), value_date=TODAY + timedelta(days=1))

    assert effects(taken(market, [message])) == ["applied"]

    assert Loan.objects.get().status == "live"
    event = LoanEvent.objects.get()
    assert (event.kind, event.amount_minor) == ("disbursed", 3 * MILLION)
    assert (event.value_date, event.booking_date) == (
        TODAY + timedelta(days=1),
        TODAY + timedelta(days=2),
    )
    assert postings_of("loan_disbursed") == [
        ("loan_principal", 1, 3 * MILLION),
        ("bank", -1, 3 * MILLION),
    ]
    assert Entry.objects.get(event="loan_disbursed").value_date == TODAY + timedelta(days=1)


def test_paid_takes_the_memorandum_back_and_leaves_what_is_drawn(
    market: Market, drawdown: Drawdown
) -> None:
    taken(market, [paid(drawdown)])

    reservation = Reservation.objects.get()
    assert (reservation.fate, reservation.fate_date) == ("disbursed", TODAY)
    assert reservation.fate_entry.reverses_id == reservation.entry_id
    assert postings_of("commitment_ended") == [
        ("committed_drawdowns_contra", 1, 3 * MILLION),
        ("committed_drawdowns", -1, 3 * MILLION),
    ]
    assert PaymentOrder.objects.get().status == "paid"
    assert Facility.objects.get().drawn_minor == 3 * MILLION
    assert findings() == []


def test_rejected_frees_every_limit_tells_why_and_goes_to_a_worklist(
    market: Market, drawdown: Drawdown
) -> None:
    assert effects(taken(market, [rejected(drawdown)])) == ["applied"]

    assert Loan.objects.get().status == "rejected"
    assert LoanEvent.objects.count() == 0
    reservation = Reservation.objects.get()
    assert reservation.fate == "released"
    assert reservation.fate_entry.reverses_id == reservation.entry_id
    for limit in (Facility, ProgrammeLimit, FundingLine):
        assert limit.objects.get().drawn_minor == 0
    told = OutboxMessage.objects.get(topic="payment_rejected")
    assert (told.subject, told.payload["reason"]) == (f"loan:{drawdown.loan}", "account closed")
    item = WorkItem.objects.get()
    assert (item.kind, item.details["reason"]) == ("failed_payout", "account closed")
    assert findings() == []


def test_after_a_rejection_the_money_can_be_drawn_again(market: Market) -> None:
    everything = draw_down(market.request("F1", 10 * MILLION))
    taken(market, [rejected(everything)])

    assert draw_down(market.request("F1", 10 * MILLION)).available_minor == 0


@pytest.mark.parametrize("first", [paid, rejected])
def test_a_repeated_answer_changes_nothing_and_is_kept_and_looked_at(
    market: Market, drawdown: Drawdown, first: object
) -> None:
    message = first(drawdown)
    taken(market, [message])
    before = Entry.objects.count(), LoanEvent.objects.count()

    same = taken(market, [message], key="again")
    other = taken(market, [replace(message, bank_reference="BK-2")], key="other reference")

    assert effects(same + other) == ["repeated", "repeated"]
    assert (Entry.objects.count(), LoanEvent.objects.count()) == before
    assert BankAnswer.objects.filter(effect="repeated").count() == 2
    assert WorkItem.objects.filter(kind="bank_answer_repeated").count() == 2
    assert findings() == []


def test_contradictory_answers_change_nothing_and_are_kept_and_looked_at(
    market: Market, drawdown: Drawdown
) -> None:
    taken(market, [paid(drawdown)])
    before = Entry.objects.count(), LoanEvent.objects.count(), Facility.objects.get().drawn_minor

    answers = taken(
        market,
        [
            rejected(drawdown, "BK-2"),
            replace(paid(drawdown, "BK-3"), amount_minor=1),
            replace(paid(drawdown, "BK-4"), currency="USD"),
            replace(paid(drawdown, "BK-5"), value_date=TODAY + timedelta(days=1)),
        ],
        key="contradictions",
    )

    assert effects(answers) == ["contradictory"] * 4
    assert before == (
        Entry.objects.count(),
        LoanEvent.objects.count(),
        Facility.objects.get().drawn_minor,
    )
    assert WorkItem.objects.filter(kind="bank_answer_contradictory").count() == 4
    assert findings() == []


def test_an_answer_to_no_order_of_ours_is_kept_and_looked_at(market: Market) -> None:
    unknown = BankMessage("BK-1", "L999", "paid", 1, "CNY", TODAY)

    assert effects(taken(market, [unknown])) == ["unknown"]
    assert BankAnswer.objects.get().order_id is None
    assert WorkItem.objects.get().kind == "bank_answer_unknown"


def test_in_one_batch_the_first_of_two_answers_counts(market: Market, drawdown: Drawdown) -> None:
    answers = taken(market, [rejected(drawdown, "BK-1"), paid(drawdown, "BK-2")])

    assert effects(answers) == ["applied", "contradictory"]
    assert Loan.objects.get().status == "rejected"


def test_a_batch_sent_twice_under_one_key_is_answered_as_the_first_time(
    market: Market, drawdown: Drawdown
) -> None:
    first = taken(market, [paid(drawdown)])

    assert taken(market, [paid(drawdown)]) == first
    assert BankAnswer.objects.count() == 1


def test_paid_and_rejected_at_once_are_one_fate(market: Market, drawdown: Drawdown) -> None:
    messages = [(paid if number % 2 else rejected)(drawdown, f"BK-{number}") for number in range(8)]

    outcomes = all_at_once(
        [
            lambda message=message: taken(market, [message], key=message.bank_reference)
            for message in messages
        ]
    )

    assert sorted(effects([answer for (answer,) in outcomes])).count("applied") == 1
    assert Entry.objects.filter(event="commitment_ended").count() == 1
    assert findings() == []


# --- payments that are no loan's ---------------------------------------------------------------


@pytest.fixture
def residual(market: Market) -> BankMessage:
    """The rest of a settlement, ordered and not yet answered; what the bank would say of it."""
    act = Act.objects.create(
        owner="system",
        key="settle",
        kind="settle",
        request_sha256=b"",
        answer={},
        actor="test",
        channel="internal",
    )
    facility = Facility.objects.get()
    (end_to_end_id,) = order_payments(
        [NewPayment(PaymentKind.RESIDUAL, facility.supplier_id, "CNY", MILLION, facility.pk)],
        legal_entity_id=market.entity.pk,
        ordered_date=TODAY,
        act_id=act.pk,
    )
    return BankMessage("BK-9", end_to_end_id, "paid", MILLION, "CNY", TODAY)


def test_payments_are_ordered_and_told_to_the_bank(market: Market, residual: BankMessage) -> None:
    order = PaymentOrder.objects.get()

    assert (order.kind, order.status, order.amount_minor) == ("residual", "ordered", MILLION)
    message = OutboxMessage.objects.get()
    assert (message.topic, message.payload["end_to_end_id"]) == (
        "payment_ordered",
        residual.end_to_end_id,
    )


def test_a_residual_that_is_paid_leaves_the_bank_account(
    market: Market, residual: BankMessage
) -> None:
    assert effects(taken(market, [residual])) == ["applied"]

    assert postings_of("paid_to_supplier") == [
        ("payable_to_supplier", 1, MILLION),
        ("bank", -1, MILLION),
    ]
    assert PaymentOrder.objects.get().status == "paid"
    assert findings() == []


def test_a_residual_that_is_rejected_stays_payable_and_goes_to_the_worklist(
    market: Market, residual: BankMessage
) -> None:
    taken(market, [replace(residual, outcome="rejected", reason="wrong name")])

    assert Entry.objects.count() == 0
    assert PaymentOrder.objects.get().status == "rejected"
    assert WorkItem.objects.get().kind == "failed_payout"
    assert findings() == []


def test_a_value_date_before_the_order_is_no_payout(market: Market, drawdown: Drawdown) -> None:
    (answer,) = taken(market, [replace(paid(drawdown), value_date=date(2026, 1, 4))])

    assert answer.effect == "contradictory"
    assert Loan.objects.get().status == "pending"
