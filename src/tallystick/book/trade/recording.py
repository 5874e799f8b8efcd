"""Trade documents become claims, or move claims on: the work of ``record_documents``."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from tallystick.book.collateral.pools import bump, hold_suppliers, joined_first
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
from tallystick.rules.trade_documents import TradeDocument, fingerprint, unacceptable


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


class Identified(NamedTuple):
    """Documents on their way in: which may be new, and what became of the others."""

    outcomes: list[Recorded | Refusal | None]
    fresh: Fresh
    repeats_of: dict[int, int]
    """Place of a document that stands earlier in the same batch, by place."""
    numbers_repeat: bool


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
    batch = identified(documents, numbers_repeat=numbers_repeat)
    return write_identified(batch, booking_date=booking_date, act_id=act_id)


def write_identified(
    batch: Identified, *, booking_date: date, act_id: int
) -> list[Recorded | Refusal]:
    """The second half of ``write_documents``: record documents that have been told apart."""
    outcomes, fresh, repeats_of, numbers_repeat = batch
    if fresh.places:
        _write(
            fresh,
            outcomes,
            booking_date=booking_date,
            act_id=act_id,
            numbers_repeat=numbers_repeat,
        )
    for place, first in repeats_of.items():
        earlier = outcomes[first]
        outcomes[place] = (
            earlier._replace(repeated=True) if isinstance(earlier, Recorded) else earlier
        )
    assert None not in outcomes, "every document is answered"
    return outcomes  # type: ignore[return-value]


def identified(documents: Sequence[TradeDocument], *, numbers_repeat: bool) -> Identified:
    """The first half of ``write_documents``, which asks no database: tell documents apart, and
    refuse what no record is needed to refuse.
    """
    outcomes: list[Recorded | Refusal | None] = [None] * len(documents)
    fresh = Fresh([], [], [])
    repeats_of: dict[int, int] = {}
    first_place: dict[object, int] = {}
    for place, document in enumerate(documents):
        if refusal := unacceptable(document):
            outcomes[place] = refusal
            continue
        key = fingerprint(document)
        # Where numbers repeat, all that a document says tells it apart, else its number.
        identity = key if numbers_repeat else (document.issuer, document.kind, document.number)
        same = first_place.setdefault(identity, place)
        if same == place:
            fresh.places.append(place)
            fresh.documents.append(document)
            fresh.keys.append(key)
        elif differs_in := _differences(documents[same], document):
            outcomes[place] = NumberTaken(document, differs_in=differs_in)
        else:
            repeats_of[place] = same
    return Identified(outcomes, fresh, repeats_of, numbers_repeat)


def _differences(one: TradeDocument, other: TradeDocument) -> list[str]:
    return [
        field for field in TradeDocument._fields if getattr(one, field) != getattr(other, field)
    ]


def _write(
    fresh: Fresh,
    outcomes: list[Recorded | Refusal | None],
    *,
    booking_date: date,
    act_id: int,
    numbers_repeat: bool,
) -> None:
    _name_firms(fresh)
    fresh = fresh.by_supplier()
    pools = hold_suppliers(fresh.supplier_ids)
    met = neighbours(fresh)
    fresh = fresh.without(
        _recognised(fresh, met.same_number, outcomes, numbers_repeat=numbers_repeat)
    )
    if not fresh.places:
        return
    fresh.document_ids = new_ids(len(fresh.places))
    insert_documents(fresh, booking_date=booking_date, act_id=act_id)
    naming = {
        document_id
        for document_id, document in zip(fresh.document_ids, fresh.documents, strict=True)
        if document.fulfils_number
    }
    linked = link(naming | set(met.naming_ids))
    awaiting = naming - linked.predecessor_of.keys()
    joined = insert_claims(
        fresh,
        pools=joined_first(pools),
        awaiting=awaiting,
        # Claims of a larger unit join a pool when that is brought up to date.
        joining_later=awaiting | linked.members,
        booking_date=booking_date,
        numbers_repeat=numbers_repeat,
    )
    bump(joined)
    changed = units.refresh(linked.since, pools=pools, booking_date=booking_date, act_id=act_id)
    credit_notes.keep_waiting(_ids_of_kind(fresh, "credit_note"))
    currencies = [document.currency for document in fresh.documents]
    applied = credit_notes.apply_waiting(
        set(zip(fresh.supplier_ids, fresh.obligor_ids, currencies, strict=True)),
        pools=pools,
        booking_date=booking_date,
        act_id=act_id,
    )
    effects = applied | _cancelled(fresh, linked, changed)
    for place, document_id in zip(fresh.places, fresh.document_ids, strict=True):
        outcomes[place] = Recorded(
            document_id, False, document_id in awaiting, effects.get(document_id, 0)
        )


def _name_firms(fresh: Fresh) -> None:
    issuers = [document.issuer for document in fresh.documents]
    suppliers = [document.supplier for document in fresh.documents]
    obligors = [document.obligor for document in fresh.documents]
    ids = party_ids({*issuers, *suppliers, *obligors})
    fresh.issuer_ids = [ids[code] for code in issuers]
    fresh.supplier_ids = [ids[code] for code in suppliers]
    fresh.obligor_ids = [ids[code] for code in obligors]


def _recognised(
    fresh: Fresh,
    same_number: Mapping[int, Sequence[Stored]],
    outcomes: list[Recorded | Refusal | None],
    *,
    numbers_repeat: bool,
) -> set[int]:
    """Answer those documents that are on record, or whose number is; and say which they are."""
    recognised = set()
    for index, stored in same_number.items():
        document = fresh.documents[index]
        repeated = next((one for one in stored if one.fingerprint == fresh.keys[index]), None)
        if repeated is None and numbers_repeat:
            continue
        on_record = repeated or stored[0]
        said = (
            fresh.supplier_ids[index],
            fresh.obligor_ids[index],
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
        outcomes[fresh.places[index]] = (
            NumberTaken(document, differs_in=differs_in)
            if differs_in
            else Recorded(on_record.document_id, repeated=True)
        )
        recognised.add(index)
    return recognised


def _ids_of_kind(fresh: Fresh, kind: str) -> list[int]:
    return [
        document_id
        for document_id, document in zip(fresh.document_ids, fresh.documents, strict=True)
        if document.kind == kind
    ]


def _cancelled(fresh: Fresh, linked: Links, changed: Mapping[int, units.Changed]) -> dict[int, int]:
    """How much of the claim it names each cancellation has taken off."""
    fallen_minor = {
        claim_id: before.face_minor - after.face_minor
        for claim_id, (before, after) in changed.items()
    }
    effects = {}
    for document_id, document in zip(fresh.document_ids, fresh.documents, strict=True):
        named_id = linked.predecessor_of.get(document_id)
        if document.kind == "cancellation" and named_id is not None:
            effect_minor = max(0, min(document.amount_minor, fallen_minor[named_id]))
            fallen_minor[named_id] -= effect_minor
            effects[document_id] = effect_minor
    return effects
