"""What is past due, debt by debt: the one place that says what is late.

A loan is by its due date; an advance out of sales while it is behind its least pace, from the end
of the first period that it ended short, with what is missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from tallystick.book.sales_credit.models import Advance
from tallystick.book.sales_credit.overview import advances_on
from tallystick.book.servicing.positions import positions_of
from tallystick.rules.dunning import PastDue
from tallystick.rules.loan_balances import balances

LOANS_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class LateLoan:
    """A live loan or advance of which something is past due; amounts are minor units.

    ``amount_minor`` is what is due and unpaid: principal whose due date has come, and all
    interest, penalty and fees; of an advance, which is called principal here, what it lacks to its
    least pace. ``past_due_since_date`` is the oldest due date not paid. ``loan_id`` is None of an
    advance, and ``facility`` its line.
    """

    loan_id: int | None
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

_BEHIND = """
    SELECT advance.id
    FROM sales_credit_advance AS advance JOIN sales_credit_salesline AS line ON line.id = line_id
    WHERE line.legal_entity_id = %s AND line.merchant_id = ANY(%s)
      AND advance.behind_since_date < %s
"""

_LATE_PARTIES = """
    SELECT facility.supplier_id
    FROM financing_loan AS loan JOIN financing_facility AS facility ON facility.id = facility_id
    WHERE facility.legal_entity_id = %(legal_entity_id)s
      AND loan.status = 'live' AND loan.due_date < %(before)s
    UNION
    SELECT line.merchant_id
    FROM sales_credit_advance AS advance JOIN sales_credit_salesline AS line ON line.id = line_id
    WHERE line.legal_entity_id = %(legal_entity_id)s AND advance.behind_since_date < %(before)s
"""


def parties_late(legal_entity_id: int, *, max_days_past_due: int, on: date) -> set[int]:
    """The firms with a live loan or advance more than so many days past due ``on`` a day."""
    before = on - timedelta(days=max_days_past_due)
    with connection.cursor() as cursor:
        cursor.execute(_LATE_PARTIES, {"legal_entity_id": legal_entity_id, "before": before})
        return {party_id for (party_id,) in cursor.fetchall()}


_HOW_LATE = """
    SELECT party_id, currency, %(on)s::date - min(since_date), sum(lent_minor)::bigint
    FROM (
        SELECT facility.supplier_id, loan.currency, loan.due_date, loan.principal_minor
        FROM financing_loan AS loan
        JOIN financing_facility AS facility ON facility.id = facility_id
        WHERE facility.legal_entity_id = %(legal_entity_id)s
          AND facility.supplier_id = ANY(%(parties)s)
          AND loan.status = 'live' AND loan.due_date < %(on)s
        UNION ALL
        SELECT line.merchant_id, advance.currency, advance.behind_since_date, advance.advance_minor
        FROM sales_credit_advance AS advance
        JOIN sales_credit_salesline AS line ON line.id = line_id
        WHERE line.legal_entity_id = %(legal_entity_id)s AND line.merchant_id = ANY(%(parties)s)
          AND advance.behind_since_date < %(on)s
    ) AS late (party_id, currency, since_date, lent_minor)
    GROUP BY 1, 2
"""


def how_late(
    legal_entity_id: int, party_ids: Iterable[int], *, on: date
) -> dict[int, list[PastDue]]:
    """How late these firms are ``on`` a day, by currency; those that are not are left out.

    One statement whatever they owe: the amount is what was lent on the late debts, which says that
    something is owed and not how much. ``late_loans`` says that.
    """
    by_party: dict[int, list[PastDue]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            _HOW_LATE,
            {"legal_entity_id": legal_entity_id, "parties": sorted(party_ids), "on": on},
        )
        for party_id, currency, days, lent_minor in cursor.fetchall():
            by_party[party_id].append(PastDue(currency, days, lent_minor))
    return dict(by_party)


def late_loans(
    legal_entity_id: int, party_ids: Iterable[int], *, on: date
) -> dict[int, list[LateLoan]]:
    """The late loans and advances of these firms ``on`` the open day by firm, the oldest first."""
    by_party: dict[int, list[LateLoan]] = defaultdict(list)
    firms = sorted(party_ids)
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [legal_entity_id, firms, on])
        rows = cursor.fetchall()
        cursor.execute(_BEHIND, [legal_entity_id, firms, on])
        behind = [advance_id for (advance_id,) in cursor.fetchall()]
    for first in range(0, len(rows), LOANS_AT_A_TIME):
        for late in _late(rows[first : first + LOANS_AT_A_TIME], on):
            by_party[late.party_id].append(late)
    for late in _late_advances(behind, on):
        by_party[late.party_id].append(late)
    return {
        party_id: sorted(debts, key=lambda debt: debt.past_due_since_date)
        for party_id, debts in by_party.items()
    }


def _late_advances(advance_ids: Sequence[int], on: date) -> Iterator[LateLoan]:
    """Of the advances that the last close found behind, those that are so still."""
    for each in advances_on(Advance.objects.filter(pk__in=advance_ids).order_by("pk"), on=on):
        standing, advance = each.pace, each.advance
        if standing is None or standing.behind_since_date is None:
            continue
        yield LateLoan(
            loan_id=None,
            code=advance.code,
            facility=advance.line,
            party_id=advance.merchant_id,
            currency=advance.currency,
            past_due_since_date=standing.behind_since_date,
            days_past_due=(on - standing.behind_since_date).days,
            principal_minor=standing.short_minor,
            interest_minor=0,
            penalty_minor=0,
            fees_minor=0,
        )


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
