"""How a drawdown comes back: in one payment, or in instalments.

A supplier asks for a number of days. Instalments fall due in whole periods from the drawdown, each
moved to a business day, and there are as many of them as come nearest to the days asked for.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import NamedTuple

from tallystick.rules.calendars import (
    WEEKENDS_ONLY,
    Adjustment,
    Calendar,
    Period,
    adjusted,
    period_of,
)
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import Keeps
from tallystick.rules.loan_position import planned
from tallystick.rules.loan_terms import MONTHLY, AgreedPlan
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import Instalment, Method, MonthEnd, ScheduleTerms, schedule
from tallystick.rules.schedule_dates import MAX_PERIODS, periods_after
from tallystick.rules.terms_file import Table


@dataclass(frozen=True, slots=True)
class RepaymentTerms:
    """How principal comes back, and every how long where it comes back in instalments.

    ``prepaid_keeps``: what stays as it was when a part is repaid early, the instalments or the
    term; None: what is repaid early meets the next instalments.
    """

    method: Method
    every: Period | None
    prepaid_keeps: Keeps | None

    @property
    def in_instalments(self) -> bool:
        return self.method is not Method.BULLET


AT_ONCE = RepaymentTerms(Method.BULLET, None, None)


class Agreed(NamedTuple):
    """The instalments of a drawdown.

    ``provisional``: a calendar that is not published yet may move some of the due dates.
    """

    rows: tuple[Instalment, ...]
    plan: AgreedPlan
    provisional: bool


def instalments(
    terms: RepaymentTerms,
    *,
    amount_minor: int,
    annual_rate: Decimal,
    day_count: DayCount,
    drawn_date: date,
    tenor_days: int,
    max_tenor_days: int,
    calendar: Calendar,
    adjustment: Adjustment,
) -> Agreed:
    """What a drawdown paid out on ``drawn_date`` is to be repaid, for terms with instalments.

    Raises ScheduleImpossible where no due date comes after the drawdown.
    """
    assert terms.every is not None
    periods = nearest_periods(
        terms.every, drawn_date, tenor_days=tenor_days, max_tenor_days=max_tenor_days
    )
    asked = ScheduleTerms(
        principal_minor=amount_minor,
        annual_rate=annual_rate,
        day_count=day_count,
        method=terms.method,
        start=drawn_date,
        number_of_periods=periods,
        frequency=terms.every,
        calendar=calendar,
        adjustment=adjustment,
    )
    rows = tuple(schedule(asked))
    last_date = _period_end(terms.every, drawn_date, periods)
    return Agreed(
        rows,
        planned(rows, terms.method, whole_minor=amount_minor),
        adjusted(calendar, last_date, adjustment).provisional,
    )


def nearest_periods(
    every: Period, drawn_date: date, *, tenor_days: int, max_tenor_days: int
) -> int:
    """How many whole periods come nearest to the days asked for, one at least.

    Of two that are as near it is the fewer; never more than the longest tenor allows.
    """
    nearest = 1
    asked_date = drawn_date + timedelta(days=tenor_days)
    last_date = drawn_date + timedelta(days=max_tenor_days)
    for periods in count(2):
        end = _period_end(every, drawn_date, periods)
        before = _period_end(every, drawn_date, nearest)
        if end > last_date or end - asked_date >= asked_date - before:
            return nearest
        nearest = periods
    raise AssertionError("the days asked for end")


def repayment_in(table: Table, *, max_tenor_days: int) -> RepaymentTerms:
    """The repayment that stands in a table of a programme file, or a possible one instead."""
    method = table.choice("method", Method)
    if method is Method.BULLET:
        table.finish(cited=("method",))
        return AT_ONCE
    written = table.text("every", instead="1M")
    every = MONTHLY
    try:
        every = period_of(written)
    except Refusal as refusal:
        table.refuse("every", str(refusal))
    else:
        _refuse_too_many(table, every, max_tenor_days)
    keeps = table.choice("prepaid_keeps", Keeps) if "prepaid_keeps" in table.content else None
    said = ("prepaid_keeps",) if keeps else ()
    table.finish(cited=("method", "every", *said))
    return RepaymentTerms(method, every, keeps)


def _refuse_too_many(table: Table, every: Period, max_tenor_days: int) -> None:
    """No loan of the programme may come to more instalments than a schedule can have."""
    start = date(2001, 1, 1)
    if _period_end(every, start, MAX_PERIODS) < start + timedelta(days=max_tenor_days):
        table.refuse(
            "every",
            f"The longest tenor of {max_tenor_days} days would come to more than {MAX_PERIODS} "
            "instalments. Give a longer time between them, or a shorter longest tenor.",
        )
    if _period_end(every, start, 1) > start + timedelta(days=max_tenor_days):
        table.refuse(
            "every",
            f"The first instalment would fall due after the longest tenor of {max_tenor_days} "
            "days. Give a shorter time between instalments, or a longer tenor.",
        )


def _period_end(every: Period, start: date, periods: int) -> date:
    return periods_after(start, every, periods, MonthEnd.LAST_DAY, WEEKENDS_ONLY)
