"""Reference cases about days: day counts, business days, published calendars, rounding."""

import re
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import brazil
from outcome import (
    PASSED,
    Case,
    MalformedCaseError,
    Outcome,
    all_of,
    day,
    decimal,
    differs,
    failed,
    field,
    is_off,
    optional_day,
    unsupported,
    whole,
)

from tallystick.rules.calendars import (
    Adjustment,
    Calendar,
    Period,
    PeriodUnit,
    adjusted,
    business_days_between,
    is_business_day,
    months_after,
    shifted,
)
from tallystick.rules.coupons import CouponSchedule, ReferencePeriod
from tallystick.rules.daycount import DayCount, day_count_days, year_fraction
from tallystick.rules.money import Rounding, rounded_decimal
from tallystick.rules.refusal import Refusal

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
UNITS = {
    "days": PeriodUnit.BUSINESS_DAYS,
    "weeks": PeriodUnit.WEEKS,
    "months": PeriodUnit.MONTHS,
    "years": PeriodUnit.YEARS,
}
COUPONS_PER_YEAR = {
    "annual": 1,
    "semiannual": 2,
    "every_four_months": 3,
    "quarterly": 4,
    "bimonthly": 6,
    "monthly": 12,
}
ROUNDINGS = {
    "closest_half_up_away": Rounding.HALF_UP,
    "closest_half_even": Rounding.HALF_EVEN,
    "up_away_from_zero": Rounding.UP,
    "down_towards_zero": Rounding.DOWN,
}
ABOUT_A_CASE = {"id", "source", "licence", "note", "convention", "verification", "x", "digits"}


def day_count_case(case: Case) -> Outcome:
    """Days and year fraction of a period, or the refusal where something is missing."""
    name = field(case, "convention")
    try:
        day_count = DayCount(name)
    except ValueError:
        return unsupported(f"day count {name!r}")
    start, end = day(field(case, "start")), day(field(case, "end"))
    termination_date = optional_day(case, "termination_date")
    calendar = brazil.settlement() if day_count is DayCount.BUS_252 else None

    def fraction() -> Fraction:
        return year_fraction(
            day_count,
            start,
            end,
            reference=_reference(case),
            termination_date=termination_date,
            calendar=calendar,
        )

    if case.get("expected_error"):
        try:
            value = fraction()
        except Refusal as refusal:
            return Outcome(PASSED.result, f"refused: {refusal}")
        return failed(f"gave {float(value)!r}, expected a refusal: {case['expected_error']}")

    expected = dict(field(case, "expected"))
    faults = []
    if (fraction_expected := expected.pop("year_fraction", None)) is not None:
        tolerance = case.get("tolerance") or "1e-12"
        faults.append(is_off("year fraction", fraction(), fraction_expected, tolerance))
    for name in ("days", "day_count"):
        if (days_expected := expected.pop(name, None)) is not None:
            days = day_count_days(
                day_count, start, end, termination_date=termination_date, calendar=calendar
            )
            faults.append(differs("days", days, whole(days_expected)))
    return _checked(faults, expected)


def business_day_case(case: Case, calendar: Case | None) -> Outcome:
    """A date moved by a period and adjusted, on the calendar of the file or of the case."""
    own = case.get("calendar")
    described = own if isinstance(own, dict) else calendar
    if described is None:
        raise MalformedCaseError("'calendar' is missing")
    adjustment = _adjustment(field(case, "convention"))
    if adjustment is None:
        return unsupported(f"business day convention {case['convention']!r}")
    count, unit = field(case, "period")
    if str(unit).lower() not in UNITS:
        return unsupported(f"period unit {unit!r}")
    moved = shifted(
        _described(described),
        day(field(case, "start")),
        Period(whole(count), UNITS[str(unit).lower()]),
        adjustment,
        end_of_month=bool(case.get("end_of_month", False)),
    )
    return all_of([differs("date", moved.date, day(field(case, "expected")))])


def china_adjustment_case(case: Case, document: Case) -> Outcome:
    """Whether a day is open on a Chinese market, and where each convention moves it."""
    calendar = _market(field(case, "calendar"), document)
    if calendar is None:
        return unsupported(f"calendar {case['calendar']!r}")
    asked = day(field(case, "date"))
    faults = []
    if "is_business_day" in case:
        is_open = is_business_day(calendar, asked)
        faults.append(differs("is_business_day", is_open, case["is_business_day"]))
    for name, expected in field(case, "adjusted").items():
        adjustment = _adjustment(name)
        if adjustment is None:
            return unsupported(f"business day convention {name!r}")
        moved = adjusted(calendar, asked, adjustment)
        faults.append(differs(name, moved.date, day(expected)))
    return all_of(faults)


def china_days_between_case(case: Case, document: Case) -> Outcome:
    """Business days between two dates, either of them included or not."""
    calendar = _market(field(case, "calendar"), document)
    if calendar is None:
        return unsupported(f"calendar {case['calendar']!r}")
    convention = case.get("convention", "start included, end excluded")
    ends = re.fullmatch(r"start (included|excluded), end (included|excluded)", convention)
    if ends is None:
        return unsupported(f"convention {convention!r}")
    start = day(field(case, "start")) + timedelta(days=ends[1] == "excluded")
    end = day(field(case, "end")) + timedelta(days=ends[2] == "included")
    days = business_days_between(calendar, start, end)
    return all_of([differs("business days", days, whole(field(case, "business_days")))])


