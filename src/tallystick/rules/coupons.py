"""Coupon periods, real and notional, that some day counts measure a period against.

Around an irregular first or last period the regular rhythm is continued: the dates on which coupons
would have fallen are called notional (or quasi) coupon dates, as in ICMA Rule 251.
"""

from dataclasses import dataclass
from datetime import date

from tallystick.rules.calendars import last_day_of_month, months_after
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.refusal import Refusal


@dataclass(frozen=True, slots=True)
class ReferencePeriod:
    """The regular coupon period, real or notional, that a period is measured against.

    ``coupons_per_year`` is taken from the length of the period when it is None.
    """

    start: date
    end: date
    coupons_per_year: int | None = None


@dataclass(frozen=True, slots=True)
class CouponSchedule:
    """The coupon dates of a bond whose first or last period may be irregular.

    Regular coupons lie every ``12 / coupons_per_year`` months between the first and the
    penultimate coupon. With ``end_of_month``, coupons on the last day of a month stay there.
    """

    issue: date
    first_coupon: date
    penultimate_coupon: date
    maturity: date
    coupons_per_year: int
    end_of_month: bool = False


class CouponPeriodsImpossible(Refusal):
    """The dates or the frequency given describe no coupon periods."""

    def __init__(self, given: str, remedy: str) -> None:
        super().__init__(f"{given} describes no coupon periods. {remedy}")


def months_nearest_to(days: int) -> int:
    """Whole months closest to a number of days, at 365 days a year."""
    return rounded(12 * days, 365, Rounding.HALF_UP)


def coupon_dates_around(
    reference: ReferencePeriod, start: date, end: date
) -> tuple[int, list[date]]:
    """Months between coupons, and coupon dates from ``start`` or before to ``end`` or after.

    The reference period is continued backwards coupon by coupon and forwards in multiples from its
    end, as the published figures do; the two differ at the end of a short month.
    A reference period under half a month does not tell how many coupons a year has and is taken as
    the year from ``start``. Raises CouponPeriodsImpossible.
    """
    first, last = reference.start, reference.end
    if last <= first:
        raise CouponPeriodsImpossible(
            f"A reference period from {first} to {last}", "Give one that ends after it starts."
        )
    if reference.coupons_per_year is None:
        months = months_nearest_to((last - first).days)
    else:
        months = _months_between_coupons(reference.coupons_per_year)
    if months == 0:
        months, first, last = 12, start, months_after(start, 12)

    dates = [first, last]
    while dates[0] > start:
        dates.insert(0, months_after(dates[0], -months))
    periods_after = 1
    while dates[-1] < end:
        dates.append(months_after(last, months * periods_after))
        periods_after += 1
    return months, dates


def coupon_dates_of(bond: CouponSchedule, start: date, end: date) -> tuple[int, list[date]]:
    """Months between coupons, and the bond's coupon dates with notional ones around odd periods.

    Raises CouponPeriodsImpossible, also when the period is not within the life of the bond.
    """
    if not bond.issue <= start <= end <= bond.maturity:
        raise CouponPeriodsImpossible(
            f"A period from {start} to {end} of a bond that runs from {bond.issue} to "
            f"{bond.maturity}",
            "Give a period within the life of the bond.",
        )
    months = _months_between_coupons(bond.coupons_per_year)

    def moved(day: date, by_months: int) -> date:
        stays_at_month_end = bond.end_of_month and day == last_day_of_month(day)
        later = months_after(day, by_months)
        return last_day_of_month(later) if stays_at_month_end else later

    dates = [bond.penultimate_coupon]
    while (coupon := moved(bond.penultimate_coupon, -months * len(dates))) > bond.first_coupon:
        dates.insert(0, coupon)
    if bond.first_coupon < dates[0]:
        dates.insert(0, bond.first_coupon)
    while dates[0] > bond.issue:
        dates.insert(0, moved(dates[0], -months))
    while dates[-1] < bond.maturity:
        dates.append(moved(dates[-1], months))
    return months, dates


def _months_between_coupons(coupons_per_year: int) -> int:
    if coupons_per_year not in (1, 2, 3, 4, 6, 12):
        raise CouponPeriodsImpossible(
            f"A frequency of {coupons_per_year} coupons a year", "Give 1, 2, 3, 4, 6 or 12."
        )
    return 12 // coupons_per_year
