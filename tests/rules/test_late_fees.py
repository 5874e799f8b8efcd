"""Whether fees for due dates missed still stand when more is known of the days before them.

A loan of 900,000 without interest in three parts of 300,000, due on days 30, 60 and 90; a fee of
5,000 was charged for each of the first two, four days after it.
"""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.test_rate_of_instalments import EVERY_30_DAYS, START, day

from tallystick.rules.daycount import DayCount
from tallystick.rules.late_fees import LateFee, judged_again
from tallystick.rules.loan_events import Charge, EventKind, LoanEvent
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.schedule import Method

TERMS = LoanTerms(
    currency="CNY",
    principal_minor=900_000,
    annual_rate=Decimal(0),
    day_count=DayCount.ACT_360,
    method=Method.EQUAL_PRINCIPAL,
    start=START,
    maturity=day(90),
    frequency=EVERY_30_DAYS,
)


def event(event_id, kind, on, minor, **content):
    return LoanEvent(event_id, EventKind(kind), day(on), day(on), minor, **content)


def fee(event_id, due, *, stands=True):
    return LateFee(event_id, day(due + 4), day(due), 5_000, stands)


LIFE = [
    event(1, "disbursed", 0, 900_000),
    event(2, "fee_charged", 34, 5_000),
    event(3, "fee_charged", 64, 5_000),
]
FEES = [fee(2, 30), fee(3, 60)]


def judged(*told, fees=FEES):
    undone, due_again = judged_again(TERMS, [*LIFE, *told], fees, known_on=day(200))
    return [each.event_id for each in undone], [each.event_id for each in due_again]


def test_fees_stand_while_nothing_more_is_known():
    assert judged() == ([], [])


def test_cash_in_time_for_the_first_due_date_alone_takes_its_fee_back_alone():
    assert judged(event(9, "received", 30, 300_000)) == ([2], [])


def test_cash_in_time_for_both_takes_both_back():
    assert judged(event(9, "received", 20, 600_000)) == ([2, 3], [])


def test_cash_of_the_fees_own_day_came_too_late():
    assert judged(event(9, "received", 34, 300_000)) == ([], [])
    assert judged(event(9, "received", 33, 300_000)) == ([2], [])


def test_cash_that_is_a_minor_unit_short_leaves_the_fee():
    assert judged(event(9, "received", 30, 299_999)) == ([], [])


def test_time_that_was_given_before_takes_the_fee_back():
    extension = LoanEvent(9, EventKind.EXTENDED, day(25), day(80), days=10)

    assert judged(extension) == ([2, 3], [])


def test_a_fee_after_which_fees_were_waived_is_left_to_who_waived_it():
    waived = event(5, "waived", 70, 5_000, waives=Charge.FEES)
    in_time = event(9, "received", 20, 600_000)

    assert judged(waived, in_time) == ([], [])
    # Taken back itself, the waiver decides nothing.
    taken_back = LoanEvent(10, EventKind.REVERSED, day(70), day(80), reverses=5)
    assert judged(waived, in_time, taken_back) == ([2, 3], [])


def test_a_fee_taken_back_is_due_again_once_the_cash_is_gone():
    before = [fee(2, 30, stands=False), fee(3, 60)]
    undone = LoanEvent(8, EventKind.REVERSED, day(34), day(80), reverses=2)
    in_time = event(7, "received", 30, 300_000)
    gone = LoanEvent(9, EventKind.REVERSED, day(30), day(90), reverses=7)

    assert judged(undone, in_time, fees=before) == ([], [])
    assert judged(undone, in_time, gone, fees=before) == ([], [2])


@settings(max_examples=60, deadline=None)
@given(
    receipts=st.lists(st.tuples(st.integers(0, 100), st.integers(1, 400_000)), max_size=4),
)
def test_judged_twice_nothing_more_happens(receipts):
    told = [event(20 + n, "received", on, minor) for n, (on, minor) in enumerate(receipts)]
    undone, _ = judged_again(TERMS, [*LIFE, *told], FEES, known_on=day(200))
    reversals = [
        LoanEvent(100 + n, EventKind.REVERSED, each.value_date, day(150), reverses=each.event_id)
        for n, each in enumerate(undone)
    ]
    after = [
        LateFee(
            each.event_id, each.value_date, each.due_date, each.amount_minor, each not in undone
        )
        for each in FEES
    ]

    again = judged_again(TERMS, [*LIFE, *told, *reversals], after, known_on=day(200))

    assert again == ([], [])
