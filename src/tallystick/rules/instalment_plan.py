"""The table of a loan of instalments, from what has happened to the loan.

Principal is paid out in one or several payouts. Each payout, each new rate and each reschedule
makes a new instalment for what is left over the periods that remain; between them it stays. What
each period bears interest on is the balance as the table has it, and, where the table follows the
money, what really is outstanding up to the day that was looked at.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple

from tallystick.rules.amortisation import (
    Bearing,
    InterestOn,
    Level,
    evened_level,
    level_of,
    portions,
)
from tallystick.rules.instalment_bearing import Bears
from tallystick.rules.instalment_dates import Span, index_due, spans_of
from tallystick.rules.instalment_events import InvalidInstalmentEvent
from tallystick.rules.instalment_history import Early, History, Payout
from tallystick.rules.instalment_terms import Advance, Begins, InstalmentTerms, Joining
from tallystick.rules.money import rounded
from tallystick.rules.schedule import (
    InstalmentFormula,
    ScheduleTerms,
    date_plan,
    down_payment_minor,
    refuse_grace_beyond,
    rule_of,
)
from tallystick.rules.schedule_dates import due_dates
from tallystick.rules.schedule_growth import even_part

_NIGHT = timedelta(days=1)


class PlannedRow(NamedTuple):
    """Principal and interest that a period's instalment owes."""

    from_date: date
    due_date: date
    principal_minor: int
    interest_minor: int


