"""China's calendar, against the State Council's lists as another project publishes them."""

import csv
import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from tallystick.book.calendars import china
from tallystick.rules.calendars import (
    Adjustment,
    add_business_days,
    adjusted,
    business_days_between,
    is_business_day,
)

LISTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "calendar" / "cn_holidays.csv"


def published_days():
    if not LISTS.exists() and os.environ.get("CI") != "true":
        pytest.skip("the shared data sets are not here")
    with LISTS.open(encoding="utf-8", newline="") as file:
        return {date.fromisoformat(row["date"]): row for row in csv.DictReader(file)}


def test_every_published_holiday_is_closed_and_every_make_up_day_is_worked():
    published = published_days()

    disagreeing = [
        day
        for day, row in published.items()
        if is_business_day(china(), day) is (row["is_off_day"] == "true")
    ]
    assert disagreeing == []


def test_days_that_no_list_names_follow_the_weekend_rule():
    published = published_days()
    first, last = date(2008, 1, 1), max(published)
    days = (first + timedelta(days=n) for n in range((last - first).days))

    assert all(
        is_business_day(china(), day) is (day.weekday() < 5) for day in days if day not in published
    )


def test_the_spring_festival_of_2026_and_its_make_up_saturday():
    assert not is_business_day(china(), date(2026, 2, 17))
    assert is_business_day(china(), date(2026, 2, 14))
    # The 13th, the worked Saturday, and four days after the holiday of the 15th to the 23rd.
    assert business_days_between(china(), date(2026, 2, 13), date(2026, 2, 28)) == 6


def test_the_calendar_is_known_to_the_end_of_its_last_published_year():
    last_known = china().last_known_date

    assert (last_known.month, last_known.day) == (12, 31)
    assert last_known.year >= 2026


def test_beyond_the_last_published_year_dates_are_provisional_and_never_an_error():
    beyond = china().last_known_date + timedelta(days=49)

    for adjustment in Adjustment:
        answer = adjusted(china(), beyond, adjustment)
        assert answer.provisional is (adjustment is not Adjustment.UNADJUSTED)
    assert add_business_days(china(), beyond, 10).provisional
    assert not adjusted(china(), date(2026, 2, 17), Adjustment.FOLLOWING).provisional
