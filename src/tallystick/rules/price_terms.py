"""The price of a programme: its own rate or a reference rate with a spread, and the penalty.

The penalty runs on principal past due, on top of the annual rate. A file gives it as a rate a year
(``penalty_rate``), as a rate a day (``penalty_daily_rate``), or as the multiple of the annual rate
that overdue principal bears in all (``penalty_multiple``).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tallystick.rules.daycount import DAILY_DAY_COUNTS, DayCount
from tallystick.rules.loan_events import rate_in_ppb
from tallystick.rules.loan_terms import (
    MAX_BAND_DAYS,
    MAX_GRACE_DAYS,
    PenaltyBand,
    penalty_of_a_day,
    penalty_of_multiple,
)
from tallystick.rules.money import Rounding, rounded_decimal
from tallystick.rules.rate_ceilings import Lender, lpr_1y_on, refuse_above_ceiling
from tallystick.rules.reference_rates import (
    MAX_SPREAD_BPS,
    FloatingTerms,
    Reset,
    refuse_name,
    with_spread,
)
from tallystick.rules.refusal import Refusal
from tallystick.rules.terms_file import Table

RATE_DIGITS = 9
"""Rates are exact to a billionth."""

BENCHMARK = "lpr_1y"
"""The reference rate of which the ceilings know the value, so that a spread can be judged."""


@dataclass(frozen=True, slots=True)
class PenaltyTerms:
    """What principal past due costs on top of the annual rate.

    Exactly one of ``rate``, a fraction a year, and ``multiple`` of the annual rate is given. It
    runs from ``grace_days`` after the due date on; ``bands`` hold in its place once an instalment
    has been past due for so many days.
    """

    rate: Decimal | None
    multiple: Decimal | None
    grace_days: int
    bands: tuple[PenaltyBand, ...]

    def rate_on_top(self, annual_rate: Decimal) -> Decimal:
        """The first rate a year for a loan of this annual rate, to a billionth, half-up."""
        if self.rate is not None:
            return self.rate
        assert self.multiple is not None
        exact = penalty_of_multiple(self.multiple, annual_rate)
        return rounded_decimal(exact, Rounding.HALF_UP, digits=RATE_DIGITS)

    def highest_on_top(self, annual_rate: Decimal) -> Decimal:
        """The highest rate that it comes to, whatever the days past due."""
        return max([self.rate_on_top(annual_rate), *(band.rate for band in self.bands)])


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """Rates are fractions a year.

    Either ``annual_rate`` is given, or ``floating`` says which reference rate it follows.
    """

    annual_rate: Decimal | None
    floating: FloatingTerms | None
    penalty: PenaltyTerms
    day_count: DayCount


def price_in(table: Table, *, lender: Lender, defined_on: date | None) -> PriceTerms:
    """The price that stands in a table of a programme file, or a possible one where it is wrong.

    ``defined_on``: the day whose legal ceiling it may not exceed, None where it was defined before.
    """
    errors_before = len(table.errors)
    is_floating = "reference_rate" in table.content
    day_count = table.choice("day_count", DayCount)
    if day_count not in DAILY_DAY_COUNTS:
        table.refuse(
            "day_count",
            f"A book accrues by calendar days: use one of {', '.join(DAILY_DAY_COUNTS)}.",
        )
        day_count = DAILY_DAY_COUNTS[0]
    penalty, penalty_keys = _penalty(table, day_count)
    terms = PriceTerms(
        annual_rate=None if is_floating else table.decimal("annual_rate"),
        floating=_floating(table) if is_floating else None,
        penalty=penalty,
        day_count=day_count,
    )
    annual_rate = terms.annual_rate
    if annual_rate is not None:
        fixed_rate = annual_rate
        table.checked("annual_rate", lambda: rate_in_ppb(fixed_rate))
    if defined_on is not None and len(table.errors) == errors_before:
        _refuse_above_ceiling(table, terms, lender=lender, on=defined_on)
    rate_keys = ("reference_rate", "spread_bps", "reset") if is_floating else ("annual_rate",)
    table.finish(cited=(*rate_keys, *penalty_keys, "day_count"))
    return terms


_PENALTY_KEYS = ("penalty_rate", "penalty_daily_rate", "penalty_multiple")
_BAND_KEYS = ("rate", "daily_rate")


def _penalty(table: Table, day_count: DayCount) -> tuple[PenaltyTerms, tuple[str, ...]]:
    """The penalty, and the keys by which the file gives it; a possible one where it is wrong."""
    key = _one_of(table, _PENALTY_KEYS)
    written = table.decimal(key)
    rate: Decimal | None = written
    multiple = None
    if key == "penalty_multiple":
        rate, multiple = None, written
        table.checked(key, lambda: penalty_of_multiple(written, Decimal(0)))
    else:
        rate = _rate_a_year(table, key, written, day_count)
    grace_days = 0
    keys: tuple[str, ...] = (key,)
    if "penalty_grace_days" in table.content:
        grace_days = table.whole_number("penalty_grace_days", lowest=0, highest=MAX_GRACE_DAYS)
        keys = (key, "penalty_grace_days")
    bands: list[PenaltyBand] = []
    for band in table.tables("penalty_bands"):
        first = bands[-1].days_past_due if bands else grace_days
        days = band.whole_number("days_past_due", lowest=first + 1, highest=MAX_BAND_DAYS)
        band_key = _one_of(band, _BAND_KEYS)
        band_rate = _rate_a_year(band, band_key, band.decimal(band_key), day_count)
        band.origin("source")
        band.finish()
        bands.append(PenaltyBand(days, band_rate))
    return PenaltyTerms(rate, multiple, grace_days, tuple(bands)), keys


def _one_of(table: Table, keys: tuple[str, ...]) -> str:
    """The key of these that the table has; the first where it has none, and one where several."""
    written = [key for key in keys if key in table.content]
    for other in written[1:]:
        table.refuse(other, f"Give one of {', '.join(keys)}, not several.")
    return written[0] if written else keys[0]


def _rate_a_year(table: Table, key: str, written: Decimal, day_count: DayCount) -> Decimal:
    """A rate of a table as a fraction a year; zero where it is not possible."""
    errors_before = len(table.errors)
    rate = written
    if key.endswith("daily_rate"):
        table.checked(key, lambda: penalty_of_a_day(written, day_count))
        if len(table.errors) == errors_before:
            rate = penalty_of_a_day(written, day_count)
    table.checked(key, lambda: rate_in_ppb(rate))
    return rate if len(table.errors) == errors_before else Decimal(0)


def _floating(table: Table) -> FloatingTerms:
    """Reference rate and spread; possible ones where the file's are not."""
    name = table.text("reference_rate", instead=BENCHMARK)
    spread_bps = table.whole_number("spread_bps", lowest=-MAX_SPREAD_BPS, highest=MAX_SPREAD_BPS)
    reset = table.choice("reset", Reset)
    try:
        refuse_name(name)
    except Refusal as refusal:
        table.refuse("reference_rate", str(refusal))
        name = BENCHMARK
    return FloatingTerms(name, spread_bps, reset)


def _refuse_above_ceiling(table: Table, terms: PriceTerms, *, lender: Lender, on: date) -> None:
    """Note a price above the legal ceiling of the day on which it is defined.

    Of a floating rate only the one-year loan prime rate is known here; others are judged when a
    facility is opened, with the value of that day.
    """

    def check() -> None:
        annual_rate = rate_when_defined(terms, on)
        if annual_rate is not None:
            refuse_above_ceiling(
                lender=lender,
                on=on,
                annual_rate=annual_rate,
                day_count=terms.day_count,
                penalty_rate=terms.penalty.highest_on_top(annual_rate),
            )

    table.checked("annual_rate" if terms.floating is None else "spread_bps", check)


def rate_when_defined(terms: PriceTerms, on: date) -> Decimal | None:
    """What the price comes to on the day it is defined; None of a reference rate unknown here.

    Raises what ``reference_rates.with_spread`` raises.
    """
    if terms.floating is None:
        return terms.annual_rate
    if terms.floating.reference_rate != BENCHMARK:
        return None
    return with_spread(lpr_1y_on(on), terms.floating.spread_bps)
