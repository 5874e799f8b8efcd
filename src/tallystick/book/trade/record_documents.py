"""Record trade documents: orders, receipts, invoices, statements, credit notes, cancellations."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.db import IntegrityError

from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.business_date import open_day
from tallystick.book.trade.recording import NumberTaken, Recorded, write_documents
from tallystick.rules.refusal import Refusal
from tallystick.rules.trade_documents import TradeDocument, UnacceptableDocument

__all__ = [
    "EarlierRefusal",
    "NumberTaken",
    "Recorded",
    "RecordedMeanwhile",
    "TradeDocument",
    "UnacceptableDocument",
    "record_document",
    "record_documents",
]


class RecordedMeanwhile(Refusal):
    """Another request was recording one of the same documents, under another supplier."""

    def __init__(self) -> None:
        super().__init__(
            "One of these documents was being recorded by another request at the same time. "
            "Nothing of this one was written; send it again to see what became of each document."
        )


class _AllRefused(Exception):  # noqa: N818 - not an error: it ends a transaction that wrote nothing
    def __init__(self, refusals: list[Recorded | Refusal]) -> None:
        self.refusals = refusals


class EarlierRefusal(Refusal):
    """A repeated request is answered as the first time: this document was refused then.

    ``refused_as``: the class of that refusal; ``field``: the field at fault, where it was one.
    """

    def __init__(self, message: str, *, refused_as: str, field: str | None) -> None:
        self.refused_as = refused_as
        self.field = field
        super().__init__(message)


def record_documents(
    documents: Sequence[TradeDocument],
    *,
    caller: Caller,
    key: str,
    legal_entity_id: int,
    numbers_repeat: bool = False,
) -> list[Recorded | Refusal]:
    """Record documents in one transaction; answers for each, in order, what became of it.

    An order opens a claim, a receipt, an invoice or a statement moves on that part of the claim
    which it fulfils; see ``rules.trade``. New live claims join their supplier's pool of lowest rank
    in the currency. An exact repeat of a document is recognised, whatever the key it comes under,
    and writes nothing. A document that cannot be taken is answered by its refusal
    (UnacceptableDocument, NumberTaken), and the others stand; where nothing shall stand unless all
    do, ask ``write_documents`` inside a transaction of your own.

    ``numbers_repeat``: the source gives one number to several documents, which are then told
    apart by all that they say. Repeating the key returns the first answer; when every document
    was refused, nothing was written and the key is free.

    Raises KeyConflict, KeyUnusable, RecordedMeanwhile.
    """
    request = {
        "documents_sha256": content_sha256(documents),
        "legal_entity_id": legal_entity_id,
        "numbers_repeat": numbers_repeat,
    }
    try:
        with once(caller, key=key, kind="record_documents", request=request) as act:
            if act.earlier is not None:
                return _outcomes(act.earlier)
            outcomes = write_documents(
                documents,
                booking_date=open_day(legal_entity_id),
                act_id=act.act_id,
                numbers_repeat=numbers_repeat,
            )
            if all(isinstance(outcome, Refusal) for outcome in outcomes):
                raise _AllRefused(outcomes)
            act.answer(_answer(outcomes))
    except _AllRefused as nothing:
        return nothing.refusals
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name in ("document_once", "claim_code_once"):  # type: ignore[union-attr]
            raise RecordedMeanwhile from error
        raise
    return outcomes


def record_document(
    document: TradeDocument, *, caller: Caller, key: str, legal_entity_id: int
) -> Recorded:
    """Record one document; see ``record_documents``. Raises what that answers as a refusal."""
    (outcome,) = record_documents(
        [document], caller=caller, key=key, legal_entity_id=legal_entity_id
    )
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def content_sha256(documents: Sequence[TradeDocument]) -> str:
    """SHA-256 over all that the documents say, in their order, as hexadecimal digits."""
    # No document that can be recorded contains the separators.
    said = "\x1e".join(["\x1f".join(map(str, document)) for document in documents])
    return sha256(said.encode("utf-8", "backslashreplace")).hexdigest()


def _answer(outcomes: Sequence[Recorded | Refusal]) -> dict[str, Any]:
    """The outcomes, column by column: a batch may hold tens of thousands."""
    recorded = [o if isinstance(o, Recorded) else None for o in outcomes]
    return {
        "document_ids": [o and o.document_id for o in recorded],
        "repeated": [place for place, o in enumerate(recorded) if o and o.repeated],
        "awaiting": [place for place, o in enumerate(recorded) if o and o.awaits_predecessor],
        "effects_minor": {
            str(place): o.effect_minor for place, o in enumerate(recorded) if o and o.effect_minor
        },
        "refusals": {
            str(place): {
                "message": str(outcome),
                "refused_as": type(outcome).__name__,
                "field": getattr(outcome, "field", None),
            }
            for place, outcome in enumerate(outcomes)
            if isinstance(outcome, Refusal)
        },
    }


def _outcomes(answer: dict[str, Any]) -> list[Recorded | Refusal]:
    repeated, awaiting = set(answer["repeated"]), set(answer["awaiting"])
    return [
        EarlierRefusal(**answer["refusals"][str(place)])
        if document_id is None
        else Recorded(
            document_id,
            repeated=place in repeated,
            awaits_predecessor=place in awaiting,
            effect_minor=answer["effects_minor"].get(str(place), 0),
        )
        for place, document_id in enumerate(answer["document_ids"])
    ]
