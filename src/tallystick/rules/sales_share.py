"""Percent-of-sales advances: a share of every settlement repays, however sales run.

The advance is paid out on one day. It costs either a fixed fee, earned at the effective rate
(``discount_fee``), or a daily rate on the principal outstanding. A share of each settlement is
kept until everything has been repaid; the merchant may also pay directly. Nothing falls due on a
date: instead a least pace may be agreed (``sales_pace``), and sales that were expected give an
expected payment a day:

    daily = expected sales a year × share / days of the year, rounded

Like a loan (``loan``), an advance is a fold over its events, on a day as known on a day. What is
kept of settlements is one running total, rounded, so that a settlement in parts gives the same as
the whole. An adjustment of the fee makes the plan anew from the payout, with the fee as adjusted;
a change of the share makes it anew from its day, for what is still to be earned, and leaves what
has been earned. Money beyond what is owed is the merchant's credit. A day on which nothing comes
in earns nothing of a fixed fee.

Source: the working-capital loan of Apache Fineract; Shopify's capital for settlements and pace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tallystick.rules.asked_days import refuse_too_late
from tallystick.rules.discount_fee import MAX_PAYMENTS, NoRepaymentPlan, fee_plan
from tallystick.rules.loan_balances import AskedTooEarly
from tallystick.rules.loan_events import MAX_AMOUNT_MINOR, rate_in_ppb, refuse_contradictions
from tallystick.rules.loan_terms import EARLIEST_START, InvalidLoanTerms
from tallystick.rules.money import Rounding, minor_digits, rounded
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_balance import DailyRateBalance, FixedFeeBalance
from tallystick.rules.sales_events import (
    BASIS_POINTS,
    SalesEvent,
    SalesEventKind,
    refuse_share,
    sales_events_in_force,
)
from tallystick.rules.sales_pace import Cash, PacePeriod, PaceTerms, pace_periods

YEAR_DAYS = (360, 365)


@dataclass(frozen=True, slots=True)
class SalesShareTerms:
    """A percent-of-sales advance as agreed. Amounts are minor units of ``currency``.

    ``advance_minor`` is paid out on ``start``. Exactly one of ``fee_minor``, a fixed fee, and
    ``daily_rate``, a fraction a day of the principal outstanding, is given. ``share_bps`` of every
    settlement is kept. ``yearly_sales_minor`` are the sales expected in a year of ``year_days``.
    ``rounding`` makes minor units of the running totals and of the payment expected a day.

    Raises InvalidLoanTerms, InvalidRate, InvalidShare, UnknownCurrency, NoRepaymentPlan.
    """

    currency: str
    advance_minor: int
    start: date
    share_bps: int
    yearly_sales_minor: int
    fee_minor: int | None = None
    daily_rate: Decimal | None = None
    year_days: int = 360
    pace: PaceTerms | None = None
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        minor_digits(self.currency)
        for name in ("advance_minor", "yearly_sales_minor"):
            amount_minor = getattr(self, name)
            if not 0 < amount_minor <= MAX_AMOUNT_MINOR:
                raise InvalidLoanTerms(f"{name} is {amount_minor}: give 1 to {MAX_AMOUNT_MINOR}.")
        if (self.fee_minor is None) == (self.daily_rate is None):
            raise InvalidLoanTerms(
                f"fee_minor is {self.fee_minor} and daily_rate {self.daily_rate}: an advance has "
                "exactly one of the two."
            )
        if self.fee_minor is not None and not 0 <= self.fee_minor <= MAX_AMOUNT_MINOR:
            raise InvalidLoanTerms(f"fee_minor is {self.fee_minor}: give 0 to {MAX_AMOUNT_MINOR}.")
        if self.daily_rate is not None:
            rate_in_ppb(self.daily_rate, name="Daily rate")
        if self.year_days not in YEAR_DAYS:
            raise InvalidLoanTerms(f"year_days is {self.year_days}: give 360 or 365.")
        if self.start < EARLIEST_START:
            raise InvalidLoanTerms(
                f"start {self.start} is before {EARLIEST_START}: correct the date."
            )
        refuse_share(self.share_bps)
        # Terms by which the advance never comes back are refused here, not by the first day.
        planned_payments(self)

    def daily_minor(self, share_bps: int) -> int:
        """The payment expected a day when ``share_bps`` of sales are kept."""
        return rounded(
            self.yearly_sales_minor * share_bps, BASIS_POINTS * self.year_days, self.rounding
        )


class RefundAboveCredit(Refusal):
    """More is to be paid back than the merchant had to its credit."""

    def __init__(self, event_id: int, *, amount_minor: int, credit_minor: int) -> None:
        self.amount_minor = amount_minor
        self.credit_minor = credit_minor
        super().__init__(
            f"Event {event_id} refunds {amount_minor} minor units, and the merchant's credit was "
            f"{credit_minor}: refund at most that."
        )


class FeeAdjustedAway(Refusal):
    """Adjustments would take more than the fee."""

    def __init__(self, *, adjusted_minor: int, fee_minor: int) -> None:
        super().__init__(
            f"Adjustments of {adjusted_minor} minor units are above the fee of {fee_minor}: "
            "adjust the fee by what is left of it at most, and not at all where a daily rate runs."
        )


@dataclass(frozen=True, slots=True)
class SalesMovement:
    """What one event brought: to the advance, and to the merchant's credit (negative: out of it).

    ``amount_minor`` is the cash: of a settlement the part that was kept.
    """

    event_id: int
    kind: SalesEventKind
    value_date: date
    amount_minor: int
    applied_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class SalesShareState:
    """An advance on a day, after that day's events. Amounts are minor units.

    ``fee_minor`` is the fixed fee as adjusted, or the interest of the daily rate so far;
    ``fee_earned_minor`` what of it is income: of interest, all. ``collected_minor`` went to the
    advance, ``principal_repaid_minor`` is what of it was not fee. ``expected_minor`` is what sales
    as expected would have brought by now. ``payments_left`` counts days at ``daily_minor``,
    None for more than the longest. ``catch_up_daily_minor``: what a day would have to bring to end
    when first expected; None when that day has come.
    """

    terms: SalesShareTerms
    on: date
    share_bps: int
    daily_minor: int
    effective_daily_rate: Decimal
    fee_minor: int
    fee_earned_minor: int
    principal_repaid_minor: int
    collected_minor: int
    outstanding_minor: int
    credit_minor: int
    refunded_minor: int
    expected_minor: int
    payments_left: int | None
    first_expected_end_date: date
    expected_end_date: date | None
    pace: tuple[PacePeriod, ...]
    movements: tuple[SalesMovement, ...]

    @property
    def principal_minor(self) -> int:
        """Of the advance, what is outstanding: without the fee still to be earned."""
        return self.terms.advance_minor - self.principal_repaid_minor

    @property
    def fee_left_minor(self) -> int:
        """Of the fee, what is still to be earned."""
        return self.fee_minor - self.fee_earned_minor

    @property
    def behind_minor(self) -> int:
        """How much less has come in than was expected by now."""
        return max(0, self.expected_minor - self.collected_minor)

    @property
    def catch_up_daily_minor(self) -> int | None:
        days = (self.first_expected_end_date - self.on).days
        return -(-self.outstanding_minor // days) if days > 0 else None


@dataclass(frozen=True, slots=True)
class ExpectedPayment:
    """One day of a plan: what is paid, what of it the fee earns, and what is left after it.

    ``balance_minor`` is what is outstanding of the advance, ``fee_left_minor`` of a fixed fee.
    """

    n: int
    date: date
    payment_minor: int
    fee_earned_minor: int
    balance_minor: int
    fee_left_minor: int


def planned_payments(terms: SalesShareTerms) -> list[ExpectedPayment]:
    """The days of an advance whose sales run as expected.

    Raises NoRepaymentPlan.
    """
    daily_minor = terms.daily_minor(terms.share_bps)
    balance = _opened(terms, fee_minor=terms.fee_minor or 0)
    rows: list[ExpectedPayment] = []
    day = terms.start
    earned_minor = 0
    while balance.owed_minor(day):
        if len(rows) == MAX_PAYMENTS:
            raise NoRepaymentPlan(
                f"at {daily_minor} minor units a day more than {MAX_PAYMENTS} days would go by",
                "Take a larger share, or advance less.",
            )
        day += timedelta(days=1)
        payment_minor = min(daily_minor, balance.owed_minor(day))
        balance.pay(payment_minor, day)
        now_earned_minor = balance.fee_earned_minor(day)
        rows.append(
            ExpectedPayment(
                n=len(rows) + 1,
                date=day,
                payment_minor=payment_minor,
                fee_earned_minor=now_earned_minor - earned_minor,
                balance_minor=terms.advance_minor - balance.principal_repaid_minor(day),
                fee_left_minor=balance.fee_minor(day) - now_earned_minor,
            )
        )
        earned_minor = now_earned_minor
    return rows


def fold_sales_share(
    terms: SalesShareTerms, events: Sequence[SalesEvent], *, on: date, known_on: date
) -> SalesShareState:
    """The advance ``on`` a day, after that day's events, as ``known_on`` a day.

    Raises AskedTooEarly for a day before the payout, AskedTooLate, ContradictoryEvents,
    RefundAboveCredit, FeeAdjustedAway, and NoRepaymentPlan where a share is changed so that the
    advance never ends.
    """
    if on < terms.start:
        raise AskedTooEarly(
            f"The advance is paid out on {terms.start} and has no state on {on}: "
            "ask for that day or a later one."
        )
    refuse_too_late(on, start_date=terms.start)
    refuse_contradictions(events, start=terms.start)
    for event in sales_events_in_force(events, on=on, known_on=known_on):
        if event.kind is SalesEventKind.REFUNDED:
            _refuse_refund_above_credit(terms, events, event)
    return _folded(terms, sales_events_in_force(events, on=on, known_on=known_on), on=on)


def _opened(terms: SalesShareTerms, *, fee_minor: int) -> FixedFeeBalance | DailyRateBalance:
    daily_minor = terms.daily_minor(terms.share_bps)
    if terms.daily_rate is None:
        plan = fee_plan(
            balance_minor=terms.advance_minor, fee_minor=fee_minor, daily_minor=daily_minor
        )
        return FixedFeeBalance(plan, terms.rounding)
    balance = DailyRateBalance(
        terms.advance_minor, rate_in_ppb(terms.daily_rate), terms.start, terms.rounding
    )
    balance.expect(daily_minor, terms.start)
    return balance


def _refuse_refund_above_credit(
    terms: SalesShareTerms, events: Sequence[SalesEvent], refund: SalesEvent
) -> None:
    """Judged by what was known when the refund was booked: what is learned later does not undo
    money that has left; where it leaves too little, the rest is owed again.
    """
    before = [
        event
        for event in sales_events_in_force(
            events, on=refund.value_date, known_on=refund.booking_date
        )
        if (event.booking_date, event.event_id) < (refund.booking_date, refund.event_id)
    ]
    credit_minor = _folded(terms, before, on=refund.value_date).credit_minor
    amount_minor = refund.amount_minor or 0
    if amount_minor > credit_minor:
        raise RefundAboveCredit(
            refund.event_id, amount_minor=amount_minor, credit_minor=credit_minor
        )


def _folded(terms: SalesShareTerms, in_force: Sequence[SalesEvent], *, on: date) -> SalesShareState:
    adjusted_minor = sum(
        event.amount_minor or 0 for event in in_force if event.kind is SalesEventKind.FEE_ADJUSTED
    )
    fee_minor = (terms.fee_minor or 0) - adjusted_minor
    if fee_minor < 0:
        raise FeeAdjustedAway(adjusted_minor=adjusted_minor, fee_minor=terms.fee_minor or 0)
    balance = _opened(terms, fee_minor=fee_minor)
    share_bps, daily_minor = terms.share_bps, terms.daily_minor(terms.share_bps)
    sales_bps = kept_minor = credit_minor = refunded_minor = 0
    expected_minor, expected_to = 0, terms.start
    movements: list[SalesMovement] = []
    for event in in_force:
        day, amount_minor = event.value_date, event.amount_minor or 0
        owed_minor = balance.owed_minor(day)
        applied_minor = to_credit_minor = 0
        match event.kind:
            case SalesEventKind.SHARE_CHANGED:
                # The payment of the day itself is one at the new share.
                days = max(0, (day - expected_to).days - 1)
                expected_minor += days * daily_minor
                expected_to += timedelta(days=days)
                share_bps = event.share_bps or 0
                daily_minor = terms.daily_minor(share_bps)
                balance.expect(daily_minor, day)
                continue
            case SalesEventKind.SETTLEMENT:
                sales_bps += amount_minor * share_bps
                to_keep_minor = rounded(sales_bps, BASIS_POINTS, terms.rounding)
                amount_minor = applied_minor = min(to_keep_minor - kept_minor, owed_minor)
                kept_minor = to_keep_minor
            case SalesEventKind.RECEIVED:
                applied_minor = min(amount_minor, owed_minor)
                to_credit_minor = amount_minor - applied_minor
            case SalesEventKind.REFUNDED:
                to_credit_minor = -min(amount_minor, credit_minor)
                applied_minor = -amount_minor - to_credit_minor
                refunded_minor += amount_minor
            case _:
                continue
        balance.pay(applied_minor, day)
        credit_minor += to_credit_minor
        movements.append(
            SalesMovement(
                event.event_id, event.kind, day, amount_minor, applied_minor, to_credit_minor
            )
        )
    outstanding_minor = balance.owed_minor(on)
    collected_minor = sum(movement.applied_minor for movement in movements)
    expected_minor += (on - expected_to).days * daily_minor
    payments_left = balance.payments_left(daily_minor, on)
    first_end_date = terms.start + timedelta(days=_first_payments(terms, fee_minor))
    return SalesShareState(
        terms=terms,
        on=on,
        share_bps=share_bps,
        daily_minor=daily_minor,
        effective_daily_rate=balance.effective_daily_rate,
        fee_minor=balance.fee_minor(on),
        fee_earned_minor=balance.fee_earned_minor(on),
        principal_repaid_minor=balance.principal_repaid_minor(on),
        collected_minor=collected_minor,
        outstanding_minor=outstanding_minor,
        credit_minor=credit_minor,
        refunded_minor=refunded_minor,
        expected_minor=min(expected_minor, collected_minor + outstanding_minor),
        payments_left=payments_left,
        first_expected_end_date=first_end_date,
        expected_end_date=on + timedelta(days=payments_left) if payments_left else None,
        pace=_pace(terms, fee_minor, movements, on),
        movements=tuple(movements),
    )


def _first_payments(terms: SalesShareTerms, fee_minor: int) -> int:
    """Days in which the advance was first expected to come back; never more than the longest."""
    daily_minor = terms.daily_minor(terms.share_bps)
    first = _opened(terms, fee_minor=fee_minor).payments_left(daily_minor, terms.start)
    return MAX_PAYMENTS if first is None else first


def _pace(
    terms: SalesShareTerms, fee_minor: int, movements: Sequence[SalesMovement], on: date
) -> tuple[PacePeriod, ...]:
    """How the agreed pace is kept: of the advance with its fixed fee, of a daily rate without."""
    if terms.pace is None:
        return ()
    return pace_periods(
        terms.pace,
        payable_minor=terms.advance_minor + fee_minor,
        payout_date=terms.start,
        cash=[Cash(movement.value_date, movement.applied_minor) for movement in movements],
        on=on,
    )
