"""Files that an auditor keeps or is given, and what they prove without a database.

A file of seals holds one seal a line; a proof holds one entry, its path to its day's root, and
that day's seal. Both are written in the canonical form, and only that form is read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tallystick.rules.canonical import canonical_json, parsed_strictly
from tallystick.rules.refusal import Refusal
from tallystick.rules.seals import ENTRY_FORM, SEAL_FORM, SealHeader, leaf_hash, node_hash

PROOF_FORM = "tallystick-proof-1"


class NotProven(Refusal):
    """A proof does not show that its entry is part of a seal the reader holds."""


class SealsUnreadable(Refusal):
    """A file of seals is damaged, or was not written by ``ledger seals``."""

    def __init__(self, *, line: int, why: str) -> None:
        self.line = line
        super().__init__(
            f"The file of seals is not usable: line {line}: {why}. "
            "Use the file as `./tally ledger seals` wrote it."
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry, its place in its day's tree, and the day's seal."""

    entry: dict[str, Any]  # SealedEntry.form(), or what a file says that it is
    leaf_index: int
    path: Sequence[bytes]
    header: SealHeader


def proof_file(proof: Proof) -> bytes:
    """The proof as one canonical line."""
    return _line(
        {
            "entry": proof.entry,
            "form": PROOF_FORM,
            "leaf_index": proof.leaf_index,
            "path": [sibling.hex() for sibling in proof.path],
            "seal": proof.header.signed_form(),
        }
    )


def seals_file(headers: Iterable[SealHeader]) -> bytes:
    """Seals as canonical lines, in the order given."""
    return b"".join(_line(header.signed_form()) for header in headers)


def verify_proof(proof_content: bytes, seals_content: bytes) -> Proof:
    """The proof in ``proof_content``, if it holds under a seal in ``seals_content``.

    The proof must be spelled canonically and say nothing that is not checked, its entry and path
    must lead to its seal's root, and the seal must be a line of the file that the reader holds.
    No change of any byte of the proof passes.

    Raises NotProven, SealsUnreadable.
    """
    proof = _proof_from(proof_content)
    header = proof.header
    entry = proof.entry
    if (entry.get("legal_entity"), entry.get("booking_date")) != (
        header.legal_entity,
        header.date.isoformat(),
    ):
        raise NotProven("The proof's entry and its seal are of different days or legal entities.")
    root = root_by_path(
        leaf_hash(entry),
        leaf_index=proof.leaf_index,
        leaf_count=header.entry_count,
        path=proof.path,
    )
    if root != header.merkle_root:
        raise NotProven(
            "The entry is not the one that was sealed: "
            f"entry and path lead to root {root.hex()}, the seal has {header.merkle_root.hex()}."
        )
    if header not in seals_from(seals_content):
        raise NotProven(
            f"The seal of {header.legal_entity} for {header.date} in the proof is not in the "
            "file of seals. Compare with the file you were given when the day was sealed."
        )
    return proof


def seals_from(content: bytes) -> list[SealHeader]:
    """The seals of a file, each one's hash and its link to the seal before it checked.

    A file may begin on any day; from there on each legal entity's days follow one another.

    Raises SealsUnreadable.
    """
    headers = []
    latest: dict[str, SealHeader] = {}
    *lines, rest = content.split(b"\n")
    if rest:
        raise SealsUnreadable(line=len(lines) + 1, why="the line does not end")
    for number, line in enumerate(lines, 1):
        try:
            header = _header_from(parsed_strictly(line))
        except ValueError as fault:
            raise SealsUnreadable(line=number, why=str(fault)) from None
        before = latest.get(header.legal_entity)
        if before and header.previous_seal != before.seal():
            raise SealsUnreadable(
                line=number, why=f"it does not name the seal of {before.date} as the one before"
            )
        if before and header.date != before.date + timedelta(days=1):
            raise SealsUnreadable(line=number, why=f"{header.date} does not follow {before.date}")
        latest[header.legal_entity] = header
        headers.append(header)
    return headers


