"""Floating rates: published reference rates, a spread, and the days on which a loan takes them.

A reference rate is a dated series of published values; a value holds from its publication until
the next. A loan at reference plus spread takes, on its first day and on each reset date, the value
last published on or before that day. A value grown too old is not used silently: where the next
publication is missing, the rate is refused until the series has been completed.

The series are the user's own files, with one day in each line::

    publish_date,lpr_1y_pct,lpr_5y_pct
    2019-08-20,4.25,4.85

Each column after the first is one series, in per cent a year; ``lpr_1y_pct`` is series ``lpr_1y``.

Source of the rules: announcement 15 (2019) of the People's Bank of China (loans are priced at the
loan prime rate plus or minus basis points, and repriced on 1 January or on the loan's anniversary).
"""

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from itertools import count, pairwise
from operator import attrgetter

from tallystick.rules.calendars import months_after
from tallystick.rules.loan_events import EventKind, InvalidRate, LoanEvent, rate_in_ppb
from tallystick.rules.refusal import Refusal

MAX_AGE_DAYS = 45
"""Reference rates are published monthly, a holiday late at most: an older value is a gap."""

MAX_SPREAD_BPS = 10_000
MAX_SERIES_LINES = 100_000

_BASIS_POINT = Decimal("0.0001")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PER_CENT = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,7})?")
_publish_date = attrgetter("publish_date")


class Reset(StrEnum):
    """When a loan takes a new value of its reference rate."""

    NONE = "none"
    """Never: the value of its first day holds."""
    MONTHLY = "monthly"
    """Every month after its first day, on that day of the month or the last."""
    QUARTERLY = "quarterly"
    """Every three months after its first day."""
    ANNIVERSARY = "anniversary"
    """Every year after its first day."""
    NEW_YEAR = "new_year"
    """On 1 January."""


_MONTHS_BETWEEN = {Reset.MONTHLY: 1, Reset.QUARTERLY: 3, Reset.ANNIVERSARY: 12}


class InvalidFloatingTerms(Refusal):
    """A floating rate's terms cannot be calculated with."""


@dataclass(frozen=True, slots=True)
class FloatingTerms:
    """Reference rate plus ``spread_bps`` hundredths of a per cent, which may be below zero.

    Raises InvalidFloatingTerms.
    """

    reference_rate: str
    spread_bps: int
    reset: Reset

    def __post_init__(self) -> None:
        refuse_name(self.reference_rate)
        if not -MAX_SPREAD_BPS <= self.spread_bps <= MAX_SPREAD_BPS:
            raise InvalidFloatingTerms(
                f"spread_bps is {self.spread_bps}: give {-MAX_SPREAD_BPS} to {MAX_SPREAD_BPS}, "
                "hundredths of a per cent."
            )


def refuse_name(name: str) -> None:
    """Raise InvalidFloatingTerms unless ``name`` can name a series."""
    if not _NAME.fullmatch(name):
        raise InvalidFloatingTerms(
            f"{name[:60]!r} cannot name a reference rate: give up to 40 small letters, digits and "
            "underscores, a letter first, such as lpr_1y."
        )


@dataclass(frozen=True, slots=True)
class Fixing:
    """One published value: ``rate`` is a fraction a year, in force from ``publish_date``."""

    publish_date: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class RateSeries:
    """The published values of one reference rate, the oldest first."""

    name: str
    fixings: tuple[Fixing, ...]

    def fixing_on(self, day: date) -> Fixing:
        """The value last published on or before ``day``. Raises NoReferenceRate."""
        published = bisect_right(self.fixings, day, key=_publish_date)
        if not published:
            raise NoReferenceRate(
                self.name,
                day,
                f"its first value is of {self.fixings[0].publish_date}"
                if self.fixings
                else "none of its values is known",
            )
        fixing = self.fixings[published - 1]
        if (day - fixing.publish_date).days > MAX_AGE_DAYS:
            raise NoReferenceRate(
                self.name,
                day,
                f"the value before is of {fixing.publish_date}, more than {MAX_AGE_DAYS} days "
                "earlier: a publication is missing",
            )
        return fixing


class NoReferenceRate(Refusal):
    """A series has no usable value for a day."""

    def __init__(self, name: str, day: date, why: str) -> None:
        self.name = name
        self.day = day
        super().__init__(
            f"Reference rate {name} is not known on {day}: {why}. "
            "Import the missing values: tally rate import FILE.csv."
        )


@dataclass(frozen=True, slots=True)
class RateReset:
    """The rate a loan takes on a day, and the published value that it comes from."""

    reset_date: date
    fixing: Fixing
    annual_rate: Decimal


def with_spread(reference_rate: Decimal, spread_bps: int) -> Decimal:
    """The loan's annual rate: reference rate (a fraction) + spread / 10,000.

    Raises InvalidRate where that is below zero.
    """
    annual_rate = reference_rate + spread_bps * _BASIS_POINT
    rate_in_ppb(annual_rate, name="Reference rate plus spread")
    return annual_rate


def rate_on(series: RateSeries, terms: FloatingTerms, day: date) -> RateReset:
    """The rate that a loan takes on ``day``. Raises NoReferenceRate, InvalidRate."""
    fixing = series.fixing_on(day)
    return RateReset(day, fixing, with_spread(fixing.rate, terms.spread_bps))


def reset_dates(reset: Reset, *, start_date: date, end_date: date) -> list[date]:
    """The days after ``start_date`` and before ``end_date`` on which a new value is taken."""
    dates = []
    for day in _reset_dates(reset, start_date):
        if day >= end_date:
            break
        dates.append(day)
    return dates


