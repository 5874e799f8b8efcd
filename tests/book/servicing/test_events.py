"""Events move positions; the ledger follows the fold, whatever the order of booking."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import net_minor
from tests.book.servicing.scene import START, an_act

from tallystick.book.financing.models import Loan
from tallystick.book.ledger.post import post
from tallystick.book.servicing.accrual import accrue, owed_by_book
from tallystick.book.servicing.events import EventInFuture, NewLoanEvent, record_events
from tallystick.book.servicing.history import loan_events
from tallystick.book.servicing.models import LoanEvent, Position
from tallystick.book.servicing.pass_turns import pass_turns
from tallystick.book.servicing.positions import positions_of
from tallystick.rules.journal import AccountName, JournalEntry, credit, debit
from tallystick.rules.loan_events import EventKind
from tallystick.rules.loan_position import running_interest, running_penalty
from tallystick.rules.loan_steps import position_of
from tallystick.rules.loan_turns import standing_on

RECEIVED, FEE, RATE, REVERSED = (
    EventKind.RECEIVED,
    EventKind.FEE_CHARGED,
    EventKind.RATE_CHANGED,
    EventKind.REVERSED,
)

tellings = st.lists(
    st.tuples(
        st.sampled_from([RECEIVED, RECEIVED, RECEIVED, FEE, RATE, REVERSED]),
        st.integers(0, 30),  # days after the telling before
        st.integers(0, 60),  # days back to the value date
        st.integers(1, 600_000),
    ),
    min_size=1,
    max_size=7,
)


REPAID = [
    (method, "1W", keeps)
    for method, keeps in [
        ("equal_instalments", None),
        ("equal_instalments", "term"),
        ("equal_instalments", "instalment"),
        ("equal_principal", None),
    ]
]
"""Plans of instalments: by which method, every how long, and what a prepayment keeps."""


def tell(scene, loan_id: int, kind: EventKind, *, on: date, value_date: date, size: int) -> None:
    """Record one event as an act would, its own entry included."""
    with an_act("told") as act:
        event = {"loan_id": loan_id, "kind": kind, "value_date": value_date}
        booked: dict[str, int] = {}
        if kind is RECEIVED:
            event["amount_minor"], booked = size, {"credit": size}
            entry(scene, on, value_date, debit(BANK, size), credit(CREDIT(loan_id), size))
        elif kind is FEE:
            event["amount_minor"] = size
            entry(scene, on, value_date, debit(FEES(scene), size), credit(INCOME(scene), size))
        elif kind is RATE:
            event["annual_rate_ppb"] = size * 100
        else:
            receipt = latest_standing_receipt(loan_id)
            if receipt is None:
                act.answer({})
                return
            size = receipt.amount_minor
            event |= {"reverses": receipt.event_id, "value_date": receipt.value_date}
            booked = {"credit": -size}
            entry(scene, on, receipt.value_date, debit(CREDIT(loan_id), size), credit(BANK, size))
        record_events(
            [NewLoanEvent(**event, reference="test", act_id=act.act_id, booked=booked)],
            booking_date=on,
        )
        act.answer({})


BANK = AccountName("bank")


def CREDIT(loan_id: int) -> AccountName:  # noqa: N802 - reads as the account it is
    supplier_id = Loan.objects.values_list("facility__supplier_id", flat=True).get(pk=loan_id)
    return AccountName("supplier_credit", party=supplier_id)


def FEES(scene) -> AccountName:  # noqa: N802
    return AccountName("fee_receivable", book=scene.book_id)


def INCOME(scene) -> AccountName:  # noqa: N802
    return AccountName("fee_income", book=scene.book_id)


def entry(scene, on, value_date, *postings) -> None:
    post(
        JournalEntry(
            scene.legal_entity_id, scene.currency, "test", "test", value_date, on, postings
        )
    )


def latest_standing_receipt(loan_id: int):
    events = loan_events([loan_id])[loan_id]
    reversed_ids = {event.reverses for event in events}
    standing = [e for e in events if e.kind is RECEIVED and e.event_id not in reversed_ids]
    return standing[-1] if standing else None


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@example(
    told=[(EventKind.REVERSED, 7, 0, 1)],
    amount_minor=1,
    days=11,
    repaid=("equal_instalments", "1W", None),
)
@given(
    told=tellings,
    amount_minor=st.integers(1, 2_000_000),
    days=st.integers(1, 60),
    repaid=st.sampled_from([None, *REPAID]),
)
def test_whatever_is_told_in_whatever_order_position_and_ledger_are_the_fold_of_all_events(
    database, told, amount_minor, days, repaid
):
    with transaction.atomic():
        scene = scenes.opened()
        facility = scenes.facility(scene, "S1", repaid and scenes.in_instalments(*repaid))
        loan_id = scenes.lent(facility, amount_minor, days=days)
        scenes.let_days_be_open(scene, 400)
        on = START
        for kind, days_later, days_back, size in told:
            on += timedelta(days=days_later)
            value_date = max(START, on - timedelta(days=days_back))
            tell(scene, loan_id, kind, on=on, value_date=value_date, size=size)

        pass_turns(scene.legal_entity_id, on=on)  # as the close of the day before has done
        loan = positions_of([loan_id])[loan_id]
        folded = position_of(loan.terms, loan_events([loan_id])[loan_id], on=on, known_on=on)
        assert loan.position == standing_on(folded, on)
        with an_act("accrue") as act:
            accrue(scene.legal_entity_id, day=on, act_id=act.act_id)
            act.answer({})
        tomorrow = on + timedelta(days=1)
        position = loan.position
        assert {
            "loan_principal": position.principal_minor,
            "interest_receivable": running_interest(position, tomorrow)
            - position.interest_received_minor,
            "penalty_receivable": running_penalty(position, tomorrow)
            - position.penalty_received_minor,
            "fee_receivable": position.fees_charged_minor - position.fees_received_minor,
            "supplier_credit": -position.credit_minor,
        } == {
            name: net_minor(scene, name)
            for name in (
                "loan_principal",
                "interest_receivable",
                "penalty_receivable",
                "fee_receivable",
                "supplier_credit",
            )
        }
        facility.refresh_from_db()
        assert facility.drawn_minor == position.principal_minor
        status = Loan.objects.values_list("status", flat=True).get(pk=loan_id)
        assert status == ("settled" if loan_is_settled(loan) else "live")
        transaction.set_rollback(True)


def loan_is_settled(loan) -> bool:
    return Position.objects.get(loan=loan.loan_id, superseded_date=date.max).settled


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    loans=st.lists(
        st.tuples(
            st.integers(1, 2**50),
            st.integers(0, 400_000_000),
            st.integers(0, 200_000_000),
            st.integers(1, 90),
            st.sampled_from(["ACT/360", "ACT/365F", "ACT/366"]),
            st.none() | st.tuples(st.integers(0, 20), st.integers(1, 2**50)),
        ),
        min_size=1,
        max_size=6,
    ),
    night=st.integers(20, 700),
)
def test_the_books_accrual_in_sql_is_the_sum_of_the_loans_rounded_running_totals(
    database, loans, night
):
    with transaction.atomic():
        scene = scenes.opened()
        facility = scenes.facility(scene, "S1")
        scenes.let_days_be_open(scene, 800)
        loan_ids = []
        for amount_minor, rate_ppb, penalty_rate_ppb, days, day_count, receipt in loans:
            loan_ids.append(
                scenes.lent(
                    facility,
                    amount_minor,
                    days=days,
                    rate_ppb=rate_ppb,
                    penalty_rate_ppb=penalty_rate_ppb,
                    day_count=day_count,
                    on=START,
                )
            )
            if receipt:
                later = START + timedelta(days=receipt[0])
                tell(scene, loan_ids[-1], RECEIVED, on=later, value_date=later, size=receipt[1])
        day = START + timedelta(days=night)
        until = day + timedelta(days=1)
        positions = [loan.position for loan in positions_of(loan_ids).values()]

        owed = owed_by_book(scene.legal_entity_id, day=day)[scene.book_id]

        assert owed.interest_minor == sum(
            running_interest(p, until) - p.interest_received_minor for p in positions
        )
        assert owed.penalty_minor == sum(
            running_penalty(p, until) - p.penalty_received_minor for p in positions
        )
        transaction.set_rollback(True)


def test_the_close_of_a_day_sees_the_loans_as_they_stood_that_day(database):
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, "S1"), 3_600_000)
    scenes.let_days_be_open(scene, 10)
    tomorrow = START + timedelta(days=1)
    with transaction.atomic():
        tell(scene, loan_id, RECEIVED, on=tomorrow, value_date=tomorrow, size=4_000_000)

    # Ten per cent of 36,000.00 for one night of 360: 10.00.
    assert owed_by_book(scene.legal_entity_id, day=START)[scene.book_id].interest_minor == 1_000
    assert owed_by_book(scene.legal_entity_id, day=tomorrow)[scene.book_id].interest_minor == 0
    assert list(
        Position.objects.order_by("booking_date").values_list("booking_date", "superseded_date")
    ) == [(START, tomorrow), (tomorrow, date.max)]


def test_an_event_of_a_day_that_has_not_begun_is_refused(database):
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, "S1"), 1_000)

    with pytest.raises(EventInFuture, match="after the open business day"), transaction.atomic():
        tell(scene, loan_id, RECEIVED, on=START, value_date=START + timedelta(days=1), size=1)


def test_the_position_of_a_past_day_cannot_be_rewritten(database):
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, "S1"), 1_000)
    scenes.let_days_be_open(scene, 10)
    later = START + timedelta(days=3)
    with transaction.atomic():
        tell(scene, loan_id, RECEIVED, on=later, value_date=later, size=10)

    refused = pytest.raises(IntegrityError, match="its rows are only added to")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE servicing_position SET principal_minor = 1 WHERE booking_date = %s", [START]
        )


def test_an_event_of_a_loan_or_an_act_that_is_not_there_is_refused(database):
    scene = scenes.opened()
    loan_id = scenes.lent(scenes.facility(scene, "S1"), 1_000)
    write = (
        "INSERT INTO servicing_loanevent (loan_id, kind, value_date, booking_date, amount_minor,"
        " reference, act_id) SELECT %s, 'received', %s, %s, 1, '', %s"
    )
    (act_id,) = LoanEvent.objects.values_list("act_id", flat=True)

    for unknown, said in (((loan_id + 1, act_id), "loan_id"), ((loan_id, act_id + 99), "act_id")):
        refused = pytest.raises(IntegrityError, match=f"{said} of servicing_loanevent refers to")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(write, [unknown[0], START, START, unknown[1]])
