"""How a balance comes back over periods: principal and interest of each, in whole minor units.

This is the one place where instalments are calculated, for a schedule made on the first day as
for what is left of a loan after something happened to it.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from tallystick.rules.money import Rounding, rounded

_REMEMBERED = 4_096


class Method(StrEnum):
    """How principal comes back."""

    BULLET = "bullet"
    """Principal and all interest in one payment at maturity."""
    INTEREST_ONLY = "interest_only"
    """Interest every period, principal in one payment with the last."""
    EQUAL_INSTALMENTS = "equal_instalments"
    """Principal and interest together are the same every period."""
    EQUAL_PRINCIPAL = "equal_principal"
    """Principal is the same every period, interest on what is left."""


class InterestOn(StrEnum):
    """What interest is charged on."""

    OUTSTANDING = "outstanding"
    """The principal that is still outstanding."""
    ORIGINAL = "original"
    """The principal first paid out, whatever has been repaid: a flat rate."""


class InterestRounding(StrEnum):
    """What is rounded."""

    RUNNING_TOTAL = "running_total"
    """The interest of the whole life so far: all instalments sum to the life's, rounded once."""
    EACH_PERIOD = "each_period"
    """The interest of each period by itself."""
    EACH_PART = "each_part"
    """As ``each_period``; and within a period, of each part from one change to the next."""


class Rule(NamedTuple):
    """The decisions of a product about its instalments.

    The instalment is rounded to a multiple of ``instalment_multiple_minor`` by
    ``instalment_rounding``; interest, and equal principal, to minor units by ``rounding``. With
    ``evened`` an instalment that leaves the last one off by more minor units than half the
    number of instalments is corrected by its share of the difference, if that brings them
    closer. For the first ``principal_grace_periods`` no principal is due; the interest of the
    first ``interest_grace_periods`` falls due with the period after them.
    """

    method: Method
    interest_on: InterestOn
    interest_rounding: InterestRounding
    rounding: Rounding
    instalment_rounding: Rounding
    instalment_multiple_minor: int
    evened: bool
    principal_grace_periods: int
    interest_grace_periods: int


class Portions(NamedTuple):
    """Principal and interest that fall due at the end of each period, in two columns."""

    principals_minor: list[int]
    interests_minor: list[int]


Bearing = Callable[[int, int, Sequence[int], Sequence[int]], Fraction]
"""Interest of a period, in minor units, exactly: of its index, of the balance at its start and of
the principal and the interest that fell due with the periods before it."""


class Level(NamedTuple):
    """An instalment, or a principal, that is the same every period; ``periods`` of them."""

    amount_minor: int
    periods: int


def instalment_minor(
    principal_minor: int, growth: Sequence[int], denominator: int, rounding: Rounding
) -> int:
    """The equal instalment that repays a loan with interest, rounded.

    Interest of period i is balance × growth[i] / denominator. With f = 1 + growth / denominator,
    instalment = principal × f₁⋯fₙ / Σᵢ fᵢ₊₁⋯fₙ; for equal periods this is the annuity formula
    principal × r / (1 − (1 + r)⁻ⁿ).
    """
    grown, paid_in = _annuity(tuple(growth), denominator)
    return rounded(principal_minor * grown, paid_in, rounding)


@lru_cache(maxsize=_REMEMBERED)
def _annuity(growth: tuple[int, ...], denominator: int) -> tuple[int, int]:
    """What one unit has grown to, and what a payment of one each period has."""
    # Both products are kept over the same power of the denominator, which then cancels.
    grown, paid_in, scale = 1, 0, 1
    for interest_share in growth:
        factor = denominator + interest_share
        scale *= denominator
        grown *= factor
        paid_in = paid_in * factor + scale
    return grown, paid_in


def level_of(
    rule: Rule,
    principal_minor: int,
    growth: Sequence[int],
    denominator: int,
    *,
    interest_principal_minor: int | None = None,
) -> Level:
    """What every period pays by the method: principal, or principal with interest.

    ``interest_principal_minor`` is what a flat rate is charged on, where it is not
    ``principal_minor``.
    """
    amortising = growth[rule.principal_grace_periods :]
    periods = len(amortising)
    multiple = rule.instalment_multiple_minor
    match rule.method:
        case Method.BULLET | Method.INTEREST_ONLY:
            return Level(0, periods)
        case Method.EQUAL_PRINCIPAL:
            return Level(rounded(principal_minor, periods, rule.rounding), periods)
    if rule.interest_on is InterestOn.ORIGINAL:
        charged_on_minor = interest_principal_minor or principal_minor
        owed = principal_minor * denominator + charged_on_minor * sum(growth)
        divisor = denominator * periods
    else:
        grown, divisor = _annuity(tuple(amortising), denominator)
        owed = principal_minor * grown
    return Level(multiple * rounded(owed, multiple * divisor, rule.instalment_rounding), periods)


