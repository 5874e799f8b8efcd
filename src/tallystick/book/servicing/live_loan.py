"""A live loan, found by its code and locked, for acts on one loan."""

from collections.abc import Collection

from tallystick.book.financing.models import Loan
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.positions import LoanPosition, positions_of
from tallystick.rules.refusal import Refusal


class NotALiveLoan(Refusal):
    """The loan is unknown, not paid out yet, rejected, or settled."""

    def __init__(self, code: str, status: str | None) -> None:
        self.code = code
        self.status = status
        what = f"Loan {code!r} is {status}" if status else f"There is no loan {code!r}"
        super().__init__(f"{what}. Name a loan that has been paid out and still owes something.")


def legal_entity_of(code: str) -> int:
    """Whose loan it is. Raises NotALiveLoan when there is none."""
    found = Loan.objects.filter(code=code).values_list("facility__legal_entity_id", flat=True)
    legal_entity_id = found.first()
    if legal_entity_id is None:
        raise NotALiveLoan(code, None)
    return legal_entity_id


def currency_of(code: str) -> str:
    """The loan's currency. Raises NotALiveLoan when there is no such loan."""
    currency = Loan.objects.filter(code=code).values_list("currency", flat=True).first()
    if currency is None:
        raise NotALiveLoan(code, None)
    return currency


def locked_live_loan(code: str, legal_entity_id: int) -> LoanPosition:
    """The loan as it stands, its facility locked. Raises NotALiveLoan."""
    return locked_loan(code, legal_entity_id, statuses=("live",))


def locked_loan(code: str, legal_entity_id: int, *, statuses: Collection[str]) -> LoanPosition:
    """The loan in one of these states, its facility locked. Raises NotALiveLoan."""
    loan_id, facility_id = Loan.objects.values_list("id", "facility_id").get(code=code)
    lock_facilities(legal_entity_id, facility_ids=[facility_id])
    loan = positions_of([loan_id])[loan_id]
    if loan.status not in statuses or loan.position is None:
        raise NotALiveLoan(code, loan.status)
    return loan
