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
from typing import NamedTuple

from tallystick.rules.frames import STAGES

_PLACE = {stage: place for place, stage in enumerate(STAGES)}


class Part(NamedTuple):
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
        return _PLACE[self.stage], self.issue_date, self.key


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


class Standing(NamedTuple):
    """A claim's amounts. paid + diluted never exceed face."""

    face_minor: int = 0
    paid_minor: int = 0
    diluted_minor: int = 0

    @property
    def reduced_minor(self) -> int:
        return self.paid_minor + self.diluted_minor

    @property
    def outstanding_minor(self) -> int:
        return self.face_minor - self.reduced_minor

    def plus(self, other: "Standing") -> "Standing":
        face_minor, paid_minor, diluted_minor = other
        return Standing(
            self.face_minor + face_minor,
            self.paid_minor + paid_minor,
            self.diluted_minor + diluted_minor,
        )

    def less(self, other: "Standing") -> "Standing":
        face_minor, paid_minor, diluted_minor = other
        return Standing(
            self.face_minor - face_minor,
            self.paid_minor - paid_minor,
            self.diluted_minor - diluted_minor,
        )


NOTHING = Standing()


# --- what counts --------------------------------------------------------------------------------


def live_faces(parts: Iterable[Part]) -> dict[bytes, int]:
    """How much of each document counts, by the two clauses above.

    A predecessor that is not among ``parts`` has not arrived; the part is then a root.
    """
    tree = _by_age(parts)
    return _live_faces(tree, {part.key: part.amount_minor for part in tree})


def counted_minor(parts: Iterable[Part]) -> int:
    """max(ordered, received, invoiced, settled): what parts of one unit may count together."""
    parts = list(parts)
    return _counted_minor(parts, {part.key: part.amount_minor for part in parts})


def _live_faces(tree: Sequence[Part], documented_minor: Mapping[bytes, int]) -> dict[bytes, int]:
    """The same for parts in order of age, of which each documents so much."""
    live_minor: dict[bytes, int] = {}
    below: dict[bytes, list[Part]] = {part.key: [] for part in tree}
    # A predecessor is of an earlier stage, so that later stages are settled before it.
    for part in reversed(tree):
        amount_minor, successors = documented_minor[part.key], below[part.key]
        fulfilled_minor = sum([live_minor[successor.key] for successor in successors])
        live_minor[part.key] = max(0, amount_minor - fulfilled_minor)
        if amount_minor < fulfilled_minor:
            may_count_minor = _counted_minor([part, *successors], documented_minor)
            excess_minor = fulfilled_minor - may_count_minor
            for earliest in _by_age(successors):
                taken_minor = min(excess_minor, live_minor[earliest.key])
                live_minor[earliest.key] -= taken_minor
                excess_minor -= taken_minor
        if part.predecessor in below:
            below[part.predecessor] += [part, *successors]
    return live_minor


def _counted_minor(parts: Iterable[Part], documented_minor: Mapping[bytes, int]) -> int:
    by_stage = dict.fromkeys(STAGES, 0)
    for part in parts:
        by_stage[part.stage] += documented_minor[part.key]
    return max(by_stage.values())


