"""A bank that misbehaves: late, silent, repeating and contradicting itself; seeded, order by order.

What it does with an order is drawn from the seed and the order's own id, so that a run repeats
exactly whatever else happens in it. Whatever it says wrongly, it once says what it did: of every
order's messages exactly one is the true one, and only that may count.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from tallystick.book.payments.bank_answers import BankMessage
from tallystick.book.payments.models import PaymentOrder
from tallystick.rules.bank_answers import Effect, Outcome

PPM = 1_000_000
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BankFaults:
    """How often each thing goes wrong: millionths of the orders, or of the days where it says so.

    ``silent``: the bank has acted, and says so only when it is asked again. ``misstates``: it
    says another amount, currency or date before the truth. ``contradicts``: it says the opposite
    or another amount after it. ``mixes_up``: it answers under the reference of another order.
    """

    late_ppm: int = 200_000
    silent_ppm: int = 50_000
    rejects_ppm: int = 80_000
    repeats_ppm: int = 120_000
    misstates_ppm: int = 60_000
    contradicts_ppm: int = 80_000
    mixes_up_ppm: int = 40_000
    strays_ppm: int = 30_000
    """answers for an order that nobody has given"""
    reorders_days_ppm: int = 300_000
    sends_day_again_ppm: int = 20_000


class Said(NamedTuple):
    """A message of the bank, what it should change, and what is wrong with it, if anything is."""

    message: BankMessage
    effect: Effect
    fault: str


class MisbehavingBank:
    """Answers orders over many days; remembers what it said and what should have come of it.

    ``did`` counts what it did wrong, ``said`` is everything it said, in the order in which it said
    it, ``said_last`` what it said when it was last heard, and ``outcomes`` what it really did with
    each order of which it has told.
    """

    def __init__(self, seed: int, faults: BankFaults) -> None:
        self.seed = seed
        self.faults = faults
        self.did: Counter[str] = Counter()
        self.said: list[Said] = []
        self.outcomes: dict[str, str] = {}
        self._agenda: dict[date, list[Said]] = defaultdict(list)
        self._known: set[str] = set()
        self._silent_about: dict[str, list[tuple[int, Said]]] = {}
        self._last_reference = ""
        self.said_last: list[Said] = []

    def answers(self, orders: Sequence[PaymentOrder], on: date) -> list[BankMessage]:
        """What the bank says on a day; ``orders`` are those that it has not truly answered."""
        for order in orders:
            if order.end_to_end_id not in self._known:
                self._known.add(order.end_to_end_id)
                self._take(order, on)
        again = self._day_again(on)
        self.said_last = [*self._in_some_order(self._agenda.pop(on, []), on), *again]
        self.said += self.said_last
        self._remember(self.said_last)
        return [each.message for each in self.said_last]

    @property
    def paid(self) -> int:
        """How many orders it has truly paid, and said so."""
        return sum(outcome == Outcome.PAID for outcome in self.outcomes.values())

    def asked_again(self, end_to_end_id: str, on: date) -> None:
        """Somebody has asked what became of an order: a bank that was silent about it answers."""
        for days, said in self._silent_about.pop(end_to_end_id, []):
            self._agenda[on + days * DAY].append(said)

    def _take(self, order: PaymentOrder, on: date) -> None:
        chance = Random(f"{self.seed}/bank/{order.end_to_end_id}")
        told = self._told(order, on, chance)
        if _hits(chance, self.faults.silent_ppm):
            self.did["acted, and said nothing until asked again"] += 1
            self._silent_about[order.end_to_end_id] = told
        else:
            for days, said in told:
                self._agenda[on + days * DAY].append(said)

    def _told(self, order: PaymentOrder, on: date, chance: Random) -> list[tuple[int, Said]]:
        """All that will be said about an order: how many days from now, and what."""
        days = chance.randrange(1, 10) if _hits(chance, self.faults.late_ppm) else 0
        rejected = _hits(chance, self.faults.rejects_ppm)
        truth = BankMessage(
            bank_reference=f"BK-{order.end_to_end_id}",
            end_to_end_id=order.end_to_end_id,
            outcome=Outcome.REJECTED if rejected else Outcome.PAID,
            amount_minor=order.amount_minor,
            currency=order.currency,
            value_date=on + chance.randrange(days + 1) * DAY,
            reason="account closed" if rejected else "",
        )
        told = []
        if _hits(chance, self.faults.misstates_ppm):
            told.append((days, _misstated(truth, chance)))
            days += chance.randrange(4)
        if _hits(chance, self.faults.mixes_up_ppm) and self._last_reference:
            wrong = replace(truth, bank_reference=self._last_reference)
            told.append((days, Said(wrong, Effect.CONTRADICTORY, "used a reference twice")))
        told.append((days, Said(truth, Effect.APPLIED, "answered late" if days else "")))
        if _hits(chance, self.faults.repeats_ppm):
            told.append((days + chance.randrange(20), _repeated(truth, chance)))
        if _hits(chance, self.faults.contradicts_ppm):
            told.append((days + chance.randrange(20), _contradicted(truth, chance)))
        if _hits(chance, self.faults.strays_ppm):
            stray = replace(
                truth,
                bank_reference=f"BK-STRAY-{order.end_to_end_id}",
                end_to_end_id=f"NOT-OURS-{order.end_to_end_id}",
            )
            told.append((days, Said(stray, Effect.UNKNOWN, "answered an order that is not ours")))
        return told

    def _in_some_order(self, said: list[Said], on: date) -> list[Said]:
        """On some days the later orders are answered first; of one order the truth stays first."""
        chance = Random(f"{self.seed}/bank/order/{on}")
        if len(said) < 2 or not _hits(chance, self.faults.reorders_days_ppm):
            return said
        self.did["answered later orders first (days)"] += 1
        return sorted(said, key=_place_of_order, reverse=True)

    def _day_again(self, on: date) -> list[Said]:
        """On some days everything that was said last is said again, word for word."""
        chance = Random(f"{self.seed}/bank/again/{on}")
        if not self.said_last or not _hits(chance, self.faults.sends_day_again_ppm):
            return []
        self.did["sent a whole day's answers again (days)"] += 1
        return [
            each._replace(effect=Effect.REPEATED, fault="said it again")
            if each.effect is Effect.APPLIED
            else each
            for each in self.said_last
        ]

    def _remember(self, said: Sequence[Said]) -> None:
        for message, effect, fault in said:
            if fault:
                self.did[fault] += 1
            if effect is Effect.APPLIED:
                self.did["rejected an order"] += message.outcome == Outcome.REJECTED
                self.outcomes[message.end_to_end_id] = message.outcome
                self._last_reference = message.bank_reference


def _hits(chance: Random, ppm: int) -> bool:
    return chance.randrange(PPM) < ppm


def _place_of_order(said: Said) -> int:
    """A number that rises with the orders; Python's sort keeps the messages of one in order."""
    return int("".join(filter(str.isdigit, said.message.end_to_end_id)))


