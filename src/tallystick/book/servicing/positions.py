"""Loans as they stand: rows of the position table read as positions.

A row is one loan's fold from a booking date until the next change. ``rules.loan_position`` does
the arithmetic, and ``store_positions`` writes them back; here a row becomes a position.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.financing.programmes import terms_with
from tallystick.book.servicing.agreed_terms import agreed_terms
from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.rules.loan_events import EventKind
from tallystick.rules.loan_position import (
    Position,
    accrual_days_to,
    everything_minor,
    pays_in_order,
    penalty_steps_of,
)
from tallystick.rules.loan_terms import Due, LoanTerms
from tallystick.rules.settlement import owed_on


class LoanPosition(NamedTuple):
    """A loan with where it stands; ``position`` is None before its first payout.

    ``disbursed_date`` is the value date of the first payout. A named tuple, because a day's
    settlements read and write thousands of them.
    """

    loan_id: int
    code: str
    facility_id: int
    legal_entity_id: int
    supplier_id: int
    currency: str
    book_id: int
    status: str
    terms: LoanTerms
    disbursed_date: date | None
    position: Position | None
    booking_date: date | None
    """From which ``position`` stands: its turns up to that day have been passed."""


_LOADED = """
    SELECT loan.id, loan.code, loan.facility_id, facility.legal_entity_id, facility.supplier_id,
           programme.sha256, loan.currency, loan.book_id, loan.status,
           loan.principal_minor, loan.annual_rate_ppb, loan.penalty_rate_ppb, loan.day_count,
           loan.drawn_date, coalesce(loan.agreed_due_date, loan.due_date),
           loan.agreed_plan, loan.penalty_steps, plan.due_dates, plan.planned_minor,
           plan.interest_at_due_minor, plan.level_minor, plan.evened_minor, plan.agreed_dates,
           held.booking_date, held.disbursed_date, held.last_value_date, held.last_kind,
           held.accrued_to_date,
           held.principal_minor, held.disbursed_minor, held.annual_rate_ppb, held.denominator,
           held.interest_numerator, held.interest_received_minor, held.interest_at_due_minor,
           held.penalty_numerator, held.penalty_received_minor,
           held.fees_charged_minor, held.fees_received_minor, held.credit_minor,
           held.due_date, held.interest_from_date,
           held.interest_waived_minor, held.penalty_waived_minor, held.fees_waived_minor,
           held.principal_charged_off_minor, held.interest_charged_off_minor,
           held.penalty_charged_off_minor, held.fees_charged_off_minor,
           held.recovered_minor, held.charged_off_date
    FROM financing_loan loan
    JOIN financing_facility facility ON facility.id = loan.facility_id
    JOIN financing_programme programme ON programme.id = facility.programme_id
    LEFT JOIN servicing_position held
      ON held.loan_id = loan.id AND held.superseded_date = %(still)s
    LEFT JOIN servicing_repaymentplan plan ON plan.loan_id = loan.id
