"""The close of a day for advances out of sales: what was earned, and how they stand to their pace.

Fees are booked for whole books: what the advances' positions have come to less what the ledger
holds, so that the two are equal by identity, whatever was learned late. The pace of an advance is
looked at on the days of its checkpoints and periods and on those on which anything was booked for
it (``Advance.look_date``), not every night.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book.ledger.post import post_many
from tallystick.book.ledger.queries import balances
from tallystick.book.sales_credit.freeze import freeze_line_unless_frozen
from tallystick.book.sales_credit.lines import lock_lines
from tallystick.book.sales_credit.models import PaceLook
from tallystick.book.sales_credit.positions import AdvanceRow, advances_with, events_of, folded
from tallystick.book.watch.worklist import NewItem, close_items, open_items
from tallystick.rules.accounting import Booking
from tallystick.rules.sales_accounting import advance_fee_earned, advance_interest_accrued
from tallystick.rules.sales_pace import (
    Cash,
    PaceStanding,
    PaceState,
    next_judgement_date,
    pace_standing,
)
from tallystick.rules.sales_share import SalesShareState

PACE_BREACHED = "pace_breached"
PACE_NEAR_BREACH = "pace_near_breach"
"""Kinds of work items that a look at the pace leaves."""

FEE_OWED = """
    held.fee_minor
    + div(2 * (held.interest_numerator
               + held.principal_minor::numeric * held.daily_rate_ppb
                 * greatest(0, %(until)s::date - held.accrued_to_date))
          + 1000000000, 2000000000::numeric)
    - held.fee_collected_minor - held.interest_lost_minor"""
"""Fee, or interest up to the day ``until`` (excluded), of a position that is still receivable."""

FEE_DEFERRED = "held.fee_minor - held.fee_earned_minor"
"""Of a position's fixed fee, what is still to be earned."""

# Advances that are not paid as agreed are kept in the book of their class.
_BY_BOOK = f"""
    SELECT book.id, book.currency, coalesce(sum({FEE_OWED}), 0), coalesce(sum({FEE_DEFERRED}), 0),
           receivable.id, deferred.id
    FROM ledger_book AS book
    JOIN (SELECT DISTINCT own.programme, own.funder_id, own.currency
          FROM sales_credit_salesline AS line JOIN ledger_book AS own ON own.id = line.book_id
          WHERE line.legal_entity_id = %(legal_entity_id)s) AS lent
      ON lent.programme = book.programme AND lent.funder_id = book.funder_id
     AND lent.currency = book.currency
    LEFT JOIN sales_credit_advanceposition AS held
      ON held.book_id = book.id AND NOT held.settled
         AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
    LEFT JOIN ledger_account AS receivable
      ON receivable.book_id = book.id AND receivable.name = 'advance_fee_receivable'
    LEFT JOIN ledger_account AS deferred
      ON deferred.book_id = book.id AND deferred.name = 'deferred_advance_fee'
    WHERE book.legal_entity_id = %(legal_entity_id)s
    GROUP BY book.id, receivable.id, deferred.id ORDER BY book.id
"""


def sales_night(legal_entity_id: int, *, day: date, act_id: int) -> dict[str, Any]:
    """Look at the pace of the advances that are due for it and book the night of ``day``.

    Answers by currency what was earned, and how the live advances stand to their pace.
    """
    looked_at = look_at_pace(legal_entity_id, day=day, act_id=act_id)
    earned_minor = book_fees(legal_entity_id, day=day, act_id=act_id)
    return {
        "looked_at": looked_at,
        "earned_minor": earned_minor,
        "pace": pace_figures(legal_entity_id, day=day),
    }


def book_fees(legal_entity_id: int, *, day: date, act_id: int) -> dict[str, int]:
    """Book what has been earned through ``day``, as known at its end; the sums by currency."""
    until = day + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_BY_BOOK, {"legal_entity_id": legal_entity_id, "day": day, "until": until})
        books = cursor.fetchall()
    held = balances(
        [
            account_id
            for *_, receivable, deferred in books
            for account_id in (receivable, deferred)
            if account_id
        ],
        on=day,
        known_on=day,
    )
    earned: dict[str, int] = {}
    entries = []
    for book_id, currency, owed, still_deferred, receivable, deferred in books:
        booking = Booking(legal_entity_id, currency, f"night:{day}", day, day)
        fee_minor = (-held[deferred].net_minor if deferred else 0) - int(still_deferred)
        interest_minor = int(owed) - (held[receivable].net_minor if receivable else 0)
        earned[currency] = earned.get(currency, 0) + fee_minor + interest_minor
        if fee_minor:
            entries.append(advance_fee_earned(booking, book=book_id, change_minor=fee_minor))
        if interest_minor:
            entries.append(
                advance_interest_accrued(booking, book=book_id, change_minor=interest_minor)
            )
    post_many(entries, act_id=act_id)
    return earned


class _Looked(NamedTuple):
    advance: AdvanceRow
    standing: PaceStanding
    next_date: date | None


