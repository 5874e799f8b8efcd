"""The close's benchmark measures what it says, on books that stay sound."""

from datetime import timedelta

from tallystick.book.impairment.checks import impairment_checks
from tallystick.book.impairment.models import LoanClass
from tallystick.book.ledger.checks import ledger_checks
from tallystick.book.servicing.checks import servicing_checks
from tallystick.book.servicing.models import DayStep, LoanEvent, Position
from tallystick.lab.bench import close
from tallystick.lab.bench.taken_over import OPENED


def test_the_benchmark_closes_days_of_a_book_of_which_one_loan_in_a_hundred_changes(database):
    measured = close.closes_of(2_000, age_days=700, url=database.url)

    assert measured.wrong == 0
    assert measured.day.seconds > sum(measured.day.steps.values()) * 0.9
    # A position that was superseded when its due date moved, one in force, and another for each day
    # on which a repayment met the loan or a night moved it to the book of another class. The first
    # night moves most, of loans whose rows are of the same day.
    received = LoanEvent.objects.filter(kind="received").values_list("loan_id", "booking_date")
    bad = LoanClass.objects.filter(asset_class="substandard")
    moved = [
        (row.loan_id, row.from_date + timedelta(days=1)) for row in bad if row.from_date > OPENED
    ]
    assert len(received) == 20 * close.DAYS
    assert Position.objects.count() == 2 * 2_000 + len({*received, *moved})
    assert measured.moved > 50 > len(moved) > 0
    assert DayStep.objects.filter(step="seal").count() == 2 + close.DAYS
    checks = (*servicing_checks(), *ledger_checks(), *impairment_checks())
    assert [finding for check in checks for finding in check.run()] == []
    figures = close.measure(measured, measured, measured, loans=2_000, old_days=700)
    assert {figure.what: figure.bound for figure in figures if figure.bound is not None} == {
        "close of 2,000 loans 1 day old": 10,
        "close of 2,000 loans 700 days old": 10,
        "old to young": 1.1,
        "close after repayments dated back, old": 10,
        "dated back to dated on the day": 2,
        "differences from a fold of every 100th loan": 0,
    }


def test_repayments_that_are_dated_back_count_from_before_others_of_the_same_loans(database):
    measured = close.closes_of(1_000, age_days=700, url=database.url, back_dated=True)

    assert measured.wrong == 0
    dated = LoanEvent.objects.filter(kind="received", loan_id=100).order_by("id")
    assert [(event.booking_date - event.value_date).days for event in dated] == [0, 30, 30, 30]
    assert dated[0].value_date > max(event.value_date for event in dated[1:])
    checks = (*servicing_checks(), *ledger_checks())
    assert [finding for check in checks for finding in check.run()] == []
