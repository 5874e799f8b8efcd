"""Positions written back: a row of each loan from a booking date on, until the next change."""

from collections.abc import Callable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.book.servicing.positions import LoanPosition
from tallystick.book.servicing.repayment_plans import store_plans
from tallystick.rules.loan_position import Position
from tallystick.rules.loan_turns import (
    due_date_to_meet,
    is_straight,
    next_turn,
    penalty_growth,
    standing_on,
)


class _Column(NamedTuple):
    name: str
    sql_type: str
    of: Callable[[LoanPosition], Any]


def _held(name: str, sql_type: str, field: str | None = None) -> _Column:
    """A number or date of the position, under its own name where ``field`` is None."""
    return _Column(name, sql_type, attrgetter(f"position.{field or name}"))


def _rare(name: str) -> _Column:
    """An amount that hardly any loan has: NULL where it is nothing."""
    amount_minor = attrgetter(f"position.{name}")
    return _Column(name, "bigint", lambda loan: amount_minor(loan) or None)


def _found(name: str, sql_type: str, find: Callable[[Position], Any]) -> _Column:
    return _Column(name, sql_type, lambda loan: find(loan.position))


def _interest_at_due_minor(held: Position) -> int | None:
    """Of the one due date; those of several are kept with the plan."""
    if not held.interest_at_due_minor or held.terms.agreed_plan is not None:
        return None
    return held.interest_at_due_minor[0]


def _interest_from_date(held: Position) -> date | None:
    """Where interest has ever been paused."""
    return held.interest_from if held.interest_from > held.terms.start else None


def _penalty_rate_ppb(held: Position) -> int:
    return held.penalty_steps[0][1] if held.penalty_steps else 0


def _penalty_growth(held: Position) -> int | None:
    return None if is_straight(held) else penalty_growth(held)


_COLUMNS = (
    _Column("loan_id", "bigint", attrgetter("loan_id")),
    _Column("book_id", "bigint", attrgetter("book_id")),
    _Column("disbursed_date", "date", attrgetter("disbursed_date")),
    _Column("settled", "boolean", lambda loan: loan.status != "live"),
    _found("due_date", "date", due_date_to_meet),
    _found("turn_date", "date", next_turn),
    _held("last_value_date", "date"),
    _found("last_kind", "text", lambda held: held.last_kind or '""'),
    _held("accrued_to_date", "date", "accrued_to"),
    _held("principal_minor", "bigint"),
    _held("disbursed_minor", "bigint"),
    _held("annual_rate_ppb", "bigint", "rate_ppb"),
    _held("denominator", "bigint"),
    _held("interest_numerator", "numeric", "accrued_numerator"),
    _held("interest_received_minor", "bigint"),
    _found("interest_at_due_minor", "bigint", _interest_at_due_minor),
    _found("interest_from_date", "date", _interest_from_date),
    _found("penalty_rate_ppb", "bigint", _penalty_rate_ppb),
    _held("penalty_numerator", "numeric"),
    _found("penalty_growth", "numeric", _penalty_growth),
    _held("penalty_received_minor", "bigint"),
    _held("fees_charged_minor", "bigint"),
    _held("fees_received_minor", "bigint"),
    _held("credit_minor", "bigint"),
    _rare("interest_waived_minor"),
    _rare("penalty_waived_minor"),
    _rare("fees_waived_minor"),
    _rare("principal_charged_off_minor"),
    _rare("interest_charged_off_minor"),
    _rare("penalty_charged_off_minor"),
    _rare("fees_charged_off_minor"),
    _rare("recovered_minor"),
    _held("charged_off_date", "date"),
)

_NAMES = ", ".join(column.name for column in _COLUMNS)
_GIVEN = ", ".join(f"%({column.name})s::{column.sql_type}[]" for column in _COLUMNS)
_REPLACED = ", ".join(f"{name} = excluded.{name}" for name, *_ in _COLUMNS if name != "loan_id")
_STORED = f"""
    INSERT INTO servicing_position (booking_date, superseded_date, {_NAMES})
    SELECT %(booking_date)s, %(still)s, {_NAMES} FROM unnest({_GIVEN}) AS now ({_NAMES})
    ON CONFLICT (loan_id, booking_date) DO UPDATE SET {_REPLACED}
"""


def store(loans: Sequence[LoanPosition], *, booking_date: date) -> None:
    """Let these positions stand from ``booking_date`` on, in place of those before.

    Rows of earlier booking dates stay as they were, but for the day on which they end; a second
    change on one booking date replaces the first. Every loan has a position and its right status,
    and turns up to ``booking_date`` are passed here.
    """
    if not loans:
        return
    standing = [loan._replace(position=standing_on(loan.position, booking_date)) for loan in loans]
    columns = {column.name: plain(map(column.of, standing)) for column in _COLUMNS}
    columns |= {"booking_date": booking_date, "still": STILL_IN_FORCE}
    with connection.cursor() as cursor:
        # Two statements: the unique index on what is in force sees the row before it as ended.
        cursor.execute(
            "UPDATE servicing_position SET superseded_date = %(booking_date)s"
            " WHERE loan_id = ANY(%(loan_id)s::bigint[]) AND superseded_date = %(still)s"
            "   AND booking_date < %(booking_date)s",
            columns,
        )
        cursor.execute(_STORED, columns)
    store_plans(
        [(loan.loan_id, loan.position) for loan in standing if loan.terms.agreed_plan is not None]
    )