def portions(
    rule: Rule,
    principal_minor: int,
    growth: Sequence[int],
    denominator: int,
    level: Level,
    *,
    interest_principal_minor: int | None = None,
    bearing: Bearing | None = None,
) -> Portions:
    """What falls due at the end of each period; the principal sums to ``principal_minor``.

    Interest of a period is balance × growth / denominator, or what ``bearing`` says where the
    balance moves within periods. ``interest_principal_minor`` is what a flat rate is charged on,
    where it is not ``principal_minor``.
    """
    charged_on_minor = interest_principal_minor or principal_minor
    if _is_evened(rule):
        return _evened(rule, principal_minor, growth, denominator, level, bearing).rows
    return _portions(
        rule, principal_minor, growth, denominator, level.amount_minor, charged_on_minor, bearing
    )


def evened_level(
    rule: Rule,
    principal_minor: int,
    growth: Sequence[int],
    denominator: int,
    level: Level,
    *,
    bearing: Bearing | None = None,
) -> Level:
    """The instalment after its correction, where the product makes one."""
    if not _is_evened(rule):
        return level
    return _evened(rule, principal_minor, growth, denominator, level, bearing).level


def _is_evened(rule: Rule) -> bool:
    return (
        rule.evened
        and rule.method is Method.EQUAL_INSTALMENTS
        and rule.interest_on is InterestOn.OUTSTANDING
    )


class _Evened(NamedTuple):
    level: Level
    rows: Portions


def _evened(
    rule: Rule,
    principal_minor: int,
    growth: Sequence[int],
    denominator: int,
    level: Level,
    bearing: Bearing | None,
) -> _Evened:
    def rows_of(tried: Level) -> Portions:
        return _portions(
            rule,
            principal_minor,
            growth,
            denominator,
            tried.amount_minor,
            principal_minor,
            bearing,
        )

    rows = rows_of(level)
    off_minor = _last_differs_by(rows, level)
    if level.periods < 2 or abs(off_minor) <= level.periods // 2:
        return _Evened(level, rows)
    multiple = rule.instalment_multiple_minor
    corrected_minor = multiple * rounded(
        level.amount_minor * level.periods + off_minor,
        level.periods * multiple,
        rule.instalment_rounding,
    )
    better = Level(corrected_minor, level.periods)
    better_rows = rows_of(better)
    if abs(_last_differs_by(better_rows, better)) < abs(off_minor):
        return _Evened(better, better_rows)
    return _Evened(level, rows)


def _last_differs_by(rows: Portions, level: Level) -> int:
    return rows.principals_minor[-1] + rows.interests_minor[-1] - level.amount_minor


def _portions(
    rule: Rule,
    principal_minor: int,
    growth: Sequence[int],
    denominator: int,
    level_minor: int,
    interest_principal_minor: int,
    bearing: Bearing | None,
) -> Portions:
    last = len(growth) - 1
    flat = rule.interest_on is InterestOn.ORIGINAL
    each_period = rule.interest_rounding is not InterestRounding.RUNNING_TOTAL
    by_instalment = rule.method is Method.EQUAL_INSTALMENTS
    grace = rule.principal_grace_periods
    rounding = rule.rounding
    principals_minor: list[int] = []
    interests_minor: list[int] = []
    balance_minor = principal_minor
    round_to: Callable[[Any, int, Rounding], int] = rounded if bearing is None else _rounded_exact
    numerator: int | Fraction = 0
    share: int | Fraction
    charged_minor = 0
    for index, part in enumerate(growth):
        if bearing is None:
            share = (interest_principal_minor if flat else balance_minor) * part
        else:
            share = bearing(index, balance_minor, principals_minor, interests_minor) * denominator
        numerator += share
        if each_period and not (flat and index == last):
            interest_minor = round_to(share, denominator, rounding)
        else:
            interest_minor = round_to(numerator, denominator, rounding) - charged_minor
            if interest_minor < 0:  # the periods of a flat rate, each rounded up, came to more
                interest_minor = 0
        charged_minor += interest_minor

        repaid_minor = level_minor - interest_minor if by_instalment else level_minor
        if index == last:
            repaid_minor = balance_minor
        elif index < grace or repaid_minor < 0:
            repaid_minor = 0
        elif repaid_minor > balance_minor:
            repaid_minor = balance_minor
        balance_minor -= repaid_minor
        principals_minor.append(repaid_minor)
        interests_minor.append(interest_minor)
    if rule.interest_grace_periods:
        interests_minor = _deferred(interests_minor, rule.interest_grace_periods)
    return Portions(principals_minor, interests_minor)


def _rounded_exact(share: int | Fraction, denominator: int, rounding: Rounding) -> int:
    return rounded(share.numerator, denominator * share.denominator, rounding)


def _deferred(interests_minor: Sequence[int], periods: int) -> list[int]:
    """The interest of the first ``periods`` falls due with the period after them."""
    waiting_minor = sum(interests_minor[:periods])
    return [0] * periods + [
        interests_minor[periods] + waiting_minor,
        *interests_minor[periods + 1 :],
    ]
