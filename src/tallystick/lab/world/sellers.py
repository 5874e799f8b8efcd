"""Sellers who draw advances out of their sales, which a share of each settlement repays.

Once a week a seller whose sales give a limit asks for a line, and one whose line is free for an
advance; some pay a part out of their own cash besides. What a seller does is drawn from the seed,
its code and the day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from tallystick.book.acts.once import Caller
from tallystick.book.sales_credit.draw import AdvanceRefused, available_on, draw_advance
from tallystick.book.sales_credit.models import AdvanceStatus
from tallystick.book.sales_credit.open_line import NewSalesLine, SalesGiveNoLimit, open_line
from tallystick.book.sales_credit.overview import advances_of_line
from tallystick.book.sales_credit.programmes import sales_preset
from tallystick.book.sales_credit.repay import repay_advance
from tallystick.lab.measures import RunSummary

PROGRAMMES = ("market.sales_daily", "market.sales_advance")
"""In turns, seller by seller."""

DRAWS_PERCENT = (70, 85, 100)
"""Of what may be drawn."""

PAYS_AHEAD_PERCENT = 10
PAID_AHEAD_PERCENT = 15
"""How often a seller pays out of its own cash, and how much of what is outstanding."""


@dataclass(frozen=True, slots=True)
class Sellers:
    """Who draws out of its sales in a run, by code; lines may be drawn until ``expiry_date``."""

    sellers: Sequence[str]
    legal_entity_id: int
    expiry_date: date
    round_to_minor: int
    seed: int
    caller: Caller
    summary: RunSummary
    lines: set[str] = field(default_factory=set)

    def work(self, on: date) -> None:
        """A Monday: lines are asked for, advances drawn, and some repaid ahead."""
        if on.weekday():
            return
        for place, seller in enumerate(self.sellers):
            line = f"SL-{seller}"
            if line in self.lines or self._opened(line, seller, PROGRAMMES[place % 2]):
                chance = Random(f"{self.seed}/{seller}/{on}")
                self._draw(line, on, chance)
                self._pay_ahead(line, on, chance)

    def _opened(self, line: str, seller: str, programme: str) -> bool:
        wanted = NewSalesLine(line, seller, sales_preset(programme), self.expiry_date)
        try:
            open_line(wanted, legal_entity_id=self.legal_entity_id, caller=self.caller, key=line)
        except SalesGiveNoLimit:
            return False  # it has not sold for long enough: next week, perhaps
        self.lines.add(line)
        return True

    def _draw(self, line: str, on: date, chance: Random) -> None:
        now = available_on(line)
        amount_minor = now.available_minor * chance.choice(DRAWS_PERCENT) // 100
        amount_minor -= amount_minor % self.round_to_minor
        if now.open_advances or now.frozen_reason or amount_minor < now.min_draw_minor:
            return
        try:
            draw_advance(line, amount_minor, caller=self.caller, key=f"advance/{line}/{on}")
        except AdvanceRefused as refusal:
            self.summary.draws_refused += 1
            self.summary.refused(refusal)
        else:
            self.summary.draws += 1
            self.summary.drawn_minor += amount_minor

    def _pay_ahead(self, line: str, on: date, chance: Random) -> None:
        if chance.randrange(100) >= PAYS_AHEAD_PERCENT:
            return
        _, advances = advances_of_line(line)
        for each in advances:
            if each.state is None or each.advance.status != AdvanceStatus.LIVE:
                continue
            amount_minor = each.state.outstanding_minor * PAID_AHEAD_PERCENT // 100
            if amount_minor:
                repay_advance(
                    each.advance.code,
                    amount_minor,
                    value_date=None,
                    caller=self.caller,
                    key=f"ahead/{each.advance.code}/{on}",
                )
                self.summary.paid_by_merchants_minor += amount_minor
