"""The dunning ladder: which message a firm that pays late is owed next, and by which clause.

A ladder is data of a legal entity, in force from a day until the next one. Its steps are climbed
upwards only. A step is reached when the oldest debt is so many days past due; of the steps reached
since the last message only the highest is sent, so that whoever is found very late gets one letter
and not five. Every step is sent at most once in a case; a case ends when nothing is past due, and
a new one starts at the bottom.

Nothing is sent while a promise to pay runs, while the case is paused, or before the wait of the
step since the last message is over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from tallystick.rules.refusal import Refusal

BUCKETS = (30, 60, 90, 180, 360)
"""Last days past due of each bucket; beyond the last is the worst."""

MAX_STEPS = 20
MAX_DAYS = 3_650


class Channel(StrEnum):
    """How a message goes out."""

    MAIL = "mail"
    """A letter by electronic mail."""
    WEBHOOK = "webhook"
    """An event to the servers that listen, for letters that another system sends."""
    TASK = "task"
    """Nothing is sent: a person has to call, visit or decide."""


class Recipient(StrEnum):
    """To whom a message goes."""

    FIRM = "firm"
    """The firm that pays late."""
    OFFICER = "officer"
    """The person of ours to whom the case is assigned."""


class Letter(StrEnum):
    """What a message says; the wording is the faces' matter, in the reader's language."""

    REMINDER = "reminder"
    SECOND_REMINDER = "second_reminder"
    DEMAND = "demand"
    FINAL_NOTICE = "final_notice"
    HAND_OVER = "hand_over"


class Why(StrEnum):
    """Why a message is due, or none is."""

    DUE = "due"
    NOTHING_PAST_DUE = "nothing_past_due"
    NOT_REACHED = "not_reached"
    """The first step has not been reached."""
    ALL_SENT = "all_sent"
    """The step reached was sent, and no later one is reached."""
    PAUSED = "paused"
    PROMISED = "promised"
    WAITS = "waits"
    """The step's wait since the message before is not over."""


class UnusableLadder(Refusal):
    """A ladder's steps contradict each other or cannot be climbed."""


class AskedBeforeLadder(Refusal):
    """No ladder was in force on the day asked about."""

    def __init__(self, asked_date: date, first_date: date | None) -> None:
        self.asked_date = asked_date
        first = f"The first is in force from {first_date}." if first_date else "There is none."
        super().__init__(
            f"No dunning ladder is in force on {asked_date}. {first} Set one from an earlier day."
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One rung. ``min_days_past_due`` reaches it; ``min_wait_days`` pass since the last message.

    ``name`` tells steps of a ladder apart and stays with what was sent.
    """

    name: str
    min_days_past_due: int
    letter: Letter
    channel: Channel
    recipient: Recipient
    min_wait_days: int

    @property
    def bucket(self) -> str:
        return bucket_of(self.min_days_past_due)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps in force from ``from_date``, lowest first.

    A case is opened once a loan is more than ``max_days_past_due`` days late: up to that a late
    payment is taken for a slip of the bank's.

    Raises UnusableLadder.
    """

    from_date: date
    max_days_past_due: int
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise UnusableLadder(
                f"A ladder of {len(self.steps)} steps cannot be climbed. Give 1 to {MAX_STEPS}."
            )
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names) or not all(
            0 < len(name) <= 40 and name.isprintable() for name in names
        ):
            raise UnusableLadder(
                f"The steps are called {', '.join(names)}. "
                "Give each a name of its own of 1 to 40 printable characters."
            )
        days = [step.min_days_past_due for step in self.steps]
        if days != sorted(set(days)) or not all(0 < day <= MAX_DAYS for day in days):
            raise UnusableLadder(
                f"The steps are reached at {', '.join(map(str, days))} days past due. "
                f"Let each come later than the one before, from 1 to {MAX_DAYS}."
            )
        if not 0 <= self.max_days_past_due < days[0]:
            raise UnusableLadder(
                f"A case is opened after {self.max_days_past_due} days past due, and the first "
                f"step is reached at {days[0]}. Open it before that, from 0 days on."
            )
        if not all(0 <= step.min_wait_days <= MAX_DAYS for step in self.steps):
            raise UnusableLadder(f"A step's wait is from 0 to {MAX_DAYS} days. Correct it.")

    def place_of(self, name: str) -> int:
        """How high a step of that name stands; -1 for one that the ladder does not have."""
        return next((place for place, step in enumerate(self.steps) if step.name == name), -1)


@dataclass(frozen=True, slots=True)
class PastDue:
    """What one loan owes past its due date. ``amount_minor`` is all that settles it today."""

    currency: str
    days_past_due: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the case that went out, or was due to."""

    step: str
    min_days_past_due: int
    date: date


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a party stands with us: what is past due, what was sent, what holds us back.

    ``promised_dates``: of the promises that run, neither kept nor broken. ``paused_until_date``:
    the first day on which messages may go out again, None where nothing is paused.
    """

    past_due: tuple[PastDue, ...]
    sent: tuple[Sent, ...] = ()
    promised_dates: tuple[date, ...] = ()
    paused_until_date: date | None = None

    @property
    def days_past_due(self) -> int:
        return max((each.days_past_due for each in self.past_due if each.amount_minor), default=0)

    @property
    def last_sent(self) -> Sent | None:
        return max(self.sent, key=lambda sent: sent.date, default=None)


@dataclass(frozen=True, slots=True)
class Next:
    """What is to be done now, and the clause that says so. ``step`` None: nothing is.

    ``until_date``: of a message held back, the day on which that ends; of a promise its last day.
    """

    step: Step | None
    why: Why
    clause: str
    until_date: date | None = None


