"""Where the parts of a receipt's cash go: the lines that sum to it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tallystick.rules.loan_terms import Bucket

RESIDUAL = "residual"
"""Bucket of a line whose money is paid out to the supplier."""

CREDIT = "credit"
"""Bucket of a line whose money is kept for the supplier."""

RECOVERY = "recovery"
"""Bucket of a line of a loan whose money meets what was charged off."""

RECOVERED = "recovered"
"""Bucket of a line that meets what was due from the supplier."""

KIND_OF: Mapping[str, str] = {
    Bucket.FEES: "fees",
    Bucket.PENALTY: "penalty",
    Bucket.INTEREST: "interest",
    Bucket.PRINCIPAL_DUE: "principal",
    Bucket.PRINCIPAL_NOT_DUE: "principal",
    RECOVERY: "recovery",
}
"""Kind of debt (``accounting.RECEIVABLE_OF``) that a loan's bucket holds."""


class Line(NamedTuple):
    """A part of a receipt: in a bucket of a loan or an advance, or in one of the supplier's."""

    receipt_id: int
    supplier_id: int
    facility_id: int | None
    loan_id: int | None
    bucket: str
    amount_minor: int
    advance_id: int | None = None

    @property
    def is_suppliers(self) -> bool:
        """It met nobody's debt: it is paid out to the supplier, or kept for him."""
        return self.loan_id is None and self.advance_id is None


def kinds_by_loan(lines: Iterable[Line]) -> dict[int, dict[str, int]]:
    """What the lines of one receipt come to on each loan, by kind of debt."""
    by_loan: dict[int, dict[str, int]] = {}
    for line in lines:
        if line.loan_id is not None:
            by_kind = by_loan.setdefault(line.loan_id, {})
            kind = KIND_OF[line.bucket]
            by_kind[kind] = by_kind.get(kind, 0) + line.amount_minor
    return by_loan
