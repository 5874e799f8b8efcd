"""The periods of a loan of instalments: as agreed, then as rescheduled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tallystick.rules.daycount import accrual_days, accrual_denominator
from tallystick.rules.instalment_events import InvalidInstalmentEvent, Reschedule
from tallystick.rules.schedule import ScheduleTerms, date_plan
from tallystick.rules.schedule_dates import MAX_PERIODS, due_dates, periods_after
from tallystick.rules.schedule_growth import Accrual, even_part, periods_between


@dataclass(frozen=True, slots=True)
class Span:
    """One period: its days, and how many whole periods it is."""

    from_date: date
    due_date: date
    whole_periods: Fraction


@dataclass(frozen=True, slots=True)
class MovedFrom:
    """A reschedule, and the due date from which it counts."""

    due_date: date
    change: Reschedule


def spans_of(plan: ScheduleTerms, moved: Sequence[MovedFrom], *, reaching: date) -> list[Span]:
    """The periods in order, with more of them where money is paid out after the last.

    ``plan`` starts on the day of the first payout. ``reaching`` is the day of the last payout.
    Raises ScheduleImpossible, and InvalidInstalmentEvent for a reschedule of an instalment that
    there is not.
    """
    assert plan.frequency is not None
    assert plan.number_of_periods is not None
    dates = list(due_dates(date_plan(plan)))
    anchor = plan.first_due_date or plan.start
    since = -1 if plan.first_due_date is None else 0
    moved_rows: set[int] = set()

    def nth(index: int) -> date:
        assert plan.frequency is not None
        return periods_after(anchor, plan.frequency, index - since, plan.month_end, plan.calendar)

    for move in moved:
        index = index_due(dates, move.due_date)
        extra = move.change.extra_periods + move.change.principal_grace_periods
        if move.change.new_due_date is not None:
            before = dates[index - 1] if index else plan.start
            if move.change.new_due_date <= before:
                raise InvalidInstalmentEvent(
                    f"The instalment due on {move.due_date} cannot be moved to "
                    f"{move.change.new_due_date}: give a day after {before}."
                )
            anchor, since = move.change.new_due_date, index
            moved_rows.add(index)
            dates[index:] = [nth(k) for k in range(index, len(dates))]
        dates += [nth(k) for k in range(len(dates), len(dates) + extra)]
    while dates[-1] < reaching:
        if len(dates) >= MAX_PERIODS:
            raise InvalidInstalmentEvent(
                f"Money was paid out on {reaching}, more than {MAX_PERIODS} periods after the "
                "start: correct the day, or agree another loan."
            )
        dates.append(nth(len(dates)))

    spans: list[Span] = []
    start = plan.start
    for index, due_date in enumerate(dates):
        odd = index in moved_rows or (index == 0 and plan.first_due_date is not None)
        whole = periods_between(date_plan(plan), start, due_date) if odd else Fraction(1)
        spans.append(Span(start, due_date, whole))
        start = due_date
    return spans


def index_due(dates: Sequence[date], due_date: date) -> int:
    """The first instalment due on or after a day. Raises InvalidInstalmentEvent."""
    for index, day in enumerate(dates):
        if day >= due_date:
            return index
    raise InvalidInstalmentEvent(
        f"No instalment is due on {due_date} or later: name a due date up to {dates[-1]}."
    )


def part_of_year(plan: ScheduleTerms, span: Span, start: date, end: date) -> Fraction:
    """What part of a year the nights from ``start`` to ``end``, within ``span``, bear."""
    if plan.accrual is Accrual.WHOLE_PERIODS:
        assert plan.frequency is not None
        whole = span.whole_periods * even_part(
            plan.frequency, plan.day_count, plan.accrual, start=plan.start
        )
        return whole * Fraction((end - start).days, (span.due_date - span.from_date).days)
    to_start, to_end = (
        accrual_days(plan.day_count, plan.start, day, calendar=plan.calendar)
        for day in (start, end)
    )
    return Fraction(to_end - to_start, accrual_denominator(plan.day_count))
