"""Seals of closed days: what is hashed, the tree over a day's entries, and the chain of days.

The forms hashed here are documented with a worked example in ``docs/reference/seals.md``; that
page and this module change together, and only by giving the form a new name. Hashes are SHA-256;
the tree, its prefixes and its inclusion paths are those of RFC 9162 (sections 2.1.1 and 2.1.3).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from tallystick.rules.canonical import canonical_json
from tallystick.rules.journal import Side

ENTRY_FORM = "tallystick-entry-1"
SEAL_FORM = "tallystick-seal-1"

EMPTY_ROOT = sha256(b"").digest()
"""Merkle root of a day without entries."""

NO_PREVIOUS_SEAL = bytes(32)
"""What stands for the seal before a legal entity's first day."""

_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"


@dataclass(frozen=True, slots=True)
class SealedBook:
    """A loan book of the entry's legal entity and currency, by names that never change."""

    programme: str
    funder: str
    asset_class: str


@dataclass(frozen=True, slots=True)
class SealedAccount:
    """An account of the entry's legal entity and currency, by names that never change."""

    name: str
    book: SealedBook | None
    party: str | None

    def form(self) -> dict[str, Any]:
        book = self.book and {
            "asset_class": self.book.asset_class,
            "funder": self.book.funder,
            "programme": self.book.programme,
        }
        return {"book": book, "name": self.name, "party": self.party}


@dataclass(frozen=True, slots=True)
class SealedPosting:
    """One line of an entry as it is sealed."""

    account: SealedAccount
    side: Side
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """A journal entry as it is sealed; ``postings`` in the order of their lines."""

    entry_id: int
    legal_entity: str
    currency: str
    event: str
    reference: str
    value_date: date
    booking_date: date
    booked_at: datetime
    reverses: int | None
    act: int | None
    postings: Sequence[SealedPosting]

    def form(self) -> dict[str, Any]:
        return {
            "act": self.act,
            "booked_at": self.booked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "booking_date": self.booking_date.isoformat(),
            "currency": self.currency,
            "entry": self.entry_id,
            "event": self.event,
            "form": ENTRY_FORM,
            "legal_entity": self.legal_entity,
            "postings": [
                {
                    "account": posting.account.form(),
                    "amount_minor": str(posting.amount_minor),
                    "side": posting.side.name.lower(),
                }
                for posting in self.postings
            ],
            "reference": self.reference,
            "reverses": self.reverses,
            "value_date": self.value_date.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class SealHeader:
    """What a seal binds together: a day's entries and everything sealed before it."""

    legal_entity: str
    date: date
    entry_count: int
    merkle_root: bytes
    previous_seal: bytes

    def form(self) -> dict[str, Any]:
        return {
            "date": self.date.isoformat(),
            "entry_count": self.entry_count,
            "form": SEAL_FORM,
            "legal_entity": self.legal_entity,
            "merkle_root": self.merkle_root.hex(),
            "previous_seal": self.previous_seal.hex(),
        }

    def seal(self) -> bytes:
        """SHA-256 of the header's canonical form."""
        return sha256(canonical_json(self.form())).digest()

    def signed_form(self) -> dict[str, Any]:
        """The header and its hash: one line of a file of seals."""
        return {**self.form(), "seal": self.seal().hex()}


def leaf_hash(entry_form: dict[str, Any]) -> bytes:
    """SHA-256 of 0x00 and the entry's canonical form."""
    return sha256(_LEAF_PREFIX + canonical_json(entry_form)).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return sha256(_NODE_PREFIX + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root of the tree over ``leaves``, in their order (RFC 9162, section 2.1.1)."""
    if not leaves:
        return EMPTY_ROOT
    *_, (root,) = _levels(leaves)
    return root


def inclusion_path(leaves: Sequence[bytes], leaf_index: int) -> list[bytes]:
    """Siblings on the way from a leaf up to the root (RFC 9162, section 2.1.3.1)."""
    path = []
    for level in _levels(leaves):
        sibling = leaf_index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        leaf_index >>= 1
    return path


def _levels(leaves: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The tree level by level; a node without a right neighbour moves up as it is.

    That is RFC 9162's tree, whose left part holds the largest power of two below the size.
    """
    level = leaves
    while len(level) > 1:
        yield level
        above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = [*above, level[-1]] if len(level) % 2 else above
    yield level
