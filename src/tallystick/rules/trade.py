"""A unit of trade counts once, at its latest stage.

A unit of trade is the tree of documents under one root, usually the order: each document names the
one it fulfils, which is of an earlier stage. What a document fulfils no longer counts where it was:

1. Each part first takes its amount from the document it names; a part that is larger than what it
   names takes the rest from that document's own predecessor, and so on up to the root.
2. Below every document, and so in the whole unit, no more counts than the largest of what its
   stages document: Σ live face = max(ordered, received, invoiced, settled). What is above that
   (goods received and invoiced in separate documents that both name the order, an invoice larger
   than its receipt) is taken off the earliest stage first, and within a stage off the oldest
   document first.

Everything here is a function of the set of documents, payments and dilutions up to a day: the order
in which they arrived plays no part. Amounts are integer minor units of the unit's one currency.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tallystick.rules.frames import STAGES


@dataclass(frozen=True, slots=True)
class Part:
    """A document that opens a claim, as a part of its unit of trade.

    ``key`` is the document's fingerprint; ``stage`` one of ``frames.STAGES``; ``predecessor`` the
    key of the document it fulfils, if that has arrived.
    """

    key: bytes
    stage: str
    issue_date: date
    amount_minor: int
    predecessor: bytes | None = None

    @property
    def age(self) -> tuple[int, date, bytes]:
        """Earliest stage first, then oldest; the fingerprint decides between equals."""
        return STAGES.index(self.stage), self.issue_date, self.key


@dataclass(frozen=True, slots=True)
class Cancellation:
    """So much of a document is withdrawn from ``date`` on, as if it had never counted."""

    of: bytes
    date: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Reduction:
    """Money received for a document, or a credit granted on it, from ``date`` on.

    A reversal is the same with negative amounts and the date of what it reverses: from then on
    neither has been.
    """

    of: bytes
    date: date
    paid_minor: int = 0
    diluted_minor: int = 0


@dataclass(frozen=True, slots=True)
class Unit:
    """What is known of one unit of trade."""

    parts: Sequence[Part]
    cancellations: Sequence[Cancellation] = ()
    reductions: Sequence[Reduction] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A claim's amounts. paid + diluted never exceed face."""

    face_minor: int = 0
    paid_minor: int = 0
    diluted_minor: int = 0

    @property
    def outstanding_minor(self) -> int:
        return self.face_minor - self.paid_minor - self.diluted_minor

    def plus(self, other: "Standing") -> "Standing":
        return Standing(
            self.face_minor + other.face_minor,
            self.paid_minor + other.paid_minor,
            self.diluted_minor + other.diluted_minor,
        )

    def less(self, other: "Standing") -> "Standing":
        return Standing(
            self.face_minor - other.face_minor,
            self.paid_minor - other.paid_minor,
            self.diluted_minor - other.diluted_minor,
        )


NOTHING = Standing()


def live_faces(parts: Iterable[Part]) -> dict[bytes, int]:
    """How much of each document counts, by the two clauses above.

    A predecessor that is not among ``parts`` has not arrived; the part is then a root.
    """
    tree = sorted(parts, key=lambda part: part.age)
    live_minor: dict[bytes, int] = {}
    below: dict[bytes, list[Part]] = {part.key: [] for part in tree}
    # A predecessor is of an earlier stage, so that later stages are settled before it.
    for part in reversed(tree):
        successors = below[part.key]
        fulfilled_minor = sum(live_minor[successor.key] for successor in successors)
        live_minor[part.key] = max(0, part.amount_minor - fulfilled_minor)
        if part.amount_minor < fulfilled_minor:
            excess_minor = fulfilled_minor - counted_minor([part, *successors])
            for earliest in sorted(successors, key=lambda successor: successor.age):
                taken_minor = min(excess_minor, live_minor[earliest.key])
                live_minor[earliest.key] -= taken_minor
                excess_minor -= taken_minor
        if part.predecessor in below:
            below[part.predecessor] += [part, *successors]
    return live_minor


def counted_minor(parts: Iterable[Part]) -> int:
    """max(ordered, received, invoiced, settled): what parts of one unit may count together."""
    by_stage = dict.fromkeys(STAGES, 0)
    for part in parts:
        by_stage[part.stage] += part.amount_minor
    return max(by_stage.values())


