"""The invariants of simulated days are checks that there are."""

from tallystick.book.watch.verify import all_checks
from tallystick.lab.daily import DAILY


def test_every_daily_invariant_is_a_check_of_verify(database):
    assert set(DAILY) <= {check.name for check in all_checks()}