def root_by_path(leaf: bytes, *, leaf_index: int, leaf_count: int, path: Sequence[bytes]) -> bytes:
    """The root to which ``path`` leads from ``leaf`` (RFC 9162, section 2.1.3.2).

    Raises NotProven when there is no such place in the tree, or when the path is too short or
    too long for it.
    """
    if not 0 <= leaf_index < leaf_count:
        raise NotProven(
            f"The proof's entry is said to be number {leaf_index} (counted from 0) of {leaf_count}."
        )
    root, index, last_index, siblings = leaf, leaf_index, leaf_count - 1, iter(path)
    try:
        while last_index:
            if index & 1:
                root = node_hash(next(siblings), root)
            elif index < last_index:
                root = node_hash(root, next(siblings))
            index >>= 1
            last_index >>= 1
    except StopIteration:
        raise NotProven("The proof's path is too short for the size of its day.") from None
    if next(siblings, None) is not None:
        raise NotProven("The proof's path is too long for the size of its day.")
    return root


def _line(form: dict[str, Any]) -> bytes:
    return canonical_json(form) + b"\n"


def _proof_from(content: bytes) -> Proof:
    try:
        if content[-1:] != b"\n":
            raise ValueError("its last line does not end")
        fields = parsed_strictly(content[:-1])
        _has_keys(fields, {"entry", "form", "leaf_index", "path", "seal"}, form=PROOF_FORM)
        _has_keys(
            fields["entry"],
            {"act", "booked_at", "booking_date", "currency", "entry", "event", "form"}
            | {"legal_entity", "postings", "reference", "reverses", "value_date"},
            form=ENTRY_FORM,
        )
        if not isinstance(fields["path"], list):
            raise ValueError("path is not a list")
        return Proof(
            entry=fields["entry"],
            leaf_index=_whole_number(fields, "leaf_index"),
            path=[_hash_from(sibling) for sibling in fields["path"]],
            header=_header_from(fields["seal"]),
        )
    except ValueError as fault:
        raise NotProven(
            f"The proof is not usable: {fault}. Use the file as `./tally ledger prove` wrote it."
        ) from None


def _header_from(fields: Any) -> SealHeader:
    """Raises ValueError."""
    _has_keys(
        fields,
        {"date", "entry_count", "form", "legal_entity", "merkle_root", "previous_seal", "seal"},
        form=SEAL_FORM,
    )
    if not isinstance(fields["legal_entity"], str) or not isinstance(fields["date"], str):
        raise ValueError("legal_entity and date must be text")
    header = SealHeader(
        legal_entity=fields["legal_entity"],
        date=date.fromisoformat(fields["date"]),
        entry_count=_whole_number(fields, "entry_count"),
        merkle_root=_hash_from(fields["merkle_root"]),
        previous_seal=_hash_from(fields["previous_seal"]),
    )
    # Compared as a whole, so that another spelling of a date or a hash is refused too.
    if fields != header.signed_form():
        raise ValueError("the seal is not the hash of its own header")
    return header


def _has_keys(fields: Any, keys: set[str], *, form: str) -> None:
    if not isinstance(fields, dict) or fields.keys() != keys:
        raise ValueError(f"a {form} has exactly {', '.join(sorted(keys))}")
    if fields["form"] != form:
        raise ValueError(f"its form must be {form}")


def _whole_number(fields: dict[str, Any], key: str) -> int:
    number = fields[key]
    if type(number) is not int or number < 0:
        raise ValueError(f"{key} is not a whole number")
    return number


def _hash_from(text: Any) -> bytes:
    if not isinstance(text, str) or len(text) != 64 or text.strip("0123456789abcdef"):
        raise ValueError("a hash is 64 hexadecimal digits in lower case")
    return bytes.fromhex(text)
