"""What is past due, loan by loan: the one place that says which loans are late."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from tallystick.book.financing.models import Loan, LoanStatus
from tallystick.book.servicing.positions import positions_of
from tallystick.rules.dunning import PastDue
from tallystick.rules.loan_position import balances

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


def late_loans(
    legal_entity_id: int, *, on: date, party_ids: Sequence[int] | None = None
) -> dict[int, list[LateLoan]]:
    """The late loans of a legal entity ``on`` its open day by party, the oldest debt first.

    Only of these parties where given. Costs what is past due, whatever the size of the book.
    """
    loans = Loan.objects.filter(
        facility__legal_entity=legal_entity_id, status=LoanStatus.LIVE, due_date__lt=on
    )
    if party_ids is not None:
        loans = loans.filter(facility__supplier__in=list(party_ids))
    by_party: dict[int, list[LateLoan]] = defaultdict(list)
    for late in _late(loans.order_by("due_date", "id"), on):
        by_party[late.party_id].append(late)
    return dict(by_party)


def _late(loans: QuerySet[Loan], on: date) -> Iterator[LateLoan]:
    rows = list(loans.values_list("id", "facility__code"))
    for first in range(0, len(rows), LOANS_AT_A_TIME):
        batch = rows[first : first + LOANS_AT_A_TIME]
        positions = positions_of([loan_id for loan_id, _ in batch])
        for loan_id, facility in batch:
            loan = positions[loan_id]
            if loan.position is None:
                continue
            # An event of today counts; a position never looks back before its last one.
            owed = balances(loan.position, max(on, loan.position.last_value_date))
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
