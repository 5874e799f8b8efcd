"""Which claims a credit note dilutes.

A credit note (in China a negative invoice) that names a document dilutes that document's claim and
those that followed from it. Beyond them, or when it names none, it dilutes open claims of the same
supplier, obligor and currency issued on or before its own date: those of the same gross amount
first (the invoice it takes back), then the newest. What finds no claim waits.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim that a credit note may dilute. ``gross_minor``: what its document says."""

    key: bytes
    gross_minor: int
    outstanding_minor: int
    issue_date: date


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit note still has to give. ``named``: the claims that it names, first to last."""

    key: bytes
    gross_minor: int
    remaining_minor: int
    issue_date: date
    named: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Dilution:
    credit: bytes
    claim: bytes
    amount_minor: int


def dilutions(notes: Iterable[Credit], claims: Sequence[OpenClaim]) -> list[Dilution]:
    """What each credit note takes off which claim, all of one supplier, obligor and currency.

    Credit notes are applied in order of their dates, and of their fingerprints on one day, so that
    their order of arrival within a batch plays no part. What a note has left afterwards is its
    ``remaining_minor`` less its dilutions.
    """
    outstanding_minor = {claim.key: claim.outstanding_minor for claim in claims}
    newest_first = sorted(claims, key=lambda claim: (claim.issue_date, claim.key), reverse=True)
    by_gross: dict[int, list[OpenClaim]] = defaultdict(list)
    for claim in newest_first:
        by_gross[claim.gross_minor].append(claim)
    applied = []
    for note in sorted(notes, key=lambda note: (note.issue_date, note.key)):
        remaining_minor = note.remaining_minor
        for claim_key in chain(
            note.named,
            _issued_by(note.issue_date, by_gross.get(note.gross_minor, [])),
            _issued_by(note.issue_date, newest_first),
        ):
            amount_minor = min(remaining_minor, outstanding_minor.get(claim_key, 0))
            if amount_minor > 0:
                outstanding_minor[claim_key] -= amount_minor
                remaining_minor -= amount_minor
                applied.append(Dilution(note.key, claim_key, amount_minor))
            if remaining_minor == 0:
                break
    return applied


def _issued_by(day: date, newest_first: Sequence[OpenClaim]) -> Iterator[bytes]:
    first = bisect_left(newest_first, -day.toordinal(), key=lambda c: -c.issue_date.toordinal())
    return (newest_first[index].key for index in range(first, len(newest_first)))
