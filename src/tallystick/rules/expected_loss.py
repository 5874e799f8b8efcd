"""Expected credit loss: stages, lifetime and twelve-month loss, and the matrix for receivables.

A loan is in stage 1 until its credit risk has risen significantly (stage 2) or it is credit
impaired (stage 3). More than 30 days past due presumes the one and more than 90 the other; either
presumption is rebutted by a recorded fact. Stage 1 holds the loss of defaults possible within
twelve months, stages 2 and 3 that of the whole life:

    loss = LGD × Σ over periods (PD(end) − PD(start)) × exposure / (1 + rate × end / days a year)

PD(t) is the cumulative probability of default by day t: straight between the points of the term
structure, from 0 on day 0, and on beyond the last point as in its last stretch, up to 1. A default
is taken to happen at the end of its period. The discount is at the loan's effective rate, which
for simple interest repaid with the principal is its own rate; LGD is a present value at default.
Everything is exact until the one rounding at the end, half up.

Source: IFRS 9, 5.5.3 to 5.5.11, 5.5.15, 5.5.17, B5.5.28 to B5.5.37, B5.5.44.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import narwhals as nw

from tallystick.rules.money import Rounding, rounded

TWELVE_MONTHS_DAYS = 365
PPM = 1_000_000
PPB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PdPoint:
    """By so many days from now, so many of a million such loans will have defaulted."""

    days: int
    cumulative_ppm: int


@dataclass(frozen=True, slots=True)
class MatrixRate:
    """Loss, in parts per million, of what is more than ``over_days`` past due (−1: of all)."""

    over_days: int
    loss_ppm: int


@dataclass(frozen=True, slots=True)
class LossTerms:
    """What losses are expected by: a term structure for stages, or a matrix instead.

    ``min_horizon_days``: a loan at or past its due date is still looked ahead for so long.
    """

    lgd_bps: int
    min_horizon_days: int
    curve: tuple[PdPoint, ...]
    matrix: tuple[MatrixRate, ...]


@dataclass(frozen=True, slots=True)
class Exposure:
    """What would be lost without recovery on a default after the last period, by ``to_day``.

    ``to_day`` counts from now, this day included; the first period begins now.
    """

    to_day: int
    amount_minor: int


def stage(*, days_past_due: nw.Expr, is_impaired: nw.Expr, over_days: tuple[int, int]) -> nw.Expr:
    """1, 2 or 3; the columns ``rebuts_stage_2`` and ``rebuts_stage_3`` say what is rebutted.

    ``over_days``: the presumed limits of stages 2 and 3. ``is_impaired``: by evidence and not by
    presumption, which nothing rebuts. A loan whose 90 days are rebutted is in stage 2.
    """
    stage_2_over_days, stage_3_over_days = over_days
    is_late = days_past_due > stage_3_over_days
    is_risen = (days_past_due > stage_2_over_days) & ~nw.col("rebuts_stage_2")
    return (
        nw.when(is_impaired | (is_late & ~nw.col("rebuts_stage_3")))
        .then(nw.lit(3))
        .when(is_risen | is_late)
        .then(nw.lit(2))
        .otherwise(nw.lit(1))
    )


def cumulative_pd(curve: Sequence[PdPoint], days: int) -> Fraction:
    """Probability of a default by day ``days``."""
    start_days, start_ppm = 0, 0
    per_day = Fraction(0)
    for point in curve:
        per_day = Fraction(point.cumulative_ppm - start_ppm, point.days - start_days)
        if days <= point.days:
            break
        start_days, start_ppm = point.days, point.cumulative_ppm
    return min(Fraction(1), (start_ppm + per_day * (days - start_days)) / PPM)


def expected_loss_minor(
    terms: LossTerms,
    exposures: Sequence[Exposure],
    *,
    horizon_days: int,
    annual_rate_ppb: int,
    days_a_year: int,
) -> int:
    """Loss of defaults within ``horizon_days``, discounted and rounded half up; minor units.

    ``exposures`` come in the order of their days. A period ends where an exposure does, at each
    point of the term structure, at twelve months (so that their loss is a part of the lifetime's)
    and at the horizon.
    """
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
    """Expected loss on a loan with one due date, in parts per billion of its exposure.

    Half up to a whole part: loans that agree in these four share one rate.
    """
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
    """Principal that is still to be repaid at each due date of a plan; sums to ``principal_minor``.

    ``planned_minor``: the principal to be repaid by each due date in all. What was repaid counts
    against the oldest; the last due date takes the remainder.
    """
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
    """What a loan with several due dates needs; minor units, rounded half up once.

    A loan repaid in instalments is a bundle of loans with one due date each: what is outstanding in
    a period is the sum of the parts not yet due, so that the sum over periods of marginal default ×
    exposure is the sum over parts of part × cumulative default up to its due date:

        allowance = Σ over parts amount × loss_rate_ppb(days to its due date) / 10⁹

    ``parts``: what falls due by each ``to_day``, from now; interest, penalty and fees that have
    run fall due with the first. A default within a part's last period is discounted from that
    part's due date, so that a part is worth what a loan of its own would be.
    """
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


def matrix_rate_ppb(terms: LossTerms, *, days_past_due: int) -> int:
    """Lifetime loss of receivables by age, in parts per billion (the simplified approach).

    ``days_past_due`` below 1 is not past due. Source: IFRS 9, 5.5.15 and B5.5.35.
    """
    past = [each for each in terms.matrix if max(0, days_past_due) > each.over_days]
    return past[-1].loss_ppm * (PPB // PPM)


def allowance_minor(exposure_minor: int, rate_ppb: int) -> int:
    """What one loan's exposure needs at its loss rate: half up, once per loan."""
    return rounded(exposure_minor * rate_ppb, PPB, Rounding.HALF_UP)


def reserve_needed_minor(balance_minor: int, reserve_bps: int) -> int:
    """The law's share of the closing balance of financed receivables, rounded up.

    Source: 银保监办发〔2019〕205号: not less than 1 %.
    """
    return rounded(balance_minor * reserve_bps, 10_000, Rounding.UP)


def reserve_above_loss_minor(*, reserve_minor: int, expected_loss_minor: int) -> int:
    """What the reserve asks for beyond expected loss: of the two the higher is booked."""
    return max(0, reserve_minor - expected_loss_minor)
