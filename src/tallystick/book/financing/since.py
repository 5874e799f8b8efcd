"""What has moved a facility's available amount since the business day before, from facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from django.db import connection

from tallystick.book import calendars
from tallystick.book.collateral import bases
from tallystick.book.financing.models import Facility
from tallystick.book.financing.offers import Offer
from tallystick.rules.availability_steps import Change, Facts, changes_between
from tallystick.rules.calendars import Adjustment, adjusted


@dataclass(frozen=True, slots=True)
class Since:
    """Why base and limits leave another amount than at the end of ``since_date``.

    The changes sum to ``change_minor``. Limits are taken as they are today on both days.
    """

    since_date: date
    changes: tuple[Change, ...]

    @property
    def change_minor(self) -> int:
        return sum(change.amount_minor for change in self.changes)


def since_day_before(offer: Offer) -> Since | None:
    """What has changed since the end of the last business day before the open one.

    None where the facility had not been opened then. The base of that day is told anew from
    documents and events, as known at its end; facts are those booked after it.

    Raises BeyondExactArithmetic.
    """
    facility = Facility.objects.select_related("legal_entity").get(pk=offer.facility_id)
    since_date = adjusted(
        calendars.named(facility.legal_entity.calendar),
        offer.business_date - timedelta(days=1),
        Adjustment.PRECEDING,
    ).date
    if since_date < facility.opened_date:
        return None
    before = _base_at_end(str(connection.settings_dict["NAME"]), offer.pool_id, since_date)
    changes = changes_between(
        before, offer.base, facts=_facts(offer, since_date), inputs=offer.inputs
    )
    return Since(since_date, changes)


@lru_cache(maxsize=10_000)
def _base_at_end(database: str, pool_id: int, day: date) -> Mapping[str, int]:
    # Nothing is booked in a day that has ended, so that what was known at its end never changes;
    # but another database has another pool under the number.
    del database
    return bases.base_as_of(pool_id, on=day, known_on=day)


# A claim's own document opened it; events are differences. Both carry the day they were booked in.
_OF_CLAIMS = """
SELECT coalesce(sum(face_minor) FILTER (WHERE kind IN ('opened', 'fulfilled')), 0)::bigint,
       coalesce(-sum(face_minor) FILTER (WHERE kind = 'cancelled'), 0)::bigint,
       coalesce(sum(paid_minor), 0)::bigint,
       coalesce(sum(diluted_minor), 0)::bigint
FROM (
    SELECT 'opened' AS kind, document.amount_minor AS face_minor, 0 AS paid_minor,
           0 AS diluted_minor
    FROM trade_claim AS claim JOIN trade_document AS document ON document.id = claim.id
    WHERE claim.pool_id = %(pool_id)s AND claim.issue_date <= %(on)s
      AND document.booking_date > %(since)s
    UNION ALL
    SELECT event.kind, event.face_minor, event.paid_minor, event.diluted_minor
    FROM trade_claim AS claim JOIN trade_claimevent AS event ON event.claim_id = claim.id
    WHERE claim.pool_id = %(pool_id)s AND claim.issue_date <= %(on)s
      AND event.booking_date > %(since)s
) AS fact
"""

_OF_LOANS = """
SELECT coalesce((
    SELECT sum(loan.principal_minor) FROM financing_loan AS loan
    WHERE loan.facility_id = %(facility_id)s AND loan.drawn_date > %(since)s
      AND loan.status <> 'rejected'), 0)::bigint,
  coalesce((
    SELECT sum(line.amount_minor)
    FROM financing_loan AS loan
    JOIN servicing_settlementline AS line ON line.loan_id = loan.id
    JOIN payments_cashreceipt AS receipt ON receipt.id = line.receipt_id
    WHERE loan.facility_id = %(facility_id)s AND receipt.booking_date > %(since)s
      AND receipt.reversed_date IS NULL
      AND line.bucket IN ('principal_due', 'principal_not_due')), 0)::bigint
"""


def _facts(offer: Offer, since_date: date) -> Facts:
    arguments: Mapping[str, object] = {
        "pool_id": offer.pool_id,
        "facility_id": offer.facility_id,
        "on": offer.business_date,
        "since": since_date,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OF_CLAIMS, arguments)
        documents_minor, cancelled_minor, paid_minor, diluted_minor = cursor.fetchone()
        cursor.execute(_OF_LOANS, arguments)
        drawn_minor, repaid_minor = cursor.fetchone()
    return Facts(
        documents_minor=documents_minor,
        cancelled_minor=cancelled_minor,
        paid_minor=paid_minor,
        diluted_minor=diluted_minor,
        drawn_minor=drawn_minor,
        repaid_minor=repaid_minor,
    )