def standings(unit: Unit, *, on: date) -> dict[bytes, Standing]:
    """Face, paid and diluted of every document of the unit at the end of ``on``.

    Documents not yet issued count nothing, though the links through them hold. Money and credits
    stay on the document for which they were booked as far as its live face goes; the rest moves
    along to the nearest part of the unit that has room: its own successors, then those of its
    predecessor, and so on up to the root. What finds no room (a document cancelled after it was
    paid) stays where it was booked and keeps that much face, of which nothing is outstanding.
    """
    parts = sorted(_as_of(unit, on=on), key=lambda part: part.age)
    face_minor = live_faces(parts)
    issued = {part.key: part.issue_date for part in parts}
    booked = _booked(unit.reductions, issued=issued, on=on)
    kept = {part.key: _kept(booked[part.key], face_minor[part.key]) for part in parts}
    overflow = {part: booked[part.key].less(kept[part.key]) for part in parts}
    for part, moving in overflow.items():
        if moving == NOTHING:
            continue
        for target in _nearest_first(part, parts):
            # A document that holds more than its face has no room, not less than none.
            room_minor = max(0, face_minor[target.key] - _reduced_minor(kept[target.key]))
            moved = _kept(moving, room_minor)
            kept[target.key] = kept[target.key].plus(moved)
            moving = moving.less(moved)
        kept[part.key] = kept[part.key].plus(moving)
    return {
        key: Standing(
            max(face_minor[key], _reduced_minor(held)), held.paid_minor, held.diluted_minor
        )
        for key, held in kept.items()
    }


@dataclass(frozen=True, slots=True)
class Correction:
    """What has to be added to the record of a document on a day."""

    key: bytes
    date: date
    change: Standing


def corrections(
    unit: Unit, recorded: Mapping[tuple[bytes, date], Standing], *, since: date
) -> list[Correction]:
    """What brings the record, summed up to any day from ``since`` on, to the standing of that day.

    ``recorded``: the sum of what is recorded of a document on a day. A document that arrives late
    changes past days in this way, and nothing that was recorded before is touched. ``since``: the
    earliest day whose standing the news can change.
    """
    summed = dict.fromkeys((part.key for part in unit.parts), NOTHING)
    for (key, day), change in recorded.items():
        if day < since:
            summed[key] = summed[key].plus(change)
    changes = []
    for day in sorted({day for day in (*days_of_change(unit), *_days(recorded)) if day >= since}):
        for key, standing in standings(unit, on=day).items():
            so_far = summed[key].plus(recorded.get((key, day), NOTHING))
            summed[key] = standing
            if standing != so_far:
                changes.append(Correction(key, day, standing.less(so_far)))
    return changes


def days_of_change(unit: Unit) -> set[date]:
    """The days on which a standing of the unit can change."""
    issued = {part.key: part.issue_date for part in unit.parts}
    effects: list[Cancellation | Reduction] = [*unit.cancellations, *unit.reductions]
    return {*issued.values(), *(_effective(effect, issued) for effect in effects)}


def _days(recorded: Iterable[tuple[bytes, date]]) -> set[date]:
    return {day for _, day in recorded}


def _effective(effect: Cancellation | Reduction, issued: Mapping[bytes, date]) -> date:
    """Nothing happens to a document before it is issued."""
    return max(effect.date, issued[effect.of])


def _as_of(unit: Unit, *, on: date) -> list[Part]:
    """The parts with what they document on a day: 0 before issue, less what is cancelled."""
    issued = {part.key: part.issue_date for part in unit.parts}
    cancelled_minor = dict.fromkeys(issued, 0)
    for cancellation in unit.cancellations:
        if _effective(cancellation, issued) <= on:
            cancelled_minor[cancellation.of] += cancellation.amount_minor
    return [
        Part(
            part.key,
            part.stage,
            part.issue_date,
            max(0, part.amount_minor - cancelled_minor[part.key]) if part.issue_date <= on else 0,
            part.predecessor,
        )
        for part in unit.parts
    ]


def _booked(
    reductions: Iterable[Reduction], *, issued: Mapping[bytes, date], on: date
) -> dict[bytes, Standing]:
    booked = dict.fromkeys(issued, NOTHING)
    for reduction in reductions:
        if _effective(reduction, issued) <= on:
            received = Standing(0, reduction.paid_minor, reduction.diluted_minor)
            booked[reduction.of] = booked[reduction.of].plus(received)
    return booked


def _kept(reduced: Standing, room_minor: int) -> Standing:
    """The part of money and credits that fits into ``room_minor``: money first."""
    paid_minor = min(reduced.paid_minor, room_minor)
    return Standing(0, paid_minor, min(reduced.diluted_minor, room_minor - paid_minor))


def _reduced_minor(standing: Standing) -> int:
    return standing.paid_minor + standing.diluted_minor


def _nearest_first(part: Part, parts: Sequence[Part]) -> list[Part]:
    """The other parts of the unit: successors, then those of the predecessor, up to the root."""
    by_key = {other.key: other for other in parts}
    nearest: dict[bytes, Part] = {part.key: part}
    above: Part | None = part
    while above is not None:
        # In order of age a predecessor stands before its successors.
        within = {above.key}
        for other in parts:
            if other.predecessor in within or other.key == above.key:
                within.add(other.key)
                nearest.setdefault(other.key, other)
        above = by_key.get(above.predecessor) if above.predecessor else None
    return list(nearest.values())[1:]
