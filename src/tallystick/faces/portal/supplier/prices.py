"""What money costs on a facility, in money and as a rate, for a page."""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from tallystick.book.financing.offers import Offer
from tallystick.rules.fee_terms import arrangement_fee_minor
from tallystick.rules.money import minor_digits
from tallystick.rules.pricing import cost_per_day_minor, price_of

LOT_UNITS = 100_000
"""Prices are told for so many units of the currency."""


class PriceTold(NamedTuple):
    """A day's cost of a lot, the fee for arranging it, and the rate of all charges for a draw of
    ``tenor_days``.
    """

    lot_minor: int
    day_minor: int
    fee_minor: int
    tenor_days: int
    apr_percent: Decimal | None


def price_told(offer: Offer) -> PriceTold:
    """The price of an offer, for the term that its form begins with."""
    lot_minor = LOT_UNITS * 10 ** minor_digits(offer.currency)
    tenor_days = offer.usual_tenor_days
    price = price_of(
        lot_minor,
        annual_rate_ppb=offer.annual_rate_ppb,
        day_count=offer.day_count,
        drawn_date=offer.business_date,
        due_date=offer.business_date + timedelta(days=tenor_days),
        fees_minor=arrangement_fee_minor(lot_minor, offer.fees),
    )
    day_minor = cost_per_day_minor(
        lot_minor, annual_rate_ppb=offer.annual_rate_ppb, day_count=offer.day_count
    )
    return PriceTold(lot_minor, day_minor, price.fees_minor, tenor_days, price.apr_percent_estimate)
