"""Our payment orders as an answer finds them: with all that it touches, under lock."""

from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from tallystick.book.financing.programmes import terms_with
from tallystick.book.sales_credit.payout import lock_lines_of_orders
from tallystick.rules.bank_answers import BankMessage, OrderState
from tallystick.rules.fee_terms import arrangement_fee_minor


class LockedOrder(NamedTuple):
    """A payment order with what its answer touches, read under lock."""

    id: int
    end_to_end_id: str
    kind: str
    beneficiary_id: int
    facility_id: int | None
    state: OrderState
    loan_id: int | None
    loan_code: str | None
    book_id: int | None
    commitment_entry_id: int | None
    advance_id: int | None
    advance_code: str | None
    advance_fee_minor: int
    programme_sha256: bytes | None

    @property
    def fee_minor(self) -> int:
        """What arranging the loan costs, once it is paid out."""
        if self.programme_sha256 is None:
            return 0
        return arrangement_fee_minor(
            self.state.amount_minor, terms_with(bytes(self.programme_sha256)).fees
        )

    @property
    def subject(self) -> str:
        """What the order pays, as entries and messages name it."""
        if self.loan_id:
            return f"loan:{self.loan_code}"
        if self.advance_id:
            return f"advance:{self.advance_code}"
        return f"payment:{self.end_to_end_id}"


def locked_orders(end_to_end_ids: set[str], legal_entity_id: int) -> dict[str, LockedOrder]:
    """Our orders by end-to-end id, locked: their facilities first, as everywhere."""
    asked = {"ids": sorted(end_to_end_ids), "legal_entity": legal_entity_id}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM financing_facility WHERE id IN ("
            "     SELECT facility_id FROM payments_paymentorder"
            "     WHERE end_to_end_id = ANY(%(ids)s) AND legal_entity_id = %(legal_entity)s)"
            " ORDER BY id FOR NO KEY UPDATE",
            asked,
        )
        lock_lines_of_orders(sorted(end_to_end_ids), legal_entity_id)
        cursor.execute(
            "SELECT FROM payments_paymentorder WHERE end_to_end_id = ANY(%(ids)s)"
            " AND legal_entity_id = %(legal_entity)s ORDER BY id FOR NO KEY UPDATE",
            asked,
        )
        # A statement of its own: what it reads is as fresh as the locks.
        cursor.execute(
            "SELECT payment.id, payment.end_to_end_id, payment.kind, payment.beneficiary_id,"
            "     payment.facility_id, payment.amount_minor, payment.currency,"
            "     payment.ordered_date, answer.bank_reference, answer.outcome, answer.value_date,"
            "     loan.id, loan.code, coalesce(loan.book_id, advance.book_id),"
            "     coalesce(reservation.entry_id, advance.commitment_id), advance.id, advance.code,"
            "     coalesce(advance.fee_minor, 0), programme.sha256"
            " FROM payments_paymentorder AS payment"
            " LEFT JOIN payments_bankanswer AS answer"
            "   ON answer.order_id = payment.id AND answer.effect = 'applied'"
            " LEFT JOIN financing_loan AS loan ON loan.id = payment.loan_id"
            " LEFT JOIN financing_reservation AS reservation ON reservation.loan_id = loan.id"
            " LEFT JOIN sales_credit_advance AS advance ON advance.id = payment.advance_id"
            " LEFT JOIN financing_facility AS facility ON facility.id = loan.facility_id"
            " LEFT JOIN financing_programme AS programme ON programme.id = facility.programme_id"
            " WHERE payment.end_to_end_id = ANY(%(ids)s)"
            "   AND payment.legal_entity_id = %(legal_entity)s",
            asked,
        )
        return {row[1]: _order(*row) for row in cursor.fetchall()}


def _order(
    order_id: int,
    end_to_end_id: str,
    kind: str,
    beneficiary_id: int,
    facility_id: int | None,
    amount_minor: int,
    currency: str,
    ordered_date: date,
    bank_reference: str | None,
    outcome: str,
    value_date: date,
    *paid_out: Any,
) -> LockedOrder:
    answer = bank_reference and BankMessage(
        bank_reference, end_to_end_id, outcome, amount_minor, currency, value_date
    )
    state = OrderState(amount_minor, currency, ordered_date, answer or None)
    return LockedOrder(order_id, end_to_end_id, kind, beneficiary_id, facility_id, state, *paid_out)
