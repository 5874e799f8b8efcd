"""What a bank's answer to a payment order means: it counts once, and only if it agrees with it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tallystick.rules.refusal import Refusal

_MAX_LENGTHS = {"bank_reference": 100, "end_to_end_id": 35, "currency": 3, "reason": 500}
_MAX_AMOUNT_MINOR = 2**63 - 1


class Outcome(StrEnum):
    """What the bank did with an order."""

    PAID = "paid"
    REJECTED = "rejected"


class Effect(StrEnum):
    """What an answer changes: the first does, the others change nothing."""

    APPLIED = "applied"
    REPEATED = "repeated"
    CONTRADICTORY = "contradictory"
    UNKNOWN = "unknown"


class InvalidBankMessage(Refusal):
    """A field of a bank's message cannot be what a bank meant to say."""

    def __init__(self, *, field: str, value: object, remedy: str) -> None:
        self.field = field
        super().__init__(f"Bank message: {field} = {str(value)[:80]!r}: {remedy}")


@dataclass(frozen=True, slots=True)
class BankMessage:
    """One answer of the bank, as it came.

    ``end_to_end_id`` names our order; ``bank_reference`` is the bank's own name of the message.
    ``reason`` says why an order was rejected.

    Raises InvalidBankMessage.
    """

    bank_reference: str
    end_to_end_id: str
    outcome: str
    amount_minor: int
    currency: str
    value_date: date
    reason: str = ""

    def __post_init__(self) -> None:
        if self.outcome not in list(Outcome):
            raise InvalidBankMessage(
                field="outcome", value=self.outcome, remedy=f"Give {' or '.join(Outcome)}."
            )
        for field, max_length in _MAX_LENGTHS.items():
            text = getattr(self, field)
            fits = len(text) <= max_length and "\x00" not in text
            if not fits or (field != "reason" and not text):
                raise InvalidBankMessage(
                    field=field, value=text, remedy=f"Give a text of 1 to {max_length} characters."
                )
        if not 0 < self.amount_minor <= _MAX_AMOUNT_MINOR:
            raise InvalidBankMessage(
                field="amount_minor",
                value=self.amount_minor,
                remedy="Give the amount of the order, in minor units above zero.",
            )


@dataclass(frozen=True, slots=True)
class OrderState:
    """A payment order, and the answer that was applied to it if there is one."""

    amount_minor: int
    currency: str
    ordered_date: date
    answer: BankMessage | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The effect of a message, and why it is not applied."""

    effect: Effect
    why: str


def judged(
    message: BankMessage,
    order: OrderState | None,
    *,
    business_date: date,
    reference_used_for: str | None,
) -> Judgement:
    """Whether ``message`` is applied to ``order``, which is None when no order has its id.

    ``reference_used_for`` is the end-to-end id of the order to which a message with the same bank
    reference has been applied before, if one has.
    """
    if order is None:
        return Judgement(Effect.UNKNOWN, f"There is no order {message.end_to_end_id}.")
    if reference_used_for not in (None, message.end_to_end_id):
        return _contradictory(
            f"Reference {message.bank_reference} has already answered order {reference_used_for}."
        )
    if (message.amount_minor, message.currency) != (order.amount_minor, order.currency):
        return _contradictory(
            f"The bank says {message.amount_minor} {message.currency}; the order is "
            f"{order.amount_minor} {order.currency} (minor units)."
        )
    if order.answer is not None:
        return _after_an_answer(message, order.answer)
    if not order.ordered_date <= message.value_date <= business_date:
        return _contradictory(
            f"The value date {message.value_date} is outside {order.ordered_date} (ordered) to "
            f"{business_date} (open business day)."
        )
    return Judgement(Effect.APPLIED, "")


def _after_an_answer(message: BankMessage, answer: BankMessage) -> Judgement:
    if message.outcome != answer.outcome:
        return _contradictory(
            f"The bank says {message.outcome}; it said {answer.outcome} before, in "
            f"{answer.bank_reference}."
        )
    if message.value_date != answer.value_date:
        return _contradictory(
            f"The bank says value date {message.value_date}; it said {answer.value_date} before, "
            f"in {answer.bank_reference}."
        )
    return Judgement(Effect.REPEATED, f"The bank said so before, in {answer.bank_reference}.")


def _contradictory(why: str) -> Judgement:
    return Judgement(Effect.CONTRADICTORY, why)
