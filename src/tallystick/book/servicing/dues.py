"""What loans will have to be paid: at their due dates, or on another day chosen to settle them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from tallystick.book.financing.models import Loan, LoanStatus
from tallystick.book.financing.programmes import terms_with
from tallystick.book.servicing.live_loan import NotALiveLoan
from tallystick.book.servicing.positions import LoanPosition, positions_of
from tallystick.rules.fee_terms import arrangement_fee_minor
from tallystick.rules.loan_balances import Balances, balances
from tallystick.rules.loan_events import EventKind, LoanEvent
from tallystick.rules.loan_position import Position
from tallystick.rules.loan_schedule import Expected, expected_payments
from tallystick.rules.loan_steps import position_after
from tallystick.rules.refusal import Refusal

MAX_DAYS_AHEAD = 366


class DayOutOfReach(Refusal):
    """What it takes to settle a loan was asked for a day that is past, or too far ahead."""

    def __init__(self, asked_date: date, *, first_date: date, last_date: date) -> None:
        self.asked_date = asked_date
        self.first_date = first_date
        self.last_date = last_date
        super().__init__(
            f"What settles the loan on {asked_date} cannot be told. "
            f"Ask for a day from {first_date} to {last_date}."
        )


@dataclass(frozen=True, slots=True)
class Due:
    """What a loan is to be paid on ``on``: its due date, or today where that is past.

    Of several due dates it is the oldest that is not paid, or else the next: principal is what
    falls due by then.

    Amounts are minor units. ``days_past_due`` counts to today.
    """

    loan: str
    facility: str
    currency: str
    status: str
    due_date: date
    due_date_provisional: bool
    on: date
    principal_minor: int
    interest_minor: int
    penalty_minor: int
    fees_minor: int
    days_past_due: int

    @property
    def extra_minor(self) -> int:
        """What paying late has cost, and fees."""
        return self.penalty_minor + self.fees_minor

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.extra_minor


@dataclass(frozen=True, slots=True)
class SettlementQuote:
    """What settles a loan on a day if nothing else happens before it; minor units.

    ``saved_minor`` is interest that paying on that day instead of when it falls due saves, zero
    from the last due date on.
    """

    loan: str
    currency: str
    on: date
    due_date: date
    owed: Balances
    saved_minor: int


def open_loans(loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """Those that are paid out or about to be, and not repaid."""
    return loans.filter(status__in=[LoanStatus.PENDING, LoanStatus.LIVE])


def dues_of(loans: Sequence[Loan], *, on: date) -> list[Due]:
    """What each of these open loans is to be paid, in their order; ``on`` is today.

    Of a loan whose payout is under way, what it will be if it is paid out on its own day.
    """
    positions = positions_of([loan.pk for loan in loans])
    return [_due(loan, positions[loan.pk], on=on) for loan in loans]


def settlement_quote(loan: Loan, *, on: date, business_date: date) -> SettlementQuote:
    """What it takes to settle a live loan ``on`` a day from ``business_date`` on.

    Raises NotALiveLoan, DayOutOfReach.
    """
    held = positions_of([loan.pk])[loan.pk]
    if held.status != LoanStatus.LIVE or held.position is None:
        raise NotALiveLoan(loan.code, held.status)
    due_date = held.position.dues[-1].due_date
    first_date = max(business_date, held.position.stands_from_date)
    last_date = max(first_date, due_date) + timedelta(days=MAX_DAYS_AHEAD)
    if not first_date <= on <= last_date:
        raise DayOutOfReach(on, first_date=first_date, last_date=last_date)
    owed = balances(held.position, on)
    saved_minor = 0
    if on < due_date:
        to_come = expected_payments(held.position, on)
        saved_minor = sum(each.total_minor for each in to_come) - owed.owed_minor
    return SettlementQuote(loan.code, held.currency, on, due_date, owed, saved_minor)


def payments_to_come(loan: Loan, *, on: date) -> list[Expected]:
    """What an open loan is to be paid from ``on``, today, to its last due date."""
    held = positions_of([loan.pk])[loan.pk]
    if held.position is None:
        return expected_payments(_paid_out_on_its_day(loan, held), loan.drawn_date)
    return expected_payments(held.position, max(on, held.position.stands_from_date))


def _paid_out_on_its_day(loan: Loan, held: LoanPosition) -> Position:
    """What the loan will be if it is paid out on the day it was drawn, with its fee."""
    on = held.terms.start
    fee_minor = arrangement_fee_minor(
        loan.principal_minor, terms_with(bytes(loan.facility.programme.sha256)).fees
    )
    events = [LoanEvent(2, EventKind.DISBURSED, on, on, loan.principal_minor)]
    if fee_minor:
        events.insert(0, LoanEvent(1, EventKind.FEE_CHARGED, on, on, fee_minor))
    return position_after(held.terms, events)


def _due(loan: Loan, held: LoanPosition, *, on: date) -> Due:
    if held.position is None:
        owed = balances(_paid_out_on_its_day(loan, held), loan.due_date)
        parts = (
            owed.principal_due_minor,
            owed.interest_due_minor,
            owed.penalty_due_minor,
            owed.fees_due_minor,
            0,
        )
        asked_on = loan.due_date
    else:
        asked_on = max(on, loan.due_date, held.position.stands_from_date)
        owed = balances(held.position, asked_on)
        parts = (
            owed.principal_due_minor,
            owed.interest_due_minor,
            owed.penalty_due_minor,
            owed.fees_due_minor,
            owed.days_past_due,
        )
    principal_minor, interest_minor, penalty_minor, fees_minor, days_past_due = parts
    return Due(
        loan=loan.code,
        facility=loan.facility.code,
        currency=loan.currency,
        status=loan.status,
        due_date=loan.due_date,
        due_date_provisional=loan.due_date_provisional,
        on=asked_on,
        principal_minor=principal_minor,
        interest_minor=interest_minor,
        penalty_minor=penalty_minor,
        fees_minor=fees_minor,
        days_past_due=days_past_due,
    )
