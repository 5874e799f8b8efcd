"""Fees of a programme: for arranging a loan, and for paying it late.

An arrangement fee is a share of the amount, between a minimum and a maximum:

    fee = min(maximum, max(minimum, amount × bps / 10,000))        where half-up

It is charged when the bank has paid out, and paid with the loan: the payout itself is whole. Where
a charge is kept back from what is paid out, only what was received counts as principal in China
(Civil Code, article 670, on interest; courts read it for fees alike), so none is.

A late fee is one amount for each due date of which anything is unpaid so many days after it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tallystick.rules.daycount import DayCount
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.rate_ceilings import (
    Lender,
    ceiling_on,
    refuse_above_ceiling,
    yearly_cost,
)
from tallystick.rules.terms_file import Table

WHOLE_BPS = 10_000
MAX_FEE_MINOR = 2**62 - 1
MAX_LATE_AFTER_DAYS = 365


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """What a programme charges besides interest and penalty; amounts are minor units.

    ``arrangement_max_minor`` None: no maximum. ``late_minor`` is charged once for each due date
    that is more than ``late_after_days`` days past due.
    """

    arrangement_bps: int = 0
    arrangement_min_minor: int = 0
    arrangement_max_minor: int | None = None
    late_minor: int = 0
    late_after_days: int = 0


NO_FEES = FeeTerms()


def arrangement_fee_minor(amount_minor: int, terms: FeeTerms) -> int:
    """What arranging a loan of ``amount_minor`` costs (see the module)."""
    share_minor = rounded(amount_minor * terms.arrangement_bps, WHOLE_BPS, Rounding.HALF_UP)
    fee_minor = max(terms.arrangement_min_minor, share_minor)
    if terms.arrangement_max_minor is None:
        return fee_minor
    return min(fee_minor, terms.arrangement_max_minor)


def fees_in(table: Table) -> FeeTerms:
    """The fees that stand in a table of a programme file, or possible ones where it is wrong."""
    written = [key for key in FeeTerms.__dataclass_fields__ if key in table.content]
    if not written:
        table.refuse("", "It holds no fee. Add one, or leave the table out.")
    terms = FeeTerms(
        arrangement_bps=_whole(table, "arrangement_bps", highest=WHOLE_BPS),
        arrangement_min_minor=_whole(table, "arrangement_min_minor", highest=MAX_FEE_MINOR),
        arrangement_max_minor=(
            table.whole_number("arrangement_max_minor", lowest=0, highest=MAX_FEE_MINOR)
            if "arrangement_max_minor" in written
            else None
        ),
        late_minor=_whole(table, "late_minor", highest=MAX_FEE_MINOR),
        late_after_days=_whole(table, "late_after_days", highest=MAX_LATE_AFTER_DAYS),
    )
    most_minor = terms.arrangement_max_minor
    if most_minor is not None and most_minor < terms.arrangement_min_minor:
        table.refuse(
            "arrangement_max_minor", f"Give {terms.arrangement_min_minor}, the minimum, or more."
        )
    if terms.late_after_days and not terms.late_minor:
        table.refuse("late_after_days", "Give late_minor as well, or remove it.")
    table.finish(cited=written)
    return terms


def refuse_costly_fees(
    terms: FeeTerms,
    *,
    lender: Lender,
    on: date,
    annual_rate: Decimal,
    day_count: DayCount,
    penalty_rate: Decimal,
    min_amount_minor: int,
    min_tenor_days: int,
) -> None:
    """Raise where interest and fees cost more a year than the lender may ask on a day.

    Judged by the smallest draw for the shortest term, on which a fee weighs most: what a year of
    such draws would cost, interest × 365 / days of the year + fee / amount × 365 / days. Where
    the law counts late charges too, the late fee is one of them.

    Raises RateAboveCeiling. (How a penalty stands to the rate is judged without fees.)
    """
    fees_minor = arrangement_fee_minor(min_amount_minor, terms)
    late_rate = Decimal(0)
    ceiling = ceiling_on(lender, on)
    if ceiling is not None and ceiling.with_late_charges:
        fees_minor += terms.late_minor
        late_rate = yearly_cost(penalty_rate, day_count)
    if fees_minor:
        fees_rate = Decimal(fees_minor * 365) / (min_amount_minor * min_tenor_days)
        refuse_above_ceiling(
            lender=lender,
            on=on,
            annual_rate=yearly_cost(annual_rate, day_count) + fees_rate,
            penalty_rate=late_rate,
        )


def _whole(table: Table, key: str, *, highest: int) -> int:
    if key not in table.content:
        return 0
    return table.whole_number(key, lowest=0, highest=highest)
