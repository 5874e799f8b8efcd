"""The events of loans as they are stored, and the fold of all of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from django.db import connection

from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.loan_events import (
    Charge,
    EventKind,
    LoanEvent,
    events_in_force,
    rate_from_ppb,
)
from tallystick.rules.loan_steps import position_after

_KINDS = {str(kind): kind for kind in EventKind}
"""Read thousands of times by a refold: calling the enumeration costs five times as much."""


def loan_events(loan_ids: Iterable[int]) -> dict[int, list[LoanEvent]]:
    """Every event of these loans, in the order of recording, as ``rules.loan`` takes them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loan_id, id, kind, value_date, booking_date, amount_minor, annual_rate_ppb,"
            " reverses_id, days, due_date, to_date, waives FROM servicing_loanevent"
            " WHERE loan_id = ANY(%s) ORDER BY id",
            [list(loan_ids)],
        )
        rows = cursor.fetchall()
    events: dict[int, list[LoanEvent]] = defaultdict(list)
    for loan_id, *columns in rows:
        events[loan_id].append(as_event(*columns))
    return events


def as_event(
    event_id: int,
    kind: str,
    value_date: date,
    booking_date: date,
    amount_minor: int | None,
    annual_rate_ppb: int | None,
    reverses: int | None,
    days: int | None,
    due_date: date | None,
    to_date: date | None,
    waives: str | None,
) -> LoanEvent:
    return LoanEvent(
        event_id,
        _KINDS[kind],
        value_date,
        booking_date,
        amount_minor,
        None if annual_rate_ppb is None else rate_from_ppb(annual_rate_ppb),
        reverses,
        days,
        due_date,
        to_date,
        None if waives is None else Charge(waives),
    )


def folded(loan: LoanPosition, events: Sequence[LoanEvent], known_on: date) -> LoanPosition:
    """The loan as a fold of all its events known on a day, with the date of its first payout."""
    terms = loan.terms
    in_force = events_in_force(events, start=terms.start, on=known_on, known_on=known_on)
    first_payout = next((each for each in in_force if each.kind is EventKind.DISBURSED), None)
    return loan._replace(
        position=position_after(terms, in_force),
        disbursed_date=terms.start if first_payout is None else first_payout.value_date,
    )