def look_at_pace(legal_entity_id: int, *, day: date, act_id: int) -> int:
    """Judge the pace of the advances due for it at the end of ``day``; how many these were.

    A breach goes to the worklist and freezes the line for new advances; it stays frozen until
    somebody lifts the freeze. A near breach goes to the worklist. What was caught up leaves it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT advance.id, advance.line_id FROM sales_credit_advance AS advance"
            " JOIN sales_credit_salesline AS line ON line.id = advance.line_id"
            " WHERE line.legal_entity_id = %s AND advance.look_date <= %s"
            "   AND advance.disbursed_date <= %s ORDER BY advance.id",
            [legal_entity_id, day, day],
        )
        due = dict(cursor.fetchall())
    if not due:
        return 0
    # What is booked in the day that is open now waits: it would be looked at by nobody.
    lock_lines(legal_entity_id, line_ids=due.values())
    advances, events = advances_with(due), events_of(due)
    looked = []
    for advance in advances.values():
        told = events[advance.advance_id]
        state = folded(advance, told, on=day)
        later = [event.booking_date for event in told if event.booking_date > day]
        looked.append(_Looked(advance, _standing(state), _next_look(state, later)))
    PaceLook.objects.bulk_create(
        [
            PaceLook(
                advance_id=each.advance.advance_id,
                date=day,
                state=each.standing.state,
                behind_since_date=each.standing.behind_since_date,
                short_minor=each.standing.short_minor,
                act_id=act_id,
            )
            for each in looked
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sales_credit_advance AS advance"
            " SET look_date = next.date, behind_since_date = next.behind_since_date"
            " FROM unnest(%s::bigint[], %s::date[], %s::date[])"
            " AS next (id, date, behind_since_date) WHERE advance.id = next.id",
            [
                [each.advance.advance_id for each in looked],
                [each.next_date for each in looked],
                [each.standing.behind_since_date for each in looked],
            ],
        )
    _tell(looked, legal_entity_id, day, act_id)
    return len(looked)


def _standing(state: SalesShareState) -> PaceStanding:
    pace = state.terms.pace
    if pace is None or not state.outstanding_minor:
        return PaceStanding(PaceState.KEPT, None, 0)
    cash = [Cash(movement.value_date, movement.applied_minor) for movement in state.movements]
    return pace_standing(pace, state.pace, cash, on=state.on)


def _next_look(state: SalesShareState, later: list[date]) -> date | None:
    """When a checkpoint or a period ends, or on what has been booked for it meanwhile."""
    pace = state.terms.pace
    if pace is not None and state.outstanding_minor:
        later = [
            *later,
            next_judgement_date(pace, payout_date=state.terms.start, on=state.on),
        ]
    return min(later, default=None)


def _tell(looked: list[_Looked], legal_entity_id: int, day: date, act_id: int) -> None:
    items = []
    for advance, standing, _ in looked:
        details: Mapping[str, Any] = {
            "line": advance.line,
            "currency": advance.currency,
            "short_minor": standing.short_minor,
            "behind_since_date": str(standing.behind_since_date or ""),
        }
        if standing.state is PaceState.BREACHED:
            remedy = "Talk to the merchant; the line is frozen until the freeze is lifted."
            items.append(NewItem(PACE_BREACHED, advance.reference, {**details, "remedy": remedy}))
            freeze_line_unless_frozen(
                advance.line_id, f"advance {advance.code} fell behind its least pace", act_id=act_id
            )
        elif standing.state is PaceState.NEAR_BREACH:
            remedy = "Look why sales run slower than was expected."
            items.append(
                NewItem(PACE_NEAR_BREACH, advance.reference, {**details, "remedy": remedy})
            )
        for kind, state in (
            (PACE_BREACHED, PaceState.BREACHED),
            (PACE_NEAR_BREACH, PaceState.NEAR_BREACH),
        ):
            if standing.state is not state:
                close_items(
                    legal_entity_id,
                    kind,
                    advance.reference,
                    who="close of day",
                    resolution=f"pace {standing.state.replace('_', ' ')} on {day}",
                )
    open_items(legal_entity_id, items, on=day)


_FIGURES = """
    SELECT advance.currency, look.state,
           width_bucket(%(day)s::date - look.behind_since_date, ARRAY[1, 31, 61, 91, 181]),
           count(*), sum(held.principal_minor)::bigint, sum(look.short_minor)::bigint
    FROM sales_credit_advanceposition AS held
    JOIN sales_credit_advance AS advance ON advance.id = held.advance_id
    JOIN sales_credit_salesline AS line ON line.id = advance.line_id
    CROSS JOIN LATERAL (
        SELECT * FROM sales_credit_pacelook AS look
        WHERE look.advance_id = advance.id AND look.date <= %(day)s
        ORDER BY look.date DESC LIMIT 1
    ) AS look
    WHERE line.legal_entity_id = %(legal_entity_id)s AND NOT held.settled
      AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

DAYS_BEHIND = ("0", "1-30", "31-60", "61-90", "91-180", "181+")


def pace_figures(legal_entity_id: int, *, day: date) -> list[dict[str, Any]]:
    """Live advances by currency, state of their pace and days since they fell behind."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"legal_entity_id": legal_entity_id, "day": day})
        return [
            {
                "currency": currency,
                "state": state,
                "days_behind": DAYS_BEHIND[bucket or 0],
                "advances": advances,
                "principal_minor": principal_minor,
                "short_minor": short_minor,
            }
            for currency, state, bucket, advances, principal_minor, short_minor in cursor.fetchall()
        ]