"""


def positions_of(loan_ids: Iterable[int]) -> dict[int, LoanPosition]:
    """These loans as they stand now, by loan id."""
    return _loaded(
        _LOADED + "WHERE loan.id = ANY(%(loan_ids)s::bigint[]) ORDER BY loan.id",
        {"loan_ids": plain(loan_ids), "still": STILL_IN_FORCE},
    )


def live_positions(facility_ids: Sequence[int]) -> dict[int, LoanPosition]:
    """The live loans of these facilities as they stand now, by loan id."""
    return _loaded(
        _LOADED
        + "WHERE loan.facility_id = ANY(%(facility_ids)s) AND loan.status IN ('pending', 'live')"
        " AND NOT held.settled ORDER BY loan.id",
        {"facility_ids": list(facility_ids), "still": STILL_IN_FORCE},
    )


def _loaded(query: str, arguments: dict[str, Any]) -> dict[int, LoanPosition]:
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        rows = cursor.fetchall()
    return {row[0]: _read(row) for row in rows}


def _read(row: tuple[Any, ...]) -> LoanPosition:
    (
        loan_id,
        code,
        facility_id,
        legal_entity_id,
        supplier_id,
        programme_sha256,
        currency,
        book_id,
        status,
        committed_minor,
        annual_rate_ppb,
        penalty_rate_ppb,
        day_count,
        drawn_date,
        due_date,
        agreed_plan,
        penalty_steps,
        due_dates,
        planned_minor,
        interest_at_due_minor,
        level_minor,
        evened_minor,
        agreed_dates,
        booking_date,
        disbursed_date,
        *held,
    ) = row
    programme = terms_with(programme_sha256)
    terms = agreed_terms(
        currency,
        committed_minor,
        annual_rate_ppb,
        penalty_rate_ppb,
        day_count,
        drawn_date,
        due_date,
        programme.settlement,
        programme.repayment,
        programme.drawdown.due_date_adjustment,
        agreed_plan,
        penalty_steps,
    )
    position = None
    if disbursed_date is not None:
        position = _position(terms, held)
        if due_dates is not None:
            position.dues = tuple(map(Due, due_dates, planned_minor))
            position.interest_at_due_minor = tuple(interest_at_due_minor)
            position.level_minor = level_minor
            position.evened_minor = evened_minor
            position.agreed_dates = tuple(agreed_dates or due_dates)
    return LoanPosition(
        loan_id,
        code,
        facility_id,
        legal_entity_id,
        supplier_id,
        currency,
        book_id,
        status,
        terms,
        disbursed_date,
        position,
        booking_date,
    )


def _position(terms: LoanTerms, held: Sequence[Any]) -> Position:
    (
        last_value_date,
        last_kind,
        accrued_to_date,
        principal_minor,
        disbursed_minor,
        annual_rate_ppb,
        denominator,
        interest_numerator,
        interest_received_minor,
        interest_at_due_minor,
        penalty_numerator,
        penalty_received_minor,
        fees_charged_minor,
        fees_received_minor,
        credit_minor,
        due_date,
        interest_from_date,
        interest_waived_minor,
        penalty_waived_minor,
        fees_waived_minor,
        principal_charged_off_minor,
        interest_charged_off_minor,
        penalty_charged_off_minor,
        fees_charged_off_minor,
        recovered_minor,
        charged_off_date,
    ) = held
    return Position(
        terms=terms,
        dues=(Due(due_date, terms.principal_minor),),
        denominator=denominator,
        principal_minor=principal_minor,
        rate_ppb=annual_rate_ppb,
        accrued_to=accrued_to_date,
        accrued_days=accrual_days_to(terms, accrued_to_date),
        accrued_numerator=int(interest_numerator),
        interest_from=interest_from_date or terms.start,
        pays_in_order=pays_in_order(terms.receipt_order),
        level_minor=0,
        evened_minor=everything_minor(terms),
        agreed_dates=(terms.maturity,),
        penalty_steps=penalty_steps_of(terms),
        penalty_numerator=int(penalty_numerator),
        disbursed_minor=disbursed_minor,
        principal_repaid_minor=(
            disbursed_minor - principal_minor - (principal_charged_off_minor or 0)
        ),
        interest_received_minor=interest_received_minor,
        penalty_received_minor=penalty_received_minor,
        fees_charged_minor=fees_charged_minor,
        fees_received_minor=fees_received_minor,
        credit_minor=credit_minor,
        interest_waived_minor=interest_waived_minor or 0,
        penalty_waived_minor=penalty_waived_minor or 0,
        fees_waived_minor=fees_waived_minor or 0,
        principal_charged_off_minor=principal_charged_off_minor or 0,
        interest_charged_off_minor=interest_charged_off_minor or 0,
        penalty_charged_off_minor=penalty_charged_off_minor or 0,
        fees_charged_off_minor=fees_charged_off_minor or 0,
        recovered_minor=recovered_minor or 0,
        charged_off_date=charged_off_date,
        interest_at_due_minor=(() if interest_at_due_minor is None else (interest_at_due_minor,)),
        last_value_date=last_value_date,
        last_kind=EventKind(last_kind) if last_kind else None,
    )


def is_settled(position: Position) -> bool:
    """Nothing is owed and nothing more accrues: asked at the position's last event."""
    if position.principal_minor:
        return False
    return not any(owed_on(position, position.last_value_date).values())
