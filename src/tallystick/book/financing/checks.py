"""Prove what is drawn, and that every reservation has one fate.

Each query answers the rows that contradict its name: the object, what should be, what is.
"""

from collections.abc import Iterator

from django.db import connection

from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.book.watch.findings import Check, Finding

FACILITY_DRAWN = """
    SELECT 'facility ' || facility.code, coalesce(owed.minor, 0) + coalesce(under_way.minor, 0),
           facility.drawn_minor
    FROM financing_facility AS facility
    LEFT JOIN (
        SELECT loan.facility_id, sum(position.principal_minor) AS minor
        FROM servicing_position AS position JOIN financing_loan AS loan ON loan.id = loan_id
        WHERE position.superseded_date = %(still)s GROUP BY 1
    ) AS owed ON owed.facility_id = facility.id
    LEFT JOIN (
        SELECT loan.facility_id, sum(reservation.amount_minor) AS minor
        FROM financing_reservation AS reservation JOIN financing_loan AS loan ON loan.id = loan_id
        WHERE reservation.fate = '' GROUP BY 1
    ) AS under_way ON under_way.facility_id = facility.id
    WHERE facility.drawn_minor <> coalesce(owed.minor, 0) + coalesce(under_way.minor, 0)
    ORDER BY facility.code
"""

PROGRAMME_DRAWN = """
    SELECT 'programme ' || held.programme || ' of legal entity ' || held.legal_entity_id || ' in '
               || held.currency, coalesce(sum(facility.drawn_minor), 0), held.drawn_minor
    FROM financing_programmelimit AS held
    LEFT JOIN (
        SELECT programme_limit_id, drawn_minor FROM financing_facility
        UNION ALL SELECT programme_limit_id, drawn_minor FROM sales_credit_salesline
    ) AS facility ON facility.programme_limit_id = held.id
    GROUP BY held.id HAVING held.drawn_minor <> coalesce(sum(facility.drawn_minor), 0)
    ORDER BY held.id
"""

SHARES = """
    SELECT 'loan ' || loan.code, 1000000, coalesce(sum(participation.share_ppm), 0)
    FROM financing_loan AS loan
    LEFT JOIN funding_participation AS participation
      ON participation.loan_id = loan.id AND participation.to_date IS NULL
     AND participation.superseded_date IS NULL
    GROUP BY loan.id HAVING coalesce(sum(participation.share_ppm), 0) <> 1000000
    ORDER BY loan.code
"""

# What each fate of a reservation says of the loan, its order, its event and its entries.
FATES = """
    SELECT 'reservation of loan ' || loan.code,
           CASE coalesce(reservation.fate, 'none')
               WHEN '' THEN 'pending, ordered, no payout, no end of the commitment'
               WHEN 'disbursed' THEN 'live or settled, paid, one payout, its commitment ended'
               WHEN 'released' THEN 'rejected, rejected, no payout, its commitment ended'
               ELSE 'a reservation with one fate' END,
           concat_ws(', ', loan.status, coalesce(payment.status, 'no order'),
                     coalesce(payout.count, 0) || ' payouts of ' || coalesce(payout.minor, 0),
                     coalesce('entry ' || ended.reverses_id || ' reversed', 'not ended'))
    FROM financing_loan AS loan
    LEFT JOIN financing_reservation AS reservation ON reservation.loan_id = loan.id
    LEFT JOIN payments_paymentorder AS payment ON payment.loan_id = loan.id
    LEFT JOIN ledger_entry AS ended ON ended.id = reservation.fate_entry_id
    LEFT JOIN (
        SELECT event.loan_id, count(*), sum(event.amount_minor) AS minor
        FROM servicing_loanevent AS event
        WHERE event.kind = 'disbursed' GROUP BY 1
    ) AS payout ON payout.loan_id = loan.id
    WHERE (CASE reservation.fate
        WHEN '' THEN loan.status = 'pending' AND payment.status = 'ordered'
            AND payout.count IS NULL AND ended.id IS NULL
        WHEN 'disbursed' THEN loan.status IN ('live', 'settled', 'charged_off')
            AND payment.status = 'paid'
            AND payout.count = 1 AND payout.minor = reservation.amount_minor
            AND ended.reverses_id = reservation.entry_id
        WHEN 'released' THEN loan.status = 'rejected' AND payment.status = 'rejected'
            AND payout.count IS NULL AND ended.reverses_id = reservation.entry_id
    END) IS NOT TRUE
    ORDER BY loan.code
"""

