"""A floating rate in a case file: reference rate and spread, with the published values."""

from collections.abc import Sequence
from datetime import date

from tallystick.faces.cli.case_fields import Fields
from tallystick.rules.reference_rates import (
    Fixing,
    FloatingTerms,
    RateReset,
    RateSeries,
    Reset,
    rate_resets,
)

SUCH_AS = '{"publish_date": "2026-01-20", "rate": "0.03"}'


def floating_resets(case: Fields, *, start_date: date, end_date: date) -> Sequence[RateReset]:
    """The rate of the first day and each reset that changes it; none where the rate is fixed.

    Raises CaseRefused, InvalidFloatingTerms, NoReferenceRate, InvalidRate.
    """
    if "floating" not in case:
        return ()
    floating = case.part("floating")
    terms = FloatingTerms(
        floating.name("reference_rate"),
        floating.whole("spread_bps"),
        floating.choice("reset", Reset),
    )
    fixings: dict[date, Fixing] = {}
    for published in floating.objects("series", each="value", such_as=SUCH_AS):
        day = published.day("publish_date")
        if day in fixings:
            published.refuse("publish_date", day.isoformat(), "give each day once")
        fixings[day] = Fixing(day, published.rate("rate"))
        published.refuse_unknown()
    floating.refuse_unknown()
    series = RateSeries(terms.reference_rate, tuple(fixings[day] for day in sorted(fixings)))
    return rate_resets(series, terms, start_date=start_date, end_date=end_date)