def bucket_of(days_past_due: int) -> str:
    """The name of the bucket: ``0``, ``1-30``, …, ``361+``."""
    if days_past_due <= 0:
        return "0"
    first_day = 1
    for last_day in BUCKETS:
        if days_past_due <= last_day:
            return f"{first_day}-{last_day}"
        first_day = last_day + 1
    return f"{first_day}+"


def bucket_names() -> tuple[str, ...]:
    """The buckets of what is past due, in order."""
    return tuple(bucket_of(day) for day in (*BUCKETS, BUCKETS[-1] + 1))


def by_bucket(past_due: Iterable[PastDue]) -> dict[str, dict[str, int]]:
    """Amounts by currency and bucket; every bucket is there, in order."""
    sums: dict[str, dict[str, int]] = {}
    for each in past_due:
        buckets = sums.setdefault(each.currency, dict.fromkeys(bucket_names(), 0))
        if each.days_past_due > 0:
            buckets[bucket_of(each.days_past_due)] += each.amount_minor
    return sums


def ladder_on(ladders: Sequence[Ladder], on: date) -> Ladder:
    """The ladder in force ``on`` a day: the latest that had begun; of one day, the last given.

    Raises AskedBeforeLadder.
    """
    begun = [ladder for ladder in ladders if ladder.from_date <= on]
    if not begun:
        raise AskedBeforeLadder(on, min((each.from_date for each in ladders), default=None))
    latest_date = max(ladder.from_date for ladder in begun)
    return [ladder for ladder in begun if ladder.from_date == latest_date][-1]


def next_action(ladder: Ladder, standing: Standing, on: date) -> Next:
    """The step that is due ``on`` a day, and why; or why none is.

    The highest step reached, if it stands above every step sent. Steps are compared by the days
    past due that reach them, so that a case keeps its place when another ladder comes into force.
    """
    late = standing.days_past_due
    if not late:
        return Next(None, Why.NOTHING_PAST_DUE, "Nothing is past due.")
    if standing.paused_until_date is not None and on < standing.paused_until_date:
        until_date = standing.paused_until_date
        clause = f"Nothing is sent: paused until {until_date}."
        return Next(None, Why.PAUSED, clause, until_date)
    if running := [day for day in standing.promised_dates if on <= day]:
        until_date = max(running)
        clause = f"Nothing is sent: payment is promised for {until_date}."
        return Next(None, Why.PROMISED, clause, until_date)
    reached = [step for step in ladder.steps if step.min_days_past_due <= late]
    if not reached:
        first = ladder.steps[0]
        return Next(
            None,
            Why.NOT_REACHED,
            f"{late} days past due: the first step, {first.name}, is reached at "
            f"{first.min_days_past_due}.",
        )
    step = reached[-1]
    climbed_days = max((sent.min_days_past_due for sent in standing.sent), default=0)
    if step.min_days_past_due <= climbed_days or any(
        sent.step == step.name for sent in standing.sent
    ):
        return Next(
            None,
            Why.ALL_SENT,
            f"{late} days past due: {step.name} was sent, and no later step is reached.",
        )
    if standing.last_sent is not None:
        free_date = standing.last_sent.date + timedelta(days=step.min_wait_days)
        if on < free_date:
            return Next(
                None,
                Why.WAITS,
                f"{step.name} waits until {free_date}: {step.min_wait_days} days after "
                f"{standing.last_sent.step} of {standing.last_sent.date}.",
                free_date,
            )
    return Next(
        step,
        Why.DUE,
        f"{late} days past due: {step.name} is sent from {step.min_days_past_due} days on "
        f"(bucket {step.bucket}), at least {step.min_wait_days} days after the message before.",
    )


def default_ladder(from_date: date) -> Ladder:
    """The ladder of a legal entity that has set none; its days are illustrative."""
    firm, officer = Recipient.FIRM, Recipient.OFFICER
    return Ladder(
        from_date=from_date,
        max_days_past_due=2,
        steps=(
            Step("reminder", 3, Letter.REMINDER, Channel.MAIL, firm, 0),
            Step("second reminder", 10, Letter.SECOND_REMINDER, Channel.MAIL, firm, 5),
            Step("demand", 31, Letter.DEMAND, Channel.MAIL, firm, 7),
            Step("final notice", 61, Letter.FINAL_NOTICE, Channel.MAIL, firm, 14),
            Step("hand over", 91, Letter.HAND_OVER, Channel.TASK, officer, 7),
        ),
    )


def as_content(ladder: Ladder) -> dict[str, Any]:
    """The ladder in plain JSON values, as ``ladder_from`` reads them."""
    return {
        "max_days_past_due": ladder.max_days_past_due,
        "step": [
            {
                "name": step.name,
                "min_days_past_due": step.min_days_past_due,
                "letter": str(step.letter),
                "channel": str(step.channel),
                "recipient": str(step.recipient),
                "min_wait_days": step.min_wait_days,
            }
            for step in ladder.steps
        ],
    }


def ladder_from(content: Mapping[str, Any], *, from_date: date) -> Ladder:
    """The ladder that ``as_content`` wrote. Raises UnusableLadder."""
    return Ladder(
        from_date=from_date,
        max_days_past_due=content["max_days_past_due"],
        steps=tuple(
            Step(
                name=step["name"],
                min_days_past_due=step["min_days_past_due"],
                letter=Letter(step["letter"]),
                channel=Channel(step["channel"]),
                recipient=Recipient(step["recipient"]),
                min_wait_days=step["min_wait_days"],
            )
            for step in content["step"]
        ),
    )
