"""What is past due, loan by loan: the one place that says which loans are late."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from tallystick.book.servicing.positions import positions_of
from tallystick.rules.dunning import PastDue
from tallystick.rules.loan_balances import balances

LOANS_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class LateLoan:
    """A live loan of which something is past due; amounts are minor units.

    ``amount_minor`` is what is due and unpaid: principal whose due date has come, and all
    interest, penalty and fees. ``past_due_since_date`` is the oldest due date not paid.
    """

    loan_id: int
    code: str
    facility: str
    party_id: int
    currency: str
    past_due_since_date: date
    days_past_due: int
    principal_minor: int
    interest_minor: int
    penalty_minor: int
    fees_minor: int

    @property
    def amount_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.penalty_minor + self.fees_minor

    @property
    def as_past_due(self) -> PastDue:
        return PastDue(self.currency, self.days_past_due, self.amount_minor)


# A statement for whole arrays of firms: a house may have ten thousand cases.
_LATE = """
    SELECT loan.id, facility.code
    FROM financing_loan AS loan JOIN financing_facility AS facility ON facility.id = facility_id
    WHERE facility.legal_entity_id = %s AND facility.supplier_id = ANY(%s)
      AND loan.status = 'live' AND loan.due_date < %s
    ORDER BY loan.due_date, loan.id
"""

_LATE_PARTIES = """
    SELECT DISTINCT facility.supplier_id
    FROM financing_loan AS loan JOIN financing_facility AS facility ON facility.id = facility_id
    WHERE facility.legal_entity_id = %s
      AND loan.status = 'live' AND loan.due_date < %s
"""


def parties_late(legal_entity_id: int, *, max_days_past_due: int, on: date) -> set[int]:
    """The firms with a live loan more than so many days past its due date ``on`` a day."""
    with connection.cursor() as cursor:
        cursor.execute(_LATE_PARTIES, [legal_entity_id, on - timedelta(days=max_days_past_due)])
        return {party_id for (party_id,) in cursor.fetchall()}


_HOW_LATE = """
    SELECT facility.supplier_id, loan.currency, %s::date - min(loan.due_date),
           sum(loan.principal_minor)::bigint
    FROM financing_loan AS loan JOIN financing_facility AS facility ON facility.id = facility_id
    WHERE facility.legal_entity_id = %s AND facility.supplier_id = ANY(%s)
      AND loan.status = 'live' AND loan.due_date < %s
    GROUP BY 1, 2
"""


def how_late(
    legal_entity_id: int, party_ids: Iterable[int], *, on: date
) -> dict[int, list[PastDue]]:
    """How late these firms are ``on`` a day, by currency; those that are not are left out.

    One statement whatever they owe: the amount is what was lent on the late loans, which says that
    something is owed and not how much. ``late_loans`` says that.
    """
    by_party: dict[int, list[PastDue]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_HOW_LATE, [on, legal_entity_id, sorted(party_ids), on])
        for party_id, currency, days, lent_minor in cursor.fetchall():
            by_party[party_id].append(PastDue(currency, days, lent_minor))
    return dict(by_party)


def late_loans(
    legal_entity_id: int, party_ids: Iterable[int], *, on: date
) -> dict[int, list[LateLoan]]:
    """The late loans of these firms ``on`` the open day by firm, the oldest debt first."""
    by_party: dict[int, list[LateLoan]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [legal_entity_id, sorted(party_ids), on])
        rows = cursor.fetchall()
    for first in range(0, len(rows), LOANS_AT_A_TIME):
        for late in _late(rows[first : first + LOANS_AT_A_TIME], on):
            by_party[late.party_id].append(late)
    return dict(by_party)


def _late(rows: Sequence[tuple[int, str]], on: date) -> Iterator[LateLoan]:
    positions = positions_of([loan_id for loan_id, _ in rows])
    for loan_id, facility in rows:
        loan = positions[loan_id]
        if loan.position is None:
            continue
        # An event of today counts; a position never looks back before its last one.
        owed = balances(loan.position, max(on, loan.position.stands_from_date))
        since = owed.past_due_since_date
        if since is None:
            continue
        yield LateLoan(
            loan_id=loan_id,
            code=loan.code,
            facility=facility,
            party_id=loan.supplier_id,
            currency=loan.currency,
            past_due_since_date=since,
            days_past_due=owed.days_past_due,
            principal_minor=owed.principal_due_minor,
            interest_minor=owed.interest_due_minor,
            penalty_minor=owed.penalty_due_minor,
            fees_minor=owed.fees_due_minor,
        )
