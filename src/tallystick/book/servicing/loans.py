"""Questions about a loan: its state on any day, as it would have been known on another."""

from dataclasses import dataclass, replace
from datetime import date

from tallystick.book.financing.models import Loan
from tallystick.book.servicing.history import loan_events
from tallystick.book.servicing.models import Position
from tallystick.book.servicing.positions import positions_of
from tallystick.rules.loan import LoanState, fold
from tallystick.rules.refusal import Refusal


class UnknownLoan(Refusal):
    """No loan has this code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"There is no loan {code!r}. Name a loan by the code its drawdown got.")


@dataclass(frozen=True, slots=True)
class LoanOn:
    """A loan with its state on a day, and its last due date as agreed by then.

    ``status`` is what it is now: pending, live, settled …
    """

    code: str
    facility: str
    supplier: str
    status: str
    due_date: date
    state: LoanState


def loan_on(code: str, *, on: date | None = None, known_on: date = date.max) -> LoanOn:
    """The loan ``on`` a day (the open business day where None), folded from its events.

    ``known_on``: what was booked after it does not count, nor a due date that moved after it.

    Raises UnknownLoan, and AskedTooEarly for a day before the drawdown.
    """
    row = (
        Loan.objects.filter(code=code)
        .values_list(
            "id",
            "facility__code",
            "facility__supplier__code",
            "status",
            "facility__legal_entity__business_date",
            "agreed_due_date",
        )
        .first()
    )
    if row is None:
        raise UnknownLoan(code)
    loan_id, facility, supplier, status, business_date, agreed_due_date = row
    terms = positions_of([loan_id])[loan_id].terms
    if agreed_due_date is None:
        terms = replace(terms, maturity=_due_date_known(loan_id, known_on) or terms.maturity)
    state = fold(
        terms,
        loan_events([loan_id])[loan_id],
        on=on or business_date,
        known_on=known_on,
    )
    return LoanOn(code, facility, supplier, status, state.balances.due_date, state)


def _due_date_known(loan_id: int, known_on: date) -> date | None:
    return (
        Position.objects.filter(loan=loan_id, booking_date__lte=known_on)
        .order_by("-booking_date")
        .values_list("due_date", flat=True)
        .first()
    )
