"""Closing days: every calendar day, restartable at every step, the same books in the end."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connections
from tests.book.impairment.shorter import shorter, under
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import books_of, findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_reverse import code_of

from tallystick.book import calendars
from tallystick.book.acts.models import OutboxMessage
from tallystick.book.financing.models import Loan
from tallystick.book.ledger.models import Entry
from tallystick.book.parties.business_date import DayNotOpen
from tallystick.book.servicing.close import (
    STEPS,
    EarlierDayNotClosed,
    close_day,
    close_through,
)
from tallystick.book.servicing.models import DayStep, Position
from tallystick.book.servicing.repay import repay

DAY = timedelta(days=1)


def test_a_closed_day_has_rolled_accrued_and_been_sealed(database):
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000)

    closed = close_day(scene.legal_entity_id, START)

    assert scene.today == START + DAY
    assert closed.figures["accrual"] == {"CNY": {"interest_minor": 1_000, "penalty_minor": 0}}
    assert net_minor(scene, "interest_receivable") == 1_000
    assert net_minor(scene, "interest_income") == -1_000
    assert closed.figures["seal"]["entries"] == 3
    assert list(DayStep.objects.order_by("id").values_list("step", flat=True)) == list(STEPS)
    assert findings() == []


def test_missed_days_are_caught_up_one_after_the_other_weekends_included(database):
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000)
    heard: list[date] = []

    closed = close_through(
        scene.legal_entity_id, START + 9 * DAY, on_day=lambda day: heard.append(day.date)
    )

    assert [day.date for day in closed] == heard == [START + n * DAY for n in range(10)]
    nights = Entry.objects.filter(event="interest_accrued").order_by("booking_date")
    assert list(nights.values_list("booking_date", "value_date")) == [(d, d) for d in heard]
    assert net_minor(scene, "interest_receivable") == 10_000
    assert close_through(scene.legal_entity_id, START + 9 * DAY) == []
    assert findings() == []


def test_closing_day_by_day_and_catching_up_come_to_the_same_books(database):
    daily, late = (scenes.opened(code=code) for code in ("DAILY", "LATE"))
    for scene in (daily, late):
        scenes.lent(scenes.facility(scene, f"S-{scene.book_id}"), 1_234_567, days=3)
    for n in range(8):
        close_day(daily.legal_entity_id, START + n * DAY)

    close_through(late.legal_entity_id, START + 7 * DAY)

    for n in range(8):
        assert list(books_of(daily, START + n * DAY).values()) == list(
            books_of(late, START + n * DAY).values()
        )


def test_a_day_that_is_closed_answers_as_it_did_and_books_nothing(database):
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000)
    first = close_day(scene.legal_entity_id, START)
    entries = Entry.objects.count()

    assert close_day(scene.legal_entity_id, START) == first
    assert Entry.objects.count() == entries


def test_days_that_have_not_come_or_are_not_next_are_refused(database):
    scene = scenes.opened()

    with pytest.raises(DayNotOpen, match="open business day is 2026-03-02"):
        close_day(scene.legal_entity_id, START + DAY)
    with pytest.raises(DayNotOpen):
        close_day(scene.legal_entity_id, START - DAY)
    scenes.let_days_be_open(scene, 2)
    with pytest.raises(EarlierDayNotClosed, match="close --through 2026-03-03"):
        close_day(scene.legal_entity_id, START + DAY)


def test_principal_past_due_bears_penalty_from_its_due_date_and_is_counted_late(database):
    scene = scenes.opened()
    scenes.lent(
        scenes.facility(scene, "S1"), 3_600_000, days=2, rate_ppb=0, penalty_rate_ppb=36_000_000
    )

    closed = close_through(scene.legal_entity_id, START + 34 * DAY)

    # 3.6 % of 36,000.00 a year of 360 days: 3.60 a night, the first one on the due date.
    nights = [day.figures["accrual"]["CNY"]["penalty_minor"] for day in closed]
    assert nights == [0, 0] + [360] * 33
    late = [day.figures["delinquency"]["buckets"][0]["days_past_due"] for day in closed]
    assert late == ["0"] * 3 + ["1-30"] * 30 + ["31-60"] * 2
    assert findings() == []


def test_two_closes_at_once_close_the_day_once(database):
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000)

    def close(_n: int):
        try:
            return close_day(scene.legal_entity_id, START)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        closed = list(pool.map(close, range(4)))

    assert closed == [closed[0]] * 4
    assert Entry.objects.filter(event="interest_accrued").count() == 1
    assert findings() == []


def test_a_close_killed_inside_any_step_goes_on_and_ends_in_the_same_books(database):
    # On the day on which the step of classes is killed the loan becomes non-performing.
    pack = shorter("cn.factor", {"substandard_over_days": 1})
    smooth, killed = (under(pack, code=code) for code in ("SMOOTH", "KILLED"))
    loans = {}
    for scene, supplier in ((smooth, "S1"), (killed, "S2")):
        loans[supplier] = scenes.lent(
            scenes.facility(scene, supplier), 7_200_000, days=list(STEPS).index("classes") - 2
        )

    for n, step in enumerate(STEPS):
        day = START + n * DAY
        close_day(smooth.legal_entity_id, day)
        die = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.book.servicing.close_and_die",
                database.url,
                str(killed.legal_entity_id),
                day.isoformat(),
                step,
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        assert die.returncode == -signal.SIGKILL
        assert DayStep.objects.filter(legal_entity=killed.legal_entity_id, date=day).count() == n
        if step != "roll":
            # Business goes on in the next day while this one is half closed.
            for supplier, loan_id in loans.items():
                repay(code_of(loan_id), 1_000, value_date=None, caller=CALLER, key=f"{supplier}{n}")
        close_day(killed.legal_entity_id, day)

    for n in range(len(STEPS)):
        assert list(books_of(smooth, START + n * DAY).values()) == list(
            books_of(killed, START + n * DAY).values()
        )
    same = [step for step in STEPS if step not in ("seal", "bases")]
    figures = [
        list(
            DayStep.objects.filter(legal_entity=scene.legal_entity_id, step__in=same)
            .order_by("date", "id")
            .values_list("date", "step", "figures")
        )
        for scene in (smooth, killed)
    ]
    assert figures[0] == figures[1]
    assert net_minor(killed, "interest_in_suspense") < 0
    assert findings() == []


def test_a_provisional_due_date_moves_when_its_year_is_published_and_says_so(database, monkeypatch):
    scene = scenes.opened(on=date(2026, 11, 23))
    facility = scenes.facility(scene, "S1")
    # 90 days on is Sunday 21 February 2027: the weekend rule makes it Monday the 22nd.
    moves, stays = (scenes.lent(facility, 3_600_000, days=90) for _ in range(2))
    Loan.objects.filter(pk=moves).update(due_date=date(2027, 2, 22), due_date_provisional=True)
    Position.objects.filter(loan=moves).update(due_date=date(2027, 2, 22))
    close_through(scene.legal_entity_id, scene.today)
    assert Loan.objects.get(pk=moves).due_date_provisional

    known = calendars.named("China")
    published = replace(
        known,
        holidays=known.holidays | {date(2027, 2, 22)},
        last_known_date=date(2027, 12, 31),
    )
    monkeypatch.setattr(calendars, "named", lambda _name: published)
    (closed,) = close_through(scene.legal_entity_id, scene.today)

    told = {
        "loan": code_of(moves),
        "from_date": "2027-02-22",
        "to_date": "2027-02-23",
    }
    assert closed.figures["dues"] == {"moved": [told], "late_fees": 0, "late_fees_taken_back": 0}
    assert OutboxMessage.objects.get(topic="due_date_moved").payload == told
    loan = Loan.objects.get(pk=moves)
    assert (loan.due_date, loan.due_date_provisional) == (date(2027, 2, 23), False)
    assert Position.objects.get(loan=moves, superseded_date=date.max).due_date == loan.due_date
    assert Loan.objects.get(pk=stays).due_date == date(2027, 2, 21)
    assert findings() == []
