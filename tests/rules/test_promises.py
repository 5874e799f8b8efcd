"""Promises to pay: kept by cash, broken by a day that passed."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.promises import Outcome, UnusablePromise, check_promise, outcome

ON = date(2026, 5, 4)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("received_minor", "on", "expected"),
    [
        pytest.param(0, ON - DAY, Outcome.RUNNING, id="before the day: it runs"),
        pytest.param(99, ON - DAY, Outcome.RUNNING, id="a part of it: it runs"),
        pytest.param(100, ON - DAY, Outcome.KEPT, id="paid early: kept at once"),
        pytest.param(100, ON, Outcome.KEPT, id="paid on the day: kept"),
        pytest.param(99, ON, Outcome.BROKEN, id="one cent short when the day is over: broken"),
        pytest.param(0, ON + 9 * DAY, Outcome.BROKEN, id="found later: broken"),
    ],
)
def test_a_promise_of_one_hundred(received_minor, on, expected):
    assert outcome(100, received_minor=received_minor, promised_date=ON, on=on) is expected


@pytest.mark.parametrize(
    ("amount_minor", "promised_date", "says"),
    [
        pytest.param(0, ON, "cannot be promised", id="nothing"),
        pytest.param(2**63, ON, "cannot be promised", id="more than can be kept"),
        pytest.param(1, ON - DAY, "from 2026-05-04 on", id="yesterday"),
        pytest.param(1, ON + 91 * DAY, "at most 90 days", id="far ahead"),
    ],
)
def test_a_promise_that_could_not_be_kept_is_refused(amount_minor, promised_date, says):
    with pytest.raises(UnusablePromise, match=says):
        check_promise(amount_minor, promised_date=promised_date, on=ON)


@given(
    amount_minor=st.integers(1, 10**12),
    received_minor=st.integers(0, 10**12),
    ahead=st.integers(0, 90),
    later=st.integers(0, 90),
)
def test_once_decided_a_promise_stays_so_while_no_cash_is_told_late(
    amount_minor, received_minor, ahead, later
):
    decided = outcome(
        amount_minor, received_minor=received_minor, promised_date=ON, on=ON + ahead * DAY
    )

    assert decided is not Outcome.RUNNING
    assert decided is outcome(
        amount_minor, received_minor=received_minor, promised_date=ON, on=ON + (ahead + later) * DAY
    )