def _misstated(truth: BankMessage, chance: Random) -> Said:
    wrong = chance.choice(
        (
            replace(truth, amount_minor=truth.amount_minor + chance.randrange(1, 10_000)),
            replace(truth, currency="USD"),
            replace(truth, value_date=truth.value_date - chance.randrange(400, 800) * DAY),
            replace(truth, value_date=truth.value_date + chance.randrange(30, 60) * DAY),
        )
    )
    return Said(wrong, Effect.CONTRADICTORY, "said another amount, currency or date")


def _repeated(truth: BankMessage, chance: Random) -> Said:
    other_name = f"{truth.bank_reference}-AGAIN"
    again = chance.choice((truth, replace(truth, bank_reference=other_name)))
    return Said(again, Effect.REPEATED, "said it again")


def _contradicted(truth: BankMessage, chance: Random) -> Said:
    opposite = Outcome.PAID if truth.outcome == Outcome.REJECTED else Outcome.REJECTED
    wrong = chance.choice(
        (
            replace(truth, outcome=opposite, reason="recalled"),
            replace(truth, outcome=opposite, bank_reference=f"{truth.bank_reference}-NO"),
            replace(truth, amount_minor=truth.amount_minor + 1),
            replace(truth, value_date=truth.value_date + DAY),
        )
    )
    return Said(wrong, Effect.CONTRADICTORY, "contradicted itself")
