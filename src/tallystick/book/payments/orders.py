"""Orders to the bank that are no loan's payout: the rest of a settlement, a refund of credit.

And the question which orders of any kind the bank has not answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from tallystick.book.payments.models import PaymentKind, PaymentOrder, PaymentStatus


@dataclass(frozen=True, slots=True)
class NewPayment:
    """Money to be paid out to a supplier. ``facility_id`` says whose settlement it came from.

    ``kind`` is RESIDUAL or REFUND: the payout of a loan is ordered by its drawdown.
    """

    kind: PaymentKind
    beneficiary_id: int
    currency: str
    amount_minor: int
    facility_id: int | None = None


def order_payments(
    payments: Sequence[NewPayment], *, legal_entity_id: int, ordered_date: date, act_id: int
) -> list[str]:
    """Order the payments, and tell the bank; returns the end-to-end id of each.

    Part of the caller's transaction, which has made the money payable to the suppliers
    (``accounting.receipt_allocated``). What the bank answers is taken by ``bank_answers``.
    """
    if not payments:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH payment AS ("
            "     SELECT nextval('payments_paymentorder_id_seq') AS id, ordered.*"
            "     FROM (SELECT * FROM unnest(%(kinds)s::text[], %(beneficiaries)s::bigint[],"
            "                   %(currencies)s::text[], %(amounts)s::bigint[],"
            "                   %(facilities)s::bigint[]) WITH ORDINALITY AS payment"
            "                   (kind, beneficiary_id, currency, amount_minor, facility_id, place)"
            "           ORDER BY place) AS ordered"
            " ), payment_order AS ("
            "     INSERT INTO payments_paymentorder (id, end_to_end_id, kind, legal_entity_id,"
            "         beneficiary_id, facility_id, currency, amount_minor, ordered_date, status,"
            "         act_id)"
            "     SELECT id, 'P' || id, kind, %(legal_entity)s, beneficiary_id, facility_id,"
            "         currency, amount_minor, %(ordered_date)s, 'ordered', %(act)s"
            "     FROM payment"
            " ), message AS ("
            "     INSERT INTO acts_outboxmessage (act_id, topic, subject, payload)"
            "     SELECT %(act)s, 'payment_ordered', 'payment:P' || id, jsonb_build_object("
            "         'end_to_end_id', 'P' || id, 'kind', kind, 'beneficiary_id', beneficiary_id,"
            "         'currency', currency, 'amount_minor', amount_minor)"
            "     FROM payment ORDER BY place"
            " )"
            " SELECT 'P' || id FROM payment ORDER BY place",
            {
                "kinds": [str(payment.kind) for payment in payments],
                "beneficiaries": [payment.beneficiary_id for payment in payments],
                "currencies": [payment.currency for payment in payments],
                "amounts": [payment.amount_minor for payment in payments],
                "facilities": [payment.facility_id for payment in payments],
                "legal_entity": legal_entity_id,
                "ordered_date": ordered_date,
                "act": act_id,
            },
        )
        return [row[0] for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order of which the bank has not said what became of it; ``loan`` is its code, or empty."""

    end_to_end_id: str
    kind: str
    beneficiary: str
    loan: str
    currency: str
    amount_minor: int
    ordered_date: date


def orders_waiting(legal_entity_id: int) -> list[WaitingOrder]:
    """The legal entity's orders that await the bank's answer, the oldest first."""
    return [
        WaitingOrder(end_to_end_id, kind, beneficiary, loan or "", *others)
        for end_to_end_id, kind, beneficiary, loan, *others in PaymentOrder.objects.filter(
            legal_entity=legal_entity_id, status=PaymentStatus.ORDERED
        )
        .order_by("id")
        .values_list(
            "end_to_end_id",
            "kind",
            "beneficiary__code",
            "loan__code",
            "currency",
            "amount_minor",
            "ordered_date",
        )
    ]
