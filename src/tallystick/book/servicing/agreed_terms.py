"""What was agreed of a loan, read from its row."""

import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from tallystick.book import calendars
from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import rate_from_ppb
from tallystick.rules.loan_terms import (
    MONTHLY,
    AgreedPlan,
    Due,
    LoanTerms,
    PenaltyBand,
)
from tallystick.rules.repayment import RepaymentTerms
from tallystick.rules.settlement_terms import SettlementTerms


# A loan's terms never change, but for a due date with the calendar, and settlements read the same
# loans day by day.
@lru_cache(maxsize=50_000)
def agreed_terms(
    currency: str,
    committed_minor: int,
    annual_rate_ppb: int,
    penalty_rate_ppb: int,
    day_count: str,
    drawn_date: date,
    due_date: date,
    settlement: SettlementTerms,
    repayment: RepaymentTerms,
    adjustment: Adjustment,
    agreed_plan: str | None,
    penalty_steps: str | None,
) -> LoanTerms:
    """A loan's row as the terms that ``rules.loan`` folds under.

    ``agreed_plan`` and ``penalty_steps`` as they are stored, in JSON. ``adjustment`` is what moves
    the due dates of a plan; the one due date of a loan without is named by whoever moves it.
    """
    plan, calendar = None, WEEKENDS_ONLY
    if agreed_plan is not None:
        stored = json.loads(agreed_plan)
        plan, calendar = plan_read(stored), calendars.named(stored["calendar"])
    steps = [(0, penalty_rate_ppb)] if penalty_steps is None else json.loads(penalty_steps)
    (grace_days, first_rate_ppb), *bands = steps
    return LoanTerms(
        currency=currency,
        principal_minor=committed_minor,
        annual_rate=rate_from_ppb(annual_rate_ppb),
        day_count=DayCount(day_count),
        method=repayment.method,
        start=drawn_date,
        maturity=due_date if plan is None else plan.dues[-1].due_date,
        frequency=repayment.every or MONTHLY,
        penalty_rate=rate_from_ppb(first_rate_ppb),
        penalty_grace_days=grace_days,
        receipt_order=settlement.waterfall,
        axis=settlement.axis,
        kind_orders=settlement.orders,
        penalty_bands=tuple(PenaltyBand(days, rate_from_ppb(rate)) for days, rate in bands),
        agreed_plan=plan,
        prepaid_keeps=repayment.prepaid_keeps,
        calendar=calendar,
        adjustment=Adjustment.UNADJUSTED if plan is None else adjustment,
    )


def plan_read(stored: Mapping[str, Any]) -> AgreedPlan:
    """The plan that a loan's row holds as agreed."""
    due_dates = map(date.fromisoformat, stored["due_dates"])
    return AgreedPlan(tuple(map(Due, due_dates, stored["planned_minor"])), stored["level_minor"])
