"""A missed due date costs the fee that the programme says, once.

Charged when the day closes after which the due date has been past due for longer than the
programme lets go, as of the day that is open then. The event's reference names the due date, so
that it is charged once, whatever a person makes of the fee; of several due dates of a loan, one a
night.

Where it turns out later that the due date had been met in time, the close of the day on which that
was booked takes the fee back, and charges it again, as of its old day, if what was told is taken
back itself (``rules.late_fees``). Only loans of which something was booked are looked at.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection

from tallystick.book.financing.programmes import terms_with
from tallystick.book.ledger.post import post_many
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.changes import NewLoanEvent
from tallystick.book.servicing.events import record_events, record_on
from tallystick.book.servicing.fees import LATE_FEE, NOT_LATE
from tallystick.book.servicing.history import loan_events
from tallystick.book.servicing.models import STILL_IN_FORCE, LoanEvent
from tallystick.book.servicing.one_loan import booking_of
from tallystick.book.servicing.positions import LoanPosition, positions_of
from tallystick.book.servicing.reverse_event import take_entry_back
from tallystick.rules.accounting import fee_charged
from tallystick.rules.fee_terms import FeeTerms
from tallystick.rules.late_fees import LateFee, judged_again
from tallystick.rules.loan_balances import missed_dues
from tallystick.rules.loan_events import EventKind


class LateFees(NamedTuple):
    """How many fees a close charged, and how many it took back."""

    charged: int
    taken_back: int


class _Late(NamedTuple):
    """A live loan past its first due date under a programme with a late fee."""

    loan_id: int
    facility_id: int
    fees: FeeTerms
    charged_for: frozenset[str]


def late_fees(legal_entity_id: int, *, day: date, act_id: int) -> LateFees:
    """Charge what was missed by the day after ``day``, and judge again what ``day`` told of."""
    charging = _charging()
    if not charging:
        return LateFees(0, 0)
    booking_date = day + timedelta(days=1)
    found = _late(legal_entity_id, charging, booking_date)
    told_of = _told_of(legal_entity_id, day)
    facility_ids = {each.facility_id for each in found} | set(told_of.values())
    lock_facilities(legal_entity_id, facility_ids=facility_ids)
    undone, restored = _judge_again(list(told_of), booking_date, act_id)
    late = {
        each.loan_id: each
        for each in _late(legal_entity_id, charging, booking_date)
        if each.facility_id in facility_ids
    }
    return LateFees(restored + _charge(late, booking_date, act_id), undone)


def _charge(late: Mapping[int, _Late], booking_date: date, act_id: int) -> int:
    loans = positions_of(late)
    events = [
        _fee(loan.loan_id, missed, late[loan.loan_id].fees.late_minor, booking_date, act_id)
        for loan in loans.values()
        if (missed := _missed(loan, late[loan.loan_id], booking_date)) is not None
    ]
    record_on(loans, events, booking_date=booking_date)
    _post(events, loans, booking_date, act_id)
    return len(events)


def _fee(
    loan_id: int, due_date: date, amount_minor: int, value_date: date, act_id: int
) -> NewLoanEvent:
    return NewLoanEvent(
        loan_id=loan_id,
        kind=EventKind.FEE_CHARGED,
        value_date=value_date,
        reference=f"{LATE_FEE}{due_date}",
        act_id=act_id,
        amount_minor=amount_minor,
    )


def _post(
    fees: Iterable[NewLoanEvent],
    loans: Mapping[int, LoanPosition],
    booking_date: date,
    act_id: int,
) -> None:
    post_many(
        [
            fee_charged(
                booking_of(loans[fee.loan_id], fee.value_date, booking_date),
                book=loans[fee.loan_id].book_id,
                amount_minor=fee.amount_minor or 0,
            )
            for fee in fees
        ],
        act_id=act_id,
    )


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


def _judge_again(loan_ids: Sequence[int], booking_date: date, act_id: int) -> tuple[int, int]:
    """How many fees were taken back, and how many charged again, of loans that are locked."""
    if not loan_ids:
        return 0, 0
    fees, events, loans = _fees_of(loan_ids), loan_events(loan_ids), positions_of(loan_ids)
    new: list[NewLoanEvent] = []
    charged: list[NewLoanEvent] = []
    for loan_id, of_loan in fees.items():
        undone, due_again = judged_again(
            loans[loan_id].terms, events[loan_id], of_loan, known_on=booking_date
        )
        new += [_taken_back(fee, loans[loan_id], booking_date, act_id) for fee in undone]
        charged += [
            _fee(loan_id, fee.due_date, fee.amount_minor, fee.value_date, act_id)
            for fee in due_again
        ]
    record_events([*new, *charged], booking_date=booking_date)
    _post(charged, loans, booking_date, act_id)
    return len(new), len(charged)


def _taken_back(fee: LateFee, loan: LoanPosition, booking_date: date, act_id: int) -> NewLoanEvent:
    event = LoanEvent.objects.get(pk=fee.event_id)
    return NewLoanEvent(
        loan_id=loan.loan_id,
        kind=EventKind.REVERSED,
        value_date=fee.value_date,
        reference=f"{NOT_LATE}{fee.due_date}",
        act_id=act_id,
        reverses=fee.event_id,
        booked=take_entry_back(event, loan, booking_date, act_id),
    )


def _charging() -> list[int]:
    """Programmes with a late fee: a book without such fees is not looked through for them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM financing_programme WHERE terms -> 'terms' -> 'fees' ? 'late_minor'"
        )
        return [programme_id for (programme_id,) in cursor.fetchall()]


