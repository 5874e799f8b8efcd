"""A bank that answers on the same day: it pays, and now and then turns an order down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Protocol

from tallystick.book.payments.bank_answers import BankMessage
from tallystick.book.payments.models import PaymentOrder

PPM = 1_000_000


class Bank(Protocol):
    """A run's bank: asked every day, with the orders that it has not answered yet."""

    def answers(self, orders: Sequence[PaymentOrder], on: date) -> list[BankMessage]: ...


@dataclass(frozen=True, slots=True)
class OnTimeBank:
    """Answers each order once, on its day; ``rejects_ppm`` of the payouts are turned down."""

    seed: int
    rejects_ppm: int = 0

    def answers(self, orders: Sequence[PaymentOrder], on: date) -> list[BankMessage]:
        return [self._answer(order, on) for order in orders]

    def _answer(self, order: PaymentOrder, on: date) -> BankMessage:
        # A generator of its own for every order: the answer is the order's, whatever came before.
        chance = Random(f"{self.seed}/{order.end_to_end_id}")
        rejected = order.kind == "payout" and chance.randrange(PPM) < self.rejects_ppm
        return BankMessage(
            bank_reference=f"BK-{order.end_to_end_id}",
            end_to_end_id=order.end_to_end_id,
            outcome="rejected" if rejected else "paid",
            amount_minor=order.amount_minor,
            currency=order.currency,
            value_date=on,
            reason="account closed" if rejected else "",
        )