def _by_age(parts: Iterable[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: part.age)


# --- what is paid and diluted of it -------------------------------------------------------------


def standings(unit: Unit, *, on: date) -> dict[bytes, Standing]:
    """Face, paid and diluted of every document of the unit at the end of ``on``.

    Documents not yet issued count nothing, though the links through them hold. Money and credits
    stay on the document for which they were booked as far as its live face goes; the rest moves
    along to the nearest part of the unit that has room: its own successors, then those of its
    predecessor, and so on up to the root. What finds no room (a document cancelled after it was
    paid) stays where it was booked and keeps that much face, of which nothing is outstanding.
    """
    return _standings(_by_age(unit.parts), unit, on=on)


def _standings(tree: Sequence[Part], unit: Unit, *, on: date) -> dict[bytes, Standing]:
    face_minor = _live_faces(tree, _documented(unit, on=on))
    booked = _booked(unit, on=on)
    if not booked:
        return {key: Standing(face) for key, face in face_minor.items()}
    kept = {key: _fitting(booked.get(key, NOTHING), face) for key, face in face_minor.items()}
    overflow = {part: booked[part.key].less(kept[part.key]) for part in tree if part.key in booked}
    for part, moving in overflow.items():
        if moving == NOTHING:
            continue
        for target in _nearest_first(part, tree):
            # A document that holds more than its face has no room, not less than none.
            room_minor = max(0, face_minor[target.key] - kept[target.key].reduced_minor)
            moved = _fitting(moving, room_minor)
            kept[target.key] = kept[target.key].plus(moved)
            moving = moving.less(moved)
        kept[part.key] = kept[part.key].plus(moving)
    return {
        key: held._replace(face_minor=max(face_minor[key], held.reduced_minor))
        for key, held in kept.items()
    }


def _documented(unit: Unit, *, on: date) -> dict[bytes, int]:
    """What each part documents on a day: nothing before its issue, less what is cancelled."""
    documented_minor = {
        part.key: part.amount_minor if part.issue_date <= on else 0 for part in unit.parts
    }
    for cancellation in unit.cancellations:
        if cancellation.date <= on:
            left_minor = documented_minor[cancellation.of] - cancellation.amount_minor
            documented_minor[cancellation.of] = max(0, left_minor)
    return documented_minor


def _booked(unit: Unit, *, on: date) -> dict[bytes, Standing]:
    """What was paid on and diluted of each part; nothing before its issue."""
    booked: dict[bytes, Standing] = {}
    if unit.reductions:
        issued = {part.key for part in unit.parts if part.issue_date <= on}
        for reduction in unit.reductions:
            if reduction.date <= on and reduction.of in issued:
                received = Standing(0, reduction.paid_minor, reduction.diluted_minor)
                booked[reduction.of] = booked.get(reduction.of, NOTHING).plus(received)
    return booked


def _fitting(reduced: Standing, room_minor: int) -> Standing:
    """The part of money and credits that fits into ``room_minor``: money first."""
    paid_minor = min(reduced.paid_minor, room_minor)
    return Standing(0, paid_minor, min(reduced.diluted_minor, room_minor - paid_minor))


def _nearest_first(part: Part, tree: Sequence[Part]) -> list[Part]:
    """The other parts of the unit: successors, then those of the predecessor, up to the root."""
    by_key = {other.key: other for other in tree}
    nearest: dict[bytes, Part] = {part.key: part}
    above: Part | None = part
    while above is not None:
        # In order of age a predecessor stands before its successors.
        within = {above.key}
        for other in tree:
            if other.predecessor in within or other.key == above.key:
                within.add(other.key)
                nearest.setdefault(other.key, other)
        above = by_key.get(above.predecessor) if above.predecessor else None
    return list(nearest.values())[1:]


# --- what has to be recorded --------------------------------------------------------------------


class Correction(NamedTuple):
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
    tree = _by_age(unit.parts)
    summed = dict.fromkeys((part.key for part in tree), NOTHING)
    days = {day for day in days_of_change(unit) if day >= since}
    for (key, day), change in recorded.items():
        if day < since:
            summed[key] = summed[key].plus(change)
        else:
            days.add(day)
    changes = []
    for day in sorted(days):
        for key, standing in _standings(tree, unit, on=day).items():
            so_far = summed[key].plus(recorded.get((key, day), NOTHING))
            summed[key] = standing
            if standing != so_far:
                changes.append(Correction(key, day, standing.less(so_far)))
    return changes


def days_of_change(unit: Unit) -> set[date]:
    """The days on which a standing of the unit can change."""
    days = {part.issue_date for part in unit.parts}
    days.update(cancellation.date for cancellation in unit.cancellations)
    days.update(reduction.date for reduction in unit.reductions)
    return days
