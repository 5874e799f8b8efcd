"""Turns: days on which a loan begins to owe at another pace although nothing happens to it.

A due date comes, or principal has been past due for so long that another penalty step begins. A
fold closes its running totals on every turn it passes, so that between two turns what the loan
owes is a straight line from its position:

    interest numerator(on) = accrued_numerator + principal_minor × rate_ppb × days from accrued_to
    penalty numerator(on)  = penalty_numerator + penalty growth × days from accrued_to

and a book of any size can be accrued by multiplying columns. A loan with one due date and a penalty
from that date on needs no turn: its penalty is a closed form of the due date (``is_straight``).
"""

from bisect import bisect_left, bisect_right
from dataclasses import replace
from datetime import date, timedelta

from tallystick.rules.loan_moves import Trace, close_days
from tallystick.rules.loan_position import (
    Position,
    accrual_to,
    due_date_of,
    interest_met,
    past_due_minor,
    rounded_total,
    running_interest,
)


def is_straight(position: Position) -> bool:
    """One due date, and a penalty, if any, at one rate from that date on."""
    steps = position.penalty_steps
    return len(position.dues) == 1 and (not steps or steps[-1][0] == 0)


def pass_dues(position: Position, day: date, trace: Trace | None = None) -> None:
    """Pass every turn up to ``day``, and note what interest had accrued by each due date.

    ``trace`` keeps the days that turns close.
    """
    if is_straight(position):
        due_date = position.dues[0].due_date
        if due_date <= day and not position.interest_at_due_minor:
            position.interest_at_due_minor = (running_interest(position, due_date),)
        return
    while (turn := next_turn(position)) is not None and turn <= day:
        accrual = accrual_to(position, turn)
        close_days(position, accrual, trace)
        passed = len(position.interest_at_due_minor)
        if passed < len(position.dues) and position.dues[passed].due_date == turn:
            interest_minor = rounded_total(position, accrual.interest_numerator)
            position.interest_at_due_minor += (interest_minor,)


def standing_on(position: Position, day: date) -> Position:
    """The position with every turn up to ``day`` passed; itself where it never turns."""
    if is_straight(position):
        return position
    stands = replace(position)
    pass_dues(stands, day)
    return stands


def next_turn(position: Position) -> date | None:
    """The next turn of a loan to which nothing happens; None where none is left."""
    if is_straight(position):
        return None
    passed = len(position.interest_at_due_minor)
    turns = [due.due_date for due in position.dues[passed : passed + 1]]
    for from_days, _ in position.penalty_steps:
        grace = timedelta(days=from_days)
        first = bisect_right(position.dues, position.accrued_to - grace, key=due_date_of)
        late = next((n for n in range(first, passed) if past_due_minor(position, by=n)), None)
        if late is not None:
            turns.append(position.dues[late].due_date + grace)
    return min(turns, default=None)


def penalty_growth(position: Position) -> int:
    """By how much the penalty numerator grows each day from the last turn to the next.

    Σ over the steps: principal past due for as many days as the step begins at × its rate.
    """
    growth = 0
    for from_days, rate_ppb in position.penalty_steps:
        until = position.accrued_to - timedelta(days=from_days)
        come = bisect_right(position.dues, until, key=due_date_of)
        if come:
            growth += past_due_minor(position, by=come - 1) * rate_ppb
    return growth


def due_date_to_meet(position: Position) -> date:
    """The oldest due date of which anything is unpaid, or else the next; at the end the last.

    Of an instalment that is its principal by plan, and the interest accrued by its due date.
    """
    return position.dues[_to_meet(position)].due_date


def agreed_due_date(position: Position) -> date | None:
    """When what is to be met next was due as agreed at first, if it has been put off since.

    None where nothing was put off: then lateness counts from ``due_date_to_meet``.
    """
    place = _to_meet(position)
    agreed_date = position.agreed_dates[place]
    return agreed_date if agreed_date < position.dues[place].due_date else None


def _to_meet(position: Position) -> int:
    passed = len(position.interest_at_due_minor)
    # What the plan wants repaid and what has accrued only grow from one due date to the next.
    first_unpaid = bisect_left(range(passed), True, key=lambda n: _is_unpaid(position, n))
    return min(first_unpaid, len(position.dues) - 1)


def _is_unpaid(position: Position, by: int) -> bool:
    interest_minor = position.interest_at_due_minor[by]
    return past_due_minor(position, by=by) > 0 or interest_minor > interest_met(position)
