"""Questions about a loan: its state on any day, as it would have been known on another."""

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from tallystick.book.financing.models import Loan
from tallystick.book.servicing.history import loan_events
from tallystick.book.servicing.models import Position
from tallystick.book.servicing.positions import positions_of
from tallystick.rules.loan import LoanState, fold
from tallystick.rules.loan_events import LoanEvent
from tallystick.rules.loan_instalments import InstalmentOn, instalments_on
from tallystick.rules.loan_steps import position_of
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.loan_timeline import Timeline, timeline
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
    loan = _read(code, known_on)
    state = fold(loan.terms, loan.events, on=on or loan.business_date, known_on=known_on)
    return LoanOn(code, loan.facility, loan.supplier, loan.status, state.balances.due_date, state)


def timeline_of(code: str, *, on: date | None = None, known_on: date = date.max) -> Timeline:
    """What stood when, which cash moved and what is to come, as ``loan_on`` sees the loan.

    Raises UnknownLoan, and AskedTooEarly for a day before the drawdown.
    """
    loan = _read(code, known_on)
    return timeline(loan.terms, loan.events, on=on or loan.business_date, known_on=known_on)


def instalments_of(
    code: str, *, on: date | None = None, known_on: date = date.max
) -> list[InstalmentOn]:
    """The instalments of a loan as they stood on a day; none where it has one due date.

    Nor where nothing has been paid out by then, or the loan was charged off.

    Raises UnknownLoan.
    """
    loan = _read(code, known_on)
    on = on or loan.business_date
    if loan.terms.agreed_plan is None or on < loan.terms.start:
        return []
    position = position_of(loan.terms, loan.events, on=on, known_on=known_on)
    if not position.disbursed_minor or position.charged_off_date is not None:
        return []
    return instalments_on(position, on)


class _Read(NamedTuple):
    """A loan's row, its terms as known on a day, and its events."""

    facility: str
    supplier: str
    status: str
    business_date: date
    terms: LoanTerms
    events: list[LoanEvent]


def _read(code: str, known_on: date) -> _Read:
    row = (
        Loan.objects.filter(code=code)
        .values_list(
            "id",
            "agreed_due_date",
            "facility__code",
            "facility__supplier__code",
            "status",
            "facility__legal_entity__business_date",
        )
        .first()
    )
    if row is None:
        raise UnknownLoan(code)
    loan_id, agreed_due_date, *of_the_loan = row
    terms = positions_of([loan_id])[loan_id].terms
    if agreed_due_date is None and terms.agreed_plan is None:
        terms = replace(terms, maturity=_due_date_known(loan_id, known_on) or terms.maturity)
    return _Read(*of_the_loan, terms, loan_events([loan_id])[loan_id])


def _due_date_known(loan_id: int, known_on: date) -> date | None:
    return (
        Position.objects.filter(loan=loan_id, booking_date__lte=known_on)
        .order_by("-booking_date")
        .values_list("due_date", flat=True)
        .first()
    )
