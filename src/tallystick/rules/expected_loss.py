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

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

import narwhals as nw
from narwhals.typing import FrameT

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


@lru_cache(maxsize=10_000)
def cumulative_pd(curve: tuple[PdPoint, ...], days: int) -> Fraction:
    """Probability of a default by day ``days``."""
    start_days, start_ppm = 0, 0
    per_day = Fraction(0)
    for point in curve:
        per_day = Fraction(point.cumulative_ppm - start_ppm, point.days - start_days)
        if days <= point.days:
            break
        start_days, start_ppm = point.days, point.cumulative_ppm
    return min(Fraction(1), (start_ppm + per_day * (days - start_days)) / PPM)


def loss_rates_ppb(
    terms: LossTerms,
    days_to_due: Iterable[int],
    *,
    stage: int,
    annual_rate_ppb: int,
    days_a_year: int,
) -> dict[int, int]:
    """Expected loss on loans with one due date, in parts per billion of their exposure.

    By the days to the due date, which are below zero where it has passed. Half up to a whole part:
    loans that agree in these four share one rate.
    """
    if stage == 3:
        return dict.fromkeys(days_to_due, rounded(terms.lgd_bps * PPB, 10_000, Rounding.HALF_UP))
    horizon_days = {days: _horizon_days(terms, days, stage) for days in days_to_due}
    lost = _lost_by(terms, set(horizon_days.values()), annual_rate_ppb, days_a_year)
    rates_ppb = {
        horizon: rounded(numerator * terms.lgd_bps * PPB, denominator * 10_000, Rounding.HALF_UP)
        for horizon, (numerator, denominator) in lost.items()
    }
    return {days: rates_ppb[horizon] for days, horizon in horizon_days.items()}


def _horizon_days(terms: LossTerms, days_to_due: int, stage: int) -> int:
    """How far ahead defaults are looked for: the whole life, or twelve months of it."""
    lifetime_days = max(days_to_due, terms.min_horizon_days)
    return lifetime_days if stage == 2 else min(lifetime_days, TWELVE_MONTHS_DAYS)


def _lost_by(
    terms: LossTerms, horizons_days: Iterable[int], annual_rate_ppb: int, days_a_year: int
) -> dict[int, tuple[int, int]]:
    """Σ over periods (PD(end) − PD(start)) / (1 + rate × end / days a year), to each horizon.

    A period ends at each point of the term structure, at twelve months (so that their loss is a
    part of the lifetime's) and at the horizon. As numerator and denominator: a night asks for tens
    of thousands, and to bring each to its lowest terms takes most of the time.
    """
    year = PPB * days_a_year

    def with_period(lost: tuple[int, int], start: int, end: int) -> tuple[int, int]:
        defaults = cumulative_pd(terms.curve, end) - cumulative_pd(terms.curve, start)
        numerator, denominator = lost
        discounted = defaults.denominator * (year + annual_rate_ppb * end)
        return (
            numerator * discounted + defaults.numerator * year * denominator,
            denominator * discounted,
        )

    ends = sorted({TWELVE_MONTHS_DAYS, *(point.days for point in terms.curve)}, reverse=True)
    lost = {}
    so_far, start = (0, 1), 0
    for horizon in sorted(horizons_days):
        while ends and ends[-1] < horizon:
            end = ends.pop()
            so_far = with_period(so_far, start, end)
            start = end
        lost[horizon] = with_period(so_far, start, horizon)
    return lost


def principal_lost(dues: FrameT) -> FrameT:
    """What each loan repaid in instalments is expected to lose of its principal.

    Such a loan is a bundle of loans with one due date each: what is outstanding in a period is the
    sum of the parts not yet due, so that the sum over periods of marginal default × exposure is the
    sum over parts of part × cumulative default up to its due date:

        lost = Σ over due dates amount × loss_ppb / 10⁹
        amount = principal still to be repaid by the due date − by the one before
        still to be repaid = min(principal, max(0, planned − repaid)), by the last all of it

    What was repaid counts against the oldest. A default within a part's last period is discounted
    from that part's due date, so that a part is worth what a loan of its own would be.

    In, a row for each due date: loan_id, planned_before_minor and planned_minor (principal to be
    repaid in all by the due date before, 0 if none, and by this one, null if it is the last),
    principal_minor and repaid_minor of the loan, loss_ppb. Out, a row for each loan: loan_id and
    the sum in two parts, lost_minor + lost_ppb / 10⁹.
    """
    principal, repaid = nw.col("principal_minor"), nw.col("repaid_minor")

    def to_repay(planned: nw.Expr) -> nw.Expr:
        return nw.min_horizontal(principal, nw.max_horizontal(nw.lit(0), planned - repaid))

    by_then = to_repay(nw.col("planned_minor").fill_null(principal + repaid))
    amount = by_then - to_repay(nw.col("planned_before_minor"))
    # In two parts: one product would wrap 64 bits at about CNY 90 million.
    loss = nw.col("loss_ppb")
    rest_ppb = amount % PPB * loss
    return (
        dues.with_columns(
            lost_minor=amount // PPB * loss + rest_ppb // PPB, lost_ppb=rest_ppb % PPB
        )
        .group_by("loan_id")
        .agg(nw.col("lost_minor", "lost_ppb").sum())
    )


def repaid_evenly_rates_ppb(
    terms: LossTerms, *, stage: int, payments_left: Collection[int]
) -> dict[int, int]:
    """Expected loss on what comes back in so many equal daily payments, per billion of it.

    An advance out of sales has no due date: it is a bundle of as many loans as payments are
    expected, of equal size, the k-th due in k days, and is expected to lose what these would:

        rate(n) = (1 / n) × Σ over k from 1 to n loss_rates_ppb(k days to the due date)

    By number of payments, half up to a whole part; one that expects none has one to come. Nothing
    is discounted: what lies ahead is weeks, and the allowance the higher for it.
    """
    longest = max((max(1, payments) for payments in payments_left), default=0)
    days = range(1, longest + 1)
    of_day = loss_rates_ppb(terms, days, stage=stage, annual_rate_ppb=0, days_a_year=365)
    so_far_ppb = [0, *accumulate(of_day[day] for day in days)]
    return {
        payments: rounded(so_far_ppb[max(1, payments)], max(1, payments), Rounding.HALF_UP)
        for payments in payments_left
    }


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
