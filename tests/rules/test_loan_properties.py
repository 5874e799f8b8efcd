"""Laws that hold for every loan and every list of events."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from itertools import permutations

from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)
from tests.rules import oracle_loan as oracle

from tallystick.rules.calendars import Adjustment, is_business_day
from tallystick.rules.daycount import DayCount
from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan import fold, interest_of
from tallystick.rules.loan_balances import balances
from tallystick.rules.loan_events import (
    FIELDS_OF,
    PLAN_CHANGES,
    RECEIPTS,
    Charge,
    EventKind,
    Keeps,
    LoanEvent,
    events_in_force,
    rate_in_ppb,
)
from tallystick.rules.loan_explanation import explained
from tallystick.rules.loan_position import opened, running_interest, running_penalty
from tallystick.rules.loan_steps import EventOutOfOrder, advance, position_of
from tallystick.rules.loan_terms import (
    RECEIPT_ORDER,
    USUAL_ORDERS,
    Bucket,
    Debt,
    KindOrders,
    LoanTerms,
    PenaltyBand,
    plan_of,
)
from tallystick.rules.money import Rounding
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import Method, schedule

START = date(2027, 12, 20)  # so that a leap year and the end of February lie within reach
LAST = START + timedelta(days=150)
WEEK = timedelta(days=7)
EVER = date.max

ACTUAL_OVER_CONSTANT = [DayCount.ACT_360, DayCount.ACT_365F, DayCount.ACT_366]
DAY_COUNTS = [
    *ACTUAL_OVER_CONSTANT,
    DayCount.ACT_365_NO_LEAP,
    DayCount.ACT_365_25,
    DayCount.ACT_ACT_ISDA,
    DayCount.THIRTY_360_US,
    DayCount.THIRTY_360_BOND_BASIS,
    DayCount.THIRTY_E_360,
    DayCount.THIRTY_E_360_ISDA,
    DayCount.THIRTY_365,
]
# High rates on small amounts, so that interest meets every other bucket and many halves.
RATES = [Decimal(text) for text in ("0", "0.10", "0.36", "1.8", "3.65", "0.000000001")]

ORDERS = [
    order
    for order in permutations(RECEIPT_ORDER)
    if order.index(Bucket.PRINCIPAL_DUE) < order.index(Bucket.PRINCIPAL_NOT_DUE)
]

DEBT_ORDERS = list(permutations(Debt))

days = st.integers(min_value=0, max_value=150).map(lambda n: START + timedelta(days=n))
amounts = st.one_of(st.integers(1, 2_000), st.integers(1, 200_000))
rates = st.sampled_from(RATES)


@st.composite
def loan_terms(
    draw,
    methods=tuple(Method),
    day_counts=tuple(DAY_COUNTS),
    adjustments=(Adjustment.UNADJUSTED,),
):
    grace_days = draw(st.sampled_from([0, 0, 3, 40]))
    band_days = sorted(draw(st.sets(st.integers(grace_days + 1, 90), max_size=2)))
    return LoanTerms(
        currency="CNY",
        principal_minor=draw(st.integers(1, 200_000)),
        annual_rate=draw(rates),
        day_count=draw(st.sampled_from(day_counts)),
        method=draw(st.sampled_from(methods)),
        start=START,
        maturity=START + timedelta(days=draw(st.integers(1, 130))),
        rounding=draw(st.sampled_from(Rounding)),
        penalty_rate=draw(rates),
        penalty_grace_days=grace_days,
        penalty_bands=tuple(PenaltyBand(day, draw(rates)) for day in band_days),
        receipt_order=draw(st.one_of(st.just(RECEIPT_ORDER), st.sampled_from(ORDERS))),
        axis=draw(st.sampled_from(Axis)),
        kind_orders=draw(st.one_of(st.just(USUAL_ORDERS), kind_orders())),
        adjustment=draw(st.sampled_from(adjustments)),
    )


def kind_orders():
    buckets = st.none() | st.sampled_from(ORDERS)
    debts = st.sampled_from(DEBT_ORDERS)
    return st.builds(
        KindOrders,
        remitted=buckets,
        repaid=buckets,
        recovered=st.none() | debts,
        charged_back=debts,
    )


MONEY = ["received", "remitted", "repaid", "fee_charged", "rate_changed", "disbursed"]
TROUBLE = ["extended", "due_moved", "interest_paused", "re_aged", "restructured", "waived"]
TROUBLE += ["charged_back", "refunded", "charged_off", "recovered"]


@st.composite
def contents(draw, kind, value_date):
    """What an event of this kind carries; whether it can be true is for the fold to say."""
    later = st.integers(1, 90).map(lambda n: value_date + timedelta(days=n))
    values = {
        "amount_minor": amounts,
        "annual_rate": rates,
        "days": st.integers(1, 60),
        "due_date": days,
        "to_date": later,
        "waives": st.sampled_from(Charge),
        "keeps": st.sampled_from(Keeps),
    }
    if kind in ("charged_back", "refunded"):
        values["amount_minor"] = st.integers(1, 300)
    return {field: draw(values[field]) for field in FIELDS_OF[EventKind(kind)]}


def can_be_true(terms, events):
    """Whether a book would have taken the last of ``events`` after those before it."""
    try:
        position_of(terms, events, on=EVER, known_on=events[-1].booking_date)
    except Refusal:
        return False
    return True


@st.composite
def loans(draw, terms=None, reversible=True, kinds=(*MONEY, *TROUBLE)):
    """Terms and events that can all be true, each after those booked before it.

    Most begin with a payout, so that what follows finds a debt.
    """
    agreed = draw(loan_terms() if terms is None else terms)
    unpaid_minor = agreed.principal_minor
    first = draw(st.sampled_from(["disbursed", "disbursed", "disbursed", "received"]))
    others = [*kinds, *(["reversed"] if reversible else [])]
    events = []
    for kind in [first, *draw(st.lists(st.sampled_from(others), max_size=8))]:
        booked_before = events[-1].booking_date if events else START
        event = {
            "event_id": len(events) + 1,
            "value_date": draw(days if events else days.map(lambda day: min(day, START + WEEK))),
            "booking_date": booked_before + timedelta(days=draw(st.integers(0, 20))),
        }
        if kind == "reversed":
            taken_back = {other.reverses for other in events}
            standing = [
                other.event_id
                for other in events
                if other.reverses is None and other.event_id not in taken_back
            ]
            if not standing:
                continue
            event["reverses"] = draw(st.sampled_from(standing))
        elif kind == "disbursed":
            if not unpaid_minor:
                continue
            event["amount_minor"] = draw(st.integers((unpaid_minor + 1) // 2, unpaid_minor))
            unpaid_minor -= event["amount_minor"]
        else:
            event |= draw(contents(kind, event["value_date"]))
        if kind == "due_moved":
            held = position_of(agreed, events, on=event["value_date"], known_on=EVER)
            event["due_date"] = draw(st.sampled_from(held.dues)).due_date
        taken = LoanEvent(kind=EventKind(kind), **event)
        if can_be_true(agreed, [*events, taken]):
            events.append(taken)
    return agreed, events


@settings(max_examples=300, deadline=None)
@given(loan=loans(), on=days, known_after=st.integers(0, 150))
def test_the_fold_agrees_with_the_loan_read_aloud_night_by_night(loan, on, known_after):
    terms, events = loan
    known_on = START + timedelta(days=known_after)

    owed = fold(terms, events, on=on, known_on=known_on).balances

    expected = oracle.state(terms, events, on=on, known_on=known_on)
    assert {name: getattr(owed, name) for name in expected} == expected


@settings(max_examples=100, deadline=None)
@given(
    loan=loans(terms=loan_terms(adjustments=(Adjustment.FOLLOWING,)), kinds=(*MONEY, *TROUBLE[:5])),
    on=days,
)
def test_a_loan_on_business_days_agrees_with_the_loan_read_aloud_and_falls_due_on_them(loan, on):
    terms, events = loan

    owed = fold(terms, events, on=on, known_on=EVER).balances

    expected = oracle.state(terms, events, on=on, known_on=EVER)
    assert {name: getattr(owed, name) for name in expected} == expected
    if all(event.kind is not EventKind.EXTENDED for event in events):
        dues = position_of(terms, events, on=on, known_on=EVER).dues
        assert all(is_business_day(terms.calendar, due.due_date) for due in dues)


@settings(max_examples=100, deadline=None)
@given(loan=loans(), on=days)
def test_every_minor_unit_received_is_somewhere_and_no_balance_is_negative(loan, on):
    terms, events = loan

    state = fold(terms, events, on=on, known_on=EVER)

    owed = state.balances
    received_minor = sum(
        event.amount_minor
        for event in events_in_force(events, start=START, on=on, known_on=EVER)
        if event.kind in (*RECEIPTS, EventKind.RECOVERED)
    ) - sum(
        event.amount_minor
        for event in events_in_force(events, start=START, on=on, known_on=EVER)
        if event.kind in (EventKind.CHARGED_BACK, EventKind.REFUNDED)
    )
    assert received_minor == (
        owed.fees_received_minor
        + owed.penalty_received_minor
        + owed.interest_received_minor
        + owed.principal_repaid_minor
        + owed.recovered_minor
        + owed.credit_minor
    )
    assert owed.disbursed_minor == (
        owed.principal_repaid_minor + owed.principal_minor + owed.principal_charged_off_minor
    )
    assert (
        min(
            owed.principal_minor,
            owed.principal_due_minor,
            owed.fees_due_minor,
            owed.penalty_due_minor,
            owed.interest_due_minor,
            owed.credit_minor,
        )
        >= 0
    )
    assert owed.credit_minor == 0 or owed.owed_minor == 0


@settings(max_examples=100, deadline=None)
@given(loan=loans(reversible=False), on=days, data=st.data())
def test_the_order_of_booking_does_not_change_the_state(loan, on, data):
    terms, events = loan
    ordered = {EventKind.RATE_CHANGED: "rate", **dict.fromkeys(PLAN_CHANGES, "plan")}
    one_a_day = {
        (ordered[event.kind], event.value_date) if event.kind in ordered else event.event_id: event
        for event in events
    }
    events = list(one_a_day.values())
    rebooked = [
        replace(event, event_id=event_id, booking_date=START + timedelta(days=event_id))
        for event_id, event in enumerate(data.draw(st.permutations(events)), start=1)
    ]

    try:
        after = fold(terms, rebooked, on=on, known_on=EVER).balances
    except Refusal:
        reject()  # valid in the one order, and not in the other

    assert after == fold(terms, events, on=on, known_on=EVER).balances


@settings(max_examples=100, deadline=None)
@given(loan=loans(), on=days, data=st.data())
def test_the_order_in_the_list_changes_nothing_at_all(loan, on, data):
    terms, events = loan

    shuffled = data.draw(st.permutations(events))

    assert fold(terms, shuffled, on=on, known_on=EVER) == fold(terms, events, on=on, known_on=EVER)


@settings(max_examples=100, deadline=None)
@given(
    loan=loans(),
    kind=st.sampled_from(RECEIPTS),
    amount_minor=st.integers(2, 200_000),
    value_date=days,
    on=days,
    data=st.data(),
)
def test_splitting_a_payment_on_one_day_changes_nothing(
    loan, kind, amount_minor, value_date, on, data
):
    terms, events = loan
    first_minor = data.draw(st.integers(1, amount_minor - 1))

    def receipt(event_id, part_minor):
        return LoanEvent(event_id, kind, value_date, LAST, part_minor)

    whole = [*events, receipt(100, amount_minor)]
    assume(can_be_true(terms, whole))
    parts = [*events, receipt(100, first_minor), receipt(101, amount_minor - first_minor)]

    assert (
        fold(terms, parts, on=on, known_on=EVER).balances
        == fold(terms, whole, on=on, known_on=EVER).balances
    )


@settings(max_examples=100, deadline=None)
@given(loan=loans())
def test_whichever_way_one_receipt_runs_it_meets_as_much(loan):
    terms, events = loan
    last = LAST + timedelta(days=1)
    receipt = LoanEvent(100, EventKind.RECEIVED, last, last, 50_000)
    before = position_of(terms, events, on=last, known_on=EVER)
    assume(before.charged_off_date is None)

    met = {
        axis: advance(replace(before, terms=replace(terms, axis=axis)), receipt) for axis in Axis
    }

    by_part, by_instalment = met[Axis.BY_PART], met[Axis.BY_INSTALMENT]
    assert balances(by_part, last).owed_minor == balances(by_instalment, last).owed_minor
    assert by_part.credit_minor == by_instalment.credit_minor


@settings(max_examples=100, deadline=None)
@given(
    loan=loans(),
    kind=st.sampled_from(["received", "fee_charged", "rate_changed"]),
    amount_minor=amounts,
    annual_rate=rates,
    value_date=days,
    reversal_date=days,
    on=days,
)
def test_a_reversal_restores_the_state_before_the_event_on_every_day(
    loan, kind, amount_minor, annual_rate, value_date, reversal_date, on
):
    terms, events = loan
    changes_rate = kind == "rate_changed"
    event = LoanEvent(
        100,
        EventKind(kind),
        value_date,
        LAST,
        amount_minor=None if changes_rate else amount_minor,
        annual_rate=annual_rate if changes_rate else None,
    )
    reversal = LoanEvent(101, EventKind.REVERSED, reversal_date, LAST, reverses=100)

    after = fold(terms, [*events, event, reversal], on=on, known_on=EVER)

    assert after == fold(terms, events, on=on, known_on=EVER)


@settings(max_examples=100, deadline=None)
@given(loan=loans(), on=days, known_after=st.integers(0, 150))
def test_what_is_booked_later_does_not_change_what_was_known(loan, on, known_after):
    terms, events = loan
    known_on = START + timedelta(days=known_after)
    booked_by_then = [event for event in events if event.booking_date <= known_on]

    assert fold(terms, events, on=on, known_on=known_on) == fold(
        terms, booked_by_then, on=on, known_on=EVER
    )


@settings(max_examples=100, deadline=None)
@given(loan=loans(), on=days)
def test_taking_events_one_by_one_leads_to_the_same_position_as_folding_them(loan, on):
    terms, events = loan
    in_force = events_in_force(events, start=START, on=on, known_on=EVER)

    position = reduce(advance, in_force, opened(terms))

    assert position == position_of(terms, events, on=on, known_on=EVER)
    assert balances(position, on) == fold(terms, events, on=on, known_on=EVER).balances


@settings(max_examples=100, deadline=None)
@given(
    loan=loans(terms=loan_terms(methods=(Method.BULLET,), day_counts=tuple(ACTUAL_OVER_CONSTANT))),
    days_later=st.integers(0, 60),
)
def test_between_events_interest_and_penalty_are_closed_forms_of_the_day(loan, days_later):
    terms, events = loan
    terms = replace(terms, rounding=Rounding.HALF_UP, penalty_bands=())
    position = position_of(terms, events, on=LAST, known_on=EVER)
    on = LAST + timedelta(days=days_later)
    interest_from = max(position.accrued_to, position.interest_from)

    denominator = position.denominator
    interest = position.accrued_numerator + (
        position.principal_minor * position.rate_ppb * max(0, (on - interest_from).days)
    )
    penalty_from = max(
        position.accrued_to,
        position.dues[-1].due_date + timedelta(days=terms.penalty_grace_days),
    )
    penalty = position.penalty_numerator + (
        position.principal_minor
        * rate_in_ppb(terms.penalty_rate)
        * max(0, (on - penalty_from).days)
    )

    assert running_interest(position, on) == (2 * interest + denominator) // (2 * denominator)
    assert running_penalty(position, on) == (2 * penalty + denominator) // (2 * denominator)


@settings(max_examples=100, deadline=None)
@given(terms=loan_terms())
def test_a_loan_paid_as_scheduled_costs_what_its_schedule_says(terms):
    terms = replace(terms, receipt_order=RECEIPT_ORDER)
    payout = LoanEvent(1, EventKind.DISBURSED, START, START, terms.principal_minor)
    rows = schedule(plan_of(terms))
    receipts = [
        LoanEvent(
            1 + row.n,
            EventKind.RECEIVED,
            row.due_date,
            row.due_date,
            row.principal_minor + row.interest_minor,
        )
        for row in rows
        if row.principal_minor + row.interest_minor
    ]

    state = fold(terms, [payout, *receipts], on=terms.maturity + timedelta(days=1), known_on=EVER)

    owed = state.balances
    assert (owed.owed_minor, owed.credit_minor, owed.days_past_due) == (0, 0, 0)
    assert owed.interest_accrued_minor == sum(row.interest_minor for row in rows)
    assert owed.penalty_accrued_minor == 0


@settings(max_examples=100, deadline=None)
@given(loan=loans(), on=days)
def test_the_segments_add_up_to_what_was_accrued(loan, on):
    terms, events = loan
    terms = replace(terms, rounding=Rounding.HALF_UP)

    state = fold(terms, events, on=on, known_on=EVER)

    written = state.as_json()
    for segments, name in (
        (state.segments, "interest_accrued_minor"),
        (state.penalty_segments, "penalty_accrued_minor"),
    ):
        exact = sum((interest_of(terms, segment) for segment in segments), Fraction(0))
        assert (exact + Fraction(1, 2)) // 1 == written[name]
    for segments, name in (
        (written["segments"], "interest_accrued_minor"),
        (written["penalty_segments"], "penalty_accrued_minor"),
    ):
        shown = sum((Fraction(segment["interest"]) for segment in segments), Fraction(0))
        assert (shown + Fraction(1, 2)) // 1 == written[name]


@settings(max_examples=100, deadline=None)
@given(loan=loans(), on=days)
def test_every_figure_is_the_sum_of_its_named_terms(loan, on):
    terms, events = loan

    state = fold(terms, events, on=on, known_on=EVER)

    for figure in explained(state):
        assert figure.value == getattr(state.balances, figure.name)
        assert figure.value == sum(term.amount for term in figure.terms)


class Servicing(RuleBasedStateMachine):
    """A loan serviced day by day: booked today, dated whenever, reversed at will.

    The position kept up by single events, refolded only where an event is out of order, never
    differs from the fold; what each earlier day knew never changes.
    """

    booked = Bundle("booked")

    @initialize(terms=loan_terms())
    def agree(self, terms):
        self.terms = terms
        self.today = START
        self.events = []
        self.position = opened(terms)
        self.remembered = {}

    @rule(days=st.integers(1, 20))
    def let_days_pass(self, days):
        state = fold(self.terms, self.events, on=self.today, known_on=self.today)
        self.remembered[self.today] = state
        self.today += timedelta(days=days)

    @rule(target=booked, share=st.integers(1, 4), value_date=days)
    def pay_out(self, share, value_date):
        amount_minor = max(1, self.terms.principal_minor // share)
        return self.book(EventKind.DISBURSED, value_date, amount_minor=amount_minor)

    @rule(
        target=booked,
        kind=st.sampled_from([*MONEY, *TROUBLE, "prepaid"]),
        value_date=days,
        data=st.data(),
    )
    def happen(self, kind, value_date, data):
        return self.book(kind, value_date, **data.draw(contents(kind, value_date)))

    @rule(target=booked, kind=st.sampled_from([*MONEY, *TROUBLE, "prepaid"]), data=st.data())
    def happen_today(self, kind, data):
        return self.book(kind, self.today, **data.draw(contents(kind, self.today)))

    @rule(target=booked, place=st.integers(0, 3), days=st.integers(0, 40), value_date=days)
    def move_a_due_date(self, place, days, value_date):
        dues = self.position.dues
        due_date = dues[min(place, len(dues) - 1)].due_date
        to_date = max(due_date + timedelta(days=days - 20), value_date + timedelta(days=1))
        return self.book("due_moved", value_date, due_date=due_date, to_date=to_date)

    @rule(target=booked, event=booked, value_date=days)
    def take_back(self, event, value_date):
        is_reversal = event.reverses is not None
        if is_reversal or any(other.reverses == event.event_id for other in self.events):
            return multiple()
        return self.book(EventKind.REVERSED, value_date, reverses=event.event_id)

    def book(self, kind, value_date, **content):
        """Record an event as a book does: refused, it has not happened."""
        event = LoanEvent(len(self.events) + 1, EventKind(kind), value_date, self.today, **content)
        if not can_be_true(self.terms, [*self.events, event]):
            return multiple()
        self.events.append(event)
        try:
            self.position = advance(self.position, event)
        except EventOutOfOrder:
            self.position = position_of(self.terms, self.events, on=EVER, known_on=self.today)
        return event

    @invariant()
    def the_position_is_the_fold(self):
        assert self.position == position_of(self.terms, self.events, on=EVER, known_on=self.today)

    @invariant()
    def principal_repaid_outstanding_and_charged_off_is_what_was_disbursed(self):
        held = self.position
        assert held.disbursed_minor == (
            held.principal_repaid_minor + held.principal_minor + held.principal_charged_off_minor
        )

    @invariant()
    def no_balance_is_negative(self):
        owed = balances(self.position, max(LAST, self.position.last_value_date))
        assert all(minor >= 0 for name, minor in asdict(owed).items() if name.endswith("_minor"))

    @invariant()
    def either_nothing_is_owed_or_no_credit_is_left(self):
        owed = balances(self.position, max(LAST, self.position.last_value_date))
        assert owed.credit_minor == 0 or owed.owed_minor == 0

    def teardown(self):
        for day, state in getattr(self, "remembered", {}).items():
            assert state == fold(self.terms, self.events, on=day, known_on=day)


TestServicing = Servicing.TestCase
TestServicing.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