SAME_AMOUNT = """
    SELECT 'loan ' || loan.code, loan.principal_minor,
           concat_ws(', ', 'decided ' || decision.amount_minor,
                     'reserved ' || reservation.amount_minor, 'ordered ' || payment.amount_minor)
    FROM financing_loan AS loan
    JOIN financing_decision AS decision ON decision.id = loan.decision_id
    LEFT JOIN financing_reservation AS reservation ON reservation.loan_id = loan.id
    LEFT JOIN payments_paymentorder AS payment ON payment.loan_id = loan.id
    WHERE (loan.principal_minor, loan.principal_minor, loan.principal_minor) IS DISTINCT FROM
          (decision.amount_minor, reservation.amount_minor, payment.amount_minor)
    ORDER BY loan.code
"""

ANSWERED_ONCE = """
    SELECT 'payment ' || payment.end_to_end_id,
           CASE payment.status WHEN 'ordered' THEN 'no answer applied'
               ELSE 'one answer applied: ' || payment.status END,
           count(answer.id) || ' applied' || coalesce(': ' || string_agg(answer.outcome, ', '), '')
    FROM payments_paymentorder AS payment
    LEFT JOIN payments_bankanswer AS answer
      ON answer.order_id = payment.id AND answer.effect = 'applied'
    GROUP BY payment.id
    HAVING count(answer.id) <> (payment.status <> 'ordered')::integer
        OR bool_or(answer.outcome <> payment.status)
    ORDER BY payment.end_to_end_id
"""

# Limits may have been lowered since: a decision is held to what it read.
WITHIN_LIMITS = """
    SELECT 'decision ' || id || ' of ' || date, 'at most ' || available_minor, amount_minor
    FROM (
        SELECT id, date, amount_minor, least(
                   (inputs->>'base_minor')::numeric,
                   (inputs->>'facility_limit_minor')::numeric,
                   (inputs->>'programme_cap_per_supplier_minor')::numeric,
                   (inputs->>'drawn_minor')::numeric
                       + (inputs->>'programme_headroom_minor')::numeric,
                   (inputs->>'drawn_minor')::numeric
                       + (inputs->>'funder_headroom_minor')::numeric
               ) - (inputs->>'drawn_minor')::numeric AS available_minor
        FROM financing_decision
    ) AS decided
    WHERE (amount_minor <= available_minor) IS NOT TRUE ORDER BY id
"""

QUERIES = {
    "facilities: drawn is principal owed and payouts under way": FACILITY_DRAWN,
    "programmes: drawn is the sum of their facilities": PROGRAMME_DRAWN,
    "loans: the funders' shares sum to one": SHARES,
    "reservations: each has exactly one fate": FATES,
    "loans: decided, reserved and ordered are one amount": SAME_AMOUNT,
    "payments: each is answered once": ANSWERED_ONCE,
    "decisions: drawn within base and every limit": WITHIN_LIMITS,
}


def financing_checks() -> list[Check]:
    """The checks of drawdowns, their funding and their payouts."""
    return [_check(name, query) for name, query in QUERIES.items()]


def _check(name: str, query: str) -> Check:
    def run() -> Iterator[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(query, {"still": STILL_IN_FORCE})
            for subject, expected, found in cursor:
                yield Finding(name, subject, str(expected), str(found))

    return Check(name, run)
