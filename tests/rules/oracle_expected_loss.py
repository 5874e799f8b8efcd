"""Expected loss read aloud: period by period, one loan at a time, with one formula for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from tallystick.rules.expected_loss import PPB, TWELVE_MONTHS_DAYS, LossTerms, cumulative_pd
from tallystick.rules.money import Rounding, rounded


@dataclass(frozen=True, slots=True)
class Exposure:
    """What would be lost without recovery on a default after the last period, by ``to_day``."""

    to_day: int
    amount_minor: int


def expected_loss_minor(
    terms: LossTerms,
    exposures: Sequence[Exposure],
    *,
    horizon_days: int,
    annual_rate_ppb: int,
    days_a_year: int,
) -> int:
    """Loss of defaults within ``horizon_days``; ``exposures`` come in the order of their days."""
    ends = sorted({TWELVE_MONTHS_DAYS, *(point.days for point in terms.curve)})
    loss = Fraction(0)
    start = 0
    for exposure in exposures:
        last = min(exposure.to_day, horizon_days)
        inside = [end for end in ends if start < end < last]
        for end in [*inside, last] if last > start else []:
            probability = cumulative_pd(terms.curve, end) - cumulative_pd(terms.curve, start)
            discount = 1 + Fraction(annual_rate_ppb * end, PPB * days_a_year)
            loss += probability * exposure.amount_minor / discount
            start = end
    loss *= Fraction(terms.lgd_bps, 10_000)
    return rounded(loss.numerator, loss.denominator, Rounding.HALF_UP)


def loss_rate_ppb(
    terms: LossTerms, *, stage: int, days_to_due: int, annual_rate_ppb: int, days_a_year: int
) -> int:
    """Of a loan with one due date, in parts per billion of its exposure."""
    if stage == 3:
        return rounded(terms.lgd_bps * PPB, 10_000, Rounding.HALF_UP)
    lifetime_days = max(days_to_due, terms.min_horizon_days)
    return expected_loss_minor(
        terms,
        [Exposure(lifetime_days, PPB)],
        horizon_days=lifetime_days if stage == 2 else min(lifetime_days, TWELVE_MONTHS_DAYS),
        annual_rate_ppb=annual_rate_ppb,
        days_a_year=days_a_year,
    )


def principal_to_come_minor(
    planned_minor: Sequence[int], *, repaid_minor: int, principal_minor: int
) -> list[int]:
    """Principal that is still to be repaid at each due date of a plan."""
    by_then_minor = [
        min(max(0, planned - repaid_minor), principal_minor) for planned in planned_minor[:-1]
    ]
    return [later - earlier for earlier, later in pairwise([0, *by_then_minor, principal_minor])]


def instalments_allowance_minor(
    terms: LossTerms,
    parts: Sequence[Exposure],
    *,
    stage: int,
    annual_rate_ppb: int,
    days_a_year: int,
) -> int:
    """What a loan needs of which ``parts`` fall due by so many days from now."""
    numerator = sum(
        part.amount_minor
        * loss_rate_ppb(
            terms,
            stage=stage,
            days_to_due=part.to_day,
            annual_rate_ppb=annual_rate_ppb,
            days_a_year=days_a_year,
        )
        for part in parts
    )
    return rounded(numerator, PPB, Rounding.HALF_UP)
