"""A loan's movements on a statement sum to what it owes."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import EventKind, LoanEvent
from tallystick.rules.loan_position import accrual_to, owed_by_bucket
from tallystick.rules.loan_statement import StatedKind, stated_movements
from tallystick.rules.loan_steps import position_of
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.schedule import Method

START = date(2026, 3, 2)
PRINCIPAL_MINOR = 1_000_000_00
TERMS = LoanTerms(
    currency="CNY",
    principal_minor=PRINCIPAL_MINOR,
    annual_rate=Decimal("0.10"),
    day_count=DayCount.ACT_360,
    method=Method.BULLET,
    start=START,
    maturity=START + timedelta(days=60),
    penalty_rate=Decimal("0.05"),
)

MOVES = st.lists(
    st.tuples(
        st.sampled_from([EventKind.RECEIVED, EventKind.FEE_CHARGED]),
        st.integers(0, 90),
        st.integers(1, 600_000_00),
    ),
    max_size=6,
)


def events_of(moves) -> list[LoanEvent]:
    payout = LoanEvent(1, EventKind.DISBURSED, START, START, PRINCIPAL_MINOR, None, None)
    others = [
        LoanEvent(
            number,
            kind,
            START + timedelta(days=days),
            START + timedelta(days=days),
            amount,
            None,
            None,
        )
        for number, (kind, days, amount) in enumerate(moves, start=2)
    ]
    return [payout, *others]


@given(moves=MOVES, days=st.integers(0, 100))
def test_the_movements_up_to_a_day_sum_to_what_is_owed_after_its_night(moves, days):
    events = events_of(moves)
    last_day = START + timedelta(days=days)
    stated = stated_movements(TERMS, events, until=[last_day])
    position = position_of(TERMS, events, on=last_day, known_on=date.max)
    owed = owed_by_bucket(position, accrual_to(position, last_day + timedelta(days=1)))
    # Penalty and principal fallen due are parts of the same sum.
    assert sum(each.amount_minor for each in stated) == sum(owed.values())


@given(moves=MOVES, first=st.integers(0, 50), more=st.integers(1, 50))
def test_a_period_told_apart_changes_no_sum_and_moves_nothing_across_its_border(moves, first, more):
    events = events_of(moves)
    border, last_day = START + timedelta(days=first), START + timedelta(days=first + more)
    apart = stated_movements(TERMS, events, until=[border, last_day])
    before = [each for each in apart if each.value_date <= border]
    alone = stated_movements(TERMS, events, until=[border])
    assert sum(e.amount_minor for e in before) == sum(e.amount_minor for e in alone)
    whole = stated_movements(TERMS, events, until=[last_day])
    assert sum(e.amount_minor for e in apart) == sum(e.amount_minor for e in whole)


def test_a_loan_paid_out_and_repaid_reads_like_its_history():
    repaid = LoanEvent(
        2,
        EventKind.RECEIVED,
        START + timedelta(days=36),
        START + timedelta(days=36),
        PRINCIPAL_MINOR + 10_000_00,
        None,
        None,
    )
    payout = LoanEvent(1, EventKind.DISBURSED, START, START, PRINCIPAL_MINOR, None, None)
    stated = stated_movements(TERMS, [payout, repaid], until=[START + timedelta(days=50)])
    # 36 days of 10 % over 360 on a million is ten thousand.
    assert [(each.kind, each.amount_minor) for each in stated] == [
        (StatedKind.PAID_OUT, PRINCIPAL_MINOR),
        (StatedKind.INTEREST, 10_000_00),
        (StatedKind.REPAID, -PRINCIPAL_MINOR - 10_000_00),
    ]


def test_a_loan_that_starts_after_the_statement_ends_states_nothing():
    assert stated_movements(TERMS, events_of([]), until=[START - timedelta(days=1)]) == []
