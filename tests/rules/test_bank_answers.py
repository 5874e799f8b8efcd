"""A bank's answer counts once, and only where it agrees with the order."""

from dataclasses import replace
from datetime import date

import pytest

from tallystick.rules.bank_answers import (
    BankMessage,
    Effect,
    InvalidBankMessage,
    Judgement,
    OrderState,
    judged,
)

ORDERED = date(2026, 1, 5)
TODAY = date(2026, 1, 7)
PAID = BankMessage("BK-1", "L1", "paid", 5_000_000, "CNY", date(2026, 1, 6))
REJECTED = replace(PAID, bank_reference="BK-2", outcome="rejected", reason="account closed")
UNANSWERED = OrderState(5_000_000, "CNY", ORDERED, answer=None)


def judgement(
    message: BankMessage,
    order: OrderState | None = UNANSWERED,
    *,
    reference_used_for: str | None = None,
) -> Judgement:
    return judged(message, order, business_date=TODAY, reference_used_for=reference_used_for)


@pytest.mark.parametrize("message", [PAID, REJECTED], ids=["paid", "rejected"])
def test_the_first_answer_that_agrees_with_its_order_is_applied(message: BankMessage) -> None:
    assert judgement(message) == Judgement(Effect.APPLIED, "")


@pytest.mark.parametrize(
    "value_date", [ORDERED, TODAY], ids=["on the day of the order", "on the open business day"]
)
def test_an_answer_may_be_valued_from_the_order_to_today(value_date: date) -> None:
    assert judgement(replace(PAID, value_date=value_date)).effect is Effect.APPLIED


def test_an_answer_to_no_order_of_ours_is_unknown() -> None:
    assert judgement(PAID, None).effect is Effect.UNKNOWN


@pytest.mark.parametrize("reference", ["BK-1", "BK-9"], ids=["same message", "other reference"])
def test_the_same_answer_again_is_a_repetition(reference: str) -> None:
    answered = replace(UNANSWERED, answer=PAID)

    repeated = judgement(replace(PAID, bank_reference=reference), answered)

    assert repeated.effect is Effect.REPEATED
    assert "BK-1" in repeated.why


@pytest.mark.parametrize(
    ("message", "answer", "why"),
    [
        pytest.param(REJECTED, PAID, "said paid before", id="rejected after paid"),
        pytest.param(PAID, REJECTED, "said rejected before", id="paid after rejected"),
        pytest.param(
            replace(PAID, value_date=TODAY), PAID, "said 2026-01-06 before", id="another value date"
        ),
        pytest.param(replace(PAID, amount_minor=1), PAID, "the order is 5000000", id="amount"),
        pytest.param(replace(PAID, amount_minor=1), None, "the order is 5000000", id="amount new"),
        pytest.param(replace(PAID, currency="USD"), None, "5000000 USD", id="another currency"),
        pytest.param(
            replace(PAID, value_date=date(2026, 1, 4)), None, "outside 2026-01-05", id="too early"
        ),
        pytest.param(
            replace(PAID, value_date=date(2026, 1, 8)), None, "to 2026-01-07", id="in the future"
        ),
    ],
)
def test_an_answer_that_disagrees_is_contradictory(
    message: BankMessage, answer: BankMessage | None, why: str
) -> None:
    contradictory = judgement(message, replace(UNANSWERED, answer=answer))

    assert contradictory.effect is Effect.CONTRADICTORY
    assert why in contradictory.why


def test_a_reference_that_answered_another_order_is_contradictory() -> None:
    contradictory = judgement(PAID, reference_used_for="L7")

    assert contradictory.effect is Effect.CONTRADICTORY
    assert "L7" in contradictory.why


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "perhaps"),
        ("amount_minor", 0),
        ("amount_minor", 2**63),
        ("bank_reference", ""),
        ("bank_reference", "x" * 101),
        ("end_to_end_id", "x" * 36),
        ("end_to_end_id", "L\x001"),
        ("currency", "YUAN"),
        ("reason", "x" * 501),
    ],
)
def test_a_message_that_no_bank_can_have_meant_is_refused(field: str, value: object) -> None:
    with pytest.raises(InvalidBankMessage, match=f"^Bank message: {field} = "):
        replace(PAID, **{field: value})
