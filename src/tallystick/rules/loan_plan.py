"""Changes of a loan's plan: what falls due when, from the value date of an event on.

Due dates that had come before the event stay as they were, with what was unpaid of them, unless
the event begins a new plan. A plan says by which day how much principal is to be repaid; what is
not yet paid out when it is made falls due with its last due date.

A new rate evens the equal instalments to come: they are made anew, as high as each other, over the
due dates that are left and on the balance that the plan leaves then, whether or not everything has
been paid. Where the rate changes within a period, the instalment at its end keeps its principal,
bears interest of each day at that day's rate, and those after it are evened: a decision of the
house. Where a prepayment kept the instalments as high as they were, they stay so under another rate
too, and come to more or to fewer.

Due dates that an event makes are moved to business days where the terms say so. Those of an
extension that would meet on one day, or not come after the value date, stay where they are.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from tallystick.rules.calendars import adjusted
from tallystick.rules.loan_events import Keeps, LoanEvent, rate_from_ppb, rate_in_ppb
from tallystick.rules.loan_position import (
    Position,
    accrual_days_to,
    accrual_to,
    everything_minor,
    past_due_minor,
    planned,
)
from tallystick.rules.loan_terms import Due, LoanTerms, plan_of
from tallystick.rules.money import rounded
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import Method, instalment_minor, schedule


class ExtensionTooShort(Refusal):
    """An extension would end before it begins: the loan would stay past due."""


class DueNotMovable(Refusal):
    """There is no such due date, it has passed, or it would change places with another."""


def extend(position: Position, event: LoanEvent) -> None:
    """Let the due dates from the value date on, and the last in any case, come ``days`` later.

    Raises ExtensionTooShort where a last due date that has passed would not lie after the value
    date.
    """
    assert event.days is not None
    dues = position.dues
    moved_by = timedelta(days=event.days)
    passed = _passed_before(position, event.value_date)
    last_date = dues[-1].due_date + moved_by
    if last_date <= event.value_date:
        needed_days = (event.value_date - dues[-1].due_date).days + 1
        raise ExtensionTooShort(
            f"Event {event.event_id} extends by {event.days} days to {last_date}, which is not "
            f"after its value date {event.value_date}: give {needed_days} days or more."
        )
    passed = min(passed, len(dues) - 1)
    days = [due.due_date + moved_by for due in dues[passed:]]
    business_days = [_business_day(position.terms, day) for day in days]
    if all(before < after for before, after in pairwise([event.value_date, *business_days])):
        days = business_days
    later = [due._replace(due_date=day) for due, day in zip(dues[passed:], days, strict=True)]
    _replan(position, (*dues[:passed], *later), passed)


def move_due(position: Position, event: LoanEvent) -> None:
    """Let one due date come on another day, with all that falls due on it.

    Raises DueNotMovable.
    """
    assert event.to_date is not None
    dues = position.dues
    place = next(
        (place for place, due in enumerate(dues) if due.due_date == event.due_date), len(dues)
    )
    movable = dues[_passed_before(position, event.value_date) :]
    if place == len(dues) or dues[place] not in movable:
        raise DueNotMovable(
            f"Event {event.event_id} moves the due date {event.due_date}: on {event.value_date} "
            f"the loan can move {', '.join(str(due.due_date) for due in movable) or 'none'}. "
            "Name one of them, or extend a loan whose last due date has passed."
        )
    after_date = dues[place - 1].due_date if place else position.terms.start
    before_date = dues[place + 1].due_date if place + 1 < len(dues) else date.max
    to_date = _business_day(position.terms, event.to_date)
    if not after_date < to_date < before_date:
        raise DueNotMovable(
            f"Event {event.event_id} moves the due date {event.due_date} to {to_date}: "
            f"choose a day after {after_date} and before {before_date}, its neighbours."
        )
    moved = dues[place]._replace(due_date=to_date)
    _replan(position, (*dues[:place], moved, *dues[place + 1 :]), place)


def begin_anew(position: Position, event: LoanEvent) -> None:
    """Let all that is outstanding fall due by a new schedule from the value date to ``to_date``.

    Nothing is past due any more: what is owed of interest, penalty and fees falls due with the
    first due date of the new plan. The rate is the one in force on the value date.

    Raises ScheduleImpossible where every new due date is moved to the value date or before it.
    """
    assert event.to_date is not None
    terms = position.terms
    if position.principal_minor:
        plan = replace(
            plan_of(terms),
            principal_minor=position.principal_minor,
            annual_rate=rate_from_ppb(position.rate_ppb),
            start=event.value_date,
            maturity=event.to_date,
        )
        dues, position.level_minor = planned(
            schedule(plan),
            terms.method,
            whole_minor=everything_minor(terms),
            repaid_minor=position.principal_repaid_minor,
        )
        position.evened_minor = position.disbursed_minor
    else:
        dues = (Due(_business_day(terms, event.to_date), everything_minor(terms)),)
    starts_minor = [position.principal_repaid_minor, *(due.planned_minor for due in dues[:-1])]
    position.agreed_dates = tuple(_agreed_date(position, minor) for minor in starts_minor)
    _replan(position, dues, 0)


def spread_after_prepayment(position: Position, on: date, keeps: Keeps) -> None:
    """Plan what is left after a prepayment ``on`` a day anew, over the due dates after it."""
    passed = _passed_before(position, on + timedelta(days=1))
    kept, later = position.dues[:passed], position.dues[passed:]
    overdue_minor = past_due_minor(position, by=passed - 1) if passed else 0
    balance_minor = position.principal_minor - overdue_minor
    if not later or not balance_minor:
        return
    growth = _growth(position, on, later)
    if keeps is Keeps.TERM:
        position.level_minor = _level_minor(position, balance_minor, growth)
    position.evened_minor = position.disbursed_minor if keeps is Keeps.TERM else None
    repaid_minor = position.principal_repaid_minor + overdue_minor
    spread = _spread(position, on, later, growth, balance_minor, repaid_minor=repaid_minor)
    _replan(position, (*kept, *spread), passed)


def is_other_rate(position: Position, event: LoanEvent) -> bool:
    """Whether the event's rate is not the one in force."""
    assert event.annual_rate is not None
    return rate_in_ppb(event.annual_rate) != position.rate_ppb


