"""Balances that somebody else states, held against movements."""

from datetime import date
from decimal import Decimal

import pytest

from tallystick.rules.balances import (
    Disagreement,
    Movement,
    OpeningBalance,
    disagreements_after_movements,
    disagreements_at_start_of_day,
)


def moved(day, amount, stated=None, *, account="bank", currency="CNY"):
    balance = None if stated is None else Decimal(stated)
    return Movement(date(2026, 3, day), account, currency, Decimal(amount), balance)


def opening(day, balance, *, account="bank", currency="CNY", tolerance="0"):
    return OpeningBalance(
        date(2026, 3, day), account, currency, Decimal(balance), Decimal(tolerance)
    )


def test_a_statement_whose_balances_follow_from_its_movements_agrees():
    lines = [moved(1, "100.00", "100.00"), moved(2, "-30.50", "69.50"), moved(2, "1", "70.5")]

    assert disagreements_after_movements(lines) == []


def test_movements_count_in_order_of_date_and_then_as_written():
    lines = [moved(3, "5", "15"), moved(1, "10", "10")]

    assert disagreements_after_movements(lines) == []
    assert len(disagreements_after_movements([moved(1, "5", "15"), moved(1, "10", "10")])) == 2


def test_a_difference_of_a_thousandth_is_found():
    (found,) = disagreements_after_movements([moved(1, "0.006"), moved(2, "1.00", "1.01")])

    assert found == Disagreement(
        date(2026, 3, 2), "bank", "CNY", stated=Decimal("1.01"), actual=Decimal("1.006")
    )
    assert found.difference == Decimal("-0.004")


def test_accounts_and_currencies_run_on_their_own():
    lines = [
        moved(1, "10", "10"),
        moved(1, "7", "7", currency="USD"),
        moved(1, "3", "3", account="bank:savings"),
        moved(2, "1", "11"),
    ]

    assert disagreements_after_movements(lines) == []


def test_an_opening_balance_is_that_before_the_movements_of_its_day():
    lines = [moved(1, "100"), moved(2, "50")]

    stated = [opening(1, "0"), opening(2, "100"), opening(3, "150")]
    assert disagreements_at_start_of_day(lines, stated) == []


def test_accounts_below_count_in_and_namesakes_do_not():
    lines = [
        moved(1, "15"),
        moved(1, "100", account="bank:first"),
        moved(1, "10", account="bank:second"),
        moved(1, "27", account="banking"),
        moved(1, "99", currency="USD"),
    ]

    assert disagreements_at_start_of_day(lines, [opening(2, "125")]) == []


@pytest.mark.parametrize(
    ("balance", "agrees"),
    [("23.022", False), ("23.023", True), ("23.025", True), ("23.026", False)],
)
def test_the_tolerance_is_still_accepted_itself(balance, agrees):
    found = disagreements_at_start_of_day(
        [moved(1, "23.024")], [opening(2, balance, tolerance="0.001")]
    )

    assert (found == []) is agrees


def test_a_missing_movement_shows_as_a_negative_difference():
    (found,) = disagreements_at_start_of_day([], [opening(1, "100")])

    assert found.difference == -100
