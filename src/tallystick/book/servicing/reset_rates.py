"""Loans that follow a reference rate take a new value of it on their reset dates.

A reset is recorded when its day closes, because a value published on that very day counts: as a
rate change with the reset's own value date, booked in the day that is open, under the close's own
key. Its reference names the published value, so that a reset is recorded once, whether or not the
rate has moved. Where the value is missing the reset waits, with a work item, for a later close.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book.financing.price_facilities import (
    floating_programmes,
    price_facilities,
    series_of,
)
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.events import NewLoanEvent, record_events
from tallystick.book.watch.worklist import NewItem, close_items, open_items
from tallystick.rules.loan_events import EventKind, rate_in_ppb
from tallystick.rules.reference_rates import (
    FloatingTerms,
    NoReferenceRate,
    RateReset,
    RateSeries,
    last_reset_date,
    rate_on,
)

MISSING = "reference_rate_missing"
"""Kind of the work item for a reference rate that has no value for a day that needs one."""

_MARK = "reset:"


class _Loan(NamedTuple):
    """A live loan at a floating rate, and the latest reset recorded for it."""

    loan_id: int
    facility_id: int
    programme_id: int
    drawn_date: date
    reset_to: date | None


def reset_rates(legal_entity_id: int, *, day: date, act_id: int) -> dict[str, Any]:
    """Record the resets of ``day`` and any that waited; price new draws at the next day's value.

    Returns how many loans were reset, how many facilities have another price, and the reference
    rates that had no value.
    """
    booking_date = day + timedelta(days=1)
    programmes = floating_programmes(legal_entity_id)
    if not programmes:
        return {"loans": 0, "facilities": 0, "missing": []}
    lock_facilities(legal_entity_id, facility_ids=_facility_ids(legal_entity_id, list(programmes)))
    series = series_of(programmes)
    missing: set[str] = set()
    events = []
    for loan in _loans(legal_entity_id, list(programmes)):
        floating = programmes[loan.programme_id]
        reset_date = last_reset_date(floating.reset, start_date=loan.drawn_date, on=day)
        if reset_date <= (loan.reset_to or loan.drawn_date):
            continue
        try:
            reset = rate_on(series[floating.reference_rate], floating, reset_date)
        except NoReferenceRate:
            missing.add(floating.reference_rate)
            continue
        events.append(_event(loan, reset, floating, act_id))
    record_events(events, booking_date=booking_date)
    priced = price_facilities(legal_entity_id, on=booking_date)
    missing.update(priced.missing)
    _tell(legal_entity_id, series, missing, booking_date)
    return {"loans": len(events), "facilities": priced.changed, "missing": sorted(missing)}


def _event(loan: _Loan, reset: RateReset, floating: FloatingTerms, act_id: int) -> NewLoanEvent:
    return NewLoanEvent(
        loan_id=loan.loan_id,
        kind=EventKind.RATE_CHANGED,
        value_date=reset.reset_date,
        reference=f"{_MARK}{reset.reset_date} {floating.reference_rate}"
        f" {reset.fixing.publish_date}",
        act_id=act_id,
        annual_rate_ppb=rate_in_ppb(reset.annual_rate),
    )


def _facility_ids(legal_entity_id: int, programme_ids: list[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM financing_facility"
            " WHERE legal_entity_id = %s AND programme_id = ANY(%s)",
            [legal_entity_id, programme_ids],
        )
        return [row[0] for row in cursor.fetchall()]


def _loans(legal_entity_id: int, programme_ids: list[int]) -> list[_Loan]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loan.id, loan.facility_id, facility.programme_id, loan.drawn_date, ("
            "  SELECT max(substr(event.reference, %s, 10))::date"
            "  FROM servicing_loanevent AS event"
            "  WHERE event.loan_id = loan.id AND event.kind = %s"
            "  AND starts_with(event.reference, %s))"
            " FROM financing_loan AS loan"
            " JOIN financing_facility AS facility ON facility.id = loan.facility_id"
            " WHERE facility.legal_entity_id = %s AND facility.programme_id = ANY(%s)"
            " AND loan.status = 'live' ORDER BY loan.id",
            [len(_MARK) + 1, EventKind.RATE_CHANGED, _MARK, legal_entity_id, programme_ids],
        )
        return [_Loan(*row) for row in cursor.fetchall()]


def _tell(
    legal_entity_id: int, series: dict[str, RateSeries], missing: set[str], booking_date: date
) -> None:
    """Open a work item for each missing rate, and close those of rates that are there again."""
    items = []
    for name in sorted(missing):
        last = series[name].fixings[-1].publish_date.isoformat() if series[name].fixings else None
        items.append(
            NewItem(
                MISSING,
                f"rate:{name}",
                {
                    "last_publish_date": last,
                    "remedy": "Import its values; the next close makes up for the resets.",
                },
            )
        )
    open_items(legal_entity_id, items, on=booking_date)
    for name in series.keys() - missing:
        close_items(
            legal_entity_id,
            MISSING,
            f"rate:{name}",
            who="close of day",
            resolution="its values have been imported",
        )