def _late(legal_entity_id: int, charging: Sequence[int], on: date) -> list[_Late]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loan.id, loan.facility_id, programme.sha256,"
            " (SELECT array_agg(substr(event.reference, %(after)s))"
            "  FROM servicing_loanevent AS event WHERE event.loan_id = loan.id"
            "  AND event.kind = 'fee_charged' AND starts_with(event.reference, %(mark)s)"
            "  AND NOT EXISTS (SELECT FROM servicing_loanevent AS back"
            "   WHERE back.reverses_id = event.id AND starts_with(back.reference, %(not_late)s)))"
            " FROM financing_programme AS programme"
            " JOIN financing_facility AS facility ON facility.programme_id = programme.id"
            " JOIN financing_loan AS loan ON loan.facility_id = facility.id"
            " JOIN servicing_position AS held"
            "   ON held.loan_id = loan.id AND held.superseded_date = %(still)s"
            " WHERE programme.id = ANY(%(charging)s)"
            " AND facility.legal_entity_id = %(legal_entity_id)s AND loan.status = 'live'"
            " AND held.due_date < %(on)s ORDER BY loan.id",
            {
                "charging": list(charging),
                "after": len(LATE_FEE) + 1,
                "mark": LATE_FEE,
                "not_late": NOT_LATE,
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


def _told_of(legal_entity_id: int, day: date) -> dict[int, int]:
    """Loans that were charged a late fee and of which ``day`` booked anything else: facilities."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loan.id, loan.facility_id FROM ("
            "  SELECT DISTINCT loan_id FROM servicing_loanevent"
            "  WHERE booking_date = %(day)s AND NOT starts_with(reference, %(ours)s)) AS told"
            " JOIN financing_loan AS loan ON loan.id = told.loan_id"
            " JOIN financing_facility AS facility ON facility.id = loan.facility_id"
            " WHERE facility.legal_entity_id = %(legal_entity_id)s AND EXISTS ("
            "  SELECT FROM servicing_loanevent AS fee WHERE fee.loan_id = loan.id"
            "  AND fee.kind = 'fee_charged' AND starts_with(fee.reference, %(late)s))"
            " ORDER BY loan.id",
            {
                "day": day,
                "ours": "programme fee:",
                "late": LATE_FEE,
                "legal_entity_id": legal_entity_id,
            },
        )
        return dict(cursor.fetchall())


def _fees_of(loan_ids: Sequence[int]) -> dict[int, list[LateFee]]:
    """The latest fee for each due date, but for those that a person took back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (fee.loan_id, fee.reference) fee.loan_id, fee.id, fee.value_date,"
            " substr(fee.reference, %(after)s)::date, fee.amount_minor, back.reference"
            " FROM servicing_loanevent AS fee"
            " LEFT JOIN servicing_loanevent AS back ON back.reverses_id = fee.id"
            " WHERE fee.loan_id = ANY(%(loan_ids)s) AND fee.kind = 'fee_charged'"
            " AND starts_with(fee.reference, %(late)s)"
            " ORDER BY fee.loan_id, fee.reference, fee.id DESC",
            {"after": len(LATE_FEE) + 1, "late": LATE_FEE, "loan_ids": list(loan_ids)},
        )
        rows = cursor.fetchall()
    fees: dict[int, list[LateFee]] = defaultdict(list)
    for loan_id, event_id, value_date, due_date, amount_minor, back in rows:
        if back is None or back.startswith(NOT_LATE):
            fees[loan_id].append(
                LateFee(event_id, value_date, due_date, amount_minor, stands=back is None)
            )
    return fees
