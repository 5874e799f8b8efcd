"""Merchants who repay in instalments: what settlements have not paid by a due date they transfer.

Most do so on the day, some late, and some pay a part of what is not due yet along with it. What a
merchant does about an instalment is drawn from the seed, the loan and the due date.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Loan, LoanStatus
from tallystick.book.servicing.dues import dues_of
from tallystick.book.servicing.portfolio import principal_of
from tallystick.book.servicing.repay import repay
from tallystick.lab.measures import RunSummary

DAYS_LATE = (0, 0, 0, 0, 0, 0, 0, 3, 12, 45)
PREPAYS_PERCENT = 10
PREPAID_PERCENT = 30
"""Of the principal outstanding, where a part is repaid early."""


@dataclass(frozen=True, slots=True)
class Merchants:
    """Who borrows in instalments in a run: the facilities, by their ids."""

    facility_ids: Sequence[int]
    seed: int
    caller: Caller
    summary: RunSummary

    def pay(self, on: date) -> None:
        """Transfer what is due of each loan whose merchant pays it on this day."""
        late = Loan.objects.filter(
            facility__in=self.facility_ids, status=LoanStatus.LIVE, due_date__lte=on
        ).select_related("facility")
        paying = [loan for loan in late.order_by("pk") if self._pay_date(loan) <= on]
        for loan, due in zip(paying, dues_of(paying, on=on), strict=True):
            if due.total_minor:
                amount_minor = due.total_minor + self._early_minor(loan, due.principal_minor)
                repay(
                    loan.code,
                    amount_minor,
                    value_date=None,
                    caller=self.caller,
                    key=f"instalment/{loan.code}/{on}",
                )
                self.summary.paid_by_merchants_minor += amount_minor

    def _pay_date(self, loan: Loan) -> date:
        return loan.due_date + timedelta(days=self._chance(loan).choice(DAYS_LATE))

    def _early_minor(self, loan: Loan, due_minor: int) -> int:
        """What is repaid before it is due, if anything: of a loan with more to come."""
        chance = self._chance(loan)
        chance.choice(DAYS_LATE)
        if chance.randrange(100) >= PREPAYS_PERCENT:
            return 0
        ahead_minor = principal_of([loan.pk])[loan.pk] - due_minor
        return ahead_minor * PREPAID_PERCENT // 100

    def _chance(self, loan: Loan) -> Random:
        return Random(f"{self.seed}/{loan.code}/{loan.due_date}")