class DownPayment(NamedTuple):
    """The part of a payout that is due on its own day."""

    date: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The table: one row a period, and the down payments of the payouts."""

    rows: tuple[PlannedRow, ...]
    down_payments: tuple[DownPayment, ...]


class Accrued(NamedTuple):
    """The interest of the running period up to a day, in whole minor units."""

    period: int
    interest_minor: int


def planned(terms: InstalmentTerms, history: History) -> Plan:
    """The table as of the last day looked at.

    Raises ScheduleImpossible and InvalidInstalmentEvent.
    """
    return _table(terms, history).made()


def accrued_on(terms: InstalmentTerms, history: History, day: date) -> Accrued:
    """What the period that ``day`` is in has borne by then. Raises as ``planned``."""
    table = _table(terms, history)
    table.made()
    return table.accrued(day)


def _table(terms: InstalmentTerms, history: History) -> "_Table":
    first = history.payouts[0]
    plan = replace(terms.plan, principal_minor=first.amount_minor)
    if terms.begins is Begins.PAYOUT:
        plan = replace(plan, start=first.date)
    elif first.date < plan.start:
        raise InvalidInstalmentEvent(
            f"Money was paid out on {first.date}, before the start agreed, {plan.start}: agree an "
            "earlier start, or count due dates from the payout."
        )
    spans = spans_of(plan, history.moved, reaching=_last_joining(terms, history))
    return _Table(terms, plan, spans, history)


def _last_joining(terms: InstalmentTerms, history: History) -> date:
    """The last instalment must be due on this day or later, for every payout to join one."""
    last = max(payout.date for payout in history.payouts)
    # On its own day a payout can only fall due where the product says so.
    return last + _NIGHT if terms.joining is Joining.NEXT else last


class _Table:
    """One calculation of the table."""

    def __init__(
        self,
        terms: InstalmentTerms,
        plan: ScheduleTerms,
        spans: Sequence[Span],
        history: History,
    ) -> None:
        self.terms = terms
        self.plan = plan
        self.spans = spans
        self.history = history
        self.dues = [span.due_date for span in spans]
        self.rule = rule_of(plan)
        self.flat = plan.interest_on is InterestOn.ORIGINAL
        self.downs = [
            DownPayment(p.date, down_payment_minor(replace(plan, principal_minor=p.amount_minor)))
            for p in history.payouts
        ]
        self.joined: dict[int, list[Payout]] = {}
        for payout, down in zip(history.payouts, self.downs, strict=True):
            net = Payout(payout.date, payout.amount_minor - down.amount_minor)
            self.joined.setdefault(self._joins(payout.date), []).append(net)
        self.principals: list[int] = []
        self.interests: list[int] = []
        self.carried_minor = 0
        # An instalment is agreed on what is known then: these grow from reset to reset.
        self.bears = Bears(terms, plan, spans, history, self.joined)
        self.count_known = len(due_dates(date_plan(plan)))
        refuse_grace_beyond(plan, self.count_known)

    def made(self) -> Plan:
        count = len(self.spans)
        resets = self._resets()
        advanced = self._advanced()
        follows = self.terms.recalculation is not None and bool(self.history.paid)
        unevened = self.rule._replace(evened=False, interest_grace_periods=0)
        index = balance_minor = grace = 0
        level = Level(0, count)
        while index < count:
            if index in resets:
                self._learn(index)
                grace = self._grace(index)
            balance_minor += sum(p.amount_minor for p in self.joined.get(index, ()))
            if index in resets:
                level = self._level(index, balance_minor + self._expected(index), grace)
            stops = [k for k in {*resets, *self.joined} if k > index] + [
                k + 1 for k in advanced if k >= index
            ]
            stop = min(stops, default=count) if not follows else index + 1
            rows = portions(
                unevened._replace(principal_grace_periods=grace),
                balance_minor,
                [0] * (self.count_known - index),
                1,
                level,
                bearing=self._bearing(index),
            )
            taken = stop - index
            # Nothing is owed between the last due date and a payout long after it.
            idle = [0] * (taken - len(rows.principals_minor))
            self.principals += [*rows.principals_minor[:taken], *idle]
            self.interests += [*rows.interests_minor[:taken], *idle]
            if stop - 1 in advanced and stop < count:
                beyond_minor = self._beyond(stop - 1, advanced[stop - 1])
                if beyond_minor > 0:
                    left_minor = balance_minor - sum(self.principals[index:stop])
                    self.principals[stop - 1] += min(beyond_minor, left_minor)
                    resets.add(stop)
            if follows:
                self._hold_what_is_paid(index, balance_minor, level)
            balance_minor -= sum(self.principals[index:stop])
            grace = max(0, grace - taken)
            index = stop
        self._defer_interest()
        return Plan(
            rows=tuple(
                PlannedRow(span.from_date, span.due_date, principal_minor, interest_minor)
                for span, principal_minor, interest_minor in zip(
                    self.spans, self.principals, self.interests, strict=True
                )
            ),
            down_payments=tuple(down for down in self.downs if down.amount_minor),
        )

    # When the instalment is made anew, and what it is.

    def _joins(self, day: date) -> int:
        """The period whose instalment is the first to repay a payout of ``day``."""
        if day == self.plan.start:
            return 0
        if self.terms.joining is Joining.NEXT:
            return bisect_right(self.dues, day)
        return bisect_left(self.dues, day)

    def _resets(self) -> set[int]:
        whole_life = self.terms.joining is Joining.WHOLE_LIFE
        resets = {0, *(k for k in self.joined if k >= self.count_known or not whole_life)}
        for day, _ in self.history.rates:
            resets.add(self._bears_first(day))
        for move in self.history.moved:
            if move.change.extra_periods or move.change.principal_grace_periods:
                resets.add(index_due(self.dues, move.due_date))
        return resets

    def _bears_first(self, day: date) -> int:
        """The period in which a rate of ``day`` is borne first."""
        return min(bisect_right(self.dues, day), len(self.dues) - 1)

    def _learn(self, index: int) -> None:
        """What is known when the instalment of a period is made: rates, and how many follow."""
        self.bears.rates_known = [r for r in self.history.rates if self._bears_first(r[0]) <= index]
        self.count_known = len(due_dates(date_plan(self.plan))) + sum(
            move.change.extra_periods + move.change.principal_grace_periods
            for move in self.history.moved
            if index_due(self.dues, move.due_date) <= index
        )
        # A payout after the last due date has an instalment of its own.
        self.count_known = max(self.count_known, index + 1)

    def _expected(self, index: int) -> int:
        """Later payouts that the instalment of a period takes into account."""
        if self.terms.joining is not Joining.WHOLE_LIFE:
            return 0
        return sum(
            payout.amount_minor
            for period, payouts in self.joined.items()
            if index < period < self.count_known
            for payout in payouts
        )

    def _grace(self, index: int) -> int:
        agreed = max(0, self.plan.principal_grace_periods - index)
        granted = (
            move.change.principal_grace_periods
            for move in self.history.moved
            if index_due(self.dues, move.due_date) == index
        )
        return max(agreed, *granted, 0)

    def _level(self, index: int, balance_minor: int, grace: int) -> Level:
        if self.plan.agreed_instalment_minor is not None:
            return Level(self.plan.agreed_instalment_minor, self.count_known - index - grace)
        growth = [self._even_or_actual(k) for k in range(index, self.count_known)]
        denominator = lcm(*(part.denominator for part in growth))
        parts = [int(part * denominator) for part in growth]
        rule = self.rule._replace(principal_grace_periods=grace, interest_grace_periods=0)
        level = level_of(
            rule,
            balance_minor,
            parts,
            denominator,
            interest_principal_minor=self._paid_out_minor(index) or None,
        )
        zeros = [0] * len(parts)
        return evened_level(
            rule, balance_minor, zeros, 1, level, bearing=self._bearing(index, as_planned=True)
        )

    def _even_or_actual(self, index: int) -> Fraction:
        """The growth of a period, as the formula of the instalment takes it."""
        span = self.spans[index]
        if self.bears.is_free(index):
            return Fraction(0)
        if self.plan.instalment_formula is InstalmentFormula.EVEN_PERIODS:
            assert self.plan.frequency is not None
            even = even_part(
                self.plan.frequency, self.plan.day_count, self.plan.accrual, start=self.plan.start
            )
            return even * Fraction(self.bears.rate_on(span.from_date))
        cuts = sorted(
            {span.from_date, span.due_date}
            | {day for day, _ in self.bears.rates_known if span.from_date < day < span.due_date}
        )
        return sum(
            (self.bears.growth(span, start, end) for start, end in pairwise(cuts)),
            start=Fraction(0),
        )

    def _paid_out_minor(self, index: int) -> int:
        """All that was paid out, down payments included, by the payouts of periods so far."""
        return sum(
            payout.amount_minor
            for payout in self.history.payouts
            if self._joins(payout.date) <= index
        )

    # What a period bears interest on.

    def _bearing(self, base: int, *, as_planned: bool = False) -> Bearing:
        # As planned, nobody pays early or late: that is how an instalment is agreed.
        def interest(
            offset: int, balance_minor: int, principals: Sequence[int], interests: Sequence[int]
        ) -> Fraction:
            index = base + offset
            span = self.spans[index]
            if self.bears.is_free(index):
                return Fraction(0)
            if self.flat:
                paid_out_minor = self._paid_out_minor(index)
                return paid_out_minor * self.bears.growth(span, span.from_date, span.due_date)
            due_before = [
                (p + i if self.bears.bears_on_interest() else p)
                for p, i in zip(
                    [*self.principals[:base], *principals],
                    [*self.interests[:base], *interests],
                    strict=True,
                )
            ]
            if as_planned:
                return self.bears.interest_until(index, span.due_date, balance_minor, None)
            owed = self.bears.interest_until(index, span.due_date, balance_minor, due_before)
            return owed + (0 if offset else self.carried_minor)

        return interest

    def accrued(self, day: date) -> Accrued:
        """Interest of the running period up to ``day``, once the table is made."""
        index = min(bisect_left(self.dues, day), len(self.spans) - 1)
        until = min(day, self.spans[index].due_date)
        joined_minor = sum(
            payout.amount_minor
            for period, payouts in self.joined.items()
            if period <= index
            for payout in payouts
        )
        balance_minor = joined_minor - sum(self.principals[:index])
        if self.flat:
            span = self.spans[index]
            owed = self._paid_out_minor(index) * self.bears.growth(span, span.from_date, until)
        else:
            owed = self.bears.interest_until(index, until, balance_minor, self.principals[:index])
        return Accrued(index, rounded(owed.numerator, owed.denominator, self.plan.rounding))

    # What a receipt beyond the instalment does.

    def _advanced(self) -> dict[int, list[Early]]:
        """By period: money that came early and lowers the instalments after it."""
        again = self.terms.recalculation
        if again is None or again.advance is not Advance.LOWER_INSTALMENT:
            return {}
        advanced: dict[int, list[Early]] = {}
        for early in self.history.early:
            advanced.setdefault(bisect_left(self.dues, early.date), []).append(early)
        return advanced

    def _hold_what_is_paid(self, index: int, balance_minor: int, level: Level) -> None:
        """No instalment is lowered under what was paid to it, nor the later ones under theirs.

        Interest for which principal paid ahead leaves no room falls due with the next one.
        """
        to_it = [paid for paid in self.history.paid if paid.period == index]
        ahead_minor = sum(p.principal_minor for p in self.history.paid if p.period > index)
        held_minor = sum(p.principal_minor for p in to_it)
        received_minor = sum(p.interest_minor for p in to_it)
        most_minor = min(self.principals[index], balance_minor - ahead_minor)
        interest_minor = self.interests[index]
        self.carried_minor = 0
        if held_minor > most_minor and index + 1 < len(self.spans) and self._pays_ahead():
            room_minor = max(0, level.amount_minor - held_minor)
            self.carried_minor = max(0, interest_minor - max(room_minor, received_minor))
            interest_minor -= self.carried_minor
        self.principals[index] = max(most_minor, held_minor)
        self.interests[index] = max(interest_minor, received_minor)

    def _pays_ahead(self) -> bool:
        again = self.terms.recalculation
        return again is not None and again.advance is Advance.LESS_INTEREST

    def _beyond(self, index: int, early: Sequence[Early]) -> int:
        """What the instalment's principal grows by: early money that it did not foresee."""
        before_minor = sum(e.amount_minor for e in early if e.date < self.dues[index])
        on_time_minor = sum(e.amount_minor for e in early if e.date == self.dues[index])
        return max(0, before_minor - self.principals[index]) + on_time_minor

    def _defer_interest(self) -> None:
        """Interest that grace puts off falls due with the first instalment after it."""
        graces = [(0, self.plan.interest_grace_periods)]
        graces += [
            (index_due(self.dues, move.due_date), move.change.interest_grace_periods)
            for move in self.history.moved
        ]
        for first, periods in graces:
            last = min(first + periods, len(self.interests) - 1)
            if periods and first < last:
                self.interests[last] += sum(self.interests[first:last])
                self.interests[first:last] = [0] * (last - first)
