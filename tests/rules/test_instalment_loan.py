"""A loan of instalments: its table at any moment, and where all money went."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.daycount import DayCount
from tallystick.rules.instalment_accrual import accrual_until, closing_accrual
from tallystick.rules.instalment_events import (
    InstalmentEvent,
    InstalmentEventKind,
    InvalidInstalmentEvent,
    Reschedule,
)
from tallystick.rules.instalment_journal import postings_of
from tallystick.rules.instalment_loan import Status, fold
from tallystick.rules.instalment_terms import (
    STANDARD_ORDER,
    Advance,
    Ahead,
    AllocationOrder,
    Axis,
    InstalmentTerms,
    InvalidInstalmentTerms,
    Joining,
    Part,
    Reach,
    Recalculation,
    ReceiptKind,
)
from tallystick.rules.money import Rounding
from tallystick.rules.schedule import (
    Accrual,
    InterestOn,
    InterestRounding,
    Method,
    ScheduleTerms,
    schedule,
)
from tallystick.rules.schedule_dates import ScheduleImpossible

START = date(2026, 1, 1)
LATE = date.max

PLAN = ScheduleTerms(
    principal_minor=100_000,
    annual_rate=Decimal("0.12"),
    day_count=DayCount.ACT_365F,
    method=Method.EQUAL_INSTALMENTS,
    start=START,
    number_of_periods=4,
    frequency=Period(1, PeriodUnit.MONTHS),
    rounding=Rounding.HALF_EVEN,
    accrual=Accrual.WHOLE_PERIODS,
    interest_rounding=InterestRounding.EACH_PERIOD,
)
TERMS = InstalmentTerms(currency="EUR", plan=PLAN)
NO_INTEREST = replace(TERMS, plan=replace(PLAN, annual_rate=Decimal(0)))
RECALCULATED = replace(TERMS, recalculation=Recalculation(), joining=Joining.NEXT)

K = InstalmentEventKind


def event(event_id, kind, on, **fields):
    return InstalmentEvent(event_id, kind, on, **fields)


def paid_out(amount_minor=100_000, on=START, event_id=1):
    return event(event_id, K.DISBURSED, on, amount_minor=amount_minor)


def received(event_id, on, amount_minor, receipt=ReceiptKind.REPAYMENT):
    return event(event_id, K.RECEIVED, on, amount_minor=amount_minor, receipt=receipt)


def charged(event_id, on, amount_minor, *, due, is_penalty=False):
    return event(
        event_id, K.CHARGED, on, amount_minor=amount_minor, due_date=due, is_penalty=is_penalty
    )


def paid(loan):
    return [row.paid_minor for row in loan.rows]


def owed(loan):
    return [row.owed_minor for row in loan.rows]


days = st.integers(0, 200).map(lambda n: START + timedelta(days=n))
amounts = st.integers(1, 60_000)


@st.composite
def histories(draw):
    """A payout, then payouts, receipts, charges and money that goes back, on any days."""
    events = [paid_out()]
    for _ in range(draw(st.integers(0, 6))):
        number, on = len(events) + 1, draw(days)
        kinds = ["received", "charged", "charged_back", "refunded", "paid_out"]
        match draw(st.sampled_from(kinds)):
            case "paid_out":
                events.append(paid_out(draw(amounts), on, event_id=number))
            case "received":
                events.append(received(number, on, draw(amounts)))
            case "charged":
                events.append(charged(number, on, draw(amounts), due=draw(days)))
            case "charged_back":
                events.append(event(number, K.CHARGED_BACK, on, amount_minor=draw(amounts)))
            case "refunded":
                events.append(event(number, K.CREDIT_REFUNDED, on, amount_minor=draw(amounts)))
    return events


any_terms = st.sampled_from(
    [
        TERMS,
        NO_INTEREST,
        RECALCULATED,
        replace(
            TERMS,
            recalculation=Recalculation(
                reach=Reach.RUNNING_PERIOD, advance=Advance.LOWER_INSTALMENT
            ),
        ),
        replace(TERMS, plan=replace(PLAN, interest_on=InterestOn.ORIGINAL)),
        replace(TERMS, order=replace(STANDARD_ORDER, ahead=Ahead.LAST)),
        replace(TERMS, joining=Joining.WHOLE_LIFE),
        replace(TERMS, plan=replace(PLAN, down_payment_bps=2_500), pays_down_at_once=True),
        replace(TERMS, order=replace(STANDARD_ORDER, ahead=Ahead.ALL_EQUALLY, axis=Axis.BY_PART)),
    ]
)


@settings(max_examples=150, deadline=None)
@given(terms=any_terms, events=histories())
def test_every_minor_unit_is_somewhere_and_no_instalment_is_overpaid(terms, events):
    loan = fold(terms, events, on=LATE)

    owed_again = sum(row.credited_minor for row in loan.rows)
    principal = sum(row.owed[Part.PRINCIPAL] for row in loan.rows)
    paid_out_minor = sum(e.amount_minor for e in events if e.kind is K.DISBURSED)
    assert principal == paid_out_minor + owed_again
    for row in loan.rows:
        assert all(0 <= row.paid[part] <= row.owed[part] for part in Part)
    received_minor = sum(m.amount_minor for m in loan.movements if m.receipt is not None)
    gone_back = sum(e.amount_minor for e in events if e.kind in (K.CHARGED_BACK, K.CREDIT_REFUNDED))
    assert received_minor + owed_again - gone_back == sum(paid(loan)) + loan.credit_minor


@settings(max_examples=80, deadline=None)
@given(terms=any_terms, events=histories())
def test_the_postings_of_every_movement_balance_and_tie_to_the_table(terms, events):
    loan = fold(terms, events, on=LATE)

    principal = 0
    for movement in loan.movements:
        postings = postings_of(movement, book=1, party=1)
        assert sum(posting.side * posting.amount_minor for posting in postings) == 0
        principal += sum(
            posting.side * posting.amount_minor
            for posting in postings
            if posting.account.name == "loan_principal"
        )
    assert principal == sum(row.outstanding_of(Part.PRINCIPAL) for row in loan.rows)


@settings(max_examples=80, deadline=None)
@given(
    terms=st.sampled_from([TERMS, NO_INTEREST]),
    on=days,
    first_minor=amounts,
    second_minor=amounts,
)
def test_splitting_a_receipt_on_one_day_changes_nothing(terms, on, first_minor, second_minor):
    whole = fold(terms, [paid_out(), received(2, on, first_minor + second_minor)], on=LATE)
    parts = [paid_out(), received(2, on, first_minor), received(3, on, second_minor)]

    assert [row.paid for row in fold(terms, parts, on=LATE).rows] == [
        row.paid for row in whole.rows
    ]


@settings(max_examples=80, deadline=None)
@given(terms=any_terms, events=histories(), on=days, amount_minor=amounts)
def test_a_reversal_restores_what_was_before(terms, events, on, amount_minor):
    number = len(events) + 1
    undone = [
        *events,
        received(number, on, amount_minor),
        event(number + 1, K.REVERSED, on, reverses=number),
    ]

    assert fold(terms, undone, on=LATE).rows == fold(terms, events, on=LATE).rows


@settings(max_examples=50, deadline=None)
@given(terms=any_terms, on=days)
def test_whoever_pays_the_whole_table_owes_nothing(terms, on):
    before = fold(terms, [paid_out(), event(2, K.CLOSED_DAY, on)], on=LATE)
    everything = before.outstanding_minor()

    loan = fold(terms, [paid_out(), received(2, on, everything)], on=LATE)

    assert loan.status in (Status.PAID, Status.OVERPAID)
    assert loan.outstanding_minor() == 0


def test_before_money_is_paid_out_the_table_is_what_was_agreed():
    loan = fold(TERMS, [], on=START)

    agreed = [(r.due_date, r.principal_minor, r.interest_minor) for r in schedule(PLAN)]
    assert loan.status is Status.AGREED
    assert loan.outstanding_minor() == 0
    assert [
        (row.due_date, row.owed[Part.PRINCIPAL], row.owed[Part.INTEREST]) for row in loan.rows
    ] == agreed


def test_an_instalment_that_is_not_recalculated_stays_as_it_was_made():
    late = date(2026, 6, 1)

    loan = fold(TERMS, [paid_out(), event(2, K.CLOSED_DAY, late)], on=LATE)

    assert owed(loan) == [r.principal_minor + r.interest_minor for r in schedule(PLAN)]


def test_principal_past_due_bears_interest_where_the_table_follows_the_money():
    """1,000.00 at 12 %: the second period bears 10.00 on all of it, and not 7.54."""
    loan = fold(RECALCULATED, [paid_out(), event(2, K.CLOSED_DAY, date(2026, 3, 1))], on=LATE)

    assert [row.owed[Part.INTEREST] for row in loan.rows[:2]] == [1_000, 1_000]
    assert owed(loan)[0] == owed(loan)[1] == 25_628  # 100,000 × 0.01 / (1 − 1.01⁻⁴)


def prepaid_at_26_per_cent(*amounts_minor, on):
    """1,000.00 over 12 months at 26 %, instalments of 95.48, prepaid by these receipts."""
    plan = replace(
        PLAN,
        annual_rate=Decimal("0.26"),
        day_count=DayCount.ACT_ACT_LAST_DAY,
        start=date(2021, 1, 1),
        number_of_periods=12,
        accrual=Accrual.DAILY,
        evened=True,
    )
    principal_first = (Part.PENALTY, Part.FEE, Part.PRINCIPAL, Part.INTEREST)
    terms = replace(
        RECALCULATED,
        plan=plan,
        order=AllocationOrder(principal_first, principal_first, principal_first),
    )
    events = [paid_out(on=date(2021, 1, 1))]
    events += [received(n, on, amount) for n, amount in enumerate(amounts_minor, start=2)]
    return fold(terms, events, on=LATE)


def test_what_is_paid_ahead_is_principal_up_to_the_whole_instalment():
    """Apache Fineract, LoanInterestRefundTest: 45.20 is left for the eleventh, nothing then."""
    loan = prepaid_at_26_per_cent(100_000, on=date(2021, 1, 1))

    assert loan.status is Status.PAID
    assert [row.owed[Part.PRINCIPAL] for row in loan.rows] == [9_548] * 10 + [4_520, 0]
    assert not any(row.owed[Part.INTEREST] for row in loan.rows)


def test_the_running_instalment_pays_its_interest_as_far_as_it_has_come():
    """The same on 22 January, with 14.96 of interest: 21 days of 365 on 1,000.00."""
    loan = prepaid_at_26_per_cent(100_000, 1_496, on=date(2021, 1, 22))

    assert loan.status is Status.PAID
    assert [row.owed[Part.PRINCIPAL] for row in loan.rows] == [8_052, *[9_548] * 9, 6_016, 0]
    assert [row.owed[Part.INTEREST] for row in loan.rows] == [1_496, *[0] * 11]


def test_a_receipt_runs_through_instalments_or_through_their_parts():
    """Two instalments of 256.28 are past due; 300.00 come."""
    on = date(2026, 3, 15)
    by_part = replace(TERMS, order=replace(STANDARD_ORDER, axis=Axis.BY_PART))
    events = [paid_out(), received(2, on, 30_000)]

    along = fold(TERMS, events, on=LATE)
    across = fold(by_part, events, on=LATE)

    assert [row.paid[Part.INTEREST] for row in along.rows[:2]] == [1_000, 754]
    assert paid(along)[:2] == [25_628, 4_372]
    assert [row.paid[Part.INTEREST] for row in across.rows[:2]] == [1_000, 754]
    assert paid(across)[:2] == [25_628, 4_372]


def test_parts_first_means_the_charges_of_all_instalments_before_any_principal():
    on = date(2026, 3, 15)
    by_part = replace(NO_INTEREST, order=replace(STANDARD_ORDER, axis=Axis.BY_PART))
    events = [
        paid_out(),
        charged(2, START, 500, due=date(2026, 2, 1)),
        charged(3, START, 700, due=date(2026, 3, 1)),
        received(4, on, 1_000),
    ]

    assert paid(fold(NO_INTEREST, events, on=LATE))[:2] == [1_000, 0]
    assert paid(fold(by_part, events, on=LATE))[:2] == [500, 500]


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        pytest.param(Ahead.NEXT, [25_000, 5_000, 0, 0], id="the next instalments"),
        pytest.param(Ahead.LAST, [0, 0, 5_000, 25_000], id="the last instalments"),
        pytest.param(Ahead.ALL_EQUALLY, [7_500, 7_500, 7_500, 7_500], id="all equally"),
    ],
)
def test_what_comes_before_anything_is_due_pays(ahead, expected):
    terms = replace(NO_INTEREST, order=replace(STANDARD_ORDER, ahead=ahead))

    loan = fold(terms, [paid_out(), received(2, date(2026, 1, 10), 30_000)], on=LATE)

    assert paid(loan) == expected


def test_a_receipt_of_its_own_kind_has_its_own_order():
    last = replace(STANDARD_ORDER, ahead=Ahead.LAST)
    terms = replace(NO_INTEREST, orders={ReceiptKind.GOODWILL: last})
    events = [
        paid_out(),
        received(2, date(2026, 1, 10), 1_000),
        received(3, date(2026, 1, 10), 2_000, ReceiptKind.GOODWILL),
    ]

    assert paid(fold(terms, events, on=LATE)) == [1_000, 0, 0, 2_000]


def test_a_charge_is_paid_by_receipts_from_the_day_it_counts_from():
    """A receipt before the charge was recorded, and before it is due, does not see it."""
    early, recorded, due = date(2026, 1, 10), date(2026, 1, 15), date(2026, 1, 20)
    events = [paid_out(), received(2, early, 1_000), charged(3, recorded, 500, due=due)]

    loan = fold(NO_INTEREST, events, on=LATE)

    assert loan.rows[0].paid[Part.FEE] == 0
    assert loan.rows[0].owed[Part.FEE] == 500


def test_more_than_is_owed_becomes_credit_and_pays_the_next_charge():
    events = [
        paid_out(),
        received(2, date(2026, 1, 10), 100_700),
        charged(3, date(2026, 2, 1), 500, due=date(2026, 2, 1)),
    ]

    loan = fold(NO_INTEREST, events, on=LATE)

    assert loan.credit_minor == 200
    assert loan.outstanding_minor() == 0


def test_a_paid_loan_recognises_what_had_not_fallen_due():
    loan = fold(TERMS, [paid_out(), received(2, date(2026, 1, 10), 102_513)], on=LATE)

    accrual = closing_accrual(loan)
    assert accrual is not None
    assert accrual.value_date == date(2026, 1, 10)
    assert accrual.parts_minor[Part.INTEREST] == 2_513  # 10.00 + 7.54 + 5.05 + 2.54
    assert closing_accrual(fold(TERMS, [paid_out()], on=LATE)) is None


def test_interest_is_earned_by_the_nights_of_its_period_and_a_charge_on_its_own_date():
    """Charges as Apache Fineract recognises them at a close (C2647); nights are our reading."""
    fee = event(2, K.CHARGED, START, amount_minor=1_000, due_date=START + timedelta(days=10))
    loan = fold(TERMS, [paid_out(), fee], on=LATE)
    first = loan.rows[0]
    nights = (first.due_date - first.from_date).days

    def earned(days):
        parts = accrual_until(loan, START + timedelta(days=days)).parts_minor
        return parts[Part.INTEREST], parts[Part.FEE]

    assert earned(0) == (0, 0)
    assert earned(9) == (round(Decimal(first.owed[Part.INTEREST] * 9) / nights), 0)
    assert earned(10)[1] == 1_000
    assert earned(nights) == (first.owed[Part.INTEREST], 1_000)
    whole_life = accrual_until(loan, loan.rows[-1].due_date).parts_minor
    assert whole_life[Part.INTEREST] == sum(row.owed[Part.INTEREST] for row in loan.rows)


def charge_of(amount_minor, *, is_penalty=False):
    due_date = START + timedelta(days=10)
    return event(
        2, K.CHARGED, START, amount_minor=amount_minor, due_date=due_date, is_penalty=is_penalty
    )


@pytest.mark.parametrize("is_penalty", [False, True])
def test_a_waiver_forgoes_what_is_unpaid_of_a_charge_and_takes_it_off_the_income(is_penalty):
    told = [paid_out(), charge_of(1_000, is_penalty=is_penalty)]
    before = fold(TERMS, told, on=LATE)

    after = fold(TERMS, [*told, event(3, K.CHARGE_WAIVED, START, waives=2)], on=LATE)

    part = Part.PENALTY if is_penalty else Part.FEE
    assert after.outstanding_minor() == before.outstanding_minor() - 1_000
    assert after.rows[0].owed == before.rows[0].owed
    assert after.outstanding_of(part) == 0
    waiver = after.movements[-1]
    booked = {
        posting.account.name: (posting.side.value, posting.amount_minor)
        for posting in postings_of(waiver, book=1, party=1)
    }
    assert {name: amount for name, (_, amount) in booked.items()} == {
        f"{part.value}_income": 1_000,
        f"{part.value}_receivable": 1_000,
    }


def test_what_was_paid_of_a_charge_is_not_waived():
    due = START + timedelta(days=40)
    told = [paid_out(), charge_of(1_000), received(3, due, 400)]

    loan = fold(TERMS, [*told, event(4, K.CHARGE_WAIVED, due, waives=2)], on=LATE)

    assert loan.rows[0].paid[Part.FEE] == 400
    assert loan.rows[0].waived[Part.FEE] == 600


def test_a_waiver_taken_back_leaves_the_charge_owed():
    told = [paid_out(), charge_of(1_000)]
    waived = event(3, K.CHARGE_WAIVED, START, waives=2)
    taken_back = event(4, K.REVERSED, START, reverses=3)

    assert fold(TERMS, [*told, waived, taken_back], on=LATE).rows == fold(TERMS, told, on=LATE).rows


def test_only_a_charge_can_be_waived():
    with pytest.raises(InvalidInstalmentEvent, match="waives 1, which is no charge"):
        fold(TERMS, [paid_out(), event(2, K.CHARGE_WAIVED, START, waives=1)], on=LATE)


@pytest.mark.parametrize("name", ["principal_grace_periods", "interest_grace_periods"])
def test_grace_for_all_periods_makes_no_schedule(name):
    plan = replace(TERMS.plan, **{name: TERMS.plan.number_of_periods})

    with pytest.raises(ScheduleImpossible, match=f"{name} is 4 and there are 4 periods"):
        fold(replace(TERMS, plan=plan), [paid_out()], on=LATE)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([paid_out(), event(2, K.REVERSED, START, reverses=9)], id="reversal of none"),
        pytest.param(
            [
                paid_out(),
                received(2, START, 5),
                event(3, K.REVERSED, START, reverses=2),
                event(4, K.REVERSED, START, reverses=3),
            ],
            id="reversal of a reversal",
        ),
        pytest.param([paid_out(), paid_out()], id="one id twice"),
        pytest.param(
            [paid_out(), paid_out(on=date(2500, 1, 1), event_id=2)], id="paid out in 2500"
        ),
        pytest.param(
            [paid_out(), event(2, K.CHARGED_OFF, START), event(3, K.CHARGED_OFF, START)],
            id="charged off twice",
        ),
        pytest.param(
            [
                paid_out(),
                event(
                    2,
                    K.RESCHEDULED,
                    START,
                    due_date=date(2026, 3, 1),
                    reschedule=Reschedule(new_due_date=date(2026, 1, 15)),
                ),
            ],
            id="a due date moved before the one before it",
        ),
        pytest.param(
            [
                paid_out(),
                event(
                    2,
                    K.RESCHEDULED,
                    START,
                    due_date=date(2027, 1, 1),
                    reschedule=Reschedule(extra_periods=1),
                ),
            ],
            id="a due date that there is not",
        ),
    ],
)
def test_events_that_cannot_be_are_refused(events):
    with pytest.raises(InvalidInstalmentEvent, match=r"give|name|reverse|correct"):
        fold(TERMS, events, on=LATE)


def test_amounts_below_one_and_orders_with_parts_left_out_are_refused():
    with pytest.raises(InvalidInstalmentEvent, match="above zero"):
        received(1, START, 0)
    with pytest.raises(InvalidInstalmentTerms, match="name each of"):
        AllocationOrder((Part.FEE,), STANDARD_ORDER.due, STANDARD_ORDER.in_advance)
    with pytest.raises(InvalidInstalmentTerms, match="number_of_periods"):
        InstalmentTerms("EUR", replace(PLAN, number_of_periods=None, maturity=date(2026, 5, 1)))
