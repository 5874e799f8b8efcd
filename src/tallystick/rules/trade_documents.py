"""Trade documents as they are reported: what one says, what identifies it, what is acceptable."""

import re
from datetime import date
from hashlib import sha256
from typing import NamedTuple

from tallystick.rules.frames import STAGES
from tallystick.rules.hidden_characters import hidden_character
from tallystick.rules.money import MINOR_DIGITS
from tallystick.rules.refusal import Refusal

STAGE_OF = dict(zip(("order", "receipt", "invoice", "statement"), STAGES, strict=True))
"""The stage at which a document of each kind puts its part of a unit of trade."""

CORRECTIONS = ("credit_note", "cancellation")
"""Kinds that open no claim. A cancellation says that (part of) a document should never have
counted: what it had fulfilled counts again. A credit note says that less will be paid for it:
goods returned, a rebate, a negative invoice; the face stays, and the claim is diluted."""

KINDS = (*STAGE_OF, *CORRECTIONS)

MAX_CODE_LENGTH = 64
MAX_NUMBER_LENGTH = 100
MAX_AMOUNT_MINOR = (2**63 - 1) // 10_000
"""Largest amount whose base is still exact; see ``rules.receivables``."""

EARLIEST_DATE = date(1990, 1, 1)
LATEST_DATE = date(2099, 12, 31)

_SEPARATOR = "\x1f"
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class TradeDocument(NamedTuple):
    """One document of the trade. A named tuple, since an import makes tens of thousands a second.

    ``kind`` is one of ``KINDS``. ``issuer`` (who wrote it), ``supplier`` and ``obligor`` are
    codes of parties. ``fulfils_kind`` and ``fulfils_number`` name the document that this one
    fulfils, cancels or credits, issued by the supplier, the obligor or this document's issuer.
    ``due_date`` is required of what opens a claim: for an order, when payment is expected.
    """

    kind: str
    issuer: str
    supplier: str
    obligor: str
    number: str
    issue_date: date
    currency: str
    amount_minor: int
    due_date: date | None = None
    fulfils_kind: str = ""
    fulfils_number: str = ""


def usual_issuer(kind: str, *, supplier: str, obligor: str) -> str:
    """Who writes documents of a kind: a supplier its invoices and credits, a buyer the rest."""
    return supplier if kind in ("invoice", "credit_note") else obligor


def fingerprint(document: TradeDocument) -> bytes:
    """What identifies a document: SHA-256 of issuer, kind, number, date, amount and obligor.

    The UTF-8 text of the six, joined by U+001F (which no document may contain), with the date as
    YYYY-MM-DD and the amount as currency, space, minor units.
    """
    return sha256(
        _SEPARATOR.join(
            (
                document.issuer,
                document.kind,
                document.number,
                document.issue_date.isoformat(),
                f"{document.currency} {document.amount_minor}",
                document.obligor,
            )
        ).encode()
    ).digest()


def claim_code(document: TradeDocument, *, key: bytes, numbers_repeat: bool) -> str:
    """How people and settlements name the claim of a document: ``ISSUER:kind:number``.

    Where a source's numbers repeat, the start of the fingerprint tells the documents apart.
    """
    code = f"{document.issuer}:{document.kind}:{document.number}"
    return f"{code}:{key.hex()[:16]}" if numbers_repeat else code


class UnacceptableDocument(Refusal):
    """A document cannot be taken as it is: says which field, what it holds, what it may hold."""

    def __init__(self, document: TradeDocument, *, field: str, remedy: str) -> None:
        self.document = document
        self.field = field
        self.value = getattr(document, field)
        self.remedy = remedy
        super().__init__(
            f"{_shown(document.kind)} {_shown(document.number)} of {_shown(document.issuer)}: "
            f"{field} {_shown(str(self.value))!r} {remedy}."
        )


def _shown(text: str) -> str:
    """A text as a message can hold it: not too long, and nothing in it that cannot be written."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text[:120])


def unacceptable(document: TradeDocument) -> UnacceptableDocument | None:
    """Why a document cannot be taken as it is, by its first field at fault; None when it can."""
    fault = (
        _kind_fault(document)
        or _text_fault(document)
        or _value_fault(document)
        or _named_fault(document)
    )
    return fault and UnacceptableDocument(document, field=fault[0], remedy=fault[1])


_Fault = tuple[str, str] | None
"""The field, and what is wrong with it and would be accepted."""


def _kind_fault(document: TradeDocument) -> _Fault:
    return None if document.kind in KINDS else ("kind", f"is none of {', '.join(KINDS)}")


def _text_fault(document: TradeDocument) -> _Fault:
    _, issuer, supplier, obligor, number, *_, fulfils_number = document
    texts = f"{issuer}{supplier}{obligor}{number}{fulfils_number}"
    # Nearly every text is ASCII and printable, which is found out ten times faster.
    if not (texts.isascii() and texts.isprintable()) and hidden_character(texts):
        for field in ("issuer", "supplier", "obligor", "number", "fulfils_number"):
            if hidden := hidden_character(getattr(document, field)):
                return field, f"holds {hidden}, which cannot be seen; take it out"
    if not (
        0 < len(issuer) <= MAX_CODE_LENGTH
        and 0 < len(supplier) <= MAX_CODE_LENGTH
        and 0 < len(obligor) <= MAX_CODE_LENGTH
    ):
        field = next(
            field
            for field in ("issuer", "supplier", "obligor")
            if not 0 < len(getattr(document, field)) <= MAX_CODE_LENGTH
        )
        return field, f"must have 1 to {MAX_CODE_LENGTH} characters"
    if not 0 < len(number) <= MAX_NUMBER_LENGTH:
        return "number", f"must have 1 to {MAX_NUMBER_LENGTH} characters"
    if supplier == obligor:
        return "obligor", "is the supplier itself; a claim is on another firm"
    return None


def _value_fault(document: TradeDocument) -> _Fault:
    kind, *_, issue_date, currency, amount_minor, due_date, _, _ = document
    if currency not in MINOR_DIGITS:
        return "currency", "is no ISO 4217 code with minor units; write three capitals such as CNY"
    if not 0 < amount_minor <= MAX_AMOUNT_MINOR:
        return "amount_minor", f"must lie between 1 and {MAX_AMOUNT_MINOR} minor units"
    if not EARLIEST_DATE <= issue_date <= LATEST_DATE:
        return "issue_date", f"lies outside {EARLIEST_DATE} to {LATEST_DATE}"
    if due_date is None:
        if kind in STAGE_OF:
            return "due_date", f"is missing; a claim of a {kind} needs one"
    elif not issue_date <= due_date <= LATEST_DATE:
        return "due_date", f"must lie between the issue date {issue_date} and {LATEST_DATE}"
    return None


def _named_fault(document: TradeDocument) -> _Fault:
    kind, named, number = document.kind, document.fulfils_kind, document.fulfils_number
    if not named and not number:
        if kind == "cancellation":
            return "fulfils_number", "is empty; a cancellation names the document it cancels"
        return None
    if not named:
        return (
            "fulfils_kind",
            f"is empty, though {number} is named; say what kind of document it is",
        )
    if not 0 < len(number) <= MAX_NUMBER_LENGTH:
        return "fulfils_number", f"must have 1 to {MAX_NUMBER_LENGTH} characters"
    if named not in STAGE_OF:
        return "fulfils_kind", f"is none of {', '.join(STAGE_OF)}"
    if kind in STAGE_OF and list(STAGE_OF).index(named) >= list(STAGE_OF).index(kind):
        return "fulfils_kind", f"is not of an earlier stage than the {kind} that names it"
    return None
