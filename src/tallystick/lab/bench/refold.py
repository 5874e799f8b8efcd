"""How long a late event takes: one loan folded anew, and a back-dated receipt end to end.

The second and third loans have the shape of one whose accruals and dues another system reposted
for twelve minutes: 2,394 days with 2,053 payments, or 2,053 due dates, and a receipt dated back to
the middle of their life. End to end is the whole act: the receipt kept, the loan read and folded,
its position, plan, status and limits written, and the difference posted to the ledger.
"""

import json
import statistics
from datetime import date, timedelta
from decimal import Decimal

import psycopg

from tallystick.book.acts.once import once
from tallystick.book.financing.models import Loan
from tallystick.book.ledger.post import post_many
from tallystick.book.servicing.changes import NewLoanEvent
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.events import record_events
from tallystick.book.servicing.history import folded, loan_events
from tallystick.book.servicing.positions import positions_of
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.store_positions import store
from tallystick.lab.bench.figures import Figure, median_seconds, seconds
from tallystick.lab.bench.taken_over import FIRST_DAY, bench_caller, take_over
from tallystick.rules.accounting import Allocation, Booking, cash_received, receipt_allocated
from tallystick.rules.calendars import WEEKENDS_ONLY
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import EventKind, LoanEvent
from tallystick.rules.loan_steps import position_of
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.loan_turns import standing_on
from tallystick.rules.schedule import Method

EVENTS = 5_000
ACCRUAL_DAYS, DUES = 2_394, 2_053
RUNS = 5
PAID_MINOR = 40
MAX_REFOLD_MS, MAX_RECEIPT_MS = 50, 100
EVER = date.max


def measure(owner: psycopg.Connection[tuple[object, ...]]) -> list[Figure]:
    """Both figures; ``owner`` is connected to an empty database."""
    receipt_seconds, dues_seconds, wrong = _back_dated(owner)
    return [
        Figure(
            f"refold of a loan with {EVENTS:,} events",
            1000 * _refold_seconds(),
            "ms",
            bound=MAX_REFOLD_MS,
        ),
        Figure(
            f"receipt dated back, {ACCRUAL_DAYS:,} days and {DUES:,} payments",
            1000 * receipt_seconds,
            "ms",
            bound=MAX_RECEIPT_MS,
        ),
        Figure(
            f"the same with {DUES:,} due dates, half of them unpaid",
            1000 * dues_seconds,
            "ms",
            bound=MAX_RECEIPT_MS,
        ),
        Figure("differences of their positions from a fold", wrong, "", bound=0),
    ]


def _refold_seconds() -> float:
    start = date(2020, 1, 1)
    terms = LoanTerms(
        currency="CNY",
        principal_minor=10**12,
        annual_rate=Decimal("0.10"),
        day_count=DayCount.ACT_360,
        method=Method.BULLET,
        start=start,
        maturity=start + timedelta(days=2_000),
        penalty_rate=Decimal("0.05"),
    )
    events = [LoanEvent(1, EventKind.DISBURSED, start, start, 10**12)]
    for number in range(2, EVENTS + 1):
        day = start + timedelta(days=number // 2)
        events.append(LoanEvent(number, EventKind.RECEIVED, day, day, 10**8 + number))
    return median_seconds(lambda: position_of(terms, events, on=EVER, known_on=EVER), runs=RUNS)


def _back_dated(owner: psycopg.Connection[tuple[object, ...]]) -> tuple[float, float, int]:
    """The median act on the loan with payments, that on the one with due dates, and what is wrong.

    The second is not paid at all before: every due date of its first half is past due.
    """
    legal_entity_id = take_over(owner, loans=2, age_days=ACCRUAL_DAYS)
    with_payments, with_dues = Loan.objects.order_by("pk")
    _plan(owner, with_dues)
    owner.commit()
    close_through(legal_entity_id, FIRST_DAY - timedelta(days=1), caller=bench_caller())
    _pay(with_payments)
    held = positions_of([with_dues.pk])[with_dues.pk]
    planned = folded(held, loan_events([held.loan_id])[held.loan_id], FIRST_DAY)
    store([planned], booking_date=FIRST_DAY)
    took = [_late_receipts_seconds(loan) for loan in (with_payments, with_dues)]
    loans = positions_of([with_payments.pk, with_dues.pk])
    events = loan_events(loans)
    wrong = 0
    for held in loans.values():
        anew = position_of(held.terms, events[held.loan_id], on=EVER, known_on=EVER)
        wrong += standing_on(anew, held.booking_date) != held.position
    return took[0], took[1], wrong


def _late_receipts_seconds(loan: Loan) -> float:
    half = FIRST_DAY - timedelta(days=ACCRUAL_DAYS // 2)
    return statistics.median(
        seconds(
            lambda key=f"late {loan.pk} {run}", day=half + timedelta(days=run): repay(
                loan.code, PAID_MINOR, value_date=day, caller=bench_caller(), key=key
            )
        )
        for run in range(RUNS)
    )


def _plan(owner: psycopg.Connection[tuple[object, ...]], loan: Loan) -> None:
    """Let the loan fall due in so many equal parts over its life, the last one after today."""
    dates = [
        loan.drawn_date + timedelta(days=number * (ACCRUAL_DAYS + 30) // DUES)
        for number in range(1, DUES + 1)
    ]
    plan = {
        "due_dates": [day.isoformat() for day in dates],
        "planned_minor": [loan.principal_minor * number // DUES for number in range(1, DUES + 1)],
        "level_minor": loan.principal_minor // DUES,
        "calendar": WEEKENDS_ONLY.name,
        "known_to_date": date.max.isoformat(),
    }
    owner.execute(
        "UPDATE financing_loan SET agreed_plan = %s, due_date = %s, maturity_date = %s"
        " WHERE id = %s",
        [json.dumps(plan), dates[0], dates[-1], loan.pk],
    )


def _pay(loan: Loan) -> None:
    """So many payments over the loan's life, all told of today."""
    today = loan.facility.legal_entity.business_date
    with once(bench_caller(), key="payments", kind="bench", request={}) as act:
        booking = Booking(loan.facility.legal_entity_id, "CNY", f"loan:{loan.code}", today, today)
        paid = Allocation({loan.book_id: {"principal": DUES * PAID_MINOR}}, {}, {}, {}, 0)
        post_many(
            [
                cash_received(booking, amount_minor=DUES * PAID_MINOR),
                receipt_allocated(booking, paid),
            ],
            act_id=act.act_id,
        )
        record_events(
            [
                NewLoanEvent(
                    loan_id=loan.pk,
                    kind=EventKind.RECEIVED,
                    value_date=loan.drawn_date + timedelta(days=number * ACCRUAL_DAYS // DUES),
                    reference=f"payment:{number}",
                    act_id=act.act_id,
                    amount_minor=PAID_MINOR,
                    booked={"principal": PAID_MINOR},
                )
                for number in range(DUES)
            ],
            booking_date=today,
        )
        act.answer({})
