"""Percent-of-sales advances: a share of every settlement repays, however sales run.

The advance is paid out on one day, on the terms of ``sales_terms``. A share of each settlement is
kept until everything has been repaid; the merchant may also pay directly. Nothing falls due on a
date: instead a least pace may be agreed (``sales_pace``).

Like a loan (``loan``), an advance is a fold over its events, on a day as known on a day. What is
kept of settlements is one running total, rounded, so that a settlement in parts gives the same as
the whole. An adjustment of the fee makes the plan anew from the payout, with the fee as adjusted;
a change of the share makes it anew from its day, for what is still to be earned, and leaves what
has been earned. Money beyond what is owed is the merchant's credit. A day on which nothing comes
in earns nothing of a fixed fee. A charge-off gives up what is outstanding: principal, and interest
that was earned and not paid, are lost; of a fixed fee the rest is never earned.

Source: the working-capital loan of Apache Fineract; Shopify's capital for settlements and pace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tallystick.rules.asked_days import refuse_too_late
from tallystick.rules.discount_fee import MAX_PAYMENTS
from tallystick.rules.loan_balances import AskedTooEarly
from tallystick.rules.loan_events import refuse_contradictions
from tallystick.rules.money import rounded
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_events import (
    BASIS_POINTS,
    SalesEvent,
    SalesEventKind,
    sales_events_in_force,
)
from tallystick.rules.sales_pace import Cash, PacePeriod, pace_periods
from tallystick.rules.sales_terms import SalesShareTerms, opened


class RefundAboveCredit(Refusal):
    """More is to be paid back than the merchant had to its credit."""

    def __init__(self, event_id: int, *, amount_minor: int, credit_minor: int) -> None:
        self.amount_minor = amount_minor
        self.credit_minor = credit_minor
        super().__init__(
            f"Event {event_id} refunds {amount_minor} minor units, and the merchant's credit was "
            f"{credit_minor}: refund at most that."
        )


class AdvanceChargedOff(Refusal):
    """Something other than a recovery would count from after the charge-off, or none was made."""


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
    advance, ``principal_repaid_minor`` is what of it was not fee. ``sales_bps`` are the sales
    settled, each times its share. ``interest_numerator`` is the exact interest of a daily rate
    over 10⁹. Of a charge-off ``principal_lost_minor`` and ``interest_lost_minor`` are the loss,
    ``fee_cancelled_minor`` is never earned. ``expected_minor`` is what sales
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
    sales_bps: int
    interest_numerator: int
    charged_off_date: date | None
    principal_lost_minor: int
    interest_lost_minor: int
    fee_cancelled_minor: int
    recovered_minor: int
    expected_minor: int
    payments_left: int | None
    first_expected_end_date: date
    expected_end_date: date | None
    pace: tuple[PacePeriod, ...]
    movements: tuple[SalesMovement, ...]

    @property
    def principal_minor(self) -> int:
        """Of the advance, what is outstanding: without the fee still to be earned."""
        return self.terms.advance_minor - self.principal_repaid_minor - self.principal_lost_minor

    @property
    def fee_left_minor(self) -> int:
        """Of the fee, what is still to be earned."""
        return self.fee_minor - self.fee_earned_minor - self.fee_cancelled_minor

    @property
    def fee_collected_minor(self) -> int:
        """Of what has come in, what was fee or interest."""
        return self.collected_minor - self.principal_repaid_minor

    @property
    def lost_minor(self) -> int:
        """What was owed when the advance was charged off, and may still be recovered."""
        return self.principal_lost_minor + self.interest_lost_minor + self.fee_cancelled_minor

    @property
    def share_percent(self) -> str:
        """The share as a reader has it: 12.5 for 1,250 basis points."""
        return f"{Decimal(self.share_bps).scaleb(-2).normalize():f}"

    @property
    def share_kept_minor(self) -> int:
        """What the share of all sales settled comes to: the running total, rounded."""
        return rounded(self.sales_bps, BASIS_POINTS, self.terms.rounding)

    @property
    def behind_minor(self) -> int:
        """How much less has come in than was expected by now."""
        return max(0, self.expected_minor - self.collected_minor)

    @property
    def catch_up_daily_minor(self) -> int | None:
        days = (self.first_expected_end_date - self.on).days
        return -(-self.outstanding_minor // days) if days > 0 else None


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


class _Fold:
    """An advance while its events are taken one after the other."""

    def __init__(self, terms: SalesShareTerms, *, fee_minor: int) -> None:
        self.terms = terms
        self.balance = opened(terms, fee_minor=fee_minor)
        self.share_bps = terms.share_bps
        self.daily_minor = terms.daily_minor(terms.share_bps)
        self.sales_bps = self.credit_minor = self.refunded_minor = self.recovered_minor = 0
        self.expected_minor, self.expected_to = 0, terms.start
        self.charged_off_date: date | None = None
        self.lost_minor = self.principal_lost_minor = self.interest_lost_minor = 0
        self.movements: list[SalesMovement] = []

    def take(self, event: SalesEvent) -> None:
        after_loss = event.kind in (SalesEventKind.RECOVERED, SalesEventKind.REFUNDED)
        if self.charged_off_date is not None and not after_loss:
            raise AdvanceChargedOff(
                f"Event {event.event_id} ({event.kind}) counts from {event.value_date}, after the "
                f"charge-off of {self.charged_off_date}. What comes in then is recovered; else "
                "reverse the charge-off first."
            )
        match event.kind:
            case SalesEventKind.SHARE_CHANGED:
                self._change_share(event)
            case SalesEventKind.CHARGED_OFF:
                self._charge_off(event.value_date)
            case SalesEventKind.FEE_ADJUSTED:
                pass  # counted from the payout on
            case _:
                self._move(event)

    def _change_share(self, event: SalesEvent) -> None:
        # The payment of the day itself is one at the new share.
        days = max(0, (event.value_date - self.expected_to).days - 1)
        self.expected_minor += days * self.daily_minor
        self.expected_to += timedelta(days=days)
        self.share_bps = event.share_bps or 0
        self.daily_minor = self.terms.daily_minor(self.share_bps)
        self.balance.expect(self.daily_minor, event.value_date)

    def _charge_off(self, day: date) -> None:
        balance = self.balance
        collected_minor = sum(movement.applied_minor for movement in self.movements)
        repaid_minor = balance.principal_repaid_minor(day)
        self.charged_off_date = day
        self.lost_minor = balance.owed_minor(day)
        self.principal_lost_minor = self.terms.advance_minor - repaid_minor
        self.interest_lost_minor = balance.fee_earned_minor(day) - (collected_minor - repaid_minor)

    def _move(self, event: SalesEvent) -> None:
        day, amount_minor = event.value_date, event.amount_minor or 0
        owed_minor = self.balance.owed_minor(day)
        applied_minor = to_credit_minor = 0
        match event.kind:
            case SalesEventKind.SETTLEMENT:
                before_minor = rounded(self.sales_bps, BASIS_POINTS, self.terms.rounding)
                self.sales_bps += amount_minor * self.share_bps
                to_keep_minor = rounded(self.sales_bps, BASIS_POINTS, self.terms.rounding)
                amount_minor = min(to_keep_minor - before_minor, owed_minor)
                if event.kept_minor is not None:
                    amount_minor = event.kept_minor
                applied_minor = min(amount_minor, owed_minor)
                to_credit_minor = amount_minor - applied_minor
            case SalesEventKind.RECEIVED:
                applied_minor = min(amount_minor, owed_minor)
                to_credit_minor = amount_minor - applied_minor
            case SalesEventKind.REFUNDED:
                to_credit_minor = -min(amount_minor, self.credit_minor)
                applied_minor = -amount_minor - to_credit_minor
                self.refunded_minor += amount_minor
            case SalesEventKind.RECOVERED:
                self._recover(event)
                return
        self.balance.pay(applied_minor, day)
        self._keep(event, amount_minor, applied_minor, to_credit_minor)

    def _recover(self, event: SalesEvent) -> None:
        if self.charged_off_date is None:
            raise AdvanceChargedOff(
                f"Event {event.event_id} recovers money on {event.value_date}, when nothing had "
                "been charged off. Record what came in as received."
            )
        amount_minor = event.amount_minor or 0
        recovered_minor = min(amount_minor, self.lost_minor - self.recovered_minor)
        self.recovered_minor += recovered_minor
        self._keep(event, amount_minor, 0, amount_minor - recovered_minor)

    def _keep(
        self, event: SalesEvent, amount_minor: int, applied_minor: int, to_credit_minor: int
    ) -> None:
        self.credit_minor += to_credit_minor
        self.movements.append(
            SalesMovement(
                event.event_id,
                event.kind,
                event.value_date,
                amount_minor,
                applied_minor,
                to_credit_minor,
            )
        )


def _folded(terms: SalesShareTerms, in_force: Sequence[SalesEvent], *, on: date) -> SalesShareState:
    adjusted_minor = sum(
        event.amount_minor or 0 for event in in_force if event.kind is SalesEventKind.FEE_ADJUSTED
    )
    fee_minor = (terms.fee_minor or 0) - adjusted_minor
    if fee_minor < 0:
        raise FeeAdjustedAway(adjusted_minor=adjusted_minor, fee_minor=terms.fee_minor or 0)
    fold = _Fold(terms, fee_minor=fee_minor)
    for event in in_force:
        fold.take(event)
    balance, day = fold.balance, fold.charged_off_date or on
    outstanding_minor = balance.owed_minor(day) - fold.lost_minor
    collected_minor = sum(movement.applied_minor for movement in fold.movements)
    expected_minor = fold.expected_minor + (day - fold.expected_to).days * fold.daily_minor
    payments_left = balance.payments_left(fold.daily_minor, day) if outstanding_minor else 0
    first_end_date = terms.start + timedelta(days=_first_payments(terms, fee_minor))
    return SalesShareState(
        terms=terms,
        on=on,
        share_bps=fold.share_bps,
        daily_minor=fold.daily_minor,
        effective_daily_rate=balance.effective_daily_rate,
        fee_minor=balance.fee_minor(day),
        fee_earned_minor=balance.fee_earned_minor(day),
        principal_repaid_minor=balance.principal_repaid_minor(day),
        collected_minor=collected_minor,
        outstanding_minor=outstanding_minor,
        credit_minor=fold.credit_minor,
        refunded_minor=fold.refunded_minor,
        sales_bps=fold.sales_bps,
        interest_numerator=balance.interest_numerator(day),
        charged_off_date=fold.charged_off_date,
        principal_lost_minor=fold.principal_lost_minor,
        interest_lost_minor=fold.interest_lost_minor,
        fee_cancelled_minor=(
            fold.lost_minor - fold.principal_lost_minor - fold.interest_lost_minor
        ),
        recovered_minor=fold.recovered_minor,
        expected_minor=min(expected_minor, collected_minor + outstanding_minor),
        payments_left=payments_left,
        first_expected_end_date=first_end_date,
        expected_end_date=on + timedelta(days=payments_left) if payments_left else None,
        pace=_pace(terms, fee_minor, fold.movements, day),
        movements=tuple(fold.movements),
    )


def _first_payments(terms: SalesShareTerms, fee_minor: int) -> int:
    """Days in which the advance was first expected to come back; never more than the longest."""
    daily_minor = terms.daily_minor(terms.share_bps)
    first = opened(terms, fee_minor=fee_minor).payments_left(daily_minor, terms.start)
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
