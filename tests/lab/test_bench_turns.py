"""The benchmark of nights with turns measures what it says, on books that stay sound."""

from datetime import timedelta

import pytest

from tallystick.book.impairment.checks import impairment_checks
from tallystick.book.ledger.checks import ledger_checks
from tallystick.book.servicing.checks import servicing_checks
from tallystick.book.servicing.models import LoanEvent, Position
from tallystick.lab.bench import turns

DAY = timedelta(days=1)


@pytest.mark.parametrize("in_instalments", [True, False])
def test_one_loan_in_thirty_turns_on_a_night_and_none_before_a_saturday(database, in_instalments):
    nights = turns.nights_of(600, url=database.url, in_instalments=in_instalments)

    assert (nights.turned, nights.wrong) == (20, 0)
    paid_days = (*turns.TURNING_DAYS, turns.QUIET_DAY)
    assert [LoanEvent.objects.filter(booking_date=day).count() for day in paid_days] == [
        20, 20, 20,
    ]  # fmt: skip
    # A position of the payout, one for each repayment, and none besides where turn and repayment
    # are of one day.
    turned = Position.objects.filter(booking_date=turns.QUIET_DAY + DAY)
    assert not turned.exists()
    first = Position.objects.filter(booking_date=turns.TURNING_DAYS[0]).count()
    assert first == 20
    checks = (*servicing_checks(), *ledger_checks(), *impairment_checks())
    assert [finding for check in checks for finding in check.run()] == []
    figures = turns.measure(nights, nights, loans=600)
    assert {figure.what: figure.bound for figure in figures if figure.bound is not None} == {
        "close of 600 loans in 12 instalments, 20 turn": 1,
        "differences from a fold of every 100th loan": 0,
    }
