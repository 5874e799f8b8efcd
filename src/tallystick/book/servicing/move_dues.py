"""Dues that fell into an unpublished year move when its holidays are known, and say so."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book import calendars
from tallystick.book.financing.programmes import terms_with
from tallystick.book.parties.models import LegalEntity
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.move_plans import move_plans
from tallystick.book.servicing.positions import positions_of
from tallystick.book.servicing.store_positions import store
from tallystick.rules.calendars import Calendar, adjusted
from tallystick.rules.loan_position import opened


class _Provisional(NamedTuple):
    """A loan whose due date was worked out by the weekend rule alone."""

    loan_id: int
    code: str
    facility_id: int
    drawn_date: date
    tenor_days: int
    due_date: date
    programme_sha256: bytes


class _Known(NamedTuple):
    """Its due date, now that the year is published; the old one where it must not move."""

    loan: _Provisional
    due_date: date

    @property
    def moves(self) -> bool:
        return self.due_date != self.loan.due_date


def move_dues(legal_entity_id: int, *, booking_date: date, act_id: int) -> list[dict[str, Any]]:
    """Settle the provisional due dates that are published by now; returns those that moved.

    A due date is worked out again from the drawdown. It never moves to or from a day that has
    passed: what has fallen due stays due. Loans whose year is still unpublished stay as they are.
    """
    calendar = calendars.named(LegalEntity.objects.get(pk=legal_entity_id).calendar)
    told = [
        {"loan": code, "from_date": from_date.isoformat(), "to_date": to_date.isoformat()}
        for code, from_date, to_date in (
            *_move_single(legal_entity_id, calendar, booking_date),
            *move_plans(legal_entity_id, calendar, booking_date),
        )
    ]
    _tell(told, act_id)
    return told


def _move_single(
    legal_entity_id: int, calendar: Calendar, booking_date: date
) -> list[tuple[str, date, date]]:
    """Of loans with one due date: the loan's code, from which date to which."""
    published = _known(_provisional(legal_entity_id), calendar, booking_date)
    if not published:
        return []
    lock_facilities(legal_entity_id, facility_ids={each.loan.facility_id for each in published})
    known = _known(_provisional(legal_entity_id), calendar, booking_date)
    _write(known)
    moved = [each for each in known if each.moves]
    _move_positions(moved, booking_date)
    return [(each.loan.code, each.loan.due_date, each.due_date) for each in moved]


def _provisional(legal_entity_id: int) -> list[_Provisional]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loan.id, loan.code, loan.facility_id, loan.drawn_date, loan.tenor_days,"
            " loan.due_date, programme.sha256"
            " FROM financing_loan AS loan"
            " JOIN financing_facility AS facility ON facility.id = loan.facility_id"
            " JOIN financing_programme AS programme ON programme.id = facility.programme_id"
            " WHERE loan.due_date_provisional AND loan.status IN ('pending', 'live')"
            " AND loan.agreed_plan IS NULL"
            " AND facility.legal_entity_id = %s ORDER BY loan.id",
            [legal_entity_id],
        )
        return [_Provisional(*row) for row in cursor.fetchall()]


def _known(loans: Iterable[_Provisional], calendar: Calendar, booking_date: date) -> list[_Known]:
    known = []
    for loan in loans:
        terms = terms_with(bytes(loan.programme_sha256))
        due = adjusted(
            calendar,
            loan.drawn_date + timedelta(days=loan.tenor_days),
            terms.drawdown.due_date_adjustment,
        )
        if not due.provisional:
            is_ahead = booking_date <= min(due.date, loan.due_date)
            known.append(_Known(loan, due.date if is_ahead else loan.due_date))
    return known


def _write(known: Sequence[_Known]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE financing_loan AS loan"
            " SET due_date = known.due_date, due_date_provisional = false"
            " FROM unnest(%s::bigint[], %s::date[]) AS known (id, due_date)"
            " WHERE loan.id = known.id",
            [[each.loan.loan_id for each in known], [each.due_date for each in known]],
        )


def _move_positions(moved: Iterable[_Known], booking_date: date) -> None:
    """The position is the same fold with another due date, since nothing has fallen due."""
    loans = positions_of([each.loan.loan_id for each in moved])
    store(
        [
            loan._replace(position=replace(loan.position, dues=opened(loan.terms).dues))
            for loan in loans.values()
            if loan.position is not None
        ],
        booking_date=booking_date,
    )


def _tell(told: Sequence[dict[str, Any]], act_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO acts_outboxmessage (act_id, topic, subject, payload)"
            " SELECT %s, 'due_date_moved', 'loan:' || (payload::jsonb ->> 'loan'), payload::jsonb"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS told (payload, place) ORDER BY place",
            [act_id, [json.dumps(each) for each in told]],
        )
