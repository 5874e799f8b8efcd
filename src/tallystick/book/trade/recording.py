"""Trade documents become claims, or move claims on: the work of ``record_documents``."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tallystick.book.collateral.pools import PoolRow, bump, hold_suppliers, joined_first
from tallystick.book.parties.register import party_ids
from tallystick.book.trade import credit_notes, units
from tallystick.book.trade.documents import (
    Fresh,
    Stored,
    insert_claims,
    insert_documents,
    neighbours,
    new_ids,
)
from tallystick.book.trade.links import Links, link
from tallystick.rules.refusal import Refusal
from tallystick.rules.trade_documents import (
    STAGE_OF,
    TradeDocument,
    UnacceptableDocument,
    fingerprint,
    refuse_unacceptable,
)


class Recorded(NamedTuple):
    """What became of a document.

    ``repeated``: it was on record already, and nothing was written. ``awaits_predecessor``: it
    names a document that has not arrived; its claim is in no pool until then. ``effect_minor``:
    what a cancellation took off the claim it names, or a credit note off claims, so far; never
    more than was left of them.
    """

    document_id: int
    repeated: bool = False
    awaits_predecessor: bool = False
    effect_minor: int = 0


class NumberTaken(Refusal):
    """The same issuer has given the same number to a document of that kind with other content."""

    def __init__(self, document: TradeDocument, *, differs_in: Sequence[str]) -> None:
        self.document = document
        self.differs_in = tuple(differs_in)
        super().__init__(
            f"{document.kind} {document.number} of {document.issuer} is on record with another "
            f"{', '.join(differs_in)}. Correct the number; or, where the source gives a number to "
            "several documents, say that its numbers repeat."
        )


@dataclass(slots=True)
class _Batch:
    """Documents on their way in: which are new, and what became of the others."""

    outcomes: list[Recorded | Refusal | None]
    fresh: dict[int, tuple[TradeDocument, bytes]] = field(default_factory=dict)
    """By place in the batch."""
    repeats_of: dict[int, int] = field(default_factory=dict)
    """Place of a document that stands earlier in the same batch, by place."""


def write_documents(
    documents: Sequence[TradeDocument],
    *,
    booking_date: date,
    act_id: int,
    numbers_repeat: bool = False,
) -> list[Recorded | Refusal]:
    """Record documents in the caller's transaction, and answer for each what became of it.

    An exact repeat, of this batch or any before, is recognised and writes nothing. A document
    that cannot be taken as it is, or whose number its issuer has given to another of that kind
    (unless ``numbers_repeat`` for their source), is refused as a value: UnacceptableDocument,
    NumberTaken. What is not refused stands.
    """
    batch = _identified(documents, numbers_repeat=numbers_repeat)
    if batch.fresh:
        _write(batch, booking_date=booking_date, act_id=act_id, numbers_repeat=numbers_repeat)
    for place, first in batch.repeats_of.items():
        earlier = batch.outcomes[first]
        batch.outcomes[place] = (
            earlier._replace(repeated=True) if isinstance(earlier, Recorded) else earlier
        )
    assert None not in batch.outcomes
    return batch.outcomes  # type: ignore[return-value]


def _identified(documents: Sequence[TradeDocument], *, numbers_repeat: bool) -> _Batch:
    """Tell the documents of a batch apart; refuse what no record is needed to refuse."""
    batch = _Batch(outcomes=[None] * len(documents))
    first_place: dict[bytes, int] = {}
    numbered: dict[tuple[str, str, str], int] = {}
    for place, document in enumerate(documents):
        try:
            refuse_unacceptable(document)
        except UnacceptableDocument as refusal:
            batch.outcomes[place] = refusal
            continue
        key = fingerprint(document)
        same = first_place.get(key)
        if same is None and not numbers_repeat:
            same = numbered.setdefault((document.issuer, document.kind, document.number), place)
        if same is None or same == place:
            first_place[key] = place
            batch.fresh[place] = document, key
        elif differs_in := _differences(documents[same], document):
            batch.outcomes[place] = NumberTaken(document, differs_in=differs_in)
        else:
            batch.repeats_of[place] = same
    return batch


def _differences(one: TradeDocument, other: TradeDocument) -> list[str]:
    return [
        field for field in TradeDocument._fields if getattr(one, field) != getattr(other, field)
    ]


def _write(batch: _Batch, *, booking_date: date, act_id: int, numbers_repeat: bool) -> None:
    given = [document for document, _ in batch.fresh.values()]
    ids = party_ids(
        code
        for document in given
        for code in (document.issuer, document.supplier, document.obligor)
    )
    suppliers = {ids[document.supplier] for document in given}
    pools = hold_suppliers(suppliers)
    met = neighbours(given, ids)
    _recognise(batch, met.same_number, ids, numbers_repeat=numbers_repeat)
    fresh = _with_ids(batch, ids)
    if not fresh:
        return
    insert_documents(fresh.values(), booking_date=booking_date, act_id=act_id)
    naming = {new.document_id for new in fresh.values() if new.document.fulfils_number}
    linked = link(naming | set(met.naming_ids))
    awaiting = naming - linked.predecessor_of.keys()
    claims = [new for new in fresh.values() if new.document.kind in STAGE_OF]
    pool_of = _first_pools(claims, pools, leaving_out=linked.members | awaiting)
    insert_claims(
        claims,
        pool_of=pool_of,
        awaiting=awaiting,
        booking_date=booking_date,
        numbers_repeat=numbers_repeat,
    )
    bump(pool_of.values())
    changed = units.refresh(linked.since, pools=pools, booking_date=booking_date, act_id=act_id)
    notes = [new for new in fresh.values() if new.document.kind == "credit_note"]
    credit_notes.keep_waiting([note.document_id for note in notes])
    applied = credit_notes.apply_waiting(
        suppliers, pools=pools, booking_date=booking_date, act_id=act_id
    )
    effects = applied | _cancelled(fresh.values(), linked, changed)
    for place, new in fresh.items():
        batch.outcomes[place] = Recorded(
            new.document_id,
            awaits_predecessor=new.document_id in awaiting,
            effect_minor=effects.get(new.document_id, 0),
        )


def _recognise(
    batch: _Batch,
    same_number: Mapping[int, Sequence[Stored]],
    ids: Mapping[str, int],
    *,
    numbers_repeat: bool,
) -> None:
    """Answer those documents that are on record, or whose number is; they are fresh no longer."""
    places = list(batch.fresh)
    for index, stored in same_number.items():
        document, key = batch.fresh[places[index]]
        repeated = next((one for one in stored if one.fingerprint == key), None)
        if repeated is None and numbers_repeat:
            continue
        on_record = repeated or stored[0]
        said = (
            ids[document.supplier],
            ids[document.obligor],
            document.issue_date,
            document.due_date,
            document.currency,
            document.amount_minor,
            document.fulfils_kind,
            document.fulfils_number,
        )
        differs_in = [
            name
            for name, ours, theirs in zip(Stored._fields[2:], on_record[2:], said, strict=True)
            if ours != theirs
        ]
        batch.outcomes[places[index]] = (
            NumberTaken(document, differs_in=differs_in)
            if differs_in
            else Recorded(on_record.document_id, repeated=True)
        )
        del batch.fresh[places[index]]


def _with_ids(batch: _Batch, ids: Mapping[str, int]) -> dict[int, Fresh]:
    return {
        place: Fresh(
            document_id,
            document,
            key,
            ids[document.issuer],
            ids[document.supplier],
            ids[document.obligor],
        )
        for document_id, (place, (document, key)) in zip(
            new_ids(len(batch.fresh)), batch.fresh.items(), strict=True
        )
    }


def _first_pools(
    claims: Iterable[Fresh], pools: Iterable[PoolRow], *, leaving_out: Set[int]
) -> dict[int, int]:
    """The pool that each claim joins at once. Those left out join when their unit is brought up to
    date, or when the document they name arrives."""
    first = joined_first(pools)
    if not first:
        return {}
    return {
        new.document_id: first[pair]
        for new in claims
        if new.document_id not in leaving_out
        and (pair := (new.supplier_id, new.document.currency)) in first
    }


def _cancelled(
    fresh: Iterable[Fresh], linked: Links, changed: Mapping[int, units.Changed]
) -> dict[int, int]:
    """How much of the claim it names each cancellation has taken off."""
    fallen_minor = {
        claim_id: before.face_minor - after.face_minor
        for claim_id, (before, after) in changed.items()
    }
    effects = {}
    for new in fresh:
        named_id = linked.predecessor_of.get(new.document_id)
        if new.document.kind == "cancellation" and named_id is not None:
            effect_minor = max(0, min(new.document.amount_minor, fallen_minor[named_id]))
            fallen_minor[named_id] -= effect_minor
            effects[new.document_id] = effect_minor
    return effects
