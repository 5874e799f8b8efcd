"""Settlement: a facility's cash meets what its loans owe, bucket by bucket."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.daycount import DayCount
from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan_events import RECEIPTS, EventKind, LoanEvent
from tallystick.rules.loan_position import Position
from tallystick.rules.loan_steps import advance, position_of
from tallystick.rules.loan_terms import (
    RECEIPT_ORDER,
    USUAL_ORDERS,
    Bucket,
    KindOrders,
    LoanTerms,
)
from tallystick.rules.receipt_orders import order_of
from tallystick.rules.schedule import Method
from tallystick.rules.settlement import (
    OwingLoan,
    instalments_owed_in_hindsight,
    instalments_owed_on,
    owed_in_hindsight,
    owed_on,
    prepayment_down_to_cover,
    sweep,
)

START = date(2026, 3, 2)
NOTHING = dict.fromkeys(Bucket, 0)


def owing(loan_id: int, *, due: int = 30, disbursed: int = 0, **owed_minor: int) -> OwingLoan:
    return OwingLoan(
        loan_id,
        START + timedelta(days=due),
        START + timedelta(days=disbursed),
        NOTHING | {Bucket(bucket): amount_minor for bucket, amount_minor in owed_minor.items()},
    )


def paid(
    cash_minor: int,
    *loans: OwingLoan,
    order=RECEIPT_ORDER,
    axis=Axis.BY_PART,
    max_prepaid_minor=None,
):
    swept = sweep(cash_minor, loans, order=order, axis=axis, max_prepaid_minor=max_prepaid_minor)
    return [(p.loan_id, str(p.bucket), p.amount_minor) for p in swept.paid], swept.rest_minor


def test_a_bucket_is_paid_over_all_loans_before_the_next_one():
    older = owing(1, due=10, interest=10, principal_due=500)
    younger = owing(2, due=20, fees=3, interest=20, principal_not_due=700)

    assert paid(600, older, younger) == (
        [
            (2, "fees", 3),
            (1, "interest", 10),
            (2, "interest", 20),
            (1, "principal_due", 500),
            (2, "principal_not_due", 67),
        ],
        0,
    )


def test_by_instalment_the_oldest_loan_is_paid_whole_before_the_next_one():
    older = owing(1, due=10, interest=10, principal_due=500)
    younger = owing(2, due=20, fees=3, interest=20, principal_not_due=700)

    assert paid(600, younger, older, axis=Axis.BY_INSTALMENT) == (
        [
            (1, "interest", 10),
            (1, "principal_due", 500),
            (2, "fees", 3),
            (2, "interest", 20),
            (2, "principal_not_due", 67),
        ],
        0,
    )


def test_by_instalment_a_loans_oldest_instalment_is_paid_whole_before_its_next():
    first = NOTHING | {Bucket.FEES: 5, Bucket.INTEREST: 10, Bucket.PRINCIPAL_DUE: 100}
    second = NOTHING | {Bucket.INTEREST: 9, Bucket.PRINCIPAL_DUE: 100}
    to_come = NOTHING | {Bucket.INTEREST: 3, Bucket.PRINCIPAL_NOT_DUE: 100}
    loan = owing(1, fees=5, interest=22, principal_due=200, principal_not_due=100)._replace(
        instalments=[first, second, to_come]
    )

    assert paid(240, loan, axis=Axis.BY_INSTALMENT) == (
        [
            (1, "fees", 5),
            (1, "interest", 10),
            (1, "principal_due", 100),
            (1, "interest", 9),
            (1, "principal_due", 100),
            (1, "interest", 3),
            (1, "principal_not_due", 13),
        ],
        0,
    )


def test_inside_a_bucket_the_oldest_due_date_the_oldest_payout_and_the_lowest_id_come_first():
    loans = [
        owing(4, due=20, disbursed=1, interest=1),
        owing(3, due=20, disbursed=0, interest=1),
        owing(9, due=10, disbursed=5, interest=1),
        owing(2, due=20, disbursed=1, interest=1),
    ]

    assert [loan_id for loan_id, _, _ in paid(4, *loans)[0]] == [9, 3, 2, 4]


def test_the_order_of_the_buckets_is_the_programmes():
    order = (
        Bucket.PRINCIPAL_DUE,
        Bucket.PRINCIPAL_NOT_DUE,
        Bucket.INTEREST,
        Bucket.PENALTY,
        Bucket.FEES,
    )

    assert paid(550, owing(1, fees=5, interest=60, principal_due=500), order=order) == (
        [(1, "principal_due", 500), (1, "interest", 50)],
        0,
    )


@pytest.mark.parametrize("axis", Axis)
def test_principal_not_due_is_repaid_up_to_the_bound_and_the_rest_is_left(axis):
    loans = [owing(1, due=10, principal_not_due=100), owing(2, due=20, principal_not_due=100)]

    assert paid(300, *loans, axis=axis, max_prepaid_minor=130) == (
        [(1, "principal_not_due", 100), (2, "principal_not_due", 30)],
        170,
    )


@pytest.mark.parametrize(
    ("drawn_minor", "principal_due_minor", "cover_minor", "prepaid_minor"),
    [
        pytest.param(1_000, 0, 1_200, 0, id="covered: nothing"),
        pytest.param(1_000, 0, 700, 300, id="short of cover: the shortfall"),
        pytest.param(1_000, 400, 700, 0, id="what is due brings it under cover already"),
        pytest.param(1_000, 100, 700, 200, id="what is due brings part of it"),
        pytest.param(1_000, 0, 0, 1_000, id="no cover left: all of it"),
    ],
)
def test_a_sweep_down_to_cover_repays_the_shortfall(
    drawn_minor, principal_due_minor, cover_minor, prepaid_minor
):
    assert (
        prepayment_down_to_cover(
            drawn_minor=drawn_minor,
            principal_due_minor=principal_due_minor,
            cover_minor=cover_minor,
        )
        == prepaid_minor
    )


def a_loan(
    principal_minor: int,
    *,
    days: int,
    rate: Decimal,
    order: tuple[Bucket, ...],
    fee_minor: int,
    axis: Axis = Axis.BY_PART,
    method: Method = Method.BULLET,
    kind_orders: KindOrders = USUAL_ORDERS,
) -> Position:
    """A loan paid out on START, with a fee charged on it where ``fee_minor`` is above zero."""
    terms = LoanTerms(
        currency="CNY",
        principal_minor=principal_minor,
        annual_rate=rate,
        day_count=DayCount.ACT_360,
        method=method,
        start=START,
        maturity=START + timedelta(days=days),
        frequency=Period(1, PeriodUnit.WEEKS),
        penalty_rate=Decimal("0.05"),
        receipt_order=order,
        axis=axis,
        kind_orders=kind_orders,
    )
    events = [LoanEvent(1, EventKind.DISBURSED, START, START, principal_minor)]
    if fee_minor:
        events.append(LoanEvent(2, EventKind.FEE_CHARGED, START, START, fee_minor))
    return position_of(terms, events, on=START, known_on=START)


ORDERS = [
    order
    for order in permutations(Bucket)
    if order.index(Bucket.PRINCIPAL_DUE) < order.index(Bucket.PRINCIPAL_NOT_DUE)
]


@st.composite
def facilities(draw) -> list[Position]:
    order = draw(st.sampled_from(ORDERS))
    axis = draw(st.sampled_from(Axis))
    kind_orders = KindOrders(
        remitted=draw(st.none() | st.sampled_from(ORDERS)),
        repaid=draw(st.none() | st.sampled_from(ORDERS)),
    )
    return [
        a_loan(
            draw(st.integers(1, 10**9)),
            days=draw(st.integers(1, 60)),
            rate=Decimal(draw(st.integers(0, 400))).scaleb(-3),
            order=order,
            fee_minor=draw(st.integers(0, 1_000)),
            axis=axis,
            method=draw(st.sampled_from([Method.BULLET, Method.EQUAL_PRINCIPAL])),
            kind_orders=kind_orders,
        )
        for _ in range(draw(st.integers(1, 4)))
    ]


KIND_OF = {
    Bucket.FEES: "fees_received_minor",
    Bucket.PENALTY: "penalty_received_minor",
    Bucket.INTEREST: "interest_received_minor",
    Bucket.PRINCIPAL_DUE: "principal_repaid_minor",
    Bucket.PRINCIPAL_NOT_DUE: "principal_repaid_minor",
}


def owing_on(key: int, loan: Position, on: date) -> OwingLoan:
    parts = instalments_owed_on(loan, on)
    assert owed_on(loan, on) == {bucket: sum(part[bucket] for part in parts) for bucket in Bucket}
    return OwingLoan(key, loan.terms.maturity, START, owed_on(loan, on), parts)


@given(
    loans=facilities(),
    days=st.integers(0, 60),
    cash_minor=st.integers(0, 10**9),
    max_prepaid_minor=st.none() | st.integers(0, 10**9),
)
def test_by_part_and_by_instalment_the_loans_get_as_much_together(
    loans, days, cash_minor, max_prepaid_minor
):
    on = START + timedelta(days=days)
    owed = [owing_on(key, loan, on) for key, loan in enumerate(loans)]

    rests_minor = set()
    for axis in Axis:
        swept = sweep(
            cash_minor,
            owed,
            order=loans[0].terms.receipt_order,
            axis=axis,
            max_prepaid_minor=max_prepaid_minor,
        )
        assert sum(paid.amount_minor for paid in swept.paid) + swept.rest_minor == cash_minor
        rests_minor.add(swept.rest_minor)

    assert len(rests_minor) == 1


@given(
    loans=facilities(),
    receipts=st.lists(
        st.tuples(
            st.integers(0, 40),
            st.integers(1, 10**9),
            st.none() | st.integers(0, 10**9),
            st.sampled_from(RECEIPTS),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_what_a_sweep_gives_each_loan_is_what_the_loans_own_fold_does_with_it(loans, receipts):
    standing = dict(enumerate(loans, start=1))
    terms = loans[0].terms
    on = START
    for number, (days_later, cash_minor, max_prepaid_minor, kind) in enumerate(receipts, start=10):
        # Of one day, kinds come in their own order: another one is a fold, and corrected.
        on += timedelta(days=max(1, days_later))
        order = order_of(terms, kind)
        # A programme bounds prepayment only where it comes last (rules.programme).
        is_last = order[-1] is Bucket.PRINCIPAL_NOT_DUE
        swept = sweep(
            cash_minor,
            [owing_on(key, loan, on) for key, loan in standing.items()],
            order=order,
            axis=terms.axis,
            max_prepaid_minor=max_prepaid_minor if is_last else None,
        )
        assert sum(p.amount_minor for p in swept.paid) + swept.rest_minor == cash_minor
        for key, before in list(standing.items()):
            of_loan = [p for p in swept.paid if p.loan_id == key]
            if not of_loan:
                continue
            amount_minor = sum(p.amount_minor for p in of_loan)
            event = LoanEvent(number, kind, on, on, amount_minor)
            after = advance(before, event)

            for field in set(KIND_OF.values()):
                expected = sum(p.amount_minor for p in of_loan if KIND_OF[p.bucket] == field)
                assert getattr(after, field) - getattr(before, field) == expected
            assert after.credit_minor == before.credit_minor
            standing[key] = after


def test_a_backdated_receipt_finds_only_what_later_cash_has_not_met():
    loan = a_loan(1_000_000, days=60, rate=Decimal("0.36"), order=RECEIPT_ORDER, fee_minor=0)
    later = START + timedelta(days=20)
    now = advance(loan, LoanEvent(9, EventKind.RECEIVED, later, later, 720_000))

    # By day 20 interest is 1,000 a day: the receipt paid 20,000 of it and 700,000 of principal.
    assert now.principal_minor == 300_000
    assert owed_in_hindsight(loan, now, START + timedelta(days=10)) == NOTHING | {
        Bucket.INTEREST: 0,
        Bucket.PRINCIPAL_NOT_DUE: 300_000,
    }


def test_a_backdated_receipt_finds_of_each_instalment_what_later_cash_has_not_met():
    loan = a_loan(
        400_000,
        days=28,
        rate=Decimal("0.36"),
        order=RECEIPT_ORDER,
        fee_minor=0,
        axis=Axis.BY_INSTALMENT,
        method=Method.EQUAL_PRINCIPAL,
    )
    later = START + timedelta(days=21)
    # A week brings 2,800 of interest and 100,000 due; by day 21 they have cost 292 of penalty. The
    # receipt meets that, the first instalment and 100 of the second's interest.
    now = advance(loan, LoanEvent(9, EventKind.RECEIVED, later, later, 292 + 102_800 + 100))

    on = START + timedelta(days=14)
    parts = instalments_owed_in_hindsight(loan, now, on)

    assert [(part[Bucket.INTEREST], part[Bucket.PRINCIPAL_DUE]) for part in parts] == [
        (0, 100_000),
        (2_700, 100_000),
        (0, 0),
    ]
    assert parts[-1][Bucket.PRINCIPAL_NOT_DUE] == 100_000
    assert owed_in_hindsight(loan, now, on) == {
        bucket: sum(part[bucket] for part in parts) for bucket in Bucket
    }
