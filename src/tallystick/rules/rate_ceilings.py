"""What credit may cost at most: legal ceilings as dated facts, and who is held to which.

Every ceiling is on the cost of a year of 365 days, all charges counted, and is either a rate or a
multiple of the one-year loan prime rate of the day. Each says where it comes from, and whether its
text was seen (``sourced``) or is known at second hand (``to_verify``). They are looked at when
terms are defined: a loan that was agreed below the ceiling of its day stays as it was agreed.

The loan prime rates here are those at which it changed, for the ceiling alone; loans are priced by
the series that the user imports (``reference_rates``).
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tallystick.rules.daycount import DayCount
from tallystick.rules.money import Rounding, rounded_decimal
from tallystick.rules.refusal import Refusal
from tallystick.rules.rule_pack import Standing

LPR_1Y = (
    (date(2019, 8, 20), Decimal("0.0425")),
    (date(2019, 9, 20), Decimal("0.0420")),
    (date(2019, 11, 20), Decimal("0.0415")),
    (date(2020, 2, 20), Decimal("0.0405")),
    (date(2020, 4, 20), Decimal("0.0385")),
    (date(2021, 12, 20), Decimal("0.0380")),
    (date(2022, 1, 20), Decimal("0.0370")),
    (date(2022, 8, 22), Decimal("0.0365")),
    (date(2023, 6, 20), Decimal("0.0355")),
    (date(2023, 8, 21), Decimal("0.0345")),
    (date(2024, 7, 22), Decimal("0.0335")),
    (date(2024, 10, 21), Decimal("0.0310")),
    (date(2025, 5, 20), Decimal("0.0300")),
)
"""The one-year loan prime rate from each day on which it changed, as published by the National
Interbank Funding Center; unchanged at its latest publication known here, of 20 August 2026."""

_YEAR_DAYS = {DayCount.ACT_360: 360, DayCount.ACT_366: 366}


class Lender(StrEnum):
    """By which law somebody lends."""

    COMMERCIAL_FACTOR = "commercial_factor"
    MICRO_LOAN_COMPANY = "micro_loan_company"
    BANK = "bank"
    PRIVATE_LENDER = "private_lender"
    """Anybody without a licence: platform to supplier, supplier to supplier, entrusted money."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that credit may cost a year, in force from ``from_date`` until the lender's next.

    Exactly one of ``annual_cost``, a fraction, and ``lpr_multiple`` is given.
    ``with_late_charges``: interest, late charges and fees count together.
    """

    lender: Lender
    from_date: date
    annual_cost: Decimal | None
    lpr_multiple: int | None
    with_late_charges: bool
    law: str
    standing: Standing

    def rate_on(self, on: date) -> Decimal:
        """The ceiling as a fraction a year on a day."""
        if self.annual_cost is not None:
            return self.annual_cost
        assert self.lpr_multiple is not None
        return self.lpr_multiple * lpr_1y_on(on)


CEILINGS = (
    Ceiling(
        Lender.PRIVATE_LENDER,
        date(2020, 8, 20),
        None,
        4,
        with_late_charges=True,
        law="Supreme People's Court, provisions on private lending (2020), articles 25, 28 and 29: "
        "interest, overdue interest and all fees up to four times the one-year LPR of the day of "
        "the contract",
        standing=Standing.SOURCED,
    ),
    Ceiling(
        Lender.MICRO_LOAN_COMPANY,
        date(2020, 9, 7),
        Decimal("0.24"),
        None,
        with_late_charges=False,
        law="widely reported expectation of 24 % a year on micro-loan companies; the court's rule "
        "on private lending does not apply to them (reply in force from 1 January 2021)",
        standing=Standing.TO_VERIFY,
    ),
    Ceiling(
        Lender.MICRO_LOAN_COMPANY,
        date(2027, 12, 31),
        None,
        4,
        with_late_charges=False,
        law="guide on the total cost of micro-loans (December 2025): by the end of 2027 every new "
        "loan up to four times the one-year LPR",
        standing=Standing.TO_VERIFY,
    ),
    Ceiling(
        Lender.BANK,
        date(2025, 10, 1),
        Decimal("0.24"),
        None,
        with_late_charges=False,
        law="notice 9 (2025) on assisted internet lending, which commentators read as a total cost "
        "of up to 24 % a year for each loan",
        standing=Standing.TO_VERIFY,
    ),
    Ceiling(
        Lender.COMMERCIAL_FACTOR,
        date(2021, 1, 1),
        Decimal("0.24"),
        None,
        with_late_charges=False,
        law="no ceiling of its own was found for factors, to whom the court's rule on private "
        "lending does not apply from 1 January 2021; held to what is reported for micro-loans",
        standing=Standing.TO_VERIFY,
    ),
)

LATE_CHARGE_SHARE = Decimal("0.5")
"""A bank's rate on what is overdue is up to half above the contract's (notice 251 of 2003 of the
People's Bank of China); to verify. Diverted use, up to double, is not part of a programme."""


class RateAboveCeiling(Refusal):
    """Credit would cost more a year than the law in force allows."""

    def __init__(
        self, *, what: str, annual_cost: Decimal, ceiling: Ceiling, ceiling_rate: Decimal, on: date
    ) -> None:
        self.annual_cost = annual_cost
        self.ceiling = ceiling
        self.ceiling_rate = ceiling_rate
        super().__init__(
            f"{what} come to {_per_cent(annual_cost)} % in a year of 365 days, above the "
            f"{_per_cent(ceiling_rate)} % that a {ceiling.lender.replace('_', ' ')} may ask on "
            f"{on} ({ceiling.law}; {ceiling.standing.replace('_', ' ')}). "
            f"Lower them to {_per_cent(ceiling_rate)} % or less."
        )


class LateChargeTooHigh(Refusal):
    """The rate on what is overdue lies too far above the contract's."""


def lpr_1y_on(on: date) -> Decimal:
    """The one-year loan prime rate in force on a day; before its first day, the first."""
    changed = bisect_right(LPR_1Y, on, key=lambda each: each[0])
    return LPR_1Y[max(0, changed - 1)][1]


def ceiling_on(lender: Lender, on: date) -> Ceiling | None:
    """The ceiling to which a lender is held on a day, or None where none is known."""
    in_force = [each for each in CEILINGS if each.lender is lender and each.from_date <= on]
    return max(in_force, key=lambda each: each.from_date, default=None)


def yearly_cost(annual_rate: Decimal, day_count: DayCount) -> Decimal:
    """What a rate costs in a year of 365 days: on a year of 360 days, 365/360 of it."""
    return annual_rate * 365 / _YEAR_DAYS.get(day_count, 365)


def refuse_above_ceiling(
    *,
    lender: Lender,
    on: date,
    annual_rate: Decimal,
    day_count: DayCount = DayCount.ACT_365F,
    penalty_rate: Decimal = Decimal(0),
) -> None:
    """Raise where terms defined on a day cost more a year than the lender may ask.

    ``annual_rate`` is interest, or the rate of all charges of an offer; ``penalty_rate`` comes on
    top of it once something is overdue. Raises RateAboveCeiling, LateChargeTooHigh.
    """
    ceiling = ceiling_on(lender, on)
    if lender is Lender.BANK and penalty_rate > annual_rate * LATE_CHARGE_SHARE:
        raise LateChargeTooHigh(
            f"A penalty rate of {_per_cent(penalty_rate)} % on top of {_per_cent(annual_rate)} % "
            "is more than half the rate again, the most that a bank may ask of what is overdue "
            "(notice 251 of 2003 of the People's Bank of China; to verify). "
            f"Lower it to {_per_cent(annual_rate * LATE_CHARGE_SHARE)} % or less."
        )
    if ceiling is None:
        return
    what = "Interest and fees"
    if ceiling.with_late_charges:
        what, annual_rate = "Interest, late charges and fees", annual_rate + penalty_rate
    cost = yearly_cost(annual_rate, day_count)
    ceiling_rate = ceiling.rate_on(on)
    if cost > ceiling_rate:
        raise RateAboveCeiling(
            what=what, annual_cost=cost, ceiling=ceiling, ceiling_rate=ceiling_rate, on=on
        )


def _per_cent(rate: Decimal) -> str:
    return f"{rounded_decimal(rate * 100, Rounding.HALF_UP, digits=2):f}"
