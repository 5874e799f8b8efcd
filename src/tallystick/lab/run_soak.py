"""The long run: partners misbehave for days on end, and after every close the books must agree.

All that goes wrong comes from one seed, so that a failure is found again by its command.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Sum

from tallystick.book.acts.once import Caller
from tallystick.book.calendars import china
from tallystick.book.financing.programmes import preset
from tallystick.book.ledger.models import Posting
from tallystick.book.payments.models import (
    BankAnswer,
    CashReceipt,
    PaymentOrder,
    PaymentStatus,
)
from tallystick.book.servicing.receipts import InvalidReceipt, ReceiptConflict
from tallystick.book.servicing.reverse import ReceiptReversedAlready
from tallystick.book.trade.record_documents import NumberTaken, UnacceptableDocument
from tallystick.book.trade.reductions import UnknownClaim
from tallystick.book.watch.verify import verify
from tallystick.lab.daily import daily_findings
from tallystick.lab.measures import DayMeasures, RunSummary
from tallystick.lab.stage import StageTerms, set_stage
from tallystick.lab.walk import Walk
from tallystick.lab.world.bank import BankFaults, MisbehavingBank
from tallystick.lab.world.desk import Desk
from tallystick.lab.world.market import CURRENCY, Market
from tallystick.lab.world.misbehaving_market import MarketFaults, MisbehavingMarket
from tallystick.rules.bank_answers import Effect, Outcome

START = date(2020, 1, 6)
"""A Monday. 2,000 days from it lie within the calendar as published."""

CALLER = Caller(owner="system", actor="soak", channel="lab", reason="long run")
PROGRAMME = "jd.jingbaobei"
FACILITY_LIMIT_MINOR = 5_000_000_000

EXPECTED = (
    InvalidReceipt,
    NumberTaken,
    ReceiptConflict,
    ReceiptReversedAlready,
    UnacceptableDocument,
    UnknownClaim,
)
"""What the book answers to what misbehaving partners send."""


class SoakFailed(Exception):  # noqa: N818 - what has happened, as the person running it would say
    """A day could not be walked, or the books did not agree after it. The cause says why."""

    def __init__(self, on: date, command: str, why: str) -> None:
        self.on = on
        self.command = command
        super().__init__(f"The run fails on {on}: {why}\nThe same again: {command}")


@dataclass(frozen=True, slots=True)
class SoakRun:
    """A run that is set up and waits to be walked."""

    start: date
    end: date
    command: str
    bank: MisbehavingBank
    market: MisbehavingMarket
    desk: Desk
    walk_: Walk
    summary: RunSummary

    def walk(self, on_day: Callable[[DayMeasures], None]) -> list[str]:
        """Walk all days, then prove the books whole; answers what is wrong with them.

        Raises SoakFailed, which names the day and the command that finds it again.
        """
        on = self.start
        try:
            while on <= self.end:
                self.walk_.through(self.summary, start=on, end=on, on_day=on_day)
                on += timedelta(days=1)
        except Exception as error:
            raise SoakFailed(on, self.command, f"{type(error).__name__}: {error}") from error
        return [str(finding) for finding in verify()] + self.misunderstood()

    def misunderstood(self) -> list[str]:
        """Where the book made something else of the partners' words than they were worth."""
        return [
            *_messages_misunderstood(self.bank),
            *_orders_misunderstood(self.bank),
            *_cash_misunderstood(self.bank),
            *self._market_misunderstood(),
        ]

    def _market_misunderstood(self) -> list[str]:
        return [
            f"{name}: {count} should have been refused so, {refused} were"
            for name, count in sorted(self.market.refusals.items())
            if (refused := self.summary.refusals.get(name, 0)) != count
        ]


def prepare_soak(*, days: int, suppliers: int, seed: int) -> SoakRun:
    """Set up a run of so many days in the database in use, which is empty."""
    end = START + timedelta(days=days - 1)
    calendar = china()
    market = MisbehavingMarket(
        Market(suppliers=suppliers, seed=seed, start=START, end=end, calendar=calendar),
        seed,
        MarketFaults(),
    )
    bank = MisbehavingBank(seed, BankFaults())
    stage = set_stage(
        StageTerms(
            programme=PROGRAMME,
            currency=CURRENCY,
            facility_limit_minor=FACILITY_LIMIT_MINOR,
        ),
        suppliers=market.suppliers,
        start=START,
        end=end,
        caller=CALLER,
    )
    desk = Desk(stage, bank, market, seed, CALLER)

    def daily_check(on: date) -> Sequence[str]:
        return [*daily_findings(on), *_messages_misunderstood(bank, on)]

    return SoakRun(
        start=START,
        end=end,
        command=f"./tally soak --days {days} --suppliers {suppliers} --seed {seed}",
        bank=bank,
        market=market,
        desk=desk,
        walk_=Walk(
            source=market,
            stage=stage,
            bank=bank,
            caller=CALLER,
            daily_check=daily_check,
            expected=EXPECTED,
            desk=desk.work,
        ),
        summary=RunSummary(
            name=f"Partners who misbehave, {days} days",
            currency=CURRENCY,
            seed=seed,
            assumptions=[],
            suppliers=suppliers,
        ),
    )


def _messages_misunderstood(bank: MisbehavingBank, on: date | None = None) -> list[str]:
    """Messages of the bank, of one day or all, that had another effect than they were worth."""
    kept = BankAnswer.objects.order_by("id")
    if on is not None:
        kept = kept.filter(booking_date=on)
    found = list(kept.values_list("bank_reference", "end_to_end_id", "outcome", "effect"))
    said = [
        (each.message.bank_reference, each.message.end_to_end_id, each.message.outcome, each.effect)
        for each in (bank.said if on is None else bank.said_last)
    ]
    wrong = [
        f"the bank's message {told} was taken as {taken[-1]}"
        for told, taken in zip(said, found, strict=False)
        if told != taken
    ]
    if len(said) != len(found):
        wrong.append(f"the bank said {len(said)} messages, {len(found)} were kept")
    return wrong


def _orders_misunderstood(bank: MisbehavingBank) -> list[str]:
    """Orders that stand otherwise than the bank has truly answered them."""
    return [
        f"order {end_to_end_id} is {status}, and the bank's true answer {true or 'not heard yet'}"
        for end_to_end_id, status in PaymentOrder.objects.order_by("id").values_list(
            "end_to_end_id", "status"
        )
        if status != ((true := bank.outcomes.get(end_to_end_id)) or PaymentStatus.ORDERED)
    ]


def _cash_misunderstood(bank: MisbehavingBank) -> list[str]:
    """Whether our account at the bank holds what came in, less what the bank truly paid out."""
    paid_minor = sum(
        message.amount_minor
        for message, effect, _ in bank.said
        if effect is Effect.APPLIED and message.outcome == Outcome.PAID
    )
    received = CashReceipt.objects.filter(currency=CURRENCY, reversed_date=None)
    received_minor = received.aggregate(minor=Sum("amount_minor"))["minor"] or 0
    expected_minor = preset(PROGRAMME).limits.programme_minor + received_minor - paid_minor
    postings = Posting.objects.filter(account__name="bank", account__currency=CURRENCY)
    held_minor = postings.aggregate(minor=Sum(F("side") * F("amount_minor")))["minor"]
    if held_minor == expected_minor:
        return []
    return [f"the account at the bank holds {held_minor}, and should hold {expected_minor}"]
