"""Reference rates as the book knows them."""

from tallystick.book.financing.models import ReferenceRate
from tallystick.rules.loan_events import rate_from_ppb
from tallystick.rules.reference_rates import Fixing, RateSeries


def rate_series(name: str) -> RateSeries:
    """The series of that name as imported so far; without values where there is none."""
    rows = ReferenceRate.objects.filter(name=name).order_by("publish_date")
    return RateSeries(
        name,
        tuple(
            Fixing(publish_date, rate_from_ppb(rate_ppb))
            for publish_date, rate_ppb in rows.values_list("publish_date", "rate_ppb")
        ),
    )


def known_rates(name: str | None = None) -> list[ReferenceRate]:
    """Every value, by series and day; of one series if named."""
    rows = ReferenceRate.objects.order_by("name", "publish_date")
    return list(rows if name is None else rows.filter(name=name))
