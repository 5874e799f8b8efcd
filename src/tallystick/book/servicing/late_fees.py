"""A missed due date costs the fee that the programme says, once.

Charged when the day closes after which the due date has been past due for longer than the
programme lets go, as of the day that is open then. The event's reference names the due date, so
that it is charged once, whatever becomes of the fee; of several due dates of a loan, one a night.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection

from tallystick.book.financing.programmes import terms_with
from tallystick.book.ledger.post import post_many
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.changes import NewLoanEvent
from tallystick.book.servicing.events import record_on
from tallystick.book.servicing.fees import LATE_FEE
from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.book.servicing.one_loan import booking_of
from tallystick.book.servicing.positions import LoanPosition, positions_of
from tallystick.rules.accounting import fee_charged
from tallystick.rules.fee_terms import FeeTerms
from tallystick.rules.loan_balances import missed_dues
from tallystick.rules.loan_events import EventKind


class _Late(NamedTuple):
    """A live loan past its first due date under a programme with a late fee."""

    loan_id: int
    facility_id: int
    fees: FeeTerms
    charged_for: frozenset[str]


def charge_late_fees(legal_entity_id: int, *, booking_date: date, act_id: int) -> int:
    """Charge what was missed long enough before ``booking_date``; returns how many fees."""
    if not (found := _late(legal_entity_id, booking_date)):
        return 0
    lock_facilities(legal_entity_id, facility_ids={each.facility_id for each in found})
    late = {each.loan_id: each for each in _late(legal_entity_id, booking_date)}
    loans = positions_of(late)
    events = [
        NewLoanEvent(
            loan_id=loan.loan_id,
            kind=EventKind.FEE_CHARGED,
            value_date=booking_date,
            reference=f"{LATE_FEE}{missed}",
            act_id=act_id,
            amount_minor=late[loan.loan_id].fees.late_minor,
        )
        for loan in loans.values()
        if (missed := _missed(loan, late[loan.loan_id], booking_date)) is not None
    ]
    record_on(loans, events, booking_date=booking_date)
    post_many(
        [
            fee_charged(
                booking_of(loans[event.loan_id], booking_date, booking_date),
                book=loans[event.loan_id].book_id,
                amount_minor=late[event.loan_id].fees.late_minor,
            )
            for event in events
        ],
        act_id=act_id,
    )
    return len(events)


def _missed(loan: LoanPosition, late: _Late, on: date) -> date | None:
    """The oldest due date that is past due for long enough and has cost nothing yet."""
    assert loan.position is not None
    if loan.position.stands_from_date > on:
        return None
    long_enough = on - timedelta(days=late.fees.late_after_days)
    missed: Iterable[date] = missed_dues(loan.position, on)
    return next(
        (due for due in missed if due < long_enough and str(due) not in late.charged_for), None
    )


def _late(legal_entity_id: int, on: date) -> list[_Late]:
    with connection.cursor() as cursor:
        # By itself, so that a book without such fees is not looked through for them.
        cursor.execute(
            "SELECT id FROM financing_programme WHERE terms -> 'terms' -> 'fees' ? 'late_minor'"
        )
        charging = [programme_id for (programme_id,) in cursor.fetchall()]
        if not charging:
            return []
        cursor.execute(
            "SELECT loan.id, loan.facility_id, programme.sha256,"
            " (SELECT array_agg(substr(event.reference, %(after)s))"
            "  FROM servicing_loanevent AS event WHERE event.loan_id = loan.id"
            "  AND event.kind = 'fee_charged' AND starts_with(event.reference, %(mark)s))"
            " FROM financing_programme AS programme"
            " JOIN financing_facility AS facility ON facility.programme_id = programme.id"
            " JOIN financing_loan AS loan ON loan.facility_id = facility.id"
            " JOIN servicing_position AS held"
            "   ON held.loan_id = loan.id AND held.superseded_date = %(still)s"
            " WHERE programme.id = ANY(%(charging)s)"
            " AND facility.legal_entity_id = %(legal_entity_id)s AND loan.status = 'live'"
            " AND held.due_date < %(on)s ORDER BY loan.id",
            {
                "charging": charging,
                "after": len(LATE_FEE) + 1,
                "mark": LATE_FEE,
                "legal_entity_id": legal_entity_id,
                "on": on,
                "still": STILL_IN_FORCE,
            },
        )
        rows = cursor.fetchall()
    late = (
        _Late(loan_id, facility_id, terms_with(bytes(content)).fees, frozenset(charged or ()))
        for loan_id, facility_id, content, charged in rows
    )
    return [each for each in late if each.fees.late_minor]
