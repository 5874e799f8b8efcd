"""What a loan's timeline shows: one loan of 1,000,000 at 36 %, 1,000 a day, due on day 60."""

import pytest
from tests.rules.test_loan import (
    EVER,
    IN_THREE_PARTS,
    PAID_OUT,
    PARTS_PAID_OUT,
    TERMS,
    day,
    received,
)
from tests.rules.test_loan_changes import charged_off, of_money

from tallystick.rules.loan_timeline import timeline


def told(*events, on, terms=TERMS):
    return timeline(terms, events, on=day(on), known_on=EVER)


def flows(*events, on, terms=TERMS):
    return [
        ((flow.value_date - day(0)).days, flow.amount_minor, flow.is_projected)
        for flow in told(*events, on=on, terms=terms).flows
    ]


def test_past_cash_is_followed_by_what_is_expected_on_the_due_date():
    paid = received(2, on=10, minor=510_000)

    assert flows(PAID_OUT, paid, on=20) == [
        (0, -1_000_000, False),
        (10, 510_000, False),
        (60, 500_000 + 50 * 500, True),
    ]


def test_what_is_past_due_is_expected_on_the_day_asked_about():
    assert flows(PAID_OUT, on=65)[-1] == (65, 1_065_000, True)


def test_instalments_are_expected_one_by_one():
    expected = [flow for flow in flows(PARTS_PAID_OUT, on=0, terms=IN_THREE_PARTS) if flow[2]]

    assert [minor for _, minor, _ in expected] == [
        300_000 + 31 * 900,
        300_000 + 30 * 600,
        300_000 + 29 * 300,
    ]


def test_after_a_charge_off_nothing_is_expected():
    events = [PAID_OUT, charged_off(2, on=70), of_money(3, "recovered", on=80, minor=9)]

    assert flows(*events, on=90) == [(0, -1_000_000, False), (80, 9, False)]


@pytest.mark.parametrize("on", [0, 1, 30, 60, 700])
def test_points_come_one_a_day_in_order_up_to_nothing_owed(on):
    points = told(PAID_OUT, on=on).points

    days = [point.on for point in points]
    assert days == sorted(set(days))
    assert (points[0].on, points[0].principal_minor) == (day(0), 1_000_000)
    assert (points[-1].principal_minor, points[-1].charges_minor) == (0, 0)
    assert len(points) < 260
