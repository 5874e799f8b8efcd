"""Laws of loans repaid in instalments on business days, whatever is told of them in what order."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from tests.rules.test_loan_properties import EVER, LAST, START, can_be_true, contents, days

from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment, period_of
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan import fold
from tallystick.rules.loan_balances import balances
from tallystick.rules.loan_events import PLAN_CHANGES, EventKind, Keeps, LoanEvent, events_in_force
from tallystick.rules.loan_position import opened
from tallystick.rules.loan_schedule import expected_payments
from tallystick.rules.loan_steps import advance, position_of
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.loan_turns import standing_on
from tallystick.rules.refusal import Refusal
from tallystick.rules.repayment import RepaymentTerms, instalments
from tallystick.rules.schedule import Method

END = LAST + timedelta(days=120)
KINDS = ["received", "received", "repaid", "fee_charged", "rate_changed", "rate_changed"]
KINDS += ["prepaid", "extended", "re_aged", "restructured", "interest_paused", "charged_back"]


@st.composite
def drawdowns(draw, keeps=(None, *Keeps)):
    """A loan as a programme with instalments agrees it."""
    amount_minor = draw(st.integers(1_000, 2_000_000))
    rate = draw(st.sampled_from([Decimal(text) for text in ("0", "0.06", "0.36")]))
    repayment = RepaymentTerms(
        draw(st.sampled_from([Method.EQUAL_INSTALMENTS] * 2 + [Method.EQUAL_PRINCIPAL])),
        period_of(draw(st.sampled_from(["1W", "2W", "1M"]))),
        draw(st.sampled_from(keeps)),
    )
    day_count = draw(st.sampled_from([DayCount.ACT_360, DayCount.ACT_ACT_ISDA]))
    agreed = instalments(
        repayment,
        amount_minor=amount_minor,
        annual_rate=rate,
        day_count=day_count,
        drawn_date=START,
        tenor_days=draw(st.integers(40, 130)),
        max_tenor_days=150,
        calendar=WEEKENDS_ONLY,
        adjustment=Adjustment.FOLLOWING,
    )
    assert repayment.every is not None
    return LoanTerms(
        currency="CNY",
        principal_minor=amount_minor,
        annual_rate=rate,
        day_count=day_count,
        method=repayment.method,
        start=START,
        maturity=agreed.plan.dues[-1].due_date,
        frequency=repayment.every,
        penalty_rate=Decimal("0.18"),
        penalty_grace_days=draw(st.sampled_from([0, 3])),
        agreed_plan=agreed.plan,
        prepaid_keeps=repayment.prepaid_keeps,
        adjustment=Adjustment.FOLLOWING,
    )


@st.composite
def lives(draw, keeps=(None, *Keeps)):
    """Terms, and events that a book would have taken, each after those booked before it."""
    terms = draw(drawdowns(keeps))
    events = [LoanEvent(1, EventKind.DISBURSED, START, START, terms.principal_minor)]
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=7)):
        value_date = draw(days)
        content = draw(contents(kind, value_date))
        if "amount_minor" in content and kind != "charged_back":
            content["amount_minor"] = draw(st.integers(1, terms.principal_minor // 2))
        booked = events[-1].booking_date + timedelta(days=draw(st.integers(0, 20)))
        told = LoanEvent(len(events) + 1, EventKind(kind), value_date, booked, **content)
        if can_be_true(terms, [*events, told]):
            events.append(told)
    return terms, events


@settings(max_examples=80, deadline=None)
@given(life=lives())
def test_taking_events_one_by_one_and_standing_between_them_comes_to_the_fold(life):
    terms, events = life
    position = opened(terms)
    for event in events_in_force(events, start=START, on=EVER, known_on=EVER):
        position = advance(
            standing_on(position, max(event.value_date, position.stands_from_date)), event
        )

    folded = position_of(terms, events, on=EVER, known_on=EVER)
    assert standing_on(position, END) == standing_on(folded, END)


@settings(max_examples=80, deadline=None)
@given(life=lives(), on=days, data=st.data())
def test_the_order_of_booking_changes_nothing(life, on, data):
    terms, events = life
    ordered = {EventKind.RATE_CHANGED: "rate", **dict.fromkeys(PLAN_CHANGES, "plan")}
    one_a_day = {
        (ordered[event.kind], event.value_date) if event.kind in ordered else event.event_id: event
        for event in events
    }
    rebooked = [
        replace(event, event_id=number, booking_date=START + timedelta(days=number))
        for number, event in enumerate(data.draw(st.permutations(list(one_a_day.values()))), 1)
    ]

    try:
        after = fold(terms, rebooked, on=on, known_on=EVER).balances
    except Refusal:
        reject()  # valid in the one order, and not in the other

    assert after == fold(terms, list(one_a_day.values()), on=on, known_on=EVER).balances


@settings(max_examples=80, deadline=None)
@given(life=lives(), value_date=days, on=days, data=st.data())
def test_splitting_a_payment_on_one_day_changes_nothing(life, value_date, on, data):
    terms, events = life
    whole_minor = data.draw(st.integers(2, terms.principal_minor))
    first_minor = data.draw(st.integers(1, whole_minor - 1))

    def paid(event_id, minor):
        return LoanEvent(event_id, EventKind.RECEIVED, value_date, LAST, minor)

    whole = [*events, paid(100, whole_minor)]
    parts = [*events, paid(100, first_minor), paid(101, whole_minor - first_minor)]
    assume(can_be_true(terms, whole) and can_be_true(terms, parts))

    assert (
        fold(terms, parts, on=on, known_on=EVER).balances
        == fold(terms, whole, on=on, known_on=EVER).balances
    )


@settings(max_examples=80, deadline=None)
@given(life=lives(), value_date=days, kind=st.sampled_from(KINDS), on=days, data=st.data())
def test_a_reversal_restores_what_would_have_been_on_every_later_day(
    life, value_date, kind, on, data
):
    terms, events = life
    content = data.draw(contents(kind, value_date))
    told = LoanEvent(100, EventKind(kind), value_date, LAST, **content)
    taken_back = LoanEvent(101, EventKind.REVERSED, value_date, LAST, reverses=100)

    after = position_of(terms, [*events, told, taken_back], on=END, known_on=EVER)

    assert standing_on(after, END) == standing_on(
        position_of(terms, events, on=END, known_on=EVER), END
    )
    assert (
        fold(terms, [*events, told, taken_back], on=on, known_on=EVER).balances
        == fold(terms, events, on=on, known_on=EVER).balances
    )


@settings(max_examples=80, deadline=None)
@given(life=lives(), on=days)
def test_the_payments_to_come_repay_all_principal_and_leave_nothing_owed(life, on):
    terms, events = life
    position = position_of(terms, events, on=on, known_on=EVER)
    owed = balances(position, max(on, position.stands_from_date))

    payments = expected_payments(position, max(on, position.stands_from_date))

    assert sum(payment.principal_minor for payment in payments) == owed.principal_minor
    assert [each.due_date for each in payments] == sorted({each.due_date for each in payments})
    assert all(each.total_minor > 0 for each in payments)


@settings(max_examples=80, deadline=None)
@given(life=lives(), on=days)
def test_a_plan_only_grows_to_all_that_was_agreed(life, on):
    terms, events = life

    position = position_of(terms, events, on=on, known_on=EVER)

    due_dates = [due.due_date for due in position.dues]
    planned = [due.planned_minor for due in position.dues]
    assert due_dates == sorted(set(due_dates))
    assert planned == sorted(planned)
    assert planned[-1] == terms.principal_minor
    assert len(position.agreed_dates) == len(position.dues)
