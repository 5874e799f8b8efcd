"""Facilities that follow a reference rate are priced at the value of the open business day."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.financing.programmes import terms_with
from tallystick.book.financing.reference_rates import rate_series
from tallystick.rules.fee_terms import refuse_costly_fees
from tallystick.rules.loan_events import rate_in_ppb
from tallystick.rules.programme import ProgrammeTerms
from tallystick.rules.rate_ceilings import refuse_above_ceiling
from tallystick.rules.reference_rates import (
    FloatingTerms,
    NoReferenceRate,
    RateSeries,
    rate_on,
)


class Priced(NamedTuple):
    """How many facilities have another price now, and which reference rates have no value."""

    changed: int
    missing: list[str]


def price_on(terms: ProgrammeTerms, on: date) -> int:
    """What a new facility of a programme charges, in parts per billion a year.

    Raises NoReferenceRate, InvalidRate, RateAboveCeiling, LateChargeTooHigh.
    """
    price = terms.price
    annual_rate = price.annual_rate
    if price.floating is not None:
        annual_rate = rate_on(
            rate_series(price.floating.reference_rate), price.floating, on
        ).annual_rate
    assert annual_rate is not None, "a price is fixed or floats"
    refuse_above_ceiling(
        lender=terms.lender,
        on=on,
        annual_rate=annual_rate,
        day_count=price.day_count,
        penalty_rate=price.penalty.highest_on_top(annual_rate),
    )
    refuse_costly_fees(
        terms.fees,
        lender=terms.lender,
        on=on,
        annual_rate=annual_rate,
        day_count=price.day_count,
        penalty_rate=price.penalty.highest_on_top(annual_rate),
        min_amount_minor=terms.drawdown.min_draw_minor,
        min_tenor_days=terms.drawdown.min_tenor_days,
    )
    return rate_in_ppb(annual_rate)


def floating_programmes(legal_entity_id: int) -> dict[int, FloatingTerms]:
    """The programmes of an entity's facilities that follow a reference rate, by row id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT programme.id, programme.sha256 FROM financing_programme AS programme"
            " WHERE programme.terms -> 'terms' -> 'price' ? 'reference_rate'"
            " AND EXISTS (SELECT FROM financing_facility AS facility"
            "  WHERE facility.programme_id = programme.id AND facility.legal_entity_id = %s)"
            " ORDER BY programme.id",
            [legal_entity_id],
        )
        rows = cursor.fetchall()
    return {
        programme_id: floating
        for programme_id, content in rows
        if (floating := terms_with(bytes(content)).price.floating) is not None
    }


def series_of(programmes: Mapping[int, FloatingTerms]) -> dict[str, RateSeries]:
    """The series that programmes follow, by name."""
    names = {floating.reference_rate for floating in programmes.values()}
    return {name: rate_series(name) for name in sorted(names)}


def price_facilities(legal_entity_id: int, *, on: date) -> Priced:
    """Let the entity's floating facilities charge what their reference rate comes to ``on`` a day.

    Loans drawn from now on begin with it; those drawn before take a new value on their own reset
    dates. Part of the caller's transaction. A facility whose reference rate has no value keeps
    its price.
    """
    programmes = floating_programmes(legal_entity_id)
    series = series_of(programmes)
    rates_ppb: dict[int, int] = {}
    missing: set[str] = set()
    for programme_id, floating in programmes.items():
        try:
            reset = rate_on(series[floating.reference_rate], floating, on)
        except NoReferenceRate:
            missing.add(floating.reference_rate)
            continue
        rates_ppb[programme_id] = rate_in_ppb(reset.annual_rate)
    return Priced(_written(legal_entity_id, rates_ppb), sorted(missing))


def _written(legal_entity_id: int, rates_ppb: Mapping[int, int]) -> int:
    if not rates_ppb:
        return 0
    with connection.cursor() as cursor:
        # Locked in order of id, as everywhere, before they are written.
        cursor.execute(
            "WITH priced AS MATERIALIZED ("
            "  SELECT facility.id, rate.ppb"
            "  FROM financing_facility AS facility"
            "  JOIN unnest(%s::bigint[], %s::bigint[]) AS rate (programme_id, ppb)"
            "    ON rate.programme_id = facility.programme_id"
            "  WHERE facility.legal_entity_id = %s AND facility.annual_rate_ppb <> rate.ppb"
            "  ORDER BY facility.id FOR NO KEY UPDATE OF facility)"
            " UPDATE financing_facility AS facility SET annual_rate_ppb = priced.ppb"
            " FROM priced WHERE facility.id = priced.id",
            [list(rates_ppb), list(rates_ppb.values()), legal_entity_id],
        )
        return cursor.rowcount