def change_rate(position: Position, event: LoanEvent) -> None:
    """Let another rate hold."""
    assert event.annual_rate is not None
    position.rate_ppb = rate_in_ppb(event.annual_rate)


def even_anew(position: Position, on: date) -> None:
    """Make equal instalments anew at the rate that holds from ``on`` (see the module)."""
    if position.terms.method is not Method.EQUAL_INSTALMENTS:
        return
    begun = _periods_begun(position, on)
    kept, later = position.dues[:begun], position.dues[begun:]
    repaid_minor = kept[-1].planned_minor if kept else 0
    whole_minor = position.evened_minor
    if whole_minor is None:
        whole_minor = position.disbursed_minor
    balance_minor = whole_minor - repaid_minor
    if len(later) < 2 or balance_minor <= 0:
        return
    start = kept[-1].due_date if kept else on
    growth = _growth(position, start, later)
    if position.evened_minor is not None:
        position.level_minor = _level_minor(position, balance_minor, growth)
    spread = _spread(position, start, later, growth, balance_minor, repaid_minor=repaid_minor)
    _replan(position, (*kept, *spread), len(position.interest_at_due_minor))


def _periods_begun(position: Position, on: date) -> int:
    """How many instalments belong to periods that began before ``on``; its own due date is one."""
    passed = len(position.interest_at_due_minor)
    last_date = position.dues[passed - 1].due_date if passed else position.terms.start
    return passed if last_date == on else passed + 1


def _business_day(terms: LoanTerms, day: date) -> date:
    return adjusted(terms.calendar, day, terms.adjustment).date


def _passed_before(position: Position, day: date) -> int:
    """How many due dates lie before ``day``."""
    return sum(due.due_date < day for due in position.dues)


def _replan(position: Position, dues: tuple[Due, ...], unchanged: int) -> None:
    """Let ``dues`` hold, of which the first so many are as they were."""
    position.dues = dues
    position.agreed_dates = position.agreed_dates[: len(dues)]
    position.interest_at_due_minor = position.interest_at_due_minor[:unchanged]


def _agreed_date(position: Position, repaid_minor: int) -> date:
    """When what comes after ``repaid_minor`` of principal was to be repaid as agreed at first."""
    place = bisect_right(position.dues, repaid_minor, key=lambda due: due.planned_minor)
    return position.agreed_dates[min(place, len(position.dues) - 1)]


def _growth(position: Position, start: date, dues: Sequence[Due]) -> list[int]:
    """Interest of each period to come is balance × growth / the position's denominator."""
    days_to = [
        accrual_days_to(position.terms, max(day, position.interest_from))
        for day in (start, *(due.due_date for due in dues))
    ]
    return [position.rate_ppb * (later - earlier) for earlier, later in pairwise(days_to)]


def _level_minor(position: Position, balance_minor: int, growth: Sequence[int]) -> int:
    terms = position.terms
    match terms.method:
        case Method.EQUAL_INSTALMENTS:
            return instalment_minor(balance_minor, growth, position.denominator, terms.rounding)
        case Method.EQUAL_PRINCIPAL:
            return rounded(balance_minor, len(growth), terms.rounding)
        case _:
            return 0


def _spread(
    position: Position,
    start: date,
    dues: Sequence[Due],
    growth: Sequence[int],
    balance_minor: int,
    *,
    repaid_minor: int,
) -> list[Due]:
    """``balance_minor`` over ``dues`` by the level, up to the one that repays the last of it.

    The periods of ``growth`` begin with ``start``; ``repaid_minor`` is planned to be repaid before.
    """
    terms = position.terms
    spread: list[Due] = []
    # Interest goes on from the running total, so that each instalment comes to the level exactly.
    numerator = accrual_to(position, start).interest_numerator
    charged_minor = rounded(numerator, position.denominator, terms.rounding)
    for due, share in zip(dues, growth, strict=True):
        numerator += balance_minor * share
        interest_minor = 0
        if terms.method is Method.EQUAL_INSTALMENTS:
            running_minor = rounded(numerator, position.denominator, terms.rounding)
            interest_minor = running_minor - charged_minor
            charged_minor = running_minor
        part_minor = min(max(position.level_minor - interest_minor, 0), balance_minor)
        balance_minor -= part_minor
        repaid_minor += part_minor
        spread.append(Due(due.due_date, repaid_minor))
        if not balance_minor:
            break
    spread[-1] = spread[-1]._replace(planned_minor=everything_minor(terms))
    return spread
