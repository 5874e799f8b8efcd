"""What the periods of a loan of instalments bear interest on, night by night.

The table's balance of a period is what is left after the instalments before it. What bears
interest differs from it while a payout of the period has not been made, and, where the table
follows the money, by what was paid early and by what is overdue.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from tallystick.rules.amortisation import InterestRounding
from tallystick.rules.instalment_dates import Span, part_of_year
from tallystick.rules.instalment_history import History, Payout
from tallystick.rules.instalment_terms import Advance, InstalmentTerms, Reach, Rest
from tallystick.rules.money import rounded
from tallystick.rules.schedule import ScheduleTerms

_NIGHT = timedelta(days=1)


@dataclass(slots=True)
class Bears:
    """The interest of the periods of one table.

    ``joined`` holds the payouts that join each period, down payments taken off; ``rates_known``
    the changes of the rate that are known so far.
    """

    terms: InstalmentTerms
    plan: ScheduleTerms
    spans: Sequence[Span]
    history: History
    joined: Mapping[int, Sequence[Payout]]
    rates_known: list[tuple[date, Decimal]] = field(default_factory=list)
    dues: list[date] = field(init=False)

    def __post_init__(self) -> None:
        self.dues = [span.due_date for span in self.spans]

    def interest_until(
        self, index: int, day: date, balance_minor: int, due_before: Sequence[int] | None
    ) -> Fraction:
        """Interest of a period from its start to ``day``, within it.

        ``due_before`` is what fell due with the periods before, None where neither receipts nor
        pauses are to be known.
        """
        span = self.spans[index]
        parts: list[tuple[int, Decimal, Fraction]] = []
        for start, end in pairwise(self._cuts(span, day)):
            if due_before is not None and self._is_paused(start):
                continue
            bears_minor = balance_minor + self._off_plan(index, start, due_before)
            rate = self.rate_on(start)
            year = part_of_year(self.plan, span, start, end)
            if parts and parts[-1][:2] == (bears_minor, rate):
                year += parts.pop()[2]
            parts.append((bears_minor, rate, year))
        exact = [bears_minor * Fraction(rate) * year for bears_minor, rate, year in parts]
        if self.plan.interest_rounding is InterestRounding.EACH_PART:
            exact = [Fraction(rounded(*e.as_integer_ratio(), self.plan.rounding)) for e in exact]
        return sum(exact, start=Fraction(0))

    def growth(self, span: Span, start: date, end: date) -> Fraction:
        return part_of_year(self.plan, span, start, end) * Fraction(self.rate_on(start))

    def rate_on(self, night: date) -> Decimal:
        rate = self.plan.annual_rate
        for day, changed in self.rates_known:
            if day <= night:
                rate = changed
        return rate

    def is_free(self, index: int) -> bool:
        return index < self.plan.interest_free_periods

    def bears_on_interest(self) -> bool:
        again = self.terms.recalculation
        return again is not None and again.interest_on_interest

    def _cuts(self, span: Span, last: date) -> list[date]:
        """The days of a period on which what bears interest, or its rate, can change."""
        days = {payout.date for payout in self.history.payouts}
        days |= {day for day, _ in self.history.rates}
        days |= {day - _NIGHT for day, _ in self.history.pauses}
        days |= {day for _, day in self.history.pauses}
        days |= {paid.date for paid in self.history.paid}
        days |= {early.date for early in self.history.early}
        for nights in self._late_ranges():
            days |= set(nights)
        inside = (day for day in days if span.from_date < day < last)
        return sorted({span.from_date, last, *inside})

    def _is_paused(self, night: date) -> bool:
        morning = night + _NIGHT
        return any(first <= morning <= last for first, last in self.history.pauses)

    def _off_plan(self, index: int, night: date, due_before: Sequence[int] | None) -> int:
        """By how much what bears interest differs from the table's balance of the period."""
        off_minor = -sum(
            payout.amount_minor for payout in self.joined.get(index, ()) if payout.date > night
        )
        again = self.terms.recalculation
        if again is None or due_before is None:
            return off_minor
        if again.advance is Advance.LOWER_INSTALMENT:
            off_minor -= sum(
                early.amount_minor
                for early in self.history.early
                if self.spans[index].from_date < early.date <= night
            )
        else:
            off_minor -= sum(
                paid.principal_minor
                for paid in self.history.paid
                if paid.period >= index and paid.date <= night
            )
        if any(first <= night < last for first, last in self._late_ranges()):
            with_interest = again.interest_on_interest
            off_minor += sum(due_before) - sum(
                paid.principal_minor + (paid.interest_minor if with_interest else 0)
                for paid in self.history.paid
                if paid.period < index and paid.date <= night
            )
        return off_minor

    def _late_ranges(self) -> list[tuple[date, date]]:
        """Nights on which what is overdue bears interest, as known on the days looked at."""
        again = self.terms.recalculation
        if again is None or not self.history.looked_on:
            return []
        ranges = []
        for looked_on in self.history.looked_on:
            period = bisect_left(self.dues, looked_on)
            until = looked_on
            if again.rest is Rest.PERIOD:
                until = self.dues[min(period, len(self.dues) - 1)]
            since = self.plan.start
            if again.reach is Reach.RUNNING_PERIOD:
                since = self.spans[min(period, len(self.spans) - 1)].from_date
            ranges.append((since, until))
        return ranges if again.reach is Reach.RUNNING_PERIOD else [max(ranges, key=_until)]


def _until(nights: tuple[date, date]) -> date:
    return nights[1]