def last_reset_date(reset: Reset, *, start_date: date, on: date) -> date:
    """The reset date in force ``on`` a day: the last one up to it, or the start."""
    return max(
        (start_date, *reset_dates(reset, start_date=start_date, end_date=on + timedelta(days=1)))
    )


def rate_resets(
    series: RateSeries, terms: FloatingTerms, *, start_date: date, end_date: date
) -> list[RateReset]:
    """What the loan takes on its first day, and each reset that changes its rate.

    Raises NoReferenceRate, InvalidRate.
    """
    days = (start_date, *reset_dates(terms.reset, start_date=start_date, end_date=end_date))
    resets = [rate_on(series, terms, day) for day in days]
    changes = [
        later for earlier, later in pairwise(resets) if later.annual_rate != earlier.annual_rate
    ]
    return [resets[0], *changes]


def rate_change_events(resets: Sequence[RateReset], *, first_id: int) -> list[LoanEvent]:
    """The resets after the first day as events of a loan, with ids from ``first_id`` on.

    Each is booked on the day on which it takes effect: its value had been published by then.
    """
    return [
        LoanEvent(
            event_id=event_id,
            kind=EventKind.RATE_CHANGED,
            value_date=reset.reset_date,
            booking_date=reset.reset_date,
            annual_rate=reset.annual_rate,
        )
        for event_id, reset in enumerate(resets[1:], start=first_id)
    ]


@dataclass(frozen=True, slots=True)
class SeriesError:
    """One thing that is wrong in a file of reference rates, and what would be accepted."""

    file: str
    line: int
    column: str
    value: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}"
        return f"{where}, {self.column} = {self.value[:60]!r}: {self.remedy}"


class InvalidRateSeries(Refusal):
    """A file of reference rates cannot be used; each error names line, column, value, remedy."""

    def __init__(self, errors: Sequence[SeriesError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, errors)))


def read_rate_series(text: str, *, file: str) -> list[RateSeries]:
    """The series of a CSV text (see the module), in the file's order, each by date.

    Raises InvalidRateSeries with everything that is wrong, not only the first.
    """
    errors: list[SeriesError] = []
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        fault = SeriesError(file, reader.line_num, "line", "", f"It is not CSV: {error}.")
        raise InvalidRateSeries([fault]) from None
    names = _names(rows[0][1] if rows else [], file=file, errors=errors)
    if len(rows) > MAX_SERIES_LINES:
        errors.append(
            SeriesError(file, len(rows), "line", "", f"Give up to {MAX_SERIES_LINES} lines.")
        )
    if errors:
        raise InvalidRateSeries(errors)
    fixings: dict[str, dict[date, Fixing]] = {name: {} for name in names}
    seen: dict[date, int] = {}
    for line, row in rows[1:]:
        if len(row) != len(names) + 1:
            remedy = f"Give {len(names) + 1} values in a line, as in the first."
            errors.append(SeriesError(file, line, "line", ",".join(row), remedy))
            continue
        day = _day(row[0])
        if day is None:
            remedy = "Give a day that exists, as YYYY-MM-DD."
            errors.append(SeriesError(file, line, "publish_date", row[0], remedy))
            continue
        if day in seen:
            remedy = f"Line {seen[day]} has that day already: give each day once."
            errors.append(SeriesError(file, line, "publish_date", row[0], remedy))
        seen.setdefault(day, line)
        for name, written in zip(names, row[1:], strict=True):
            if rate := _rate(written):
                fixings[name][day] = Fixing(day, rate[0])
            else:
                remedy = "Give per cent a year with at most seven decimals, such as 4.25."
                errors.append(SeriesError(file, line, f"{name}_pct", written, remedy))
    if not seen and not errors:
        errors.append(SeriesError(file, 1, "line", "", "It holds no values. Add a line a day."))
    if errors:
        raise InvalidRateSeries(errors)
    return [
        RateSeries(name, tuple(by_day[day] for day in sorted(by_day)))
        for name, by_day in fixings.items()
    ]


def _names(header: Sequence[str], *, file: str, errors: list[SeriesError]) -> list[str]:
    if len(header) < 2 or header[0] != "publish_date":
        remedy = "Begin with a line such as publish_date,lpr_1y_pct."
        errors.append(SeriesError(file, 1, "line", ",".join(header), remedy))
        return []
    names = []
    for column in header[1:]:
        name = column.removesuffix("_pct")
        if name == column or not _NAME.fullmatch(name) or name in names:
            remedy = "Name each series once, in small letters, ending in _pct, such as lpr_1y_pct."
            errors.append(SeriesError(file, 1, "column", column, remedy))
        names.append(name)
    return names


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written) if len(written) == 10 else None
    except ValueError:
        return None


def _rate(written: str) -> tuple[Decimal] | None:
    """The fraction a year, in a tuple so that a rate of nothing is not taken for none."""
    if not _PER_CENT.fullmatch(written):
        return None
    rate = Decimal(written).scaleb(-2)
    try:
        rate_in_ppb(rate)
    except InvalidRate:
        return None
    return (rate,)


def _reset_dates(reset: Reset, start_date: date) -> Iterator[date]:
    if reset is Reset.NONE:
        return
    if reset is Reset.NEW_YEAR:
        for year in range(start_date.year + 1, date.max.year):
            yield date(year, 1, 1)
        return
    # Always from the start, so that 31 January leads to 28 February and then 31 March.
    for times in count(1):
        yield months_after(start_date, times * _MONTHS_BETWEEN[reset])
