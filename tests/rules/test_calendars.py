"""Business days: adjustments, periods, and dates that a later publication may move."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.calendars import (
    WEEKENDS_ONLY,
    AdjustedDate,
    Adjustment,
    Calendar,
    Period,
    PeriodUnit,
    add_business_days,
    adjusted,
    business_days_between,
    is_business_day,
    last_day_of_month,
    months_after,
    moved_dues,
    shifted,
)

MAY_2026 = Calendar(
    name="first days of May 2026",
    weekend=frozenset({5, 6}),
    holidays=frozenset({date(2026, 5, 1), date(2026, 5, 4), date(2026, 5, 5)}),
    working_weekends=frozenset({date(2026, 5, 9)}),
    last_known_date=date(2026, 12, 31),
)

days = st.dates(min_value=date(2026, 6, 1), max_value=date(2027, 6, 30))


NEW_YEAR = [date(2026, 12, 24) + timedelta(days=n) for n in range(17)]
MID_JANUARY = [date(2027, 1, 8) + timedelta(days=n) for n in range(14)]
# The 31st is a Sunday: what is published about the weekend decides between two months.
END_OF_JANUARY = [date(2027, 1, 25) + timedelta(days=n) for n in range(12)]


def calendars_around(days):
    """Calendars known up to each of the days, with no, some or many holidays among those."""
    for last_known in days:
        published = [day for day in days if day <= last_known]
        for holidays in ([], published[-1:], published[-4:], published[::2], published):
            yield Calendar(
                name="known to a day",
                weekend=frozenset({5, 6}),
                holidays=frozenset(holidays),
                working_weekends=frozenset(),
                last_known_date=last_known,
            )


def publications(calendar, days):
    """The calendars that one more published day can make: a holiday, or a worked weekend day."""
    for day in days:
        if calendar.is_known(day):
            continue
        if day.weekday() in calendar.weekend:
            yield replace(calendar, working_weekends=frozenset({day}))
        else:
            yield replace(calendar, holidays=calendar.holidays | {day})


def test_working_weekends_are_open_and_holidays_are_closed():
    assert is_business_day(MAY_2026, date(2026, 5, 9))  # a Saturday that is worked
    assert not is_business_day(MAY_2026, date(2026, 5, 2))  # a Saturday that is not
    assert not is_business_day(MAY_2026, date(2026, 5, 1))


@pytest.mark.parametrize(
    ("adjustment", "day", "moved"),
    [
        ("unadjusted", "2026-05-01", "2026-05-01"),
        ("following", "2026-05-01", "2026-05-06"),
        ("preceding", "2026-05-01", "2026-04-30"),
        ("modified_following", "2026-05-01", "2026-05-06"),
        ("modified_following", "2026-01-31", "2026-01-30"),
        ("modified_preceding", "2026-05-01", "2026-05-06"),
        ("modified_preceding", "2026-05-05", "2026-05-06"),
        ("modified_preceding", "2026-02-28", "2026-02-27"),
        ("half_month_modified_following", "2026-02-15", "2026-02-13"),
        ("half_month_modified_following", "2026-02-14", "2026-02-13"),
        ("half_month_modified_following", "2026-02-28", "2026-02-27"),
        ("half_month_modified_following", "2026-02-22", "2026-02-23"),
        ("nearest", "2026-05-01", "2026-04-30"),
        ("nearest", "2026-05-05", "2026-05-06"),
        ("nearest", "2026-02-14", "2026-02-13"),
        ("nearest", "2026-02-15", "2026-02-16"),
    ],
)
def test_a_closed_day_moves_as_the_adjustment_says(adjustment, day, moved):
    answer = adjusted(MAY_2026, date.fromisoformat(day), Adjustment(adjustment))

    assert answer == AdjustedDate(date.fromisoformat(moved), provisional=False)


def test_the_nearest_business_day_lies_ahead_when_both_sides_are_equally_far():
    lone_holiday = replace(WEEKENDS_ONLY, holidays=frozenset({date(2026, 3, 4)}))  # a Wednesday

    moved = adjusted(lone_holiday, date(2026, 3, 4), Adjustment.NEAREST)

    assert moved.date == date(2026, 3, 5)


def test_business_days_are_counted_from_the_start_included_to_the_end_excluded():
    assert business_days_between(MAY_2026, date(2026, 4, 30), date(2026, 5, 6)) == 1
    assert business_days_between(MAY_2026, date(2026, 5, 6), date(2026, 4, 30)) == -1
    assert business_days_between(MAY_2026, date(2026, 5, 4), date(2026, 5, 11)) == 4


@given(start=days, count=st.integers(-60, 60).filter(bool))
def test_adding_business_days_undoes_counting_them(start, count):
    reached = add_business_days(MAY_2026, start, count).date

    assert is_business_day(MAY_2026, reached)
    first, last = sorted((start, reached))
    after_start = business_days_between(MAY_2026, first + timedelta(1), last + timedelta(1))
    before_start = business_days_between(MAY_2026, first, last)
    assert abs(count) == (after_start if count > 0 else before_start)


@pytest.mark.parametrize(
    ("start", "period", "end_of_month", "moved"),
    [
        pytest.param("2026-01-31", (1, "months"), False, "2026-02-27", id="a shorter month"),
        pytest.param("2026-02-27", (1, "months"), False, "2026-03-27", id="the day is kept"),
        pytest.param(
            "2026-02-27", (1, "months"), True, "2026-03-31", id="last business day to last"
        ),
        pytest.param("2026-02-26", (1, "months"), True, "2026-03-26", id="not the last: kept"),
        pytest.param("2024-02-29", (1, "years"), False, "2025-02-28", id="leap day"),
        pytest.param("2026-04-24", (1, "weeks"), False, "2026-05-06", id="a week into a holiday"),
        pytest.param("2026-04-30", (2, "business_days"), False, "2026-05-07", id="two days"),
        pytest.param("2026-04-29", (2, "days"), False, "2026-05-06", id="two calendar days"),
        pytest.param("2026-05-02", (0, "months"), True, "2026-05-06", id="no time: adjusted"),
    ],
)
def test_a_period_moves_a_date(start, period, end_of_month, moved):
    count, unit = period

    answer = shifted(
        MAY_2026,
        date.fromisoformat(start),
        Period(count, PeriodUnit(unit)),
        Adjustment.MODIFIED_FOLLOWING,
        end_of_month=end_of_month,
    )

    assert answer.date == date.fromisoformat(moved)


def test_unadjusted_month_ends_stay_month_ends():
    month = Period(1, PeriodUnit.MONTHS)

    answer = shifted(MAY_2026, date(2026, 2, 28), month, Adjustment.UNADJUSTED, end_of_month=True)

    assert answer == AdjustedDate(date(2026, 3, 31), provisional=False)


@given(start=days, months=st.integers(-120, 120))
def test_months_after_lands_in_the_month_counted(start, months):
    reached = months_after(start, months)

    assert (reached.year - start.year) * 12 + reached.month - start.month == months
    assert reached.day == min(start.day, last_day_of_month(reached).day)


def test_a_ninety_day_draw_in_november_falls_due_provisionally():
    due = date(2026, 11, 20) + timedelta(days=90)

    answer = adjusted(MAY_2026, due, Adjustment.MODIFIED_FOLLOWING)

    assert answer == AdjustedDate(date(2027, 2, 18), provisional=True)


@pytest.mark.parametrize(
    "days",
    [NEW_YEAR, MID_JANUARY, END_OF_JANUARY],
    ids=["new year", "mid-January", "end of January"],
)
@pytest.mark.parametrize("adjustment", Adjustment)
def test_a_date_that_is_not_provisional_never_moves_when_more_is_published(adjustment, days):
    assert_settled(days, lambda calendar, day: adjusted(calendar, day, adjustment))


@pytest.mark.parametrize(
    "period",
    [
        Period(2, PeriodUnit.BUSINESS_DAYS),
        Period(-2, PeriodUnit.BUSINESS_DAYS),
        Period(0, PeriodUnit.BUSINESS_DAYS),
        Period(-1, PeriodUnit.WEEKS),
        Period(-1, PeriodUnit.MONTHS),
    ],
    ids=str,
)
def test_a_shifted_date_that_is_not_provisional_never_moves(period):
    def moved(calendar, day):
        return shifted(calendar, day, period, Adjustment.PRECEDING, end_of_month=True)

    assert_settled(NEW_YEAR, moved)


def assert_settled(days, moved):
    settled = 0
    for calendar in calendars_around(days):
        before = {day: moved(calendar, day) for day in days}
        for published in publications(calendar, days):
            for day in days:
                assert before[day].provisional or moved(published, day).date == before[day].date
                settled += not before[day].provisional
    assert settled


@pytest.mark.parametrize("adjustment", [each for each in Adjustment if each != "unadjusted"])
def test_a_holiday_within_the_published_days_is_never_provisional(adjustment):
    answer = adjusted(MAY_2026, date(2026, 5, 4), adjustment)

    assert not answer.provisional


class TestMovedDues:
    """What happens to due dates when a new calendar year is published."""

    LUNAR_NEW_YEAR = date(2027, 2, 8)  # a Monday, closed once the year is published
    PUBLISHED = replace(
        MAY_2026,
        holidays=MAY_2026.holidays | {LUNAR_NEW_YEAR},
        last_known_date=date(2027, 12, 31),
    )

    def moved(self, *nominal_dates, on):
        return moved_dues(
            nominal_dates, MAY_2026, self.PUBLISHED, Adjustment.MODIFIED_FOLLOWING, on
        )

    def test_a_due_that_has_become_a_holiday_moves_and_says_so(self):
        (moved,) = self.moved(date(2027, 2, 7), date(2027, 2, 10), on=date(2026, 12, 1))

        assert moved.nominal_date == date(2027, 2, 7)
        assert (moved.old_due_date, moved.new_due_date) == (self.LUNAR_NEW_YEAR, date(2027, 2, 9))
        assert not moved.provisional

    @pytest.mark.parametrize("on", [LUNAR_NEW_YEAR, date(2027, 2, 9)])
    def test_a_due_that_has_fallen_stays(self, on):
        assert self.moved(self.LUNAR_NEW_YEAR, on=on) == []

    def test_a_due_that_was_known_stays_even_if_the_calendar_is_corrected(self):
        corrected = replace(self.PUBLISHED, holidays=frozenset({date(2026, 12, 1)}))

        assert (
            moved_dues(
                [date(2026, 12, 1)], MAY_2026, corrected, Adjustment.FOLLOWING, date(2026, 11, 1)
            )
            == []
        )

    def test_nobody_is_made_late_by_a_publication(self):
        closed_to_the_end = replace(self.PUBLISHED, holidays=frozenset({date(2027, 2, 26)}))

        moved = moved_dues(
            [date(2027, 2, 26)],
            MAY_2026,
            closed_to_the_end,
            Adjustment.MODIFIED_FOLLOWING,
            on=date(2027, 2, 25),
        )

        assert moved == []
