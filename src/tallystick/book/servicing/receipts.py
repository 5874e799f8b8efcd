"""Cash as the bank tells of it: validated, recognised when told again, and kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from django.db import connection

from tallystick.book.parties.register import party_ids
from tallystick.rules.canonical import canonical_json
from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal

MAX_REFERENCE_LENGTH = 90
"""Leaves room for ``receipt:`` in an entry's reference."""

MAX_CODE_LENGTH = 64

MAX_LINES = 100_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """Cash that arrived from ``payer`` (a firm's code) and the claims it names.

    ``lines``: claim code and amount. What the lines leave of ``amount_minor`` names no claim.
    """

    bank_reference: str
    payer: str
    currency: str
    amount_minor: int
    value_date: date
    lines: tuple[tuple[str, int], ...] = ()

    @property
    def content_sha256(self) -> bytes:
        """What a repetition is recognised by."""
        return sha256(
            canonical_json(
                {
                    "payer": self.payer,
                    "currency": self.currency,
                    "amount_minor": str(self.amount_minor),
                    "value_date": self.value_date.isoformat(),
                    "lines": [[code, str(amount_minor)] for code, amount_minor in self.lines],
                }
            )
        ).digest()


class InvalidReceipt(Refusal):
    """What was told about cash cannot be true, or says too little."""

    def __init__(self, receipt: Receipt, fault: str, remedy: str) -> None:
        self.bank_reference = receipt.bank_reference
        super().__init__(
            f"Receipt {receipt.bank_reference[:MAX_REFERENCE_LENGTH]!r} {fault}. {remedy}"
        )


class ReceiptConflict(Refusal):
    """The bank's reference is known, and with other content."""

    def __init__(self, bank_reference: str) -> None:
        self.bank_reference = bank_reference
        super().__init__(
            f"Receipt {bank_reference!r} has been taken before with another payer, amount, "
            "currency, value date or lines. Correct the reference; or, where the first was wrong, "
            "reverse it and send this one under a reference of its own."
        )


class UnknownReceipt(Refusal):
    """No receipt has this reference."""

    def __init__(self, bank_reference: str) -> None:
        self.bank_reference = bank_reference
        super().__init__(
            f"There is no receipt {bank_reference!r}. Name one by the bank's reference."
        )


def check_receipt(receipt: Receipt, *, business_date: date) -> None:
    """Raise InvalidReceipt, or UnknownCurrency, where a receipt cannot be taken at all."""
    minor_digits(receipt.currency)
    reference, payer = receipt.bank_reference, receipt.payer
    if not 0 < len(reference.strip()) <= len(reference) <= MAX_REFERENCE_LENGTH:
        raise InvalidReceipt(
            receipt,
            f"has a reference of {len(reference)} characters",
            f"Give the bank's reference, 1 to {MAX_REFERENCE_LENGTH} characters.",
        )
    if not 0 < len(payer.strip()) <= len(payer) <= MAX_CODE_LENGTH:
        raise InvalidReceipt(
            receipt, "names no payer", f"Give the payer's code, 1 to {MAX_CODE_LENGTH} characters."
        )
    if not (reference.isprintable() and payer.isprintable()):
        raise InvalidReceipt(
            receipt,
            "has characters that cannot be printed in its reference or payer",
            "Take them out.",
        )
    if not 0 < receipt.amount_minor < 2**63:
        raise InvalidReceipt(
            receipt,
            f"is of {receipt.amount_minor} minor units",
            "Give an amount above zero and within 64 bits; cash that left is a payment or a "
            "reversal.",
        )
    if receipt.value_date > business_date:
        raise InvalidReceipt(
            receipt,
            f"has value date {receipt.value_date}, after the open business day {business_date}",
            "Send it when that day has come.",
        )
    if len(receipt.lines) > MAX_LINES or any(amount <= 0 for _, amount in receipt.lines):
        raise InvalidReceipt(
            receipt,
            "has lines of zero or less, or too many of them",
            f"Give at most {MAX_LINES} lines, each above zero.",
        )
    named_minor = sum(amount_minor for _, amount_minor in receipt.lines)
    if named_minor > receipt.amount_minor:
        raise InvalidReceipt(
            receipt,
            f"names claims for {named_minor} and brings {receipt.amount_minor} minor units",
            "Correct the lines: they may not sum to more than the cash.",
        )


def keep_receipts(
    receipts: Sequence[Receipt], *, legal_entity_id: int, booking_date: date, act_id: int
) -> dict[str, int]:
    """Write new receipts; returns the row id of each by bank reference.

    A receipt that is there already is left out, also when another transaction is just writing
    it: then this one waits. ``receipts`` name each reference once.
    """
    ordered = sorted(receipts, key=lambda receipt: receipt.bank_reference)
    payers = party_ids(receipt.payer for receipt in ordered)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_cashreceipt (bank_reference, content_sha256, legal_entity_id,"
            " payer_id, currency, amount_minor, unapplied_minor, value_date, booking_date, act_id)"
            " SELECT bank_reference, content_sha256, %s, payer_id, currency, amount_minor, 0,"
            " value_date, %s, %s"
            " FROM unnest(%s::text[], %s::bytea[], %s::bigint[], %s::text[], %s::bigint[],"
            " %s::date[]) WITH ORDINALITY AS receipt"
            " (bank_reference, content_sha256, payer_id, currency, amount_minor, value_date, place)"
            " ORDER BY place ON CONFLICT (legal_entity_id, bank_reference) DO NOTHING"
            " RETURNING bank_reference, id",
            [
                legal_entity_id,
                booking_date,
                act_id,
                [receipt.bank_reference for receipt in ordered],
                [receipt.content_sha256 for receipt in ordered],
                [payers[receipt.payer] for receipt in ordered],
                [receipt.currency for receipt in ordered],
                [receipt.amount_minor for receipt in ordered],
                [receipt.value_date for receipt in ordered],
            ],
        )
        return dict(cursor.fetchall())


def kept_contents(bank_references: Iterable[str], *, legal_entity_id: int) -> dict[str, bytes]:
    """The content hashes of receipts already kept, by bank reference."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bank_reference, content_sha256 FROM payments_cashreceipt"
            " WHERE legal_entity_id = %s AND bank_reference = ANY(%s)",
            [legal_entity_id, sorted(bank_references)],
        )
        return {reference: bytes(content) for reference, content in cursor.fetchall()}
