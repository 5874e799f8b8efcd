"""A supplier's statement: every movement of its loans and of its credit with us.

A statement is of what was known on its last day: asked for again, it says what it said. What was
learned later about its days stands on the next one as a correction, one for each loan, so that the
next begins with the balance with which it ended.

What adds to its debt is above zero, what takes off is below; the balance is what it owes us in
all, less what we hold for it. Loans are told from their events, credit from the ledger; a night's
interest belongs to its day. So a day's balance is that of the ledger after the day's close.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import NamedTuple

from tallystick.book.financing.models import PAID_OUT, Loan
from tallystick.book.ledger import queries
from tallystick.book.ledger.models import Account
from tallystick.book.servicing.fees import fee_names
from tallystick.book.servicing.history import loan_events
from tallystick.book.servicing.models import STILL_IN_FORCE, Position
from tallystick.book.servicing.positions import positions_of
from tallystick.rules.loan_events import LoanEvent
from tallystick.rules.loan_statement import StatedKind, stated_movements
from tallystick.rules.loan_terms import EARLIEST_START, LoanTerms
from tallystick.rules.refusal import Refusal

MAX_DAYS = 366
CREDIT_ACCOUNT = "supplier_credit"
CORRECTION = "correction"
"""Kind of the line that corrects what the statement before has told."""


class PeriodOutOfReach(Refusal):
    """A statement was asked for a period that ends before it begins, or is too long."""

    def __init__(self, from_date: date, to_date: date) -> None:
        self.from_date = from_date
        self.to_date = to_date
        super().__init__(
            f"A statement from {from_date} to {to_date} cannot be made. "
            f"Ask for 1 to {MAX_DAYS} days, the first day first."
        )


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement, and the balance after it; minor units.

    ``kind`` is one of ``rules.loan_statement.StatedKind``, of credit the ledger's event, or
    CORRECTION.
    ``loan`` is a code, empty where the supplier's credit moves; ``reference`` is our own.
    """

    value_date: date
    kind: str
    loan: str
    reference: str
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class SupplierStatement:
    """The movements with value dates ``from_date`` to ``to_date``, both included."""

    currency: str
    from_date: date
    to_date: date
    opening_minor: int
    lines: tuple[StatementLine, ...]

    @property
    def closing_minor(self) -> int:
        return self.lines[-1].balance_minor if self.lines else self.opening_minor


def supplier_statement(
    supplier_id: int, currency: str, *, from_date: date, to_date: date
) -> SupplierStatement:
    """The statement of a supplier in one currency, as everything was known on its last day.

    Raises PeriodOutOfReach.
    """
    is_period = EARLIEST_START <= from_date <= to_date < date.max
    if not is_period or (to_date - from_date).days >= MAX_DAYS:
        raise PeriodOutOfReach(from_date, to_date)
    night_before = from_date - timedelta(days=1)
    loans = _loans(supplier_id, currency, from_date=from_date, to_date=to_date)
    told = _told(loans, until=(night_before, to_date))
    told[""], credit_minor = _of_credit(supplier_id, currency, from_date, to_date, known_on=to_date)
    told_before = _told(
        [loan for loan in loans if _learned_late(loan, from_date)], until=(night_before,)
    )
    _, credit_before_minor = _of_credit(
        supplier_id, currency, from_date, night_before, known_on=night_before
    )
    as_told_before = [
        *(each for movements in told_before.values() for each in movements),
        # Of the other loans the statement before has told the same.
        *(
            each
            for loan, movements in told.items()
            if loan not in told_before
            for each in movements
            if each[0] < from_date
        ),
    ]
    opening_minor = credit_before_minor + sum(movement[4] for movement in as_told_before)
    inside = [
        *_corrections(told, told_before, credit_minor - credit_before_minor, from_date),
        *(each for movements in told.values() for each in movements if each[0] >= from_date),
    ]
    inside.sort(key=lambda each: (each[0], each[1] != CORRECTION, each[2] == "", each[2], each[3]))
    running = accumulate((each[4] for each in inside), initial=opening_minor)
    next(running)
    lines = tuple(
        StatementLine(*movement, balance_minor)
        for movement, balance_minor in zip(inside, running, strict=True)
    )
    return SupplierStatement(currency, from_date, to_date, opening_minor, lines)


_Movement = tuple[date, str, str, str, int]
"""Value date, kind, loan, reference, amount."""


def _corrections(
    told: Mapping[str, Sequence[_Movement]],
    told_before: Mapping[str, Sequence[_Movement]],
    credit_minor: int,
    from_date: date,
) -> Iterator[_Movement]:
    """What has been learned about the days before ``from_date`` since they were told of."""
    for loan, before in told_before.items():
        now_minor = sum(movement[4] for movement in told[loan] if movement[0] < from_date)
        changed_minor = now_minor - sum(movement[4] for movement in before)
        if changed_minor:
            yield from_date, CORRECTION, loan, "", changed_minor
    if credit_minor:
        yield from_date, CORRECTION, "", "", credit_minor


class _Loan(NamedTuple):
    loan_id: int
    code: str
    terms: LoanTerms
    events: Sequence[LoanEvent]


def _loans(supplier_id: int, currency: str, *, from_date: date, to_date: date) -> list[_Loan]:
    """Every loan that has moved since the period began, or owed anything at its beginning."""
    settled_before = Position.objects.filter(
        superseded_date=STILL_IN_FORCE, settled=True, booking_date__lt=from_date
    ).values("loan_id")
    loan_ids = list(
        Loan.objects.filter(
            facility__supplier_id=supplier_id,
            currency=currency,
            drawn_date__lte=to_date,
            status__in=PAID_OUT,
        )
        .exclude(pk__in=settled_before)
        .values_list("id", flat=True)
    )
    events = loan_events(loan_ids)
    return [
        _Loan(held.loan_id, held.code, held.terms, events[held.loan_id])
        for held in positions_of(loan_ids).values()
    ]


def _learned_late(loan: _Loan, from_date: date) -> bool:
    """Whether something of the days before ``from_date`` was booked on that day or later."""
    return any(
        event.booking_date >= from_date
        and (event.value_date < from_date or event.reverses is not None)
        for event in loan.events
    )


def _told(loans: Iterable[_Loan], *, until: Sequence[date]) -> dict[str, list[_Movement]]:
    """The movements of loans by code, up to the last day of ``until`` and as known on it."""
    loans = list(loans)
    names = fee_names(loan.loan_id for loan in loans)
    return {
        loan.code: [
            (
                stated.value_date,
                names.get(stated.event_id or 0, str(stated.kind))
                if stated.kind is StatedKind.FEE
                else str(stated.kind),
                loan.code,
                "" if stated.event_id is None else str(stated.event_id),
                stated.amount_minor,
            )
            for stated in stated_movements(loan.terms, loan.events, until=until, known_on=until[-1])
        ]
        for loan in loans
    }


def _of_credit(
    supplier_id: int, currency: str, from_date: date, to_date: date, *, known_on: date
) -> tuple[list[_Movement], int]:
    """What moved the supplier's credit account in the period, and what it stood at before.

    Credit stands on the credit side: a balance below zero.
    """
    accounts = Account.objects.filter(
        party=supplier_id, currency=currency, name=CREDIT_ACCOUNT
    ).values_list("id", flat=True)
    told = [
        queries.statement(account_id, from_date=from_date, on=to_date, known_on=known_on)
        for account_id in accounts
    ]
    movements = [
        (line.value_date, line.event, "", line.reference, line.side * line.amount_minor)
        for each in told
        for line in each.lines
    ]
    return movements, sum(each.opening.net_minor for each in told)
