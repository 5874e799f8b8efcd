"""Loans in instalments: due dates come by themselves, and the books follow without a fold."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import books_of, findings, net_minor
from tests.book.servicing.scene import CALLER, START

from tallystick.book import calendars
from tallystick.book.collections.past_due import late_loans
from tallystick.book.financing.models import Loan
from tallystick.book.servicing import pass_turns
from tallystick.book.servicing.accrual import owed_by_book
from tallystick.book.servicing.change_rate import change_rate
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.dues import dues_of
from tallystick.book.servicing.extend import move_due_date, re_age
from tallystick.book.servicing.models import LoanEvent, Position, RepaymentPlan
from tallystick.book.servicing.positions import positions_of
from tallystick.book.servicing.repay import repay
from tallystick.rules.loan_balances import balances
from tallystick.rules.loan_position import interest_met, running_interest, running_penalty

DAY = timedelta(days=1)
# Three instalments of 12,000.00, a week apart.
AMOUNT_MINOR = 3_600_000
FIRST, SECOND, THIRD = (START + n * timedelta(weeks=1) for n in (1, 2, 3))


def lent(scene, *, keeps=None, method="equal_principal", every="1W", days=21, **terms):
    facility = scenes.facility(scene, "S1", scenes.in_instalments(method, every, keeps))
    loan_id = scenes.lent(facility, AMOUNT_MINOR, days=days, **terms)
    return Loan.objects.get(pk=loan_id)


def closed_to(scene, day: date) -> None:
    """``day`` is open: every day before it has been closed."""
    close_through(scene.legal_entity_id, day - DAY)


def position(loan):
    return positions_of([loan.pk])[loan.pk].position


def test_instalments_fall_due_on_business_days_and_sum_to_what_was_lent(database):
    scene = scenes.opened()
    loan = lent(scene, every="1M", days=92)

    plan = RepaymentPlan.objects.get(loan=loan)

    # 2 May is a holiday, as are the days up to 5 May.
    assert plan.due_dates == [date(2026, 4, 2), date(2026, 5, 6), date(2026, 6, 2)]
    assert plan.planned_minor == [1_200_000, 2_400_000, 3_600_000]
    assert (loan.due_date, loan.maturity_date) == (date(2026, 4, 2), date(2026, 6, 2))


def test_a_due_date_that_comes_is_passed_by_the_close_and_the_loan_shows_the_next(database):
    scene = scenes.opened()
    loan = lent(scene)
    closed_to(scene, FIRST)
    due = dues_of([loan], on=FIRST)[0]
    # 36,000.00 at 10 % for 7 days of a year of 360.
    assert (due.principal_minor, due.interest_minor) == (1_200_000, 7_000)

    repay(loan.code, due.total_minor, value_date=None, caller=CALLER, key="first")
    closed_to(scene, FIRST + DAY)

    loan.refresh_from_db()
    assert loan.due_date == SECOND
    assert position(loan).principal_minor == 2_400_000
    assert findings() == []


def test_turns_of_one_night_are_passed_a_few_loans_at_a_time(database, monkeypatch):
    monkeypatch.setattr(pass_turns, "LOANS_AT_A_TIME", 2)
    scene = scenes.opened()
    terms = scenes.in_instalments("equal_principal", "1W")
    loans = [
        scenes.lent(scenes.facility(scene, f"S{n}", terms), AMOUNT_MINOR, days=21) for n in range(5)
    ]

    closed_to(scene, FIRST)

    passed = Position.objects.filter(booking_date=FIRST, turn_date=SECOND)
    assert sorted(row.loan_id for row in passed) == loans
    assert findings() == []


def test_an_instalment_not_paid_is_late_from_its_own_due_date(database):
    scene = scenes.opened()
    loan = lent(scene)
    closed_to(scene, FIRST)

    closed = close_through(scene.legal_entity_id, FIRST + 9 * DAY)

    loan.refresh_from_db()
    assert loan.due_date == FIRST
    days = [day.figures["delinquency"]["buckets"][0]["days_past_due"] for day in closed]
    assert days == ["0"] + ["1-30"] * 9
    (late,) = late_loans(scene.legal_entity_id, [loan.facility.supplier_id], on=scene.today)[
        loan.facility.supplier_id
    ]
    # The second has fallen due meanwhile.
    assert (late.days_past_due, late.principal_minor) == (10, 2_400_000)
    assert findings() == []


def test_penalty_runs_on_the_principal_past_due_alone(database):
    scene = scenes.opened()
    # 3.6 % a year of 360 days: a ten-thousandth a night.
    loan = lent(scene, rate_ppb=0, penalty_rate_ppb=36_000_000)
    closed_to(scene, FIRST)

    closed = close_through(scene.legal_entity_id, SECOND)

    nights = [day.figures["accrual"]["CNY"]["penalty_minor"] for day in closed]
    assert nights == [120] * (SECOND - FIRST).days + [240]
    assert net_minor(scene, "penalty_receivable") == sum(nights)
    assert position(loan).principal_minor == AMOUNT_MINOR
    assert findings() == []


def test_penalty_steps_up_with_the_days_past_due_as_in_the_business_instalments_of_jd(database):
    # 0.05 % a day up to 30 days past due and 0.08 % from then on, on a loan with one due date.
    scene = scenes.opened()
    scenes.lent(
        scenes.facility(scene, "S1"),
        1_000_000,
        days=2,
        rate_ppb=0,
        penalty_rate_ppb=180_000_000,
        penalty_steps=[(0, 180_000_000), (31, 288_000_000)],
    )

    closed = close_through(scene.legal_entity_id, START + 35 * DAY)

    nights = [day.figures["accrual"]["CNY"]["penalty_minor"] for day in closed]
    assert nights == [0] * 2 + [500] * 31 + [800] * 3
    assert findings() == []


def test_a_grace_leaves_the_first_days_past_due_free(database):
    scene = scenes.opened()
    scenes.lent(
        scenes.facility(scene, "S1"),
        1_000_000,
        days=2,
        rate_ppb=0,
        penalty_rate_ppb=180_000_000,
        penalty_steps=[(3, 180_000_000)],
    )

    closed = close_through(scene.legal_entity_id, START + 9 * DAY)

    nights = [day.figures["accrual"]["CNY"]["penalty_minor"] for day in closed]
    assert nights == [0] * 5 + [500] * 5
    assert findings() == []


@pytest.mark.parametrize(
    ("keeps", "due_dates", "planned_minor"),
    [
        # What is repaid early meets the next instalments: the plan stays as it is.
        (None, [FIRST, SECOND, THIRD], [1_200_000, 2_400_000, 3_600_000]),
        # The same instalments, and the last one falls away.
        ("instalment", [FIRST, SECOND], [2_400_000, 3_600_000]),
        # The same term, and every instalment is smaller.
        ("term", [FIRST, SECOND, THIRD], [2_000_000, 2_800_000, 3_600_000]),
    ],
)
def test_a_prepayment_keeps_what_the_programme_says(database, keeps, due_dates, planned_minor):
    scene = scenes.opened()
    loan = lent(scene, keeps=keeps, rate_ppb=0)
    closed_to(scene, START + 3 * DAY)

    repay(loan.code, 1_200_000, value_date=None, caller=CALLER, key="early")

    plan = RepaymentPlan.objects.get(loan=loan)
    assert (plan.due_dates, plan.planned_minor) == (due_dates, planned_minor)
    loan.refresh_from_db()
    assert loan.maturity_date == due_dates[-1]
    closed_to(scene, THIRD)
    assert findings() == []


@pytest.mark.parametrize("method", ["equal_instalments", "equal_principal", "interest_only"])
def test_a_loan_paid_as_it_falls_due_ends_settled_with_the_interest_of_its_schedule(
    database, method
):
    scene = scenes.opened()
    loan = lent(scene, method=method)
    terms = scenes.in_instalments(method, "1W")
    agreed = scenes.agreed_in(
        terms, AMOUNT_MINOR, rate_ppb=scenes.TEN_PER_CENT_PPB, days=21, on=START
    )

    paid = []
    for row in agreed.rows:
        closed_to(scene, row.due_date)
        loan.refresh_from_db()
        due = dues_of([loan], on=row.due_date)[0]
        repay(loan.code, due.total_minor, value_date=None, caller=CALLER, key=f"{row.due_date}")
        paid.append((due.due_date, due.principal_minor, due.interest_minor))

    assert paid == [(row.due_date, row.principal_minor, row.interest_minor) for row in agreed.rows]
    loan.refresh_from_db()
    assert loan.status == "settled"
    closed_to(scene, THIRD + 2 * DAY)
    assert net_minor(scene, "interest_income") == -sum(row.interest_minor for row in agreed.rows)
    assert findings() == []


def test_a_receipt_dated_back_before_a_due_date_leaves_what_would_have_been(database):
    on_time, late = (scenes.opened(code=code) for code in ("ON-TIME", "LATE"))
    loans = {}
    for scene, supplier in ((on_time, "S1"), (late, "S2")):
        facility = scenes.facility(scene, supplier, scenes.in_instalments(every="1W"))
        loans[supplier] = Loan.objects.get(pk=scenes.lent(facility, AMOUNT_MINOR, days=21))
    closed_to(on_time, FIRST)
    repay(loans["S1"].code, 1_207_000, value_date=None, caller=CALLER, key="on time")
    later = SECOND + 3 * DAY
    closed_to(on_time, later)
    closed_to(late, later)

    repay(loans["S2"].code, 1_207_000, value_date=FIRST, caller=CALLER, key="told late")

    assert balances(position(loans["S2"]), later) == balances(position(loans["S1"]), later)
    for scene in (on_time, late):
        close_day(scene.legal_entity_id, later)
    assert list(books_of(late, later).values()) == list(books_of(on_time, later).values())
    loans["S2"].refresh_from_db()
    assert loans["S2"].due_date == SECOND
    assert findings() == []


def test_a_new_rate_told_late_evens_the_instalments_as_if_it_had_been_told_in_time(database):
    on_time, late = (scenes.opened(code=code) for code in ("ON-TIME", "LATE"))
    loans = {}
    for scene, supplier in ((on_time, "S1"), (late, "S2")):
        terms = scenes.in_instalments("equal_instalments", every="1W")
        facility = scenes.facility(scene, supplier, terms)
        loans[supplier] = Loan.objects.get(pk=scenes.lent(facility, AMOUNT_MINOR, days=35))
    as_agreed = RepaymentPlan.objects.get(loan=loans["S1"])
    easier = {"annual_rate": Decimal("0.02"), "value_date": FIRST, "caller": CALLER}
    closed_to(on_time, FIRST)
    change_rate(loans["S1"].code, **easier, key="told in time")
    later = SECOND + 3 * DAY
    closed_to(on_time, later)
    closed_to(late, later)

    change_rate(loans["S2"].code, **easier, key="told late")

    in_time, told_late = (RepaymentPlan.objects.get(loan=loan) for loan in loans.values())
    assert in_time.planned_minor == told_late.planned_minor
    assert in_time.planned_minor[0] == as_agreed.planned_minor[0]
    # At a lower rate more of each equal instalment is principal, and the level falls.
    assert in_time.planned_minor[1] > as_agreed.planned_minor[1]
    assert in_time.level_minor == told_late.level_minor < as_agreed.level_minor
    for scene in (on_time, late):
        close_day(scene.legal_entity_id, later)
    assert list(books_of(late, later).values()) == list(books_of(on_time, later).values())
    assert findings() == []


def test_a_loan_repriced_and_paid_as_it_falls_due_ends_settled_in_equal_instalments(database):
    scene = scenes.opened()
    loan = lent(scene, method="equal_instalments", days=35)
    closed_to(scene, FIRST + 3 * DAY)
    change_rate(loan.code, Decimal("0.20"), value_date=FIRST + 3 * DAY, caller=CALLER, key="dearer")

    paid = []
    for due_date in RepaymentPlan.objects.get(loan=loan).due_dates:
        closed_to(scene, max(due_date, scene.today))
        loan.refresh_from_db()
        due = dues_of([loan], on=scene.today)[0]
        repay(loan.code, due.total_minor, value_date=due_date, caller=CALLER, key=f"{due_date}")
        paid.append(due.total_minor)

    loan.refresh_from_db()
    assert loan.status == "settled"
    # The second was under way: it kept its principal, and bore interest at both rates.
    assert paid[2] == paid[3] > paid[1]
    assert findings() == []


def test_a_loan_planned_anew_falls_due_on_business_days_as_agreed(database):
    scene = scenes.opened()
    loan = lent(scene, every="1M", days=92)
    closed_to(scene, date(2026, 3, 12))

    re_age(loan.code, date(2026, 7, 4), caller=CALLER, key="time", value_date=None)
    after = RepaymentPlan.objects.get(loan=loan)
    move_due_date(loan.code, date(2026, 7, 12), caller=CALLER, key="more time")

    # 12 April and 4 July are weekend days; 12 May and 12 June are not.
    first, *middle, last = after.due_dates
    assert first == date(2026, 4, 13)
    assert middle == [date(2026, 5, 12), date(2026, 6, 12)]
    assert last == date(2026, 7, 6)
    loan.refresh_from_db()
    assert loan.maturity_date == date(2026, 7, 13)
    assert findings() == []


def test_due_dates_planned_anew_in_an_unpublished_year_move_when_it_is_published(
    database, monkeypatch
):
    scene = scenes.opened(on=date(2026, 11, 23))
    loan = lent(scene)
    closed_to(scene, date(2026, 11, 25))
    # One instalment a week, and the one of 24 February 2027 will be on a holiday.
    re_age(loan.code, date(2027, 3, 3), caller=CALLER, key="time")
    assert date(2027, 2, 24) in RepaymentPlan.objects.get(loan=loan).due_dates

    known = calendars.named("China")
    published = replace(
        known,
        holidays=known.holidays | {date(2027, 2, 24)},
        last_known_date=date(2027, 12, 31),
    )
    monkeypatch.setattr(calendars, "named", lambda _name: published)
    (closed, after) = close_through(scene.legal_entity_id, scene.today + DAY)

    moved = {"loan": loan.code, "from_date": "2027-02-24", "to_date": "2027-02-25"}
    assert closed.figures["dues"]["moved"] == [moved]
    assert after.figures["dues"]["moved"] == []
    assert date(2027, 2, 25) in RepaymentPlan.objects.get(loan=loan).due_dates
    assert findings() == []


def test_every_night_the_one_statement_comes_to_what_the_folds_do(database):
    scene = scenes.opened()
    loan = lent(scene, method="equal_instalments", penalty_steps=[(2, 90_000_000), (5, 7)])
    facts = {FIRST + 6 * DAY: 900_000, SECOND + DAY: 350_000, THIRD + 5 * DAY: 200_000}
    for n in range((THIRD - START).days + 12):
        day = START + n * DAY
        if day in facts:
            repay(loan.code, facts[day], value_date=None, caller=CALLER, key=f"{day}")
        close_day(scene.legal_entity_id, day)
        held = Position.objects.get(loan=loan, booking_date__lte=day, superseded_date__gt=day)
        owed = owed_by_book(scene.legal_entity_id, day=day)[scene.book_id]
        now = position(loan)
        assert owed.interest_minor == running_interest(now, day + DAY) - interest_met(now), held
        assert owed.penalty_minor == running_penalty(now, day + DAY) - now.penalty_received_minor
    assert LoanEvent.objects.filter(loan=loan).count() == 1 + len(facts)
    assert findings() == []
