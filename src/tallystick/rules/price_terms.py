"""The price of a programme: its own rate or a reference rate with a spread, and the penalty."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tallystick.rules.daycount import DAILY_DAY_COUNTS, DayCount
from tallystick.rules.loan_events import rate_in_ppb
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

BENCHMARK = "lpr_1y"
"""The reference rate of which the ceilings know the value, so that a spread can be judged."""


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """Rates are fractions a year. ``penalty_rate`` runs on principal past due, on top.

    Either ``annual_rate`` is given, or ``floating`` says which reference rate it follows.
    """

    annual_rate: Decimal | None
    floating: FloatingTerms | None
    penalty_rate: Decimal
    day_count: DayCount


def price_in(table: Table, *, lender: Lender, defined_on: date | None) -> PriceTerms:
    """The price that stands in a table of a programme file, or a possible one where it is wrong.

    ``defined_on``: the day whose legal ceiling it may not exceed, None where it was defined before.
    """
    errors_before = len(table.errors)
    is_floating = "reference_rate" in table.content
    terms = PriceTerms(
        annual_rate=None if is_floating else table.decimal("annual_rate"),
        floating=_floating(table) if is_floating else None,
        penalty_rate=table.decimal("penalty_rate"),
        day_count=table.choice("day_count", DayCount),
    )
    annual_rate = terms.annual_rate
    if annual_rate is not None:
        fixed_rate = annual_rate
        table.checked("annual_rate", lambda: rate_in_ppb(fixed_rate))
    table.checked("penalty_rate", lambda: rate_in_ppb(terms.penalty_rate))
    if terms.day_count not in DAILY_DAY_COUNTS:
        table.refuse(
            "day_count",
            f"A book accrues by calendar days: use one of {', '.join(DAILY_DAY_COUNTS)}.",
        )
    if defined_on is not None and len(table.errors) == errors_before:
        _refuse_above_ceiling(table, terms, lender=lender, on=defined_on)
    rate_keys = ("reference_rate", "spread_bps", "reset") if is_floating else ("annual_rate",)
    table.finish(cited=(*rate_keys, "penalty_rate", "day_count"))
    return terms


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
                penalty_rate=terms.penalty_rate,
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