def calendar_day_case(row: Case) -> Outcome:
    """A row of a published calendar: the State Council's working day, which banks keep too."""
    is_open = is_business_day(china(), day(field(row, "date")))
    return all_of(
        differs(name, is_open, field(row, name) == "1")
        for name in ("state_council_workday", "interbank_open")
    )


def rounding_case(case: Case) -> Outcome:
    """A number rounded to some digits, once for every mode the case names."""
    value, digits = decimal(field(case, "x")), whole(field(case, "digits"))
    modes = {name: expected for name, expected in case.items() if name not in ABOUT_A_CASE}
    unknown = [name for name in modes if name not in ROUNDINGS]
    faults = [
        differs(name, rounded_decimal(value, ROUNDINGS[name], digits=digits), decimal(expected))
        for name, expected in modes.items()
        if name in ROUNDINGS
    ]
    if not modes:
        raise MalformedCaseError("no rounding mode has an expectation")
    outcome = all_of(faults)
    if outcome == PASSED and unknown:
        return unsupported(f"rounding modes {', '.join(unknown)}; the others agree")
    return outcome


def china() -> Calendar:
    from tallystick.book import calendars  # the only cases that need chinesecalendar

    return calendars.china()


def _checked(faults: list[str | None], not_checked: Case) -> Outcome:
    outcome = all_of(faults)
    if outcome != PASSED:
        return outcome
    if not_checked:
        return unsupported(f"expectation of {', '.join(not_checked)}")
    if not faults:
        raise MalformedCaseError("nothing is expected")
    return outcome


def _reference(case: Case) -> ReferencePeriod | CouponSchedule | None:
    start, end = optional_day(case, "ref_start"), optional_day(case, "ref_end")
    if start is not None and end is not None:
        frequency = case.get("frequency")
        return ReferencePeriod(start, end, None if frequency is None else _coupons(frequency))
    if (bond := case.get("schedule")) is None:
        return None
    coupons_per_year = _coupons(field(bond, "frequency"))
    issue, maturity = day(field(bond, "issue")), day(field(bond, "maturity"))
    months = 12 // coupons_per_year
    return CouponSchedule(
        issue=issue,
        first_coupon=optional_day(bond, "first_coupon") or months_after(issue, months),
        penultimate_coupon=optional_day(bond, "penultimate_coupon")
        or months_after(maturity, -months),
        maturity=maturity,
        coupons_per_year=coupons_per_year,
        end_of_month=bool(bond.get("end_of_month", False)),
    )


def _coupons(frequency: Any) -> int:
    name = re.sub(r"[^a-z0-9]+", "_", str(frequency).lower())
    if name in COUPONS_PER_YEAR:
        return COUPONS_PER_YEAR[name]
    if not (name.isdecimal() and 1 <= int(name) <= 12):
        raise MalformedCaseError(f"{frequency!r} is not a frequency of coupons")
    return int(name)


def _adjustment(name: str) -> Adjustment | None:
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]+", "_", str(name)).lower()
    return Adjustment(snake) if snake in set(Adjustment) else None


def _described(calendar: Case) -> Calendar:
    unknown = [name for name in field(calendar, "weekend") if name not in WEEKDAYS]
    if unknown:
        raise MalformedCaseError(f"{unknown[0]!r} is not a weekday; use {', '.join(WEEKDAYS)}")
    return Calendar(
        name=str(calendar.get("name", "of the file")),
        weekend=frozenset(WEEKDAYS.index(name) for name in calendar["weekend"]),
        holidays=frozenset(day(value) for value in field(calendar, "holidays")),
        working_weekends=frozenset(day(value) for value in calendar.get("working_weekends", ())),
        last_known_date=None,
    )


def _market(name: str, document: Case) -> Calendar | None:
    """The exchange's or the inter-bank calendar: the file's lists for the years they cover, and
    the product's calendar of China for the others. The exchange is closed on every weekend.
    """
    is_interbank = bool(re.search(r"\bIB\b|inter-?bank", name, re.IGNORECASE))
    if not is_interbank and "SSE" not in name:
        return None
    holidays = {day(value) for value in field(document, "sse_weekday_holidays")}
    working = {day(value) for value in field(document, "ib_working_weekends")}
    years = {listed.year for listed in holidays | working}
    if is_interbank:
        # Each known difference begins with a day on which only the exchange was closed.
        holidays -= {day(text[:10]) for text in document.get("known_difference", ())}

    def elsewhere(days: frozenset[date]) -> set[date]:
        return {other for other in days if other.year not in years}

    return Calendar(
        name=name,
        weekend=china().weekend,
        holidays=frozenset(holidays | elsewhere(china().holidays)),
        working_weekends=frozenset(
            working | elsewhere(china().working_weekends) if is_interbank else ()
        ),
        last_known_date=china().last_known_date,
    )
