"""Programmes of advances out of sales, read from a file and checked whole.

The file is written like that of any programme (``programme``); ``product`` is ``sales_share``. What
an advance costs a year depends on how fast sales repay it: a fixed fee is dearest when sales run
fastest. So the programme says how fast an advance may be expected to come back at most
(``min_expected_days``), and its price is held to the legal ceiling at that pace and at the slowest
that is allowed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import partial
from typing import Any

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.discount_fee import MAX_PAYMENTS
from tallystick.rules.loan_events import RATE_UNITS, rate_in_ppb
from tallystick.rules.money import Rounding, rounded
from tallystick.rules.pricing import apr_percent_estimate
from tallystick.rules.programme import (
    MAX_CODE_LENGTH,
    MAX_LIMIT_MINOR,
    Funding,
    Published,
    currency_in,
    lender_in,
    programmes_told,
    published_in,
    told_again,
)
from tallystick.rules.rate_ceilings import Lender, refuse_above_ceiling
from tallystick.rules.sales_pace import PaceCounts, PaceTerms, slowest_days
from tallystick.rules.sales_terms import YEAR_DAYS
from tallystick.rules.settlement_terms import WHOLE_BPS
from tallystick.rules.terms_file import Table
from tallystick.rules.timevalue import CashFlow

MAX_WINDOW_DAYS = 366
MAX_LIMIT_OF_SALES_BPS = 50_000

_FRACTION = re.compile(r"[0-9]{1,9}/[1-9][0-9]{0,8}")
_OF_WHICH_THE_APR_IS_TAKEN_MINOR = 1_000_000_000


class SalesProduct(StrEnum):
    """The one product that these programmes have."""

    SALES_SHARE = "sales_share"


@dataclass(frozen=True, slots=True)
class SalesPrice:
    """Exactly one of a fee, in basis points of the advance, and a rate a day is given."""

    fee_bps: int | None
    daily_rate: Decimal | None
    year_days: int

    def fee_minor(self, advance_minor: int) -> int | None:
        """The fixed fee of an advance, rounded half-up; None at a daily rate."""
        if self.fee_bps is None:
            return None
        return rounded(advance_minor * self.fee_bps, WHOLE_BPS, Rounding.HALF_UP)


@dataclass(frozen=True, slots=True)
class SalesLimitTerms:
    """How much a merchant may have, by what was settled to it in the last ``window_days``.

    ``limit_bps`` of those sales, if its first settlement lies ``min_history_days`` back.
    """

    window_days: int
    limit_bps: int
    min_history_days: int
    programme_minor: int
    per_merchant_minor: int


@dataclass(frozen=True, slots=True)
class SalesDrawTerms:
    """What may be asked for: the least amount, and how fast it may be expected to come back."""

    min_draw_minor: int
    min_expected_days: int


@dataclass(frozen=True, slots=True)
class SalesProgrammeTerms:
    """One programme, checked; ``content`` is what was written, and what is stored."""

    code: str
    title: str
    product: SalesProduct
    funding: Funding
    lender: Lender
    currency: str
    price: SalesPrice
    share_bps: int
    limit: SalesLimitTerms
    draw: SalesDrawTerms
    pace: PaceTerms
    published: tuple[Published, ...]
    content: Mapping[str, Any]

    @property
    def max_expected_days(self) -> int:
        """How slowly an advance may be expected to come back: at the least pace."""
        return slowest_days(self.pace)

    def yearly_sales_minor(self, settled_minor: int) -> int:
        """Sales expected in a year when ``settled_minor`` were settled in the window."""
        return settled_minor * self.price.year_days // self.limit.window_days

    def apr_percent_at(self, days: int) -> Decimal | None:
        """What credit costs a year if it comes back in equal parts over so many days."""
        advance_minor = _OF_WHICH_THE_APR_IS_TAKEN_MINOR
        start = date(2001, 1, 1)
        if (fee_minor := self.price.fee_minor(advance_minor)) is not None:
            payments = [(advance_minor + fee_minor) // days] * days
        else:
            rate_ppb = rate_in_ppb(self.price.daily_rate or Decimal(0))
            part_minor = advance_minor // days
            payments = [
                part_minor + (advance_minor - n * part_minor) * rate_ppb // RATE_UNITS
                for n in range(days)
            ]
        return apr_percent_estimate(
            [
                CashFlow(start, advance_minor),
                *(CashFlow(start + timedelta(n), -paid) for n, paid in enumerate(payments, 1)),
            ]
        )


def read_sales_programmes(
    text: str, *, file: str, defined_on: date | None = None
) -> list[SalesProgrammeTerms]:
    """Every programme of a file's text; as ``programme.read_programmes``.

    Raises InvalidProgramme with everything that is wrong, not only the first.
    """
    return programmes_told(
        text,
        file=file,
        told=lambda code, table, sources: _programme(
            code, table, sources=sources, defined_on=defined_on
        ),
    )


def stored_sales_programme(code: str, content: Mapping[str, Any]) -> SalesProgrammeTerms:
    """The programme whose ``content`` was stored; it is checked as a file would be.

    Raises InvalidProgramme.
    """
    return told_again(
        code,
        content,
        told=lambda code, table, sources: _programme(code, table, sources=sources, defined_on=None),
    )


def _programme(
    code: str, table: Table, *, sources: Mapping[str, Any], defined_on: date | None
) -> SalesProgrammeTerms:
    errors_before = len(table.errors)
    if len(code) > MAX_CODE_LENGTH:
        table.refuse("", f"Its name is too long. Shorten it to {MAX_CODE_LENGTH} characters.")
    programme = SalesProgrammeTerms(
        code=code,
        title=table.text("title"),
        product=table.choice("product", SalesProduct),
        funding=table.choice("funding", Funding),
        lender=lender_in(table),
        currency=currency_in(table),
        share_bps=table.whole_number("share_bps", lowest=1, highest=WHOLE_BPS),
        price=_price(table.table("price")),
        limit=_limit(table.table("limit")),
        draw=_draw(table.table("draw")),
        pace=_pace(table.table("pace")),
        published=tuple(published_in(each) for each in table.tables("published")),
        content={"terms": table.content, "sources": sources},
    )
    if len(table.errors) == errors_before:
        _refuse_impossible_days(table, programme)
        if defined_on is not None:
            _refuse_too_dear(table, programme, defined_on)
    stated = ("lender",) if "lender" in table.content else ()
    table.finish(cited=("product", "funding", *stated, "currency", "share_bps"))
    return programme


def _refuse_impossible_days(table: Table, programme: SalesProgrammeTerms) -> None:
    fastest, slowest = programme.draw.min_expected_days, programme.max_expected_days
    if slowest > MAX_PAYMENTS:
        table.refuse("pace", f"It would take {slowest} days; {MAX_PAYMENTS} is the longest.")
    elif fastest > slowest:
        table.refuse(
            "draw",
            f"min_expected_days is {fastest}, and the least pace takes {slowest} days: no advance "
            "lies between the two. Lower it, or ask for less a period.",
        )


def _refuse_too_dear(table: Table, programme: SalesProgrammeTerms, defined_on: date) -> None:
    """Hold the price to the ceiling at the fastest pace expected and at the slowest allowed."""
    for days in (programme.draw.min_expected_days, programme.max_expected_days):
        check = partial(
            refuse_above_ceiling,
            lender=programme.lender,
            on=defined_on,
            annual_rate=(programme.apr_percent_at(days) or Decimal(0)) / 100,
        )
        table.checked("price", check)


def _price(table: Table) -> SalesPrice:
    has_fee, has_rate = "fee_bps" in table.content, "daily_rate" in table.content
    if has_fee == has_rate:
        table.refuse("", "Give one of the two: fee_bps, or daily_rate.")
    price = SalesPrice(
        fee_bps=(
            table.whole_number("fee_bps", lowest=0, highest=WHOLE_BPS)
            if has_fee or not has_rate
            else None
        ),
        daily_rate=table.decimal("daily_rate") if has_rate and not has_fee else None,
        year_days=table.whole_number("year_days", lowest=min(YEAR_DAYS), highest=max(YEAR_DAYS)),
    )
    if price.daily_rate is not None:
        daily_rate = price.daily_rate
        table.checked("daily_rate", lambda: rate_in_ppb(daily_rate, name="Daily rate"))
    if price.year_days not in YEAR_DAYS:
        table.refuse("year_days", "Give 360 or 365.")
    table.finish(cited=("daily_rate" if has_rate and not has_fee else "fee_bps", "year_days"))
    return price


def _limit(table: Table) -> SalesLimitTerms:
    terms = SalesLimitTerms(
        window_days=table.whole_number("window_days", lowest=1, highest=MAX_WINDOW_DAYS),
        limit_bps=table.whole_number("limit_bps", lowest=1, highest=MAX_LIMIT_OF_SALES_BPS),
        min_history_days=table.whole_number("min_history_days", lowest=0, highest=3_660),
        programme_minor=table.whole_number("programme_minor", lowest=0, highest=MAX_LIMIT_MINOR),
        per_merchant_minor=table.whole_number(
            "per_merchant_minor", lowest=0, highest=MAX_LIMIT_MINOR
        ),
    )
    table.finish(
        cited=(
            "window_days",
            "limit_bps",
            "min_history_days",
            "programme_minor",
            "per_merchant_minor",
        )
    )
    return terms


def _draw(table: Table) -> SalesDrawTerms:
    terms = SalesDrawTerms(
        min_draw_minor=table.whole_number("min_draw_minor", lowest=1, highest=MAX_LIMIT_MINOR),
        min_expected_days=table.whole_number("min_expected_days", lowest=1, highest=MAX_PAYMENTS),
    )
    table.finish(cited=("min_draw_minor", "min_expected_days"))
    return terms


def _pace(table: Table) -> PaceTerms:
    checks = "check_days" in table.content
    period = _days(table, "period_days")
    minimum_share = _fraction(table, "minimum_share")
    counts = table.choice("counts", PaceCounts)
    grace_days = table.whole_number("grace_days", lowest=0, highest=365)
    check_every = _days(table, "check_days") if checks else None
    check_share = _fraction(table, "check_share") if checks else Fraction(0)
    usual = PaceTerms(Period(60, PeriodUnit.DAYS), Fraction(1, 6))
    found = [usual]
    table.checked(
        "period_days",
        lambda: found.append(
            PaceTerms(period, minimum_share, counts, grace_days, check_every, check_share)
        ),
    )
    checked = ("check_days", "check_share") if checks else ()
    table.finish(cited=("period_days", "minimum_share", "counts", "grace_days", *checked))
    return found[-1]


def _days(table: Table, key: str) -> Period:
    return Period(table.whole_number(key, lowest=1, highest=366), PeriodUnit.DAYS)


def _fraction(table: Table, key: str) -> Fraction:
    written = table.text(key, instead="1/6")
    if not _FRACTION.fullmatch(written):
        table.refuse(key, 'Give a part of one as text, such as "1/6".')
        return Fraction(1, 6)
    return Fraction(written)
