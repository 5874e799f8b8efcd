"""The bank has answered the payout of advances: they are paid out, or the limits are free again.

Part of the act that takes the bank's answers (``payments.bank_answers``), which ends the
commitments and books the payouts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from django.db import connection

from tallystick.book.sales_credit.positions import advances_with, folded, store
from tallystick.book.servicing.drawn import change_drawn


def lock_lines_of_orders(end_to_end_ids: Sequence[str], legal_entity_id: int) -> None:
    """Lock the lines on whose advances these payment orders pay, in order of id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM sales_credit_salesline WHERE id IN ("
            "     SELECT advance.line_id FROM payments_paymentorder AS payment"
            "     JOIN sales_credit_advance AS advance ON advance.id = payment.advance_id"
            "     WHERE payment.end_to_end_id = ANY(%s) AND payment.legal_entity_id = %s)"
            " ORDER BY id FOR NO KEY UPDATE",
            [list(end_to_end_ids), legal_entity_id],
        )


def paid_out(value_dates: Mapping[int, date], *, booking_date: date) -> None:
    """These advances (id → the bank's value date) are live from their day on."""
    if not value_dates:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sales_credit_advance AS advance"
            " SET status = 'live', disbursed_date = paid.value_date, look_date = %s"
            " FROM unnest(%s::bigint[], %s::date[]) AS paid (id, value_date)"
            " WHERE advance.id = paid.id",
            [booking_date, list(value_dates), list(value_dates.values())],
        )
    for advance in advances_with(value_dates).values():
        store(advance, folded(advance, [], on=booking_date), booking_date=booking_date)


def not_paid_out(advance_ids: Sequence[int]) -> None:
    """The bank rejected the payout of these advances: what was reserved for them is free."""
    if not advance_ids:
        return
    freed_minor: dict[int, int] = defaultdict(int)
    for advance in advances_with(advance_ids).values():
        freed_minor[advance.line_id] -= advance.advance_minor
    change_drawn(freed_minor, holder="sales_credit_salesline")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sales_credit_advance SET status = 'rejected' WHERE id = ANY(%s)",
            [list(advance_ids)],
        )
