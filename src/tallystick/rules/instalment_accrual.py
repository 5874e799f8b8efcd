"""What income of a loan of instalments has been earned by a day."""

from dataclasses import dataclass
from datetime import date

from tallystick.rules.instalment_loan import InstalmentLoan, Status
from tallystick.rules.instalment_rows import Row
from tallystick.rules.instalment_terms import Part
from tallystick.rules.money import rounded

_INCOME = (Part.INTEREST, Part.FEE, Part.PENALTY)


@dataclass(frozen=True, slots=True)
class EarnedIncome:
    """All interest, fees and penalties earned by a day, in minor units.

    Whatever of them was recognised before is to be taken off.
    """

    value_date: date
    parts_minor: dict[Part, int]


def closing_accrual(loan: InstalmentLoan) -> EarnedIncome | None:
    """Income recognised when a loan is paid before all of it has fallen due, as of the day it was.

    None while the loan is not paid.
    """
    if loan.status not in (Status.PAID, Status.OVERPAID):
        return None
    paid_on = max(row.last_paid_date for row in loan.rows if row.last_paid_date is not None)
    earned = {part: sum(row.owed[part] for row in loan.rows) for part in _INCOME}
    return EarnedIncome(paid_on, earned)


def accrual_until(loan: InstalmentLoan, day: date) -> EarnedIncome:
    """Income earned by the end of ``day``.

    Interest of a period is earned in equal parts by its nights, rounded as the plan is; a fee or
    a penalty on its own date.
    """
    earned = dict.fromkeys(_INCOME, 0)
    for row in loan.rows:
        earned[Part.INTEREST] += _interest_by(loan, row, day)
        for charge in row.charges:
            if charge.due_date <= day:
                earned[charge.part] += charge.amount_minor
    return EarnedIncome(day, earned)


def _interest_by(loan: InstalmentLoan, row: Row, day: date) -> int:
    if day >= row.due_date:
        return row.owed[Part.INTEREST]
    if day <= row.from_date:
        return 0
    nights = (day - row.from_date).days
    period = (row.due_date - row.from_date).days
    return rounded(row.owed[Part.INTEREST] * nights, period, loan.terms.plan.rounding)
