"""A receipt is taken back: what it had brought to advances is owed again."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.db import connection

from tallystick.book.sales_credit.events import NewAdvanceEvent, record_events
from tallystick.book.sales_credit.positions import AdvanceRow, advances_with
from tallystick.book.servicing.lines import Line
from tallystick.rules.sales_events import SalesEventKind


def reverse_shares(
    reference: str,
    lines: Iterable[Line],
    *,
    line_ids: Sequence[int],
    booking_date: date,
    act_id: int,
) -> list[AdvanceRow]:
    """Reverse every event that the receipt made on advances of these lines; those advances.

    Part of the act that takes the receipt back and has reversed its entries: ``lines`` say what
    these had booked to each advance, which the first of its events tells.
    """
    if not line_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event.advance_id, event.id, event.value_date"
            " FROM sales_credit_advanceevent AS event"
            " JOIN sales_credit_advance AS advance ON advance.id = event.advance_id"
            " WHERE advance.line_id = ANY(%s) AND event.reference = %s"
            "   AND event.kind IN ('settlement', 'received', 'recovered')"
            " ORDER BY event.id",
            [list(line_ids), reference],
        )
        made = cursor.fetchall()
    booked: dict[int, dict[str, int]] = {}
    for line in lines:
        if line.advance_id is not None:
            kinds = booked.setdefault(line.advance_id, {})
            kinds[line.bucket] = kinds.get(line.bucket, 0) - line.amount_minor
    advances = advances_with({advance_id for advance_id, _, _ in made})
    record_events(
        advances,
        [
            NewAdvanceEvent(
                advance_id=advance_id,
                kind=SalesEventKind.REVERSED,
                value_date=value_date,
                reference=reference,
                act_id=act_id,
                reverses=event_id,
                booked=booked.pop(advance_id, {}),
            )
            for advance_id, event_id, value_date in made
        ],
        booking_date=booking_date,
    )
    return list(advances.values())
