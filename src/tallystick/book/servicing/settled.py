"""What became of receipts, as it stands written."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection


class SettledLine(NamedTuple):
    """Where a part of a receipt went; what is not there of facility, loan or advance is empty."""

    supplier: str
    facility: str
    loan: str
    bucket: str
    amount_minor: int
    advance: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A receipt taken. The lines and what stands in suspense sum to its amount."""

    bank_reference: str
    currency: str
    amount_minor: int
    suspense_minor: int
    lines: tuple[SettledLine, ...]

    def as_json(self) -> dict[str, Any]:
        """The receipt in plain JSON values: amounts as integers."""
        return {
            "bank_reference": self.bank_reference,
            "currency": self.currency,
            "amount_minor": self.amount_minor,
            "suspense_minor": self.suspense_minor,
            "lines": [line._asdict() for line in self.lines],
        }

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> "Settled":
        lines = tuple(SettledLine(**line) for line in answer["lines"])
        return cls(**{**answer, "lines": lines})

    @property
    def to_loans_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines if line.loan)

    @property
    def to_supplier_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines if not line.loan and not line.advance)

    @property
    def to_advances_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines if line.advance)


def settled_receipts(legal_entity_id: int, bank_references: Iterable[str]) -> dict[str, Settled]:
    """These receipts of a legal entity, with their lines in the order of payment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT receipt.id, receipt.bank_reference, receipt.currency, receipt.amount_minor,"
            " receipt.unapplied_minor"
            " FROM payments_cashreceipt AS receipt"
            " WHERE receipt.legal_entity_id = %s AND receipt.bank_reference = ANY(%s)",
            [legal_entity_id, list(bank_references)],
        )
        receipts = cursor.fetchall()
        cursor.execute(
            "SELECT line.receipt_id, supplier.code, coalesce(facility.code, ''),"
            " coalesce(loan.code, ''), line.bucket, line.amount_minor, coalesce(advance.code, '')"
            " FROM servicing_settlementline AS line"
            " JOIN parties_party AS supplier ON supplier.id = line.supplier_id"
            " LEFT JOIN financing_facility AS facility ON facility.id = line.facility_id"
            " LEFT JOIN financing_loan AS loan ON loan.id = line.loan_id"
            " LEFT JOIN sales_credit_advance AS advance ON advance.id = line.advance_id"
            " WHERE line.receipt_id = ANY(%s) ORDER BY line.id",
            [[row[0] for row in receipts]],
        )
        lines: dict[int, list[SettledLine]] = defaultdict(list)
        for receipt_id, *columns in cursor.fetchall():
            lines[receipt_id].append(SettledLine(*columns))
    return {
        reference: Settled(reference, currency, amount_minor, unapplied_minor, tuple(lines[key]))
        for key, reference, currency, amount_minor, unapplied_minor in receipts
    }
