"""What money costs on a facility, in money and as a rate, for a page."""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from tallystick.book.financing.offers import Offer
from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment
from tallystick.rules.fee_terms import arrangement_fee_minor
from tallystick.rules.loan_events import rate_from_ppb
from tallystick.rules.money import minor_digits
from tallystick.rules.pricing import Price, cost_per_day_minor, price_of, price_of_instalments
from tallystick.rules.repayment import instalments

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
    price = _price(offer, lot_minor, tenor_days)
    day_minor = cost_per_day_minor(
        lot_minor, annual_rate_ppb=offer.annual_rate_ppb, day_count=offer.day_count
    )
    return PriceTold(lot_minor, day_minor, price.fees_minor, tenor_days, price.apr_percent_estimate)


def _price(offer: Offer, amount_minor: int, tenor_days: int) -> Price:
    """Before any due date moves to a business day: what a draw costs is quoted by itself."""
    on = offer.business_date
    fees_minor = arrangement_fee_minor(amount_minor, offer.fees)
    if offer.repayment.in_instalments:
        agreed = instalments(
            offer.repayment,
            amount_minor=amount_minor,
            annual_rate=rate_from_ppb(offer.annual_rate_ppb),
            day_count=offer.day_count,
            drawn_date=on,
            tenor_days=tenor_days,
            max_tenor_days=offer.inputs.max_tenor_days,
            calendar=WEEKENDS_ONLY,
            adjustment=Adjustment.UNADJUSTED,
        )
        return price_of_instalments(amount_minor, agreed.rows, drawn_date=on, fees_minor=fees_minor)
    return price_of(
        amount_minor,
        annual_rate_ppb=offer.annual_rate_ppb,
        day_count=offer.day_count,
        drawn_date=on,
        due_date=on + timedelta(days=tenor_days),
        fees_minor=fees_minor,
    )
