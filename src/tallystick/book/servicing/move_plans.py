"""Due dates of instalments that fell into an unpublished year move when its holidays are known.

So do those that an event has made since: they follow from the events and the calendar, and a fold
finds them anew.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.financing.draw_down import plan_kept
from tallystick.book.financing.programmes import terms_with
from tallystick.book.servicing.agreed_terms import plan_read
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.history import folded, loan_events
from tallystick.book.servicing.positions import positions_of
from tallystick.book.servicing.store_positions import store
from tallystick.rules.calendars import Calendar
from tallystick.rules.loan_events import rate_from_ppb
from tallystick.rules.loan_terms import AgreedPlan, Due
from tallystick.rules.repayment import Agreed, instalments


class _Provisional(NamedTuple):
    """A loan with instalments of which some fall beyond the calendar as it was known."""

    loan_id: int
    code: str
    facility_id: int
    principal_minor: int
    annual_rate_ppb: int
    drawn_date: date
    tenor_days: int
    agreed_plan: str
    programme_sha256: bytes


class _Known(NamedTuple):
    """Its plan as it is now known, and whether it may move again."""

    loan: _Provisional
    before: AgreedPlan
    after: AgreedPlan
    provisional: bool


_PROVISIONAL = """
    SELECT loan.id, loan.code, loan.facility_id, loan.principal_minor, loan.annual_rate_ppb,
           loan.drawn_date, loan.tenor_days, loan.agreed_plan, programme.sha256
    FROM financing_loan AS loan
    JOIN financing_facility AS facility ON facility.id = loan.facility_id
    JOIN financing_programme AS programme ON programme.id = facility.programme_id
    WHERE loan.id IN (
        SELECT id FROM financing_loan
        WHERE due_date_provisional AND status IN ('pending', 'live')
        UNION SELECT loan_id FROM servicing_repaymentplan WHERE agreed_dates IS NOT NULL)
      AND loan.status IN ('pending', 'live')
      AND (loan.agreed_plan ->> 'known_to_date')::date < %s
      AND facility.legal_entity_id = %s
    ORDER BY loan.id
"""


def move_plans(
    legal_entity_id: int, calendar: Calendar, booking_date: date
) -> list[tuple[str, date, date]]:
    """Move the due dates still ahead to where the calendar, known further now, puts them.

    Amounts stay as they were agreed. Returns the loan's code, from which date to which.
    """
    found = _provisional(legal_entity_id, calendar)
    if not found:
        return []
    lock_facilities(legal_entity_id, facility_ids={loan.facility_id for loan in found})
    known = [
        _known(loan, calendar, booking_date) for loan in _provisional(legal_entity_id, calendar)
    ]
    _write(known, calendar)
    planned = {each.loan.loan_id: (each.before.dues, each.after.dues) for each in known}
    planned |= _fold_anew(list(planned), booking_date)
    return [
        (each.loan.code, old.due_date, new.due_date)
        for each in known
        for old, new in zip(*planned[each.loan.loan_id], strict=False)
        if old.due_date != new.due_date
    ]


def _provisional(legal_entity_id: int, calendar: Calendar) -> list[_Provisional]:
    with connection.cursor() as cursor:
        cursor.execute(_PROVISIONAL, [calendar.last_known_date or date.max, legal_entity_id])
        return [_Provisional(*row) for row in cursor.fetchall()]


def _known(loan: _Provisional, calendar: Calendar, booking_date: date) -> _Known:
    before = plan_read(json.loads(loan.agreed_plan))
    agreed = _agreed_anew(loan, calendar)
    dates = [due.due_date for due in before.dues]
    new_dates = [row.due_date for row in agreed.rows]
    # Instalments that would meet on one business day, or change places, stay where they are.
    if len(new_dates) == len(dates):
        dates = [
            new if booking_date <= min(old, new) else old
            for old, new in zip(dates, new_dates, strict=True)
        ]
    dues = tuple(due._replace(due_date=day) for due, day in zip(before.dues, dates, strict=True))
    return _Known(loan, before, before._replace(dues=dues), agreed.provisional)


def _agreed_anew(loan: _Provisional, calendar: Calendar) -> Agreed:
    terms = terms_with(bytes(loan.programme_sha256))
    return instalments(
        terms.repayment,
        amount_minor=loan.principal_minor,
        annual_rate=rate_from_ppb(loan.annual_rate_ppb),
        day_count=terms.price.day_count,
        drawn_date=loan.drawn_date,
        tenor_days=loan.tenor_days,
        max_tenor_days=terms.drawdown.max_tenor_days,
        calendar=calendar,
        adjustment=terms.drawdown.due_date_adjustment,
    )


def _write(known: Sequence[_Known], calendar: Calendar) -> None:
    """The plan as agreed: of a loan that is not paid out yet, its due dates as well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE financing_loan AS loan"
            " SET agreed_plan = known.plan::jsonb, due_date_provisional = known.provisional,"
            " due_date = CASE WHEN loan.status = 'pending' THEN known.due_date"
            "   ELSE loan.due_date END,"
            " maturity_date = CASE WHEN loan.status = 'pending' THEN known.maturity_date"
            "   ELSE loan.maturity_date END"
            " FROM unnest(%s::bigint[], %s::text[], %s::boolean[], %s::date[], %s::date[])"
            "   AS known (id, plan, provisional, due_date, maturity_date)"
            " WHERE loan.id = known.id",
            [
                [each.loan.loan_id for each in known],
                [json.dumps(plan_kept(each.after, calendar)) for each in known],
                [each.provisional for each in known],
                [each.after.dues[0].due_date for each in known],
                [each.after.dues[-1].due_date for each in known],
            ],
        )


def _fold_anew(
    loan_ids: Iterable[int], booking_date: date
) -> dict[int, tuple[tuple[Due, ...], tuple[Due, ...]]]:
    """What its events planned follows from the plan and the calendar as they are now.

    Returns the dues before and after, of loans that are paid out.
    """
    before = {
        loan_id: loan.position.dues
        for loan_id, loan in positions_of(loan_ids).items()
        if loan.position is not None
    }
    loans, events = positions_of(before), loan_events(before)
    anew = [folded(loan, events[loan_id], booking_date) for loan_id, loan in loans.items()]
    store(anew, booking_date=booking_date)
    return {
        loan.loan_id: (before[loan.loan_id], loan.position.dues)
        for loan in anew
        if loan.position is not None
    }
