"""Turns: between them a loan owes along straight lines, and passing them changes nothing else."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from tests.rules.test_loan_properties import EVER, START, days, loan_terms, loans

from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_balances import balances
from tallystick.rules.loan_events import EventKind
from tallystick.rules.loan_position import accrual_to, running_penalty
from tallystick.rules.loan_steps import EventOutOfOrder, advance, position_of
from tallystick.rules.loan_turns import (
    due_date_to_meet,
    is_straight,
    next_turn,
    penalty_growth,
    standing_on,
)

DAY = timedelta(days=1)
BY_DAYS = (DayCount.ACT_360, DayCount.ACT_365F)


@settings(max_examples=150, deadline=None)
@given(loan=loans(terms=loan_terms(day_counts=BY_DAYS)), on=days)
def test_from_one_turn_to_the_next_the_penalty_grows_by_the_same_each_day(loan, on):
    terms, events = loan
    position = position_of(terms, events, on=on, known_on=EVER)
    if is_straight(position):
        return
    position = standing_on(position, max(on, position.last_value_date))
    turn = next_turn(position) or on + timedelta(days=200)
    growth = penalty_growth(position)
    for n in range((turn - position.accrued_to).days + 1):
        told = accrual_to(position, position.accrued_to + n * DAY).penalty_numerator
        assert told == position.penalty_numerator + growth * n


@settings(max_examples=150, deadline=None)
@given(loan=loans(), on=days, stops=days)
def test_standing_on_a_day_in_between_changes_nothing_that_is_owed(loan, on, stops):
    terms, events = loan
    position = position_of(terms, events, on=min(on, stops), known_on=EVER)
    later = max(on, stops, position.last_value_date)

    stood = standing_on(position, max(min(on, stops), position.last_value_date))

    assert balances(stood, later) == balances(position, later)
    assert standing_on(stood, later) == standing_on(position, later)


@settings(max_examples=150, deadline=None)
@given(loan=loans(reversible=False))
def test_events_taken_one_by_one_with_a_stand_before_each_come_to_the_fold_of_all(loan):
    terms, events = loan
    position = position_of(terms, [], on=START, known_on=EVER)
    taken = []
    for event in events:
        if event.kind is EventKind.REVERSED:
            return
        stood = standing_on(position, max(event.value_date, position.stands_from_date))
        taken.append(event)
        try:
            position = advance(stood, event)
        except EventOutOfOrder:
            position = position_of(terms, taken, on=EVER, known_on=EVER)
    whole = position_of(terms, events, on=EVER, known_on=EVER)
    end = max(whole.stands_from_date, position.stands_from_date)
    assert standing_on(position, end) == standing_on(whole, end)


@settings(max_examples=150, deadline=None)
@given(loan=loans(), on=days)
def test_the_due_date_to_meet_is_the_oldest_with_anything_unpaid_or_else_the_next(loan, on):
    terms, events = loan
    position = position_of(terms, events, on=on, known_on=EVER)
    on = max(on, position.last_value_date)
    stood = standing_on(position, on)
    since = balances(stood, on).past_due_since_date
    due = due_date_to_meet(replace(stood))
    if since is not None and since != stood.dues[-1].due_date:
        assert due == since
    if due < on and due != stood.dues[-1].due_date:
        assert since == due
    assert running_penalty(stood, on) == running_penalty(position, on)
